"""Recordings in tables of every make; oracle: one recording, written in each of them."""

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.inspection.examine import examine
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS

TIME = np.arange(60) / 4
NAMES = ("a", "b", "c")


def values():
    return np.stack([k + np.sin(TIME + k) for k in range(3)], 1).round(6)


def frame():
    return pd.DataFrame({"time": TIME, **dict(zip(NAMES, values().T))})


def lines(separator=",", comma=False):
    out = []
    for row in frame().itertuples(index=False):
        cells = [f"{cell:.6f}" for cell in row]
        out.append(separator.join(cell.replace(".", ",") if comma else cell for cell in cells))
    return out


def head(separator=","):
    return separator.join(["time", *NAMES])


def read(path, species="Mus musculus", **options):
    files = {path.name: path} if isinstance(path, Path) else {one.name: one for one in path}
    tree = READERS["generic"](files, Source("mine", species), options)
    assert stores.violations(tree) == []
    return tree


def check(tree, name="a"):
    native = tree[f"native/{name}"]
    np.testing.assert_allclose(native["trace"].values, values(), atol=1e-5)
    np.testing.assert_allclose(native["time"].values, TIME, atol=1e-6)
    return native


WRITINGS = {
    "decimal comma": (";", [head(";"), *lines(";", True)], {}),
    "decimal comma between tabs": ("\t", [head("\t"), *lines("\t", True)], {}),
    "decimal comma, stated": (";", [head(";"), *lines(";", True)], {"decimal": ",", "delimiter": ";"}),
    "comments above": (",", ["# made by hand", "% on a Monday", head(), *lines()], {}),
    "header in the comment": (",", [f"# {head()}", *lines()], {}),
    "comments within": (",", [head(), *lines()[:30], "! pause", *lines()[30:]], {"comment": "!"}),
    "lines above": (",", ["Experiment 7", "Room 3", head(), *lines()], {"skip_rows": 2}),
    "row of units": (",", [head(), "s,dF/F,dF/F,dF/F", *lines()], {"unit_row": True}),
    "blanks": (None, [head(" "), *lines(" ")], {}),
    "bars": ("|", [head("|"), *lines("|")], {"delimiter": "|"}),
}


@pytest.mark.parametrize("writing", sorted(WRITINGS))
def test_delimited_text_in_every_writing(tmp_path, writing):
    _, rows, options = WRITINGS[writing]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(rows) + "\n")
    tree = read(path, **options)
    check(tree)
    assert tree["neuron"].values.tolist() == list(NAMES)
    if writing == "row of units":
        assert tree["trace"].attrs["units"] == "dF/F"
    if writing == "comments above":
        found = stores.attribute(tree["native/a"], "derived")["comment"]
        assert found == ["made by hand", "on a Monday"]


def test_a_row_of_units_that_is_not_announced_is_explained(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([head(), "s,dF/F,dF/F,dF/F", *lines()]) + "\n")
    with pytest.raises(ReaderError, match="'dF/F' is not a number") as caught:
        read(path)
    assert "unit_row" in caught.value.do


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_says_the_encoding(tmp_path, encoding):
    """As Excel (Unicode Text) and PowerShell save it; `inspect` finds the same table."""
    path = tmp_path / "a.txt"
    path.write_bytes("\n".join([head("\t").replace("c", "Zürich"), *lines("\t", True)]).encode(encoding))
    tree = read(path)
    assert tree["neuron"].values.tolist() == ["Zürich", "a", "b"]
    np.testing.assert_allclose(tree["native/a"]["time"].values, TIME, atol=1e-6)
    (finding,) = examine([path]).findings
    assert (finding.reader, [kind for kind, _ in finding.stores.values()]) == ("generic", ["activity"])


def test_another_encoding_is_an_option(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join([head().replace("c", "Zürich"), *lines()]).encode("cp1252"))
    with pytest.raises(ReaderError, match="the text is not utf-8") as caught:
        read(path)
    assert "encoding" in caught.value.do
    assert read(path, encoding="cp1252")["neuron"].values.tolist() == ["Zürich", "a", "b"]


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet", ".feather", ".tsv", ".csv"])
def test_the_same_table_in_other_files(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    if suffix == ".xlsx":
        book = openpyxl.Workbook()
        book.active.title = "traces"
        book.create_sheet("notes").append(["x"])
        for row in [list(frame().columns), *frame().to_numpy().tolist()]:
            book["traces"].append(row)
        book.save(path)
        with pytest.raises(ReaderError, match="2 sheets"):
            read(path)
        check(read(path, sheet="traces"))
        return
    table = frame()
    {
        ".parquet": lambda: table.to_parquet(path),
        ".feather": lambda: table.to_feather(path),
        ".tsv": lambda: table.to_csv(path, sep="\t", index=False),
        ".csv": lambda: table.to_csv(path, index=False),
    }[suffix]()
    check(read(path))


def test_an_empty_cell_is_a_missing_sample_in_every_file(tmp_path):
    table = frame()
    table.loc[5, "b"] = np.nan
    table.to_parquet(tmp_path / "a.parquet")
    table.to_csv(tmp_path / "a.csv", index=False)
    for name in ("a.parquet", "a.csv"):
        trace = read(tmp_path / name)["native/a/trace"].values
        assert np.isnan(trace[5, 1])
        assert np.isnan(trace).sum() == 1


def test_numbers_of_frames_are_times_and_lost_frames_stay_lost(tmp_path):
    table = frame()
    table["time"] = np.arange(60) + 100
    table.drop(index=[20, 21, 22]).to_csv(tmp_path / "a.csv", index=False)
    tree = read(tmp_path / "a.csv", time_is="frames", native_rate_hz=8.0)
    time = tree["native/a/time"].values
    assert len(time) == 57
    assert time[20] - time[19] == pytest.approx(4 / 8)
    assert "numbers of frames" in stores.attribute(tree["native/a"], "derived")["time_from"]
    with pytest.raises(ReaderError, match="their rate is not known"):
        read(tmp_path / "a.csv", time_is="frames")
    frame().to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(ReaderError, match="no whole numbers"):
        read(tmp_path / "a.csv", time_is="frames", native_rate_hz=8.0)


@pytest.mark.parametrize("species", ["Mus musculus", "Danio rerio", "unknown"])
def test_recordings_without_labels_of_any_species(tmp_path, species):
    for name in ("x", "y"):
        np.savez(tmp_path / f"{name}.npz", traces=values(), time=TIME)
    tree = read([tmp_path / "x.npz", tmp_path / "y.npz"], species)
    assert tree["neuron"].values.tolist() == ["x:0", "x:1", "x:2", "y:0", "y:1", "y:2"]
    assert tree["recorded"].values.sum(1).tolist() == [3, 3]
    # a worm's neurons are known: without a name none of them was recorded
    with pytest.raises(ReaderError, match="Nothing of this recording reaches the canonical view"):
        read(tmp_path / "x.npz", "Caenorhabditis elegans")
    assert read(tmp_path / "x.npz", "Caenorhabditis elegans", neurons="rois").sizes["neuron"] == 3


def test_rois_may_stay_themselves_though_they_have_labels(tmp_path):
    frame().to_csv(tmp_path / "a.csv", index=False)
    tree = read(tmp_path / "a.csv", neurons="rois")
    assert tree["neuron"].values.tolist() == ["a:0", "a:1", "a:2"]
    assert tree["native/a/label_in_file"].values.tolist() == list(NAMES)


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".xlsx"])
def test_damaged_tables_end_in_one_message(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"PAR1 not really" * 9)
    with pytest.raises(ReaderError) as caught:
        read(path)
    assert str(path.name) in str(caught.value)
