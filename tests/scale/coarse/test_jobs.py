"""A small network from its simulation to the errors of the coarse-grained model: what the workflow's jobs do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from allometry import stores
from allometry.report import figures
from allometry.scale.coarse.estimation import Observation, fit_tables, read_observation
from allometry.scale.coarse.evaluation import NETWORK, SCHEMES, Evaluated, equivalent_s
from allometry.scale.coarse.fixed_point import open_loop
from allometry.scale.coarse.jobs import conditions, evaluation_job, observe_job, part_of, table_job
from allometry.scale.coarse.pixels import POPULATIONS
from allometry.scale.coarse.responses import read_tables
from allometry.simulate.distribute.execution import Execution

SETTINGS: dict[str, Any] = {
    "reduction": 20.0, "pixel_um": 250.0, "tolerance": 2e-3, "iterations": 500,
    "training": {"seeds": [1, 2], "orientations_deg": [0.0], "duration_ms": 1000.0, "skip_ms": 100.0},
    "evaluation": {"seeds": [3], "orientations_deg": [0.0], "duration_ms": 1000.0, "skip_ms": 100.0},
}  # fmt: skip


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[Path]]:
    folder = tmp_path_factory.mktemp("coarse")
    places = {seed: [folder / f"seed_{seed}" / f"{c}.zarr" for c in conditions(SETTINGS, seed)] for seed in (1, 2, 3)}
    for seed, of in places.items():
        observe_job(SETTINGS, seed, of, Execution(threads=1, progress=False))
    return places


@pytest.fixture(scope="module")
def tables(observed: dict[int, list[Path]]) -> Path:
    place = observed[1][0].parents[1] / "tables.zarr"
    table_job(SETTINGS, {seed: observed[seed] for seed in (1, 2)}, place)
    return place


def read(observed: dict[int, list[Path]], seed: int, drawn: bool) -> Observation:
    shown, skip_ms = conditions(SETTINGS, seed), part_of(SETTINGS, seed)["skip_ms"]
    places = dict(zip(shown, observed[seed], strict=True))
    return read_observation(places, SETTINGS["reduction"], seed, shown, skip_ms, SETTINGS["pixel_um"], drawn)


def test_tables_give_about_the_rates_they_were_taken_from(observed: dict[int, list[Path]], tables: Path) -> None:
    one, plain = (read(observed, 1, drawn) for drawn in (True, False))
    assert one.duration_s == pytest.approx(1.0)
    assert len(one.pieces["grating_0"]["E"]) == 2
    found = fit_tables([one], [plain])
    both = {"background", "driven"}
    assert {known: set(of) for known, of in found.items()} == {"drawn": both, "expected": both, "own": both}
    rates = one.rates("grating_0")
    at_inputs = open_loop(plain.sheet, plain.shown["grating_0"], found["expected"]["driven"], rates)
    for name in POPULATIONS:
        assert one.pieces["grating_0"][name].mean(axis=0) == pytest.approx(rates[name])
        number = one.sheet.numbers[name].ravel()
        # where rates saturate the likelihood weighs cells otherwise than their sum does
        assert (at_inputs[name] * number).sum() == pytest.approx((rates[name] * number).sum(), rel=0.1)
        assert not found["own"]["driven"][name].gain.any()
        gain = read_tables(tables)["drawn"]["driven"][name].gain
        assert gain[:, 0].mean() > 0 > gain[:, 1].mean()  # excitation excites, inhibition inhibits


def test_a_network_that_was_not_seen_is_solved_and_drawn(observed: dict[int, list[Path]], tables: Path) -> None:
    out = tables.with_name("model.zarr")
    evaluation_job(SETTINGS, "model", tables, {3: observed[3]}, out)
    tree = stores.open(out)
    assert isinstance(tree, xr.DataTree)
    errors, maps = (tree[f"curves/{name}"].to_dataset() for name in ("errors", "maps"))
    seen = read(observed, 3, True)
    inside = seen.sheet.central.reshape(seen.sheet.side, -1)
    for name in POPULATIONS:
        network = maps["rate"].sel(condition="background", scheme=NETWORK, population=name).values
        assert network.ravel() == pytest.approx(seen.rates("background")[name], abs=1e-4)
        # the table of errors is that of the maps
        for scheme in SCHEMES:
            rates = maps["rate"].sel(condition="background", scheme=scheme, population=name).values[inside]
            row = errors.sel(seed=3, condition="background", scheme=scheme, population=name)
            assert float(row["rate_deviation"]) == pytest.approx(rates.mean() / network[inside].mean() - 1, abs=1e-3)
            known = np.corrcoef(rates, network[inside])[0, 1]
            assert float(row["pixel_correlation"]) == pytest.approx(known, abs=1e-3)
    assert (errors["residual"].values < SETTINGS["tolerance"]).all()
    rows = tree.to_dataset().to_dataframe()
    judged = rows[(rows["measure"] == "pixel_correlation") & (rows["candidate"] == "coarse")]
    assert set(judged["baseline"]) == {"own"}
    drawing = figures.coarse(out)
    assert "tables have not seen" in drawing.caption
    labels = {label for ax in drawing.figure.axes for label in ax.get_legend_handles_labels()[1]}
    assert {"coarse-grained", "LGN and class", "network"} <= labels


def test_the_simulation_that_is_as_precise_is_as_long_as_its_noise_says(observed: dict[int, list[Path]]) -> None:
    """Poisson counts of n cells at a rate r have a relative variance of 1 / (n r T): of an error e, T is 1 / (n r e^2)."""
    seen = read(observed, 3, False)
    draws = np.random.default_rng(1)
    cells, rate, pieces, error = 30, 10.0, 4000, 0.1
    many = draws.poisson(cells * rate * 0.5, (pieces, seen.sheet.side**2)) / (cells * 0.5)
    flat = np.full(seen.sheet.side**2, rate)
    sign = np.where(np.arange(len(flat)) % 2, 1.0, -1.0)
    one = replace(seen, pieces={"a": {"E": many}}, duration_s=0.5 * pieces, piece_s=0.5)
    made = Evaluated(one, {"a": {NETWORK: {"E": flat}, "coarse": {"E": flat * (1 + error * sign)}}}, {})
    # the reference of 2000 s explains a six hundredth of the error
    assert equivalent_s(made, "a", "E") == pytest.approx(1.0 / (cells * rate * error**2), rel=0.06)
