"""Time constants of units whose rate switches at random, and none of those that forget at once."""

import numpy as np
import pytest
import scipy

from allometry.compare.measures.spikes.timescales import intrinsic_timescales
from allometry.errors import ComparisonError

BIN = 0.005


def switching(tau: float, seconds: float, units: int, seed: int = 1) -> np.ndarray:
    """Counts of Poisson units of 0 or 20 Hz, by a chain whose autocorrelation is exp(-t / tau)."""
    rng = np.random.default_rng(seed)
    bins = round(seconds / BIN)
    turns = rng.random((bins, units)) < (1 - np.exp(-BIN / tau)) / 2
    state = (np.cumsum(turns, axis=0) + rng.integers(2, size=units)) % 2
    return rng.poisson(20.0 * BIN * state)


@pytest.mark.parametrize("tau", [0.02, 0.05, 0.2])
def test_the_time_constant_of_the_rate_is_found(tau: float) -> None:
    counts = switching(tau, 200.0, 40)
    found = intrinsic_timescales(counts)
    # one unit has a deviation of 12 % (tau 50 ms) to 25 % (20 and 200 ms), the median of 40 of 5 % at most
    assert np.nanmedian(found) == pytest.approx(tau, rel=0.15)
    assert np.isfinite(found).mean() > 0.9
    assert np.array_equal(found, intrinsic_timescales(scipy.sparse.csc_array(counts)), equal_nan=True)


def test_units_without_memory_have_none() -> None:
    counts = np.random.default_rng(2).poisson(10.0 * BIN, (4000, 300))
    counts[:, 0] = 0
    found = intrinsic_timescales(counts)
    # the best of many time constants passes the limit more often than one in 1000
    assert np.isfinite(found).sum() <= 5
    assert np.isnan(found[0])


def test_short_recordings_are_refused() -> None:
    with pytest.raises(ComparisonError, match="399 bins for 100 lags"):
        intrinsic_timescales(np.ones((399, 2), int))
