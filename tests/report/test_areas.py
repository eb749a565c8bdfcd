"""Figure of areas: rates, synchrony and correlations of planted spikes, and which stores are drawn so."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allometry import stores
from allometry.report import figures
from allometry.report.kinds.areas import areas_of, correlation_of_areas, rates_by_area
from allometry.report.kinds.spike_events import events
from tests.report.looks import problems
from tests.report.samples import ATTRS

AREAS, KINDS, SIZE = ("V1", "V2", "V4", "TH"), ("23E", "23I", "4E", "4I"), 20
MISSING = {("TH", "4E"), ("TH", "4I")}
BINS, BIN_STEPS = 60, 500


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 s: V1 and V2 share the course of their rates, V4 has the opposite one, TH has none and no layer 4; 2 to 8 spikes/s."""
    rng = np.random.default_rng(5)
    course = np.where(rng.random(BINS) < 0.5, 0.4, 1.6)
    names = [f"{area}-{kind}" for area in AREAS for kind in KINDS if (area, kind) not in MISSING]
    step, unit = [], []
    for place, name in enumerate(names):
        area, kind = name.split("-")
        by_bin = {"V4": 2 - course, "TH": np.ones(BINS)}.get(area, course)
        mean = 2.0 * (KINDS.index(kind) + 1)
        for k in range(SIZE):
            found = np.flatnonzero(rng.random(BINS * BIN_STEPS) < np.repeat(by_bin, BIN_STEPS) * mean * 1e-4)
            step.append(found + 1)
            unit.append(np.full(found.size, place * SIZE + k))
    steps, unit_of = np.concatenate(step), np.concatenate(unit)
    order = np.lexsort((unit_of, steps))
    path = tmp_path_factory.mktemp("areas") / "run" / "areas_s1_0123abcd.zarr"
    ds = stores.spikes_simulated(
        steps[order],
        unit_of[order],
        dt_ms=0.1,
        units=pd.DataFrame({"population": np.repeat(names, SIZE)}),
        duration_ms=3000.0,
        attrs={**ATTRS, "seed": 1, "parameters": {"seed": 1}},
    )
    stores.write(ds, path)
    return path


def test_rates_and_correlations_are_those_that_were_planted(store: Path) -> None:
    found = events(stores.open(store))
    rates = rates_by_area([found], AREAS, KINDS)
    assert np.isnan(rates[3, 2:]).all()
    # 20 neurons in 2.5 s: at 8 spikes/s a standard error of 0.4, with the course of the rates 1.3
    np.testing.assert_allclose(rates[:3], np.tile([2.0, 4.0, 6.0, 8.0], (3, 1)), atol=3.0)
    assert rates[:, 0].mean() < rates[:, 1].mean() < rates[:3, 3].mean()
    late = found.time_ms > 500
    assert rates[3, 1] == pytest.approx((found.population[found.unit[late]] == "TH-23I").sum() / SIZE / 2.5)
    correlation = correlation_of_areas(found, AREAS)
    assert correlation[0, 1] > 0.8
    assert correlation[0, 2] < -0.8
    # 50 bins: five standard errors of independent ones
    assert abs(correlation[0, 3]) < 5 / 50**0.5


def test_figure(store: Path) -> None:
    drawing = figures.spikes(store, window_ms=500.0)
    assert "4 of 4 areas" in drawing.caption
    assert "280 neurons" in drawing.caption
    rates = rates_by_area([events(stores.open(store))], AREAS, KINDS)
    i, j = np.unravel_index(np.nanargmax(rates), rates.shape)
    assert f"highest {rates[i, j]:.2g} spikes/s in {AREAS[i]} {KINDS[j]}" in drawing.alternative
    assert problems(drawing.figure) == []


@pytest.mark.parametrize(
    "names",
    [["E", "I"], [f"cell-{i}" for i in range(20)], [f"V{i}-E" for i in range(20)], ["V1-E", "V1-I", "V2-E", "V2-I"]],
)
def test_other_populations_are_drawn_as_before(names: list[str]) -> None:
    assert areas_of(names) is None


def test_areas_and_their_populations() -> None:
    names = [f"{area}-{kind}" for area in ("a-1", "b", "c", "d") for kind in ("E", "I", "x", "y")]
    assert areas_of(names) == (["a-1", "b", "c", "d"], ["E", "I", "x", "y"])
