"""Figure of representations: layers of models in their order, populations beside one another."""

from pathlib import Path

import xarray as xr
from matplotlib.axes import Axes

from allometry.compare.kinds.representation_similarity.comparison import representation_similarity
from allometry.report.comparisons.representation_similarity import MEASURES
from tests.report.samples import draw_result, title


def test_layers_are_drawn_in_the_order_of_the_bank(two_areas: xr.Dataset, tmp_path: Path, panels: list[Axes]) -> None:
    result = representation_similarity(
        {"s": two_areas},
        responses=["s"],
        models=["pixels", "gabor_complex", "random_convolution"],
        measures=["ssm"],
        gabor_frequencies=[0.06, 0.03],
        pixels=32,
        field_deg=60.0,
        nulls=20,
        bootstrap=100,
        splits=5,
    )
    text = draw_result("representation_similarity", result, tmp_path)
    assert "Best layer by ssm" in text
    titles = [title(ax) for ax in panels]
    layers = [label.get_text() for label in panels[titles.index(MEASURES["ssm"])].get_xticklabels()]
    assert layers[:3] == ["pixels: pixels", "gabor complex: 0.03 c/deg", "gabor complex: 0.06 c/deg"]
    assert layers[3:] == [f"random conv.: layer {k}" for k in (1, 2, 3, 4)]
    assert "Between populations" in titles


def test_four_measures_and_two_areas_have_a_panel_each(
    two_areas: xr.Dataset, tmp_path: Path, panels: list[Axes]
) -> None:
    result = representation_similarity(
        {"s": two_areas},
        responses=["s"],
        models=["pixels"],
        measures=["ssm", "svcca", "cka", "rsa"],
        pixels=32,
        field_deg=60.0,
        nulls=20,
        bootstrap=100,
        splits=5,
    )
    draw_result("representation_similarity", result, tmp_path)
    titles = [title(ax) for ax in panels]
    assert set(MEASURES.values()) <= set(titles)
    assert {"Between populations", "Within populations"} <= set(titles)


def test_without_models_there_are_no_panels_of_models(
    two_areas: xr.Dataset, tmp_path: Path, panels: list[Axes]
) -> None:
    result = representation_similarity(
        {"s": two_areas}, responses=["s"], models=[], measures=["ssm"], nulls=20, bootstrap=50, splits=3
    )
    draw_result("representation_similarity", result, tmp_path)
    titles = [title(ax) for ax in panels]
    assert "no model" not in titles
    assert len([one for one in titles if one.endswith("in the plane")]) == 2
    assert {"Between populations", "Within populations"} <= set(titles)
