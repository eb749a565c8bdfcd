"""The generic reader and the page about adding one; oracle: the arrays that were written."""

import re

import h5py
import numpy as np
import pytest
import scipy.io

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS, generic
from allometry.homogenize.traces import activity
from tests.homogenize.fixtures.worms import NAMES, WRITERS, noise

RNG = np.random.default_rng(8)
N = len(NAMES)
TRACE = noise(RNG, 200, N)
TIME = np.arange(200) * 0.4 + 3


def source(files, species="Caenorhabditis elegans"):
    return Source("mine", species, "c", "l", "real", {path.name: "" for path in files})


def read(paths, species="Caenorhabditis elegans", **options):
    return generic.READER({path.name: path for path in paths}, source(paths, species), options)


def native(tree, name):
    return tree[f"native/{name}"].to_dataset(inherit=False)


def check(tree, name="worm", labels=NAMES):
    found = native(tree, name)
    np.testing.assert_allclose(found["trace"].values, TRACE, rtol=1e-6)
    np.testing.assert_allclose(found["time"].values, TIME - TIME[0], atol=1e-9)
    assert found["label_raw"].values.tolist() == labels
    assert stores.violations(tree) == []


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_csv(tmp_path, separator):
    path = tmp_path / "worm.csv"
    names = [name or f"Q{i}" for i, name in enumerate(NAMES)]
    rows = [separator.join(["t", *names])]
    rows += [separator.join([repr(float(t)), *(repr(float(v)) for v in row)]) for t, row in zip(TIME, TRACE)]
    path.write_text("\n".join(rows) + "\n")
    check(read([path], time="t"), labels=names)


def test_a_cell_of_text_is_named(tmp_path):
    path = tmp_path / "worm.csv"
    path.write_text("t,AVAL,AVAR\n0,1,\n0.5,2,lost\n")
    with pytest.raises(ReaderError, match=r"'lost' is not a number") as caught:
        read([path], time="t")
    assert "row 2 below the header, column 'AVAR'" in caught.value.where


def test_csv_with_a_row_per_roi_and_no_time(tmp_path):
    path = tmp_path / "worm.csv"
    rows = [",".join(["name", *map(str, range(200))])]
    rows += [",".join([name, *(repr(float(v)) for v in TRACE[:, i])]) for i, name in enumerate(NAMES)]
    path.write_text("\n".join(rows))
    tree = read([path], orientation="roi", labels="name", native_rate_hz=2.5)
    check(tree)
    assert "derived from a rate of 2.5 Hz" in stores.attribute(native(tree, "worm"), "derived")["time"]
    with pytest.raises(ReaderError, match="native_rate_hz"):
        read([path], orientation="roi", labels="name")


def test_npz_hdf5_and_matlab(tmp_path):
    np.savez(tmp_path / "worm.npz", F=TRACE.T, t=TIME, ids=np.array(NAMES))
    with h5py.File(tmp_path / "worm2.h5", "w") as file:
        file["a/F"], file["a/t"] = TRACE.T, TIME
        file.create_dataset("a/ids", data=NAMES, dtype=h5py.string_dtype())
    cell = np.empty((1, N), dtype=object)
    cell[0] = NAMES
    scipy.io.savemat(tmp_path / "worm3.mat", {"s": {"F": TRACE.T, "t": TIME, "ids": cell}})
    check(read([tmp_path / "worm.npz"], traces="F", time="t", labels="ids", orientation="roi"))
    check(read([tmp_path / "worm2.h5"], traces="a/F", time="a/t", labels="a/ids", orientation="roi"), "worm2")
    check(read([tmp_path / "worm3.mat"], traces="s.F", time="s.t", labels="s.ids", orientation="roi"), "worm3")


def test_nwb(tmp_path):
    fixture = WRITERS["nejatbakhsh2020"](tmp_path)
    paths = list(fixture.files.values())
    tree = read(paths, labels="processing/CalciumActivity/NeuronIDs/labels")
    for path, worm in zip(paths, fixture.worms):
        found = native(tree, path.stem)
        np.testing.assert_allclose(found["trace"].values, worm.trace, rtol=1e-6)
        np.testing.assert_allclose(found["time"].values, worm.time, atol=1e-9)
        assert found["label_raw"].values.tolist() == worm.labels


def test_another_species_gets_the_axis_of_its_own_labels(tmp_path):
    np.savez(tmp_path / "a.npz", traces=TRACE[:, :3], time=TIME, labels=np.array(["V1", "V2", ""]))
    tree = read([tmp_path / "a.npz"], species="Mus musculus")
    assert tree["neuron"].values.tolist() == ["V1", "V2"]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"traces": "nope"}, "traces"),
        ({"orientation": "sideways"}, "orientation"),
        ({"traces": "F", "labels": "ids", "typo": 1}, "typo"),
        ({"traces": "F", "time": "t", "labels": "ids", "rate_hz": -1}, "rate_hz"),
        (
            {"traces": "F", "time": "seconds", "labels": "ids", "native_rate_hz": 2.5},
            "no 'seconds' to read the time from",
        ),
    ],
)
def test_wrong_options_are_named(tmp_path, options, match):
    np.savez(tmp_path / "worm.npz", F=TRACE, t=TIME, ids=np.array(NAMES))
    with pytest.raises(ReaderError, match=match):
        read([tmp_path / "worm.npz"], **options)


def test_the_page_lists_every_option_of_every_reader(root):
    sections = dict(part.split("\n", 1) for part in (root / "docs" / "readers.md").read_text().split("\n## ")[1:])
    common = sections["Every reader of recordings"]
    assert [key for key in activity.OPTIONS if f"\n| `{key}` |" not in common] == []
    for name, reader in READERS.items():
        has = common if "of every reader of recordings" in sections[name] else ""
        assert [key for key in reader.options if f"\n| `{key}` |" not in has + sections[name]] == [], name


def test_the_example_of_the_page_runs(root, tmp_path):
    page = (root / "docs" / "add-a-reader.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.S)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    namespace: dict = {}
    exec(compile(code, "add-a-reader.md", "exec"), namespace)
    path = tmp_path / "worm.npz"
    np.savez(path, dff=TRACE.T, fps=2.5, names=np.array(NAMES))
    tree = namespace["READER"]({path.name: path}, source([path]), {})
    np.testing.assert_allclose(native(tree, "worm")["trace"].values, TRACE, rtol=1e-6)
    assert stores.attribute(native(tree, "worm"), "derived")["renamed_labels"] == ["DB01 -> DB1", "VB02 -> VB2"]
    np.savez(path, other=TRACE)
    with pytest.raises(ReaderError, match="Not one of my files"):
        namespace["READER"]({path.name: path}, source([path]), {})
