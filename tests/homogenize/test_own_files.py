"""Files of the user's own, through the stage: provenance, optional files, files that are not what they seem, the docs page."""

import re
import sys
import types

import numpy as np
import pytest
import yaml

from allometry import config, homogenize, stores
from allometry.config.registry import SourceEntry, merge
from allometry.errors import ReaderError
from allometry.homogenize import readers
from allometry.homogenize.reader import Source
from allometry.retrieve import run as retrieve
from tests.homogenize import fixtures_connectomes as fixtures
from tests.homogenize.fixtures.worms import NAMES, WRITERS, noise


def entry(files, reader, own=True, **more):
    plain = SourceEntry.model_validate(
        {"reader": reader, "files": [{"name": n, "places": [f"file:{p}"]} for n, p in files.items()], **more}
    )
    made = merge({}, {"mine": plain})["mine"] if own else merge({"mine": plain}, {})["mine"]
    return {"name": "mine", **made}


def test_own_files_do_not_cite_the_collection_of_their_reader(tmp_path):
    (tmp_path / "raw").mkdir()
    files, options = fixtures.white1986(tmp_path / "raw")
    made = entry(files, "white1986", options=options, stores={"mine": {"kind": "connectome"}})
    homogenize.run(made, "mine", tmp_path / "raw", tmp_path / "mine.zarr")
    store = stores.open(tmp_path / "mine.zarr")
    assert store.attrs["title"] == "mine"
    assert store.attrs["citation"] == "unpublished"
    assert "counts" not in stores.attribute(store, "derived")
    homogenize.run({**made, "own": False}, "mine", tmp_path / "raw", tmp_path / "theirs.zarr")
    assert "White et al. 1986" in stores.open(tmp_path / "theirs.zarr").attrs["title"]


def test_the_published_length_of_a_collection_is_not_that_of_own_recordings(tmp_path):
    """Recordings of the user's own in the npz layout of kato2015 became 1080 s long."""
    raw = tmp_path / "raw"
    raw.mkdir()
    np.savez(raw / "raw_full_data_worm_1.npz", noise(np.random.default_rng(0), 200, 3))
    names = np.empty(1, dtype=object)
    names[0] = ["AVAL", "AVAR"]
    index = np.empty(1, dtype=object)
    index[0] = [0, 1]
    np.savez(raw / "known_neurons.npz", index, names)
    made = entry({p.name: p for p in raw.iterdir()}, "kato2015", species="Caenorhabditis elegans")
    with pytest.raises(ReaderError, match="recording has no time") as caught:
        homogenize.run(made, "mine", raw, tmp_path / "mine.zarr")
    assert "native_rate_hz" in caught.value.do
    homogenize.run(made, "mine", raw, tmp_path / "mine.zarr", options={"native_rate_hz": 4.0})
    store = stores.open(tmp_path / "mine.zarr")
    assert store.attrs["title"] == "mine"
    assert store["native_rate"].values.tolist() == [4.0]
    assert "not among the files" in stores.attribute(store["native/WT_NoStim_1"], "derived")["states"]


def test_own_files_are_to_be_compared_with_what_is_known_of_them(tmp_path, caplog):
    """Of the user's own table there is no publication, and `generic` was not written for a layout."""
    (tmp_path / "a.csv").write_text("time,AVAL\n" + "".join(f"{i / 4},{i}\n" for i in range(40)))
    (tmp_path / "e.csv").write_text("source,target,weight\na,b,1\n")
    for name, reader, kind in (("a.csv", "generic", "activity"), ("e.csv", "generic_edges", "connectome")):
        made = entry({name: tmp_path / name}, reader, stores={"mine": {"kind": kind}})
        caplog.clear()
        homogenize.run(made, "mine", tmp_path, tmp_path / kind / "mine.zarr")
        assert "with what you know of your files" in caplog.text
        assert "genuine file" not in caplog.text
        homogenize.run({**made, "own": False}, "mine", tmp_path, tmp_path / kind / "theirs.zarr")
        assert "genuine file" in caplog.text


def test_an_optional_file_may_be_missing_on_the_way(tmp_path):
    (tmp_path / "a.csv").write_text("time,AVAL\n" + "".join(f"{i / 4},{i}\n" for i in range(40)))
    made = entry(
        {"a.csv": tmp_path / "a.csv", "b.csv": tmp_path / "b.csv"}, "generic", species="Caenorhabditis elegans"
    )
    made["files"][1]["optional"] = True
    retrieve("mine", made, tmp_path / "raw", None, tmp_path / "cache")
    homogenize.run(made, "mine", tmp_path / "raw", tmp_path / "mine.zarr")
    assert stores.open(tmp_path / "mine.zarr")["recording"].values.tolist() == ["a"]


@pytest.mark.parametrize("reader", ["leifer2023", "flavell2023", "varshney2011"])
def test_a_git_lfs_pointer_is_called_one_by_every_reader(tmp_path, reader):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "data.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    kind = readers.READERS[reader].kinds[0]
    made = entry({"data.bin": raw / "data.bin"}, reader, stores={"mine": {"kind": kind}})
    with pytest.raises(ReaderError, match="git-LFS pointer"):
        homogenize.run(made, "mine", raw, tmp_path / "mine.zarr")


def test_the_page_about_adding_a_reader_works_as_written(root, tmp_path, monkeypatch):
    """Its code is saved where it says; its entry, and that of the page on recordings, go through configuration, retrieval and reading."""
    page = (root / "docs" / "add-a-reader.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.S)[1]
    module = types.ModuleType("allometry.homogenize.readers.my_worms")
    exec(compile(code, "my_worms.py", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(readers, "NAMES", (*readers.NAMES, "my_worms"))
    time = np.arange(200) * 0.4
    trace = noise(np.random.default_rng(1), 200, len(NAMES))
    np.savez(tmp_path / "worm_1.npz", dff=trace.T, fps=2.5, names=np.array(NAMES))
    header = ",".join(["seconds", *(name or f"Q{i}" for i, name in enumerate(NAMES))])
    np.savetxt(tmp_path / "worm_1.csv", np.column_stack([time, trace]), delimiter=",", header=header, comments="")
    (tmp_path / "worm_2.csv").write_bytes((tmp_path / "worm_1.csv").read_bytes())
    others = (root / "docs" / "own-recordings.md").read_text()
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", others + page, re.S) if "my_worms" in block]
    assert len(blocks) == 2
    for block in blocks:
        cfg = config.validate(yaml.safe_load(block.replace("/data", str(tmp_path))))
        made = config.load_registry(cfg, root)["my_worms"]
        retrieve("my_worms", made, tmp_path / "raw", None, tmp_path / "cache")
        out = tmp_path / made["reader"] / "my_worms.zarr"
        homogenize.run({"name": "my_worms", **made}, "my_worms", tmp_path / "raw", out, recordings={"rate_hz": 3.0})
        store = stores.open(out)
        assert set(store["recording"].values.tolist()) <= {"worm_1", "worm_2"}
        np.testing.assert_allclose(store["native/worm_1/trace"].values, trace, rtol=1e-6)


@pytest.mark.parametrize("layout", sorted(set(WRITERS) - {"leifer2023"}))
def test_every_reader_can_leave_out_a_file_that_does_not_open(tmp_path, layout):
    fixture = WRITERS[layout](tmp_path)
    reader = readers.READERS["uzel2022_activity" if layout == "uzel2022" else layout]
    bad = tmp_path / ("broken" + next(iter(fixture.files.values())).suffix)
    bad.write_bytes(b"no such format")
    files = {**fixture.files, bad.name: bad}
    source = Source("mine", "Caenorhabditis elegans", files=dict.fromkeys(files, ""))
    with pytest.raises(ReaderError):
        reader(files, source, {})
    tree = reader(files, source, {"leave_out": [bad.name]})
    assert len(tree["recording"]) >= 1
    assert list(stores.attribute(tree, "derived")["skipped"].values()) == ["left out by the options"]
