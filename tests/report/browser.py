"""Pages in a headless Chromium, driven over the DevTools protocol: console, requests, scripts, keys, screenshots, print."""

import asyncio
import base64
import json
import re
import shutil
import subprocess
import time
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

PATIENCE_S = 300.0  # of a machine that is shared


class Page:
    """A tab.

    Attributes
    ----------
    messages : list of str
        What it wrote to its console, and errors of its scripts.
    requests : list of str
        Addresses of everything that it has fetched.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: WebSocketClientConnection) -> None:
        self.loop, self.connection = loop, connection
        self.count = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol; events that come before its answer are kept."""
        self.count += 1
        number = self.count
        text = json.dumps({"id": number, "method": method, "params": parameters})
        self.loop.run_until_complete(self._write(text))
        while True:
            found = self._read()
            if found.get("id") == number:
                assert "error" not in found, (method, found["error"])
                return dict(found["result"])

    async def _write(self, text: str) -> None:
        await self.connection.write_message(text)

    async def _message(self) -> str | bytes | None:
        return await asyncio.wait_for(self.connection.read_message(), PATIENCE_S)

    def _read(self) -> dict[str, Any]:
        message = self.loop.run_until_complete(self._message())
        assert message is not None, "the browser has ended"
        found: dict[str, Any] = json.loads(message)
        if "method" in found:
            self.events.append(found)
        return found

    def open(self, path: Path, width: int = 1280, height: int = 900) -> None:
        """Load a file in a window of a size and wait until it is there."""
        self.resize(width, height)
        self.events.clear()
        self.send("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._read()

    def resize(self, width: int, height: int = 900, *, media: str = "") -> None:
        """Change the size of the window, and what it is shown on: `print`, or a screen."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setEmulatedMedia", media=media)

    def evaluate(self, expression: str) -> Any:
        """Value of an expression of JavaScript."""
        done = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def key(self, name: str, code: int, text: str = "") -> None:
        """Press a key."""
        more = {"text": text} if text else {}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code, **more)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Write what is seen, or the whole page, to a PNG file."""
        done = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole, optimizeForSpeed=True)
        path.write_bytes(base64.b64decode(done["data"]))

    def print(self, path: Path) -> None:
        """Print to a PDF file, with the sizes of pages that the style sheet wants."""
        done = self.send("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
        path.write_bytes(base64.b64decode(done["data"]))

    @property
    def messages(self) -> list[str]:
        """Console messages and errors since the page was opened."""
        found = []
        for event in self.events:
            if event["method"] == "Runtime.consoleAPICalled":
                found.append(" ".join(str(part.get("value", "")) for part in event["params"]["args"]))
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(str(event["params"]["exceptionDetails"]))
            elif event["method"] == "Log.entryAdded":
                found.append(str(event["params"]["entry"]["text"]))
        return found

    @property
    def requests(self) -> list[str]:
        """Addresses that the page has fetched since it was opened, itself first."""
        sent = (event for event in self.events if event["method"] == "Network.requestWillBeSent")
        return [str(event["params"]["request"]["url"]) for event in sent]


@contextmanager
def browsing(folder: Path) -> Iterator[Page]:
    """A tab of a browser of its own, which keeps its files in `folder`; the test is skipped where there is no Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine; .ci/run installs it")
    profile = folder / "profile"
    process = subprocess.Popen(
        [
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            "--remote-debugging-port=0",
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    loop = asyncio.new_event_loop()
    try:
        address = _address(profile / "DevToolsActivePort", process)
        connection = loop.run_until_complete(_connected(address))
        yield Page(loop, connection)
        connection.close()
    finally:
        process.terminate()
        process.wait(60)
        loop.close()


async def _connected(address: str) -> WebSocketClientConnection:
    return await websocket_connect(address, max_message_size=1 << 30)


def _address(port_file: Path, process: subprocess.Popen[bytes]) -> str:
    """Address of the tab, as soon as the browser listens."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        assert process.poll() is None, "the browser has ended at once"
        lines = port_file.read_text().split() if port_file.is_file() else []
        if len(lines) == 2:
            with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json/list", timeout=60) as answer:
                tabs = [tab for tab in json.load(answer) if tab["type"] == "page"]
            if tabs:
                return str(tabs[0]["webSocketDebuggerUrl"])
        time.sleep(0.05)
    raise AssertionError("the browser does not listen")


def console(page: Path, folder: Path) -> list[str]:
    """Console messages of `page`, which must load and be drawn; profile and screenshot go to `folder`."""
    with browsing(folder) as tab:
        tab.open(page, 1280, 2400)
        tab.screenshot(folder / "page.png")
        return tab.messages


def printed_pages(path: Path) -> list[tuple[float, float, int]]:
    """Width and height in points, and the number of glyphs and images shown, of every page of a PDF file of Chromium."""
    data = path.read_bytes()
    objects = {
        int(number): body for number, body in re.findall(rb"(?:^|\n)(\d+) 0 obj\s*(.*?)\s*endobj", data, re.DOTALL)
    }
    found = []
    for body in objects.values():
        if not re.search(rb"/Type\s*/Page\b", body):
            continue
        box = re.search(rb"/MediaBox\s*\[\s*([\d.\s-]+)\]", body)
        content = re.search(rb"/Contents\s+(\d+) 0 R", body)
        assert box is not None
        assert content is not None
        x0, y0, x1, y1 = map(float, box[1].split())
        stream = objects[int(content[1])].partition(b"stream\n")[2].rpartition(b"endstream")[0]
        drawn = zlib.decompressobj().decompress(stream.lstrip(b"\r"))
        found.append((x1 - x0, y1 - y0, len(re.findall(rb"\bT[jJ]\b|\bDo\b", drawn))))
    return found
