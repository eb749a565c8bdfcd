"""Random networks against a plain numpy integration of the same edges, voltages and Poisson events."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allometry.network import Network
from allometry.simulate.build.plan.network import compile_network
from tests.reference import step_by_step
from tests.simulate import engine
from tests.simulate.networks import networks

STEPS = 300
CUTS = [(1, 2), (2, 1), (3, 1), (2, 2), (5, 1)]
SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@SETTINGS
@given(net=networks(), seed=st.integers(0, 3))
def test_exact_precision_is_the_plain_integration(net: Network, seed: int) -> None:
    found = engine.spikes(net, STEPS, seed=seed, precision="exact")
    listed = engine.explicit(net, seed, STEPS)
    with np.errstate(divide="ignore", invalid="ignore"):
        step, unit = step_by_step.simulate(listed, STEPS * net.dt_ms)
    np.testing.assert_array_equal(found, np.stack([step, unit], axis=1))


@SETTINGS
@given(net=networks(), cut=st.sampled_from(CUTS), precision=st.sampled_from(["fast", "fast", "exact"]))
def test_spikes_do_not_depend_on_the_cut(net: Network, cut: tuple[int, int], precision: str) -> None:
    plan = compile_network(net, 7, precision)
    whole = engine.run_plan(plan, [STEPS])
    np.testing.assert_array_equal(engine.run_plan(plan, [100, 111, STEPS], *cut), whole)


@SETTINGS
@given(net=networks(), parts=st.integers(2, 7))
def test_edges_do_not_depend_on_the_cut(net: Network, parts: int) -> None:
    plan = compile_network(net, 3, "fast")
    whole = engine.edges(plan)
    pieces = np.concatenate([engine.edges(plan, part, parts) for part in range(parts)])
    np.testing.assert_array_equal(pieces[np.lexsort(pieces.T[::-1])], whole)
