"""A run as an RO-Crate: what it names is there, with the right checksums; the validator accepts it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from allometry import cli, stores
from allometry.errors import AllometryError
from allometry.files import sha256_of
from allometry.workflow.keeping import crate
from tests.stores import samples

Entities = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkout with results."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in crate.CODE:
        path = folder / name if name == "Snakefile" else folder / name / "file"
        path.parent.mkdir(exist_ok=True)
        path.write_text("text")
    (folder / "envs" / "requirements.lock").write_text("numpy==2\n")
    (folder / "README.md").write_text("read me")
    configuration = {"report": {"title": "Mine"}}
    for place, kind in (("homogenized/connectome/cook", "connectome"), ("compared/worm", "scores")):
        path = folder / "results" / f"{place}.zarr"
        stores.write(samples.sample(kind), path, provenance={"configuration": configuration})
    raw = folder / "results" / "raw" / "cook2019"
    raw.mkdir(parents=True)
    (raw / "manifest.json").write_text(json.dumps({"files": {"a.xlsx": {"sha256": "0" * 64, "place": "mirror:a"}}}))
    (folder / "results" / "report").mkdir()
    (folder / "results" / "report" / "index.html").write_text("<html></html>")
    return folder


@pytest.fixture(scope="module")
def made(checkout: Path) -> Path:
    before = Path.cwd()
    os.chdir(checkout)
    try:
        assert cli.main(["crate", "crate", "--author", "A Person"]) == 0
    finally:
        os.chdir(before)
    return checkout / "crate"


@pytest.fixture(scope="module")
def entities(made: Path) -> Entities:
    document = json.loads((made / crate.METADATA).read_text(encoding="utf-8"))
    found = {entity["@id"]: entity for entity in document["@graph"]}
    assert len(found) == len(document["@graph"])
    return found


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {value["@id"]} if set(value) == {"@id"} else set().union(*map(_references, value.values()), set())
    return set().union(*map(_references, value), set()) if isinstance(value, list) else set()


def test_what_is_named_is_described_or_elsewhere(entities: Entities) -> None:
    named = set().union(*(_references(entity) for entity in entities.values()))
    assert {name for name in named - set(entities) if not name.startswith("https://")} == set()


def test_files_and_folders_are_there_with_their_checksums(made: Path, entities: Entities) -> None:
    parts = [part["@id"] for part in entities["./"]["hasPart"]]
    assert {"Snakefile", "results/compared/worm.zarr/", "results/report/index.html", "configuration.yaml"} <= set(parts)
    for name in parts:
        assert (made / name).is_dir() if name.endswith("/") else (made / name).is_file(), name
        if "sha256" in entities[name]:
            assert entities[name]["sha256"] == sha256_of(made / name)
            assert entities[name]["contentSize"] == str((made / name).stat().st_size)


def test_stores_are_whole_and_say_their_content(made: Path, entities: Entities) -> None:
    store = made / "results" / "compared" / "worm.zarr"
    assert stores.verify(store) == []
    content = stores.read_manifest(store)["content"]["content_sha256"]
    assert entities["results/compared/worm.zarr/"]["identifier"] == f"sha256:{content}"


def test_the_run_has_times_configuration_sources_and_results(made: Path, entities: Entities) -> None:
    run = entities["#run"]
    assert run["@type"] == "CreateAction"
    assert run["startTime"] <= run["endTime"]
    assert run["endTime"].endswith("+00:00")
    assert {one["@id"] for one in run["object"]} == {"configuration.yaml", "#source-cook2019"}
    assert "a.xlsx (sha256 " + "0" * 64 in entities["#source-cook2019"]["value"]
    assert len(run["result"]) == 3
    assert yaml.safe_load((made / "configuration.yaml").read_text()) == {"report": {"title": "Mine"}}
    assert entities["#author"]["name"] == "A Person"
    assert set(crate.PROFILES) <= {one["@id"] for one in entities["./"]["conformsTo"]}


def test_without_results_or_in_a_folder_that_is_there_no_crate_is_made(
    checkout: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    with pytest.raises(AllometryError, match="the folder exists"):
        crate.create(made)
    with pytest.raises(AllometryError, match="there are no results"):
        crate.create(tmp_path / "crate", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AllometryError, match="no checkout"):
        crate.create(tmp_path / "crate", checkout / "results")
    assert not (tmp_path / "crate").exists()


@pytest.mark.slow
def test_the_validator_accepts_the_crate(root: Path, made: Path, tmp_path: Path) -> None:
    python = os.environ.get("ALLOMETRY_CRATE_PYTHON")
    if python is None:
        subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
        python = str(tmp_path / "venv" / "bin" / "python")
        wanted = str(root / "envs" / "rocrate-validator.txt")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", wanted], check=True, capture_output=True)
    program = str(root / "tests" / "workflow" / "keeping" / "validate_crate.py")
    done = subprocess.run([python, program, str(made)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 of them required" in done.stdout
