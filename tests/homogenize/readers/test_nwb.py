"""The reader of NWB files; oracle: the numbers that the fixture puts where (`nwb_sessions`), and what pynwb reads itself."""

import h5py
import numpy as np
import pytest

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.inspection.examine import examine
from tests.homogenize.fixtures import nwb_sessions as fixture
from tests.homogenize.readers.nwb import derived, read


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return fixture.write(tmp_path_factory.mktemp("nwb") / "s1.nwb")


# Spikes


def test_trains_are_those_of_the_file_with_areas_and_positions_of_their_electrodes(session):
    store = read(session)
    assert store["unit"].values.tolist() == [10, 11, 12, 13, 14]
    for number, train in enumerate(stores.trains(store)):
        np.testing.assert_allclose(train, fixture.train(number))
    assert store["area"].values.tolist() == ["VISp", "VISp", "CA1", "CA1", "VISp"]
    assert store["population"].values.tolist() == store["area"].values.tolist()
    assert store["y"].values.tolist() == [0, 20, 40, 60, 0]
    assert store["y"].attrs["units"] == "um"
    assert store["sorting_quality"].values.tolist() == ["mua", "good", "mua", "good", "mua"]
    assert store["observed"].values.tolist() == [[0, 12]]
    assert store["electrode_location"].values.tolist() == list(fixture.AREAS)
    assert store.attrs["species"] == "Mus musculus"
    assert stores.attribute(store, "session")["subject_id"] == "mouse_s1"


def test_units_are_filtered_by_any_column_and_what_was_left_out_is_counted(session):
    store = read(session, keep={"quality": "good"}, at_least={"snr": 1.0}, population="quality")
    assert store["unit"].values.tolist() == [13]
    assert store["population"].values.tolist() == ["good"]
    assert derived(store, "unit_filter") == {"all": 5, "quality in good": 2, "snr >= 1": 1}
    assert read(session, areas=["CA1"])["unit"].values.tolist() == [12, 13]
    assert read(session, at_most={"snr": 0.5})["unit"].values.tolist() == [10, 11]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"keep": {"qualty": "good"}}, "no column 'qualty'"),
        ({"keep": {"quality": "best"}}, "no unit is left"),
        ({"at_least": {"quality": 1}}, "holds"),
        ({"areas": "V2"}, "no unit is in V2"),
        ({"units": "processing/units"}, "no table of units"),
        ({"population": "layer"}, "no column 'layer'"),
    ],
)
def test_options_that_fit_nothing_are_refused_by_name(session, options, said):
    with pytest.raises(ReaderError, match=said) as caught:
        read(session, **options)
    assert caught.value.where
    assert caught.value.expected


def test_what_is_not_read_is_listed(session):
    unread = derived(read(session), "not_read")
    assert "processing/ecephys/LFP (LFP)" in unread
    assert "acquisition/movie (ImageSeries)" in unread
    assert not any(line.startswith(("units", "general", "specifications")) for line in unread)
    assert derived(read(session), "unit_columns_not_read") == ["waveform_mean"]
    native = read(session, "activity")["native/s1_dff0"]
    unread = derived(native, "not_read")
    assert "units (Units)" in unread
    assert "processing/ophys/Fluorescence (Fluorescence)" in unread
    assert not any("behavior" in line or "DfOverF" in line for line in unread)


def test_observed_time_is_the_union_of_the_units(tmp_path, session):
    path = tmp_path / "a.nwb"
    path.write_bytes(session.read_bytes())
    with h5py.File(path, "r+") as file:
        file["units/obs_intervals"][:] = [[0, 4], [0, 4], [3, 6], [8, 12], [8, 12]]
    store = read(path)
    assert store["observed"].values.tolist() == [[0, 6], [8, 12]]
    assert "3 different" in derived(store, "observed")
    times = np.concatenate([fixture.train(n) for n in range(5)])
    assert derived(store, "spikes_outside_observed") == int(((times > 6) & (times < 8)).sum())


def test_without_observed_intervals_the_last_event_of_the_file_ends_it(tmp_path, session):
    path = tmp_path / "a.nwb"
    path.write_bytes(session.read_bytes())
    with h5py.File(path, "r+") as file:
        del file["units/obs_intervals"], file["units/obs_intervals_index"]
    store = read(path)
    assert store["observed"].values[0, 1] == pytest.approx(12.0)
    assert "the end that the source gives" in derived(store, "observed")


# Activity


def test_every_plane_is_a_recording_with_its_rois_where_the_region_says(session):
    tree = read(session, "activity")
    assert tree["recording"].values.tolist() == ["s1_dff0", "s1_dff1"]
    assert tree["location"].values.tolist() == ["VISp", "VISl"]
    assert tree["trace"].attrs["units"] == "1"
    for plane, count in ((0, 3), (1, 4)):
        native = tree[f"native/s1_dff{plane}"]
        order = list(range(count))[::-1]
        expected = np.stack([fixture.trace(plane, roi) for roi in order], 1)
        np.testing.assert_allclose(native["trace"].values, expected, atol=1e-6)
        assert native["roi_id"].values.tolist() == [str(50 + roi) for roi in order]
        assert native["roi_accepted"].values.tolist() == [roi != 1 for roi in order]
        # masks of three pixels of 2 um from x = roi, at y = plane + 1 of 3 um
        assert native["x"].values.tolist() == [2.0 * (roi + 1) for roi in order]
        assert native["y"].values.tolist() == [3.0 * (plane + 1)] * count
        assert native["x"].attrs["units"] == "um"
    # the same number in two planes is not the same cell
    assert len(set(tree["neuron"].values.tolist())) == 7


def test_side_channels_keep_their_own_time_in_their_unit(session):
    native = read(session, "activity")["native/s1_dff1"]
    # the plane begins 0.05 s after the running speed
    np.testing.assert_allclose(native["time_running_speed"].values, np.arange(240) / 20 - 0.05)
    np.testing.assert_allclose(native["running_speed"].values, np.arange(240) / 20)
    assert native["running_speed"].attrs["units"] == "m/s"
    assert native["running_speed"].dims == ("time_running_speed",)
    assert (native["pupil_area"].values == 7).all()
    assert native["place"].shape == (240, 2)


def test_series_are_chosen_by_name_and_areas(session):
    tree = read(session, "activity", series=["f0"])
    assert tree["recording"].values.tolist() == ["s1"]
    assert tree["trace"].attrs["units"] == "lumens"
    assert tree["native/s1"]["trace"].values.min() > 400
    assert read(session, "activity", areas="VISl")["recording"].values.tolist() == ["s1_dff1"]
    with pytest.raises(ReaderError, match="no series 'f7'") as caught:
        read(session, "activity", series="f7")
    assert "processing/ophys/Fluorescence/f0" in caught.value.expected


def test_several_signals_of_one_table_are_not_guessed_between(tmp_path, session):
    path = tmp_path / "a.nwb"
    path.write_bytes(session.read_bytes())
    with h5py.File(path, "r+") as file:
        del file["processing/ophys/DfOverF"]
        file["processing/ophys/Fluorescence/g0"] = file["processing/ophys/Fluorescence/f0"]
    with pytest.raises(ReaderError, match="any of them could be meant") as caught:
        read(path, "activity")
    assert "series" in caught.value.do
    with h5py.File(path, "r+") as file:
        del file["processing/ophys/Fluorescence/g0"]
    # raw fluorescence is taken where there is no dF/F, neuropil never
    assert read(path, "activity")["recording"].values.tolist() == ["a_f0", "a_f1"]


def test_voltages_are_in_volts_at_the_places_of_their_electrodes(tmp_path):
    path = fixture.write(tmp_path / "s.nwb", fixture.session("s", units=False, planes=0))
    tree = read(path, "activity", rate_hz=50.0)
    native = tree["native/s"]
    np.testing.assert_allclose(native["trace"].values, fixture.voltage() * 2e-6, rtol=1e-5)
    assert tree["trace"].attrs["units"] == "V"
    assert native["y"].values.tolist() == [0, 20, 40, 60]
    assert native["roi_location"].values.tolist() == list(fixture.AREAS)
    assert tree["neuron"].values.tolist() == ["s:100", "s:101", "s:102", "s:103"]
    assert derived(native, "sampling")["start_s"] == 1.0
    assert read(path, "activity", areas="CA1")["neuron"].values.tolist() == ["s:102", "s:103"]


def test_channel_conversion_and_offset_are_applied(tmp_path):
    path = fixture.write(tmp_path / "s.nwb", fixture.session("s", units=False, planes=0))
    with h5py.File(path, "r+") as file:
        series = file["processing/ecephys/LFP/lfp_series"]
        series["channel_conversion"] = np.array([1.0, 2.0, 3.0, 4.0])
        series["channel_conversion"].attrs["axis"] = 1
        series["data"].attrs["offset"] = 0.5
    native = read(path, "activity", rate_hz=50.0)["native/s"]
    np.testing.assert_allclose(native["trace"].values, fixture.voltage() * [1, 2, 3, 4] * 2e-6 + 0.5, rtol=1e-5)


def test_several_sessions_are_recordings_on_one_axis(tmp_path):
    labels = [[["a", "b", ""], ["c", "d", "e", "f"]], [["b", "a", "x"], ["", "", "", ""]]]
    paths = [
        fixture.write(tmp_path / f"s{n}.nwb", fixture.session(f"s{n}", units=False, lfp=False, labels=labels[n]))
        for n in range(2)
    ]
    tree = read(paths, "activity", empty_view="keep")
    assert tree["recording"].values.tolist() == ["s0_dff0", "s0_dff1", "s1_dff0", "s1_dff1"]
    assert tree["neuron"].values.tolist() == ["a", "b", "c", "d", "e", "f", "x"]
    # rois are listed in reverse order
    assert tree["native/s1_dff0"]["label"].values.tolist() == ["x", "a", "b"]
    assert tree["subject_id"].values.tolist() == ["mouse_s0", "mouse_s0", "mouse_s1", "mouse_s1"]
    alone = read(paths, "activity", neurons="rois", leave_out=["s0.nwb"])
    assert alone["neuron"].values.tolist()[:3] == ["s1_dff0:52", "s1_dff0:51", "s1_dff0:50"]
    with pytest.raises(ReaderError, match="2 files"):
        read(paths, "spikes")


def test_links_are_followed_in_the_file_and_not_out_of_it(tmp_path, session):
    path = tmp_path / "a.nwb"
    path.write_bytes(session.read_bytes())
    with h5py.File(path, "r+") as file:
        file["processing/behavior/again"] = h5py.SoftLink("/processing/behavior/BehavioralTimeSeries/running_speed")
        file["processing/behavior/elsewhere"] = h5py.ExternalLink(str(session), "/units")
        file["processing/behavior/round"] = h5py.SoftLink("/processing/behavior/round")
    native = read(path, "activity")["native/a_dff0"]
    assert "again" not in native
    assert [line for line in derived(native, "not_read") if "another file" in line] == [
        "processing/behavior/elsewhere (in another file, or damaged)",
        "processing/behavior/round (in another file, or damaged)",
    ]


# Responses


def test_units_answer_with_their_rates(session):
    store = read(session, "responses")
    assert set(store["stimulus"].values.tolist()) == {"drifting_gratings"}
    assert store["response"].attrs["units"] == "Hz"
    np.testing.assert_allclose(store["response"].values, np.repeat(np.arange(1.0, 6)[:, None], 8, 1))
    assert store["orientation"].values.tolist() == [0, 45, 90, 135] * 2
    assert store["repeat"].values.tolist() == [0] * 4 + [1] * 4
    assert store["invalid"].values.tolist() == [False] * 7 + [True]
    # 0.05 s per sample: samples 0 to 19 of each second from the first
    np.testing.assert_allclose(store["running_speed"].values, np.arange(1, 9) + 0.475)
    assert store["running_speed"].attrs["units"] == "m/s"


def test_trials_and_pictures_are_presentations_too(session):
    store = read(session, "responses", intervals=["trials"])
    assert sorted(set(store["condition"].values.tolist())) == ["trials/side=left", "trials/side=right"]
    assert store["reaction_time"].values[3] == pytest.approx(0.13)
    assert derived(store, "condition") == {"trials": "side"}
    store = read(session, "responses", intervals="shown_pictures")
    assert store["condition"].values.tolist() == [f"shown_pictures/value={n}" for n in (0, 2, 0, 1)]
    assert store["duration"].values.tolist() == [1, 1, 1.5, 1]
    with pytest.raises(ReaderError, match="trails is not in the file"):
        read(session, "responses", intervals="trails")
    with pytest.raises(ReaderError, match="no column 'sides'"):
        read(session, "responses", intervals="trials", condition="sides")


def test_traces_answer_with_the_mean_of_their_samples(session):
    store = read(session, "responses", response="traces", lags=[0.0, 1.0, 0.5])
    assert store["response"].shape == (7, 8, 2)
    assert store["unit"].values.tolist()[:3] == ["dff0:52", "dff0:51", "dff0:50"]
    trace = fixture.trace(0, 2)
    np.testing.assert_allclose(store["response"].values[0, 0], [trace[10:15].mean(), trace[15:20].mean()], rtol=1e-6)
    assert store["area"].values.tolist() == ["VISp"] * 3 + ["VISl"] * 4
    good = read(session, "responses", response="traces", keep={"accepted": True})
    assert good.sizes["unit"] == 5


def test_a_window_outside_the_recording_is_missing_not_zero(tmp_path, session):
    path = tmp_path / "a.nwb"
    path.write_bytes(session.read_bytes())
    with h5py.File(path, "r+") as file:
        file["intervals/trials/stop_time"][-1] = 99.0
    for of in ("units", "traces"):
        store = read(path, "responses", intervals="trials", response=of)
        assert np.isnan(store["response"].values[:, -1]).all()
        assert np.isfinite(store["response"].values[:, 1:-1]).all()


# Inspection


def test_voltages_beside_units_are_said(tmp_path):
    path = tmp_path / "a.nwb"
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        file["units/spike_times"] = np.arange(5.0)
        file["processing/ecephys/LFP/ElectricalSeries/data"] = np.zeros((9, 2))
    (found,) = examine([path], read=False).findings
    assert found.stores == {"": ("spikes", {})}
    assert any("LFP" in doubt for doubt in found.doubts)
