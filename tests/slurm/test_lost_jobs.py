"""Worker jobs that SLURM cancels or kills, and nodes that go down or are drained: the run goes on elsewhere, with the same bytes."""

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from allometry import models, simulate, stores
from tests.slurm.hosts import Host

pytestmark = pytest.mark.slurm

SCALE, DURATION_MS, SEED = 0.02, 6000.0, 3


def _content(store: Path) -> str:
    return str(stores.read_manifest(store)["content"]["content_sha256"])


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Content of the store of a run on this machine alone."""
    path = tmp_path_factory.mktemp("local") / "spikes.zarr"
    simulate.run(models.microcircuit(SCALE), DURATION_MS, SEED, path, execution=simulate.Execution(threads=1))
    return _content(path)


def _run(folder: Path, memory: str = "4GB") -> None:
    # a job whose folder has the file `go` takes more memory than any job here may
    hog = "b = bytearray(1500 * 2**20); import time; time.sleep(120)"
    wait = f"(while [ ! -e {folder}/go ]; do sleep 0.2; done; rm {folder}/go; python3 -c '{hog}') &"
    cluster = {
        "kind": "slurm",
        "queue": "main",
        "memory": memory,
        "walltime": "00:10:00",
        "local_directory": str(folder),
        "log_directory": str(folder),
        "job_script_prologue": ["echo on the node $SLURMD_NODENAME", wait],
    }
    simulate.run(
        models.microcircuit(SCALE),
        DURATION_MS,
        SEED,
        folder / "a.zarr",
        execution=simulate.Execution(partitions=2, threads=1, cluster=cluster, checkpoint=1e-9, progress=False),
    )


def _once_there_is_a_checkpoint(folder: Path, act: Callable[[], object]) -> threading.Thread:
    def wait() -> None:
        deadline = time.monotonic() + 300
        while not list(folder.glob(".a-checkpoints/run-*/checkpoint-*.json")) and time.monotonic() < deadline:
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def _cancel() -> None:
    jobs = subprocess.run(["squeue", "-h", "-o", "%i"], check=True, capture_output=True, text=True).stdout.split()
    subprocess.run(["scancel", "--signal=KILL", "--full", jobs[0]], check=True)


def _set(node: Host, state: str) -> None:
    subprocess.run(["scontrol", "update", f"NodeName={node.name}", f"State={state}", "Reason=test"], check=True)


@pytest.mark.usefixtures("three_nodes")
def test_a_cancelled_job_is_replaced(tmp_path: Path, local: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="allometry"):
        thread = _once_there_is_a_checkpoint(tmp_path, _cancel)
        _run(tmp_path)
    thread.join()
    assert _content(tmp_path / "a.zarr") == local
    assert "is gone: SLURM job" in caplog.text
    assert "starting again from the last checkpoint" in caplog.text
    assert "continuing from the checkpoint at" in caplog.text


@pytest.mark.usefixtures("three_nodes")
def test_a_job_over_its_memory_is_named_and_replaced(
    tmp_path: Path, local: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="allometry"):
        thread = _once_there_is_a_checkpoint(tmp_path, (tmp_path / "go").touch)
        _run(tmp_path, memory="1GB")
    thread.join()
    assert _content(tmp_path / "a.zarr") == local
    assert "memory limit" in caplog.text
    assert "continuing from the checkpoint at" in caplog.text


def test_a_node_that_goes_down_is_left(tmp_path: Path, local: str, three_nodes: list[Host]) -> None:
    thread = _once_there_is_a_checkpoint(tmp_path, lambda: _set(three_nodes[0], "DOWN"))
    try:
        _run(tmp_path)
    finally:
        thread.join()
        _set(three_nodes[0], "RESUME")
    assert _content(tmp_path / "a.zarr") == local


def test_a_drained_node_gets_no_job(tmp_path: Path, local: str, three_nodes: list[Host]) -> None:
    _set(three_nodes[0], "DRAIN")
    try:
        _run(tmp_path)
    finally:
        _set(three_nodes[0], "RESUME")
    assert _content(tmp_path / "a.zarr") == local
    said = {line for path in tmp_path.glob("*.out") for line in path.read_text().splitlines() if "on the node" in line}
    assert said == {f"on the node {node.name}" for node in three_nodes[1:]}
