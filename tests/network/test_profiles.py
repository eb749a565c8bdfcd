"""Rates and currents that vary in time: pieces on the grid, descriptions, refusals."""

from collections.abc import Callable

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.network import (
    Condition,
    DCInput,
    IafPscExp,
    Network,
    Piecewise,
    PoissonInput,
    Population,
    Sampled,
)
from allometry.simulate.build.plan.inputs import compile_rates
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.build.timing import profile_pieces, rounded_times
from allometry.simulate.check.validate import check_network
from allometry.simulate.kernels.inputs.drive import poisson_thresholds
from tests.simulate import engine


def net(*inputs: object) -> Network:
    return Network((Population("A", 3, IafPscExp()),), inputs=inputs)  # type: ignore[arg-type]


def test_pieces_go_to_the_nearest_step() -> None:
    steps, values = profile_pieces(Piecewise([0.24, 0.26, 1.0], [1.0, 2.0, 3.0]), 0.1)
    assert steps.tolist() == [0, 2, 3, 10]
    assert values.tolist() == [0.0, 1.0, 2.0, 3.0]
    steps, values = profile_pieces(Piecewise([0.0, 0.01, 5.0], [1.0, 2.0, 3.0]), 0.1)
    assert (steps.tolist(), values.tolist()) == ([0, 50], [2.0, 3.0])
    steps, values = profile_pieces(Sampled([4.0, 5.0, 6.0], 0.25, 0.1), 0.1)
    assert steps.tolist() == [0, 1, 4, 6, 9]
    assert values.tolist() == [0.0, 4.0, 5.0, 6.0, 0.0]
    many = profile_pieces(Sampled(np.arange(30_000), 0.1), 0.1)[0]
    np.testing.assert_array_equal(many, np.arange(30_001))


def test_thresholds_are_those_of_the_rate_of_each_piece() -> None:
    rates = compile_rates(PoissonInput("A", Piecewise([0, 1, 2, 3], [50.0, 0.0, 900.0, 50.0]), 1.0), 0.1)
    assert len(np.unique(rates.table[:, 1])) == 3  # equal rates share their thresholds
    for line, rate in zip(rates.table.tolist(), [50.0, 0.0, 900.0, 50.0]):
        offset, row = poisson_thresholds(rate * 1e-4)
        assert line[0] == offset
        np.testing.assert_array_equal(rates.rows[line[1] : line[2]], row)


@pytest.mark.parametrize(
    ("varied", "plain"),
    [
        (lambda: PoissonInput("A", Piecewise([0.0], [9000.0]), 200.0), lambda: PoissonInput("A", 9000.0, 200.0)),
        (
            lambda: PoissonInput("A", Piecewise([0, 20, 90], [0, 9000, 0]), 200.0),
            lambda: PoissonInput("A", 9000.0, 200.0, start_ms=20.0, stop_ms=90.0),
        ),
        (lambda: DCInput("A", Sampled(np.full(100, 600.0), 0.7)), lambda: DCInput("A", 600.0, stop_ms=70.0)),
        (
            lambda: DCInput("A", Piecewise([5.0, 60.0], [[600.0, 0.0, 700.0], [0.0, 600.0, 700.0]]), 10.0),
            lambda: DCInput("A", [600.0, 0.0, 0.0], 10.0, 60.0),
        ),
    ],
)
def test_a_profile_of_one_value_is_the_constant(varied: Callable, plain: Callable) -> None:
    others = ()
    if isinstance(plain().__dict__.get("amplitude"), np.ndarray):
        others = (DCInput("A", [0.0, 600.0, 0.0], 60.0), DCInput("A", [0.0, 0.0, 700.0], 10.0))
    found = engine.spikes(net(varied()), 1500)
    assert len(found) > 5
    np.testing.assert_array_equal(found, engine.spikes(net(plain(), *others), 1500))


def test_conditions_scale_profiles() -> None:
    rate = Piecewise([0.0, 5.0], [100.0, 300.0])
    changed = Condition("more", rate_factors={"A": 1.5}).applied(net(PoissonInput("A", rate, 1.0)))
    assert changed.inputs[0].rate_hz.values.tolist() == [150.0, 450.0]
    assert (2.0 * Sampled([1.0, 2.0], 1.0)).values.tolist() == [2.0, 4.0]


def test_round_trip_and_what_was_rounded() -> None:
    given = net(
        PoissonInput("A", Sampled([1.0, 2.0], 0.25), 1.0), DCInput("A", Piecewise([0.0, 1.02], [[1.0, 2.0, 3.0]] * 2))
    )
    check_network(given)
    assert Network.from_dict(given.to_dict()).to_dict() == given.to_dict()
    said = rounded_times(given)
    assert said["times of the profile of input 0 (A)"] == "1 of 3, the first: 0.25 ms taken to step 3 of 0.1 ms"
    assert said["times of the profile of input 1 (A)"] == "1 of 2, the first: 1.02 ms taken to step 10 of 0.1 ms"
    assert len(compile_network(given, 1, "fast").currents) == 1


REFUSED = {
    "negative rate": (PoissonInput("A", Sampled([1.0, -2.0], 1.0), 1.0), "the rate is -2.0 Hz"),
    "rate that is none": (PoissonInput("A", Piecewise([0.0], [np.nan]), 1.0), "the rate is nan Hz"),
    "rates per neuron": (PoissonInput("A", Sampled(np.ones((2, 3)), 1.0), 1.0), r"profile of rates has shape \(2, 3\)"),
    "high rate": (PoissonInput("A", Sampled([1.0, 1e9], 1.0), 1.0), "events per step"),
    "short step": (PoissonInput("A", Sampled([1.0, 2.0], 0.05), 1.0), "a step of 0.05 ms, below the time step"),
    "neurons": (DCInput("A", Sampled(np.ones((2, 4)), 1.0)), r"differs in length from population: \(4,\), not \(3,\)"),
    "current": (DCInput("A", Sampled([np.inf], 1.0)), "amplitude is not finite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_impossible_profiles_are_refused(case: str) -> None:
    given, message = REFUSED[case]
    with pytest.raises(SimulationError, match=message) as caught:
        check_network(net(given))
    assert caught.value.where


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Piecewise([0.0, 1.0], [1.0]), "2 times for 1 values"),
        (lambda: Piecewise([1.0, 1.0], [1.0, 2.0]), "do not rise"),
        (lambda: Piecewise([-1.0, 1.0], [1.0, 2.0]), "begin before 0"),
        (lambda: Piecewise([], []), "have shape"),
        (lambda: Sampled(np.ones((1, 1, 1)), 1.0), "have shape"),
        (lambda: Sampled([1.0], 0.0), "step_ms is 0"),
        (lambda: Sampled([1.0], 1.0, -1.0), "start_ms is -1"),
    ],
)
def test_what_is_no_profile(build: Callable, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        build()
