"""Downloads: interrupted ones are continued or restarted, and always end with the server's bytes."""

import random
from pathlib import Path

import pytest

from allometry.errors import RetrieveError
from allometry.retrieve import download as module
from allometry.retrieve.download import download, progress
from tests.retrieve.conftest import Web

BODY = random.Random(1).randbytes(400_000)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "file.part"


def get(web: Web, part: Path, attempts: int = 3) -> module.Downloaded:
    return download(f"{web.url}/file", part, timeout_s=60, attempts=attempts, wait_s=0.01)


def test_a_broken_connection_is_continued_where_it_broke(web: Web, part: Path) -> None:
    web.files["/file"] = BODY
    web.break_after = [100_000, 150_000]
    assert get(web, part) == module.Downloaded(len(BODY), resumed=True)
    assert part.read_bytes() == BODY
    assert web.ranges == [None, "bytes=100000-", "bytes=250000-"]


def test_a_server_without_ranges_is_asked_anew(web: Web, part: Path) -> None:
    web.files["/file"], web.honours_range, web.break_after = BODY, False, [100_000]
    get(web, part)
    assert part.read_bytes() == BODY
    assert web.ranges == [None, "bytes=100000-"]


def test_without_validator_nothing_is_continued(web: Web, part: Path) -> None:
    web.files["/file"], web.etag, web.break_after = BODY, None, [100_000]
    get(web, part)
    assert part.read_bytes() == BODY
    assert web.ranges == [None, None]


def test_a_weak_validator_is_none(web: Web, part: Path) -> None:
    web.files["/file"], web.etag, web.break_after = BODY, 'W/"one"', [100_000]
    get(web, part)
    assert part.read_bytes() == BODY
    assert web.ranges == [None, None]


def test_a_file_that_changed_meanwhile_is_fetched_whole(web: Web, part: Path) -> None:
    web.files["/file"], web.break_after = BODY, [100_000]
    with pytest.raises(RetrieveError):
        get(web, part, attempts=1)
    web.files["/file"], web.etag = BODY[::-1], '"two"'
    get(web, part)
    assert part.read_bytes() == BODY[::-1]


def test_a_part_that_is_complete_already_is_kept(web: Web, part: Path) -> None:
    web.files["/file"] = BODY
    get(web, part)
    assert get(web, part) == module.Downloaded(len(BODY), resumed=True)
    assert part.read_bytes() == BODY


def test_a_part_longer_than_the_file_is_dropped(web: Web, part: Path) -> None:
    web.files["/file"] = BODY
    get(web, part)
    part.write_bytes(BODY + b"more")
    get(web, part)
    assert part.read_bytes() == BODY


def test_busy_servers_are_asked_again_and_refusals_are_not(web: Web, part: Path) -> None:
    web.files["/file"], web.statuses = BODY, [503, 429]
    get(web, part)
    assert part.read_bytes() == BODY
    web.statuses = [403]
    web.ranges.clear()
    with pytest.raises(RetrieveError, match="HTTP 403"):
        get(web, part.with_name("other.part"))
    assert len(web.ranges) == 1


def test_attempts_without_progress_end(web: Web, part: Path) -> None:
    web.files["/file"], web.break_after = BODY, [0] * 10
    with pytest.raises(RetrieveError, match=r"broke off after 0 of 400000 bytes.*3 attempts"):
        get(web, part)
    assert len(web.ranges) == 3


def test_progress_starts_the_count_anew(web: Web, part: Path) -> None:
    web.files["/file"], web.break_after = BODY, [50_000] * 7
    get(web, part, attempts=2)
    assert part.read_bytes() == BODY


def test_a_silent_server_times_out(web: Web, part: Path) -> None:
    web.files["/file"], web.pause_s = BODY, 3
    with pytest.raises(RetrieveError, match=r"timed out.*1 attempts"):
        download(f"{web.url}/file", part, timeout_s=0.3, attempts=1)


def test_no_such_host(part: Path) -> None:
    with pytest.raises(RetrieveError, match=r"https://allometry\.invalid/x"):
        download("https://allometry.invalid/x", part, timeout_s=5, attempts=1)


def test_long_downloads_report_rate_and_time_left(
    web: Web, part: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PROGRESS_S", 0.0)
    web.files["/file"] = BODY
    with caplog.at_level("INFO"):
        get(web, part)
    assert "file: 0.4 of 0.4 MB (100 %)" in caplog.text
    assert (
        progress("https://h/a.nwb", 10_000_000, 40_000_000, 1e6) == "a.nwb: 10.0 of 40.0 MB (25 %), 1.0 MB/s, 30 s left"
    )
    assert progress("https://h/a.nwb", 10_000_000, None, 1e6) == "a.nwb: 10.0 MB, 1.0 MB/s"
