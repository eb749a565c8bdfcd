"""Mean-field rates against published and simulated values, and against limits with a closed form."""

import math

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.models.brunel import NEURON
from allometry.models.microcircuit import (
    CONN_PROB,
    EXTERNAL_INDEGREE,
    SIZES,
    mean_weights,
    psc_amplitude,
    synapse_counts,
)
from allometry.models.theory.rates import brunel_rate, population_rates, siegert_rate
from allometry.network import IafPscExp


def test_brunel_rate_is_the_known_fixed_point() -> None:
    # Also solved independently elsewhere: 37.95 Hz; NEST simulates 37.49 +- 0.10 Hz.
    rate = brunel_rate(0.1, 5.0, 20_000.0, 1000, 250, NEURON)
    assert rate == pytest.approx(37.95, abs=0.005)


def test_noiseless_limit_is_the_closed_form() -> None:
    # t = t_ref + tau ln((mu - V_reset) / (mu - V_th)) for a constant input above threshold.
    for mu in (22.0, 25.0, 40.0):
        exact = 1000 / (2.0 + 20.0 * math.log((mu - 10.0) / (mu - 20.0)))
        assert siegert_rate(mu, 1e-2, NEURON) == pytest.approx(exact, rel=1e-3)


def test_rate_is_monotone_and_bounded() -> None:
    rates = [siegert_rate(mu, 3.0, NEURON) for mu in range(-100, 400, 10)]
    assert np.all(np.diff(rates) >= 0)
    assert rates[0] == 0
    assert rates[-1] < 500


def test_single_neuron_with_strong_inhibition_is_silent() -> None:
    assert brunel_rate(0.1, 5.0, 1.0, 1000, 250, NEURON) == pytest.approx(0.0, abs=1e-6)


def test_microcircuit_theory_agrees_with_simulation() -> None:
    """Mean-field rates at full scale against NEST (1 s): within 15 % or 0.15 Hz, the accuracy of the theory."""
    simulated = np.array([0.8554, 2.9458, 4.4239, 5.875, 7.7402, 8.6282, 1.13, 7.8392])
    indegree = synapse_counts(CONN_PROB, SIZES, SIZES) / SIZES[:, None]
    psc, external = psc_amplitude(0.15), EXTERNAL_INDEGREE * 8.0
    rates = population_rates(
        indegree,
        mean_weights(),
        psc * external,
        psc**2 * external,
        IafPscExp(),
        current_to_mv=0.5 / 250.0,
        tau_syn_ms=0.5,
    )
    assert np.all(np.abs(rates - simulated) < np.maximum(0.15 * simulated, 0.15)), rates


def test_no_noise_is_refused() -> None:
    with pytest.raises(SimulationError, match="sigma"):
        siegert_rate(15.0, 0.0, NEURON)
