"""A web server with the habits of real ones, and small wheels."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Web:
    """Files by path, how the server treats requests, and the `Range` header of every request it got."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etag: str | None = '"one"'
    honours_range: bool = True
    break_after: list[int] = field(default_factory=list)  # bytes of body after which the next connections break
    statuses: list[int] = field(default_factory=list)  # statuses of the next requests
    pause_s: float = 0.0  # between blocks of 64 kB
    whole_as_range: bool = False  # answers a range with 206 and the whole file
    says_length: bool = True
    ranges: list[str | None] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path and `Authorization` of every request
    redirects: dict[str, str] = field(default_factory=dict)


class _Handler(BaseHTTPRequestHandler):
    web: Web

    def do_GET(self) -> None:
        web, wanted = self.web, self.headers.get("Range")
        web.ranges.append(wanted)
        web.asked.append((self.path, self.headers.get("Authorization")))
        if self.path in web.redirects:
            self.send_response(302)
            self.send_header("Location", web.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if web.statuses and (status := web.statuses.pop(0)) != 200:
            self.send_error(status)
            return
        body = web.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        start = 0
        unchanged = self.headers.get("If-Range") == web.etag
        if wanted and web.whole_as_range:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes 0-{len(body) - 1}/{len(body)}")
        elif wanted and web.honours_range and unchanged:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        if web.says_length:
            self.send_header("Content-Length", str(len(body) - start))
        if web.etag:
            self.send_header("ETag", web.etag)
        self.end_headers()
        end = start + web.break_after.pop(0) if web.break_after else len(body)
        for at in range(start, min(end, len(body)), 1 << 16):
            self.wfile.write(body[at : min(at + (1 << 16), end)])
            self.wfile.flush()
            if web.pause_s:
                threading.Event().wait(web.pause_s)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[Web]:
    state = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"web": state}))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # clients that hang up are part of the tests
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder that pip takes wheels from instead of an index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def build_wheel(
    folder: Path, members: dict[str | zipfile.ZipInfo, bytes], name: str = "toy", version: str = "1.0"
) -> Path:
    """Write a wheel that pip accepts, with the given members besides its metadata."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path
