"""A run whose time is nearly over makes a last checkpoint, ends with status 75, and goes on from there to the same bytes."""

import math
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from allometry import simulate, stores
from allometry.errors import announced, terminable
from allometry.network import Network
from allometry.simulate.distribute.clusters import jobs
from allometry.simulate.distribute.departure import OutOfTime
from allometry.simulate.distribute.storage.checkpoint import Pace
from allometry.simulate.distribute.time_limit import COSTS, RESERVE_S, WINDOWS, TimeLimit

DURATION_MS = 2000.0


def _content(store: Path) -> str:
    return str(stores.read_manifest(store)["content"]["content_sha256"])


def _run(net: Network, store: Path, **execution: object) -> None:
    simulate.run(net, DURATION_MS, 1, store, execution=simulate.Execution(threads=1, progress=False, **execution))  # type: ignore[arg-type]


def test_a_run_in_many_short_pieces_has_the_bytes_of_one(
    tmp_path: Path, small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the first pieces goes three windows, waits for what is asked of it, goes a fourth, and ends."""
    begun = []

    def four_windows(pace: Pace) -> bool:
        begun.append(pace)
        deadline = time.monotonic() + 20
        wanted = {4: "asked"}.get(len(begun), "stop")
        while len(begun) > 3 and time.monotonic() < deadline:
            if list(tmp_path.glob(f".pieces-checkpoints/run-*/{wanted}")):
                break
            time.sleep(1e-3)
        return False

    _run(small, tmp_path / "whole.zarr", checkpoint="off")
    monkeypatch.setattr(Pace, "due", four_windows)
    reached = []
    for _ in range(3):
        begun.clear()
        with pytest.raises(OutOfTime, match="of its time") as ended:
            _run(small, tmp_path / "pieces.zarr", wall_time_s=1e-3)
        assert ended.value.status == 75
        assert "retries" in ended.value.do
        records = (tmp_path / ".pieces-checkpoints").glob("run-*/checkpoint-*.json")
        reached.append(max(int(path.stem[11:]) for path in records))
        assert f"a checkpoint at {reached[-1] * small.dt_ms:g} ms" in ended.value.what
    monkeypatch.undo()
    _run(small, tmp_path / "pieces.zarr", wall_time_s=600.0)
    assert reached == [round(windows * 100 / small.dt_ms) for windows in (4, 8, 12)]
    assert _content(tmp_path / "pieces.zarr") == _content(tmp_path / "whole.zarr")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "pieces.manifest.json",
        "pieces.zarr",
        "whole.manifest.json",
        "whole.zarr",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_of_the_batch_system_asks_for_the_last_checkpoint(
    tmp_path: Path, small: Network, number: signal.Signals
) -> None:
    def tell() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if any('"step loop"' in path.read_text() for path in tmp_path.glob(".a-checkpoints/run-*/status.json")):
                os.kill(os.getpid(), number)
                return
            time.sleep(1e-3)

    def run(duration_ms: float) -> None:
        execution = simulate.Execution(threads=1, progress=False, checkpoint=1e6)
        simulate.run(small, duration_ms, 1, tmp_path / "a.zarr", execution=execution)

    teller = threading.Thread(target=tell)
    teller.start()
    with terminable(), pytest.raises(OutOfTime, match=f"{number.name} says that its time is over"):
        run(1e7)
    teller.join()
    (record,) = tmp_path.glob(".a-checkpoints/run-*/checkpoint-*.json")
    assert int(record.stem[11:]) > 0


def test_a_notice_that_comes_early_is_kept() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with terminable():
        limit = TimeLimit()
        assert limit.over(0.0) == ""
        signal.raise_signal(signal.SIGUSR1)
        assert limit.over(0.0) == "SIGUSR1 says that its time is over"
    assert not announced()
    assert signal.getsignal(signal.SIGUSR1) == before


def test_the_second_sigterm_ends_at_once() -> None:
    limit = TimeLimit()
    with limit.told_by_signal():
        signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGTERM)
        assert limit.over(0.0)
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 143


def test_windows_and_checkpoints_have_to_fit_before_the_end() -> None:
    now = 0.0
    limit = TimeLimit(left_s=100.0, jobs_left_s=60.0, clock=lambda: now)
    assert limit.margin_s(3.0) == RESERVE_S + COSTS * 3.0
    for done in range(3):
        limit.advanced(done)
        now += 10.0
    # a window took ten seconds
    margin = RESERVE_S + WINDOWS * 10.0 + COSTS * 3.0
    assert limit.margin_s(3.0) == margin
    now = 60.0 - margin
    assert not limit.jobs_over(3.0)
    now += 0.1
    assert limit.jobs_over(3.0)
    assert limit.over(3.0) == ""
    limit.renewed(1000.0)
    assert not limit.jobs_over(3.0)
    now = 100.5 - margin
    assert limit.over(3.0) == "40 s are left of its time"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("4:59", 299.0),
        ("1:00:05", 3605.0),
        ("2-01:00:00", 176_400.0),
        ("3:00\\n1:30", 90.0),
        ("UNLIMITED", math.inf),
        ("", math.inf),
    ],
)
def test_slurm_says_how_much_time_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, seconds: float
) -> None:
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert jobs.left_of_job() == math.inf
    (tmp_path / "squeue").write_text(f"#!/bin/sh\nprintf '{said}\\n'\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert jobs.left_of_job() == seconds
    monkeypatch.setenv("PATH", "")
    assert jobs.left_of_job() == math.inf
    # where SLURM says it by itself, nothing is asked
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time()) + 500))
    assert jobs.left_of_job() == pytest.approx(500, abs=30)


@pytest.mark.parametrize(
    ("shown", "said", "words"),
    [
        ("JobState=TIMEOUT Reason=TimeLimit", "", "TIMEOUT (TimeLimit)"),
        ("JobState=CANCELLED Reason=None", "", "CANCELLED"),
        (
            "JobState=FAILED Reason=NonZeroExitCode",
            "hello\nslurmstepd: error: Job 7 exceeded memory limit (2 > 1), being killed",
            "FAILED (NonZeroExitCode): Job 7 exceeded memory limit (2 > 1), being killed",
        ),
        ("JobState=RUNNING Reason=None", "", ""),
    ],
)
def test_how_a_job_ended_is_said_in_the_words_of_slurm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str, said: str, words: str
) -> None:
    (tmp_path / "out").write_text(said)
    (tmp_path / "scontrol").write_text(f"#!/bin/sh\necho JobId=7 {shown} StdErr={tmp_path}/out\n")
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert jobs.how_ended("7", wait_s=0.0) == words
    monkeypatch.setenv("PATH", "")
    assert jobs.how_ended("7", wait_s=0.0) == ""
