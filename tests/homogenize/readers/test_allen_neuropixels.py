"""Neuropixels sessions in the Visual Coding layout; oracle: what the generator of the files put into them."""

import collections
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import allen_neuropixels
from tests.homogenize.fixtures import allen_neuropixels as fixture


def read(path, kind="", **options):
    source = Source("allen_neuropixels", "Mus musculus", "c", "l", "layout-only", {path.name: ""})
    return allen_neuropixels.READER({path.name: path}, source, options, kind)


def kept(session, among=None):
    """Rows of the units that pass, in the order of the file."""
    return [row for row, good in enumerate(session.good) if good]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Session 715093703's row counts: 2779 units of which 884 pass, 2304 electrodes, 70,388 presentations."""
    path = tmp_path_factory.mktemp("n") / "session_715093703.nwb"
    return fixture.write(path, 2779, 884, fixture.FULL, 2304, 20)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return fixture.write(tmp_path_factory.mktemp("n") / "small.nwb")


@pytest.fixture
def small(tmp_path):
    return fixture.write(tmp_path / "small.nwb")


def change(path, name, edit):
    with h5py.File(path, "r+") as file:
        value, attrs = edit(file[name][()]), dict(file[name].attrs)
        del file[name]
        file[name] = value
        file[name].attrs.update(attrs)


def test_the_default_filter_leaves_884_of_2779_units(full):
    dataset = read(full.path)
    assert stores.violations(dataset) == []
    assert dataset.sizes["unit"] == 884
    rows = kept(full)
    assert dataset["unit"].values.tolist() == [full.ids[row] for row in rows]
    assert dataset["area"].values.tolist() == [full.area[row] for row in rows]
    assert dataset.sizes["electrode"] == 2304
    steps = stores.attribute(dataset, "derived")["unit_filter"]
    assert steps["all"] == 2779
    assert min(steps.values()) == 884
    for row, train in list(zip(rows, stores.trains(dataset)))[::13]:
        np.testing.assert_array_equal(train, full.trains[row])
    everything = read(full.path, presence_ratio=None, isi_violations=None, amplitude_cutoff=None)
    assert everything.sizes["unit"] == 2779
    assert everything.sizes["spike"] == sum(map(len, full.trains))


def test_presentations_have_the_row_counts_of_the_source(full):
    dataset = read(full.path, kind="responses", areas="VISp")
    assert stores.violations(dataset) == []
    assert set(dataset["area"].values.tolist()) == {"VISp"}
    assert collections.Counter(dataset["stimulus"].values.tolist()) == fixture.FULL
    assert (np.diff(dataset["onset"].values) > 0).all()
    scenes = dataset.isel(presentation=dataset["stimulus"].values == "natural_scenes")
    counts = collections.Counter(scenes["condition"].values.tolist())
    assert len(counts) == 119
    assert set(counts.values()) == {50}
    assert (scenes["frame"].values[scenes["blank"].values] == -1).all()
    design = stores.attribute(dataset, "derived")["design"]
    assert design["natural_scenes"] == "118 conditions x 50 repeats + 50 blanks"
    assert design["drifting_gratings"] == "40 conditions x 15 repeats + 28 blanks"
    assert design["gabors"] == "243 conditions x 15 repeats"
    assert design["natural_movie_three"] == "3600 conditions x 10 repeats"
    assert design["flashes"] == "2 conditions x 75 repeats"


def test_rates_are_counts_per_second_and_silence_is_zero(shared):
    dataset = read(shared.path, kind="responses")
    rows = kept(shared)
    assert np.isfinite(dataset["response"].values).all()
    assert (dataset["response"].values == 0).any()
    onset, duration = dataset["onset"].values, dataset["duration"].values
    for unit, row in enumerate(rows):
        train = shared.trains[row]
        expected = [np.count_nonzero((train >= a) & (train < a + d)) / d for a, d in zip(onset, duration)]
        np.testing.assert_allclose(dataset["response"].values[unit], expected, rtol=1e-6)


def test_lag_axis_is_a_peristimulus_histogram(shared):
    dataset = read(shared.path, kind="responses", stimuli="drifting_gratings", lags=[-0.5, 2, 0.25])
    assert stores.violations(dataset) == []
    assert dataset["lag"].values.tolist() == pytest.approx(np.arange(-0.5, 2, 0.25).tolist())
    onset = np.sort(shared.tables["drifting_gratings"]["start_time"])
    for unit, row in enumerate(kept(shared)[:4]):
        relative = shared.trains[row][:, None] - onset
        for number in range(len(onset)):
            expected, _ = np.histogram(relative[:, number], np.arange(-0.5, 2.01, 0.25))
            np.testing.assert_allclose(dataset["response"].values[unit, number], expected / 0.25, rtol=1e-6)


def test_parameters_kept_as_text_become_numbers(shared):
    dataset = read(shared.path, kind="responses")
    static = dataset.isel(presentation=dataset["stimulus"].values == "static_gratings")
    table = shared.tables["static_gratings"]
    assert static["condition"].values.tolist() == [
        "static_gratings/blank"
        if np.isnan(o)
        else f"static_gratings/orientation={o:g}/phase={float(p):g}/spatial_frequency={s:g}"
        for o, p, s in zip(table["orientation"], table["phase"].tolist(), table["spatial_frequency"])
    ]
    flashes = dataset.isel(presentation=dataset["stimulus"].values == "flashes")
    assert set(flashes["condition"].values.tolist()) == {"flashes/color=-1", "flashes/color=1"}
    assert int(dataset["blank"].sum()) == 6


def test_rows_out_of_order_are_sorted_and_recorded(shared):
    dataset = read(shared.path, kind="responses", stimuli="gabors")
    table = shared.tables["gabors"]
    order = np.argsort(table["start_time"])
    np.testing.assert_array_equal(dataset["onset"].values, table["start_time"][order])
    np.testing.assert_array_equal(dataset["x_position"].values, table["x_position"][order])
    assert "gabors" in stores.attribute(dataset, "derived")["row_order"]


def test_running_speed_is_the_mean_over_each_presentation(shared):
    dataset = read(shared.path, kind="responses", stimuli="drifting_gratings")
    start, stop = (shared.tables["drifting_gratings"][name] for name in ("start_time", "stop_time"))
    inside = [(shared.running_time >= a) & (shared.running_time < b) for a, b in zip(start, stop)]
    expected = [0.01 * shared.running[mask].mean() for mask in inside]
    np.testing.assert_allclose(dataset["running_speed"].values, expected)


def test_a_missing_extension_is_no_obstacle_and_is_said(tmp_path, shared, caplog):
    session = fixture.write(tmp_path / "small.nwb", extension=True)
    for kind in ("spikes", "responses"):
        plain, extended = read(shared.path, kind=kind), read(session.path, kind=kind)
        derived = [stores.attribute(found, "derived") for found in (plain, extended)]
        assert derived[0].pop("read_with") == "pynwb"
        assert derived[1].pop("read_with").startswith("h5py; pynwb cannot: KeyError")
        assert derived[0] == derived[1]
        plain.attrs.pop("derived"), extended.attrs.pop("derived")
        plain.attrs.pop("source"), extended.attrs.pop("source")
        assert plain.drop_encoding().identical(extended.drop_encoding())
    assert "pynwb cannot read it" in caplog.text


@pytest.mark.parametrize("kind", ["spikes", "responses"])
def test_what_is_written_is_what_is_opened(shared, tmp_path, kind):
    dataset = read(shared.path, kind=kind)
    stores.write(dataset, tmp_path / "a.zarr")
    assert stores.verify(tmp_path / "a.zarr") == []
    opened = stores.open(tmp_path / "a.zarr")
    assert opened["electrode_location"].dims == ("electrode",)
    assert opened.load().identical(dataset)


def test_truncated_spike_times_are_refused(small):
    change(small.path, "units/spike_times", lambda values: values[:-50])
    with pytest.raises(ReaderError, match="index of column 'spike_times' does not fit"):
        read(small.path)


def test_unsorted_and_missing_spike_times_are_repaired_and_recorded(small):
    row = kept(small)[2]
    start = sum(len(train) for train in small.trains[:row])

    def damage(values):
        values[start : start + 4] = values[start : start + 4][::-1]
        values[start + 7] = np.nan
        return values

    change(small.path, "units/spike_times", damage)
    dataset = read(small.path)
    derived = stores.attribute(dataset, "derived")
    assert (derived["units_with_unsorted_spikes"], derived["spikes_without_time"]) == (1, 1)
    np.testing.assert_array_equal(stores.trains(dataset)[2], np.delete(small.trains[row], 7))


def test_presentations_without_a_time_are_missing_not_zero(small):
    def damage(values):
        values[1] = np.nan
        return values

    change(small.path, "intervals/flashes_presentations/start_time", damage)
    dataset = read(small.path, kind="responses", stimuli="flashes")
    assert np.isnan(dataset["response"].values).all(axis=0).sum() == 1
    assert stores.attribute(dataset, "derived")["presentations_without_data"]["count"] == 1


@pytest.mark.parametrize("extension", [False, True])
def test_presentations_in_invalid_times_are_marked_and_kept(tmp_path, extension):
    session = fixture.write(tmp_path / "small.nwb", extension=extension)
    with h5py.File(session.path, "r+") as file:
        file.copy("intervals/flashes_presentations", "intervals/invalid_times")
    dataset = read(session.path, kind="responses")
    np.testing.assert_array_equal(dataset["invalid"].values, dataset["stimulus"].values == "flashes")
    assert stores.attribute(dataset, "derived")["invalid_times"].startswith("10 intervals, 10 presentations")
    assert not read(session.path, kind="responses", stimuli="gabors")["invalid"].values.any()


def test_a_filter_that_leaves_no_unit_says_where_they_went(shared):
    with pytest.raises(ReaderError, match=r"presence_ratio >= 2: 0"):
        read(shared.path, presence_ratio=2)
    with pytest.raises(ReaderError, match="unknown option 'presence'"):
        read(shared.path, presence=0.9)


def test_a_two_photon_file_is_sent_to_its_reader(tmp_path):
    with h5py.File(tmp_path / "a.nwb", "w") as file:
        file.create_group("processing/brain_observatory_pipeline")
    with pytest.raises(ReaderError, match="NWB 1"):
        read(tmp_path / "a.nwb")


SESSION = """
import resource, sys
from pathlib import Path
from allometry import homogenize
entry = {"name": "big", "reader": "allen_neuropixels", "species": "s", "citation": "c", "licence": "l",
         "verified": "layout-only", "files": [{"name": "big.nwb", "sha256": "0" * 64, "places": []}],
         "stores": {"big": {"kind": "spikes", "options": {"presence_ratio": None}}}}
folder = Path(sys.argv[1])
homogenize.run(entry, "big", folder, folder / "big.zarr")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_130_million_spikes_take_less_than_4_gib(tmp_path):
    """Peak memory of the whole process, as the kernel counts it; every spike must arrive."""
    session = fixture.write(tmp_path / "big.nwb", 1000, 1000)
    per_unit, block = 131_000, 100
    total = 1000 * per_unit
    with h5py.File(session.path, "r+") as file:
        for name in ("spike_times", "spike_amplitudes"):
            attrs = dict(file[f"units/{name}"].attrs)
            del file[f"units/{name}"]
            data = file["units"].create_dataset(name, (total,), "f8", chunks=(2**17,))
            for first in range(0, 1000, block) if name == "spike_times" else ():
                train = np.arange(per_unit) * (9000 / per_unit)
                data[first * per_unit : (first + block) * per_unit] = np.tile(train, block)
            data.attrs.update(attrs)
        for name in ("spike_times_index", "spike_amplitudes_index"):
            attrs = dict(file[f"units/{name}"].attrs)
            del file[f"units/{name}"]
            file[f"units/{name}"] = (per_unit * np.arange(1, 1001)).astype(np.uint32)
            attrs["target"] = file[f"units/{name.removesuffix('_index')}"].ref
            file[f"units/{name}"].attrs.update(attrs)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SESSION, str(tmp_path)], capture_output=True, text=True, env=environment, check=True
    )
    peak = int(done.stdout.split()[-1]) * 1024
    dataset = stores.open(tmp_path / "big.zarr")
    assert dataset.sizes["spike"] == total
    np.testing.assert_array_equal(dataset["spike_time"][-3:], (np.arange(per_unit) * (9000 / per_unit))[-3:])
    assert peak < 4 * 2**30, f"{peak / 2**30:.2f} GiB"
