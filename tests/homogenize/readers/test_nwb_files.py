"""NWB files that other programs wrote, what pynwb reads of the same file, and files that are refused."""

import gzip
import subprocess
import sys
import tracemalloc
import warnings
import zipfile

import h5py
import numpy as np
import pynwb
import pytest
import zarr
from pynwb import TimeSeries

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.formats.neurodata.zarr_tree import open_tree
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from allometry.homogenize.traces import blocks, conversion, recordings
from allometry.stores import runs
from allometry.stores.storage import layout
from tests.homogenize.fixtures import nwb_sessions as fixture
from tests.homogenize.readers.nwb import FOREIGN, derived, read


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return fixture.write(tmp_path_factory.mktemp("nwb") / "s1.nwb")


def foreign(name, folder):
    path = folder / name
    path.write_bytes(gzip.decompress((FOREIGN / f"{name}.gz").read_bytes()))
    return path


def test_a_zarr_store_of_hdmf_zarr_gives_what_the_hdf5_file_gives(tmp_path, session):
    packed = FOREIGN / "hdmf_zarr.nwb.zarr.zip"
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "s1.nwb.zarr"
    named = tmp_path / "s1.zip"
    named.write_bytes(packed.read_bytes())
    for kind in ("spikes", "activity", "responses"):
        expected = read(session, kind)
        for path in (named, folder):
            found = read(path, kind)
            for one, other in zip(found.subtree, expected.subtree) if kind == "activity" else [(found, expected)]:
                assert list(one.data_vars) == list(other.data_vars)
                for name in one.variables:
                    if name != "file":
                        np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=name)
            assert derived(found)["not_read" if kind != "activity" else "series"]


def test_a_pickle_in_a_zarr_store_is_not_decoded(tmp_path):
    """The column `group` of the electrodes is one, as hdmf-zarr writes references."""
    with zipfile.ZipFile(FOREIGN / "hdmf_zarr.nwb.zarr.zip") as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "s1.nwb.zarr"
    # a chunk that would run code, in the place of spike times
    chunk = folder / "units" / "spike_times" / "0"
    ran = tmp_path / "ran"
    payload = b"cos\nsystem\n(S'touch " + str(ran).encode() + b"'\ntR."
    meta = folder / "units" / "spike_times" / ".zarray"
    meta.write_text(
        '{"chunks": [180], "compressor": null, "dtype": "|O", "fill_value": 0, "filters": [{"id": "pickle"}], "order": "C",'
        ' "shape": [180], "zarr_format": 2}'
    )
    chunk.write_bytes(payload)
    with pytest.raises(ReaderError, match="could run code"):
        read(folder)
    assert not ran.exists()


def test_a_file_of_neuroconv(tmp_path):
    path = foreign("neuroconv.nwb", tmp_path)
    with h5py.File(path) as file:
        times, ends = file["units/spike_times"][:], file["units/spike_times_index"][:]
        raw = file["processing/ophys/Fluorescence/DfOverF/data"][:]
        masks = file["processing/ophys/ImageSegmentation/PlaneSegmentation/image_mask"][:]
    store = read(path)
    for number, train in enumerate(stores.trains(store)):
        np.testing.assert_array_equal(train, np.split(times, ends[:-1])[number])
    # a name that is a number stays as it is written
    assert store["unit_name"].values.tolist() == ["0", "1", "2", "3"]
    native = read(path, "activity")["native/neuroconv"]
    np.testing.assert_array_equal(native["trace"].values, raw.astype(np.float32))
    grid = np.arange(masks.shape[1])
    np.testing.assert_allclose(native["x"].values, (masks.sum(2) * grid).sum(1) / masks.sum((1, 2)))
    assert derived(native, "series") == "/processing/ophys/Fluorescence/DfOverF"


def test_a_worm_of_the_extension_for_whole_brain_imaging(tmp_path):
    tree = read(foreign("worm.nwb", tmp_path), "activity")
    assert tree.attrs["species"] == "Caenorhabditis elegans"
    assert tree.sizes["neuron"] == 302
    # most files of the archive name the species by its entry in a taxonomy
    with h5py.File(tmp_path / "worm.nwb", "r+") as file:
        del file["general/subject/species"]
        file["general/subject/species"] = "http://purl.obolibrary.org/obo/NCBITaxon_6239"
    again = read(tmp_path / "worm.nwb", "activity")
    assert (again.attrs["species"], again.sizes["neuron"]) == ("Caenorhabditis elegans", 302)
    native = tree["native/worm"]
    assert native["label"].values.tolist() == ["AVAL", "AVAR", "", "RIML", "VB2", ""]
    assert native["label_candidates"].values.tolist()[-1] == "AWCL/AWCR"
    np.testing.assert_allclose(native["x"].values, 0.3 * (10 * np.arange(6) + 1))
    assert native["z"].values.tolist() == pytest.approx([6.0] * 6)
    expected = np.arange(6)[None] + 0.1 * np.sin(np.arange(80) / 4)[:, None]
    np.testing.assert_allclose(native["trace"].values, expected, rtol=1e-6)
    assert any("MultiChannelVolumeSeries" in line for line in derived(native, "not_read"))


def test_pynwb_and_the_reader_agree(session):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pynwb.NWBHDF5IO(str(session), "r") as io:
            file = io.read()
            trains = [file.units["spike_times"][row] for row in range(len(file.units))]
            series = file.processing["ophys"]["DfOverF"]["dff1"]
            data, ids = series.data[:], series.rois.to_dataframe().index.tolist()
            lfp = file.processing["ecephys"]["LFP"]["lfp_series"]
            volts = lfp.data[:] * lfp.conversion
    store, tree = read(session), read(session, "activity")
    for found, expected in zip(stores.trains(store), trains):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(tree["native/s1_dff1"]["trace"].values, data, atol=1e-6)
    assert tree["native/s1_dff1"]["roi_id"].values.tolist() == [str(one) for one in ids]
    raw = read(session, "activity", series="lfp_series", rate_hz=50.0)
    np.testing.assert_allclose(raw["native/s1"]["trace"].values, volts, rtol=1e-6)


CHANNELS = 256


def long_recording(path, samples, **attrs):
    """A slow voltage of many channels, stored as int16 in chunks of 500 samples."""
    file = fixture.session("long", units=False, planes=0, lfp=False)
    some = np.zeros((2, CHANNELS), np.int16)
    file.add_acquisition(TimeSeries(name="slow", data=some, unit="V", rate=1250.0, conversion=1e-6, offset=0.5))
    fixture.write(path, file)
    stored = np.random.default_rng(samples).integers(-2000, 2000, (samples, CHANNELS)).astype(np.int16)
    with h5py.File(path, "r+") as written:
        attrs = dict(written["acquisition/slow/data"].attrs) | attrs
        del written["acquisition/slow/data"]
        written["acquisition/slow"].create_dataset("data", data=stored, chunks=(500, CHANNELS))
        written["acquisition/slow/data"].attrs.update(attrs)
    return stored


@pytest.fixture
def small_blocks(monkeypatch):
    """What is large is small, so that the tests are."""
    for module, name, value in (
        (recordings, "WHOLE", 2**12),
        (blocks, "RUN", 2**16),
        (conversion, "BLOCK_VALUES", 2**14),
        (conversion, "PIECE_VALUES", 2**14),
        (runs, "AT_ONCE", 2**19),
        (layout, "WHOLE_BYTES", 2**18),
        (layout, "CHUNK_BYTES", 2**18),
        (layout, "WHOLE_CHUNKS", 4),
        (layout, "SHARD_CHUNKS", 2),
    ):
        monkeypatch.setattr(module, name, value)


def peak_of(path, out):
    """Bytes that are allocated at once between the file and the finished store."""
    tracemalloc.start()
    made = READERS["nwb"]({path.name: path}, Source("mine"), {"series": "slow", "rate_hz": 100.0}, "activity")
    stores.write(made, out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.slow
def test_a_long_recording_streams_from_the_file_into_the_store(tmp_path, small_blocks):
    """Six times the length takes hardly more memory: the time stamps grow, the traces are never there as a whole."""
    short, long = 4_000, 24_000
    long_recording(tmp_path / "short.nwb", short)
    stored = long_recording(tmp_path / "long.nwb", long)
    peak_of(tmp_path / "short.nwb", tmp_path / "first.zarr")  # which imports as well
    few = peak_of(tmp_path / "short.nwb", tmp_path / "short.zarr")
    many = peak_of(tmp_path / "long.nwb", tmp_path / "long.zarr")
    assert many < 0.5 * stored.size * 4
    # the common view is held, 100 samples per second of 1250
    view = 4 * CHANNELS * (long - short) / 12.5
    assert many - few < 0.1 * (long - short) * CHANNELS * 4 + view
    made = stores.open(tmp_path / "long.zarr", check="full")
    assert stores.violations(made) == []
    np.testing.assert_allclose(made["native/long/trace"].values, stored * 1e-6 + 0.5, rtol=1e-6)


def test_blocks_change_nothing(tmp_path, monkeypatch, request):
    path = tmp_path / "long.nwb"
    long_recording(path, 3_000)
    whole = read(path, "activity", series="slow", rate_hz=100.0)
    request.getfixturevalue("small_blocks")
    parts = read(path, "activity", series="slow", rate_hz=100.0)
    np.testing.assert_array_equal(parts["native/long/trace"].values, whole["native/long/trace"].values)
    np.testing.assert_allclose(parts["trace"].values, whole["trace"].values, atol=1e-6)
    assert parts["missing_fraction"].values.tolist() == [0.0]
    assert derived(parts["native/long"]) == derived(whole["native/long"])
    # imputation needs all of it at once
    filled = read(path, "activity", series="slow", rate_hz=100.0, impute="iterative")
    np.testing.assert_array_equal(filled["native/long/trace"].values, whole["native/long/trace"].values)


def test_a_long_recording_that_is_stored_by_channel_and_what_is_missing_in_it(tmp_path, small_blocks):
    path = fixture.write(tmp_path / "s1.nwb")
    with h5py.File(path, "r+") as file:
        values = np.tile(file["processing/ecephys/LFP/lfp_series/data"][:].astype(np.float32), (4, 1))
        values[7, 2], values[9] = np.inf, np.nan
        attrs = dict(file["processing/ecephys/LFP/lfp_series/data"].attrs)
        del file["processing/ecephys/LFP/lfp_series/data"]
        file["processing/ecephys/LFP/lfp_series"].create_dataset("data", data=values.T, chunks=(3, 100))
        file["processing/ecephys/LFP/lfp_series/data"].attrs.update(attrs)
    native = read(path, "activity", series="lfp_series", rate_hz=10.0)["native/s1"]
    shown = np.where(np.isinf(values), np.nan, values) * np.float32(2e-6)
    np.testing.assert_allclose(native["trace"].values, shown, rtol=1e-6)
    assert derived(native, "infinite_values").startswith("1 samples")
    assert "transposed" in derived(native, "orientation")
    means = read(path, "responses", series="lfp_series", response="traces", intervals="trials")
    onset = means["onset"].values
    inside = onset > 1.2  # after what is missing
    rows = [slice(round((at - 1.0) * 50), round((at - 0.5) * 50)) for at in onset[inside]]
    expected = np.stack([values[part].mean(0) * 2e-6 for part in rows], axis=1)
    np.testing.assert_allclose(means["response"].values[:, inside], expected, rtol=1e-5)


def test_slices_of_zarr_arrays_are_those_of_the_whole(tmp_path):
    values = np.arange(70, dtype=np.int16).reshape(10, 7)
    root = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    root.create_array("x", data=values, chunks=(4, 3))
    with open_tree(tmp_path / "a.zarr") as tree:
        found = tree.get("x")
        for part in np.s_[:, :], np.s_[3:9], np.s_[:, 2:5], np.s_[4:4, 1:], np.s_[1:9:2], np.s_[2:, 3], np.s_[[5, 1]]:
            np.testing.assert_array_equal(found[part], values[part])


def test_files_of_the_mock_objects_that_pynwb_ships(tmp_path):
    from pynwb.testing.mock.ecephys import mock_ElectricalSeries
    from pynwb.testing.mock.file import mock_NWBFile
    from pynwb.testing.mock.ophys import mock_DfOverF

    path = tmp_path / "mock.nwb"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = mock_NWBFile()
        mock_ElectricalSeries(name="raw", nwbfile=file)
        mock_DfOverF(nwbfile=file)
        file.add_unit(spike_times=[1.0, 2.5])
        fixture.write(path, file)
    store, tree = read(path), read(path, "activity", native_rate_hz=30.0, max_gap_s=1.0)
    assert store["spike_time"].values.tolist() == [1, 2.5]
    with h5py.File(path) as written:
        item = tree["series"].values.tolist()[0]
        np.testing.assert_allclose(tree["native/mock"]["trace"].values, written[item]["data"][:], rtol=1e-6)
    assert "acquisition/raw (ElectricalSeries)" in derived(tree["native/mock"], "not_read")


# Bad input


def test_files_that_are_no_nwb_2_file_are_called_so(tmp_path):
    path = tmp_path / "a.nwb"
    with h5py.File(path, "w") as file:
        file["x"] = [1.0]
    with pytest.raises(ReaderError, match="this is no NWB file: it has x"):
        read(path)
    with h5py.File(path, "w") as file:
        file["nwb_version"] = "NWB-1.0.6"
    with pytest.raises(ReaderError, match="NWB 1") as caught:
        read(path)
    assert "allen_two_photon" in caught.value.do
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ReaderError, match="git-LFS pointer"):
        read(path)
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(ReaderError, match="Zarr store cannot be opened"):
        read(tmp_path / "empty.zarr")


@pytest.mark.parametrize(
    ("place", "value", "kind", "said"),
    [
        ("units/spike_times_index", [4, 2, 9, 9, 9], "spikes", "index of column 'spike_times'"),
        ("processing/ophys/DfOverF/dff0/rois", [0, 1, 9], "activity", "names row 9 of a table of 3"),
        ("processing/ophys/DfOverF/dff0/rois", [0, 1], "activity", "3 traces, and its region has 2 ROIs"),
        ("intervals/trials/stop_time", [-1.0] * 12, "responses", "ends at -1 s, and starts at"),
        ("processing/ophys/DfOverF/dff0/timestamps", [0.0, 1.0], "activity", "120 samples but 2 time stamps"),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_their_place(tmp_path, session, place, value, kind, said):
    path = tmp_path / "a.nwb"
    path.write_bytes(session.read_bytes())
    with h5py.File(path, "r+") as file:
        attrs = dict(file[place].attrs)
        del file[place]
        file[place] = value
        for name, kept in attrs.items():
            file[place].attrs[name] = kept
    with pytest.raises(ReaderError, match=said) as caught:
        read(path, kind, **({"intervals": "trials"} if kind == "responses" else {}))
    assert "a.nwb" in str(caught.value)


def test_importing_the_reader_imports_no_pynwb():
    script = (
        "import sys\nfrom allometry.homogenize.readers import READERS\nREADERS['nwb']\nprint('pynwb' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
