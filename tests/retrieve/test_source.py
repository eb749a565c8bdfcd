"""Retrieval of a source: the first right copy wins, wrong ones leave nothing, failures are all named."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from allometry.errors import RetrieveError
from allometry.retrieve import source as module
from allometry.retrieve.recipes import own_files
from allometry.retrieve.source import run
from tests.retrieve.conftest import Web, build_wheel, sha

RIGHT = random.Random(2).randbytes(300_000)
WRONG = RIGHT[:-1] + b"\0"


def entry(*places: Any, content: bytes | None = RIGHT, name: str = "data.bin") -> dict[str, Any]:
    return {"files": [{"name": name, "sha256": "learn" if content is None else sha(content), "places": list(places)}]}


def below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw" / "toy"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A mirror with one file."""
    (tmp_path / "mirror" / "a").mkdir(parents=True)
    (tmp_path / "mirror" / "a" / "data.bin").write_bytes(RIGHT)
    return tmp_path / "mirror"


def manifest(raw: Path) -> dict[str, Any]:
    return json.loads((raw / "manifest.json").read_text())["files"]["data.bin"]


def test_the_mirror_comes_before_the_network(web: Web, folder: Path, raw: Path, cache: Path) -> None:
    web.files["/data.bin"] = RIGHT
    run("toy", entry(f"{web.url}/data.bin", "mirror:a/data.bin"), raw, folder, cache)
    assert web.ranges == []
    assert manifest(raw) == {"sha256": sha(RIGHT), "place": "mirror:a/data.bin"}


def test_the_mirror_may_come_from_the_environment(
    folder: Path, raw: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOMETRY_MIRROR", str(folder))
    run("toy", entry("mirror:a/data.bin"), raw, None, cache)
    assert (raw / "data.bin").read_bytes() == RIGHT


def test_a_wrong_checksum_goes_to_the_next_place(web: Web, folder: Path, raw: Path, cache: Path) -> None:
    (folder / "a" / "data.bin").write_bytes(WRONG)
    web.files |= {"/old": WRONG, "/new": RIGHT}
    run("toy", entry("mirror:a/data.bin", f"{web.url}/old", f"{web.url}/new"), raw, folder, cache)
    assert (raw / "data.bin").read_bytes() == RIGHT
    assert manifest(raw)["place"] == f"{web.url}/new"


def test_without_a_working_place_each_is_listed_with_its_reason(
    web: Web, index: Path, folder: Path, raw: Path, cache: Path
) -> None:
    (folder / "a" / "data.bin").write_bytes(WRONG)
    build_wheel(index, {"toy/data.bin": WRONG})
    web.files["/old"] = WRONG
    places = [
        "pypi:toy==1.0!toy/data.bin",
        f"{web.url}/old",
        f"{web.url}/gone",
        "mirror:a/data.bin",
        "mirror:b",
        "file:/no/x",
    ]
    with pytest.raises(RetrieveError) as caught:
        run("toy", entry(*places), raw, folder, cache)
    text = str(caught.value)
    assert "data.bin" in caught.value.what
    for place in places:
        assert place in text
    assert text.count(f"expected sha256 {sha(RIGHT)}, found {sha(WRONG)}") == 3
    assert text.count("no such file") == 2
    assert "HTTP 404" in text
    assert below(raw) == []
    assert not list((cache / "files").glob("*"))
    assert not list((cache / "downloads").glob("*.part"))


def test_offline_uses_what_is_there_and_says_why_not(web: Web, raw: Path, cache: Path) -> None:
    web.files["/data.bin"] = RIGHT
    place = f"{web.url}/data.bin"
    with pytest.raises(RetrieveError, match="offline"):
        run("toy", entry(place), raw, None, cache, offline=True)
    run("toy", entry(place), raw, None, cache)
    (raw / "data.bin").unlink()
    web.ranges.clear()
    run("toy", entry(place), raw, None, cache, offline=True)  # the cache of complete downloads needs no network
    assert web.ranges == []
    assert (raw / "data.bin").read_bytes() == RIGHT


def test_a_damaged_file_in_the_cache_is_not_used(web: Web, raw: Path, cache: Path) -> None:
    web.files["/data.bin"] = RIGHT
    run("toy", entry(f"{web.url}/data.bin"), raw, None, cache)
    kept = cache / "files" / sha(RIGHT)
    kept.unlink()
    kept.write_bytes(WRONG)
    (raw / "data.bin").unlink()
    run("toy", entry(f"{web.url}/data.bin"), raw, None, cache)
    assert (raw / "data.bin").read_bytes() == RIGHT


def test_right_files_are_kept_and_wrong_ones_replaced(folder: Path, raw: Path, cache: Path) -> None:
    run("toy", entry("mirror:a/data.bin"), raw, folder, cache)
    before = (raw / "data.bin").stat().st_ino
    run("toy", entry("mirror:a/data.bin"), raw, None, cache)
    assert (raw / "data.bin").stat().st_ino == before
    assert manifest(raw)["place"] == "mirror:a/data.bin"
    (raw / "data.bin").write_bytes(WRONG)
    run("toy", entry("mirror:a/data.bin"), raw, folder, cache)
    assert (raw / "data.bin").read_bytes() == RIGHT


def test_a_place_may_have_a_checksum_of_its_own(web: Web, raw: Path, cache: Path) -> None:
    web.files["/other"] = WRONG
    other = {"place": f"{web.url}/other", "sha256": sha(WRONG)}
    run("toy", entry("mirror:a/data.bin", other), raw, None, cache)
    assert manifest(raw) == {"sha256": sha(WRONG), "place": f"{web.url}/other"}


def test_a_checksum_is_learned_once_and_enforced_afterwards(web: Web, raw: Path, cache: Path, tmp_path: Path) -> None:
    web.files["/data.bin"] = RIGHT
    lock, source = tmp_path / "config" / "datasets.lock.yaml", entry(f"{web.url}/data.bin", content=None)
    run("toy", source, raw, None, cache, lock=lock)
    assert yaml.safe_load(lock.read_text()) == {"toy": {"data.bin": sha(RIGHT)}}
    (raw / "data.bin").unlink()
    (cache / "files" / sha(RIGHT)).unlink()
    web.files["/data.bin"] = WRONG
    with pytest.raises(RetrieveError, match=f"expected sha256 {sha(RIGHT)}, found {sha(WRONG)}"):
        run("toy", source, raw, None, cache, lock=lock)
    assert yaml.safe_load(lock.read_text()) == {"toy": {"data.bin": sha(RIGHT)}}
    assert not (raw / "data.bin").exists()


def test_a_checksum_learned_for_one_place_is_not_asked_of_others(
    web: Web, folder: Path, raw: Path, cache: Path, tmp_path: Path
) -> None:
    web.files["/other"] = WRONG
    lock = tmp_path / "lock.yaml"
    source = entry("mirror:a/data.bin", {"place": f"{web.url}/other", "sha256": "learn"})
    run("toy", source, raw, None, cache, lock=lock)
    assert manifest(raw)["sha256"] == sha(WRONG)
    (raw / "data.bin").unlink()
    run("toy", source, raw, folder, cache, lock=lock)
    assert manifest(raw)["sha256"] == sha(RIGHT)
    assert yaml.safe_load(lock.read_text()) == {"toy": {f"data.bin @ {web.url}/other": sha(WRONG)}}


def test_two_sources_learn_into_one_lock_file(folder: Path, tmp_path: Path, cache: Path) -> None:
    for name in ("one", "two"):
        run(name, entry("mirror:a/data.bin", content=None), tmp_path / name, folder, cache, lock=tmp_path / "lock.yaml")
    assert set(yaml.safe_load((tmp_path / "lock.yaml").read_text())) == {"one", "two"}


@pytest.mark.parametrize("text", ["toy: [1]", "toy: {data.bin: abc}", "- 1", "toy: {", "\x00"])
def test_a_lock_file_that_is_none_is_an_error(text: str, folder: Path, raw: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "lock.yaml").write_text(text)
    with pytest.raises(RetrieveError, match="lock file"):
        run("toy", entry("mirror:a/data.bin", content=None), raw, folder, cache, lock=tmp_path / "lock.yaml")


def test_a_resumed_download_of_mixed_versions_is_restarted_once(web: Web, raw: Path, cache: Path) -> None:
    # the server keeps its ETag although the file changed, so that only the checksum can tell
    web.files["/data.bin"], web.break_after = WRONG[::-1], [100_000]
    place = f"{web.url}/data.bin"
    with pytest.raises(RetrieveError, match="broke off"):
        run("toy", entry(place), raw, None, cache, attempts=1)
    web.files["/data.bin"] = RIGHT
    run("toy", entry(place), raw, None, cache)
    assert (raw / "data.bin").read_bytes() == RIGHT
    assert web.ranges == [None, "bytes=100000-", None]


def test_a_killed_download_leaves_nothing_and_is_continued(web: Web, raw: Path, cache: Path) -> None:
    web.files["/data.bin"], web.pause_s = RIGHT, 1.0
    place = f"{web.url}/data.bin"
    code = f"from allometry.retrieve import run; run('toy', {entry(place)!r}, {str(raw)!r}, None, {str(cache)!r})"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        deadline = time.monotonic() + 300
        while not any(part.stat().st_size > 100_000 for part in cache.glob("downloads/*.part")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert below(raw) == []
    web.pause_s = 0
    run("toy", entry(place), raw, None, cache)
    assert (raw / "data.bin").read_bytes() == RIGHT
    assert web.ranges[0] is None
    assert web.ranges[1] is not None


def test_an_interruption_while_copying_leaves_nothing(
    folder: Path, raw: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupting:
        def update(self, _: bytes) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "sha256", Interrupting)
    with pytest.raises(KeyboardInterrupt):
        run("toy", entry("mirror:a/data.bin"), raw, folder, cache)
    assert below(raw) == []


def test_leftovers_of_a_killed_job_are_removed(folder: Path, raw: Path, cache: Path) -> None:
    raw.mkdir(parents=True)
    (raw / ".partial-1-abc").write_bytes(b"half")
    run("toy", entry("mirror:a/data.bin"), raw, folder, cache)
    assert below(raw) == ["data.bin", "manifest.json"]


def test_a_full_disk_is_said_as_such_and_no_place_is_blamed(
    folder: Path, raw: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 11.17: the advice was to connect to the network."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RetrieveError, match="No space left on device") as raised:
        run("toy", entry("mirror:a/data.bin"), raw, folder, cache)
    assert raised.value.where == str(raw / "data.bin")
    assert raised.value.do == "free some space, or write to another disk"
    assert below(raw) == []


def test_a_folder_that_cannot_be_made_is_one_message(folder: Path, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RetrieveError, match=r"cannot write: .*\n.*file/toy"):
        run("toy", entry("mirror:a/data.bin"), tmp_path / "file" / "toy", folder, cache)
    with pytest.raises(RetrieveError, match=r"cannot write: .*\n.*file"):
        run("toy", entry("mirror:a/data.bin"), tmp_path / "raw", folder, tmp_path / "file")


def test_a_short_body_without_a_length_is_fetched_again(web: Web, raw: Path, cache: Path) -> None:
    """Issue 11.21: a connection that broke looked like the end, and the file was given up."""
    web.files["/data.bin"], web.says_length, web.break_after = RIGHT, False, [100_000, 200_000]
    run("toy", entry(f"{web.url}/data.bin"), raw, None, cache)
    assert (raw / "data.bin").read_bytes() == RIGHT
    web.break_after = [100_000, 150_000, 200_000]
    with pytest.raises(RetrieveError, match="wrong checksum"):
        run("toy", entry(f"{web.url}/data.bin", content=WRONG), raw, None, cache)
    assert len(web.ranges) == 6


def test_a_body_without_length_and_checksum_is_learned_only_when_it_comes_twice(
    web: Web, raw: Path, cache: Path, tmp_path: Path
) -> None:
    web.files["/data.bin"], web.says_length = RIGHT, False
    web.break_after = [100_000, 150_000, 200_000]
    given = entry(f"{web.url}/data.bin", content=None)
    with pytest.raises(RetrieveError, match="does not say how long the file is"):
        run("toy", given, raw, None, cache, lock=tmp_path / "lock.yaml")
    assert below(raw) == []
    assert not (tmp_path / "lock.yaml").exists()
    web.break_after = [100_000]
    run("toy", given, raw, None, cache, lock=tmp_path / "lock.yaml")
    assert manifest(raw)["sha256"] == sha(RIGHT)


def test_the_largest_file_is_configured(web: Web, raw: Path, cache: Path) -> None:
    web.files["/data.bin"] = RIGHT
    with pytest.raises(RetrieveError, match=r"at most 0\.0001 GiB are allowed"):
        run("toy", entry(f"{web.url}/data.bin"), raw, None, cache, max_file_gib=1e-4)


def test_files_of_the_user_by_path(raw: Path, cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    source = entry("file:a/data.bin", content=None)
    for content in (RIGHT, WRONG):  # their own recordings grow
        (folder / "a" / "data.bin").write_bytes(content)
        run("toy", source, raw, None, cache, lock=folder / "lock.yaml")
        assert (raw / "data.bin").read_bytes() == content
        assert manifest(raw)["sha256"] == sha(content)
    assert own_files(source["files"]) == ["a/data.bin"]
    assert own_files(entry("file:a/gone.bin", "mirror:a/data.bin")["files"]) == []
    with pytest.raises(RetrieveError, match="wrong checksum"):
        run("toy", entry("file:a/data.bin", content=RIGHT), raw, None, cache)
