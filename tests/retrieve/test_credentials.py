"""Secrets of addresses come from the environment or netrc, and stand in no manifest, log, message or file."""

import base64
import logging
from pathlib import Path

import pytest

from allometry import config as configuration
from allometry.errors import ConfigError, RetrieveError
from allometry.retrieve import run
from allometry.retrieve.places import parse_place
from tests.retrieve.conftest import Web, sha

SECRET = "s3cret/&?"
BODY = b"the content of a file"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without a netrc."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("NETRC", raising=False)
    return folder


def _netrc(file: Path, text: str) -> Path:
    file.write_text(text)
    file.chmod(0o600)
    return file


def _retrieve(tmp_path: Path, place: str, **options: object) -> None:
    entry = {"files": [{"name": "a.csv", "sha256": sha(BODY), "places": [place]}]}
    run("mine", entry, tmp_path / "raw", None, tmp_path / "cache", attempts=1, **options)  # type: ignore[arg-type]


def _written(folder: Path) -> str:
    return "\n".join(file.read_text(errors="replace") for file in sorted(folder.rglob("*")) if file.is_file())


def test_a_token_comes_from_the_environment_and_is_written_nowhere(
    web: Web, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LAB_TOKEN", SECRET)
    web.files["/a.csv?token=s3cret%2F%26%3F"] = BODY
    with caplog.at_level(logging.DEBUG):
        _retrieve(tmp_path, f"{web.url}/a.csv?token=$LAB_TOKEN")
    assert (tmp_path / "raw/a.csv").read_bytes() == BODY
    assert web.asked == [("/a.csv?token=s3cret%2F%26%3F", None)]
    written = _written(tmp_path) + caplog.text
    assert "$LAB_TOKEN" in written
    assert "s3cret" not in written


def test_messages_of_refusals_hold_no_token(
    web: Web, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LAB_TOKEN", SECRET)
    web.redirects["/away?token=s3cret%2F%26%3F"] = "ftp://elsewhere/"
    for path, words in (("gone", "HTTP 404"), ("away", "no web address")):
        with caplog.at_level(logging.DEBUG), pytest.raises(RetrieveError, match=words) as error:
            _retrieve(tmp_path, f"{web.url}/{path}?token=$LAB_TOKEN")
        assert "s3cret" not in str(error.value) + caplog.text + _written(tmp_path)


def test_a_variable_that_is_not_set_is_named(web: Web, home: Path, tmp_path: Path) -> None:
    with pytest.raises(RetrieveError, match="the environment variable NO_SUCH_TOKEN is not set"):
        _retrieve(tmp_path, f"{web.url}/a.csv?token=$NO_SUCH_TOKEN")
    assert web.asked == []


@pytest.mark.parametrize("named", [True, False])
def test_a_password_comes_from_netrc(
    web: Web, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    file = tmp_path / "secrets" if named else home / ".netrc"
    _netrc(file, f"machine 127.0.0.1 login me password {SECRET}\nmachine other login you password no\n")
    if named:
        monkeypatch.setenv("NETRC", str(file))
    web.files["/a.csv"] = BODY
    _retrieve(tmp_path, f"{web.url}/a.csv")
    assert web.asked == [("/a.csv", "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode())]
    assert "s3cret" not in _written(tmp_path / "raw") + _written(tmp_path / "cache")


def test_a_password_stays_with_its_host(web: Web, home: Path, tmp_path: Path) -> None:
    _netrc(home / ".netrc", "machine localhost login me password word\ndefault login all password everybody\n")
    port = web.url.rpartition(":")[2]
    web.files["/b.csv"], web.redirects["/a.csv"] = BODY, f"http://127.0.0.1:{port}/b.csv"
    _retrieve(tmp_path, f"http://localhost:{port}/a.csv")
    assert [path for path, _ in web.asked] == ["/a.csv", "/b.csv"]
    assert web.asked[0][1] is not None
    assert web.asked[1][1] is None


def test_a_password_does_not_travel_without_encryption(home: Path) -> None:
    from allometry.retrieve.credentials import authorization

    _netrc(home / ".netrc", "machine example.org login me password word\n")
    assert authorization("http://example.org/a") is None
    assert authorization("https://example.org/a") is not None
    assert authorization("https://example.com/a") is None


def test_a_netrc_that_cannot_be_read_is_named_without_its_content(web: Web, home: Path, tmp_path: Path) -> None:
    _netrc(home / ".netrc", "machine 127.0.0.1 login me passwort s3cret\n")
    with pytest.raises(RetrieveError, match="the file of passwords cannot be read") as error:
        _retrieve(tmp_path, f"{web.url}/a.csv")
    assert "s3cret" not in str(error.value)


def test_a_password_in_an_address_is_refused_before_it_is_written_anywhere() -> None:
    with pytest.raises(RetrieveError, match="an address holds a user or password") as error:
        parse_place("https://me:s3cret@host/a.csv")
    assert "s3cret" not in str(error.value)
    assert parse_place("https://host/a@b.csv").value == "https://host/a@b.csv"
    entry = {
        "reader": "generic_edges", "species": "Mus musculus", "citation": "none", "licence": "CC0-1.0",
        "files": [{"name": "a.csv", "sha256": sha(BODY), "places": ["https://me:s3cret@host/a.csv"]}],
        "stores": {"a": {"kind": "connectome"}},
    }  # fmt: skip
    with pytest.raises(ConfigError, match="an address holds a user or password") as refused:
        configuration.validate({"datasets": {"mine": entry}})
    assert "s3cret" not in str(refused.value)
