"""The configuration: what is refused and how, what is generated, what the points of a run are."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from allometry import config
from allometry.config import ClusterConfig
from allometry.config.base import models_in
from allometry.config.simulate import NetworkRun, PropagationRun
from allometry.errors import ConfigError
from allometry.settings import Model
from allometry.simulate.point import cluster_options

SHIPPED = ["config.yaml", "config/full.yaml", "config/default.yaml", "tests/config.yaml"]
RUN: dict[str, Any] = {"kind": "network", "model": "brunel", "duration_ms": 10.0}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configuration_is_valid(root: Path, name: str) -> None:
    cfg = config.load(root / name)
    registry = config.load_registry(cfg, root)
    assert registry


def test_default_file_holds_the_defaults(root: Path) -> None:
    values = yaml.safe_load((root / "config/default.yaml").read_text())
    assert config.validate(values) == config.config_model()()


def _models(model: type[Model]) -> set[type[Model]]:
    inner = {found for field in model.model_fields.values() for found in models_in(field.annotation)}
    return {model}.union(*(_models(found) for found in inner))


def test_every_field_has_a_description() -> None:
    models = _models(config.config_model())
    assert len(models) > 10
    for model in models:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"homogenise": {}}, "homogenise: unknown key; did you mean 'homogenize'"),
        ({"homogenize": {"conectome": []}}, "homogenize.conectome: unknown key; did you mean 'connectome'"),
        ({"simulate": {"runs": {"x": {**RUN, "seed": [1]}}}}, "did you mean 'seeds'"),
        ({"simulate": {"runs": {"x": {**RUN, "duration_ms": -1}}}}, "a number above 0 expected"),
        ({"simulate": {"runs": {"x": {"kind": "network", "model": "brunel"}}}}, "duration_ms: missing"),
        ({"compare": {"comparisons": {"x": {"kind": "agreement"}}}}, "compare.comparisons.x"),
        ({"cluster": {"kind": "address"}}, "needs the key `address`"),
        ({"report": {"title": 3}}, "report.title"),
    ],
)
def test_invalid_key_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.validate(values, "my.yaml")
    assert message in str(error.value)
    assert "my.yaml" in str(error.value)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(ConfigError, match="2 problems"):
        config.validate({"reprot": {}, "report": {"raster_ms": 0}})


@pytest.mark.parametrize("text", ["a: [1", "- 1\n", ""])
def test_unreadable_file_is_one_message(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"c\.yaml"):
        config.load(tmp_path / "c.yaml")


def test_missing_file_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        config.load(tmp_path / "none.yaml")


def test_points_are_the_product_of_all_lists() -> None:
    run = NetworkRun(**RUN, parameters={"scale": [0.1, 0.2], "g": 5.0}, seeds=[1, 2])
    found = config.points(run)
    assert [(point.parameters["parameters"]["scale"], point.parameters["seed"]) for point in found] == [
        (0.1, 1),
        (0.1, 2),
        (0.2, 1),
        (0.2, 2),
    ]
    assert len({point.name for point in found}) == 4
    assert found[0].name.startswith("g5_scale0.1_s1_")


def test_name_of_a_point_depends_on_everything_that_determines_it() -> None:
    names = {
        config.points(NetworkRun(**{**RUN, **change}))[0].name
        for change in ({}, {"duration_ms": 20.0}, {"precision": "exact"}, {"record": {"spikes": False}}, {"seeds": [2]})
    }
    assert len(names) == 5


def test_conditions_are_points_of_one_job() -> None:
    """Names are the job's settings, the condition and the job's end, which the rule takes apart again."""
    conditions = {"plain": {}, "weak": {"weight_factors": {"A -> B": 0.5}}}
    run = NetworkRun(**RUN, parameters={"scale": [0.1, 0.2]}, seeds=[1, 2], conditions=conditions)
    found = config.points(run)
    assert len(found) == len({point.name for point in found}) == 8
    assert len({point.job for point in found}) == 4
    assert [point.parameters["condition"]["name"] for point in found[:3]] == ["plain", "weak", "plain"]
    for point in found:
        start, end = re.fullmatch(r"((?:[A-Za-z0-9_.-]+_)?)(s[0-9]+_[0-9a-f]{8})", point.job).groups()  # type: ignore[union-attr]
        assert point.name == f"{start}{point.parameters['condition']['name']}_{end}"
    changed = {**conditions, "weak": {"weight_factors": {"A -> B": 0.6}}}
    others = config.points(NetworkRun(**RUN, parameters={"scale": [0.1, 0.2]}, seeds=[1, 2], conditions=changed))
    assert not {point.job for point in found} & {point.job for point in others}
    bare = config.points(NetworkRun(**RUN, conditions=conditions))
    assert bare[0].name.startswith("plain_s1_")
    assert bare[0].job == bare[0].name.removeprefix("plain_")


def test_a_run_without_conditions_keeps_its_names() -> None:
    run = NetworkRun.model_validate({**RUN, "parameters": {"scale": 0.1}})
    assert [(point.name, point.job) for point in config.points(run)] == [
        ("scale0.1_s1_f814a750", "scale0.1_s1_f814a750")
    ]


def test_points_of_propagation_name_their_connectome() -> None:
    run = PropagationRun(kind="propagation", connectome=["a", "b"], weight_mv=[0.275], gap_junction=[0.0, 0.1])
    found = config.points(run)
    assert [point.connectome for point in found] == ["a", "a", "b", "b"]
    assert found[1].name.startswith("a_w0.275_gap0.1_")


def test_rewirings_are_part_of_a_propagation_point_not_points_of_their_own() -> None:
    run = {"kind": "propagation", "connectome": ["a"], "weight_mv": [0.275]}
    changes: tuple[dict[str, int], ...] = ({}, {"rewirings": 3}, {"rewirings": 3, "rewiring_seed": 2})
    found = [config.points(PropagationRun.model_validate({**run, **change})) for change in changes]
    assert [len(points) for points in found] == [1, 1, 1]
    assert len({points[0].name for points in found}) == 3
    assert found[2][0].parameters["rewirings"] == 3


def test_every_key_of_the_cluster_reaches_one_of_its_kinds() -> None:
    given = dict.fromkeys(ClusterConfig.model_fields, "given")
    kinds = get_args(ClusterConfig.model_fields["kind"].annotation)
    assert set().union(*(cluster_options(given | {"kind": kind}) for kind in kinds)) == set(given)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"simulate": {"runs": {"x": {**RUN, "seeds": [1, 1]}}}},
            "simulate.runs.x: seeds lists 1 more than once",
        ),
        (
            {"simulate": {"runs": {"x": {**RUN, "parameters": {"g": [4.0, 4]}}}}},
            "parameters.g lists 4 more than once",
        ),
        ({"homogenize": {"connectome": ["a", "b", "a"]}}, "connectome lists a more than once"),
        (
            {"compare": {"comparisons": {"x": {"kind": "connectome_agreement", "structure": ["a", "a"]}}}},
            "structure lists a more than once",
        ),
        ({"simulate": {"runs": {"x": {**RUN, "seeds": [-1]}}}}, "simulate.runs.x.seeds[0]: a number of at least 0"),
        (
            {"simulate": {"runs": {"x": {**RUN, "conditions": {"a": {"rate_factors": {"E": -1.0}}}}}}},
            "simulate.runs.x.conditions.a.rate_factors.E: a number of at least 0",
        ),
        (
            {"simulate": {"runs": {"x": {**RUN, "conditions": {"a": {"weight": {}}}}}}},
            "simulate.runs.x.conditions.a.weight",
        ),
        ({"simulate": {"runs": {"x": {**RUN, "conditions": {"A b": {}}}}}}, "'A b' cannot name a condition"),
        (
            {"simulate": {"runs": {"x": {**RUN, "conditions": {"weak": {}, "very_weak": {}}}}}},
            "the name of condition very_weak ends in that of weak",
        ),
        ({"simulate": {"runs": {"x": {**RUN, "seeds": [True]}}}}, "seeds[0]: a whole number expected (found True)"),
        ({"simulate": {"runs": {"x": {**RUN, "seeds": 1}}}}, "seeds: a list expected (found 1); write [1]"),
        ({"simulate": {"runs": {"x": {**RUN, "duration_ms": "1e3"}}}}, "write 1000 without quotes"),
        (
            {"simulate": {"runs": {"x": {**RUN, "parameters": {"g": {}}}}}},
            "parameters.g: a number, text, true or false",
        ),
        ({"simulate": {"runs": {"network": {**RUN, "precision": "good"}}}}, "simulate.runs.network.precision: 'fast'"),
        ({"simulate": {"runs": {"x": {"kind": "netwrok"}}}}, "x.kind: unknown kind 'netwrok'; did you mean 'network'"),
        ({"compare": {"comparisons": {"x": {"seed": 1}}}}, "x.kind: missing, and required; one of activity_manifolds"),
        ({"compare": {"comparisons": {"x": {"kind": "spike_statistics"}}}}, "reads nothing"),
        (
            {"compare": {"comparisons": {"x": {"kind": "population_code"}}}},
            "reads nothing; name stores under responses",
        ),
        (
            {"compare": {"comparisons": {"x": {"kind": "representation_similarity", "simulated": []}}}},
            "reads nothing; name stores under responses",
        ),
        (
            {"compare": {"comparisons": {"x": {"kind": "dynamic_connectome", "activity": ["a"], "ranks": [2, 1]}}}},
            "write [1, 2]",
        ),
        ({"homogenize": None}, "homogenize: keys with values expected (it is empty); remove the key"),
        ({"report": {"raster_ms": float("nan")}}, "a finite number"),
        # YAML 1.1 reads 10:00:00 to the base of 60
        ({"cluster": {"walltime": 36000}}, "put the time in quotes"),
        ({"cluster": {"walltime": "1 h"}}, "hh:mm:ss"),
        ({"cluster": {"memory": "four"}}, "with its unit"),
        ({"cluster": {"kind": "address", "address": "host"}}, "tcp://host:8786"),
        ({"datasets": {"m": {"reader": "generic", "files": "a.csv"}}}, "write [a.csv]"),
        ({"datasets": {"m": {"reader": "generic", "files": ["a{b}.csv"]}}}, "a{b}.csv"),
    ],
)
def test_what_would_fail_or_be_done_twice_is_refused_in_words_of_the_file(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.validate(values)
    assert message in str(error.value)
    assert "problems in" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("report:\n  title: a\nreport:\n  raster_ms: 3.0\n", "report: lines 1 and 3"),
        ("simulate:\n  runs:\n    x: {seeds: [1], seeds: [2]}\n", "simulate.runs.x.seeds: lines 3 and 3"),
    ],
)
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        config.load(tmp_path / "c.yaml")
    assert message in str(error.value)


def test_an_anchor_that_holds_itself_does_not_hang(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("mirror: &a [*a]\n")
    with pytest.raises(ConfigError, match="mirror"):
        config.load(tmp_path / "c.yaml")


def test_names_of_points_fit_a_file_system_and_tell_large_from_small() -> None:
    text = ",".join(f"N\u00e4{number}" for number in range(400))
    run = NetworkRun.model_validate({**RUN, "parameters": {"driven": [text, "../x"], "g": 1e6}})
    names = [point.name for point in config.points(run)]
    assert len(set(names)) == 2
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_.-]{1,140}", name)
    assert "g1e06" in names[1]


@pytest.mark.parametrize(
    ("written", "meant"), [("off", "off"), ("auto", "auto"), ("'off'", "off"), ("10", 10.0), ("0.5", 0.5)]
)
def test_checkpoints_are_off_by_the_plain_word(written: str, meant: object) -> None:
    """Which YAML takes for false."""
    values = yaml.safe_load(f"simulate: {{checkpoint: {written}}}")
    assert config.validate(values, "here").simulate.checkpoint == meant


@pytest.mark.parametrize("written", ["on", "0", "-1", "often", ".nan", "null"])
def test_other_checkpoints_are_refused(written: str) -> None:
    with pytest.raises(ConfigError, match=r"simulate\.checkpoint"):
        config.validate(yaml.safe_load(f"simulate: {{checkpoint: {written}}}"), "here")
