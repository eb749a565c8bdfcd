"""Whenever writing is interrupted, nothing incomplete passes for a store."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from allometry import files, stores
from allometry.errors import StoreError
from allometry.stores.storage import arrays, publication

from .. import samples

SLOW_WRITER = """
import sys, time
from allometry import stores
from allometry.stores.storage import arrays
from tests.stores import samples
write_group = arrays.write_group
def slow(group, dataset, **options):
    write_group(group, dataset, **options)
    print("part", flush=True)
    time.sleep(60)
arrays.write_group = slow
stores.write(samples.activity(), sys.argv[1])
"""


def test_a_killed_writer_leaves_nothing_under_the_final_name(tmp_path, root):
    path = tmp_path / "a.zarr"
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_WRITER, str(path)], stdout=subprocess.PIPE, cwd=root, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "part\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert len(list(tmp_path.glob(".a.zarr.partial-*/trace/zarr.json"))) == 1
    assert not path.exists()
    assert not (tmp_path / "a.manifest.json").exists()
    with pytest.raises(StoreError, match="there is no store"):
        stores.open(path)
    # the next writer clears what is left, and is not confused by it
    stores.write(samples.connectome(), path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.manifest.json", "a.zarr"]
    assert stores.verify(path) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_exception_while_writing_leaves_nothing(tmp_path, monkeypatch, error):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(arrays, "finalise", fail)
    with pytest.raises(error):
        stores.write(samples.activity(), tmp_path / "a.zarr")
    assert list(tmp_path.iterdir()) == []


def test_an_invalid_object_leaves_the_old_store_alone(tmp_path):
    path = stores.write(samples.connectome(), tmp_path / "a.zarr")
    with pytest.raises(StoreError):
        stores.write(samples.connectome().drop_vars("weight"), path, overwrite=True)
    assert stores.verify(path) == []


def test_replacing_a_store_is_never_half_done_unnoticed(tmp_path, monkeypatch):
    """Interrupt at each step of replacing: either one whole store stands there, or its damage is seen."""
    path = tmp_path / "a.zarr"
    old, new = samples.connectome(), samples.activity()
    publish, rmtree, rename, unlink = publication.publish, shutil.rmtree, Path.rename, Path.unlink
    outcomes = []

    class Killed:
        """Let a number of file operations pass, then stop all, as SIGKILL would: nothing is cleaned up either."""

        def __init__(self, steps):
            self.left = steps

        def guard(self, original):
            def guarded(*arguments, **options):
                self.left -= 1
                if self.left < 0:
                    raise KeyboardInterrupt
                return original(*arguments, **options)

            return guarded

        def publish(self, *arguments):
            # only now: Zarr's own threads use the same functions while the arrays are written
            monkeypatch.setattr(Path, "rename", self.guard(rename))
            monkeypatch.setattr(Path, "unlink", self.guard(unlink))
            monkeypatch.setattr(shutil, "rmtree", lambda *a, **k: None if self.left < 0 else rmtree(*a, **k))
            return publish(*arguments)

    for steps in range(8):
        stores.write(old, path, overwrite=True)
        with monkeypatch.context() as patch:
            patch.setattr(publication, "publish", Killed(steps).publish)
            try:
                stores.write(new, path, overwrite=True)
                done = True
            except KeyboardInterrupt:
                done = False
            for owner, name, original in (
                (Path, "rename", rename),
                (Path, "unlink", unlink),
                (shutil, "rmtree", rmtree),
            ):
                setattr(owner, name, original)
        try:
            outcomes.append(stores.open(path, check="full").attrs["schema"])
        except StoreError:
            outcomes.append("refused")
        if done:
            break
    # the last step only looks whether something unfinished is left
    assert outcomes == ["Connectome", "refused", "refused", "refused", "Activity", "Activity"]
    assert stores.verify(path) == []
    # what is left is of this process, which lives; once it is dead, the next writer clears it
    monkeypatch.setattr(files, "abandoned", lambda name: True)
    publication.reserve(path, overwrite=True).discard()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.manifest.json", "a.zarr"]


def test_a_name_without_zarr_is_refused(tmp_path):
    with pytest.raises(StoreError, match=r"must end in \.zarr"):
        stores.write(samples.connectome(), tmp_path / "a")


def test_writing_is_quick(tmp_path):
    """A store of a few arrays must not cost seconds: the workflow writes dozens."""
    stores.write(samples.connectome(), tmp_path / "a.zarr")
    start = time.process_time()
    stores.write(samples.connectome(), tmp_path / "b.zarr")
    assert time.process_time() - start < 2


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "inner" / "a.txt"
    with pytest.raises(TypeError), files.atomic(target) as stream:
        stream.writelines([b"half", "no bytes"])
    assert list(target.parent.iterdir()) == []
    with files.atomic(target, mode=0o600) as stream:
        stream.write(b"whole")
        assert not target.exists()
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"whole", 0o600)


def test_what_lives_as_long_as_a_run_does_not_make_its_folder_anew(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), files.atomic(tmp_path / "gone" / "a.npz", transient=True):
        pass
    assert not (tmp_path / "gone").exists()
