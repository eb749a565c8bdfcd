"""Mouse recordings at hand; oracles: the averages and counts that the sources ship with them, facts of data/README.md."""

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import allen_swdb2016, mcateer_v1


def read(module, folder, options=None, without=(), kind=""):
    files = {
        p.name: p for p in sorted(folder.iterdir()) if p.suffix in (".mat", ".npy", ".csv") and p.name not in without
    }
    source = Source(module.READER.name, "Mus musculus", "c", "l", "real", dict.fromkeys(files, ""))
    return module.READER(files, source, options, kind)


@pytest.fixture(scope="module")
def mcateer(mirror):
    return mirror / "mouse_v1_mcateer"


@pytest.fixture(scope="module")
def swdb(mirror):
    return mirror / "allen_2p_swdb2016"


def test_tuned_averages_equal_the_shipped_ones(mcateer):
    dataset = read(mcateer_v1, mcateer)
    assert stores.violations(dataset) == []
    assert dataset["response"].shape == (73, 72)
    shipped = scipy.io.loadmat(mcateer / "Ave_all.mat")
    trials = stores.to_trials(dataset)  # conditions sort by name, so that they are put into the order of angles here
    angle = [int(name.rpartition("=")[2]) for name in trials["condition"].values.tolist()]
    assert sorted(angle) == list(range(0, 360, 30))
    ours = trials.values[np.argsort(angle)].transpose(2, 0, 1)
    np.testing.assert_array_equal(ours, shipped["AveON"].astype(np.float32))
    baseline = dataset["baseline"].values.reshape(73, 6, 12).swapaxes(1, 2)
    np.testing.assert_array_equal(baseline, shipped["AveOFF"].astype(np.float32))
    differences = stores.attribute(dataset, "derived")["largest_difference_from_shipped_averages"]
    assert differences["Ave_all.mat AveON"] == 0
    assert max(differences.values()) < 1e-12


def test_split_half_reliability_is_the_known_one(mcateer):
    trials = stores.to_trials(read(mcateer_v1, mcateer)).values.astype(float)
    odd, even = trials[:, ::2].mean(axis=1), trials[:, 1::2].mean(axis=1)
    each = [np.corrcoef(odd[:, cell], even[:, cell])[0, 1] for cell in range(73)]
    assert np.median(each) == pytest.approx(0.36, abs=0.05)


def test_lags_hold_every_sample_of_the_source(mcateer):
    dataset = read(mcateer_v1, mcateer, {"lags": True})
    assert stores.violations(dataset) == []
    trace = scipy.io.loadmat(mcateer / "DFF.mat")["DFF"]
    np.testing.assert_array_equal(dataset["response"].values.reshape(73, 2880), trace.astype(np.float32))
    assert dataset["lag"].values[[0, 20, -1]].tolist() == pytest.approx([-4.0, 0.0, 3.8])
    on = dataset["response"].sel(lag=slice(0, None)).mean("lag")
    np.testing.assert_allclose(on, read(mcateer_v1, mcateer)["response"], atol=1e-6)


def test_averages_of_another_recording_are_refused(mcateer, tmp_path):
    content = scipy.io.loadmat(mcateer / "DFF.mat")["DFF"]
    scipy.io.savemat(tmp_path / "DFF.mat", {"DFF": content[:, ::-1]})
    (tmp_path / "Ave_all.mat").symlink_to(mcateer / "Ave_all.mat")
    with pytest.raises(ReaderError, match="AveON are not those of"):
        read(mcateer_v1, tmp_path)
    assert "largest_difference_from_shipped_averages" not in stores.attribute(
        read(mcateer_v1, tmp_path, without=["Ave_all.mat"]), "derived"
    )


def test_printed_sweeps_are_reproduced_from_the_raster(swdb):
    dataset = read(allen_swdb2016, swdb)
    assert stores.violations(dataset) == []
    shipped = np.load(swdb / "fr.npy")
    np.testing.assert_array_equal(dataset["response"].values.T, shipped)
    printed = pd.read_csv(swdb / "printed_dg_labels_60.csv")
    assert (dataset["window"].values == "printed").sum() == 60
    # counted here from the raster itself, without the reader
    with h5py.File(swdb / "observatory_raster.mat") as file:
        raster = file["raster"][()]
    for row in printed.itertuples():
        np.testing.assert_array_equal(
            dataset["response"].values[:, row.trial], raster[:, row.start : row.end].sum(axis=1)
        )
        assert dataset["onset"].values[row.trial] == pytest.approx(row.start * 0.0333)
        expected = (
            "drifting_gratings/blank"
            if row.blank_sweep
            else f"drifting_gratings/orientation={row.orientation:g}/temporal_frequency={row.temporal_frequency:g}"
        )
        assert dataset["condition"].values[row.trial] == expected
    unknown = dataset["condition"].values[dataset["window"].values == "recovered"]
    assert len(set(unknown.tolist())) == 568  # never repeats of each other


def test_cell_ids_are_recorded_and_not_guessed(swdb):
    derived = stores.attribute(read(allen_swdb2016, swdb), "derived")
    assert derived["cell_ids"]["note"].startswith("243 ids for 242 cells")
    assert len(derived["cell_ids"]["ids"]) == 243
    assert read(allen_swdb2016, swdb)["unit"].values.tolist() == list(range(242))


def test_only_printed_sweeps_on_request(swdb):
    dataset = read(allen_swdb2016, swdb, {"sweeps": "printed"})
    assert dataset.sizes["presentation"] == 60
    assert int(dataset["blank"].sum()) == 2
    assert not any("unknown" in name for name in dataset["condition"].values.tolist())


def test_events_as_spikes(swdb):
    dataset = read(allen_swdb2016, swdb, kind="spikes")
    assert stores.violations(dataset) == []
    assert dataset.sizes["spike"] == 200_905
    trains = stores.trains(dataset)
    with h5py.File(swdb / "observatory_raster.mat") as file:
        np.testing.assert_allclose(trains[7], np.flatnonzero(file["raster"][7]) * 0.0333)


def test_counts_that_disagree_with_the_raster_are_refused(swdb, tmp_path):
    for path in swdb.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "fr.npy").unlink()
    counts = np.load(swdb / "fr.npy")
    counts[3, 5] += 1
    np.save(tmp_path / "fr.npy", counts)
    with pytest.raises(ReaderError, match="1 of 628 sweeps are not those of the raster"):
        read(allen_swdb2016, tmp_path)
