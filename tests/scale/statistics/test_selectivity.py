"""Statistics across conditions, on responses whose selectivity is known."""

import numpy as np
import pytest

from allometry.scale import STATISTICS
from allometry.scale.statistics import selectivity
from allometry.scale.statistics.recorded import Recorded
from tests.scale.statistics.test_activity import recorded

SECONDS, ANGLES = 20.0, np.arange(8) * 22.5
UNITS = 180


def columns(population: str, size: int) -> dict[str, np.ndarray]:
    place = np.arange(size) * (180.0 / size)
    return {"orientation_deg": place, "central": np.arange(size) % 2 == 0, "inner": np.arange(size) % 3 == 0}


def shown(orientation: float, contrast: float, mean: float, depth: float, cycle: float, seed: int) -> Recorded:
    """Poisson units with a cosine tuning around their place on the map, modulated at 4 Hz."""
    rng = np.random.default_rng(seed)
    place = columns("", UNITS)["orientation_deg"]
    rate = mean * (1 + depth * np.cos(np.deg2rad(2 * (place - orientation))))
    steps, units = [], []
    for unit, hz in enumerate(rate):
        times = rng.random(rng.poisson(hz * SECONDS * (1 + cycle))) * SECONDS
        kept = times[rng.random(times.size) * (1 + cycle) < 1 + cycle * np.cos(2 * np.pi * 4 * times)]
        own = np.unique((kept * 1e4).astype(int))
        steps.append(own)
        units.append(np.full(own.size, unit))
    return recorded(
        np.concatenate(steps),
        np.concatenate(units),
        ["E"] * UNITS,
        stimulus={"orientation_deg": orientation, "contrast": contrast, "frequency_hz": 4.0},
        columns=columns,
    )


@pytest.fixture(scope="module")
def tuned() -> dict[str, Recorded]:
    found = {f"o{i}": shown(angle, 1.0, 10.0, 0.6, 0.5, i) for i, angle in enumerate(ANGLES)}
    return {"background": shown(0.0, 0.0, 4.0, 0.0, 0.0, 20), **found}


def test_a_cosine_tuned_population_has_its_selectivity(tuned: dict[str, Recorded]) -> None:
    # half the depth, and what some 1600 spikes add in quadrature
    null = selectivity.osi_null(tuned, "E")
    assert null == pytest.approx(np.sqrt(np.pi / (8 * 200)) / 2, rel=0.03)
    assert selectivity.osi(tuned, "E") == pytest.approx(np.hypot(0.3, null), abs=0.01)


def test_domains_and_contrast(tuned: dict[str, Recorded]) -> None:
    for statistic, width in (
        (selectivity.domain_contrast, 11),
        (selectivity.domain_contrast_inner, 22),
        (selectivity.domain_contrast_sheet, 22),
    ):
        mean = np.cos(np.deg2rad(2 * np.arange(-width, width + 1))).mean()
        assert statistic(tuned, "E") == pytest.approx((1 + 0.6 * mean) / (1 - 0.6 * mean), rel=0.05)
    preferred, orthogonal = selectivity.preferred_rate(tuned, "E"), selectivity.orthogonal_rate(tuned, "E")
    assert preferred / orthogonal == pytest.approx(selectivity.domain_contrast(tuned, "E"))
    assert preferred == pytest.approx(16.0, rel=0.05)
    assert selectivity.contrast_response(tuned, "E") == pytest.approx(10 / 4, rel=0.05)


def test_modulation_is_that_of_the_cycle(tuned: dict[str, Recorded]) -> None:
    null = selectivity.f1_f0_null(tuned, "E")
    assert selectivity.f1_f0(tuned, "E") == pytest.approx(np.hypot(0.5, null), abs=0.02)


def test_without_gratings_they_are_undefined(tuned: dict[str, Recorded]) -> None:
    few = {name: tuned[name] for name in ("background", "o0", "o4")}
    plain = {"unchanged": recorded(np.arange(100), np.zeros(100, int), ["a"])}
    uneven = {name: tuned[name] for name in ("o0", "o1", "o2", "o4", "o5")}
    for name, entry in STATISTICS.items():
        if entry.across and entry.of == "spikes":
            assert np.isnan(entry.function(plain, "a")), name
            if name != "contrast_response":
                assert np.isnan(entry.function(few, "E")), name
                assert np.isnan(entry.function(uneven, "E")), name
