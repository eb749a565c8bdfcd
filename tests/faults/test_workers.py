"""One process of a run in several is killed or stopped: a worker, the collector, the scheduler."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from distributed import Client

from tests.faults.conftest import PATIENCE_S, Killed

pytestmark = pytest.mark.slow

TWO = {"partitions": 2, "cluster": "local"}


def _worker(run: Killed) -> int:
    """Process of the worker of partition 0, which writes the status file once it builds."""
    assert run.until(lambda: run.status().get("phase") in ("build", "step loop", "checkpoint"))
    process = int(run.status()["process"])
    assert process != run.process
    return process


@pytest.mark.parametrize("phase", ["build", "step loop", "checkpoint"])
def test_a_killed_worker_is_replaced_and_the_run_goes_on(run: Killed, undisturbed: str, phase: str) -> None:
    run.start(**TWO)
    met = ""
    while met != phase:
        worker = _worker(run)
        assert run.until(lambda: run.phase() == phase), run.log
        os.kill(worker, signal.SIGSTOP)
        # stands still, so that what it said last is what it is at
        met = run.phase()
        os.kill(worker, signal.SIGKILL if met == phase else signal.SIGCONT)
    assert run.finished() == undisturbed
    assert "; starting again from the last checkpoint" in run.log
    print(f"killed in {met}")


def test_a_stopped_worker_is_replaced_after_a_while(run: Killed, undisturbed: str) -> None:
    # longer than a worker of a busy machine may be silent by itself
    run.options = {"silent_s": 20.0}
    run.start(**TWO)
    worker = _worker(run)
    assert run.until(lambda: bool(run.checkpoints()))
    os.kill(worker, signal.SIGSTOP)
    assert run.finished() == undisturbed
    assert "gave no sign of life for 20 s; starting again from the last checkpoint" in run.log
    assert "continuing from the checkpoint at" in run.log
    assert not psutil.pid_exists(worker)


def test_a_worker_that_is_stopped_for_a_moment_goes_on(run: Killed, undisturbed: str) -> None:
    run.start(**TWO)
    worker = _worker(run)
    assert run.until(lambda: bool(run.checkpoints()))
    os.kill(worker, signal.SIGSTOP)
    time.sleep(2.0)
    os.kill(worker, signal.SIGCONT)
    assert run.finished() == undisturbed
    assert "starting again" not in run.log
    assert "continuing" not in run.log


def test_workers_end_with_the_process_that_collects(run: Killed, undisturbed: str) -> None:
    """It is killed alone; what it started ends by itself, and the rerun continues."""
    run.start(**TWO)
    _worker(run)
    assert run.until(lambda: bool(run.checkpoints()))
    started = psutil.Process(run.process).children(recursive=True)
    assert len(started) >= 2
    os.kill(run.process, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    _, alive = psutil.wait_procs(started, timeout=PATIENCE_S)
    assert not alive
    assert run.start(**TWO).finished() == undisturbed
    assert "continuing from the checkpoint at" in run.log


@contextmanager
def _dask(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A scheduler of the user's own, with two workers; yields the scheduler."""
    address = f"127.0.0.1:{port}"
    settings = {**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    with ExitStack() as stack, (folder.parent / f"dask-{port}").open("wb") as log:

        def start(*words: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen([sys.executable, "-m", "dask", *words], stdout=log, stderr=log, env=settings)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        scheduler = start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        for _ in range(2):
            start("worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard")
        with Client(f"tcp://{address}", timeout=PATIENCE_S) as client:
            client.wait_for_workers(2, timeout=PATIENCE_S)
        yield scheduler


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def test_a_run_whose_scheduler_was_killed_ends_with_one_message_and_continues(run: Killed, undisturbed: str) -> None:
    port = _free_port()
    where = {"partitions": 2, "cluster": f"tcp://127.0.0.1:{port}"}
    with _dask(run.folder, port) as scheduler:
        run.start(**where)
        _worker(run)
        assert run.until(lambda: bool(run.checkpoints()))
        scheduler.kill()
        assert run.wait() == 1, run.log
        assert "the Dask scheduler does not answer" in run.log
        assert f"where:    tcp://127.0.0.1:{port}" in run.log
        assert "Traceback" not in run.log
    port = _free_port()
    with _dask(run.folder, port):
        assert run.start(partitions=2, cluster=f"tcp://127.0.0.1:{port}").finished() == undisturbed
    assert "continuing from the checkpoint at" in run.log
