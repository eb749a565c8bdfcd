"""Lists of spikes in every writing; oracle: the trains of `sortings`, and what the programs say of their own files."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.spikes import trains
from tests.homogenize.fixtures import sortings
from tests.homogenize.fixtures.spike_readers import FOREIGN, check_trains, derived, read


def nest_files(kind):
    return {path.name: path for path in sorted(FOREIGN.glob(f"nest_{kind}_*.dat"))}


@pytest.mark.parametrize(("kind", "options"), [("times", {}), ("steps", {"step_ms": 0.1})])
def test_files_of_nest_give_what_nest_has_in_memory(kind, options):
    events = json.loads((FOREIGN / "nest_memory.json").read_text())
    store = read("generic_spikes", nest_files(kind), **options)
    for unit, train in zip(store["unit"].values, stores.trains(store)):
        mine = [time for sender, time in zip(events["senders"], events["times"]) if sender == unit]
        np.testing.assert_allclose(train, np.sort(mine) / 1000, atol=1e-9)
    assert store.sizes["spike"] == len(events["times"])
    assert derived(store)["columns"]["unit"] == "sender"


def test_steps_without_their_length_are_refused():
    with pytest.raises(ReaderError, match="times are steps") as caught:
        read("generic_spikes", nest_files("steps"))
    assert "step_ms" in caught.value.expected


def test_arrays_of_nest_and_brian2(tmp_path):
    time, unit = sortings.events()
    np.savez(tmp_path / "nest.npz", senders=unit, times=time * 1000)
    np.savez(tmp_path / "brian.npz", i=unit, t=time)
    for name in ("nest", "brian"):
        check_trains(read("generic_spikes", tmp_path / f"{name}.npz"))


@pytest.mark.parametrize(
    ("writing", "options"),
    [
        ({}, {}),
        ({"header": "sender\ttime_ms", "factor": 1000, "separator": "\t"}, {}),
        ({"header": "unit;time", "separator": ";", "comma": True}, {}),
        ({"header": ""}, {"header": False}),
        ({"header": "# made by hand\n# unit time", "separator": " "}, {}),
        ({"header": "cell,when", "factor": 1e6}, {"unit": "cell", "time": "when", "time_unit": "us"}),
        ({"header": "unit,time\n-,ms", "factor": 1000}, {"unit_row": True, "time_unit": "ms"}),
    ],
)
def test_lists_in_every_writing(tmp_path, writing, options):
    path = sortings.write_csv(tmp_path / "spikes.csv", **writing)
    check_trains(read("generic_spikes", path, **options))


def test_a_gdf_file_has_no_header(tmp_path):
    path = sortings.write_csv(tmp_path / "spikes.gdf", header="", factor=1000, separator=" ")
    check_trains(read("generic_spikes", path, time_unit="ms"))


def test_a_workbook(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["unit", "time"])
    for time, unit in zip(*sortings.events()):
        book.active.append([int(unit), float(time)])
    book.save(tmp_path / "spikes.xlsx")
    check_trains(read("generic_spikes", tmp_path / "spikes.xlsx"))


def test_a_table_of_units_gives_columns_and_the_silent_ones(tmp_path):
    sortings.write_csv(tmp_path / "spikes.csv")
    (tmp_path / "units.csv").write_text("id,area,x,quality\n3,V1,1.5,good\n99,V2,0,mua\n12,V1,,good\n7,V2,4,good\n")
    files = {name: tmp_path / name for name in ("spikes.csv", "units.csv")}
    store = read("generic_spikes", files, units_file="units.csv", units_label="id")
    assert store["unit"].values.tolist() == [3, 99, 12, 7]
    assert store["row_size"].values.tolist() == [10, 0, 10, 10]
    assert store["population"].values.tolist() == ["V1", "V2", "V1", "V2"]
    np.testing.assert_array_equal(store["x"].values, [1.5, 0, np.nan, 4])
    np.testing.assert_allclose(list(stores.trains(store))[3], sortings.train(7))
    (tmp_path / "units.csv").write_text("id,area\n3,V1\n")
    with pytest.raises(ReaderError, match="has spikes and no row"):
        read("generic_spikes", files, units_file="units.csv", units_label="id")


def test_names_of_units_stay_letter_for_letter(tmp_path):
    (tmp_path / "a.csv").write_text("unit,time\n01,1\n1,2\n1e2,3\n")
    assert read("generic_spikes", tmp_path / "a.csv")["unit"].values.tolist() == ["01", "1", "1e2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the table is empty"),
        ("a,b\n1,2\n", "which column is the unit is not known"),
        ("unit,time\n1,x\n", "no spike: '1,x'"),
        ("unit,time\n1\n", "no spike: '1'"),
        ("unit,time\n,3\n", "the unit is empty"),
        ("1,0.5\n2,0.7\n", "would be lost as a header"),
        ("unit,time\n", "there are no units"),
    ],
)
def test_tables_that_are_no_lists_of_spikes(tmp_path, text, said):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ReaderError, match=said) as caught:
        read("generic_spikes", tmp_path / "a.csv")
    assert caught.value.where


def test_another_encoding_is_named_by_an_option(tmp_path):
    (tmp_path / "a.csv").write_bytes("unit,time\nGänglion,1\n".encode("latin-1"))
    with pytest.raises(ReaderError, match="the text is not utf-8") as caught:
        read("generic_spikes", tmp_path / "a.csv")
    assert "encoding" in caught.value.do
    assert read("generic_spikes", tmp_path / "a.csv", encoding="latin-1")["unit"].values.tolist() == ["Gänglion"]


def test_a_pickle_in_npz_is_never_loaded(tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.array([Path()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("unit.npy", stream.getvalue())
    with pytest.raises(ReaderError):
        read("generic_spikes", tmp_path / "a.npz")


@pytest.mark.parametrize("at_once", [1, 7, 2**22])
def test_trains_of_a_list_are_those_of_a_stable_sort(at_once, monkeypatch):
    monkeypatch.setattr(trains, "SPIKES_AT_ONCE", at_once)
    rng = np.random.default_rng(3)
    unit, time = rng.choice([3, 500, 41, -2], 200), rng.normal(size=200).round(1)
    labels, load, sizes = trains.by_unit(time, unit)
    assert labels.tolist() == [-2, 3, 41, 500]
    assert sizes.tolist() == [(unit == one).sum() for one in labels]
    for row, one in enumerate(labels):
        np.testing.assert_array_equal(load(row), np.sort(time[unit == one]))
    place = np.searchsorted(labels, unit)
    np.testing.assert_array_equal(trains._grouped(place, np.cumsum(sizes) - sizes), np.argsort(place, kind="stable"))
    nothing = trains.by_unit(time[:0], unit[:0])
    assert [len(one) for one in (nothing[0], nothing[2])] == [0, 0]
