"""Folders as one file: the same files give the same bytes, and what is read from it is what lies in the folder."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allometry import homogenize, stores
from allometry.config.registry import SourceEntry, merge
from allometry.errors import RetrieveError
from allometry.retrieve import own_files, recipes
from allometry.retrieve import run as retrieve
from allometry.retrieve.packing import members, pack
from tests.homogenize.fixtures import calcium, sortings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"b/2": "two", "b/.zgroup": "{}", "a": "one"}.items():
        path = tmp_path / "top" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "top"


def packed(folder: Path) -> bytes:
    stream = io.BytesIO()
    pack(folder, stream)
    return stream.getvalue()


def test_the_same_files_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first = packed(folder)
    other = tmp_path / "copy" / "top"
    for path in reversed(members(folder)):
        copy = other / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        os.utime(copy, (1e9, 1e9))
    assert packed(other) == first
    (other / "a").write_text("One")
    assert packed(other) != first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "top/a": b"one",
            "top/b/.zgroup": b"{}",
            "top/b/2": b"two",
        }


def test_links_lead_nowhere_and_an_empty_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "link2").symlink_to(tmp_path / "secret" / "key")
    assert [path.name for path in members(folder)] == ["a", ".zgroup", "2"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(RetrieveError, match="the folder has no files"):
        members(tmp_path / "empty")


def test_files_of_a_folder_are_followed_up_to_a_number(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries: list[Any] = [{"name": "top", "places": [f"file:{folder}"]}]
    assert own_files(entries) == [str(path) for path in members(folder)]
    monkeypatch.setattr(recipes, "MOST_FOLLOWED", 2)
    assert own_files(entries) == [str(folder)]


@pytest.mark.parametrize("reader", ["phy", "suite2p"])
def test_a_folder_of_the_users_own_becomes_a_store(reader: str, tmp_path: Path) -> None:
    top = tmp_path / "data" / "day1"
    if reader == "phy":
        top.mkdir(parents=True)
        sortings.write_phy(top)
    else:
        for plane in (0, 1):
            calcium.write_suite2p(top / f"plane{plane}", plane)
    plain = SourceEntry.model_validate({"reader": reader, "files": [f"{top}/"]})
    kind = {"phy": "spikes", "suite2p": "activity"}[reader]
    made = {"name": "mine", **merge({}, {"mine": plain}, {"mine": kind})["mine"]}
    assert [file["name"] for file in made["files"]] == ["day1"]
    raw = tmp_path / "raw" / "mine"
    retrieve("mine", made, raw, None, tmp_path / "cache")
    known = json.loads((raw / "manifest.json").read_text())["files"]["day1"]["sha256"]
    homogenize.run(made, "mine", raw, tmp_path / "mine.zarr")
    store = stores.open(tmp_path / "mine.zarr")
    assert stores.attribute(store, "source") == {"day1": known}
    if reader == "phy":
        np.testing.assert_allclose(next(iter(stores.trains(store))), sortings.train(3))
    else:
        assert store["recording"].values.tolist() == ["day1_plane0", "day1_plane1"]
