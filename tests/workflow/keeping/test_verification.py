"""What `allometry verify --repair` would remove: nothing that a manifest has no right to name."""

import json
from pathlib import Path

import pytest

from allometry import stores
from allometry.workflow.keeping import verification
from tests.stores import samples


def _damaged(results: Path) -> verification.Damaged:
    (item,) = verification.verify([results]).damaged
    return item


def _change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", ["{elsewhere}/precious.csv", "../precious.csv", "sub/../../precious.csv"])
def test_a_manifest_of_files_that_names_one_elsewhere_has_only_itself_removed(results: Path, name: str) -> None:
    elsewhere = results / "raw"
    (elsewhere / "mine/sub").mkdir(parents=True)
    (elsewhere / "precious.csv").write_text("precious")
    entry = {"sha256": "0" * 64, "size": 8}
    (elsewhere / "mine/good.csv").write_text("changed")
    listed = elsewhere / "mine/manifest.json"
    listed.write_text(json.dumps({"files": {name.format(elsewhere=elsewhere): entry, "good.csv": entry}}))
    item = _damaged(results)
    assert set(item.remove) == {elsewhere / "mine/good.csv", listed}
    assert elsewhere / "precious.csv" not in item.before
    assert any("outside of its folder" in problem for problem in verification.verify([results]).problems)


def test_a_manifest_of_a_store_takes_nothing_of_another_name_along(results: Path) -> None:
    store = stores.write(samples.sample("spikes"), results / "a.zarr")
    described = stores.manifest_path(store)
    for name in ("a.costs.json", "b.csv"):
        (results / name).write_text("?")
    entry = {"sha256": "0" * 64, "size": 1}
    _change(described, beside={"a.costs.json": entry, "b.csv": entry, "../c.csv": entry})
    item = _damaged(results)
    assert set(item.remove) == {store, described, results / "a.costs.json"}


def test_a_link_in_place_of_a_store_is_not_followed(results: Path, tmp_path: Path) -> None:
    elsewhere = stores.write(samples.sample("spikes"), tmp_path / "elsewhere" / "a.zarr")
    (results / "a.zarr").symlink_to(elsewhere)
    stores.manifest_path(results / "a.zarr").write_text("{")
    assert _damaged(results).foreign == "there is a symbolic link"
