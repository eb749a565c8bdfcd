"""Spikes by MPI: what is said where it is not there, and real ranks where mpi4py and mpirun are."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.network import FixedTotalNumber, IafPscExp, Network, Population, Projection
from allometry.simulate import Execution, run
from allometry.simulate.distribute.clusters import mpi
from allometry.simulate.kernels.loop.wire import alone

MODEL = ["microcircuit", "--scale", "0.01", "--seed", "3", "--threads", "1"]
LAUNCHERS = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "SLURM_JOB_ID", "SLURM_STEP_NUM_TASKS")

needs_mpi = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None or shutil.which("mpirun") is None,
    reason="mpi4py is not in the lock: pip install 'allometry[mpi]' mpich elsewhere, and put it on the paths",
)


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LAUNCHERS:
        monkeypatch.delenv(name, raising=False)


def test_who_started_how_many_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mpi.ranks_started() == 1
    assert mpi.join() is None
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    assert mpi.ranks_started() == 1  # tasks of srun that know nothing of MPI
    monkeypatch.setenv("PMIX_RANK", "0")
    assert mpi.ranks_started() == 4
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "3")
    assert mpi.ranks_started() == 3
    monkeypatch.setenv("PMI_SIZE", "2")
    assert mpi.ranks_started() == 2


def test_ranks_without_mpi4py_are_told_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("PMI_SIZE", "2")
    with pytest.raises(SimulationError, match="2 ranks were started, and mpi4py cannot be imported"):
        mpi.join()
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert mpi.join() is None  # they find each other as tasks of the job
    with pytest.raises(SimulationError, match="mpi4py cannot be imported"):
        mpi.join("mpi")


def test_mpi_asked_for_and_not_there_is_said_before_anything_runs(tmp_path: Path) -> None:
    net = Network((Population("few", 4, IafPscExp()),), (Projection("few", "few", FixedTotalNumber(4), 1.0, 1.0),))
    execution = Execution(partitions=2, threads=1, cluster={"kind": "local", "exchange": "mpi"})
    with pytest.raises(SimulationError, match="MPI is asked for and not there"):
        run(net, 10.0, 1, tmp_path / "a.zarr", execution=execution)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_exchange_is_refused() -> None:
    with pytest.raises(SimulationError, match="unknown exchange 'pigeon'"):
        Execution(cluster={"kind": "local", "exchange": "pigeon"})


def test_tags_are_even_and_below_what_every_mpi_allows() -> None:
    tags = np.array([mpi.tag_of(f"{k:x}") for k in range(2000)])
    assert (tags % 2 == 0).all()
    assert tags.min() >= 0
    assert tags.max() + 1 <= 32_767
    assert len(set(tags)) > 1000
    assert len(alone().mpi) == 6


@pytest.mark.slow
@pytest.mark.parametrize("how", ["socket", "memory"])
def test_each_way_gives_the_same_spikes(tmp_path: Path, how: str) -> None:
    _alone(tmp_path, 100)
    command = [sys.executable, "-m", "allometry", "simulate", *MODEL, "--duration-ms", "100", "--partitions", "2"]
    subprocess.run(
        [*command, "--exchange", how, "--out", str(tmp_path / "a.zarr")], check=True, cwd=tmp_path, timeout=600
    )
    assert _content(tmp_path / "a.zarr") == _content(tmp_path / "alone.zarr")


@needs_mpi
@pytest.mark.slow
def test_ranks_of_mpi_give_the_same_content(tmp_path: Path) -> None:
    _alone(tmp_path, 200)
    for ranks in (1, 2, 3, 5):
        how = [] if ranks == 1 else ["--exchange", "mpi"]
        done = subprocess.run(
            _ranks(ranks, 200, tmp_path / f"{ranks}.zarr", *how),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert _content(tmp_path / f"{ranks}.zarr") == _content(tmp_path / "alone.zarr")
    # nothing is left of how they found each other
    assert not list(tmp_path.glob(".allometry-scheduler*"))


@needs_mpi
@pytest.mark.slow
def test_a_rank_that_dies_ends_all_and_the_rerun_continues(tmp_path: Path) -> None:
    duration = 3000
    _alone(tmp_path, duration)
    command = _ranks(2, duration, tmp_path / "a.zarr", "--checkpoint", "0.2")
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 300
    # a record is written when its checkpoint is whole
    while not list(tmp_path.glob(".a-checkpoints/**/checkpoint-*.json")):
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (victim,) = [pid for pid, rank in _members(tmp_path).items() if rank == 1]
    os.kill(victim, signal.SIGKILL)
    running.communicate(timeout=120)
    assert running.returncode != 0
    assert not (tmp_path / "a.zarr").exists()
    while _members(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _members(tmp_path) == {}
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert again.returncode == 0, again.stderr
    assert re.search(r"continuing from the checkpoint at \d+ ms", again.stderr), again.stderr
    assert _content(tmp_path / "a.zarr") == _content(tmp_path / "alone.zarr")


def _alone(folder: Path, duration_ms: int) -> None:
    command = [sys.executable, "-m", "allometry", "simulate", *MODEL, "--duration-ms", str(duration_ms)]
    subprocess.run([*command, "--out", str(folder / "alone.zarr")], check=True, cwd=folder, timeout=600)


def _ranks(count: int, duration_ms: int, store: Path, *more: str) -> list[str]:
    program = [sys.executable, "-m", "allometry.simulate", *MODEL, "--duration-ms", str(duration_ms)]
    return ["mpirun", "-n", str(count), *program, "--out", str(store), *more]


def _content(store: Path) -> str:
    return str(json.loads(store.with_suffix(".manifest.json").read_text())["content"]["content_sha256"])


def _members(folder: Path) -> dict[int, int]:
    """Ranks by process, of those that run in a folder."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
            here = (entry / "cwd").resolve() == folder.resolve()
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except (OSError, IndexError):
            continue
        match = re.search(rb"(?:PMI_RANK|OMPI_COMM_WORLD_RANK)=(\d+)", environment)
        if match and here and state != "Z":
            found[int(entry.name)] = int(match[1])
    return found
