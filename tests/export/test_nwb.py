"""NWB, read by pynwb and our reader."""

import json

import numpy as np
import pynwb
import pytest

from allometry import stores
from allometry.errors import ExportError
from tests.export.exports import exported, read
from tests.stores import samples


@pytest.mark.parametrize("kind", ["activity", "responses", "spikes", "recorded_spikes"])
def test_nwb_is_valid(made, kind):
    found, *_ = made(kind, "nwb")
    for path in (path for path in found.files if path.suffix == ".nwb"):
        assert pynwb.validate(path=path) == []


@pytest.mark.parametrize("kind", ["spikes", "recorded_spikes"])
def test_units_in_nwb_are_read_by_pynwb_and_our_reader(made, kind):
    found, out, obj = made(kind, "nwb")
    assert found.holds == {"spikes": sum(map(len, stores.trains(obj))), "units": 3}
    with pynwb.NWBHDF5IO(out, "r") as io:
        file = io.read()
        for row, train in enumerate(stores.trains(obj)):
            np.testing.assert_array_equal(file.units["spike_times"][row], train)
            np.testing.assert_array_equal(file.units["obs_intervals"][row], obj["observed"].values)
        assert list(file.units["label"][:]) == [str(label) for label in obj["unit"].values.tolist()]
        assert list(file.units["population"][:]) == obj["population"].values.tolist()
        assert file.subject.species == "Caenorhabditis elegans"
        notes = json.loads(file.notes)
        assert notes["attributes"]["parameters"] == stores.attribute(obj, "parameters")
        if kind == "spikes":
            assert file.acquisition["voltage"].unit == "mV"
            np.testing.assert_array_equal(file.acquisition["voltage"].data[:], obj["voltage"].values)
        else:
            assert notes["units_of_columns"] == {"depth": "m"}
    back = read("nwb", "spikes", [out])
    for theirs, ours in zip(stores.trains(back), stores.trains(obj)):
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(back["observed"].values, obj["observed"].values)


def test_recordings_in_nwb_are_read_by_pynwb_and_our_reader(made):
    found, out, obj = made("activity", "nwb")
    assert [path.name for path in found.files] == ["store.nwb", "store.worm_2.nwb"]
    assert found.holds == {"recordings": 2, "ROIs": 8, "samples": 100}
    assert all("common rate" in line or "velocity" in line for line in found.left_out)
    with pynwb.NWBHDF5IO(out, "r") as io:
        file = io.read()
        assert file.processing["behavior"]["velocity"].unit == "m/s"
        np.testing.assert_array_equal(
            file.processing["ophys"]["ImageSegmentation"]["rois"]["position"][:], obj["native/worm_1/position"].values
        )
        assert json.loads(file.notes)["metadata"]["temperature"] == 20.5
    back = read("nwb", "activity", found.files, rate_hz=2.0)
    assert back.sizes["recording"] == 2
    for theirs, name in zip(back["recording"].values.tolist(), ["worm_1", "worm_2"]):
        native, ours = back[f"native/{theirs}"], obj[f"native/{name}"]
        np.testing.assert_array_equal(native["trace"].values, ours["trace"].values)
        np.testing.assert_array_equal(native["time"].values, ours["time"].values)
        assert native["label"].values.tolist() == ours["label"].values.tolist()
        assert "x" not in native or np.isnan(native["x"].values).all(), "masks are not known"


def test_responses_in_nwb_keep_presentations_and_values(made):
    found, out, obj = made("responses", "nwb")
    assert found.left_out == ()
    with pynwb.NWBHDF5IO(out, "r") as io:
        file = io.read()
        table = file.intervals["presentations"]
        assert list(table["condition"][:]) == obj["condition"].values.tolist()
        assert list(table["start_time"][:]) == obj["onset"].values.tolist()
        series = file.processing["responses"]["response"]
        np.testing.assert_array_equal(series.data[:], obj["response"].transpose("presentation", "unit", "lag").values)
        assert list(file.processing["responses"]["units"]["unit"][:]) == [17, 4]
        assert list(file.processing["responses"]["lags"]["lag"][:]) == [0.0, 0.1, 0.2]


def test_responses_without_times_have_no_place_in_nwb(tmp_path):
    with pytest.raises(ExportError, match=r"no time of onset[\s\S]*5 of 5 are missing[\s\S]*netcdf"):
        exported(tmp_path, samples.responses().drop_vars("onset"), "nwb")
