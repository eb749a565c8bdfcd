"""Two-photon sessions in the Brain Observatory's layout; oracle: what the generator of the files put into them."""

import collections

import h5py
import numpy as np
import pytest

from allometry import stores
from allometry.compare.inputs.design import populations
from allometry.compare.kinds.representation_similarity.stimuli import Screen, render
from allometry.errors import ReaderError
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import allen_two_photon
from tests.homogenize.fixtures.allen_two_photon import PIPELINE, write


def read(*paths, kind="", **options):
    files = {path.name: path for path in paths}
    source = Source("allen_two_photon", "Mus musculus", "c", "l", "layout-only", dict.fromkeys(files, ""))
    return allen_two_photon.READER(files, source, options, kind)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Session B at the row counts of the source: 118 images x 50 + 50 blanks."""
    return write(tmp_path_factory.mktemp("B") / "501574836.nwb", "B")


@pytest.fixture
def small(tmp_path):
    return write(tmp_path / "1.nwb", "A", cells=3, repeats=2)


def test_natural_scenes_have_the_row_counts_of_the_source(scenes):
    dataset = read(scenes.path, stimuli="natural_scenes")
    assert stores.violations(dataset) == []
    assert dataset.sizes["presentation"] == 118 * 50 + 50
    assert int(dataset["blank"].sum()) == 50
    assert (dataset["frame"].values[dataset["blank"].values] == -1).all()
    counts = collections.Counter(dataset["condition"].values.tolist())
    assert set(counts.values()) == {50}
    assert counts["natural_scenes/blank"] == 50
    assert len(counts) == 119
    assert stores.attribute(dataset, "derived")["design"]["natural_scenes"] == "118 conditions x 50 repeats + 50 blanks"
    spacing = np.diff(dataset["start_frame"].values)
    assert spacing.mean() == pytest.approx(7.5, abs=0.01)
    assert set((dataset["end_frame"] - dataset["start_frame"]).values.tolist()) == {7, 8}


def test_sweep_responses_are_means_over_the_frames_of_each_sweep(scenes):
    dataset = read(scenes.path)
    assert dataset.sizes["presentation"] == len(scenes.rows) == 5950 + 6000 + 9000 + 2
    trace = scenes.dff.astype(np.float64)
    assert dataset["unit"].values.tolist() == scenes.ids
    for number in range(0, len(scenes.rows), 97):
        row = scenes.rows[number]
        assert dataset["stimulus"].values[number] == row["stimulus"]
        expected = trace[:, row["start"] : row["stop"]].mean(axis=1)
        np.testing.assert_allclose(dataset["response"].values[:, number], expected, rtol=1e-5, atol=1e-6)
        assert bool(dataset["blank"].values[number]) == row["blank"]
        for name, value in row["parameters"].items():
            assert dataset[name].values[number] == value
    onset = scenes.time[[row["start"] for row in scenes.rows]] - scenes.time[0]
    np.testing.assert_allclose(dataset["onset"].values, onset)


def test_lag_axis(scenes):
    dataset = read(scenes.path, stimuli=["static_gratings"], lags=[-0.25, 0.5, 1 / 30])
    assert stores.violations(dataset) == []
    lag = dataset["lag"].values
    np.testing.assert_allclose(np.diff(lag), 1 / 30, rtol=1e-2)
    assert lag[0] == pytest.approx(-0.25, abs=1 / 30)
    zero = int(np.argmin(np.abs(lag)))
    rows = [row for row in scenes.rows if row["stimulus"] == "static_gratings"]
    for number in (0, 17, 5999):
        start = rows[number]["start"]
        expected = scenes.dff[:, start - zero : start - zero + len(lag)]
        np.testing.assert_array_equal(dataset["response"].values[:, number], expected)


def test_running_speed_is_aligned_by_time_not_by_sample(scenes):
    dataset = read(scenes.path, stimuli="natural_scenes")
    row = next(row for row in scenes.rows if row["stimulus"] == "natural_scenes")
    frames = scenes.time[row["start"] : row["stop"]]
    expected = 0.01 * np.interp(frames, scenes.running_time, scenes.running).mean()
    assert dataset["running_speed"].values[0] == pytest.approx(expected)
    assert dataset["running_speed"].attrs["units"] == "m s-1"


def test_cells_and_session(scenes):
    dataset = read(scenes.path, stimuli="natural_scenes")
    assert dataset["mask_pixels"].values.tolist() == scenes.masks
    assert set(dataset["area"].values.tolist()) == {"VISp"}
    np.testing.assert_allclose(dataset["depth"].values, 175e-6)
    assert stores.attribute(dataset, "session")["experiment_container_id"] == "511510736"
    assert stores.attribute(dataset, "session")["pipeline_version"] == "2.0"
    assert dataset["quality"].values.tolist() == [1.0] * 6


def test_drifting_gratings_and_movies(tmp_path):
    session = write(tmp_path / "a.nwb", "A", cells=2)
    dataset = read(session.path)
    counts = collections.Counter(dataset["stimulus"].values.tolist())
    assert counts == {
        "natural_movie_three": 36000,
        "natural_movie_one": 9000,
        "drifting_gratings": 628,
        "spontaneous": 2,
    }
    design = stores.attribute(dataset, "derived")["design"]
    assert design["drifting_gratings"] == "40 conditions x 15 repeats + 28 blanks"
    assert design["natural_movie_one"] == "900 conditions x 10 repeats"


@pytest.mark.parametrize("session", ["A", "B", "C"])
def test_older_files_give_the_same(tmp_path, session):
    new = read(write(tmp_path / "1.nwb", session, cells=3, repeats=2, images=4).path)
    old = read(write(tmp_path / "2.nwb", session, cells=3, repeats=2, images=4, old=True).path)
    np.testing.assert_array_equal(new["response"], old["response"])
    np.testing.assert_array_equal(new["condition"], old["condition"])
    assert stores.attribute(old, "derived")["pupil_size"] == "not in the file"
    assert np.isfinite(old["neuropil_r"]).all()


@pytest.mark.parametrize("old", [False, True])
def test_every_signal_is_found(tmp_path, old):
    session = write(tmp_path / "1.nwb", "A", cells=3, repeats=2, old=old)
    start, stop = session.rows[0]["start"], session.rows[0]["stop"]
    neuropil = read(session.path, signal="neuropil")
    raw = (100 + 10 * session.dff).astype(np.float32) / 2
    np.testing.assert_allclose(neuropil["response"][:, 0], raw[:, start:stop].mean(axis=1), rtol=1e-5)
    if old:
        with pytest.raises(ReaderError, match="dataset is missing"):
            read(session.path, signal="demixed")


def test_templates_that_were_not_shown_are_recorded(tmp_path):
    session = write(tmp_path / "c.nwb", "C", cells=2)
    derived = stores.attribute(read(session.path), "derived")
    assert derived["templates"]["locally_sparse_noise"] == "9000 templates, 8880 of them shown"


def test_activity_on_the_axis_of_all_cells_of_a_container(tmp_path):
    one = write(tmp_path / "1.nwb", "A", cells=3, repeats=2)
    other = write(tmp_path / "2.nwb", "B", cells=5, repeats=2, images=4, seed=3)
    tree = read(one.path, other.path, kind="activity", rate_hz=3.0, label_policy="strict")
    assert stores.violations(tree) == []
    assert tree["neuron"].values.tolist() == sorted({str(n) for n in one.ids + other.ids})
    native = tree["native/1"]
    np.testing.assert_array_equal(native["trace"].values, one.dff.T)
    np.testing.assert_allclose(native["time"].values, one.time - one.time[0])
    assert tree["native_rate"].values == pytest.approx([30, 30], rel=1e-3)
    row = one.rows[3]
    assert native["stimulus"].values[row["start"]] == row["stimulus"]
    assert set(native["stimulus"].values[:60].tolist()) == {""}


def change(path, edit):
    with h5py.File(path, "r+") as file:
        edit(file)


def replace(file, name, value):
    del file[name]
    file[name] = value


@pytest.mark.parametrize("kind", ["responses", "activity"])
def test_what_is_written_is_what_is_opened(small, tmp_path, kind):
    made = read(small.path, kind=kind)
    stores.write(made, tmp_path / "a.zarr")
    assert stores.verify(tmp_path / "a.zarr") == []
    opened = stores.open(tmp_path / "a.zarr").load()
    assert opened.identical(made)


def test_ids_that_do_not_fit_the_traces_are_refused(small):
    change(small.path, lambda file: replace(file, f"{PIPELINE}/ImageSegmentation/cell_specimen_ids", np.arange(4)))
    with pytest.raises(ReaderError, match="3 traces, but cell_specimen_ids has shape"):
        read(small.path)


def test_ids_that_are_not_unique_are_not_used(small):
    change(small.path, lambda file: replace(file, f"{PIPELINE}/ImageSegmentation/cell_specimen_ids", np.zeros(3, int)))
    dataset = read(small.path)
    assert dataset["unit"].values.tolist() == [517_394_000, 517_394_001, 517_394_002]
    assert "not unique" in stores.attribute(dataset, "derived")["cells_cell_specimen_ids"]


def test_traces_longer_than_time_are_an_error_or_truncated_with_a_record(small):
    change(small.path, lambda file: replace(file, f"{PIPELINE}/DfOverF/imaging_plane_1/timestamps", small.time[:-7]))
    with pytest.raises(ReaderError, match="time stamps"):
        read(small.path)
    dataset = read(small.path, length_policy="truncate")
    assert "the first" in stores.attribute(dataset, "derived")["length_mismatch"]


def test_sweeps_beyond_the_recording_are_missing_not_zero(small):
    def cut(file):
        for name in ("data", "timestamps"):
            where = f"{PIPELINE}/DfOverF/imaging_plane_1/{name}"
            replace(file, where, file[where][..., : small.rows[-1]["start"] + 5])

    change(small.path, cut)
    dataset = read(small.path)
    assert np.isnan(dataset["response"].values[:, -1]).all()
    assert stores.attribute(dataset, "derived")["presentations_without_data"]["count"] == 1


def test_seconds_in_place_of_frames_are_refused(small):
    where = "stimulus/presentation/drifting_gratings_stimulus/frame_duration"
    change(small.path, lambda file: replace(file, where, file[where][()] / 30.3))
    with pytest.raises(ReaderError, match="no frame numbers"):
        read(small.path)


def test_options_are_checked(small, scenes):
    with pytest.raises(ReaderError, match="natural_sceens is not in the file"):
        read(small.path, stimuli="natural_sceens")
    with pytest.raises(ReaderError, match="option lags"):
        read(small.path, lags=[1, 0, 0.1])
    with pytest.raises(ReaderError, match="2 files"):
        read(small.path, scenes.path)
    assert read(small.path, scenes.path, file="1.nwb").sizes["unit"] == 3
    with pytest.raises(ReaderError, match=r"would take .* GiB"):
        read(scenes.path, lags=[-100, 100, 0.03])


def test_a_movie_frame_that_ends_where_it_starts_is_one_frame(small):
    where = "stimulus/presentation/natural_movie_one_stimulus/frame_duration"
    rows = [row for row in small.rows if row["stimulus"] == "natural_movie_one"]
    change(small.path, lambda file: replace(file, where, file[where][()][:, [0, 0]]))
    dataset = read(small.path, stimuli="natural_movie_one")
    starts = [row["start"] for row in rows]
    np.testing.assert_array_equal(dataset["response"], small.dff[:, starts])
    assert "90 presentations" in stores.attribute(dataset, "derived")["single_frames"]["natural_movie_one"]


@pytest.fixture
def pictures(tmp_path):
    """A session of natural scenes with images of 36 x 49 pixels, larger than the fixture's."""
    path = tmp_path / "B.nwb"
    write(path, "B", cells=6, repeats=3, images=12)
    images = np.random.default_rng(3).integers(0, 256, (12, 36, 49), dtype=np.uint8)
    with h5py.File(path, "r+") as file:
        del file["stimulus/templates/natural_scenes_image_stack/data"]
        file["stimulus/templates/natural_scenes_image_stack/data"] = images
    return path, images


def test_natural_scenes_are_kept_beside_the_responses_and_shown_to_models(pictures, tmp_path):
    path, images = pictures
    dataset = read(path, stimuli="natural_scenes", images=18)
    assert stores.violations(dataset) == []
    # 49 pixels in at most 18: squares of 3, and one column is left over
    expected = images[:, :, :48].reshape(12, 12, 3, 16, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(dataset["pixels"].values, expected, atol=0.5)
    assert stores.attribute(dataset, "parameters")["images"] == 18
    stores.write(dataset, tmp_path / "scenes.zarr")
    again = stores.open(tmp_path / "scenes.zarr")
    np.testing.assert_array_equal(again["pixels"].values, dataset["pixels"].values)
    (population,) = populations("scenes", again)
    movies, _ = render(population, Screen(pixels=16), store=again)
    assert len(movies) == 12
    shown = np.array([movie[0, 4:-4, 4:-4].ravel() for movie in movies])
    own = dataset["pixels"].values[:, 2:-2, 4:-4].reshape(12, -1)
    # each movie is of its own image
    likeness = np.corrcoef(np.concatenate([shown.mean(axis=1)[None], own.mean(axis=1)[None]]))[0, 1]
    assert likeness > 0.5


def test_without_images_nothing_is_kept_and_other_sessions_have_none(pictures, small):
    assert "pixels" not in read(pictures[0], stimuli="natural_scenes")
    with pytest.raises(ReaderError, match="there are no images of natural scenes"):
        read(small.path, images=64)
    for bad in (3, 10.5):
        with pytest.raises(ReaderError, match="option images is"):
            read(pictures[0], images=bad)
