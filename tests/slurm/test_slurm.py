"""Simulations and the workflow on a real SLURM (`pytest -m slurm -n 0`)."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr

from allometry import models, simulate, stores
from allometry.errors import SimulationError
from allometry.simulate.distribute.clusters import kinds, placement
from tests.simulate.distribute.clusters.stranger import listening, stranger
from tests.slurm.workflow import snakemake

pytestmark = pytest.mark.slurm

SCALE, DURATION_MS, SEED = 0.02, 300.0, 3
MODEL = ["microcircuit", "--scale", str(SCALE), "--duration-ms", str(DURATION_MS), "--seed", str(SEED)]
JOBS = {"kind": "slurm", "queue": "main", "memory": "800MB", "walltime": "00:30:00", "interface": "lo"}


def _spikes(path: Path) -> tuple[list[int], list[int]]:
    spikes = stores.open(path)
    assert isinstance(spikes, xr.Dataset)
    return spikes["spike_step"].values.tolist(), spikes["spike_unit"].values.tolist()


def _jobs() -> list[str]:
    listed = subprocess.run(["squeue", "-h", "-o", "%i %T"], check=True, capture_output=True, text=True)
    return [line for line in listed.stdout.splitlines() if "COMPLETING" not in line]


def _until(condition: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.3)
    return False


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[int], list[int]]:
    path = tmp_path_factory.mktemp("local") / "spikes.zarr"
    simulate.run(models.microcircuit(SCALE), DURATION_MS, SEED, path, execution=simulate.Execution(threads=1))
    return _spikes(path)


@pytest.mark.usefixtures("slurm")
def test_partitions_in_jobs_of_their_own(tmp_path: Path, local: tuple[list[int], list[int]]) -> None:
    cluster = {**JOBS, "local_directory": str(tmp_path), "log_directory": str(tmp_path)}
    simulate.run(
        models.microcircuit(SCALE),
        DURATION_MS,
        SEED,
        tmp_path / "a.zarr",
        execution=simulate.Execution(partitions=2, threads=1, cluster=cluster),
    )
    assert _spikes(tmp_path / "a.zarr") == local
    assert len(list(tmp_path.glob("dask-worker*.out"))) + len(list(tmp_path.glob("slurm-*.out"))) == 2
    assert _until(lambda: not _jobs(), 300), _jobs()


@pytest.mark.usefixtures("slurm")
def test_what_listens_refuses_strangers_and_is_on_one_interface(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No interface is named; the folder of the certificates is one that everybody can look into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.chdir(folder)
        jobs = {key: value for key, value in JOBS.items() if key != "interface"}
        before = set(listening({os.getpid()}))
        with kinds.connect({**jobs, "local_directory": str(tmp_path), "log_directory": str(tmp_path)}, 2, 1) as client:
            opened = {*listening({os.getpid(), *client.run(os.getpid).values()})} - before
            asked = [
                address.removeprefix("tls://") for address in (client.scheduler.address, *placement.workers(client))
            ]
            # the wildcard of either family
            assert not {host for host, _ in opened} & {"0.0.0.0", "0" * 32}
            pages = [f"{host}:{port}" for host, port in opened if f"{host}:{port}" not in asked]
            certificates = [str(path) for path in Path(folder).rglob("*") if path.is_file()]
            assert certificates
            assert stranger(asked, pages, certificates) == []
            assert client.submit(sum, [1, 2]).result() == 3
    assert _until(lambda: not _jobs(), 300), _jobs()


@pytest.mark.usefixtures("slurm")
def test_a_partition_that_does_not_exist_is_said_at_once(tmp_path: Path) -> None:
    started = time.monotonic()
    cluster = {**JOBS, "queue": "nope", "local_directory": str(tmp_path), "log_directory": str(tmp_path)}
    with pytest.raises(SimulationError, match="invalid partition specified: nope"):
        simulate.run(
            models.microcircuit(SCALE),
            DURATION_MS,
            SEED,
            tmp_path / "a.zarr",
            execution=simulate.Execution(partitions=2, threads=1, cluster=cluster),
        )
    assert time.monotonic() - started < 300
    assert _jobs() == []


@pytest.mark.usefixtures("slurm")
def test_why_a_job_waits_is_said(tmp_path: Path) -> None:
    """More memory than all jobs together may have: the first gets it, the second waits."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cluster = {**JOBS, "memory": f"{total * 6 // 10}B", "local_directory": str(tmp_path), "timeout_s": 20}
    with pytest.raises(
        SimulationError, match=r"1 of 2 workers arrived within 20 s: 1 job pending \((Resources|Priority)\)"
    ):
        simulate.run(
            models.microcircuit(SCALE),
            DURATION_MS,
            SEED,
            tmp_path / "a.zarr",
            execution=simulate.Execution(partitions=2, threads=1, cluster=cluster),
        )
    assert _until(lambda: not _jobs(), 300), _jobs()


@pytest.mark.usefixtures("slurm")
def test_tasks_of_one_job(tmp_path: Path, local: tuple[list[int], list[int]]) -> None:
    command = ["srun", "--ntasks=2", sys.executable, "-m", "allometry.simulate", *MODEL, "--threads", "1"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "a.zarr")], cwd=tmp_path, capture_output=True, text=True, timeout=1800
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert _spikes(tmp_path / "a.zarr") == local
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.manifest.json", "a.zarr"]


@pytest.mark.usefixtures("slurm")
def test_a_killed_run_leaves_no_job(tmp_path: Path) -> None:
    """The process that collects is killed: partitions end by themselves, with their jobs."""
    program = (
        "from allometry import models, simulate\n"
        "if __name__ == '__main__':\n"
        f"    cluster = { ({**JOBS, 'local_directory': str(tmp_path), 'log_directory': str(tmp_path)})!r}\n"
        f"    simulate.run(models.microcircuit({SCALE}), 600_000, 1, {str(tmp_path / 'a.zarr')!r},\n"
        f"                 execution=simulate.Execution(2, 1, cluster=cluster))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert _until(lambda: any(tmp_path.glob("**/segment-*.npz")), 600)
    finally:
        process.kill()
        process.wait()
    assert _until(lambda: not _jobs(), 600), _jobs()
    assert not (tmp_path / "a.zarr").exists()


@pytest.mark.usefixtures("slurm")
def test_workflow_submits_a_simulation_that_uses_its_allocation(
    tmp_path: Path, root: Path, local: tuple[list[int], list[int]]
) -> None:
    """One job of the workflow, submitted by Snakemake, whose two tasks are the two partitions."""
    done = snakemake(
        root,
        tmp_path,
        "simulate:\n  partitions: 2\n  threads: 1\n  runs:\n    small:\n      kind: network\n      model: microcircuit\n"
        f"      parameters: {{scale: [{SCALE}]}}\n      duration_ms: {DURATION_MS}\n      seeds: [{SEED}]\n"
        "cluster: {kind: allocation}\n",
        resources=["tasks=2", "mem_mb=1500"],
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    (store,) = tmp_path.glob("results/simulated/small/*.zarr")
    assert _spikes(store) == local
