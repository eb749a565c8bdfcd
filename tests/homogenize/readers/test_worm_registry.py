"""Registry entries of the worm sources: reader, honesty about verification, and options that reach the reader unharmed."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

import allometry.homogenize as stage
from allometry import stores
from allometry.config.registry import SourceEntry, merge
from allometry.homogenize.readers import READERS
from allometry.homogenize.readers.dag2023 import load_labels
from allometry.retrieve import run as retrieve
from tests.homogenize.fixtures.worms import WRITERS

REAL = {"dag2023", "kato2015", "lanza2024"}
ENTRY_OF = {"uzel2022": "uzel2022_activity", "kato2015": "kato2015_original", "flavell2023": "flavell2023_collection"}
# The folder of the archive stands for the files of these.
FOLDERS = {"flavell2023", "leifer2023", "lin2023", "nejatbakhsh2020", "venkatachalam2024"}


@pytest.fixture(scope="module")
def registry(root):
    return yaml.safe_load((root / "config" / "datasets.yaml").read_text())


def test_every_worm_layout_is_registered_and_says_whether_it_was_verified(registry):
    for source in [*WRITERS, "dag2023", "kato2015", "lanza2024"]:
        entry = registry[source if source in REAL else ENTRY_OF.get(source, source)]
        assert entry["verified"] == ("real" if source in REAL else "layout-only")
        assert entry["reader"] in READERS
        assert "activity" in READERS[entry["reader"]].kinds


@pytest.mark.parametrize("source", sorted(WRITERS))
def test_a_registered_source_runs_from_the_unpacked_archive_to_its_stores(
    source, registry, root, tmp_path, monkeypatch
):
    name = ENTRY_OF.get(source, source)
    made = merge({name: SourceEntry.model_validate(registry[name])}, {})[name]
    place = Path(made["files"][0]["places"][0].removeprefix("file:"))
    folder = tmp_path / (place if source in FOLDERS else place.parent)
    folder.mkdir(parents=True)
    fixture = WRITERS[source](folder)
    (folder / ".DS_Store").write_bytes(b"\0")  # as unpacked on a Mac
    monkeypatch.chdir(tmp_path)
    retrieve(name, made, "raw", None, "cache", offline=True)
    if source not in FOLDERS:
        assert {file["name"] for file in made["files"]} == set(fixture.files)
    for store in (name, f"{name}_simeon2024"):
        out = tmp_path / f"{store}.zarr"
        stage.run({**made, "name": name}, store, "raw", out)
        assert stores.verify(out) == []
        tree = stores.open(out)
        parameters = stores.attribute(tree, "parameters")
        assert parameters["verified"] == "layout-only"
        assert parameters["preset"] == ("simeon2024" if store.endswith("simeon2024") else "default")
        assert tree.sizes["recording"] == len(fixture.worms)
        units = [tree[f"native/{recording}"].sizes["roi"] for recording in tree["recording"].values.tolist()]
        dropped = 2 * (source == "leifer2023") * store.endswith("simeon2024")  # a gap and a straight line in each worm
        assert sorted(units) == sorted(len(worm.labels) - dropped for worm in fixture.worms)


def test_all_worms_of_dag2023_in_the_form_of_the_archive(registry, tmp_path, mirror, monkeypatch):
    """The labels of genuine files as JSON, one worm without labels beside them."""
    name = "dag2023_collection"
    made = merge({name: SourceEntry.model_validate(registry[name])}, {})[name]
    folder = tmp_path / made["files"][0]["places"][0].removeprefix("file:")
    (folder / "swf702_with_id").mkdir(parents=True)
    (folder / "swf415_no_id").mkdir()
    genuine = mirror / "celegans_activity" / "dag2023"
    labelled, other = "2022-07-26-31", "2022-07-26-38"
    shutil.copy(genuine / f"{labelled}-data.h5", folder / "swf702_with_id")
    shutil.copy(genuine / f"{other}-data.h5", folder / "swf415_no_id")
    table = load_labels(genuine / "NeuroPAL_labels_dict.jld2", [labelled])
    (folder / "NeuroPAL_labels_dict.json").write_text(json.dumps({labelled: [table[labelled], None]}, default=float))
    monkeypatch.chdir(tmp_path)
    retrieve(name, made, "raw", None, "cache", offline=True)
    stage.run({**made, "name": name}, name, "raw", tmp_path / "all.zarr")
    tree = stores.open(tmp_path / "all.zarr")
    named = {key: int((tree[f"native/{key}"]["label"].values != "").sum()) for key in (labelled, other)}
    direct = {
        **made,
        "name": "dag2023",
        "files": [{"name": f"{labelled}-data.h5"}, {"name": "NeuroPAL_labels_dict.jld2"}],
    }
    direct["stores"] = {"dag2023": {"kind": "activity"}}
    stage.run(direct, "dag2023", genuine, tmp_path / "one.zarr")
    one = stores.open(tmp_path / "one.zarr")
    assert named == {labelled: int((one[f"native/{labelled}"]["label"].values != "").sum()), other: 0}
