"""Registry entries of the worm sources: reader, honesty about verification, and options that reach the reader unharmed."""

import pytest
import yaml

import allometry.homogenize as stage
from allometry import stores
from allometry.config.registry import SourceEntry, merge
from allometry.homogenize.readers import READERS
from tests.homogenize.fixtures.worms import WRITERS

REAL = {"dag2023", "kato2015", "lanza2024"}
ENTRY_OF = {"uzel2022": "uzel2022_activity", "kato2015": "kato2015_original"}
# File names of these are the user's; the fixture's names stand for them.
FREE = {
    "flavell2023": "session",
    "lin2023": "recording",
    "nejatbakhsh2020": "recording",
    "venkatachalam2024": "recording",
}


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
def test_a_registered_source_runs_from_files_to_store(source, registry, tmp_path):
    name = ENTRY_OF.get(source, source)
    raw = tmp_path / name
    raw.mkdir()
    fixture = WRITERS[source](raw)
    entry = dict(registry[name])
    if source in FREE:
        entry["options"] = {FREE[source]: [file.partition(".")[0] for file in fixture.files]}
    elif source == "leifer2023":
        entry["options"] = {"worm": [0, 1]}
    made = merge({name: SourceEntry.model_validate(entry)}, {})[name]
    if source in FREE:
        made["files"] = [{"name": file} for file in fixture.files]
    assert {file["name"] for file in made["files"]} == set(fixture.files)
    out = tmp_path / f"{name}.zarr"
    stage.run({**made, "name": name}, name, raw, out)
    assert stores.verify(out) == []
    assert stores.attribute(stores.open(out), "parameters")["verified"] == "layout-only"
