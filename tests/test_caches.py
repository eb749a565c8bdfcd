"""Caches of the libraries where the home folder cannot be written."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from allometry.processes import place_caches


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_home_that_can_be_written_is_used(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path)}
    place_caches(environment)
    assert environment == {"HOME": str(tmp_path)}


def test_an_unwritable_home_is_replaced_by_a_private_folder(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    environment = {"HOME": "/proc/nonexistent", "MPLCONFIGDIR": "/mine"}
    place_caches(environment)
    folder = Path(environment["XDG_CACHE_HOME"])
    assert folder.parent == temporary
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert Path(environment["NUMBA_CACHE_DIR"]).parent == folder
    assert environment["MPLCONFIGDIR"] == "/mine"
    again = {"HOME": "/proc/nonexistent"}
    place_caches(again)
    assert again["XDG_CACHE_HOME"] == str(folder)


def test_a_folder_that_others_can_write_is_not_trusted(temporary: Path) -> None:
    planted = temporary / f"allometry-cache-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    environment = {"HOME": "/proc/nonexistent"}
    place_caches(environment)
    assert Path(environment["XDG_CACHE_HOME"]) != planted
    assert stat.S_IMODE(Path(environment["XDG_CACHE_HOME"]).stat().st_mode) == 0o700
