"""The delta-synapse network against its published definition."""

import pytest

from allometry.errors import SimulationError
from allometry.models import brunel
from allometry.network import Constant, DCInput, FixedIndegree, PoissonInput


def test_full_size_is_the_published_network() -> None:
    net = brunel()
    assert [p.size for p in net.populations] == [10_000, 2_500]
    assert sum(p.rule.n * net.population(p.target).size for p in net.projections) == 15_625_000
    for p in net.projections:
        assert p.rule == (FixedIndegree(1000) if p.source == "E" else FixedIndegree(250))
        assert p.weight == (Constant(0.1) if p.source == "E" else Constant(-0.5))
        assert p.delay == Constant(1.5)
    assert [(i.rate_hz, i.weight) for i in net.inputs] == [(pytest.approx(20_000), 0.1)] * 2
    neuron = net.populations[0].neuron
    assert (neuron.tau_m, neuron.V_th, neuron.V_reset, neuron.t_ref) == (20, 20, 10, 2)


def test_scaling_preserves_mean_and_variance_at_the_theoretical_rate() -> None:
    rate = 37.9497

    def moments(net):
        k = {p.source: p.rule.n for p in net.projections if p.target == "E"}
        w = {p.source: p.weight.value for p in net.projections if p.target == "E"}
        (poisson,) = [i for i in net.inputs if isinstance(i, PoissonInput) and i.population == "E"]
        direct = sum(i.amplitude for i in net.inputs if isinstance(i, DCInput) and i.population == "E")
        mean = 0.02 * (sum(k[s] * w[s] * rate for s in k) + poisson.rate_hz * poisson.weight) + 20 * direct
        return mean, sum(k[s] * w[s] ** 2 * rate for s in k) + poisson.rate_hz * poisson.weight**2

    for full, small in zip(moments(brunel()), moments(brunel(scale=0.2))):
        assert small == pytest.approx(full, rel=1e-5)


@pytest.mark.parametrize(
    "arguments", [{"scale": 0}, {"epsilon": 1.5}, {"epsilon": 0}, {"delay_ms": -1}, {"j_mv": 0}, {"k_scale": -0.1}]
)
def test_impossible_arguments_are_refused(arguments: dict) -> None:
    with pytest.raises(SimulationError, match="brunel"):
        brunel(**arguments)
