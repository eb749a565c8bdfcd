"""Mean-field theory of declared networks against integrals, sampled connections and what compensation keeps."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from allometry import models
from allometry.errors import SimulationError
from allometry.models.microcircuit import FULL_SCALE_RATES_HZ
from allometry.models.theory.mean_field import mean_field
from allometry.models.theory.rates import brunel_rate
from allometry.network import (
    DCInput,
    FixedTotalNumber,
    IafPscDelta,
    IafPscExp,
    Network,
    Normal,
    PoissonInput,
    Population,
    Projection,
)


def driven(neuron: IafPscExp | IafPscDelta, weight: float, rate_hz: float, current_pa: float = 0.0) -> Network:
    inputs = (PoissonInput("a", rate_hz, weight), DCInput("a", current_pa))
    return Network((Population("a", 10, neuron),), inputs=inputs)


@pytest.mark.parametrize("neuron", [IafPscExp(tau_syn_ex=2.0, tau_syn_in=2.0), IafPscDelta()])
def test_moments_of_poisson_input_are_campbells(neuron: IafPscExp | IafPscDelta) -> None:
    weight, rate_hz = (50.0, 3000.0) if isinstance(neuron, IafPscExp) else (0.3, 3000.0)
    m = neuron.tau_m

    def response(t: float) -> float:
        if isinstance(neuron, IafPscDelta):
            return weight * np.exp(-t / m)
        s = neuron.tau_syn_ex
        return weight / neuron.C_m * m * s / (m - s) * (np.exp(-t / m) - np.exp(-t / s))

    def integral(power: int) -> float:
        return float(1e-3 * rate_hz * quad(lambda t: response(t) ** power, 0, 300, limit=400)[0])

    first, second, third = (integral(power) for power in (1, 2, 3))
    found = mean_field(driven(neuron, weight, rate_hz, current_pa=20.0))
    assert found.mean_mv[0] == pytest.approx(first + 20.0 * m / neuron.C_m, rel=1e-6)
    assert found.sd_mv[0] == pytest.approx(np.sqrt(second), rel=1e-6)
    assert found.skewness[0] == pytest.approx(third / second**1.5, rel=1e-6)
    peak = max(response(t) for t in np.linspace(0, 20, 20_001))
    assert found.psp_mv[0] == pytest.approx(peak, rel=1e-5)


def test_rates_of_one_random_network_are_the_known_fixed_point() -> None:
    net = models.brunel()
    once = replace(net, projections=tuple(replace(p, rule=replace(p.rule, multapses=False)) for p in net.projections))
    expected = brunel_rate(0.1, 5.0, 20_000.0, 1000, 250, IafPscDelta(1.0, 20.0, 0.0, 10.0, 20.0, 2.0))
    np.testing.assert_allclose(mean_field(once).rate_hz, expected, rtol=1e-4)


def test_repeated_synapses_of_a_source_add_to_one_weight() -> None:
    """Powers of the summed weight of each source, averaged over drawn networks."""
    sources, synapses, draws = 40, 90, 4000
    rng = np.random.default_rng(1)
    counts = rng.multinomial(synapses, np.full(sources, 1 / sources), size=draws)
    weights = rng.normal(counts * 0.2, np.sqrt(counts) * 0.02)
    net = Network(
        (Population("a", sources, IafPscDelta()), Population("b", 1, IafPscDelta())),
        (Projection("a", "b", FixedTotalNumber(synapses), Normal(0.2, 0.02), 1.0),),
        (PoissonInput("a", 9000.0, 0.2), PoissonInput("b", 3000.0, 0.3)),
    )
    rate = np.array([20.0, 0.0])
    found = mean_field(net, rate)
    m = IafPscDelta().tau_m
    second, third = (1e-3 * m / n * (20.0 * (weights**n).sum(axis=1).mean() + 3000.0 * 0.3**n) for n in (2, 3))
    assert found.sd_mv[1] == pytest.approx(np.sqrt(second), rel=2e-3)
    assert found.skewness[1] == pytest.approx(third / second**1.5, rel=1e-2)


def test_compensation_keeps_mean_and_variance_and_not_the_skewness() -> None:
    full, tenth = (mean_field(models.microcircuit(scale), FULL_SCALE_RATES_HZ) for scale in (1.0, 0.1))
    np.testing.assert_allclose(tenth.mean_mv, full.mean_mv, atol=0.1)
    np.testing.assert_allclose(tenth.sd_mv, full.sd_mv, rtol=0.01)
    np.testing.assert_allclose(tenth.skewness / full.skewness, np.sqrt(10), rtol=0.02)
    np.testing.assert_allclose(tenth.shared, full.shared, rtol=0.02)


def test_kept_indegrees_share_more_and_repeat_sources() -> None:
    full, tenth = (mean_field(models.microcircuit(scale, 1.0), FULL_SCALE_RATES_HZ) for scale in (1.0, 0.1))
    assert (tenth.shared > 4 * full.shared).sum() >= 6
    assert (tenth.shared < 1).all()
    np.testing.assert_allclose(tenth.mean_mv, full.mean_mv, rtol=0.01)  # rounded sizes
    assert (tenth.sd_mv > full.sd_mv).all()


def test_microcircuit_agrees_with_simulated_rates() -> None:
    """The accuracy of the theory: 25 % or .25 spikes/s at full scale."""
    found = mean_field(models.microcircuit(1.0)).rate_hz
    assert np.all(np.abs(found - FULL_SCALE_RATES_HZ) < np.maximum(0.25 * FULL_SCALE_RATES_HZ, 0.25)), found


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (
            Network((Population("a", 5, IafPscExp()), Population("b", 5, IafPscDelta()))),
            "populations of different neurons",
        ),
        (Network((Population("a", 5, IafPscExp(tau_syn_ex=1.0)),)), "two time constants"),
        (
            Network((Population("a", 5, IafPscExp()),), inputs=(PoissonInput("a", 10.0, 1.0, stop_ms=50.0),)),
            "not steady",
        ),
        (Network((Population("a", 5, IafPscExp(I_e=3.0)),)), "constant current"),
    ],
)
def test_what_the_theory_does_not_cover_is_refused(net: Network, said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        mean_field(net)
