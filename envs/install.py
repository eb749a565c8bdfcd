"""Install the lock file and the package into the environment of this Python, and show how far it is.

Standard library only: nothing else is there yet. `make` calls it in the folder of the checkout.
"""

import queue
import re
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

LOCK = Path("envs/requirements.lock")
LOG = Path(sys.prefix) / "install.log"
PIP = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
PACKAGE = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==", re.MULTILINE)
EVERY_S = 15.0  # between two lines where nothing can move on the screen


def names(lock: str) -> list[str]:
    """Names of the packages that a lock file pins."""
    return PACKAGE.findall(lock)


def phase(line: str, collected: int) -> tuple[int, str | None]:
    """How many packages pip has found after a line of what it says, and the name of the last one."""
    found = re.match(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)", line)
    return (collected + 1, found[1]) if found else (collected, None)


def state(collected: int, installed: int, total: int, name: str, seconds: float) -> str:
    """One line: what is done, and since when."""
    done = f"installed {installed}" if installed else f"fetched {min(collected, total)}"
    return f"{done} of {total} packages ({name}), {seconds:.0f} s"


def _installed() -> int:
    return sum(1 for _ in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))


def _run(command: list[str], total: int) -> None:
    """Run pip, and say how far it is; on an error the end of what it said, and its status."""
    started, moves = time.monotonic(), sys.stderr.isatty()
    before, said, name, collected, last = _installed(), [], "", 0, 0.0
    lines: queue.Queue[str | None] = queue.Queue()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        stream = process.stdout

        def read() -> None:
            for line in stream:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        line: str | None = ""
        while line is not None:
            try:
                line = lines.get(timeout=1.0)
            except queue.Empty:
                line = ""
            if line:
                said.append(line)
                collected, found = phase(line, collected)
                name = found or ("unpacking" if line.startswith("Installing collected") else name)
            now = time.monotonic()
            if now - last >= (0.2 if moves else EVERY_S) and total > 1:
                last = now
                text = state(collected, max(0, _installed() - before), total, name, now - started)
                sys.stderr.write(f"\r\033[K  {text}" if moves else f"  {text}\n")
                sys.stderr.flush()
    if moves and total > 1:
        sys.stderr.write("\r\033[K")
    with LOG.open("a", encoding="utf-8") as log:
        log.writelines([" ".join(command), "\n", *said])
    if process.returncode:
        sys.stderr.writelines(said[-15:])
        sys.exit(
            f"pip failed with status {process.returncode}; all that it said is in {LOG}. The same command tries again."
        )


def main() -> None:
    """Install."""
    total, started = len(names(LOCK.read_text(encoding="utf-8"))), time.monotonic()
    LOG.unlink(missing_ok=True)
    print(
        f"Setting up {sys.prefix}: {total} packages of {LOCK}, two to five minutes at the first time", file=sys.stderr
    )
    _run([*PIP, "--require-hashes", "-r", str(LOCK)], total)
    _run([*PIP, "--no-deps", "--no-build-isolation", "-e", "."], 1)
    print(f"Set up in {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
