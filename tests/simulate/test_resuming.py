"""Runs that were cut off: what continues them, and that the store is that of an undisturbed run."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

from allometry import simulate
from allometry.network import Network
from allometry.simulate.distribute import output
from tests.simulate import engine
from tests.simulate.power import Power


def test_resumes_from_a_checkpoint_with_another_cut(
    client: Client, tmp_path: Path, small: Network, power: Power
) -> None:
    checkpoint = tmp_path / "checkpoint"

    def run(name: str, **options: Any) -> None:
        simulate.run(small, 700, 1, tmp_path / name, execution=simulate.Execution(threads=1, cluster=client, **options))

    run("whole.zarr")
    with power.failure(step=5000):
        run("cut.zarr", partitions=2, checkpoint=1e-9, checkpoint_folder=checkpoint)
    assert not (tmp_path / "cut.zarr").exists()
    run("cut.zarr", partitions=3, checkpoint=1e-9, checkpoint_folder=checkpoint)
    # a checkpoint counts once the collector has its windows, which on a busy machine is some windows later
    assert min(power.steps) in range(1000, 5001, 1000)
    assert engine.content(tmp_path / "cut.zarr") == engine.content(tmp_path / "whole.zarr")
    assert not checkpoint.exists()


def test_what_else_is_in_a_checkpoint_folder_stays(client: Client, tmp_path: Path, small: Network) -> None:
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    (checkpoint / "run.json").write_text(json.dumps({"network": "another"}))
    (checkpoint / "checkpoint.json").write_text(json.dumps({"step": 1000, "partitions": 1}))
    (checkpoint / "notes.txt").write_text("mine")
    simulate.run(
        small,
        200,
        1,
        tmp_path / "a.zarr",
        execution=simulate.Execution(threads=1, checkpoint_folder=checkpoint, cluster=client),
    )
    simulate.run(small, 200, 1, tmp_path / "b.zarr", execution=simulate.Execution(threads=1, cluster=client))
    assert engine.content(tmp_path / "a.zarr") == engine.content(tmp_path / "b.zarr")
    assert sorted(p.name for p in checkpoint.iterdir()) == ["checkpoint.json", "notes.txt", "run.json"]


def test_checkpoint_of_other_code_is_not_used(
    client: Client, tmp_path: Path, small: Network, power: Power, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = simulate.Execution(
        threads=1, checkpoint=1e-9, checkpoint_folder=tmp_path / "checkpoint", cluster=client
    )
    with power.failure(step=5000):
        simulate.run(small, 700, 1, tmp_path / "a.zarr", execution=execution)
    assert len(list((tmp_path / "checkpoint").glob("run-*/checkpoint-*.json"))) > 0
    monkeypatch.setattr("allometry.simulate.distribute.output.fingerprint", lambda *_: "edited")
    simulate.run(small, 700, 1, tmp_path / "a.zarr", execution=execution)
    assert min(power.steps) == 0


@pytest.mark.slow
def test_a_killed_worker_is_replaced(tmp_path: Path, small: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate.run(small, 6_000, 1, tmp_path / "whole.zarr", execution=simulate.Execution(threads=2))
    with LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=0, dashboard_address=":0") as cluster:
        client = Client(cluster)
        killed = []
        poll = output.Collector.poll

        def poll_and_kill(self: output.Collector) -> bool:
            if self.next >= 15 and not killed:
                victim = next(iter(client.run(os.getpid).values()))
                killed.append(victim)
                os.kill(victim, signal.SIGKILL)
            return poll(self)

        monkeypatch.setattr(output.Collector, "poll", poll_and_kill)
        simulate.run(
            small,
            6_000,
            1,
            tmp_path / "cut.zarr",
            execution=simulate.Execution(
                partitions=2, threads=1, checkpoint=1e-9, checkpoint_folder=tmp_path / "c", cluster=client
            ),
        )
        client.close()
    assert killed
    assert engine.content(tmp_path / "cut.zarr") == engine.content(tmp_path / "whole.zarr")


@pytest.mark.slow
def test_a_killed_process_is_resumed(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "allometry",
        "simulate",
        "microcircuit",
        "--scale",
        "0.05",
        "--duration-ms",
        "20000",
    ]
    arguments = [
        "--out",
        str(tmp_path / "out.zarr"),
        "--checkpoint-folder",
        str(tmp_path / "c"),
        "--checkpoint",
        "0.1",
        "--threads",
        "2",
    ]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 1200
    while not list((tmp_path / "c").glob("run-*/checkpoint-*.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert not (tmp_path / "out.zarr").exists()
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    assert "continuing from the checkpoint" in done.stderr
    whole = ["--out", str(tmp_path / "whole.zarr"), "--threads", "1"]
    subprocess.run([*command, *whole], capture_output=True, check=True)
    assert engine.content(tmp_path / "out.zarr") == engine.content(tmp_path / "whole.zarr")
