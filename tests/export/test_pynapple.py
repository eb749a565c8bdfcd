"""Stores as pynapple objects."""

import sys

import numpy as np
import pytest

from allometry import stores
from allometry.errors import StoreError
from tests.stores import samples


def test_pynapple_gets_trains_support_and_columns():
    obj = samples.recorded_spikes()
    group = stores.to_pynapple(obj)
    assert [len(group[number]) for number in range(3)] == [2, 0, 1]
    for number, train in enumerate(stores.trains(obj)):
        np.testing.assert_array_equal(group[number].t, train)
    assert group.time_support.values.tolist() == obj["observed"].values.tolist()
    assert list(group["population"]) == obj["population"].values.tolist()
    assert list(group["unit"]) == ["a", "b", "c"]


def test_pynapple_gets_recordings_by_name():
    obj = samples.activity()
    frames = stores.to_pynapple(obj)
    assert sorted(frames) == ["worm_1", "worm_2"]
    np.testing.assert_array_equal(frames["worm_2"].values, obj["native/worm_2/trace"].values)
    np.testing.assert_array_equal(frames["worm_2"].t, obj["native/worm_2/time"].values)
    assert list(frames["worm_2"]["label"]) == obj["native/worm_2/label"].values.tolist()
    with pytest.raises(StoreError, match="kind Connectome"):
        stores.to_pynapple(samples.connectome())


def test_without_pynapple_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynapple", None)
    with pytest.raises(StoreError, match=r"pip install 'allometry\[pynapple\]'"):
        stores.to_pynapple(samples.spikes())
