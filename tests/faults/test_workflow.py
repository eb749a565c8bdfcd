"""A workflow that is killed is run again by the same command; the commands of the page `killed.md` on the way."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import PATIENCE_S

pytestmark = pytest.mark.slow

CONFIGURATION = """
simulate:
  checkpoint: {checkpoint}
  threads: 1
  runs:
    long:
      kind: network
      model: brunel
      parameters: {{scale: 0.1}}
      duration_ms: 20000
"""
SAID = "continuing from the checkpoint at"


def _command(root: Path, folder: Path, checkpoint: str) -> list[str]:
    (folder / "config.yaml").write_text(CONFIGURATION.format(checkpoint=checkpoint))
    # what `make run` runs, with the results elsewhere
    command = [
        sys.executable,
        "-m",
        "allometry",
        "run",
        "--cores",
        "2",
        "--nocolor",
        "--snakefile",
        str(root / "Snakefile"),
    ]
    return [*command, "--directory", str(folder), "simulate", "--configfile", str(folder / "config.yaml")]


def _content(folder: Path) -> str:
    (manifest,) = folder.glob("results/simulated/long/*.manifest.json")
    return json.loads(manifest.read_text())["content"]["content_sha256"]


@pytest.fixture(scope="module")
def wanted(root: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Content of the store of a workflow that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    subprocess.run(_command(root, folder, "off"), cwd=root, check=True, capture_output=True)
    return _content(folder)


def _killed(command: list[str], root: Path, folder: Path, kill: Callable[[subprocess.Popen[bytes]], None]) -> int:
    """Start a workflow, and kill it when it has a second checkpoint; the step of the last."""
    with subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        deadline = time.monotonic() + PATIENCE_S
        while len(_checkpoints(folder)) < 2:
            assert started.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        kill(started)
    assert started.returncode == -signal.SIGKILL
    return _checkpoints(folder)[-1]


def _checkpoints(folder: Path) -> list[int]:
    return sorted(int(p.stem[11:]) for p in folder.glob("results/checkpoints/long/*/run-*/checkpoint-*.json"))


def _tree(started: subprocess.Popen[bytes]) -> None:
    """Everything at once: nothing gets to clean up."""
    processes = [psutil.Process(started.pid), *psutil.Process(started.pid).children(recursive=True)]
    assert len(processes) > 1
    for process in processes:
        process.suspend()
    for process in processes:
        process.kill()


def _snakemake(started: subprocess.Popen[bytes]) -> None:
    started.kill()


@pytest.mark.parametrize("kill", [_tree, _snakemake])
def test_the_same_command_continues_and_gives_the_same_bytes(
    root: Path, tmp_path: Path, wanted: str, kill: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    command = _command(root, tmp_path, "0.05")
    last = _killed(command, root, tmp_path, kill)
    assert list((tmp_path / ".snakemake" / "locks").iterdir())
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the run before was killed: its lock on this folder is taken away" in done.stderr
    (log,) = tmp_path.glob("results/logs/simulate/long/*.log")
    continued = re.search(rf"{SAID} (\S+) ms", log.read_text())
    assert continued
    # the job of a Snakemake that was killed alone goes on until it notices
    step = round(float(continued[1]) * 10)
    assert step >= last if kill is _snakemake else step == last
    assert _content(tmp_path) == wanted
    assert not [path for path in tmp_path.glob("results/checkpoints/**/*") if path.is_file()]


def test_the_commands_of_the_page(root: Path, tmp_path: Path, wanted: str) -> None:
    """As after a kill in another container: Snakemake's lock stays until it is unlocked."""
    make, status, records, continued, measured, unlock = re.findall(
        r"^    (\S.*)$", (root / "docs/killed.md").read_text(), re.MULTILINE
    )
    assert make == "make run"
    command = _command(root, tmp_path, "0.05")
    last = _killed(command, root, tmp_path, _tree)

    def shell(line: str) -> str:
        return subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    said = json.loads(shell(status))
    assert said["phase"] in ("step loop", "checkpoint")
    assert 0 <= said["done_ms"] < said["of_ms"] == 20000
    assert f"checkpoint-{last:012d}.json" in shell(records)
    shutil.rmtree(tmp_path / ".snakemake" / "allometry")
    refused = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "cannot be locked" in refused.stdout + refused.stderr
    assert unlock == "snakemake --unlock"
    subprocess.run([*command, "--unlock"], cwd=root, check=True, capture_output=True)
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    assert _content(tmp_path) == wanted
    assert f"{SAID} {last / 10:g} ms" in shell(continued)
    assert f'"steps": {200_000 - last}' in shell(measured)
