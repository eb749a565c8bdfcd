"""Weights as integers: the unit of `exact` follows small weights, and lognormal weights keep their tail."""

import hashlib
import math

import numpy as np
import pytest
from distributed import Client
from scipy import stats

from allometry import simulate, stores
from allometry.errors import SimulationError
from allometry.network import (
    ExplicitEdges,
    FixedIndegree,
    FixedTotalNumber,
    IafPscExp,
    Lognormal,
    Network,
    Normal,
    PairwiseBernoulli,
    PoissonInput,
    Population,
    Projection,
)
from allometry.simulate.build.fixedpoint import EXACT_QUANTUM, delay_table, table_mean, weight_table
from allometry.simulate.build.plan.network import compile_network
from tests.simulate import engine


def scaled(factor: float, weight: float = 50.0) -> Network:
    """Neurons that see weights, currents and thresholds times `factor`, so that spikes do not depend on it."""
    neuron = IafPscExp(C_m=1.0, tau_m=20.0, tau_syn_ex=5.0, tau_syn_in=5.0, E_L=0.0, V_reset=0.0, V_th=2000.0 * factor)
    w = weight * factor
    return Network(
        (Population("A", 50, neuron),),
        (Projection("A", "A", FixedIndegree(5), w, 1.5),),
        (PoissonInput("A", 2000.0, w),),
    )


def test_exact_with_small_weights_has_the_spikes_of_the_same_network_in_other_units() -> None:
    usual = engine.spikes(scaled(1.0), 3000, precision="exact")
    assert len(usual) > 100
    assert compile_network(scaled(1.0), 1, "exact").neurons[0].quantum.value == EXACT_QUANTUM["pA"]
    for exponent in (-17, -22, -30):
        np.testing.assert_array_equal(engine.spikes(scaled(2.0**exponent), 3000, precision="exact"), usual)


def test_exact_rounds_no_weight_by_more_than_a_thousandth() -> None:
    for weight in (4e-4, 8e-4, 0.02):
        unit = compile_network(scaled(1.0, weight), 1, "exact").neurons[0].quantum
        assert unit.value < EXACT_QUANTUM["pA"]
        assert unit.error <= 1e-6 * weight
    # Where the usual unit suffices it stays, and with it the spikes: weights of tenths of pA, and small multiples of it.
    for weight in (0.3, 88.0, 1e5, 2.0**-10, 3 * 2.0**-10):
        assert compile_network(scaled(1.0, weight), 1, "exact").neurons[0].quantum.value == EXACT_QUANTUM["pA"]


def test_exact_refuses_weights_too_different_for_one_unit() -> None:
    population = Population("A", 5, IafPscExp())
    projections = [Projection("A", "A", FixedIndegree(2), w, 1.0) for w in (1e6, 1e-6)]
    with pytest.raises(SimulationError, match="of the mean") as caught:
        compile_network(Network((population,), tuple(projections)), 1, "exact")
    assert "weights into population A" in caught.value.where


def test_the_store_says_that_weights_were_rounded_to_another_unit(client: Client, tmp_path) -> None:  # type: ignore[no-untyped-def]
    for name, factor, found in (("usual", 1.0, None), ("small", 2.0**-17, "2^-32 pA")):
        store = simulate.run(
            scaled(factor),
            20,
            1,
            tmp_path / f"{name}.zarr",
            precision="exact",
            execution=simulate.Execution(threads=1, cluster=client),
        )
        said = stores.attribute(store, "derived").get("weights_rounded_to", {}).get("A")
        assert said is None if found is None else said.startswith(found)


def lognormal(spread: float) -> "stats.rv_frozen":
    """The analytic distribution of mean 1 and standard deviation `spread`."""
    sigma = math.sqrt(math.log1p(spread**2))
    return stats.lognorm(sigma, scale=math.exp(-(sigma**2) / 2))


@pytest.mark.parametrize("spread", [0.1, 0.3, 1.0, 2.0, 5.0, 10.0])
def test_lognormal_tables_have_mean_sd_and_tail(spread: float) -> None:
    values = weight_table(Lognormal(-1.0, spread), "here")
    size = -values
    assert all((np.diff(table) > 0).all() for table in size.reshape(-1, 65536))
    mean = table_mean(size)
    assert mean == pytest.approx(1.0, abs=1e-5)
    assert math.sqrt(table_mean(size**2) - mean**2) == pytest.approx(spread, rel=1e-3)
    body, second = size[:65536], size[65536:131072]
    wanted = lognormal(spread)
    np.testing.assert_allclose(body[[10, 32768, 65000]], wanted.ppf((np.array([10, 32768, 65000]) + 0.5) / 65536))
    # The second table is the last 16 of 65536.
    rare = 16 / 65536 * (1 - (np.array([0, 30000, 65535]) + 0.5) / 65536)
    np.testing.assert_allclose(second[[0, 30000, 65535]], wanted.isf(rare), rtol=1e-9)


@pytest.mark.parametrize("rule", [FixedTotalNumber(1_000_000), PairwiseBernoulli(1.0)])
def test_drawn_lognormal_weights_reach_beyond_the_first_table(rule: object) -> None:
    n = 1000
    net = Network((Population("A", n, IafPscExp()),), (Projection("A", "A", rule, Lognormal(50.0, 250.0), 1.0),))  # type: ignore[arg-type]
    plan = compile_network(net, 1, "exact")
    weight = engine.edges(plan)[:, 3] * plan.neurons[0].quantum.value / 50.0
    assert len(weight) == pytest.approx(1_000_000, rel=0.01)
    for rare in (1e-3, 2e-4, 2e-5, 5e-6):
        count, expected = (weight > lognormal(5.0).isf(rare)).sum(), rare * len(weight)
        assert stats.poisson.cdf(count, expected) > 1e-4
        assert stats.poisson.sf(count - 1, expected) > 1e-4
    assert len(np.unique(weight[weight > lognormal(5.0).isf(2e-5)])) > 10


def test_a_tail_too_heavy_to_be_drawn_is_refused() -> None:
    with pytest.raises(SimulationError, match="too heavy to be drawn"):
        weight_table(Lognormal(1.0, 60.0), "here")


def test_tables_of_normal_weights_and_delays_keep_their_bits() -> None:
    tables = (
        weight_table(Normal(87.8, 8.78), "here"),
        weight_table(Normal(-351.2, 35.1), "here"),
        delay_table(Normal(1.5, 0.75), 0.1, "here"),
        delay_table(Normal(0.75, 0.375), 0.1, "here"),
    )
    assert [hashlib.sha256(table.tobytes()).hexdigest()[:12] for table in tables] == [
        "a40ad31807de",
        "7916e62807fd",
        "3e018b4c42b4",
        "46559a680774",
    ]


def test_as_many_edges_as_a_table_are_still_edges() -> None:
    """Listed weights are no table, however many there are."""
    count = 2 * 65536
    weight = np.full(count, 1.0)
    weight[-1] = 1000.0
    edges = ExplicitEdges(np.arange(count) % 50, np.arange(count) % 50, weight, 1.0)
    net = Network((Population("A", 50, IafPscExp()),), (Projection("A", "A", edges),))
    assert compile_network(net, 1, "fast").neurons[0].quantum.value == 2.0**-9
