"""What SLURM refuses, and why its jobs wait, with programs in place of SLURM that say what they are told to."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from allometry import simulate
from allometry.errors import SimulationError
from allometry.network import Network
from allometry.simulate.distribute.clusters import slurm
from allometry.simulate.point import cluster_options
from allometry.workflow import job_threads

Fake = Callable[[str, str], None]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Put a shell script in place of a program."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setattr(slurm, "LOOK_S", 0.1)

    def put(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    put("scancel", "exit 0")
    put("sbatch", f"cp $1 {tmp_path}/job.sh; echo Submitted batch job 7")
    return put


def run(net: Network, folder: Path, **options: object) -> None:
    cluster = {"kind": "slurm", "interface": "lo", "memory": "1GB", "walltime": "00:05:00", "timeout_s": 900, **options}
    simulate.run(net, 10, 1, folder / "a.zarr", execution=simulate.Execution(threads=1, cluster=cluster))


@pytest.mark.parametrize(
    "words",
    [
        "invalid partition specified: nope",
        "Batch job submission failed: Invalid account or account/partition combination specified",
        "Batch job submission failed: Invalid qos specification",
    ],
)
def test_what_sbatch_refuses_ends_the_run_at_once(tmp_path: Path, small: Network, fake: Fake, words: str) -> None:
    fake("sbatch", f"echo 'sbatch: error: {words}' >&2; exit 1")
    started = time.monotonic()
    with pytest.raises(SimulationError) as caught:
        run(small, tmp_path, queue="nope")
    assert caught.value.what == f"SLURM refuses the job of a worker: {words}"
    assert time.monotonic() - started < 300
    assert not (tmp_path / "a.zarr").exists()


def test_why_jobs_wait_is_said(tmp_path: Path, small: Network, fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    fake("squeue", "echo '7|PENDING|Resources'")
    with (
        caplog.at_level("INFO", logger="allometry"),
        pytest.raises(SimulationError, match=r"0 of 1 workers arrived within 1 s: 1 job pending \(Resources\)"),
    ):
        run(small, tmp_path, queue="main", account="mine", qos="long", timeout_s=1)
    assert "0 of 1 workers are there; 1 job pending (Resources)" in caplog.text
    script = (tmp_path / "job.sh").read_text()
    for line in ("#SBATCH -p main", "#SBATCH -A mine", "#SBATCH --qos=long"):
        assert f"{line}\n" in script


def test_without_an_interface_each_worker_listens_where_it_sees_the_scheduler(
    tmp_path: Path, small: Network, fake: Fake
) -> None:
    """Not on all interfaces: the job's script asks its own node."""
    fake("squeue", "echo '7|PENDING|Resources'")
    for options, listens in ((("interface", "lo"), "--interface lo"), (("interface", None), "--host $(")):
        with pytest.raises(SimulationError, match="0 of 1 workers arrived"):
            run(small, tmp_path, timeout_s=1, **dict([options]))
        (line,) = [line for line in (tmp_path / "job.sh").read_text().splitlines() if "dask_worker" in line]
        assert listens in line
        assert "tls://0.0.0.0" not in line
    # what stands between the brackets, run here, names an interface of this machine
    command = line[line.index("$(") + 2 : line.rindex(")")]
    said = subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout.strip()
    assert said in line
    assert said not in ("0.0.0.0", "::")


@pytest.mark.parametrize("reason", ["InvalidQOS", "InvalidAccount", "PartitionTimeLimit", "QOSMaxCpuPerJobLimit"])
def test_a_job_that_can_never_start_ends_the_run(tmp_path: Path, small: Network, fake: Fake, reason: str) -> None:
    fake("squeue", f"echo '7|PENDING|{reason}'")
    with pytest.raises(SimulationError, match=f"can never start: SLURM gives the reason {reason}"):
        run(small, tmp_path)


def test_a_job_that_ends_before_its_worker_came_ends_the_run(tmp_path: Path, small: Network, fake: Fake) -> None:
    for said in (
        "echo '7|FAILED|NonZeroExitCode'",
        "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1",
    ):
        fake("squeue", said)
        with pytest.raises(SimulationError, match="1 of 1 jobs ended before their workers came"):
            run(small, tmp_path)


def test_a_cluster_that_does_not_answer_is_waited_for(tmp_path: Path, small: Network, fake: Fake) -> None:
    fake("squeue", "echo 'slurm_load_jobs error: Socket timed out' >&2; exit 1")
    with pytest.raises(SimulationError, match=r"0 of 1 workers arrived within 1 s\n"):
        run(small, tmp_path, timeout_s=1)


def test_wrong_options_and_no_sbatch_are_one_message(
    tmp_path: Path, small: Network, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SimulationError, match="the cluster cannot be made"):
        run(small, tmp_path, nodes=3)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulationError, match="there is no sbatch here"):
        run(small, tmp_path)


def test_account_and_qos_of_the_configuration_reach_the_jobs() -> None:
    configured = {"kind": "slurm", "address": None, "queue": "main", "account": "mine", "qos": "long", "memory": "4GB"}
    assert cluster_options(configured) == {
        "kind": "slurm",
        "queue": "main",
        "account": "mine",
        "qos": "long",
        "memory": "4GB",
    }


def test_a_simulation_asks_for_the_threads_that_a_node_has(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake("sinfo", 'test "$5" = small && echo "small|4" && exit; echo "main*|32"; echo "main*|6+"; echo "small|4"')
    assert job_threads.simulation_threads(None) == 6
    assert job_threads.simulation_threads(None, {"slurm_partition": "small"}) == 4
    assert job_threads.simulation_threads(3) == 3
    fake("sinfo", 'echo "main*|64"')
    assert job_threads.simulation_threads(None) == 8
    fake("sinfo", "exit 1")
    assert job_threads.simulation_threads(None) == 8
    monkeypatch.setenv("PATH", "")
    assert job_threads.simulation_threads(None) == 8


@pytest.mark.parametrize("partitions", [1, 2])
def test_an_allocation_outside_a_job_is_refused_at_once(
    tmp_path: Path, small: Network, monkeypatch: pytest.MonkeyPatch, partitions: int
) -> None:
    """It waited five minutes for workers that nobody starts."""
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(SimulationError, match="no allocation to use: this is no SLURM job"):
        simulate.run(
            small, 10, 1, tmp_path / "a.zarr", execution=simulate.Execution(partitions=partitions, cluster="allocation")
        )
    assert not list(tmp_path.iterdir())
