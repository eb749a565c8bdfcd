"""Two writers of one store, files of the user's own in its place, and disks that take nothing more."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import zarr

from allometry import files, stores
from allometry.errors import StoreError
from allometry.stores.schema import parts
from allometry.stores.storage import arrays, manifest, publication

from .. import samples

# Writes a store in two steps, waiting for a line before each; says which error ended it.
WRITER = """
import sys
from allometry import stores
from allometry.errors import StoreError
from tests.stores import samples
def step(word):
    print(word, flush=True)
    sys.stdin.readline()
try:
    units = samples.pd.DataFrame({"population": ["E"]})
    with stores.SpikeWriter(
        sys.argv[1], units, 0.1, 100.0, samples.ATTRS, chunk=4, overwrite=sys.argv[3] == "overwrite"
    ) as writer:
        step("started")
        first = int(sys.argv[2])
        writer.append(range(first, first + 20), [0] * 20)
        step("appended")
    print("published", flush=True)
except StoreError as error:
    print(error.what, flush=True)
"""


class Writer:
    def __init__(self, root: Path, path: Path, first: int, overwrite: str):
        command = [sys.executable, "-c", WRITER, str(path), str(first), overwrite]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, text=True, bufsize=1
        )

    def says(self) -> str:
        return self.process.stdout.readline().strip()

    def go_on(self) -> str:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.says()

    def end(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def left(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("overwrite", ["overwrite", "keep"])
def test_two_runs_into_one_store_at_the_same_time(tmp_path, root, overwrite):
    """Issue 11.1: both returned 0, what was published had no spikes, and verify found no problem."""
    path = tmp_path / "a.zarr"
    first, second = (Writer(root, path, start, overwrite) for start in (1, 101))
    assert [first.says(), second.says()] == ["started", "started"]
    assert first.go_on() == "appended"
    assert second.go_on() == "appended"
    assert first.go_on() == "published"
    assert second.go_on() == "another process has written this store meanwhile"
    first.end(), second.end()
    assert left(tmp_path) == ["a.manifest.json", "a.zarr"]
    assert stores.verify(path) == []
    opened = stores.open(path, check="full")
    assert opened["spike_step"].values.tolist() == list(range(1, 21))
    assert stores.violations(opened) == []


def test_a_writer_that_starts_leaves_the_others_alone_and_clears_what_the_dead_left(tmp_path, root):
    path = tmp_path / "a.zarr"
    alive, dead = (Writer(root, path, start, "keep") for start in (1, 101))
    assert [alive.says(), dead.says(), alive.go_on(), dead.go_on()] == ["started", "started", "appended", "appended"]
    partial = {int(entry.name.split("-")[2]): entry for entry in tmp_path.glob(".a.zarr.partial-*")}
    assert sorted(partial) == sorted([alive.process.pid, dead.process.pid])
    Path(f"{partial[dead.process.pid]}.json").touch()  # as between the manifest and the rename
    os.kill(dead.process.pid, signal.SIGKILL)
    dead.process.wait()
    elsewhere = tmp_path / f".a.zarr.partial-otherhost-{dead.process.pid}-0-abcd"
    elsewhere.mkdir()
    other = tmp_path / f".b.zarr.partial-{partial[dead.process.pid].name.split('partial-')[1]}"
    other.mkdir()
    publication.reserve(path).discard()
    assert set(left(tmp_path)) == {partial[alive.process.pid].name, elsewhere.name, other.name}
    assert alive.go_on() == "published"
    alive.end(), dead.end()
    assert stores.verify(path) == []


def test_a_mark_is_of_a_living_process_until_it_dies_and_not_of_the_next_with_its_number():
    mark = files.mark()
    machine, pid, life, _ = mark.split("-")
    assert not files.abandoned(mark)
    assert not files.abandoned(f"{mark}.json")
    assert files.mark() != mark
    assert not files.abandoned(f"{machine[::-1]}x-{pid}-{life}-0")
    assert not files.abandoned("")
    assert not files.abandoned("some-words-of-somebody")
    if life != "0":
        assert files.abandoned(f"{machine}-{pid}-{life[::-1]}x-0")  # the number was given again
    gone = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    assert files.abandoned(f"{machine}-{gone}-{life}-0")


def test_what_was_written_must_have_every_variable_of_its_schema(tmp_path):
    """Issue 11.1: publication checks the schema."""
    for kind, lost in (
        ("spikes", "spike_step"),
        ("recorded_spikes", "spike_time"),
        ("connectome", "weight"),
        ("activity", "native/worm_1/trace"),
    ):
        reserved = publication.reserve(tmp_path / f"{kind}.zarr")
        root, groups = parts(samples.sample(kind))
        group = zarr.create_group(reserved.partial, zarr_format=3)
        arrays.write_group(group, root)
        for name, dataset in groups.items():
            arrays.write_group(group.create_group(name), dataset)
        shutil.rmtree(reserved.partial / lost)
        arrays.finalise(reserved.partial)
        with pytest.raises(StoreError, match=f"has lost {lost}"):
            publication.publish(reserved, None)
        reserved.discard()
    assert left(tmp_path) == []


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda path: (path.mkdir(), (path / "thesis.tex").write_text("mine")),
        lambda path: (path.mkdir(), (path / "zarr.json").write_text('{"attributes": {"title": "mine"}}')),
        lambda path: (stores.write(samples.connectome(), path), (path / "notes.txt").write_text("mine")),
        lambda path: (stores.write(samples.connectome(), path), (path / "weight" / "c" / "old").write_text("mine")),
        lambda path: path.write_text("mine"),
        lambda path: path.symlink_to(path.parent),
        lambda path: path.symlink_to("nowhere"),
        lambda path: manifest.manifest_path(path).write_text('{"mine": 1}'),
    ],
    ids=["folder", "other zarr", "notes in a store", "file among chunks", "file", "link", "dangling", "manifest"],
)
def test_what_is_no_store_of_ours_is_never_deleted(tmp_path, make, overwrite):
    """Issue 11.2: any folder that ends in .zarr was deleted, with the user's own files."""
    path = tmp_path / "a.zarr"
    make(path)
    before = {file: file.lstat().st_ino for file in tmp_path.rglob("*")}
    with pytest.raises(StoreError, match="would be deleted"):
        stores.write(samples.connectome(), path, overwrite=overwrite)
    with pytest.raises(StoreError, match="would be deleted"):
        stores.SpikeWriter(
            path, samples.pd.DataFrame({"population": ["E"]}), 0.1, 1.0, samples.ATTRS, overwrite=overwrite
        )
    assert {file: file.lstat().st_ino for file in tmp_path.rglob("*")} == before


def test_what_appears_while_a_store_is_written_is_not_deleted_either(tmp_path):
    path = tmp_path / "a.zarr"
    reserved = publication.reserve(path, overwrite=True)
    arrays.write_group(zarr.create_group(reserved.partial, zarr_format=3), samples.connectome())
    arrays.finalise(reserved.partial)
    path.mkdir()
    (path / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match="meanwhile"):
        publication.publish(reserved, None)
    reserved.discard()
    assert left(tmp_path) == ["a.zarr"]
    assert (path / "mine.txt").read_text() == "mine"


def test_a_store_is_replaced_only_when_asked_for(tmp_path):
    path = stores.write(samples.connectome(), tmp_path / "a.zarr")
    old = manifest.manifest_path(path).read_bytes()
    with pytest.raises(StoreError, match="the store exists") as raised:
        stores.write(samples.activity(), path)
    assert "overwrite=True" in str(raised.value)
    assert manifest.manifest_path(path).read_bytes() == old
    for file in (".DS_Store", ".snakemake_timestamp", "weight/._x", "Thumbs.db"):
        (path / file).touch()
    stores.write(samples.activity(), path, overwrite=True)
    assert stores.open(path, check="full").attrs["schema"] == "Activity"
    shutil.rmtree(path)
    with pytest.raises(StoreError, match="the manifest of a store exists"):
        stores.write(samples.activity(), path)
    stores.write(samples.connectome(), path, overwrite=True)
    manifest.manifest_path(path).unlink()  # as an interruption leaves it
    stores.write(samples.activity(), path, overwrite=True)
    assert stores.verify(path) == []
    assert left(tmp_path) == ["a.manifest.json", "a.zarr"]


def test_files_beside_a_store_appear_with_it(tmp_path):
    card = tmp_path / "a.cards.json"
    stores.write(samples.scores(), tmp_path / "a.zarr", beside={card: b"first"})
    with pytest.raises(StoreError, match="the store exists"):
        stores.write(samples.scores(), tmp_path / "a.zarr", beside={card: b"second"})
    assert card.read_bytes() == b"first"
    reserved = publication.reserve(tmp_path / "a.zarr", overwrite=True)
    stores.write(samples.scores(), tmp_path / "a.zarr", beside={card: b"third"}, overwrite=True, provenance={"n": 3})
    arrays.write_group(zarr.create_group(reserved.partial, zarr_format=3), samples.connectome())
    arrays.finalise(reserved.partial)
    with pytest.raises(StoreError, match="meanwhile"):
        publication.publish(reserved, None, {card: b"fourth"})
    reserved.discard()
    assert card.read_bytes() == b"third"
    assert stores.verify(tmp_path / "a.zarr") == []
    assert left(tmp_path) == ["a.cards.json", "a.manifest.json", "a.zarr"]


def test_folders_above_a_store_are_made_and_a_file_among_them_is_said(tmp_path):
    """Issue 11.16: missing parent folders."""
    path = stores.write(samples.connectome(), tmp_path / "new" / "deep" / "a.zarr")
    assert stores.verify(path) == []
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match=r"cannot write: .*\n.*file/a\.zarr\n.*parents are folders"):
        stores.write(samples.connectome(), tmp_path / "file" / "a.zarr")


@pytest.mark.parametrize(
    ("number", "advice"), [(errno.ENOSPC, "free some space"), (errno.EROFS, "read-only"), (errno.EIO, "check the disk")]
)
def test_a_disk_that_takes_nothing_more_is_one_message_with_the_path(tmp_path, monkeypatch, number, advice):
    """Issue 11.17: 74 lines without the path."""

    def refuse(*arguments, **options):
        raise OSError(number, os.strerror(number))

    path = tmp_path / "a.zarr"
    monkeypatch.setattr(arrays, "write_group", refuse)
    with pytest.raises(StoreError, match=advice) as raised:
        stores.write(samples.connectome(), path)
    assert raised.value.where == str(path)
    units = samples.pd.DataFrame({"population": ["E"]})
    with pytest.raises(StoreError, match=advice), stores.SpikeWriter(path, units, 0.1, 1.0, samples.ATTRS):
        pass
    monkeypatch.undo()
    writer = stores.SpikeWriter(path, units, 0.1, 1.0, samples.ATTRS, chunk=1)
    monkeypatch.setattr(arrays, "create_array", refuse)
    with pytest.raises(StoreError, match=advice), writer:
        writer.append([1, 2], [0, 0])
    assert left(tmp_path) == []


def test_a_disk_that_is_really_full_leaves_nothing_half_written(tmp_path, root):
    """A limit of the file size stands for a full disk: the kernel itself refuses to write on."""
    code = (
        "import resource, sys\n"
        "from allometry import stores\n"
        "from allometry.errors import StoreError\n"
        "from tests.stores import samples\n"
        "made = samples.activity()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600, resource.RLIM_INFINITY))\n"
        "try:\n    stores.write(made, sys.argv[1])\n"
        "except StoreError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.zarr")], cwd=root, capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "cannot write: File too large"
    assert str(tmp_path / "a.zarr") in done.stdout
    assert left(tmp_path) == []


def test_a_lock_that_is_taken_away_is_taken_anew(tmp_path):
    """Whoever waited on the file of a lock that is gone must not believe to hold it."""
    lock = tmp_path / "lock"
    with files.exclusive(lock, keep=False):
        code = (
            "import sys, time; from pathlib import Path; from allometry import files\n"
            "print('waiting', flush=True)\n"
            "with files.exclusive(Path(sys.argv[1]), keep=False):\n"
            "    print(Path(sys.argv[1]).exists(), flush=True)\n"
        )
        waiting = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE, text=True)
        assert waiting.stdout.readline() == "waiting\n"
        time.sleep(0.2)
        assert waiting.poll() is None
    assert waiting.communicate()[0] == "True\n"
    assert not lock.exists()
