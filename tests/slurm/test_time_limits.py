"""Jobs whose time ends before their simulation does: the next one continues, and the store has the bytes of one run."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from allometry import stores
from allometry.cli import main
from tests.slurm.workflow import snakemake

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("slurm")]

SEED = 3


def _content(store: Path) -> str:
    return str(stores.read_manifest(store)["content"]["content_sha256"])


def _command(scale: float, duration_ms: float, store: Path) -> list[str]:
    words = ["microcircuit", "--scale", str(scale), "--duration-ms", str(duration_ms), "--seed", str(SEED)]
    return [*words, "--threads", "1", "--out", str(store)]


def test_snakemake_submits_a_simulation_again_until_it_is_through(tmp_path: Path, root: Path) -> None:
    """No job has the time for more than some windows of six; the profile gives two retries, which are not used up."""
    scale, duration_ms = 0.1, 600.0
    done = snakemake(
        root,
        tmp_path,
        "simulate: {partitions: 1, threads: 1, wall_time_s: 0.001, runs: {small: {kind: network, model: microcircuit, "
        f"parameters: {{scale: [{scale}]}}, duration_ms: {duration_ms}, seeds: [{SEED}]}}}}}}\n",
        resources=["mem_mb=1500"],
        timeout_s=1800,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    assert "Trying to restart job" in said
    (store,) = tmp_path.glob("results/simulated/small/*.zarr")
    steps = int(stores.read_manifest(store)["provenance"]["simulation"]["steps"])
    assert 0 < steps < round(duration_ms / 0.1)
    assert main(["simulate", *_command(scale, duration_ms, tmp_path / "alone.zarr")]) == 0
    assert _content(store) == _content(tmp_path / "alone.zarr")
    assert not (tmp_path / "results/checkpoints").exists()


def test_a_job_of_one_minute_ends_before_slurm_ends_it(tmp_path: Path) -> None:
    """It would take hours; the job after it, with the minutes that it needs, ends soon after that checkpoint."""
    store, scale = tmp_path / "spikes.zarr", 0.02
    _submit(tmp_path, 1, [*_command(scale, 1e8, store), "--checkpoint", "1e6"])
    log = (tmp_path / "job.log").read_text()
    assert (tmp_path / "status").read_text().strip() == "75", log
    assert "s are left of its time: a last checkpoint is made" in log
    (record,) = tmp_path.glob(".spikes-checkpoints/run-*/checkpoint-*.json")
    duration_ms = int(record.stem[11:]) * 0.1 + 200.0
    _submit(tmp_path, 30, _command(scale, duration_ms, store))
    assert (tmp_path / "status").read_text().strip() == "0", (tmp_path / "job.log").read_text()
    assert int(stores.read_manifest(store)["provenance"]["simulation"]["steps"]) == 2000
    assert main(["simulate", *_command(scale, duration_ms, tmp_path / "alone.zarr")]) == 0
    assert _content(store) == _content(tmp_path / "alone.zarr")


def _submit(folder: Path, minutes: int, words: list[str]) -> None:
    """Run a simulation as a job with a time limit, to its end."""
    (folder / "job.sh").write_text('#!/bin/sh\n"$@" > job.log 2>&1\necho $? > status\n')
    (folder / "status").unlink(missing_ok=True)
    command = ["sbatch", "--wait", f"--time={minutes}", f"--output={folder}/slurm.out", "job.sh"]
    started = time.monotonic()
    subprocess.run(
        [*command, sys.executable, "-m", "allometry.simulate", *words], cwd=folder, capture_output=True, timeout=1800
    )
    assert (folder / "status").exists(), f"killed after {time.monotonic() - started:g} s"
