"""Responses to gratings against closed forms: rectified sines, chance resultants, domains of a known map."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from allometry.compare import domain_rates, f1_f0, f1_f0_null, osi, osi_null
from allometry.errors import ComparisonError

ANGLES = np.arange(8) * np.pi / 8


def harmonic(rate: np.ndarray, phase: np.ndarray) -> complex:
    return complex((rate * np.exp(1j * phase)).sum())


def test_a_half_wave_rectified_sine_has_pi_over_two() -> None:
    phase = np.arange(100_000) * 2 * np.pi / 100_000
    rate = np.maximum(np.sin(phase - 1.0), 0)
    number = 10_000_000
    found = f1_f0([harmonic(rate, phase) * number / rate.sum()], [number])
    assert found[0] == pytest.approx(np.pi / 2, rel=1e-6)


def test_a_cosine_of_depth_a_has_a_and_spikes_at_one_phase_have_two() -> None:
    phase = np.arange(1000) * 2 * np.pi / 1000
    rate = 1 + 0.3 * np.cos(phase)
    found = f1_f0([harmonic(rate, phase) * 1000 / rate.sum(), 7 * np.exp(2j), 0], [1000, 7, 0])
    assert found[:2] == pytest.approx([0.3, 2.0])
    assert np.isnan(found[2])


def test_nulls_are_lengths_of_random_walks() -> None:
    # two unit vectors at a random angle: mean of 2 |cos(x / 2)| is 4 / pi
    found = f1_f0_null([1, 2, 50, 2000, 0])
    assert found[:2] == pytest.approx([2.0, 4 / np.pi], rel=0.03)
    assert found[2:4] == pytest.approx(np.sqrt(np.pi / np.array([50, 2000])), rel=0.03)
    assert np.isnan(found[4])
    # two spikes on eight angles, whose doubles are multiples of 45 degrees
    two = np.abs(1 + np.exp(2j * ANGLES)).mean() / 2
    assert osi_null([1, 2], ANGLES) == pytest.approx([1.0, two], rel=0.03)
    assert osi_null([5000], ANGLES) == pytest.approx([np.sqrt(np.pi / 5000) / 2], rel=1e-9)


def test_the_null_is_what_unselective_units_have() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(2.0, (8, 4000))
    counts = counts[:, counts.sum(axis=0) > 0]
    measured = np.mean(osi(counts, ANGLES))
    assert np.mean(osi_null(counts.sum(axis=0), ANGLES)) == pytest.approx(measured, rel=0.02)
    # a unit that is tuned has more: a / 2 for 1 + a cos
    tuned = 1 + 0.8 * np.cos(2 * ANGLES)
    assert osi(tuned, ANGLES) == pytest.approx(0.4)


def test_domains_are_those_of_the_map_whatever_single_units_do() -> None:
    domains = np.arange(0, 180, 1.0)
    shown = np.arange(8) * 22.5
    apart = np.deg2rad(2 * (domains[None] - shown[:, None]))
    found = domain_rates(3 + np.cos(apart), shown, domains, 11)
    expected = np.cos(np.deg2rad(2 * np.arange(-11, 12))).mean()
    assert found.preferred == pytest.approx(3 + expected, rel=0.01)
    assert found.orthogonal == pytest.approx(3 - expected, rel=0.01)
    # units tuned anywhere, on a map that has nothing to do with it
    rng = np.random.default_rng(2)
    scattered = 3 + np.cos(apart[:, rng.permutation(180)])
    lost = domain_rates(scattered, shown, domains, 11)
    assert lost.preferred / lost.orthogonal == pytest.approx(1.0, abs=0.15)
    assert np.isnan(domain_rates(np.ones((1, 2)), [0.0], [40.0, 50.0], 11).preferred)


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: f1_f0([1, 2], [1]), "harmonic, counts"),
        (lambda: f1_f0_null([-1]), "counts"),
        (lambda: f1_f0_null([1.5]), "counts"),
        (lambda: osi_null([1], [0.0, np.pi]), "angles"),
        (lambda: domain_rates(np.ones((2, 3)), [0.0], np.zeros(3), 11), "rates"),
        (lambda: domain_rates(np.ones((1, 3)), [0.0], np.zeros(3), 50), "within_deg"),
    ],
)
def test_bad_input_is_refused(call, where: str) -> None:
    with pytest.raises(ComparisonError) as error:
        call()
    assert error.value.where == where


@pytest.mark.parametrize("wrong", [[[1, 2], [3]], ["a"], None, [np.nan], [[1.0]], xr.Dataset({"a": ("x", [1.0])})])
def test_a_harmonic_that_is_no_vector_of_numbers_is_refused(wrong: Any) -> None:
    with pytest.raises(ComparisonError, match="harmonic"):
        f1_f0(wrong, [1])
