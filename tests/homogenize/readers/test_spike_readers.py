"""Readers of spike trains; oracle: the trains of `sortings`, and what the programs say of their own files."""

import io
import json
import shutil
import sys
import zipfile
from pathlib import Path

import neo
import numpy as np
import openpyxl
import pytest
import quantities as pq

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.inspection.examine import examine
from allometry.homogenize.options import complete
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from allometry.homogenize.spikes import objects, trains
from tests.homogenize.fixtures import sortings

FOREIGN = Path(__file__).parents[1] / "fixtures" / "foreign"


def read(reader, files, **options):
    files = {files.name: files} if isinstance(files, Path) else files
    store = READERS[reader](files, Source("mine"), options)
    assert stores.violations(store) == []
    return store


def derived(store):
    return stores.attribute(store, "derived")


def check_trains(store, units=sortings.UNITS):
    assert [int(one) for one in store["unit"].values.tolist()] == list(units)
    for found, unit in zip(stores.trains(store), units):
        np.testing.assert_allclose(found, sortings.train(unit), atol=1e-9)


# Kilosort and phy


@pytest.fixture
def phy(tmp_path):
    return sortings.write_phy(tmp_path / "sorting")


def test_phy_files_give_trains_groups_and_positions(phy):
    store = read("phy", phy)
    check_trains(store)
    assert store["group"].values.tolist() == ["good", "mua", "good"]
    assert store["KSLabel"].values.tolist() == ["good", "good", "mua"]
    assert store["Amplitude"].values.tolist() == [9.5, 8, 7]
    # the channel where the template of most of the spikes is largest
    assert store["channel"].values.tolist() == [3, 1, 0]
    assert store["x"].values.tolist() == [16, 16, 0]
    assert store["y"].values.tolist() == [60, 20, 0]
    assert store["y"].attrs["units"] == "um"
    assert derived(store)["not_read"] == ["amplitudes.npy"]


def test_phy_is_read_as_folder_and_archive_too(phy, tmp_path):
    folder = next(iter(phy.values())).parent
    check_trains(read("phy", folder))
    packed = tmp_path / "sorting.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name, path in phy.items():
            archive.write(path, f"probe0/{name}")
    check_trains(read("phy", packed))
    assert read("phy", packed, keep={"group": "good"})["unit"].values.tolist() == [3, 12]


def test_params_are_read_as_text_never_run(phy, tmp_path):
    ran = tmp_path / "ran"
    phy["params.py"].write_text(f"import pathlib\npathlib.Path({str(ran)!r}).touch()\nsample_rate = {sortings.RATE}\n")
    check_trains(read("phy", phy))
    assert not ran.exists()
    phy["params.py"].write_text("sample_rate = int('30000')\n")
    with pytest.raises(ReaderError, match=r"params\.py does not say the sampling rate") as caught:
        read("phy", phy)
    assert "sampling_rate_hz" in caught.value.do
    check_trains(read("phy", phy, sampling_rate_hz=sortings.RATE))


def test_a_pickle_in_npy_is_never_loaded(phy, tmp_path):
    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (open, (str(ran), "w"))

    np.save(phy["spike_times.npy"], np.array([Evil()], dtype=object), allow_pickle=True)
    ran.unlink(missing_ok=True)
    with pytest.raises(ReaderError, match="Python objects, which are never loaded"):
        read("phy", phy)
    assert not ran.exists()


def test_phy_files_that_do_not_fit_are_refused(phy):
    with pytest.raises(ReaderError, match=r"no spike_times\.npy"):
        read("phy", {name: path for name, path in phy.items() if name != "spike_times.npy"})
    np.save(phy["spike_clusters.npy"], np.arange(4))
    with pytest.raises(ReaderError, match=r"has 30 spikes, spike_clusters\.npy 4"):
        read("phy", phy)


@pytest.mark.parametrize("name", ["../evil.npy", "/evil.npy", "a/../../evil.npy"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path, name):
    packed = tmp_path / "sorting.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, b"")
    with pytest.raises(ReaderError, match="leads out of it"):
        read("phy", packed)


def test_two_sortings_at_once_are_refused(phy, tmp_path):
    other = sortings.write_phy(tmp_path / "other")
    both = {f"a/{name}": path for name, path in phy.items()} | {f"b/{name}": path for name, path in other.items()}
    with pytest.raises(ReaderError, match=r"2 files spike_times\.npy"):
        read("phy", both)


# SONATA


@pytest.mark.parametrize("units", ["milliseconds", "ms", "seconds", None])
def test_sonata_times_are_in_the_unit_of_the_file(tmp_path, units):
    store = read("sonata_spikes", sortings.write_sonata(tmp_path / "s.h5", units))
    check_trains(store)
    assert set(store["population"].values.tolist()) == {"cortex"}


def test_sonata_nodes_of_two_populations_are_different_units(tmp_path):
    path = sortings.write_sonata(tmp_path / "s.h5", several=True)
    store = read("sonata_spikes", path)
    assert store["unit"].values.tolist() == ["cortex:12", "cortex:3", "cortex:7"] + [
        f"thalamus:{n}" for n in (12, 3, 7)
    ]
    np.testing.assert_allclose(list(stores.trains(store))[4], sortings.train(3))
    check_trains(read("sonata_spikes", path, populations="thalamus"))
    with pytest.raises(ReaderError, match="no population 'cerebellum'"):
        read("sonata_spikes", path, populations=["cerebellum"])


# SpikeInterface


def spikeinterface(name, folder):
    """Path of a saved sorting; a Zarr store is a folder."""
    if "zarr" not in name:
        return FOREIGN / name
    zipfile.ZipFile(FOREIGN / name).extractall(folder)
    return folder / "sorting.zarr"


SAVED = ["spikeinterface_folder.zip", "spikeinterface.npz", "spikeinterface_npz_folder.zip", "spikeinterface_zarr.zip"]


@pytest.mark.parametrize("name", SAVED)
def test_files_that_spikeinterface_saved(name, tmp_path):
    path = spikeinterface(name, tmp_path)
    store = read("spikeinterface", path)
    assert store["unit"].values.tolist() == ["a", "b", "c"]
    found = [train.tolist() for train in stores.trains(store)]
    assert found == [[0.01, 0.02, 0.4], [0.005, 0.9], []]
    if name != "spikeinterface.npz":
        assert store["sorting_quality"].values.tolist() == ["good", "mua", "good"]
        assert store["probe_depth"].values.tolist() == [1.5, 2.5, 3.5]
    with pytest.raises(ReaderError, match="no segment 2"):
        read("spikeinterface", path, segment=2)
    assert [one.reader for one in examine([path]).findings] == ["spikeinterface"]


def test_the_sorting_in_an_analyzer_of_spikeinterface(tmp_path):
    sorting = spikeinterface("spikeinterface_zarr.zip", tmp_path)
    analyzer = tmp_path / "analyzer.zarr"
    analyzer.mkdir()
    (analyzer / ".zgroup").write_bytes((sorting / ".zgroup").read_bytes())
    (analyzer / ".zattrs").write_text(json.dumps({"spikeinterface_info": {"object": "SortingAnalyzer"}}))
    sorting.rename(analyzer / "sorting")
    store = read("spikeinterface", analyzer)
    assert [train.tolist() for train in stores.trains(store)] == [[0.01, 0.02, 0.4], [0.005, 0.9], []]
    assert [one.reader for one in examine([analyzer]).findings] == ["spikeinterface"]


@pytest.mark.parametrize("name", ["unit_ids", "spikes/sample_index", "spikes/segment_slices"])
def test_a_zarr_sorting_that_lacks_an_array(name, tmp_path):
    path = spikeinterface("spikeinterface_zarr.zip", tmp_path)
    shutil.rmtree(path / name)
    with pytest.raises(ReaderError, match=f"no array {name}"):
        read("spikeinterface", path)


def test_a_zarr_sorting_with_a_unit_that_is_not_there(tmp_path):
    path = spikeinterface("spikeinterface_zarr.zip", tmp_path)
    described = json.loads((path / "spikes" / "unit_index" / ".zarray").read_text())
    described |= {"compressor": None, "filters": None}
    (path / "spikes" / "unit_index" / ".zarray").write_text(json.dumps(described))
    (path / "spikes" / "unit_index" / "0").write_bytes(np.array([0, 0, 0, 1, 7], described["dtype"]).tobytes())
    with pytest.raises(ReaderError, match="a spike is of unit 7 of 3"):
        read("spikeinterface", path)


class Sorting:
    """What a BaseSorting answers."""

    def get_num_segments(self):
        return 1

    def get_unit_ids(self):
        return np.array(sortings.UNITS)

    def get_sampling_frequency(self):
        return sortings.RATE

    def get_unit_spike_train(self, unit, segment_index=0):
        return np.round(sortings.train(unit) * sortings.RATE).astype(np.int64)

    def get_property_keys(self):
        return ["quality", "gt"]

    def get_property(self, name):
        return np.array(["good", "mua", "good"]) if name == "quality" else np.zeros((3, 2))


def made(found):
    options = complete(trains.OPTIONS, {}, "here")
    return trains.build(found, Source("mine"), options, files={}, title="mine")


def test_a_sorting_in_memory_becomes_a_store():
    store = made(objects.of_sorting(Sorting()))
    check_trains(store)
    assert store["sorting_quality"].values.tolist() == ["good", "mua", "good"]
    assert derived(store)["properties_not_read"] == ["gt"]
    with pytest.raises(ReaderError, match="no segment 1"):
        objects.of_sorting(Sorting(), 1)


# Neo


def block(segments=1):
    out = neo.Block()
    for _ in range(segments):
        segment = neo.Segment()
        for unit in sortings.UNITS:
            train = neo.SpikeTrain(
                sortings.train(unit) * 1000, units="ms", t_start=0 * pq.ms, t_stop=20 * pq.s, name=str(unit)
            )
            train.annotate(quality="good" if unit > 3 else "mua", depth=unit * 10.0)
            segment.spiketrains.append(train)
        out.segments.append(segment)
    return out


def test_a_neo_block_becomes_a_store_with_its_annotations():
    store = made(objects.of_neo(block()))
    check_trains(store)
    assert store["sorting_quality"].values.tolist() == ["mua", "good", "good"]
    assert store["probe_depth"].values.tolist() == [30, 70, 120]
    assert store["observed"].values.tolist() == [[0, 20]]
    with pytest.raises(ReaderError, match="2 segments"):
        objects.of_neo(block(2))


def test_a_file_of_neo_is_read_and_a_pickle_is_not(tmp_path):
    path = tmp_path / "a.mat"
    neo.io.NeoMatlabIO(str(path)).write_block(block())
    store = read("neo_spikes", path, io="NeoMatlabIO")
    assert store.sizes["unit"] == 3
    np.testing.assert_allclose(next(iter(stores.trains(store))), sortings.train(3))
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(ReaderError, match="this is a pickle"):
        read("neo_spikes", tmp_path / "a.pkl")
    with pytest.raises(ReaderError, match="no reader 'PickleIO'"):
        read("neo_spikes", path, io="PickleIO")
    (tmp_path / "b.plx").write_bytes(b"nothing")
    with pytest.raises(ReaderError, match="Neo cannot read it"):
        read("neo_spikes", tmp_path / "b.plx")


def test_without_neo_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "neo", None)
    (tmp_path / "b.plx").write_bytes(b"nothing")
    with pytest.raises(ReaderError, match="Neo is not installed") as caught:
        read("neo_spikes", tmp_path / "b.plx")
    assert "pip install neo" in caught.value.do


# Lists of spikes


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
    np.save(stream, np.array([Sorting()], dtype=object), allow_pickle=True)
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
