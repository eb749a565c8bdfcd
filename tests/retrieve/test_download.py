"""Downloads: interrupted ones are continued or restarted, and always end with the server's bytes."""

import errno
import os
import random
import urllib.request
from email.message import Message
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


def test_a_server_that_answers_a_range_with_the_whole_file_is_left_after_some_attempts(web: Web, part: Path) -> None:
    """Issue 11.21: the loop was endless."""
    web.files["/file"], web.whole_as_range = BODY, True
    web.break_after = [100_000, len(BODY)] * 20
    with pytest.raises(RetrieveError, match="3 attempts"):
        get(web, part)
    assert len(web.ranges) <= 6
    web.break_after = [100_000]  # one break is no reason to give up
    web.ranges.clear()
    get(web, part)
    assert part.read_bytes() == BODY


def test_a_server_that_begins_anew_and_breaks_off_a_little_later_each_time_is_left(web: Web, part: Path) -> None:
    web.files["/file"], web.honours_range = BODY, False
    web.break_after = [100_000 + 1000 * i for i in range(40)]
    with pytest.raises(RetrieveError, match=r"broke off.*3 attempts"):
        get(web, part)
    assert len(web.ranges) == 4


def test_a_part_of_another_address_is_not_continued(web: Web, part: Path) -> None:
    web.files["/file"], web.files["/other"] = BODY, BODY[::-1]
    web.break_after = [100_000]
    with pytest.raises(RetrieveError):
        get(web, part, attempts=1)
    download(f"{web.url}/other", part, timeout_s=60, attempts=1)
    assert part.read_bytes() == BODY[::-1]


def test_redirects_lead_to_web_addresses_and_never_out_of_encryption() -> None:
    def redirect(start: str, target: str) -> urllib.request.Request | None:
        request = urllib.request.Request(start)
        return module._Refusals().redirect_request(request, None, 302, "Found", Message(), target)

    for start, target in (("https://a/x", "https://b/y"), ("http://a/x", "https://b/y"), ("http://a/x", "http://b/y")):
        assert redirect(start, target).full_url == target  # type: ignore[union-attr]
    with pytest.raises(RetrieveError, match=r"without encryption\n.*https://a/x -> http://b/y"):
        redirect("https://a/x", "http://b/y")
    for target in ("file:///etc/passwd", "ftp://b/y"):
        with pytest.raises(RetrieveError, match="no web address"):
            redirect("https://a/x", target)


@pytest.mark.parametrize("says_length", [True, False])
def test_a_file_above_the_limit_is_refused_before_it_is_on_the_disk(web: Web, part: Path, says_length: bool) -> None:
    web.files["/file"], web.says_length = BODY, says_length
    with pytest.raises(RetrieveError, match="max_file_gib"):
        download(f"{web.url}/file", part, timeout_s=60, attempts=3, most_bytes=len(BODY) - 1)
    assert list(part.parent.iterdir()) == []
    assert len(web.ranges) == 1
    download(f"{web.url}/file", part, timeout_s=60, attempts=3, most_bytes=len(BODY))
    assert part.read_bytes() == BODY


def test_a_file_larger_than_what_is_free_is_refused_before_it_is_fetched(
    web: Web, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = module.shutil.disk_usage(part.parents[1])
    web.files["/file"], web.break_after = BODY, [100_000]
    with pytest.raises(RetrieveError):
        get(web, part, attempts=1)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage._replace(free=len(BODY) - 100_001))
    with pytest.raises(module.DiskError, match=r"file needs 0\.00 GB, and 0\.00 GB are free"):
        get(web, part)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage._replace(free=len(BODY) - 100_000))
    get(web, part)
    assert part.read_bytes() == BODY


def test_a_disk_that_fills_up_keeps_nothing_of_the_download(
    web: Web, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        part.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    web.files["/file"] = BODY
    monkeypatch.setattr(module, "_receive", full)
    with pytest.raises(module.DiskError, match=r"No space left on device\n.*file\.part\n.*free some space"):
        get(web, part)
    assert list(part.parent.iterdir()) == []


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
