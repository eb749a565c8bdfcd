"""Currents that start and stop off the grid, nearly equal time constants, and probabilities close to zero."""

import numpy as np
import pytest

from allometry.network import (
    ConnectomeLif,
    DCInput,
    IafPscExp,
    Network,
    PairwiseBernoulli,
    PoissonInput,
    Population,
    Projection,
)
from allometry.simulate.build.plan.network import compile_network
from tests.simulate import engine


def driven(**window: float) -> Network:
    return Network((Population("A", 1, IafPscExp()),), inputs=(DCInput("A", 1000.0, **window),))


def test_times_of_currents_are_rounded_to_the_grid() -> None:
    for off, on in ((0.24, 0.2), (0.26, 0.3)):
        found = engine.spikes(driven(start_ms=off), 2000)
        assert len(found) > 5
        np.testing.assert_array_equal(found, engine.spikes(driven(start_ms=on), 2000))
    np.testing.assert_array_equal(engine.spikes(driven(stop_ms=50.04), 2000), engine.spikes(driven(stop_ms=50.0), 2000))


def test_windows_of_any_length_see_the_same_currents() -> None:
    net = Network(
        (Population("A", 1, IafPscExp()),),
        inputs=(DCInput("A", 500.0, 3.13, 71.88), DCInput("A", 450.0, 20.0, 150.02), DCInput("A", -30.0, 0.04)),
    )
    plan = compile_network(net, 1, "exact")
    whole = engine.run_plan(plan, [2000])
    assert len(whole) > 5
    for windows in ([1000, 2000], [137, 720, 721, 1500, 2000], [*range(100, 2001, 100)]):
        np.testing.assert_array_equal(engine.run_plan(plan, windows), whole)


def test_nearly_equal_time_constants_have_the_limit() -> None:
    def effect(tau_syn: float) -> float:
        net = Network((Population("A", 1, ConnectomeLif(tau_m=20.0, tau_syn=tau_syn)),))
        return float(compile_network(net, 1, "exact").neurons[0].constants["from_g"])

    limit = 0.1 / 20.0 * np.exp(-0.1 / 20.0)
    assert effect(20.0) == pytest.approx(limit, rel=1e-15)
    for difference in (1e-13, 1e-12, 1e-9, 1e-6):
        # The first correction to the limit is of relative size dt * difference / (2 tau^2).
        assert effect(20.0 + difference) == pytest.approx(limit, rel=1e-15 + difference / 20.0)
    # Both sides of the place where the formula changes agree to rounding of the plain one (1e-16 / 1e-3).
    assert effect(20.0 * 1.00099) == pytest.approx(effect(20.0 * 1.00101), rel=1.1e-5)


def test_probabilities_too_small_for_one_minus_p() -> None:
    for p in (1e-17, 1e-30, 1e-200):
        net = Network((Population("A", 30, IafPscExp()),), (Projection("A", "A", PairwiseBernoulli(p), 1.0, 1.0),))
        assert len(engine.edges(compile_network(net, 1, "fast"))) == 0


def test_sums_at_the_limit_are_exact() -> None:
    """Poisson input that nearly fills 32 bits drives as in 64 bits."""
    net = Network(
        (Population("A", 20, IafPscExp()),),
        (Projection("A", "A", PairwiseBernoulli(0.1), 0.01, 1.0),),
        (PoissonInput("A", 4e3, 400.0),),
    )
    fast, exact = engine.spikes(net, 3000), engine.spikes(net, 3000, precision="exact")
    assert len(exact) > 20
    assert len(fast) == pytest.approx(len(exact), rel=0.1)
