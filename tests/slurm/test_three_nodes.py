"""One simulation over three nodes, which are hosts of their own: as worker jobs, as tasks of a job, as a job of the workflow."""

import subprocess
import sys
from pathlib import Path

import pytest

from allometry import models, simulate, stores
from allometry.cli import main
from tests.slurm.hosts import Host
from tests.slurm.workflow import snakemake

pytestmark = pytest.mark.slurm

SCALE, DURATION_MS, SEED = 0.02, 300.0, 3
MODEL = ["microcircuit", "--scale", str(SCALE), "--duration-ms", str(DURATION_MS), "--seed", str(SEED)]


def _content(store: Path) -> str:
    return str(stores.read_manifest(store)["content"]["content_sha256"])


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Content of the store of a run on this machine alone."""
    path = tmp_path_factory.mktemp("local") / "spikes.zarr"
    simulate.run(models.microcircuit(SCALE), DURATION_MS, SEED, path, execution=simulate.Execution(threads=1))
    return _content(path)


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same of `allometry simulate`, whose store says more of the model."""
    path = tmp_path_factory.mktemp("local") / "spikes.zarr"
    assert main(["simulate", *MODEL, "--threads", "1", "--out", str(path)]) == 0
    return _content(path)


def _partitions(store: Path) -> int:
    return int(stores.read_manifest(store)["provenance"]["simulation"]["partitions"])


def test_worker_jobs_are_on_three_nodes(tmp_path: Path, local: str, three_nodes: list[Host]) -> None:
    """No interface is named; the memory of a node suffices for one worker."""
    cluster = {
        "kind": "slurm",
        "queue": "main",
        "memory": "4GB",
        "walltime": "00:10:00",
        "local_directory": str(tmp_path),
        "log_directory": str(tmp_path),
        "job_script_prologue": ["echo on the node $SLURMD_NODENAME: $(hostname -I)"],
    }
    simulate.run(
        models.microcircuit(SCALE),
        DURATION_MS,
        SEED,
        tmp_path / "a.zarr",
        execution=simulate.Execution(partitions=3, threads=1, cluster=cluster),
    )
    assert _content(tmp_path / "a.zarr") == local
    assert _partitions(tmp_path / "a.zarr") == 3
    said = [line for path in tmp_path.glob("*.out") for line in path.read_text().splitlines() if "on the node" in line]
    assert sorted(line.strip() for line in said) == [f"on the node {n.name}: {n.address}" for n in three_nodes]


def test_tasks_of_one_job_are_on_three_nodes(tmp_path: Path, commanded: str, three_nodes: list[Host]) -> None:
    """The name of each node stands for an address of its loopback interface, which the others cannot reach."""
    program = 'echo "on the node $SLURMD_NODENAME"; exec "$@"'
    command = ["srun", "--nodes=3", "--ntasks=3", "sh", "-c", program, "sh", sys.executable, "-m", "allometry.simulate"]
    done = subprocess.run(
        [*command, *MODEL, "--threads", "1", "--out", str(tmp_path / "a.zarr")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert _content(tmp_path / "a.zarr") == commanded
    assert _partitions(tmp_path / "a.zarr") == 3
    assert sorted(line for line in done.stdout.splitlines() if "on the node" in line) == [
        f"on the node {n.name}" for n in three_nodes
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.manifest.json", "a.zarr"]


def test_a_job_of_the_workflow_is_on_three_nodes(
    tmp_path: Path, root: Path, commanded: str, three_nodes: list[Host]
) -> None:
    done = snakemake(
        root,
        tmp_path,
        "simulate: {partitions: 3, threads: 1, runs: {small: {kind: network, model: microcircuit, "
        f"parameters: {{scale: [{SCALE}]}}, duration_ms: {DURATION_MS}, seeds: [{SEED}]}}}}}}\n"
        "cluster: {kind: allocation}\n",
        resources=["tasks=3", "nodes=3", "mem_mb=1500"],
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    (store,) = tmp_path.glob("results/simulated/small/*.zarr")
    assert _content(store) == commanded
    assert _partitions(store) == 3
    (log,) = tmp_path.glob("results/logs/simulate/small/*.log")
    assert f"on 3 hosts: {', '.join(node.address for node in three_nodes)}" in log.read_text()
