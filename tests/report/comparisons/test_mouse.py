"""Figures of sensory populations show what the scores hold, and no legend lies on data."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes

from allometry import stores
from allometry.compare.kinds.population_code.comparison import population_code
from allometry.compare.kinds.representation_similarity.comparison import representation_similarity
from allometry.compare.result import Result
from allometry.report import comparisons
from allometry.report.comparisons import mouse
from tests.compare.responses import ATTRS, directions, make_responses

AREAS = ["V1"] * 8 + ["LM"] * 8


@pytest.fixture(scope="module")
def store() -> xr.Dataset:
    rng = np.random.default_rng(1)
    theta = np.deg2rad(directions(8))[:, None]
    tuned = 1 + 0.8 * np.cos(theta - 2 * np.pi * np.arange(16) / 16)
    values = tuned[:, None] + 0.3 * rng.normal(size=(8, 4, 16))
    return make_responses(values, {"direction": directions(8)}, units={"area": AREAS})


def _drawn(result: Result, folder: Path) -> str:
    stores.write(stores.scores(result.rows, result.curves, attrs={**ATTRS, "seed": 1}), folder / "x.zarr")
    comparisons.draw({"x": str(folder / "x.zarr")}, folder / "x.png")
    assert (folder / "x.png").stat().st_size > 20_000
    return (folder / "x.json").read_text(encoding="utf-8")


def test_every_population_is_in_the_figure_of_the_code(store: xr.Dataset, tmp_path: Path, panels: list[Axes]) -> None:
    result = population_code({"s": store}, responses=["s"], nulls=20, bootstrap=100, subsets=2, splits=5)
    text = _drawn(result, tmp_path)
    assert "s V1 nearest_centroid" in text
    titles = [ax.get_title(loc="left") for ax in panels]
    assert len(titles) == 12
    decoding = panels[titles.index("Decoding of the stimulus")]
    assert len(decoding.get_xticklabels()) == 4  # two areas, two decoders
    radius = panels[titles.index("Spectral radius")]
    assert len([line for line in radius.lines if len(line.get_xdata()) > 10]) == 2


def test_layers_are_drawn_in_the_order_of_the_bank(store: xr.Dataset, tmp_path: Path, panels: list[Axes]) -> None:
    result = representation_similarity(
        {"s": store},
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
    text = _drawn(result, tmp_path)
    assert "Best layer by ssm" in text
    titles = [ax.get_title(loc="left") for ax in panels]
    layers = [label.get_text() for label in panels[titles.index(mouse.MEASURES["ssm"])].get_xticklabels()]
    assert layers[:3] == ["pixels: pixels", "gabor complex: 0.03 c/deg", "gabor complex: 0.06 c/deg"]
    assert layers[3:] == [f"random conv.: layer {k}" for k in (1, 2, 3, 4)]
    assert "Populations with one another" in titles
