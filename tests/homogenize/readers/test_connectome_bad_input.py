"""The errors that issue and design name, one by one: what is wrong, where, what was expected."""

import shutil
import zipfile

import h5py
import numpy as np
import openpyxl
import pytest

from allometry import homogenize, stores
from allometry.errors import ReaderError
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from tests.homogenize import fixtures_connectomes as fixtures


def read(reader, files, options):
    return READERS[reader](files, Source(reader, files=dict.fromkeys(files, "0" * 64)), dict(options))


def edit(path, change):
    """Change an .xlsx in place."""
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)


def failure(reader, files, options):
    with pytest.raises(ReaderError) as error:
        read(reader, files, options)
    assert error.value.where
    return error.value


def test_missing_sheet(tmp_path):
    files, options = fixtures.cook2019(tmp_path)
    edit(files["si5.xlsx"], lambda book: book.remove(book["hermaphrodite chemical"]))
    error = failure("cook2019", files, options)
    assert "hermaphrodite chemical" in error.what
    assert "male chemical" in error.expected  # what the file has instead


@pytest.mark.parametrize(
    ("cell", "what"), [((3, 4), "column without a name"), ((4, 3), "row without a name"), ((5, 22), "column")]
)
def test_numbers_without_a_name_are_refused(tmp_path, cell, what):
    files, options = fixtures.cook2019(tmp_path)

    def spoil(book):
        sheet = book["hermaphrodite chemical"]
        row, column = cell
        sheet.cell(*cell).value = 7 if column == 22 else None
        if row == 3:
            sheet.cell(4, 4).value = 7
        if column == 3:
            sheet.cell(4, 5).value = 7

    edit(files["si5.xlsx"], spoil)
    error = failure("cook2019", files, options)
    assert what in error.what
    assert "hermaphrodite chemical" in error.where


def test_names_repeated_at_the_end_are_skipped_and_recorded(tmp_path):
    files, options = fixtures.cook2019(tmp_path)

    def repeat(book):
        sheet = book["hermaphrodite chemical"]
        for row in range(4, 14):
            sheet.cell(row, 20).value = sheet.cell(row, 3).value

    before = read("cook2019", files, options)
    edit(files["si5.xlsx"], repeat)
    after = read("cook2019", files, options)
    assert "unnamed_rows_and_columns_skipped" not in stores.attribute(before, "derived")
    assert (
        "column 20" in stores.attribute(after, "derived")["unnamed_rows_and_columns_skipped"]["hermaphrodite chemical"]
    )
    assert before.drop_attrs().equals(after.drop_attrs())


def test_missing_column(tmp_path):
    files, options = fixtures.witvliet2020(tmp_path)
    edit(files["witvliet_2020_7.xlsx"], lambda book: book.worksheets[0].delete_cols(4))
    error = failure("witvliet2020", files, options)
    assert "'synapses' is missing" in error.what
    assert "pre, post, type" in error.expected


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (1, "AVALL", "unknown neuron name 'AVALL'"),
        (4, -2, "negative weight"),
        (4, None, "is not a number"),
        (4, "three", "is not a number: 'three'"),
        (3, "magnetic", "unknown connection type 'magnetic'"),
        (2, None, "is not a name"),
    ],
)
def test_bad_cell_is_named_with_its_row(tmp_path, column, value, message):
    files, options = fixtures.witvliet2020(tmp_path)
    edit(files["witvliet_2020_7.xlsx"], lambda book: book.worksheets[0].cell(5, column).__setattr__("value", value))
    error = failure("witvliet2020", files, options)
    assert message in error.what
    assert "witvliet_2020_7.xlsx" in error.where
    if column != 1:  # names are checked once each, not per row
        assert error.where.endswith("row 5")


def test_duplicate_edges_are_summed_with_a_record(tmp_path):
    files, options = fixtures.witvliet2020(tmp_path)
    once = read("witvliet2020", files, options)

    def double(book):
        sheet = book.worksheets[0]
        sheet.append([cell.value for cell in sheet[2]])

    edit(files["witvliet_2020_7.xlsx"], double)
    twice = read("witvliet2020", files, options)
    assert twice.sizes["edge"] == once.sizes["edge"]
    assert stores.attribute(twice, "derived")["duplicate_rows_summed"] == 1
    assert twice["weight"].values.sum() > once["weight"].values.sum()


def test_truncated_spreadsheet(tmp_path):
    files, options = fixtures.cook2019(tmp_path)
    path = files["si5.xlsx"]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cannot be read" in failure("cook2019", files, options).what


def test_not_a_spreadsheet(tmp_path):
    files, options = fixtures.varshney2011(tmp_path)
    files["NeuronConnect.xls"].write_text("<html>404</html>")
    assert failure("varshney2011", files, options).what == "this is a web page, not data"


def test_damaged_old_spreadsheet(tmp_path):
    files, options = fixtures.varshney2011(tmp_path)
    files["NeuronConnect.xls"].write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    assert "cannot be read" in failure("varshney2011", files, options).what


def test_truncated_genuine_old_spreadsheet(mirror, tmp_path):
    path = tmp_path / "NeuronConnect.xls"
    data = (mirror / "celegans_connectome" / "NeuronConnect.xls").read_bytes()
    path.write_bytes(data[: len(data) // 3])
    assert "cannot be read" in failure("varshney2011", {path.name: path}, {}).what


def test_functional_matrices_of_the_wrong_shape(tmp_path):
    files, options = fixtures.randi2023(tmp_path)
    with h5py.File(files["funatlas.h5"], "r+") as file:
        dff = file["wt/dFF"][:-1]
        del file["wt/dFF"]
        file["wt/dFF"] = dff
    assert "(11, 12)" in failure("randi2023", files, options).what


def test_functional_orientation(tmp_path):
    """The file is [response, stimulus]: what the store calls source is the column."""
    files, options = fixtures.randi2023(tmp_path)
    with h5py.File(files["funatlas.h5"]) as file:
        dff, q, names = file["wt/dFF"][()], file["wt/q"][()], [n.decode() for n in file["neuron_ids"][()]]
    dataset = read("randi2023", files, options)
    labels = dataset["node"].values.tolist()
    place = {label: i for i, label in enumerate(names)} | {"AWCOFF": names.index("AWCOF")}
    for edge in range(dataset.sizes["edge"]):
        stimulus = place[labels[int(dataset["source"][edge])]]
        response = place[labels[int(dataset["target"][edge])]]
        assert float(dataset["weight"][edge]) == pytest.approx(dff[response, stimulus], rel=1e-6)
    assert dataset.sizes["edge"] == np.isfinite(q).sum()
    assert (dataset["weight"].values < 0).any()  # signed, and kept


def test_pickles_are_never_loaded(tmp_path):
    files, options = fixtures.flywire_mb(tmp_path)
    path = files["mb_fafb783.npz"]
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["side"] = arrays["side"].astype(object)
    np.savez(path, **arrays)
    assert "cannot be read" in failure("flywire_mb", files, options).what


def test_parts_that_do_not_add_up(tmp_path):
    """Aligned by position instead of id, the five matrices of the larva would not add up: the reader must notice."""
    files, options = fixtures.winding2023(tmp_path)
    assert stores.attribute(read("winding2023", files, options), "derived")["listed_in_another_order"]
    path = files["Supplementary-Data-S1.zip"]
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(n for n in members if n.endswith("/aa_connectivity_matrix.csv") and "MACOSX" not in n)
    head, *lines = members[name].decode().splitlines()
    first = lines[0].split(",")
    first[1] = str(float(first[1]) + 1)
    members[name] = "\n".join([head, ",".join(first), *lines[1:]]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    assert "differs from all-all in 1 cells" in failure("winding2023", files, options).what


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sex": "queen"}, "option sex of the reader cook2019: 'queen' is not known"),
        ({"sexx": "male"}, "unknown option 'sexx'"),
        ({"file": "other.xlsx"}, "is not one of the files"),
    ],
)
def test_bad_options(tmp_path, options, message):
    files, good = fixtures.cook2019(tmp_path)
    assert message in failure("cook2019", files, {**good, **options}).what


def entry(files):
    return {
        "name": "mine",
        "reader": "witvliet2020",
        "species": "Caenorhabditis elegans",
        "citation": "c",
        "licence": "l",
        "verified": "real",
        "files": [{"name": name, "sha256": "learn"} for name in files],
        "stores": {"mine": {"kind": "connectome", "options": {}}},
    }


def test_run_writes_a_store_and_its_manifest(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    files, _ = fixtures.witvliet2020(raw)
    out = tmp_path / "results" / "mine.zarr"
    homogenize.run(entry(files), "mine", raw, out, {"rule": "test"})
    dataset = stores.open(out, check="full")
    assert dataset.attrs["species"] == "Caenorhabditis elegans"
    assert len(stores.attribute(dataset, "source")["witvliet_2020_7.xlsx"]) == 64  # learnt: the file's own checksum
    assert (out.parent / "mine.manifest.json").is_file()


@pytest.mark.parametrize(
    ("changes", "store", "message"),
    [
        ({"reader": "witvliet20"}, "mine", "unknown reader 'witvliet20'"),
        ({}, "other", "store 'other' is not made"),
        ({"stores": {"mine": {"kind": "spikes"}}}, "mine", "makes no store of kind 'spikes'"),
        ({"files": [{"name": "gone.xlsx"}]}, "mine", "1 of 1 files are missing: gone.xlsx"),
    ],
)
def test_run_refuses_what_cannot_be(tmp_path, changes, store, message):
    raw = tmp_path / "raw"
    raw.mkdir()
    files, _ = fixtures.witvliet2020(raw)
    out = tmp_path / "mine.zarr"
    with pytest.raises(ReaderError) as error:
        homogenize.run({**entry(files), **changes}, store, raw, out)
    assert message in error.value.what
    assert not out.exists()


def test_a_failed_run_leaves_nothing_under_the_final_name(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    files, _ = fixtures.witvliet2020(raw)
    shutil.copy(__file__, files["witvliet_2020_7.xlsx"])
    with pytest.raises(ReaderError):
        homogenize.run(entry(files), "mine", raw, tmp_path / "out" / "mine.zarr")
    assert not list(tmp_path.rglob("*.zarr*"))
    assert not list(tmp_path.rglob("*.manifest.json"))
