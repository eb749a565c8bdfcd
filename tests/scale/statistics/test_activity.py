"""Statistics of spikes with known correlations, whatever the number of neurons."""

import numpy as np
import pandas as pd
import pytest

from allometry import stores
from allometry.errors import PluginError, SimulationError
from allometry.scale import STATISTICS
from allometry.scale.statistics import activity
from allometry.scale.statistics.recorded import Recorded, rates, read
from allometry.scale.statistics.records import statistic
from tests.stores.samples import ATTRS

SECONDS = 20.0


def recorded(
    steps: np.ndarray, units: np.ndarray, populations: list[str], seconds: float = SECONDS, **changes
) -> Recorded:
    return read(
        stored(steps, units, populations, seconds), **{"skip_ms": 0.0, "bin_ms": 5.0, "max_units": 100, **changes}
    )


def stored(steps: np.ndarray, units: np.ndarray, populations: list[str], seconds: float = SECONDS):
    order = np.lexsort((units, steps))
    return stores.spikes_simulated(
        steps[order],
        units[order],
        dt_ms=0.1,
        units=pd.DataFrame({"population": populations}),
        duration_ms=seconds * 1000,
        attrs={**ATTRS, "seed": 1},
    )


def poisson(rng: np.random.Generator, n: int, rate: float, shared: float = 0.0, seconds: float = SECONDS):
    """Poisson trains of which a share of the spikes is common to all: pairwise correlation `shared` in any bin."""
    steps_per_s = 10_000
    total = int(seconds * steps_per_s)
    mother = rng.choice(total, rng.poisson(rate / shared * seconds), replace=True) if shared else np.zeros(0, int)
    steps, units = [], []
    for unit in range(n):
        own = (
            mother[rng.random(mother.size) < shared] if shared else rng.integers(0, total, rng.poisson(rate * seconds))
        )
        own = np.unique(own)
        steps.append(own)
        units.append(np.full(own.size, unit))
    return np.concatenate(steps), np.concatenate(units)


def test_independent_neurons() -> None:
    rng = np.random.default_rng(1)
    found = recorded(*poisson(rng, 60, 20.0), ["a"] * 60)
    assert activity.rate(found, "a") == pytest.approx(20.0, rel=0.03)
    assert activity.cv(found, "a") == pytest.approx(1.0, abs=0.03)
    assert activity.lv(found, "a") == pytest.approx(1.0, abs=0.03)
    # standard error of a mean correlation: sqrt(2 / (bins pairs))
    assert activity.correlation(found, "a") == pytest.approx(0.0, abs=4 * np.sqrt(2 / (4000 * 1770)))
    assert activity.synchrony(found, "a") == pytest.approx(1.0, abs=4 * np.sqrt(2 / 6666))
    assert activity.synchrony_correlation(found, "a") == pytest.approx(0.0, abs=4 * np.sqrt(2 / 6666) / 59)
    assert activity.gamma_correlation(found, "a") == pytest.approx(0.0, abs=4 * np.sqrt(1 / (78 * 12)) / 59)
    assert np.isnan(activity.peak_frequency(found, "a"))
    assert np.isnan(activity.voltage_sd(found, "a"))


@pytest.mark.parametrize("n", [20, 80])
def test_correlations_do_not_depend_on_the_number_of_neurons(n: int) -> None:
    found = recorded(*poisson(np.random.default_rng(2), n, 20.0, shared=0.1), ["a"] * n)
    assert activity.correlation(found, "a") == pytest.approx(0.1, abs=0.01)
    assert activity.synchrony_correlation(found, "a") == pytest.approx(0.1, abs=0.01)
    assert activity.gamma_correlation(found, "a") == pytest.approx(0.1, abs=0.02)
    # the published statistic does: 1 + (n - 1) c
    assert activity.synchrony(found, "a") == pytest.approx(1 + (n - 1) * 0.1, rel=0.1)


def test_synchrony_as_a_correlation_is_that_of_the_full_matrix() -> None:
    """Mean covariance over mean variance of the counts of all neurons, written out."""
    rng = np.random.default_rng(3)
    steps, units = poisson(rng, 30, 15.0, shared=0.2, seconds=5.0)
    found = recorded(steps, units, ["a"] * 10 + ["b"] * 20, seconds=5.0)
    counts = np.zeros((1666, 30))
    np.add.at(counts, (np.minimum(steps // 30, 1665), units), (steps // 30 < 1666).astype(float))
    for name, mine in (("a", slice(0, 10)), ("b", slice(10, 30)), ("all", slice(0, 30))):
        covariance = np.cov(counts[:, mine].T, ddof=0)
        n = len(covariance)
        expected = (covariance.sum() - np.trace(covariance)) / (n - 1) / np.trace(covariance)
        assert activity.synchrony_correlation(found, name) == pytest.approx(expected, rel=1e-9)


def test_a_rhythm_is_found_at_its_frequency() -> None:
    rng = np.random.default_rng(4)
    time = np.arange(int(SECONDS * 10_000)) / 10_000
    chance = 30.0 / 10_000 * (1 + 0.6 * np.sin(2 * np.pi * 50 * time))
    fired = [np.flatnonzero(rng.random(time.size) < chance) for _ in range(50)]
    steps = np.concatenate(fired)
    units = np.repeat(np.arange(50), [one.size for one in fired])
    found = recorded(steps, units, ["a"] * 50)
    assert activity.peak_frequency(found, "a") == pytest.approx(50.0, abs=2.0)
    assert activity.gamma_correlation(found, "a") > 0.01


def test_warm_up_is_left_out_and_silence_is_undefined() -> None:
    early = np.arange(0, 5000, 50)
    found = recorded(early, np.zeros(early.size, int), ["a", "b"], seconds=2.0, skip_ms=500.0)
    assert found.duration_s == pytest.approx(1.5)
    assert activity.rate(found, "a") == activity.rate(found, "b") == 0.0
    for name in (
        "cv",
        "lv",
        "correlation",
        "synchrony",
        "synchrony_correlation",
        "gamma_correlation",
        "peak_frequency",
    ):
        assert np.isnan(STATISTICS[name].function(found, "b")), name
    store = stored(np.array([6000, 8000, 100]), np.array([0, 0, 1]), ["a", "b"], seconds=1.0)
    assert rates(store, 500.0) == {"a": 4.0, "b": 0.0}


def test_one_population_is_everyone() -> None:
    found = recorded(*poisson(np.random.default_rng(5), 10, 5.0), ["a"] * 10)
    assert set(found.units) == {"a"}


def test_counts_alone_are_refused() -> None:
    store = stored(np.zeros(0, int), np.zeros(0, int), ["a"])
    stores.set_attributes(store, parameters={"record": {"spikes": False}})
    with pytest.raises(SimulationError, match="not recorded one by one"):
        read(store, skip_ms=0.0, bin_ms=5.0, max_units=10)


def test_a_statistic_without_a_unit_is_refused() -> None:
    with pytest.raises(PluginError, match="has no unit"):
        statistic(unit="", description="x")(lambda recorded, population: 0.0)
