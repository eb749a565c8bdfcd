"""What a store says it was made of is what was read."""

import dataclasses
import hashlib
import json
import os
import time

import dask.array
import pytest
from dask.delayed import delayed

from allometry import homogenize, stores
from allometry.errors import ReaderError
from allometry.homogenize import reader, unchanged
from allometry.homogenize.readers import generic_edges

ENTRY = {
    "reader": "generic_edges",
    "species": "Mus musculus",
    "citation": "Nobody 2020",
    "licence": "CC0-1.0",
    "verified": "real",
    "files": [{"name": "edges.csv", "sha256": "0" * 64, "places": ["file:x"]}],
}
TEXT = "source,target,weight\na,b,1\nb,c,2\n"


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw" / "mine"
    folder.mkdir(parents=True)
    (folder / "edges.csv").write_text(TEXT)
    return folder


def retrieved(raw):
    found = {"edges.csv": {"sha256": hashlib.sha256((raw / "edges.csv").read_bytes()).hexdigest(), "place": "file:x"}}
    (raw / "manifest.json").write_text(json.dumps({"source": "mine", "files": found}))


def run(raw, out):
    entry = {**ENTRY, "options": {}}
    homogenize.run(entry, "mine", raw, out)
    return stores.attribute(stores.open(out), "source")["edges.csv"]


def test_a_raw_file_changed_after_retrieval_is_refused(raw, tmp_path):
    """Issue 11.14: the changed file was used, and the store recorded the registered checksum."""
    retrieved(raw)
    assert run(raw, tmp_path / "a.zarr") == hashlib.sha256(TEXT.encode()).hexdigest()
    (raw / "edges.csv").write_text(TEXT.replace("a,b,1", "a,b,9"))
    with pytest.raises(ReaderError, match=r"1 files have changed since they were retrieved: edges\.csv"):
        run(raw, tmp_path / "b.zarr")
    # the change, not what the reader makes of it, is the reason
    (raw / "edges.csv").write_text("")
    with pytest.raises(ReaderError, match="have changed since they were retrieved"):
        run(raw, tmp_path / "b.zarr")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.manifest.json", "a.zarr", "raw"]
    (raw / "manifest.json").write_text("{")
    with pytest.raises(ReaderError, match="manifest of the retrieval cannot be read"):
        run(raw, tmp_path / "b.zarr")


def test_without_a_retrieval_the_file_is_recorded_as_it_is(raw, tmp_path):
    assert run(raw, tmp_path / "a.zarr") == hashlib.sha256(TEXT.encode()).hexdigest()


def changing(when, change, monkeypatch):
    """Let somebody change the file just before or after the reader reads it, or before its checksum is taken."""
    entry = homogenize.READERS["generic_edges"]

    def read(files, source, options):
        path = files["edges.csv"]
        if when == "before":
            change(path)
        if when == "hash":
            monkeypatch.setattr(reader, "sha256", lambda path: (change(path), unchanged.sha256(path))[1])
        obj = entry.read(files, source, options)
        if when == "after":
            change(path)
        if when == "write":
            column = obj["weight"]
            late = delayed(lambda: (change(path), column.values)[1])()
            obj["weight"] = column.copy(data=dask.array.from_delayed(late, column.shape, column.dtype))
        return obj

    monkeypatch.setattr(generic_edges, "READER", dataclasses.replace(entry, read=read))


def rewrite(path):
    path.write_text(TEXT.replace("a,b,1", "a,b,9"))


def rewrite_with_its_old_time(path):
    stat = path.stat()
    rewrite(path)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def replace(path):
    other = path.with_name("other.csv")
    rewrite(other)
    os.replace(other, path)


def remove(path):
    path.unlink(missing_ok=True)


def there_and_back(path):
    rewrite(path)
    path.write_text(TEXT)


@pytest.mark.parametrize("when", ["before", "hash", "after", "write"])
@pytest.mark.parametrize("change", [rewrite, rewrite_with_its_old_time, replace, there_and_back, remove])
@pytest.mark.parametrize("known", [True, False], ids=["retrieved", "own"])
def test_a_file_that_is_changed_while_it_is_read_is_refused(raw, tmp_path, monkeypatch, when, change, known):
    """Whatever is read, hashed or written meanwhile: the store holds the checksum of the bytes it was made of, or is none."""
    if known:
        retrieved(raw)
    path = raw / "edges.csv"
    os.utime(path, (1e9, 1e9))  # as old as data are
    changing(when, change, monkeypatch)
    with pytest.raises((ReaderError, OSError)) as refused:
        run(raw, tmp_path / "a.zarr")
    if change is not remove:
        assert "edges.csv was changed while it was read" in str(refused.value) or known
    assert [entry.name for entry in tmp_path.iterdir()] == ["raw"]


def test_a_change_in_the_tick_in_which_the_file_was_written_is_seen(raw, monkeypatch):
    """Of a file that has just been written, time stamps cannot tell: its bytes do."""
    monkeypatch.setattr(unchanged, "_stamp", lambda path: (1, 1, 1, 1, time.time_ns() // 10**11 * 10**11))
    monkeypatch.setattr(unchanged, "COARSE_S", 1000.0)
    held = unchanged.Unchanged({"edges.csv": raw / "edges.csv", "absent.csv": raw / "absent.csv"})
    held.require()
    rewrite(raw / "edges.csv")
    with pytest.raises(ReaderError, match=r"edges\.csv was changed while it was read"):
        held.require()


def test_files_that_were_written_long_ago_are_read_once_for_their_checksum(raw, tmp_path, monkeypatch):
    monkeypatch.setattr(unchanged, "COARSE_S", 0.0)
    hashed, real = [], unchanged.sha256
    for module in (unchanged, reader):
        monkeypatch.setattr(module, "sha256", lambda path: (hashed.append(path.name), real(path))[1])
    run(raw, tmp_path / "a.zarr")
    assert hashed == ["edges.csv"]
