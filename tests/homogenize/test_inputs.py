"""What a store says it was made of is what was read."""

import hashlib
import json

import pytest

from allometry import homogenize, stores
from allometry.errors import ReaderError

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


def test_a_file_that_is_written_while_it_is_read_is_refused(raw, tmp_path, monkeypatch):
    retrieved(raw)
    stamps = iter([{"edges.csv": (1, 1, 1)}, {"edges.csv": (1, 1, 2)}])
    monkeypatch.setattr(homogenize, "_stamps", lambda files: next(stamps))
    with pytest.raises(ReaderError, match=r"edges\.csv was changed while it was read"):
        run(raw, tmp_path / "a.zarr")
    assert [entry.name for entry in tmp_path.iterdir()] == ["raw"]
