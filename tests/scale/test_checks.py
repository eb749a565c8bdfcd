"""A study that cannot be made ends with one message before anything runs."""

from pathlib import Path
from typing import Any

import pytest

from allometry import config
from allometry.errors import ConfigError
from allometry.workflow.checks.names import check_names

STUDY: dict[str, Any] = {
    "model": "microcircuit",
    "sizes": [0.05, 0.1],
    "schemes": ["compensated", "indegree"],
    "seeds": [1, 2, 3],
    "duration_ms": 1000.0,
}
RUN: dict[str, Any] = {"kind": "network", "model": "microcircuit", "parameters": {"scale": 0.05}, "duration_ms": 1000.0}


def configured(scale: dict[str, Any] | None = None, **changes: Any) -> config.Config:
    return config.validate(
        {
            "simulate": {"runs": {"short": {**RUN, "duration_ms": 10.0}, "same": RUN}},
            "scale": {"studies": {"sizes": {**STUDY, **changes}}, **(scale or {})},
        }
    )


def check(cfg: config.Config, root: Path) -> None:
    check_names(cfg, config.load_registry(cfg, root))


def test_what_fits_together_is_accepted(root: Path) -> None:
    check(configured(), root)
    check(configured(voltage={"L4E": 5}, conditions={"weak": {"rate_factors": {"L4E": 0.5}}}), root)
    check(configured(runs=["same"]), root)


@pytest.mark.parametrize(
    ("changes", "where", "do"),
    [
        ({"model": "microcircit"}, "scale.studies.sizes.model", "perhaps 'microcircuit' is meant"),
        ({"schemes": ["indegre"]}, "scale.studies.sizes.schemes", "perhaps 'indegree' is meant"),
        ({"sizes": [2.0]}, "scale.studies.sizes.sizes", ""),
        ({"statistics": ["rates"]}, "scale.studies.sizes.statistics", "perhaps 'rate' is meant"),
        ({"parameters": {"gg": 1.0}}, "scale.studies.sizes.parameters.gg", "perhaps 'g' is meant"),
        ({"parameters": {"g": "x"}}, "scale.studies.sizes.parameters.g", ""),
        ({"parameters": {"k_scale": 0.5}}, "scale.studies.sizes.parameters.k_scale", "leave it out"),
        ({"runs": ["shor"]}, "scale.studies.sizes.runs", "perhaps 'short' is meant"),
        ({"runs": ["short"]}, "scale.studies.sizes.runs", "give both the same values"),
        ({"voltage": {"L4": 1}}, "scale.studies.sizes", "perhaps"),
        ({"conditions": {"x": {"silenced": {"L9": 3}}}}, "scale.studies.sizes", ""),
        ({"duration_ms": 1000.05}, "scale.studies.sizes", ""),
        (
            {"calibration": {"targets": {"unchange": {"L4E": 1.0}}}},
            "scale.studies.sizes.calibration.targets.unchange",
            "perhaps 'unchanged' is meant",
        ),
        (
            {"calibration": {"targets": {"unchanged": {"L4": 1.0}}}},
            "scale.studies.sizes.calibration.targets.unchanged",
            "perhaps",
        ),
    ],
)
def test_misspelt_and_impossible_values_are_named(root: Path, changes: dict[str, Any], where: str, do: str) -> None:
    with pytest.raises(ConfigError) as error:
        check(configured(**changes), root)
    assert error.value.where == where
    assert do in error.value.do


def test_a_name_that_is_none_is_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match="'My-Study' is no valid name"):
        check(config.validate({"scale": {"studies": {"My-Study": STUDY}}}), root)


def test_a_size_that_is_no_multiple_of_the_lattice_is_refused_with_the_nearest(root: Path) -> None:
    changes = {"model": "spatial_balanced", "schemes": ["balanced"], "statistics": ["rate", "correlation_near"]}
    check(configured(**changes, sizes=[0.0576, 0.16]), root)
    with pytest.raises(ConfigError, match=r"no size 0\.06, which is no multiple of its lattice") as error:
        check(configured(**changes, sizes=[0.16, 0.06]), root)
    assert error.value.where == "scale.studies.sizes.sizes"
    assert "0.0576 (m = 6), 0.0784 (m = 7)" in error.value.do
