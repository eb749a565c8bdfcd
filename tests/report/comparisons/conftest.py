"""Responses of two populations, for the figures of sensory populations."""

import numpy as np
import pytest
import xarray as xr

from tests.compare.responses import directions, make_responses


@pytest.fixture(scope="session")
def two_areas() -> xr.Dataset:
    """Eight tuned units in each of V1 and LM, eight directions, four repeats."""
    rng = np.random.default_rng(1)
    theta = np.deg2rad(directions(8))[:, None]
    tuned = 1 + 0.8 * np.cos(theta - 2 * np.pi * np.arange(16) / 16)
    values = tuned[:, None] + 0.3 * rng.normal(size=(8, 4, 16))
    return make_responses(values, {"direction": directions(8)}, units={"area": ["V1"] * 8 + ["LM"] * 8})
