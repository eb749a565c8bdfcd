"""Sentences say what the numbers are: kept to which tolerance, changed by how much, and what theory makes of it."""

import numpy as np
import pytest
import xarray as xr

from allometry import models
from allometry.models.microcircuit import FULL_SCALE_RATES_HZ, POPULATIONS
from allometry.scale.findings import explanations
from allometry.scale.findings.causes import mean_field_table
from allometry.scale.findings.deviations import Deviations, verdicts
from allometry.scale.findings.explanations import Column
from allometry.scale.laws import FLOOR, UNDETERMINED, Law

RATES = dict(zip(POPULATIONS, FULL_SCALE_RATES_HZ.tolist()))


def column(value: np.ndarray, half: np.ndarray, statistic: str = "rate", **changes) -> Column:
    deviation = Deviations(value, value - half, value + half, np.full(value.shape, 4.0))
    given = {
        "scheme": "compensated",
        "condition": "unchanged",
        "sizes": [0.1],
        "populations": list(POPULATIONS[: value.shape[1]]),
        **changes,
    }
    return Column(statistic=statistic, deviation=deviation, verdict=verdicts(deviation, 0.1), **given)


def test_kept_changed_and_undetermined() -> None:
    value = np.array([[0.01, -0.6, 0.05, np.nan]])
    half = np.array([[0.02, 0.1, 0.2, np.nan]])
    said = explanations.kept(column(value, half), 0.1)
    assert said == (
        "Size 0.1: kept within 3.0 % in L23E; changed in L23I −60 % (−70 % to −50 %); "
        "undetermined at 10 % in L4E (known within 25 %)."
    )


def test_everywhere_and_nowhere() -> None:
    said = explanations.kept(column(np.full((1, 3), 0.01), np.full((1, 3), 0.01)), 0.1)
    assert said == "Size 0.1: kept within 2.0 % in all 3 populations."
    assert explanations.kept(column(np.full((1, 2), np.nan), np.ones((1, 2))), 0.1) == "Size 0.1: undefined."


@pytest.fixture(scope="module")
def theory() -> xr.Dataset:
    networks = {
        (size, scheme): models.microcircuit(size, None if scheme == "compensated" else 1.0)
        for size in (0.1, 1.0)
        for scheme in ("compensated", "indegree")
    }
    found = mean_field_table(networks, POPULATIONS, dict.fromkeys(("compensated", "indegree"), RATES))
    assert isinstance(found, xr.Dataset)
    return found


def test_a_change_that_the_theory_leaves_out_is_named(theory: xr.Dataset) -> None:
    """Compensation keeps mean and variance: what the simulations of .1 lose is beside them."""
    rates = np.array([[-0.5, -0.3, -0.12, -0.15, -0.13, -0.1, -0.25, -0.1]])
    found = column(rates, np.full((1, 8), 0.01))
    why = explanations.why_rates(found, theory, 1.0, 0.1)
    assert "that does not account for L23E, L23I" in why
    assert "its spread stays within" in why
    assert "its skewness, which the theory leaves out, goes from −0." in why
    assert "single inputs of up to −1.9 mV against −0.6" in why
    assert "two neurons share" not in why


def test_a_change_that_the_theory_has_is_said_to_be_accounted_for(theory: xr.Dataset) -> None:
    """Kept in-degrees add several synapses of one source to a large one, which is more variance."""
    predicted = (
        theory["rate_hz"].sel(scheme="indegree", size=0.1) / theory["rate_hz"].sel(scheme="indegree", size=1.0) - 1
    )
    value = predicted.values[None] * 1.1
    found = column(value, np.full((1, 8), 0.01), scheme="indegree")
    why = explanations.why_rates(found, theory, 1.0, 0.1)
    assert "that accounts for" in why
    assert "does not account" not in why
    assert "several synapses of one source add to one large one" in why
    assert "of their input variance against" in why


def test_nothing_changed_needs_no_reason(theory: xr.Dataset) -> None:
    assert explanations.why_rates(column(np.zeros((1, 8)), np.full((1, 8), 0.01)), theory, 1.0, 0.1) == ""


def test_a_model_that_the_theory_does_not_cover_is_said() -> None:
    net = models.microcircuit(0.1, thalamus=True)
    reason = mean_field_table({(0.1, "compensated"): net}, POPULATIONS, {})
    assert isinstance(reason, str)
    said = explanations.why_rates(column(np.full((1, 8), 0.5), np.full((1, 8), 0.01)), reason, 1.0, 0.1)
    assert said == f"Not explained here: {reason}."


def test_correlations_are_held_against_one_over_n() -> None:
    found = column(np.full((1, 3), 2.0), np.full((1, 3), 0.5), "correlation")
    like = Law(FLOOR, exponent=-1.1, exponent_low=-1.4, exponent_high=-0.8)
    unlike = Law(UNDETERMINED, exponent=-2.0, exponent_low=-2.4, exponent_high=-1.6)
    none = Law(UNDETERMINED, reason="one seed per size")
    why = explanations.why_correlations(found, {"L23E": like, "L23I": unlike, "L4E": none})
    assert why.startswith("In L23E the deviation goes with the number of neurons as N^−1 within the interval")
    assert "exponents other than −1: L23I −2.00 (−2.40 to −1.60)" in why
    assert (
        explanations.why_correlations(found, {"L4E": none}) == "No law can be told from these sizes: one seed per size."
    )
    assert explanations.why_correlations(column(np.zeros((1, 3)), np.ones((1, 3)), "correlation"), {"L4E": like}) == ""
