"""What the connection rules draw, read back from the synapse words."""

import math

import numpy as np
import pytest
from scipy import stats

from allometry.network import (
    ExplicitEdges,
    FixedIndegree,
    FixedTotalNumber,
    IafPscExp,
    Lognormal,
    Network,
    Normal,
    PairwiseBernoulli,
    Population,
    Projection,
    Uniform,
)
from allometry.simulate.build.plan.network import compile_network
from tests.simulate import engine

N, M = 400, 300


def drawn(rule: object, weight: object = 50.0, delay: object = 1.5, seed: int = 1, same: bool = False) -> np.ndarray:
    """Source, target (within their populations), delay in steps, weight in pA."""
    populations = (Population("A", N, IafPscExp()), Population("B", M, IafPscExp()))
    target = "A" if same else "B"
    plan = compile_network(Network(populations, (Projection("A", target, rule, weight, delay),)), seed, "fast")
    table = engine.edges(plan).astype(float)
    table[:, 1] -= 0 if same else N
    table[:, 3] *= plan.neurons[0 if same else 1].quantum.value
    return table


def test_fixed_total_number_is_uniform_with_multinomial_indegrees() -> None:
    table = drawn(FixedTotalNumber(60_000))
    assert len(table) == 60_000
    for column, size in ((0, N), (1, M)):
        counts = np.bincount(table[:, column].astype(int), minlength=size)
        # Multinomial counts: the variance is that of chance; equal in-degrees would have none.
        assert stats.chisquare(counts).pvalue > 1e-3
        assert stats.chi2.cdf(((counts - counts.mean()) ** 2 / counts.mean()).sum(), size - 1) > 1e-3
    pairs = table[:, 0] * M + table[:, 1]
    assert len(np.unique(pairs)) < len(pairs)  # multapses


def test_fixed_indegree() -> None:
    table = drawn(FixedIndegree(37))
    assert (np.bincount(table[:, 1].astype(int), minlength=M) == 37).all()
    assert stats.chisquare(np.bincount(table[:, 0].astype(int), minlength=N)).pvalue > 1e-3


@pytest.mark.parametrize("rule", [FixedIndegree(50, autapses=False), PairwiseBernoulli(0.3, autapses=False)])
def test_autapses_can_be_left_out(rule: object) -> None:
    table = drawn(rule, same=True)
    assert (table[:, 0] != table[:, 1]).all()
    sources = np.bincount(table[:, 0].astype(int), minlength=N)
    assert abs(sources.mean() - len(table) / N) < 1e-9
    assert sources.std() < 3 * math.sqrt(sources.mean())


def test_autapses_are_drawn_where_allowed() -> None:
    table = drawn(FixedIndegree(50), same=True)
    own = (table[:, 0] == table[:, 1]).sum()
    assert stats.poisson.sf(own, 50) > 1e-4
    assert stats.poisson.cdf(own, 50) > 1e-4


@pytest.mark.parametrize("p", [0.0, 0.01, 0.35, 1.0])
def test_pairwise_bernoulli(p: float) -> None:
    table = drawn(PairwiseBernoulli(p))
    pairs = table[:, 0] * M + table[:, 1]
    assert len(np.unique(pairs)) == len(pairs)
    assert abs(len(table) - p * N * M) <= 4 * math.sqrt(N * M * p * (1 - p))
    if 0 < p < 1:
        sources = np.bincount(table[:, 0].astype(int), minlength=N)
        inside = np.random.default_rng(0).random(N)
        smooth = stats.binom.cdf(sources - 1, M, p) + inside * stats.binom.pmf(sources, M, p)
        assert stats.kstest(smooth, "uniform").pvalue > 1e-3


def test_normal_weights_keep_their_sign_and_distribution() -> None:
    table = drawn(FixedTotalNumber(100_000), Normal(-50.0, 40.0))
    weight = table[:, 3]
    assert (weight <= 0).all()
    low = stats.norm.cdf(-50.0 / 40.0)
    expected = stats.truncnorm(-np.inf, 50.0 / 40.0, loc=-50.0, scale=40.0)
    assert low > 0.05
    assert stats.kstest(weight, expected.cdf).statistic < 0.006


def test_lognormal_weights() -> None:
    weight = drawn(FixedTotalNumber(100_000), Lognormal(50.0, 25.0))[:, 3]
    sigma = math.sqrt(math.log(1.25))
    expected = stats.lognorm(sigma, scale=50.0 * math.exp(-(sigma**2) / 2))
    assert stats.kstest(weight, expected.cdf).statistic < 0.006


def test_normal_delays_are_redrawn_and_rounded() -> None:
    delay = drawn(FixedTotalNumber(200_000), delay=Normal(1.5, 0.75))[:, 2].astype(int)
    steps = np.arange(1, delay.max() + 1)
    expected = stats.truncnorm((0.05 - 1.5) / 0.75, np.inf, loc=1.5, scale=0.75)
    p = expected.cdf((steps + 0.5) * 0.1) - expected.cdf((steps - 0.5) * 0.1)
    counts = np.bincount(delay, minlength=len(steps) + 1)[1:]
    keep = p * len(delay) > 20
    assert delay.min() == 1
    assert stats.chisquare(counts[keep], p[keep] / p[keep].sum() * counts[keep].sum()).pvalue > 1e-3


def test_source_weight_and_delay_are_independent() -> None:
    table = drawn(FixedTotalNumber(100_000), Normal(50.0, 5.0), Normal(1.5, 0.75))
    correlation = np.corrcoef(table.T)
    assert np.abs(correlation - np.eye(4)).max() < 5 / math.sqrt(len(table))


def test_explicit_edges_are_kept_as_given() -> None:
    rng = np.random.default_rng(2)
    source, target = rng.integers(0, N, 5000), rng.integers(0, M, 5000)
    weight, delay = 0.25 * rng.integers(-400, 400, 5000), 0.1 * rng.integers(1, 300, 5000)
    table = drawn(ExplicitEdges(source, target, weight, delay), None, None)
    given = np.stack([source, target, np.round(delay / 0.1), weight], axis=1)
    np.testing.assert_allclose(table, given[np.lexsort(given.T[::-1])], atol=0.01)


def test_uniform_weights_and_delays() -> None:
    table = drawn(FixedTotalNumber(100_000), Uniform(-20.0, 60.0), Uniform(0.25, 1.75))
    assert stats.kstest(table[:, 3], stats.uniform(-20.0, 80.0).cdf).statistic < 0.006
    assert abs((table[:, 3] < 0).mean() - 0.25) < 0.006
    # From 2.5 to 17.5 steps, halves up: the steps 3 to 17 are equally likely.
    counts = np.bincount(table[:, 2].astype(int))
    assert (counts[:3] == 0).all()
    assert len(counts) == 18
    assert stats.chisquare(counts[3:]).pvalue > 1e-3
    assert abs(np.corrcoef(table[:, 2], table[:, 3])[0, 1]) < 0.015


def test_lognormal_delays_are_rounded_and_redrawn_below_half_a_step() -> None:
    delay = drawn(FixedTotalNumber(100_000), 50.0, Lognormal(0.3, 0.4))[:, 2]
    variance = math.log(1 + (0.4 / 0.3) ** 2)
    law = stats.lognorm(math.sqrt(variance), scale=0.3 * math.exp(-variance / 2))
    below = law.cdf(0.05)
    assert below > 0.03
    assert delay.min() == 1
    for steps in (1, 2, 3, 5, 10, 30):
        wanted = (law.cdf((steps + 0.5) * 0.1) - below) / (1 - below)
        assert abs((delay <= steps).mean() - wanted) < 0.005
    assert (drawn(FixedTotalNumber(50), 50.0, Lognormal(0.75, 0.0))[:, 2] == 8).all()


def test_narrow_and_wide_words_hold_the_same_synapses(monkeypatch: pytest.MonkeyPatch) -> None:
    from allometry.simulate.build.plan import network as plans
    from allometry.simulate.build.shards import state
    from allometry.simulate.build.synapses import wiring

    populations = (Population("A", N, IafPscExp()), Population("B", M, IafPscExp()))
    projections = (
        Projection("A", "B", FixedTotalNumber(20_000), Normal(50.0, 5.0), Normal(1.5, 0.75)),
        Projection("B", "A", FixedTotalNumber(9_000), Normal(-200.0, 20.0), Normal(0.8, 0.4)),
    )
    net = Network(populations, projections)
    plan = compile_network(net, 1, "fast")
    where = state.layout(plan, 0, 1)
    assert len(wiring.build_wiring(plan, where).wide) == 0
    narrow, spikes = engine.edges(plan), engine.run_plan(plan, [200])
    monkeypatch.setattr(plans.Synapses, "weight_bits", property(lambda self: 40))
    assert len(wiring.build_wiring(plan, where).narrow) == 0
    np.testing.assert_array_equal(engine.edges(plan), narrow)
    np.testing.assert_array_equal(engine.run_plan(plan, [200]), spikes)
