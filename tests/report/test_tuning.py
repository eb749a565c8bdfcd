"""Responses of simulated cortex: spikes are found for the network that a Responses store names."""

import json
from typing import Any

import pytest
import xarray as xr

from allometry.report.kinds.tuning import network_of

AREAS = ["reduction 1, seed 1 E", "reduction 10, seed 1 E", "reduction 10, seed 1 I", "reduction 10, seed 12 E"]


@pytest.mark.parametrize(
    ("parameters", "seed", "name"),
    [
        ({"reduction": 10, "model": "v1", "wiring_seed": 1}, 1, "reduction 10, seed 1"),
        ({"reduction": 10.0}, 12, "reduction 10, seed 12"),
        ({"parameters": {"reduction": 1}}, 1, "reduction 1, seed 1"),
        ({"reduction": 10}, 2, ""),
        ({"scale": 10}, 1, ""),
    ],
)
def test_the_network_of_a_spikes_store(parameters: dict[str, Any], seed: int, name: str) -> None:
    store = xr.Dataset(attrs={"parameters": json.dumps(parameters), "seed": seed})
    assert network_of(store, AREAS) == name


def test_a_run_without_parameters_is_known_by_its_seed() -> None:
    store = xr.Dataset(attrs={"parameters": json.dumps({"reduction": 1}), "seed": 3})
    assert network_of(store, ["seed 1 E", "seed 3 E"]) == "seed 3"
