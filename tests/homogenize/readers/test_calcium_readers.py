"""Readers of segmented calcium imaging; oracle: the arrays of `calcium`, and numpy's own loader for what is a pickle."""

import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.formats import object_npy
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from tests.homogenize.fixtures import calcium


def read(reader, files, **options):
    files = {files.name: files} if isinstance(files, Path) else files
    tree = READERS[reader](files, Source("mine", "Mus musculus"), options)
    assert stores.violations(tree) == []
    return tree


def notes(group):
    return stores.attribute(group, "derived")


# Suite2p


@pytest.fixture
def plane(tmp_path):
    return calcium.write_suite2p(tmp_path / "suite2p" / "plane0")


def test_cells_less_their_neuropil_as_the_settings_say(plane):
    tree = read("suite2p", plane)
    native = tree["native/mine"]
    kept = [0, 2, 3]
    expected = (calcium.fluorescence() - 0.5 * calcium.neuropil())[kept].T
    np.testing.assert_allclose(native["trace"].values, expected, rtol=1e-6)
    assert tree["neuron"].values.tolist() == ["mine:0", "mine:2", "mine:3"]
    assert native["x"].values.tolist() == [1, 7, 10]
    assert native["y"].values.tolist() == [0, 20, 30]
    assert native["cell_probability"].values.tolist() == [0.9, 0.6, 0.95]
    assert tree["native_rate"].values.tolist() == pytest.approx([calcium.FS])
    assert tree["indicator_decay_s"].values.tolist() == [1.25]
    found = notes(native)
    assert found["signal"] == "F - 0.5 Fneu; the coefficient is from ops.npy"
    assert found["cells"] == "3 of 4 ROIs are kept"
    assert found["not_read"] == ["F_chan2.npy"]
    assert stores.attribute(tree, "parameters")["cells"] == "accepted"


def test_signal_coefficient_and_cells_are_options(plane):
    tree = read("suite2p", plane, neuropil_coefficient=0.7, cells="all")
    expected = (calcium.fluorescence() - 0.7 * calcium.neuropil()).T
    np.testing.assert_allclose(tree["native/mine"]["trace"].values, expected, rtol=1e-6)
    for signal, array in (
        ("fluorescence", calcium.fluorescence()),
        ("neuropil", calcium.neuropil()),
        ("deconvolved", np.maximum(calcium.fluorescence() - 100, 0)),
    ):
        tree = read("suite2p", plane, signal=signal, cells="all")
        np.testing.assert_allclose(tree["native/mine"]["trace"].values, array.T, rtol=1e-6)
    assert read("suite2p", plane, min_probability=0.8)["neuron"].values.tolist() == ["mine:0", "mine:3"]
    with pytest.raises(ReaderError, match="none of 4 ROIs is kept"):
        read("suite2p", plane, min_probability=0.99)


def test_planes_of_a_folder_or_archive_are_recordings(plane, tmp_path):
    calcium.write_suite2p(tmp_path / "suite2p" / "plane1", 1)
    calcium.write_suite2p(tmp_path / "suite2p" / "combined", 0)
    packed = tmp_path / "suite2p.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted((tmp_path / "suite2p").rglob("*.npy")):
            archive.write(path, path.relative_to(tmp_path))
    for source in (tmp_path / "suite2p", packed):
        tree = read("suite2p", source)
        assert tree["recording"].values.tolist() == ["suite2p_plane0", "suite2p_plane1"]
        assert tree["native/suite2p_plane1"]["trace"].values.min() > 900


def test_files_of_a_plane_that_do_not_fit_are_refused(plane):
    without = {name: path for name, path in plane.items() if name != "iscell.npy"}
    with pytest.raises(ReaderError, match=r"there is no iscell\.npy") as caught:
        read("suite2p", without)
    assert "cells: all" in caught.value.do
    assert read("suite2p", without, cells="all").sizes["neuron"] == 4
    with pytest.raises(ReaderError, match=r"there is no F\.npy"):
        read("suite2p", {"iscell.npy": plane["iscell.npy"]})
    with pytest.raises(ReaderError, match="The recording has no time") as caught:
        read("suite2p", {name: path for name, path in plane.items() if name != "ops.npy"})
    assert "native_rate_hz" in caught.value.do
    np.save(plane["Fneu.npy"], calcium.neuropil()[:, 1:])
    with pytest.raises(ReaderError, match=r"Fneu\.npy \(4, 89\)"):
        read("suite2p", plane)


def test_settings_are_read_without_running_them(plane, tmp_path):
    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (open, (str(ran), "w"))

    settings = np.array({"fs": 30.0, "evil": Evil(), "neucoeff": 0.25}, dtype=object)
    np.save(plane["ops.npy"], settings, allow_pickle=True)
    ran.unlink(missing_ok=True)
    tree = read("suite2p", plane)
    assert not ran.exists()
    assert tree["native_rate"].values.tolist() == pytest.approx([30.0])
    assert "F - 0.25 Fneu" in notes(tree["native/mine"])["signal"]
    np.save(plane["F.npy"], np.array([Evil()], dtype=object), allow_pickle=True)
    ran.unlink(missing_ok=True)
    with pytest.raises(ReaderError, match="Python objects, which are never loaded"):
        read("suite2p", plane)
    assert not ran.exists()


@pytest.mark.parametrize("protocol", [2, 4])
def test_what_is_read_of_a_pickle_is_what_numpy_loads(tmp_path, protocol):
    import pickle

    value = {
        "a": [1, 2.5, "x", None, True, (3, 4)],
        "b": {"c": np.arange(6.0).reshape(2, 3), "d": np.asfortranarray(np.arange(6).reshape(2, 3))},
        "e": np.float32(2.5),
        "f": {1, 2},
    }
    array = np.array([value, "text"], dtype=object)
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        pickle.dump(array, file, protocol=protocol)
    expected = np.load(path, allow_pickle=True)
    found, word = object_npy.load_npy(path, tolerant=True)
    assert word == expected[1]
    assert found["a"][:5] == expected[0]["a"][:5]
    assert found["e"] == expected[0]["e"]
    for name in ("c", "d"):
        np.testing.assert_array_equal(found["b"][name], expected[0]["b"][name])
    assert protocol == 2 or sorted(found["f"]) == [1, 2]


# CaImAn


def test_accepted_components_with_centres_and_scores(tmp_path):
    tree = read("caiman", calcium.write_caiman(tmp_path / "day1.hdf5"))
    native = tree["native/day1"]
    np.testing.assert_allclose(native["trace"].values, calcium.components()[[0, 2]].T / 10, rtol=1e-6)
    assert tree["neuron"].values.tolist() == ["day1:0", "day1:2"]
    # rows k and k + 1, column 2 k
    assert native["y"].values.tolist() == [0.5, 2.5]
    assert native["x"].values.tolist() == [0, 4]
    assert native["snr"].values.tolist() == [5, 7]
    assert notes(native)["cells"] == "2 of 3 components are accepted"
    assert tree["trace"].attrs["units"] == "1"
    assert tree["native_rate"].values.tolist() == pytest.approx([calcium.FS])


@pytest.mark.parametrize("place", ["estimates/dims", "params/data/dims"])
def test_the_shape_of_the_field_is_wherever_the_file_has_it(tmp_path, place):
    path = calcium.write_caiman(tmp_path / "a.hdf5")
    with h5py.File(path, "r+") as file:
        del file["dims"]
        file["dims"] = "NoneType"
        file[place] = (6, 8)
    native = read("caiman", path)["native/a"]
    assert (native["y"].values.tolist(), native["x"].values.tolist()) == ([0.5, 2.5], [0, 4])
    with h5py.File(path, "r+") as file:
        del file[place]
    assert "there is no A, or no dims" in notes(read("caiman", path)["native/a"])["positions"]


def test_signals_and_unjudged_components(tmp_path):
    path = calcium.write_caiman(tmp_path / "a.hdf5", judged=False)
    for signal, expected in (
        ("denoised", calcium.components()),
        ("raw", calcium.components() + 0.25),
        ("deconvolved", np.maximum(calcium.components() - 1, 0)),
    ):
        tree = read("caiman", path, signal=signal)
        np.testing.assert_allclose(tree["native/a"]["trace"].values, expected.T, rtol=1e-6)
    assert "not judged" in notes(tree["native/a"])["cells"]
    with h5py.File(path, "r+") as file:
        del file["estimates/F_dff"]
        file["estimates/F_dff"] = "NoneType"
    assert notes(read("caiman", path)["native/a"])["signal"] == "/estimates/C"
    with pytest.raises(ReaderError, match="there is no signal dff"):
        read("caiman", path, signal="dff")


def test_several_days_are_recordings_and_one_can_be_left_out(tmp_path):
    files = {f"day{n}.hdf5": calcium.write_caiman(tmp_path / f"day{n}.hdf5") for n in range(3)}
    tree = read("caiman", files, leave_out=["day1.hdf5"])
    assert tree["recording"].values.tolist() == ["day0", "day2"]
    assert tree.sizes["neuron"] == 4


def test_a_file_of_another_layout_is_called_so(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["x"] = [1]
    with pytest.raises(ReaderError, match="group is missing"):
        read("caiman", tmp_path / "a.hdf5")
