"""Wheels: members come out whole or not at all, and nothing else comes out."""

import re
import shutil
import stat
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from allometry.errors import RetrieveError
from allometry.retrieve import wheels
from allometry.retrieve.source import run
from tests.retrieve.conftest import build_wheel, sha

CONTENT = bytes(range(256)) * 2000


def source(member: str = "toy/data.bin", content: bytes = CONTENT) -> dict[str, object]:
    return {"files": [{"name": "data.bin", "sha256": sha(content), "places": [f"pypi:toy==1.0!{member}"]}]}


@pytest.fixture
def no_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder that wheels are copied from without pip, where pip is not what is tested."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    monkeypatch.setattr(wheels, "_download", lambda _, target, *__: shutil.copytree(folder, target, dirs_exist_ok=True))
    return folder


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_only_the_member_leaves_the_wheel(index: Path, tmp_path: Path) -> None:
    evil = {"../evil.txt": b"x", "/tmp/allometry-evil.txt": b"x", "toy/../../evil2.txt": b"x"}
    build_wheel(index, {"toy/data.bin": CONTENT, **evil})
    outer = tmp_path / "outer"
    run("toy", source(), outer / "raw/toy", None, outer / "cache")
    assert (outer / "raw/toy/data.bin").read_bytes() == CONTENT
    assert files_below(outer / "raw") == {"toy/data.bin", "toy/manifest.json"}
    assert list(tmp_path.rglob("*evil*")) == []
    assert not Path("/tmp/allometry-evil.txt").exists()


def test_links_and_folders_are_no_files(no_pip: Path, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("toy/data.bin")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    build_wheel(no_pip, {link: b"/etc/passwd", "toy/folder/": b""})
    for member in ("toy/data.bin", "toy/folder/"):
        with pytest.raises(RetrieveError, match=r"link|leaves its root"):
            run("toy", source(member, b"/etc/passwd"), tmp_path / "raw", None, tmp_path / "cache")
    assert files_below(tmp_path / "raw") == set()


def test_a_missing_member_is_named(no_pip: Path, tmp_path: Path) -> None:
    build_wheel(no_pip, {"toy/data.bin": CONTENT})
    with pytest.raises(RetrieveError, match=r"no such member.*toy/other\.bin"):
        run("toy", source("toy/other.bin"), tmp_path / "raw", None, tmp_path / "cache")


def test_a_wheel_that_does_not_exist_is_named_with_pips_reason(index: Path, tmp_path: Path) -> None:
    with pytest.raises(RetrieveError, match=r"pypi:toy==1\.0!toy/data\.bin\s+pip could not download it: .*toy==1\.0"):
        run("toy", source(), tmp_path / "raw", None, tmp_path / "cache")
    assert not list((tmp_path / "cache" / "wheels").glob(".partial-*"))


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_a_damaged_wheel_in_the_cache_is_fetched_again(no_pip: Path, tmp_path: Path, damage: str) -> None:
    build_wheel(no_pip, {"toy/data.bin": CONTENT})
    run("toy", source(), tmp_path / "raw", None, tmp_path / "cache")
    cached = next((tmp_path / "cache" / "wheels").glob("toy-1.0/*.whl"))
    whole = cached.read_bytes()
    cached.write_bytes(whole[: len(whole) // 2] if damage == "truncated" else whole[:60] + b"\0\0\0\0" + whole[64:])
    (tmp_path / "raw" / "data.bin").unlink()
    run("toy", source(), tmp_path / "raw", None, tmp_path / "cache")
    assert (tmp_path / "raw" / "data.bin").read_bytes() == CONTENT
    assert cached.read_bytes() == whole


def test_a_truncated_wheel_from_the_index_is_an_error(index: Path, tmp_path: Path) -> None:
    path = build_wheel(index, {"toy/data.bin": CONTENT})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(RetrieveError, match="no place gives the file"):
        run("toy", source(), tmp_path / "raw", None, tmp_path / "cache")
    assert files_below(tmp_path / "raw") == set()


# Stands for pip: says the size, then fills a file in its temporary folder bit by bit.
SLOW = """
import os, pathlib, sys, time
print("  Downloading toy-1.0-py3-none-any.whl (4.0 MB)")
folder = pathlib.Path(os.environ["TMPDIR"], "pip-unpack"); folder.mkdir()
with (folder / "toy.whl").open("wb") as file:
    for _ in range(8):
        file.write(bytes(500_000)); file.flush(); time.sleep(0.1)
pathlib.Path(sys.argv[sys.argv.index("--dest") + 1], "toy-1.0-py3-none-any.whl").write_bytes(b"x")
"""


def test_a_long_download_says_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wheels, "_PIP", [sys.executable, "-c", SLOW])
    monkeypatch.setattr(wheels, "PROGRESS_S", 0.2)
    caplog.set_level("INFO", logger="allometry")
    wheels.fetch_wheel("toy", "1.0", tmp_path, timeout_s=5, attempts=1)
    shares = [int(found) for found in re.findall(r"toy==1\.0: .* of 4\.0 MB \((\d+) %\), .* MB/s", caplog.text)]
    assert len(shares) >= 2
    assert shares == sorted(shares)
    assert files_below(tmp_path) == {"toy-1.0/toy-1.0-py3-none-any.whl", "toy-1.0.lock"}


def test_parallel_jobs_download_a_wheel_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads: list[str] = []

    def slow(requirement: str, folder: Path, *_: object) -> None:
        downloads.append(requirement)
        threading.Event().wait(0.2)
        folder.mkdir()
        build_wheel(folder, {f"toy/{i}.bin": bytes([i]) * 1000 for i in range(8)})

    monkeypatch.setattr(wheels, "_download", slow)

    def job(i: int) -> None:
        place = f"pypi:toy==1.0!toy/{i}.bin"
        one = {"files": [{"name": "data.bin", "sha256": sha(bytes([i]) * 1000), "places": [place]}]}
        run(f"toy{i}", one, tmp_path / f"raw{i}", None, tmp_path / "cache")

    threads = [threading.Thread(target=job, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert downloads == ["toy==1.0"]
    assert [(tmp_path / f"raw{i}" / "data.bin").read_bytes()[:1] for i in range(8)] == [bytes([i]) for i in range(8)]


def test_a_password_of_the_index_is_in_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A pip that says the address of its index as it was configured."""
    said = "print('ERROR: no toy at https://me:s3cret@host/simple/toy/', file=sys.stderr); sys.exit(1)"
    monkeypatch.setattr(wheels, "_PIP", [sys.executable, "-c", f"import sys; {said}"])
    with caplog.at_level("DEBUG"), pytest.raises(RetrieveError, match=r"no toy at https://\*\*\*@host/simple") as error:
        wheels.fetch_wheel("toy", "1.0", tmp_path, timeout_s=1.0, attempts=1)
    assert "s3cret" not in str(error.value) + caplog.text
