"""Responses of a simulated cortex: counts in windows are those that were put in; comparisons of recordings read them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import config, stores
from allometry.compare.kinds import find
from allometry.errors import SimulationError
from allometry.report import figures
from allometry.report.kinds import tuning
from allometry.simulate.responses import write_responses
from tests.stores.samples import ATTRS

WINDOWS, WINDOW_MS, SKIP_MS = 6, 250.0, 100.0
DIRECTIONS = np.arange(8) * 45.0
E, I = 400, 40  # noqa: E741


def stimulus(orientation: float, contrast: float = 1.0) -> dict[str, float]:
    return {"orientation_deg": orientation, "contrast": contrast, "cycles_per_degree": 2.5, "frequency_hz": 4.0}


def spikes(path: Path, rate: np.ndarray, seed: int) -> None:
    """Poisson spikes of E and I cells, whose rates are given."""
    rng = np.random.default_rng(seed)
    duration = SKIP_MS + WINDOWS * WINDOW_MS
    step, unit = [], []
    for i, hz in enumerate(rate):
        own = np.unique(rng.integers(1, round(duration * 10) + 1, rng.poisson(hz * duration / 1000)))
        step.append(own)
        unit.append(np.full(own.size, i))
    units = pd.DataFrame({"population": ["E"] * E + ["I"] * I})
    store = stores.spikes_simulated(
        np.concatenate(step),
        np.concatenate(unit),
        dt_ms=0.1,
        units=units,
        duration_ms=duration,
        attrs={**ATTRS, "seed": 1},
    )
    stores.write(store, path)


def rates(orientation: float, depth: float) -> np.ndarray:
    from allometry.models.v1 import columns

    place = np.concatenate([columns(name, size)["orientation_deg"] for name, size in (("E", E), ("I", I))])
    return 20.0 * (1 + depth * np.cos(np.deg2rad(2 * (place - orientation))))


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("trials")
    found = []
    for network, depth in (("reduction 10, seed 1", 0.8), ("reduction 20, seed 1", 0.0)):
        for k, angle in enumerate([*DIRECTIONS, None]):
            path = folder / f"{network}_{k}.zarr"
            shown = stimulus(0.0, 0.0) if angle is None else stimulus(angle)
            spikes(path, rates(angle or 0.0, 0.0 if angle is None else depth), k)
            found.append({"network": network, "condition": f"c{k}", "stimulus": shown, "path": str(path)})
    return found


OPTIONS: dict[str, Any] = {
    "model": "v1", "populations": ["E"], "window_ms": WINDOW_MS, "skip_ms": SKIP_MS, "max_units": 40,
}  # fmt: skip


@pytest.fixture(scope="module")
def path(trials: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("responses") / "run.responses.zarr"
    write_responses(trials, out, **OPTIONS)
    return out


@pytest.fixture(scope="module")
def store(path: Path) -> xr.Dataset:
    found = stores.open(path, check="full")
    assert isinstance(found, xr.Dataset)
    return found


def test_every_window_is_a_presentation_with_what_was_shown(store: xr.Dataset) -> None:
    assert dict(store.sizes) == {"unit": 80, "presentation": 9 * WINDOWS}
    assert set(store["area"].values.tolist()) == {"reduction 10, seed 1 E", "reduction 20, seed 1 E"}
    blank = np.array([name.endswith("/blank") for name in store["condition"].values.tolist()])
    assert blank.sum() == WINDOWS
    # motion goes against the wave vector
    assert store["direction"].values[:WINDOWS].tolist() == [180.0] * WINDOWS
    assert np.isnan(store["direction"].values[blank]).all()
    # what no two gratings differ in is said once
    assert "temporal_frequency" not in store
    assert "temporal frequency 4" in stores.attribute(store, "derived")["shown"]
    assert store["response"].attrs["units"] == "Hz"
    inner = (store["x"].values >= 250) & (store["x"].values < 1250) & (store["y"].values < 1250)
    assert inner.all()


def test_responses_are_the_counts_of_the_spikes(store: xr.Dataset, trials: list[dict[str, Any]]) -> None:
    """Counted again spike by spike: window k holds the steps whose end lies in it."""
    source = stores.open(trials[2]["path"])
    assert isinstance(source, xr.Dataset)
    from allometry.models.v1 import columns

    table = columns("E", E)
    response = store["response"].values[:40, 2 * WINDOWS : 3 * WINDOWS]
    # which cells they are is seen by their places
    apart = [
        np.hypot(table["x_um"] - x, table["y_um"] - y) for x, y in zip(store["x"].values[:40], store["y"].values[:40])
    ]
    cells = np.array([np.argmin(distance) for distance in apart])
    assert max(float(np.min(distance)) for distance in apart) < 0.1
    assert np.asarray(table["inner"])[cells].all()
    steps = np.diff(cells)
    assert steps.min() > 0
    assert steps.max() > 3 * steps.min()  # no stride
    expected = np.zeros((40, WINDOWS))
    for step, unit in zip(source["spike_step"].values.tolist(), source["spike_unit"].values.tolist()):
        at = step * 0.1 - SKIP_MS
        if unit in cells and at > 1e-6:
            expected[cells.tolist().index(unit), min(int(np.ceil(at / WINDOW_MS - 1e-9)) - 1, WINDOWS - 1)] += 4
    np.testing.assert_array_equal(response, expected)


def test_population_code_reads_them_beside_a_recording(store: xr.Dataset) -> None:
    kind = find("population_code")
    mouse = store.isel(unit=store["area"].values == "reduction 20, seed 1 E").drop_vars("area")
    mouse.attrs = {**store.attrs, "species": "Mus musculus"}
    options = kind.given({"responses": ["mouse"], "simulated": ["run"], "nulls": 20, "subsets": 2, "splits": 5})
    found = kind.compute({"mouse": mouse, "run": store}, options)
    osi = {row["candidate"]: row["score"] for row in found.rows if row["measure"] == "osi" and row["role"] == "result"}
    assert set(osi) == {"mouse", "run reduction 10, seed 1 E", "run reduction 20, seed 1 E"}
    # half the depth of the tuning, and little of it without any
    assert osi["run reduction 10, seed 1 E"] == pytest.approx(0.4, abs=0.05)
    assert osi["run reduction 20, seed 1 E"] < 0.15
    mean = found.curves["tuning"]["mean_response"].values
    assert np.nanmean(mean) == pytest.approx(20.0, rel=0.05)
    assert "no other species" in found.derived["run: model"]


def test_representations_of_networks_with_one_map_are_alike(store: xr.Dataset) -> None:
    kind = find("representation_similarity")
    given = {"simulated": ["run"], "models": [], "nulls": 20, "bootstrap": 100, "splits": 5, "measures": ["cka"]}
    found = kind.compute({"run": store}, kind.given(given))
    assert any(row["measure"] == "cka" and np.isfinite(row["score"]) for row in found.rows)


def test_the_figure_has_tuning_as_it_is(
    store: xr.Dataset, path: Path, trials: list[dict[str, Any]], tmp_path: Path
) -> None:
    ten = np.flatnonzero(store["area"].values == "reduction 10, seed 1 E")
    found = tuning.tuned(store, ten)
    assert found.repeats == WINDOWS
    assert np.abs(found.resultant).mean() == pytest.approx(0.4, abs=0.05)
    place = store["map_orientation"].values[ten]
    away = np.abs((found.preferred_deg - place + 90) % 180 - 90)
    assert np.median(away) < 10
    drawing = figures.tuning(path, {"reduction 10, seed 1": trials[0]["path"]})
    drawing.save(tmp_path / "responses.png")
    assert "no other species" in drawing.caption
    numbers = drawing.numbers
    # every network has its curve; the half of it that has spikes has a raster
    assert {"Tuning", "Selectivity", "Rates", "Spectrum"} <= set(numbers["panel"])
    curves = numbers[(numbers["panel"] == "Tuning") & numbers["series"].str.contains("from unit")]
    assert curves.groupby("series")["y"].apply(lambda y: y.iloc[0] > y.iloc[-1]).all()


@pytest.mark.parametrize(
    ("changes", "where"),
    [({"populations": ["X"]}, "responses.populations"), ({"window_ms": 2000.0}, "responses.window_ms")],
)
def test_what_cannot_be_is_refused(
    trials: list[dict[str, Any]], changes: dict[str, Any], where: str, tmp_path: Path
) -> None:
    with pytest.raises(SimulationError) as error:
        write_responses(trials[:9], tmp_path / "x.zarr", **{**OPTIONS, **changes})
    assert error.value.where == where


RUN: dict[str, Any] = {
    "kind": "network", "model": "v1", "duration_ms": 1600,
    "conditions": {"a": {"stimulus": {"contrast": 1.0}}}, "responses": {"populations": ["E"]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"conditions": {"a": {}}}, "responses need conditions with a stimulus"),
        ({"duration_ms": 1200}, "do not hold two windows"),
    ],
)
def test_a_run_that_cannot_have_responses_is_refused(changes: dict[str, Any], what: str) -> None:
    assert config.validate({"simulate": {"runs": {"x": RUN}}}).simulate.runs["x"].responses is not None
    with pytest.raises(Exception, match=what):
        config.validate({"simulate": {"runs": {"x": {**RUN, **changes}}}})
