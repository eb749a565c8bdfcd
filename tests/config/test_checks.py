"""What a configuration may not name: each is refused when the workflow is parsed, with the nearest valid name."""

from pathlib import Path
from typing import Any

import pytest

from allometry import config as configuration
from allometry.errors import ConfigError
from allometry.workflow.checks.names import check_names

COOK = "cook2019_hermaphrodite"
NETWORK: dict[str, Any] = {"kind": "network", "model": "microcircuit", "duration_ms": 10.0}
WORM: dict[str, Any] = {"kind": "propagation", "connectome": [COOK]}
HELD: dict[str, Any] = {"kind": "propagation", "run": "x", "function": "randi2023_wt", "structure": [COOK]}
SPIKES: dict[str, Any] = {"kind": "spike_statistics", "simulated": ["x"], "skip_ms": 0.0}
OWN: dict[str, Any] = {"reader": "dag2023", "files": ["a.h5"]}


def run(**changes: Any) -> dict[str, Any]:
    return {"simulate": {"runs": {"x": {**NETWORK, **changes}}}}


def held(given: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"simulate": {"runs": {"x": given}}, "compare": {"comparisons": {"y": {**HELD, **changes}}}}


def spiking(given: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"simulate": {"runs": {"x": given}}, "compare": {"comparisons": {"y": {**SPIKES, **changes}}}}


def check(values: dict[str, Any], root: Path) -> None:
    cfg = configuration.validate(values)
    check_names(cfg, configuration.load_registry(cfg, root))


@pytest.mark.parametrize(
    "values",
    [
        run(parameters={"scale": [0.1, 0.2]}),
        run(model="connectome_lif", connectome=[COOK]),
        held(WORM),
        spiking(NETWORK),
        spiking({**NETWORK, "parameters": {"scale": [0.05, 0.1]}, "seeds": [1, 2]}, reference="scale0.1"),
        spiking(NETWORK, reference="microcircuit"),
        run(conditions={"plain": {}, "weak": {"rate_factors": {"L4E": 0.5}, "silenced": {"L4E": 5, "L4I": [0, 3]}}}),
        spiking({**NETWORK, "conditions": {"plain": {}, "weak": {"seed": 3}}}, reference="plain"),
        run(model="connectome_lif", connectome=[COOK], conditions={"cut": {"silenced": {"neurons": [4]}}}),
        spiking({**NETWORK, "model": "connectome_lif", "connectome": [COOK]}),
        {"homogenize": {"connectome": ["oh2014"], "options": {"oh2014": {}}, "worm_stack": [COOK]}},
        {"datasets": {"mine": {**OWN, "reader": "generic"}}, "homogenize": {"activity": ["mine"]}},
    ],
)
def test_what_fits_together_is_accepted(root: Path, values: dict[str, Any]) -> None:
    check(values, root)


@pytest.mark.parametrize(
    ("values", "where", "nearest"),
    [
        (
            spiking({**NETWORK, "parameters": {"scale": [0.05, 0.1]}}, reference="scale01"),
            "compare.comparisons.y.reference",
            "'scale0.1'",
        ),
        (run(model="microcircit"), "simulate.runs.x.model", "'microcircuit'"),
        (run(parameters={"scal": 0.1}), "simulate.runs.x.parameters.scal", "'scale'"),
        (run(parameters={"g": "abc"}), "simulate.runs.x.parameters.g", "a number"),
        (run(parameters={"scale": [0.1, True]}), "simulate.runs.x.parameters.scale", "a number"),
        (run(parameters={"input": "sine"}), "simulate.runs.x.parameters.input", "poisson or dc"),
        (run(model="connectome_lif"), "simulate.runs.x.connectome", "connectome"),
        (run(conditions={"a": {"rate_factors": {"L4": 0.5}}}), "simulate.runs.x.conditions.a", "L4E"),
        (
            run(conditions={"b": {}, "a": {"weight_factors": {"L4E -> L4": 2.0}}}),
            "simulate.runs.x.conditions.a",
            "L4E -> L4E",
        ),
        (run(conditions={"a": {"silenced": {"L4E": [10**6]}}}), "simulate.runs.x.conditions.a", "0 to "),
        (run(conditions={"a": {"silenced": {"L4": 3}}}), "simulate.runs.x.conditions.a", "L4E"),
        (run(conditions={"a": {"currents_pa": {"L4": 3.0}}}), "simulate.runs.x.conditions.a", "L4E"),
        (run(connectome=[COOK]), "simulate.runs.x.connectome", "connectome_lif"),
        ({"homogenize": {"options": {"cook2019_hermafrodite": {}}}}, "homogenize.options", f"'{COOK}'"),
        ({"homogenize": {"connectome": [COOK], "options": {"cook2019_male": {}}}}, "homogenize.options", f"'{COOK}'"),
        (
            {"homogenize": {"responses": ["mcateer_v1"], "options": {"mcateer_v1": {"lag": True}}}},
            "homogenize.options.mcateer_v1.lag",
            "'lags'",
        ),
        (
            {"datasets": {"mine": {**OWN, "reader": "generic", "options": {"tme": "seconds"}}}},
            "datasets.mine.options.tme",
            "'time'",
        ),
        ({"datasets": {"mine": {**OWN, "reader": "dag2032"}}}, "datasets.mine.reader", "'dag2023'"),
        ({"homogenize": {"worm_stack": ["oh2014"]}}, "homogenize.worm_stack", "Caenorhabditis elegans"),
        ({"homogenize": {"worm_stack": ["cok2019_male"]}}, "homogenize.worm_stack", "'cook2019_male'"),
        ({"simulate": {"runs": {"My run": NETWORK}}}, "simulate.runs", "'my_run'"),
        ({"compare": {"comparisons": {"A-b": HELD}}}, "compare.comparisons", "'a_b'"),
        ({"datasets": {"Mine": OWN}}, "datasets", "lower-case"),
        (held(NETWORK), "compare.comparisons.y.run", "propagation"),
        (spiking(WORM), "compare.comparisons.y.simulated", "a run of kind network"),
        (spiking(NETWORK, simulated=["z"]), "compare.comparisons.y.simulated", "'x'"),
        (held(WORM, run="z"), "compare.comparisons.y.run", "'x'"),
        (held({**WORM, "connectome": [COOK, "white1986_whole"]}), "compare.comparisons.y.structure", "white1986_whole"),
        (
            {
                "datasets": {"mine": {**OWN, "stores": {COOK: {"kind": "activity"}}}},
                "compare": {
                    "comparisons": {"y": {"kind": "activity_structure", "activity": [COOK], "structure": [COOK]}}
                },
            },
            "compare.comparisons.y",
            "different names",
        ),
    ],
)
def test_what_does_not_is_refused_with_what_is_meant(
    root: Path, values: dict[str, Any], where: str, nearest: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check(values, root)
    assert error.value.where.startswith(where)
    assert nearest in str(error.value)


@pytest.mark.parametrize(
    ("values", "where", "said"),
    [
        (run(parameters={"scale": [0.1, 5]}), "simulate.runs.x.parameters", "0 < scale <= 1"),
        (run(parameters={"scale": 0}), "simulate.runs.x.parameters", "0 < scale <= 1"),
        (run(parameters={"scale": "1e-1"}), "simulate.runs.x.parameters.scale", "write 0.1 without quotes"),
        (run(duration_ms=2000.03), "simulate.runs.x", "whole steps of 0.1 ms"),
        (run(record={"counts_bin_ms": 0.25}), "simulate.runs.x", "whole steps"),
        (run(record={"voltage": {"L5": 3}}), "simulate.runs.x", "L5E"),
        (
            run(model="connectome_lif", connectome=[COOK], parameters={"unknown_sign": 3}),
            "simulate.runs.x.parameters",
            "+1, 0 or",
        ),
        ({"simulate": {"runs": {"x": {**WORM, "duration_ms": 80.05}}}}, "simulate.runs.x", "whole steps of 0.1 ms"),
        ({"simulate": {"runs": {"x": {**WORM, "rate_hz": 1e5}}}}, "simulate.runs.x", "up to 10000 Hz"),
        (
            {"simulate": {"partitions": 10**6, "runs": {"x": NETWORK}}},
            "simulate.runs.x",
            "at most one per neuron: 77169",
        ),
        (spiking(NETWORK, skip_ms=500.0), "compare.comparisons.y.skip_ms", "less than 10 ms"),
    ],
)
def test_values_out_of_range_and_times_off_the_grid_are_refused_before_anything_runs(
    root: Path, values: dict[str, Any], where: str, said: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check(values, root)
    assert error.value.where == where
    assert said in str(error.value)
