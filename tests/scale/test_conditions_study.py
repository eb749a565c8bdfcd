"""Studies with conditions, recorded states and statistics across conditions, done for real on small networks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from distributed import Client

from allometry import config, stores
from allometry.models import build
from allometry.models.v1 import reduced
from allometry.report import figures
from allometry.report.scaling import tables
from allometry.scale.jobs import calibrations, jobs
from allometry.workflow.checks.names import check_names
from allometry.workflow.places import studies
from tests.scale.test_scaling_page import run

V1: dict[str, Any] = {
    "model": "v1",
    "sizes": [0.0125, 0.02],
    "schemes": ["in_degree"],
    "seeds": [1],
    "further_seeds": [{"sizes": [0.0125], "seeds": [2]}],
    "populations": ["E", "I"],
    "conditions": {
        "grating_0": {"stimulus": {"orientation_deg": 0, "contrast": 1}},
        "background": {"stimulus": {"orientation_deg": 0, "contrast": 0}},
        **{f"grating_{angle}": {"stimulus": {"orientation_deg": angle, "contrast": 1}} for angle in (45, 90, 135)},
    },
    "voltage": {"E": 10, "I": 10},
    "states": ["g_ampa", "nmda_slow", "nmda_rise", "g_gaba"],
    "statistics": [
        "rate", "domain_contrast_sheet", "osi", "osi_null", "f1_f0", "contrast_response", "voltage_sd", "excitation",
        "inhibition_sd",
    ],
    "duration_ms": 250,
    "skip_ms": 50,
    "calibration": None,
}  # fmt: skip
MICROCIRCUIT: dict[str, Any] = {
    "model": "microcircuit",
    "sizes": [0.02, 0.03],
    "schemes": ["compensated"],
    "seeds": [1, 2],
    "conditions": {"unchanged": {}, "weak": {"rate_factors": {"L4E": 0.5}}},
    "voltage": {"L4E": 6},
    "statistics": ["rate", "voltage_sd", "osi"],
    "duration_ms": 200,
    "skip_ms": 50,
}


def studied(name: str, study: dict[str, Any], root: Path, folder: Path, client: Client) -> tuple[Path, Any]:
    cfg = config.validate({"scale": {"studies": {name: study}}})
    check_names(cfg, config.load_registry(cfg, root))
    path = run(cfg, name, folder, client)
    return path, stores.open(path, check="full")


@pytest.fixture(scope="module")
def v1(root: Path, tmp_path_factory: pytest.TempPathFactory, client: Client) -> tuple[Path, Any]:
    return studied("v1_small", V1, root, tmp_path_factory.mktemp("v1"), client)


@pytest.fixture(scope="module")
def microcircuit(root: Path, tmp_path_factory: pytest.TempPathFactory, client: Client) -> tuple[Path, Any]:
    return studied("circuit", MICROCIRCUIT, root, tmp_path_factory.mktemp("circuit"), client)


def test_only_the_studied_populations_are_recorded_and_counted(v1: tuple[Path, Any], root: Path) -> None:
    path, tree = v1
    assert tree["population"].values.tolist() == ["E", "I", "all"]
    # of L6 and the LGN, which stay as they are, a size has no fewer
    assert tree["neurons"].values[:, 0].tolist() == [450, 720]
    cfg = config.validate({"scale": {"studies": {"v1_small": V1}}})
    made = studies.study(cfg, "v1_small")
    store = stores.open(path.parents[2] / made.stores(next(iter(made.jobs)))[0])
    assert isinstance(store, xr.Dataset)
    seen = store["population"].values.astype(object)[store["spike_unit"].values]
    assert set(seen.tolist()) == {"E", "I"}


def test_conditions_keep_their_order_and_what_takes_all_of_them_comes_last(v1: tuple[Path, Any]) -> None:
    _, tree = v1
    assert tree["condition"].values.tolist() == [*V1["conditions"], "all"]
    value = tree["value"].sel(size=0.02, scheme="in_degree", seed=1, population="E")
    for statistic in ("osi", "osi_null", "f1_f0", "domain_contrast_sheet", "contrast_response"):
        assert np.isfinite(value.sel(statistic=statistic, condition="all")), statistic
        assert np.isnan(value.sel(statistic=statistic, condition="grating_0")), statistic
    rates = value.sel(statistic="rate")
    assert rates.sel(condition="grating_0") > rates.sel(condition="background") > 0
    shown = rates.sel(condition=["grating_0", "background"]).values
    assert value.sel(statistic="contrast_response", condition="all") == pytest.approx(shown[0] / shown[1])


def test_seeds_of_one_size_are_missing_in_the_others(v1: tuple[Path, Any]) -> None:
    _, tree = v1
    rate = tree["value"].sel(statistic="rate", condition="grating_0", population="E", scheme="in_degree")
    assert tree["seed"].values.tolist() == [1, 2]
    assert np.isfinite(rate.sel(size=0.0125)).all()
    assert np.isnan(rate.sel(size=0.02, seed=2))
    assert rate.sel(size=0.0125, seed=1) != rate.sel(size=0.0125, seed=2)


def test_states_give_conductances_of_each_population(v1: tuple[Path, Any]) -> None:
    _, tree = v1
    value = tree["value"].sel(size=0.02, scheme="in_degree", seed=1, condition="grating_0")
    for statistic, low, high in (
        ("voltage_sd", 0.05, 0.5), ("excitation", 0.01, 0.2), ("inhibition_sd", 0.005, 0.5),
    ):  # fmt: skip
        found = value.sel(statistic=statistic, population=["E", "I"]).values
        assert (found > low).all(), (statistic, found)
        assert (found < high).all(), (statistic, found)


def test_without_a_calibration_factors_are_one_and_laws_may_be_sought(v1: tuple[Path, Any]) -> None:
    _, tree = v1
    assert (tree["calibration"] == "").all()
    assert calibrations(config.StudyConfig.model_validate(V1).model_dump(mode="json")) == []
    reasons = tree["tables/laws"]["reason"].values.tolist()
    assert not any("calibrated on its own" in reason for reason in reasons)
    assert build("v1", reduced(0.02, "in_degree")).parameters["x_ee"] == 1.0


def test_the_figures_have_what_there_is(v1: tuple[Path, Any], microcircuit: tuple[Path, Any], tmp_path: Path) -> None:
    for name, (path, _) in (("v1_small", v1), ("circuit", microcircuit)):
        for drawing in (figures.study, figures.statistics):
            image = tmp_path / f"{name}_{drawing.__name__}.png"
            drawing(path).save(image)
            assert image.stat().st_size > 8_000
        assert tables.tables([str(path)])


def test_conditions_of_the_microcircuit_change_what_they_say(microcircuit: tuple[Path, Any]) -> None:
    _, tree = microcircuit
    assert tree["condition"].values.tolist() == ["unchanged", "weak", "all"]
    mean = tree["mean"].sel(scheme="compensated", population="L4E")
    rate = mean.sel(statistic="rate")
    assert (rate.sel(condition="weak") < 0.8 * rate.sel(condition="unchanged")).all()
    assert (mean.sel(statistic="voltage_sd", condition="unchanged") > 0.5).all()
    assert np.isnan(tree["mean"].sel(statistic="voltage_sd", population="L23E")).all()
    assert np.isnan(tree["mean"].sel(statistic="osi")).all()


def test_calibrations_run_the_conditions_that_are_asked_for_and_record_no_states() -> None:
    targets = {"background": {"E": 1.7}}
    how = {"conditions": ["background"], "targets": targets, "duration_ms": 200}
    values = config.StudyConfig.model_validate({**V1, "calibration": how}).model_dump(mode="json")
    found = calibrations(values)
    assert [job.size for job in found] == [0.0125, 0.02]
    assert [entry["name"] for entry in found[0].parameters["conditions"]] == ["background"]
    assert found[0].parameters["record"] == {
        "spikes": True, "counts_bin_ms": None, "voltage": {}, "populations": ["E", "I"],
    }  # fmt: skip
    # 3 seeds, 1 + 4 evaluations before 8 iterations, of one condition
    assert found[0].simulations == 3 * (1 + 4 + 8)
    assert len(jobs(values)) == 3


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"further_seeds": [{"sizes": [0.5], "seeds": [7]}]}, "further_seeds names size 0.5"),
        (
            {"further_seeds": [{"sizes": [0.02], "schemes": ["none"], "seeds": [7]}]},
            "further_seeds names the scheme none",
        ),
        ({"further_seeds": [{"sizes": [0.02], "seeds": [1]}]}, "further_seeds names seed 1"),
        ({"calibration": {"conditions": ["dark"]}}, "calibration.conditions names dark"),
        ({"voltage": {}}, "states are recorded of the neurons under voltage"),
        ({"calibration": {"seeds": [2, 11, 12]}}, "seed 2 is one of the study and of its calibration"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(Exception, match=what):
        config.validate({"scale": {"studies": {"x": {**V1, **changes}}}})
