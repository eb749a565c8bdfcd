"""Checkpoints that are damaged, of another run or of other code, and disks that are full."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Killed, Stable


@pytest.fixture(scope="module")
def left(stable: Stable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run with two checkpoints left that was killed."""
    run = Killed(tmp_path_factory.mktemp("left"), stable).start()
    assert run.until(lambda: len(run.checkpoints()) == 2 and run.phase() == "step loop")
    run.kill()
    assert len(run.checkpoints()) == 2
    return run.folder / ".out-checkpoints"


@pytest.fixture
def killed(run: Killed, left: Path) -> Killed:
    """A run that was killed, with two checkpoints."""
    shutil.copytree(left, run.folder / ".out-checkpoints")
    return run


def _half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _short(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "name", "said"),
    [
        (_half, "state-{last}-00000-of-00001.npz", "state-{last}-00000-of-00001.npz ends too early"),
        (_short, "state-{last}-00000-of-00001.npz", "state-{last}-00000-of-00001.npz ends too early"),
        (_flipped, "state-{last}-00000-of-00001.npz", "state-{last}-00000-of-00001.npz holds other bytes"),
        (_gone, "state-{last}-00000-of-00001.npz", "state-{last}-00000-of-00001.npz is missing"),
        (_half, "checkpoint-{last}.json", "checkpoint-{last}.json is not what was written"),
        (_flipped, "checkpoint-{last}.json", "checkpoint-{last}.json is not what was written"),
        (_half, "merged-{window}.npz", "merged-{window}.npz ends too early"),
    ],
)
def test_the_checkpoint_before_a_damaged_one_is_used(
    killed: Killed, undisturbed: str, damage: Callable[[Path], None], name: str, said: str
) -> None:
    before, last = killed.checkpoints()
    spool = killed.spool()
    assert spool is not None
    names = {"last": f"{last:012d}", "window": f"{last // 200 - 1:08d}"}
    damage(spool / name.format(**names))
    assert killed.start().finished() == undisturbed
    assert f"the checkpoint at {last * 0.5:g} ms is damaged" in killed.log
    assert said.format(**names) in killed.log
    assert f"continuing from the checkpoint at {before * 0.5:g} ms" in killed.log


def test_a_run_whose_checkpoints_are_all_damaged_begins_again(killed: Killed, undisturbed: str) -> None:
    spool = killed.spool()
    assert spool is not None
    _flipped(spool / "merged-00000000.npz")
    assert killed.start().finished() == undisturbed
    assert killed.log.count("merged-00000000.npz holds other bytes than were written") == 2
    assert "is whole: the run begins again" in killed.log
    assert "continuing" not in killed.log


@pytest.mark.parametrize(("differs", "options"), [("network", {"network": {"neurons": 19_000}}), ("seed", {"seed": 2})])
def test_a_checkpoint_of_another_run_is_refused_and_kept(
    killed: Killed, tmp_path: Path, differs: str, options: dict[str, Any]
) -> None:
    spool = killed.spool()
    assert spool is not None
    (tmp_path / "other").mkdir()
    other = Killed(tmp_path / "other", killed.stable, options).start()
    assert other.until(lambda: bool(other.checkpoints()))
    other.kill()
    place = other.spool()
    assert place is not None
    shutil.rmtree(place)
    shutil.copytree(spool, place)
    before = {path.name for path in place.iterdir()} - {"lock"}
    assert other.start().wait() == 1
    assert f"the checkpoint is of another run: its {differs} differs\n" in other.log
    assert f"where:    .out-checkpoints/{place.name}" in other.log.replace(f"{other.folder}/", "")
    assert "to do:    give another --checkpoint-folder, or delete this folder" in other.log
    assert {path.name for path in place.iterdir()} == before
    assert not other.store.exists()


def test_checkpoints_of_another_run_beside_are_named(killed: Killed, undisturbed: str) -> None:
    """Whoever changed a network, and expects a rerun to continue, is told."""
    spool = killed.spool()
    assert spool is not None
    other = spool.with_name("run-0123456789abcdef")
    spool.rename(other)
    identity = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**identity, "network": "another"}))
    assert killed.start().wait() == 0
    assert killed.content == undisturbed
    assert f"{other.name} has checkpoints of another run, which are not used: its network differs" in killed.log
    assert (other / "run.json").exists()


def test_a_checkpoint_of_other_code_is_said_and_not_used(killed: Killed, undisturbed: str) -> None:
    spool = killed.spool()
    assert spool is not None
    identity = json.loads((spool / "run.json").read_text())
    (spool / "run.json").write_text(json.dumps({**identity, "version": "0.0.1", "code": "of then"}))
    assert killed.start().finished() == undisturbed
    assert "was written by other code (version 0.0.1; this is " in killed.log
    assert "continuing" not in killed.log


def test_a_run_survives_states_that_do_not_fit(run: Killed, stable: Stable, tmp_path: Path) -> None:
    """The state is some 400 kB, everything else is smaller."""
    (tmp_path / "free").mkdir()
    free = Killed(tmp_path / "free", stable, {"duration_ms": 200.0}).start()
    run.options = {"duration_ms": 200.0, "largest_file": 300_000}
    assert run.start().finished() == free.finished()
    assert "no checkpoint at 100 ms: File too large" in run.log


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that is soon filled."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def _fill(file: Path) -> None:
    """Write until there is no room."""
    with suppress(OSError), file.open("wb", buffering=0) as stream:
        while stream.write(bytes(4096)):
            pass


def test_a_full_disk_ends_a_run_that_continues_when_there_is_room(
    run: Killed, undisturbed: str, small_disk: Path
) -> None:
    folder = small_disk / "checkpoints"

    def begun() -> set[int]:
        """Windows of which something is written; the run has ten."""
        written = [*folder.glob("run-*/segment-*.npz"), *folder.glob("run-*/merged-*.npz")]
        return {int(path.stem.split("-")[1]) for path in written}

    def checkpoints() -> int:
        return len(list(folder.glob("run-*/checkpoint-*.json")))

    # stands still while the disk is filled, after its first checkpoint, when there is none to delete, and long before
    # its last window: what it deletes afterwards has no room for all that it is to write
    while True:
        run.start(checkpoint_folder=str(folder))
        if run.until(lambda: checkpoints() > 0):
            os.kill(run.process, signal.SIGSTOP)
            if checkpoints() == 1 and begun() and max(begun()) < 3:
                break
            os.kill(run.process, signal.SIGCONT)
        assert run.finished() == undisturbed
        run.forget()
    _fill(small_disk / "filled")
    os.kill(run.process, signal.SIGCONT)
    assert run.wait() == 1, run.log
    assert "cannot write: No space left on device\n  where:    " in run.log
    assert "to do:    free some space, or write to another disk" in run.log
    assert not run.store.exists()
    assert checkpoints()
    (small_disk / "filled").unlink()
    assert run.start(checkpoint_folder=str(folder)).finished() == undisturbed
    assert "continuing from the checkpoint at" in run.log
    assert not list(small_disk.iterdir())
