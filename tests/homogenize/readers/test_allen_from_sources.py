"""Readers of the Allen files against fixtures that somebody else wrote from the descriptions of the layouts."""

import numpy as np
import pytest
import xarray as xr

from allometry import homogenize, stores
from tests.homogenize.layouts import allen


def build(reader, path, kind, beside=(), **options):
    entry = {
        "name": reader,
        "reader": reader,
        "species": "Mus musculus",
        "verified": "layout-only",
        "files": [{"name": name, "sha256": ""} for name in (path.name, *beside)],
        "stores": {"made": {"kind": kind, "options": options}},
    }
    out = path.parent / f"{path.stem}_{kind}.zarr"
    homogenize.run(entry, "made", path.parent, out)
    made = stores.open(out, check="full")
    assert stores.violations(made) == []
    return made


@pytest.mark.parametrize("older", [False, True], ids=["newer", "older"])
def test_natural_scenes_and_blanks(tmp_path, older):
    given = allen.two_photon(tmp_path / "b.nwb", "three_session_B", older=older)
    made = build("allen_two_photon", tmp_path / "b.nwb", "responses")
    assert made["unit"].values.tolist() == given["ids"].tolist()
    stimulus = made["stimulus"].values
    assert {str(name): int((stimulus == name).sum()) for name in np.unique(stimulus)} == {
        "natural_scenes": 5950,
        "natural_movie_one": 20,
        "spontaneous": 1,
    }
    scenes = made.isel(presentation=stimulus == "natural_scenes")
    images, frames, _ = given["sweeps"]["natural_scenes"]
    assert int(scenes["blank"].sum()) == 50
    assert np.array_equal(scenes["blank"].values, images == -1)
    counts = np.unique(scenes["condition"].values[~scenes["blank"].values], return_counts=True)[1]
    assert counts.tolist() == [50] * 118
    # one value per sweep, of the frames of that sweep alone: a shift by one frame would mix neighbours
    expected = images + 1000.0 * np.arange(4)[:, None]
    np.testing.assert_allclose(scenes["response"].values, expected, rtol=1e-6)
    # seconds from the first frame, though frame_duration counts frames
    np.testing.assert_allclose(scenes["onset"].values, frames[:, 0] / allen.RATE, atol=1e-6)
    assert set(np.round(scenes["duration"].values * allen.RATE).tolist()) <= {7, 8}
    assert made["area"].values.tolist() == ["VISp"] * 4
    np.testing.assert_allclose(made["depth"].values, 175e-6)
    np.testing.assert_allclose(made["running_speed"].values, 0.03)
    np.testing.assert_allclose(made["neuropil_r"].values, 0.7)
    assert made["mask_pixels"].values.tolist() == [6] * 4
    assert stores.attribute(made, "session")["pipeline_version"] == "2.0.3"
    assert stores.attribute(made, "session")["experiment_container_id"] == "511510736"


def test_drifting_gratings_by_features(tmp_path):
    given = allen.two_photon(tmp_path / "a.nwb", "three_session_A")
    made = build("allen_two_photon", tmp_path / "a.nwb", "responses")
    shown = made.isel(presentation=made["stimulus"].values == "drifting_gratings")
    table, _, _ = given["sweeps"]["drifting_gratings"]
    assert np.array_equal(shown["blank"].values, table[:, 2] == 1)
    real = ~shown["blank"].values
    np.testing.assert_array_equal(shown["temporal_frequency"].values[real], table[real, 0])
    np.testing.assert_array_equal(shown["orientation"].values[real], table[real, 1])
    assert np.unique(shown["condition"].values[real], return_counts=True)[1].tolist() == [15] * 40
    expected = np.nan_to_num(table[:, 1], nan=-1) + 1000.0 * np.arange(4)[:, None]
    np.testing.assert_allclose(shown["response"].values, expected, rtol=1e-6)


def test_traces_of_a_session_are_kept_whole(tmp_path):
    given = allen.two_photon(tmp_path / "b.nwb", "three_session_B")
    made = build("allen_two_photon", tmp_path / "b.nwb", "activity")
    assert isinstance(made, xr.DataTree)
    (group,) = [made[f"native/{name}"].to_dataset() for name in made["recording"].values]
    np.testing.assert_array_equal(group["trace"].values, given["traces"].T)
    np.testing.assert_allclose(group["time"].values, given["time"] - given["time"][0], atol=1e-9)
    assert made["neuron"].values.tolist() == [str(i) for i in given["ids"]]
    np.testing.assert_allclose(made["native_rate"].values, 30.0, rtol=1e-6)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    path = tmp_path_factory.mktemp("neuropixels") / "session_715093703.nwb"
    return path, allen.neuropixels(path)


def test_spike_trains_of_the_units_that_pass(session):
    path, given = session
    made = build("allen_neuropixels", path, "spikes")
    assert made.sizes["unit"] == 884  # of 2779
    assert made["unit"].values.tolist() == given["ids"][given["passes"]].tolist()
    trains = [train for train, kept in zip(given["spikes"], given["passes"]) if kept]
    assert made["row_size"].values.tolist() == [len(train) for train in trains]
    assert 0 in made["row_size"].values  # units that never fire are units
    np.testing.assert_allclose(made["spike_time"].values, np.concatenate(trains))
    assert made.sizes["electrode"] == 2304


def test_layers_join_by_unit(session, tmp_path):
    path, given = session
    ids = given["ids"][given["passes"]]
    (tmp_path / path.name).symlink_to(path)
    known = [f"{unit},{place % 7 / 7},{place % 7}" for place, unit in enumerate(ids[:-1])]
    (tmp_path / "layer_info.csv").write_text("\n".join(["ecephys_unit_id,cortical_depth,cortical_layer", *known[::-1]]))
    made = build("allen_neuropixels", tmp_path / path.name, "spikes", beside=["layer_info.csv"])
    layer = made["cortical_layer"].values
    assert layer[:-1].tolist() == [place % 7 for place in range(883)]
    assert np.isnan(layer[-1])
    assert "1 units are not in it" in stores.attribute(made, "derived")["layers"]


def test_presentations_and_responses(session):
    path, given = session
    made = build("allen_neuropixels", path, "responses")
    stimulus = made["stimulus"].values
    counts = {name: int((stimulus == name).sum()) for name in given["tables"]}
    assert counts == {
        "spontaneous": 15,
        "gabors": 3645,
        "flashes": 150,
        "drifting_gratings": 628,
        "natural_scenes": 5950,
        "static_gratings": 6000,
    }
    blanks = {name: int(made["blank"].values[stimulus == name].sum()) for name in counts}
    assert blanks == {**dict.fromkeys(counts, 0), "drifting_gratings": 28, "natural_scenes": 50, "static_gratings": 194}
    scenes = made.isel(presentation=stimulus == "natural_scenes")
    real = ~scenes["blank"].values
    assert np.unique(scenes["condition"].values[real], return_counts=True)[1].tolist() == [50] * 118
    # a number written as text is a number, what does not apply is NaN
    drifting = made.isel(presentation=stimulus == "drifting_gratings")
    expected = np.where(drifting["blank"].values, np.nan, 0.04)
    np.testing.assert_array_equal(drifting["spatial_frequency"].values, expected)
    orientation = given["tables"]["drifting_gratings"]["orientation"]
    np.testing.assert_array_equal(drifting["orientation"].values, orientation)
    # rates are those of counting, and 0 for a unit that never fires
    trains = [train for train, kept in zip(given["spikes"], given["passes"]) if kept]
    table = given["tables"]["natural_scenes"]
    counted = np.stack(
        [
            np.searchsorted(t, table["stop_time"], "left") - np.searchsorted(t, table["start_time"], "left")
            for t in trains
        ]
    )
    np.testing.assert_allclose(scenes["response"].values, counted / 0.25, atol=1e-5)
    assert np.isfinite(made["response"].values).all()
    np.testing.assert_allclose(made["running_speed"].values, 0.07)
