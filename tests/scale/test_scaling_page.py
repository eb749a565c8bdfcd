"""The example of docs/scaling.md, executed: a plugin's own model, calibrated, with a statistic of its own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from distributed import Client

from allometry import config, plugins, stores
from allometry.config import Config
from allometry.numerics.rounding import rounded
from allometry.report import figures
from allometry.report.excerpt import Excerpt
from allometry.report.scaling import tables
from allometry.scale.simulations import calibrate_job, measure_job, read_json, simulate_job
from allometry.scale.study import write_study
from allometry.simulate.distribute.execution import Execution
from allometry.workflow.checks.names import check_names
from allometry.workflow.places import studies


def examples(root: Path) -> list[tuple[str, str]]:
    page = (root / "docs/scaling.md").read_text(encoding="utf-8")
    return re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', page, re.MULTILINE | re.DOTALL)


def run(cfg: Config, name: str, folder: Path, client: Client) -> Path:
    """Do what the rules of the stage do, in their order."""
    execution = Execution(threads=1, cluster=client)
    made = studies.study(cfg, name)
    options = studies.measured(cfg, name)

    def done(job: str) -> None:
        calibration = studies.calibration_of(cfg, name, job)
        simulate_job(
            made.jobs[job].parameters,
            [folder / path for path in made.stores(job)],
            execution,
            calibration=folder / calibration[0] if calibration else None,
        )
        places = {condition: folder / path for condition, path in made.spikes[job].items()}
        measure_job(places, folder / made.statistics(job), **options)

    reference = [job for job in made.jobs if not made.jobs[job].calibration]
    for job in reference:
        done(job)
    for calibration in made.calibrations.values():
        calibrate_job(
            calibration.parameters,
            calibration.factors,
            folder / made.calibration(calibration.name),
            execution,
            reference=[folder / path for path in studies.reference_of(cfg, name, calibration.name)],
        )
    for job in made.jobs:
        if job not in reference:
            done(job)
    out = folder / studies.scaled(name)[0]
    write_study(
        made.values,
        name,
        out,
        statistics=[folder / path for path in studies.all_statistics(cfg, name)],
        spikes={job: {key: folder / path for key, path in places.items()} for job, places in made.spikes.items()},
        calibrations=[folder / path for path in studies.all_calibrations(cfg, name)],
        jobs_manifest=folder / studies.scaled(name)[3],
    )
    return out


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Path]:
    plugins.forget()
    folder = tmp_path_factory.mktemp("lab")
    for name, text in examples(root):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    yield folder
    plugins.forget()


@pytest.fixture(scope="module")
def cfg(lab: Path, root: Path) -> Config:
    found = config.load(lab / "my.yaml")
    check_names(found, config.load_registry(found, root))
    return found


@pytest.fixture(scope="module")
def result(lab: Path, cfg: Config, client: Client) -> Path:
    return run(cfg, "pool_sizes", lab, client)


@pytest.fixture(scope="module")
def tree(result: Path) -> Any:
    return stores.open(result, check="full")


def test_axes_are_named_and_every_job_is_there(tree: Any) -> None:
    assert dict(tree.sizes) == {"size": 3, "scheme": 2, "seed": 3, "condition": 1, "statistic": 3, "population": 1}
    assert tree["unit"].values.tolist() == ["spikes/s", "1", "1"]
    assert np.isfinite(tree["value"].sel(statistic="rate")).all()
    assert tree["neurons"].values[:, 0].tolist() == [100, 200, 400]
    assert tree["synapses"].values[:, 0].tolist() == [100 * 20, 200 * 40, 400 * 80]
    # all schemes are one simulation at full size
    full = tree["value"].sel(size=1.0)
    np.testing.assert_array_equal(full.sel(scheme="none"), full.sel(scheme="drive"))
    assert (tree["verdict"].sel(size=1.0, statistic="rate") == "reference").all()


def test_lost_inhibition_raises_rates_and_calibration_restores_them(tree: Any, cfg: Config) -> None:
    rate = tree["deviation"].sel(statistic="rate", population="cells").squeeze("condition")
    verdict = tree["verdict"].sel(statistic="rate", population="cells").squeeze("condition")
    assert (rate.sel(scheme="none", size=[0.25, 0.5]) > 0.2).all()
    assert (verdict.sel(scheme="none", size=[0.25, 0.5]) == "changed").all()
    assert (np.abs(rate.sel(scheme="drive")) < 0.1).all()
    assert (tree["calibration"].sel(scheme="drive").values == ["converged", "converged", ""]).all()
    assert (tree["calibration"].sel(scheme="none") == "").all()
    table = tree["tables/calibrations"].to_dataset(inherit=False)
    assert (table["value"].values < 1).all()
    assert (table["residual"].values < cfg.scale.studies["pool_sizes"].calibration.tolerance).all()


def test_sizes_that_are_calibrated_one_by_one_are_not_pooled(tree: Any) -> None:
    laws = tree["tables/laws"].to_dataset(inherit=False).to_dataframe()
    drive = laws[laws["scheme_of"] == "drive"]
    assert (drive["law"] == "undetermined").all()
    assert drive["reason"].str.contains("not pooled").all()
    assert not laws[laws["scheme_of"] == "none"]["reason"].str.contains("not pooled").any()


def test_sentences_say_what_is_kept_and_why_not(tree: Any) -> None:
    said = tree["tables/explanations"].to_dataset(inherit=False).to_dataframe()
    rates = said[(said["statistic_of"] == "rate") & (said["scheme_of"] == "none")].iloc[0]
    assert re.search(r"Size 0\.25: changed in cells \+\d+ % \(\+\d+ % to \+\d+ %\)\.", rates["kept"])
    # of lost inputs the theory knows
    assert "mean-field theory" in rates["why"]
    assert "accounts for cells" in rates["why"]
    theory = tree["tables/mean_field"].to_dataset()["rate_hz"].sel(modelled="cells", scheme="none").values
    simulated = tree["mean"].sel(statistic="rate", population="cells", scheme="none").values.ravel()
    np.testing.assert_allclose(theory, simulated, rtol=0.25)


def test_last_bits_are_not_stored(tree: Any) -> None:
    """They depend on the CPU; of what a search ends in even more."""
    for path, digits in (("", 10), ("tables/laws", 4), ("tables/mean_field", 7)):
        dataset = tree[path].to_dataset(inherit=False) if path else tree.to_dataset()
        xr.testing.assert_identical(dataset.load(), rounded(dataset.load(), digits))


def test_a_second_run_has_the_same_content_and_other_costs(
    result: Path, lab: Path, cfg: Config, client: Client
) -> None:
    before = stores.read_manifest(result)
    costs = result.with_name("pool_sizes.costs.json").read_bytes()
    made = studies.study(cfg, "pool_sizes")
    assert len(list(read_json(result.with_name("pool_sizes.costs.json"))["values"]["none"]["simulation_s"])) == 3
    # again from the same jobs, with another wall time of one of them
    job = next(iter(made.jobs))
    (store,) = (lab / path for path in made.stores(job))
    simulate_job(made.jobs[job].parameters, [store], Execution(threads=1, cluster=client))
    write_study(
        made.values,
        "pool_sizes",
        result,
        statistics=[lab / path for path in studies.all_statistics(cfg, "pool_sizes")],
        spikes={name: {key: lab / path for key, path in places.items()} for name, places in made.spikes.items()},
        calibrations=[lab / path for path in studies.all_calibrations(cfg, "pool_sizes")],
        jobs_manifest=lab / studies.scaled("pool_sizes")[3],
    )
    assert stores.read_manifest(result)["content"] == before["content"]
    assert result.with_name("pool_sizes.costs.json").read_bytes() != costs
    assert stores.verify(result) == []


def test_the_report_draws_it_and_says_what_is_lost(result: Path, tmp_path: Path) -> None:
    caption = figures.study(result).caption
    assert "pool at 3 sizes, 3 seeds each; reference: size 1 (400 neurons)" in caption
    assert "DID NOT CONVERGE" not in caption
    balance, explained, laws = tables.tables([str(result)]).values()
    assert isinstance(explained, Excerpt)
    assert isinstance(laws, Excerpt)
    rows = balance[balance["scheme"] == "none"]
    assert rows["neurons"].tolist() == [100, 200, 400]
    assert rows["largest change"].iloc[2] == "reference"
    assert re.fullmatch(r"(rate|silent|cv) of cells [+−]\d+ %", rows["largest change"].iloc[0])
    assert np.isfinite(rows["times as fast"].astype(float)).all()
    assert set(explained.shown["statistic"]) == {"rate", "cv", "silent"}
    assert {"simulation s", "memory gib", "rate"} <= set(laws.shown["of"])


def test_a_calibration_that_does_not_converge_marks_the_store(
    lab: Path, cfg: Config, client: Client, tmp_path: Path
) -> None:
    study = cfg.scale.studies["pool_sizes"]
    impossible = study.model_copy(
        update={
            "schemes": ["drive"],
            "sizes": [0.25, 1.0],
            "seeds": [1, 2],
            "duration_ms": 200.0,
            "calibration": study.calibration.model_copy(
                update={"iterations": 1, "duration_ms": 200.0, "targets": {"unchanged": {"cells": 200.0}}}
            ),
        }
    )
    changed = cfg.model_copy(update={"scale": cfg.scale.model_copy(update={"studies": {"hard": impossible}})})
    out = run(changed, "hard", tmp_path, client)
    found: Any = stores.open(out)
    assert found["calibration"].values.tolist() == [["not converged"], [""]]
    assert found["residual"].values[0, 0] > 0.04
    assert "CALIBRATIONS DID NOT CONVERGE: drive at 0.25 (residual" in figures.study(out).caption
