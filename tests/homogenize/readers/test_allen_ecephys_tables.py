"""Tables of the Neuropixels collection and single units; oracle: what the fixture holds, facts of data/README.md."""

import pickle

import numpy as np
import pytest

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.formats import object_npy
from allometry.homogenize.reader import Source
from allometry.homogenize.readers.allen_ecephys_tables import READER
from tests.homogenize.fixtures import mouse


def read(files):
    return READER(files, Source("allen_ecephys_tables", "Mus musculus", "c", "l", "real", {}), {})


def test_trains_and_tables(tmp_path):
    made = read(mouse.write_ecephys_tables(tmp_path))
    assert stores.violations(made) == []
    assert made["unit"].values.tolist() == [101_001, 101_004]
    assert made["row_size"].values.tolist() == [81, 81]
    assert made["area"].values.tolist() == ["VISp", ""]
    assert made["population"].values.tolist() == ["VISp", "unknown"]
    assert made["cortical_layer"].values.tolist() == [1, 4]
    assert made["observed"].shape == (2, 2)
    assert 500 <= made["observed"].values[0, 0] < made["observed"].values[0, 1] <= 600
    first = np.load(tmp_path / "spike_data_101_101001_natural_movie_one.npy", allow_pickle=True)  # written above
    np.testing.assert_array_equal(made["spike_time"].values[:81], np.concatenate([np.array(b) for b in first]))
    assert made["session"].values.tolist() == [100, 101, 102]
    assert made["session_structures"].values.tolist() == ["CA1 VISp LGd"] * 3
    assert made["probe_session"].values.tolist() == [100, 100, 101, 101, 102, 102]
    assert made["probe_has_lfp_data"].values.tolist() == [True, False] * 3
    assert made.sizes["catalogued_unit"] == 15
    assert int(np.isfinite(made["catalogued_timescale_ac"]).sum()) == 6
    assert stores.attribute(made, "derived")["sessions"] == {"brain_observatory_1.1": 2, "functional_connectivity": 1}


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("ole_probes.csv", "1011,384,101,", "1011,384,100,", "probes"),
        ("ole_probes.csv", "1011,384,101,", "1011,384,999,", "are unknown"),
        ("timescale_metrics.csv", "100000,VISp", "7,VISp", "are not in layer_info.csv"),
        ("layer_info.csv", "100001,", "100000,", "listed twice"),
        ("ole_all_sessions.csv", "\n101,", "\n105,", "are unknown"),
        ("layer_info.csv", ",0.125,1", ",0.125,1.5", "not a whole number"),
    ],
)
def test_tables_that_contradict_each_other_are_refused(tmp_path, name, old, new, words):
    files = mouse.write_ecephys_tables(tmp_path)
    text = files[name].read_text()
    assert old in text
    files[name].write_text(text.replace(old, new))
    with pytest.raises(ReaderError, match=words):
        read(files)


def test_an_object_array_is_never_unpickled(tmp_path):
    files = mouse.write_ecephys_tables(tmp_path)
    path = files["spike_data_101_101001_natural_movie_one.npy"]

    class Harmful:
        def __reduce__(self):
            return print, ("run",)

    header = path.read_bytes()[:128]
    path.write_bytes(header + pickle.dumps(Harmful()))
    with pytest.raises(ReaderError, match="neither a name nor a number"):
        read(files)


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_numbers_of_numpy_are_read_from_any_protocol(protocol):
    items = np.empty(2, object)
    items[0], items[1] = [np.float64(1.5), np.float32(-2)], [np.int64(7), "name", None]
    assert object_npy.decode(pickle.dumps(items, protocol)) == [[1.5, -2.0], [7, "name", None]]


def test_real_tables(mirror):
    folder = mirror / "allen_ecephys_tables"
    made = read({path.name: path for path in folder.iterdir()})
    assert stores.violations(made) == []
    assert made.sizes["session"] == 58
    assert stores.attribute(made, "derived")["sessions"] == {"brain_observatory_1.1": 32, "functional_connectivity": 26}
    assert stores.attribute(made, "derived")["units_of_all_sessions"] == 40_010
    one = made.sel(session=715_093_703)
    assert [int(one[f"session_{name}"]) for name in ("unit_count", "channel_count", "probe_count")] == [884, 2219, 6]
    assert made["unit"].values.tolist() == [950_913_540]
    assert made.sizes["spike"] == 3266 + 3215
