"""The statistics of the comparison with NEST, on trains whose statistics are known."""

import numpy as np
import pytest

from benchmarks.population_statistics import (
    count_correlations,
    interval_cv,
    population_statistics,
    rates,
    synchrony,
)


def test_rates_count_silent_units() -> None:
    assert rates(np.array([0, 0, 2]), 4, 2.0).tolist() == [1.0, 0.0, 0.5, 0.0]


def test_cv_of_regular_and_alternating_trains() -> None:
    step = np.array([0, 10, 20, 30, 0, 10, 40, 50, 80, 5, 9])
    unit = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2])
    cv = interval_cv(step, unit, 3)
    # Intervals 10, 30, 10, 30: SD 10 over mean 20. Fewer than three intervals have no CV.
    np.testing.assert_allclose(cv, [0.0, 0.5, np.nan])


def test_cv_is_one_for_poisson_and_does_not_depend_on_order() -> None:
    rng = np.random.default_rng(1)
    step, unit = rng.integers(0, 1_000_000, 200_000), rng.integers(0, 100, 200_000)
    assert np.mean(interval_cv(step, unit, 100)) == pytest.approx(1.0, abs=0.01)


def test_synchrony_is_one_for_poisson_and_n_for_a_common_train() -> None:
    rng = np.random.default_rng(2)
    common = np.sort(rng.integers(0, 600_000, 20_000))
    assert synchrony(rng.integers(0, 600_000, 100_000), 600_000, 0.1) == pytest.approx(1.0, abs=0.05)
    assert synchrony(np.repeat(common, 50), 600_000, 0.1) == pytest.approx(50, rel=0.05)


def test_correlation_of_shared_spikes() -> None:
    # Every unit has its own spikes and half as many shared ones: variance share 1/3 is common.
    rng = np.random.default_rng(3)
    steps, n = 2_000_000, 12
    shared = rng.integers(0, steps, 20_000)
    own = rng.integers(0, steps, (n, 40_000))
    step = np.concatenate([np.tile(shared, n), own.ravel()])
    unit = np.concatenate([np.repeat(np.arange(n), 20_000), np.repeat(np.arange(n), 40_000)])
    correlation = count_correlations(step, unit, np.arange(n), steps, 0.1)
    assert len(correlation) == n * (n - 1) / 2
    assert correlation.mean() == pytest.approx(1 / 3, abs=0.01)


def test_histograms_hold_every_neuron_once() -> None:
    rng = np.random.default_rng(4)
    sizes = np.array([300, 20])
    found = population_statistics(rng.integers(0, 10_000, 5000), rng.integers(0, 320, 5000), sizes, 10_000, 0.1)
    assert found["rate_histogram"].sum(axis=1).tolist() == [300, 20]
    assert found["correlation_histogram"].sum(axis=1).tolist() == [250 * 249 // 2, 190]
    np.testing.assert_allclose(found["rate"], 5000 / 320, rtol=0.1)
