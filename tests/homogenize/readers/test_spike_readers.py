"""Readers of spike trains; oracle: the trains of `sortings`, and what the programs say of their own files."""

import json
import shutil
import sys
import zipfile

import neo
import numpy as np
import pytest
import quantities as pq

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.inspection.examine import examine
from allometry.homogenize.options import complete
from allometry.homogenize.reader import Source
from allometry.homogenize.spikes import objects, trains
from tests.homogenize.fixtures import sortings
from tests.homogenize.fixtures.spike_readers import FOREIGN, check_trains, derived, read

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
