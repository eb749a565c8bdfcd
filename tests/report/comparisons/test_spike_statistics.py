"""The figure of spike statistics shows every ensemble, its verdicts, and nothing behind a legend."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from allometry.compare.kinds.spike_statistics.comparison import spike_statistics
from allometry.compare.result import Result
from allometry.report.comparisons.spike_statistics import _caption
from allometry.report.drawing.style import COLOURS
from tests.compare.spike_trains import gamma_trains, simulated
from tests.report.samples import draw_result, title


@pytest.fixture(scope="module")
def result() -> Result:
    inputs = {
        f"rate{rate}_s{seed}_{seed:08x}": simulated(
            gamma_trains([rate] * 40 + [0.7 * rate] * 20, 3.0, 10 * rate + seed),
            3.0,
            ["E"] * 40 + ["I"] * 20,
            rate=rate,
        )
        for rate in (10, 11, 20)
        for seed in (1, 2, 3)
    }
    return spike_statistics(inputs, reference="rate10", skip_ms=0, bootstrap=100, max_units=40)


@pytest.fixture
def by_title(result: Result, tmp_path: Path, panels: list[Axes]) -> dict[str, Axes]:
    """Panels by title, drawn from a store that was written and read."""
    draw_result("spike_statistics", result, tmp_path)
    return {title(ax): ax for ax in panels}


def test_each_statistic_has_its_distances_and_its_distributions(by_title: dict[str, Axes]) -> None:
    expected = {"Rate: distance", "CV: distance", "Spectrum: distance", "Avalanche size: distance", "Synchrony"}
    assert expected <= set(by_title)
    assert {"E: rate", "E: CV of intervals", "E: pairwise correlation", "E: spectrum", "E: avalanches"} <= set(by_title)
    # the population that fires most; three seeds of each of three ensembles
    lines = by_title["E: rate"].lines
    assert len(lines) == 9
    assert {to_hex(line.get_color()) for line in lines} == {colour.lower() for colour in COLOURS[:3]}
    assert {(line.get_color(), line.get_linestyle()) for line in lines} == {
        (colour, style) for colour in COLOURS[:3] for style in ("-", "--", "-.")
    }
    assert len(by_title["E: spectrum"].lines) == 3 + 1  # and the level of Poisson units


def test_filled_points_are_those_beyond_the_baseline(by_title: dict[str, Axes], result: Result) -> None:
    rows = pd.DataFrame(result.rows)
    for measure, name in (("rate_ks", "Rate: distance"), ("cv_ks", "CV: distance")):
        table = rows[(rows["measure"] == measure) & (rows["role"] == "result")]
        points = {
            (round(float(line.get_xdata()[0]), 9), round(float(line.get_ydata()[0]))): to_hex(
                line.get_markerfacecolor()
            )
            for line in by_title[name].lines
            if line.get_marker() == "o"
        }
        for entry in table.to_dict("records"):
            filled = points[round(entry["score"], 9), "EI".index(entry["group"])] != "#ffffff"
            assert filled == entry["beside_seeds"].startswith("beyond"), entry
    assert (
        rows.set_index(["measure", "candidate", "group"])
        .loc[("rate_ks", "rate20", "E")]
        .iloc[0]
        .beside_seeds.startswith("beyond")
    )


def test_caption_counts_the_verdicts(result: Result) -> None:
    rows = pd.DataFrame(result.rows)
    caption = _caption(rows, "E")
    results = rows[rows["role"] == "result"]
    assert f"Of {len(results)} comparisons" in caption
    assert f"{(results['beside_seeds'] == 'beyond seed-to-seed').sum()} beyond seed-to-seed" in caption
    farthest = results[results["beside_seeds"].str.startswith("beyond")]["relative"].max()
    assert f"{farthest:.1f} times the baseline" in caption
    nothing = rows.assign(beside_seeds="unresolved", relative=np.nan)
    assert "Farthest" not in _caption(nothing, "E")
