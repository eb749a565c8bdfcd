"""Factors that are known are found, with few evaluations; what cannot be reached is said."""

from collections.abc import Mapping

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.scale.calibration import Settings, calibrate

NAMES = ("ee", "ie", "ei", "ii")
# log rates [target] that factors change, as those of a spiking network do: excitation up, inhibition down
GAINS = np.array([[1.6, 0.3, -1.4, 0.5], [0.9, 1.2, -0.6, -0.9], [1.1, 0.2, -1.0, 0.3], [0.7, 0.8, -0.4, -0.7]])
TARGETS = np.array([1.7, 7.9, 3.3, 20.6])


def network(true: Mapping[str, float], curvature: float = 0.4):
    """Rates that have the targets at the true factors, and are no power law of the factors."""
    calls = []

    def rates(factors: Mapping[str, float]) -> np.ndarray:
        calls.append(dict(factors))
        x = np.array([np.log(factors[name] / true[name]) for name in NAMES])
        return TARGETS * np.exp(GAINS @ x + curvature * np.tanh(x).sum() * (GAINS @ x))

    return rates, calls


def test_planted_factors_give_the_targets() -> None:
    true = dict(zip(NAMES, (0.8, 0.95, 1.1, 1.05)))
    rates, calls = network(true)
    found = calibrate(rates, TARGETS, NAMES)
    assert found.converged
    assert found.residual < 0.04
    np.testing.assert_allclose(rates(found.factors), TARGETS, rtol=0.04)
    # the spec's count: one evaluation, one per factor, and at most eight iterations
    assert len(found.history) <= 1 + 4 + 8
    assert len(calls) == len(found.history) + 1


def test_last_bits_of_the_arithmetic_do_not_reach_the_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another CPU's exp and linear algebra differ in their last bits; the simulations must get the same factors."""
    true = dict(zip(NAMES, (0.8, 0.95, 1.1, 1.05)))
    exact = calibrate(network(true)[0], TARGETS, NAMES)
    solve = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda a, b: solve(a, b) * (1 + 3e-16))
    other = calibrate(network(true)[0], TARGETS, NAMES)
    assert [entry["factors"] for entry in other.history] == [entry["factors"] for entry in exact.history]
    assert other.factors == exact.factors


def test_factors_that_fit_already_are_left_alone() -> None:
    rates, calls = network(dict.fromkeys(NAMES, 1.0))
    found = calibrate(rates, TARGETS, NAMES)
    assert found.converged
    assert (found.factors, found.iterations, len(calls)) == (dict.fromkeys(NAMES, 1.0), 0, 1)


def test_no_factor_changes_by_more_than_the_cap_at_once() -> None:
    rates, _ = network(dict(zip(NAMES, (0.3, 0.6, 2.0, 1.0))), curvature=0.0)
    found = calibrate(rates, TARGETS, NAMES, Settings(iterations=20))
    tried = np.log([[entry["factors"][name] for name in NAMES] for entry in found.history])
    accepted = [tried[0]]
    for x in tried[5:]:
        assert min(np.abs(x - earlier).max() for earlier in [*accepted, *tried[:5]]) <= 0.25 + 1e-9
        accepted.append(x)
    assert found.converged


def test_a_start_near_the_end_needs_fewer_iterations() -> None:
    true = dict(zip(NAMES, (0.5, 0.8, 1.3, 1.0)))
    rates, _ = network(true)
    cold = calibrate(rates, TARGETS, NAMES, Settings(iterations=20))
    warm = calibrate(rates, TARGETS, NAMES, Settings(iterations=20), start={**true, "ee": 0.55})
    assert warm.converged
    assert warm.iterations < cold.iterations


def test_what_cannot_be_reached_is_said_and_the_best_is_kept() -> None:
    def stuck(factors: Mapping[str, float]) -> np.ndarray:
        return np.array([1.7, 2.0 * 7.9]) * factors["ee"] ** np.array([0.5, 0.5])

    found = calibrate(stuck, TARGETS[:2], ("ee",))
    assert not found.converged
    # the best for both: half of log 2 each
    assert found.residual == pytest.approx(np.log(2) / 2, abs=0.05)
    assert found.residual == min(max(map(abs, entry["log_ratios"])) for entry in found.history)


def test_a_silent_population_counts_as_very_far() -> None:
    def silent(factors: Mapping[str, float]) -> np.ndarray:
        return np.array([0.0 if factors["ee"] < 1.5 else 1.7])

    found = calibrate(silent, [1.7], ("ee",), Settings(iterations=3))
    assert found.residual == pytest.approx(np.log(1000), abs=1e-6)
    assert not found.converged


def test_undetermined_directions_stay_at_one() -> None:
    def one(factors: Mapping[str, float]) -> np.ndarray:
        return np.array([2.0 * factors["ee"]])

    found = calibrate(one, [1.7], ("ee", "ii"))
    assert found.converged
    assert found.factors["ii"] == pytest.approx(1.0)
    assert found.factors["ee"] == pytest.approx(0.85, rel=0.04)


@pytest.mark.parametrize(("targets", "names", "said"), [([0.0], ("ee",), "not positive"), ([1.0], (), "nothing")])
def test_nothing_to_calibrate_is_refused(targets: list[float], names: tuple[str, ...], said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        calibrate(lambda factors: [1.0], targets, names)


def test_another_number_of_rates_is_refused() -> None:
    with pytest.raises(SimulationError, match="2 rates were measured"):
        calibrate(lambda factors: [1.0, 2.0], [1.0], ("ee",))
