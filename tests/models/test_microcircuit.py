"""The microcircuit against the published numbers and an independent definition used for NEST."""

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.models import microcircuit
from allometry.models.microcircuit import CONN_PROB, POPULATIONS, SIZES, psc_amplitude, synapse_counts
from allometry.network import DCInput, Network, PoissonInput
from benchmarks import microcircuit_definition as independent


def _block(net: Network, attribute: str) -> np.ndarray:
    table = np.zeros((8, 8))
    for p in net.projections:
        if p.source in POPULATIONS:
            at = POPULATIONS.index(p.target), POPULATIONS.index(p.source)
            table[at] = p.rule.n if attribute == "n" else getattr(getattr(p, attribute.split(".")[0]), attribute[-4:])
    return table


def test_full_scale_has_the_published_size() -> None:
    net = microcircuit()
    assert net.size == 77_169
    # NEST builds 299,035,308 connections, of which one per neuron to its recorder and one from its Poisson generator.
    assert sum(p.rule.n for p in net.projections) == 299_035_308 - 2 * 77_169
    assert not [i for i in net.inputs if isinstance(i, DCInput)]


def test_psc_amplitude_is_the_published_one() -> None:
    assert psc_amplitude(0.15) == pytest.approx(87.81, abs=0.005)


def test_psc_amplitude_gives_its_psp() -> None:
    # V of the exact solution for one current i(t) = psc exp(-t / tau_s), on a fine grid.
    tau_m, tau_s, c = 10.0, 0.5, 250.0
    t = np.linspace(0, 20, 200_001)
    v = psc_amplitude(0.15) / c * tau_m * tau_s / (tau_m - tau_s) * (np.exp(-t / tau_m) - np.exp(-t / tau_s))
    assert v.max() == pytest.approx(0.15, rel=1e-6)


def test_synapse_counts_invert_the_connection_probability() -> None:
    n = synapse_counts(CONN_PROB, SIZES, SIZES)
    pairs = np.outer(SIZES, SIZES)
    np.testing.assert_allclose(-np.expm1(n * np.log1p(-1 / pairs)), CONN_PROB, atol=1e-6)


@pytest.mark.parametrize(("scale", "k_scale"), [(1.0, None), (0.5, 1.0), (0.1, None), (0.05, 0.2), (0.02, 0.02)])
def test_scaled_network_is_the_one_given_to_nest(scale: float, k_scale: float | None) -> None:
    net = microcircuit(scale=scale, k_scale=k_scale)
    expected = independent.scaled(scale, k_scale)
    np.testing.assert_array_equal([p.size for p in net.populations], expected["sizes"])
    np.testing.assert_array_equal(_block(net, "n"), expected["synapses"])
    present = expected["synapses"] > 0
    weight = np.where(present, expected["weight"], 0)
    np.testing.assert_allclose(_block(net, "weight.mean"), weight, rtol=1e-12)
    poisson = [i for i in net.inputs if isinstance(i, PoissonInput)]
    np.testing.assert_allclose([i.rate_hz for i in poisson], 8.0 * expected["k_ext"])
    np.testing.assert_allclose([i.weight for i in poisson], expected["weight_ext"], rtol=1e-12)
    direct = {i.population: i.amplitude for i in net.inputs if isinstance(i, DCInput)}
    np.testing.assert_allclose([direct.get(p, 0.0) for p in POPULATIONS], expected["dc"], rtol=1e-12, atol=1e-12)


def test_delays_and_spreads() -> None:
    for p in microcircuit(0.1).projections:
        mean = 1.5 if p.source.endswith("E") else 0.75
        assert (p.delay.mean, p.delay.sd) == (mean, mean / 2)
        assert p.weight.sd == pytest.approx(0.1 * abs(p.weight.mean))
        assert (p.weight.mean > 0) == p.source.endswith("E")


def test_direct_current_replaces_the_background() -> None:
    net = microcircuit(input="dc")
    direct = {i.population: i.amplitude for i in net.inputs if isinstance(i, DCInput)}
    expected = 8.0 * independent.K_EXT * 87.8085 * 0.5 * 1e-3
    np.testing.assert_allclose([direct[p] for p in POPULATIONS], expected, rtol=1e-5)
    assert not [i for i in net.inputs if isinstance(i, PoissonInput)]


def test_scaling_preserves_the_mean_and_variance_of_the_input() -> None:
    """The quantity of van Albada et al. 2015: mean and variance of the summed input at the full-scale rates."""

    def moments(net: Network) -> tuple[np.ndarray, np.ndarray]:
        sizes = np.array([p.size for p in net.populations])
        indegree, weight = _block(net, "n") / sizes[:, None], _block(net, "weight.mean")
        poisson = {i.population: i for i in net.inputs if isinstance(i, PoissonInput)}
        direct = {i.population: i.amplitude for i in net.inputs if isinstance(i, DCInput)}
        external = np.array([poisson[p].rate_hz * poisson[p].weight for p in POPULATIONS])
        square = np.array([poisson[p].rate_hz * poisson[p].weight ** 2 for p in POPULATIONS])
        rates = independent.FULL_RATES_HZ
        mean = 0.5e-3 * ((indegree * weight) @ rates + external) + [direct.get(p, 0.0) for p in POPULATIONS]
        return mean, (indegree * weight**2) @ rates + square

    for full, small in zip(moments(microcircuit()), moments(microcircuit(0.1))):
        # 106.5 neurons of L5I are rounded to 106, which changes in-degrees by 0.5 %; the uncompensated mean by 68 %.
        np.testing.assert_allclose(small, full, rtol=5e-3)


def test_thalamus_targets_layers_4_and_6() -> None:
    net = microcircuit(thalamus=True)
    assert net.population("TC").size == 902
    relay = {p.target: p.rule.n for p in net.projections if p.source == "TC"}
    expected = {"L4E": 0.0983, "L4I": 0.0619, "L6E": 0.0512, "L6I": 0.0196}
    assert set(relay) == set(expected)
    for name, probability in expected.items():
        pairs = 902 * net.population(name).size
        assert -np.expm1(relay[name] * np.log1p(-1 / pairs)) == pytest.approx(probability, abs=1e-6)
    (pulse,) = [i for i in net.inputs if i.population == "TC"]
    assert (pulse.rate_hz, pulse.start_ms, pulse.stop_ms) == (120.0, 700.0, 710.0)


@pytest.mark.parametrize("arguments", [{"scale": 0}, {"scale": 1.5}, {"k_scale": -1}, {"input": "ac"}])
def test_impossible_arguments_are_refused(arguments: dict) -> None:
    with pytest.raises(SimulationError, match="microcircuit"):
        microcircuit(**arguments)


def test_network_is_data() -> None:
    net = microcircuit(0.1, thalamus=True)
    assert Network.from_dict(net.to_dict()).to_dict() == net.to_dict()
