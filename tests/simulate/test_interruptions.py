"""Ctrl-C, scripts without a main guard, and runs that share a checkpoint folder."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client

from allometry import cli, errors, simulate, stores
from allometry.errors import SimulationError
from allometry.network import Network
from allometry.simulate.build.partition import Partition
from allometry.simulate.distribute.attempts import Attempts
from allometry.simulate.distribute.output import Output
from allometry.simulate.distribute.storage import spool
from allometry.simulate.distribute.storage.spool import ABANDONED_S, held, remove_abandoned
from tests.simulate import engine
from tests.simulate.power import Power


def test_ctrl_c_in_a_script_without_a_guard_is_one_sentence(tmp_path: Path) -> None:
    """Two partitions in processes of their own; the terminal sends Ctrl-C to all of them."""
    (tmp_path / "script.py").write_text(
        "from allometry import models, simulate\n"
        "simulate.run(models.microcircuit(0.02), 1_000_000, 1, 'out.zarr', execution=simulate.Execution(2, threads=1))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "script.py"], cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 1200
    while not list(tmp_path.glob(".out-checkpoints/run-*/merged*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=300)[1].splitlines()
    # The shell's name of an end by this signal is 130.
    assert process.returncode == -signal.SIGINT
    assert said[-1] == "the simulation was interrupted, and nothing was written"
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in said[:-1]), said
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]
    while any(_group(p.pid) == process.pid and p.info["status"] != psutil.STATUS_ZOMBIE for p in _processes()):
        assert time.monotonic() < deadline  # workers end by themselves, on a busy machine a little later
        time.sleep(0.05)


def _processes() -> list[psutil.Process]:
    return list(psutil.process_iter(["status"]))


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return -1


def test_ctrl_c_in_the_command_has_status_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(self: Attempts) -> None:
        if "c" in self.spool.folder.parts:
            self.spool.write_json(self.spool.record(1000).name, {})
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Attempts, "until_done", interrupted)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    command = ["simulate", "microcircuit", "--scale", "0.02", "--duration-ms", "10", "--threads", "1"]
    for more, sentence in (
        ([], "the simulation was interrupted, and nothing was written"),
        (["--checkpoint-folder", "d"], "the simulation was interrupted, and nothing was written"),
        (["--checkpoint-folder", "c"], "interrupted; the same run continues from its last checkpoint"),
    ):
        assert cli.main([*command, "--out", "out.zarr", *more]) == 130
        assert capsys.readouterr().err.splitlines()[-1].endswith(sentence)
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_only_the_sentence_of_an_interrupted_run_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    errors._interrupted(KeyboardInterrupt, KeyboardInterrupt("interrupted"), None)
    assert capsys.readouterr().err == "interrupted\n"
    errors._interrupted(ValueError, ValueError("else"), None)
    assert capsys.readouterr().err == "ValueError: else\n"


def test_no_partitions_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["simulate", "microcircuit", "--scale", "0.02", "--duration-ms", "10", "--out", str(tmp_path / "a.zarr")]
    assert cli.main([*command, "--partitions", "0"]) == 1
    assert capsys.readouterr().err.startswith("partitions is 0\n")
    assert list(tmp_path.iterdir()) == []


def test_two_seeds_have_two_default_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["simulate", "microcircuit", "--scale", "0.02", "--duration-ms", "10", "--threads", "1"]
    assert cli.main([*command, "--seed", "1"]) == 0
    assert cli.main([*command, "--seed", "2"]) == 0
    assert sorted(p.name for p in tmp_path.glob("*.zarr")) == ["microcircuit_seed1.zarr", "microcircuit_seed2.zarr"]
    assert cli.main([*command, "--seed", "2"]) == 1
    assert "the store exists" in capsys.readouterr().err


def test_checkpoints_of_several_seeds_share_a_folder(
    client: Client, tmp_path: Path, small: Network, power: Power
) -> None:
    """A run of seed 2 neither uses nor deletes what an interrupted run of seed 1 left."""

    def run(seed: int, name: str) -> None:
        simulate.run(
            small,
            500,
            seed,
            tmp_path / name,
            execution=simulate.Execution(threads=1, checkpoint=1e-9, checkpoint_folder=tmp_path / "c", cluster=client),
        )

    for seed in (1, 2):
        with power.failure(step=3000):
            run(seed, "a.zarr")
    assert len({path.parent for path in (tmp_path / "c").glob("run-*/checkpoint-*.json")}) == 2
    for seed in (2, 1):
        power.steps.clear()
        run(seed, f"{seed}.zarr")
        assert min(power.steps) >= 1000
    assert not (tmp_path / "c").exists()
    simulate.run(small, 500, 1, tmp_path / "whole.zarr", execution=simulate.Execution(threads=1, cluster=client))
    assert engine.content(tmp_path / "1.zarr") == engine.content(tmp_path / "whole.zarr")


def test_a_checkpoint_that_another_run_writes_is_refused(
    client: Client, tmp_path: Path, small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance, entered, go = Partition.window, threading.Event(), threading.Event()

    def window(self: Partition, last: int, *rest: object) -> object:
        if self.plan.size == small.size:
            entered.set()
            assert go.wait(300)
        return advance(self, last, *rest)  # type: ignore[arg-type]

    def run(name: str) -> None:
        simulate.run(
            small,
            200,
            1,
            tmp_path / name,
            execution=simulate.Execution(threads=1, checkpoint_folder=tmp_path / "c", cluster=client),
        )

    monkeypatch.setattr(Partition, "window", window)
    monkeypatch.setattr(spool, "PATIENCE_S", 0.2)
    one = threading.Thread(target=run, args=("a.zarr",))
    one.start()
    try:
        assert entered.wait(300)
        with pytest.raises(SimulationError, match="another process is simulating the same"):
            run("b.zarr")
    finally:
        go.set()
        one.join()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.manifest.json", "a.zarr"]
    run("b.zarr")


def test_a_lock_goes_with_its_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "PATIENCE_S", 0.2)
    with held(tmp_path / "c" / "run-1"), pytest.raises(SimulationError), held(tmp_path / "c" / "run-1"):
        pass
    assert list(tmp_path.iterdir()) == []
    with held(tmp_path / "a" / "b" / "run-1"), pytest.raises(SimulationError), held(tmp_path / "a" / "b" / "run-1"):
        pass
    assert list(tmp_path.iterdir()) == []
    with held(tmp_path / "c" / "run-1") as mine:
        (mine.folder / "notes.txt").touch()
    assert [p.name for p in (tmp_path / "c" / "run-1").iterdir()] == ["notes.txt"]


def test_a_folder_that_only_looks_like_a_spool_is_left(tmp_path: Path) -> None:
    mine = tmp_path / ".a-spool-mine"
    mine.mkdir()
    (mine / "thesis.tex").touch()
    long_ago = time.time() - 2 * ABANDONED_S
    os.utime(mine, (long_ago, long_ago))
    remove_abandoned(tmp_path, ".a-spool-*")
    assert (mine / "thesis.tex").exists()


def test_of_killed_runs_those_stay_that_can_be_continued(tmp_path: Path) -> None:
    long_ago = time.time() - 2 * ABANDONED_S
    for name, file in (("run-1", "status.json"), ("run-2", "checkpoint-000000001000.json"), ("run-3", "done.json")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).touch()
        os.utime(tmp_path / name, (long_ago, long_ago))
    remove_abandoned(tmp_path, "run-*")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-2", "run-3"]


@pytest.mark.parametrize("said", ["sometimes", "0", "-3", "nan"])
def test_impossible_intervals_are_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str) -> None:
    command = ["simulate", "microcircuit", "--scale", "0.02", "--duration-ms", "10", "--out", str(tmp_path / "a.zarr")]
    assert cli.main([*command, f"--checkpoint={said}"]) == 1
    assert capsys.readouterr().err.startswith("checkpoint is ")
    assert list(tmp_path.iterdir()) == []


def test_folders_that_are_missing_are_made_and_those_that_cannot_be_are_one_message(
    client: Client, tmp_path: Path, small: Network
) -> None:
    small.to_yaml(tmp_path / "a" / "b" / "net.yaml")
    assert Network.from_yaml(tmp_path / "a" / "b" / "net.yaml").size == small.size
    simulate.run(
        small,
        10,
        1,
        tmp_path / "c" / "d" / "e.zarr",
        execution=simulate.Execution(threads=1, checkpoint_folder=tmp_path / "f" / "g", cluster=client),
    )
    (tmp_path / "file").touch()
    for store, checkpoint in ((tmp_path / "file" / "e.zarr", None), (tmp_path / "e.zarr", tmp_path / "file")):
        with pytest.raises(errors.AllometryError, match="cannot write") as caught:
            simulate.run(
                small,
                10,
                1,
                store,
                execution=simulate.Execution(threads=1, checkpoint_folder=checkpoint, cluster=client),
            )
        assert "file" in caught.value.where
    with pytest.raises(SimulationError, match="cannot write"):
        small.to_yaml(tmp_path / "file" / "net.yaml")


def test_two_runs_into_one_store(
    client: Client, tmp_path: Path, small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever ends last is refused, and the store of the first stays whole; without `overwrite` nobody replaces it."""
    finish = Output.finish
    other: list[int] = []

    def overtaken(self: Output, *measured: Any) -> None:
        if not other:
            other.append(1)
            simulate.run(small, 200, 2, tmp_path / "a.zarr", execution=simulate.Execution(threads=1, cluster=client))
        finish(self, *measured)

    monkeypatch.setattr(Output, "finish", overtaken)
    with pytest.raises(errors.StoreError, match="another process has written this store meanwhile"):
        simulate.run(small, 200, 1, tmp_path / "a.zarr", execution=simulate.Execution(threads=1, cluster=client))
    with pytest.raises(errors.StoreError, match="the store exists"):
        simulate.run(small, 200, 1, tmp_path / "a.zarr", execution=simulate.Execution(threads=1, cluster=client))
    assert stores.verify(tmp_path / "a.zarr") == []
    found = stores.open(tmp_path / "a.zarr")
    assert found.attrs["seed"] == 2
    assert found.sizes["spike"] > 0
    again = simulate.run(
        small, 200, 1, tmp_path / "a.zarr", overwrite=True, execution=simulate.Execution(threads=1, cluster=client)
    )
    assert again.attrs["seed"] == 1
    mine = tmp_path / "mine.zarr"
    mine.mkdir()
    (mine / "thesis.tex").touch()
    with pytest.raises(errors.StoreError, match="no part of a store"):
        simulate.run(small, 200, 1, mine, overwrite=True, execution=simulate.Execution(threads=1, cluster=client))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.manifest.json", "a.zarr", "mine.zarr"]
    assert (mine / "thesis.tex").exists()
