"""The configuration: what is refused and how, what is generated, what the points of a run are."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from allometry import config
from allometry.config import ClusterConfig
from allometry.config.base import Model, models_in
from allometry.config.simulate import NetworkRun, PropagationRun
from allometry.errors import ConfigError
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
    assert config.validate(values) == config.Config()


def _models(model: type[Model]) -> set[type[Model]]:
    inner = {found for field in model.model_fields.values() for found in models_in(field.annotation)}
    return {model}.union(*(_models(found) for found in inner))


def test_every_field_has_a_description() -> None:
    models = _models(config.Config)
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
        ({"simulate": {"runs": {"x": {**RUN, "duration_ms": -1}}}}, "greater than 0"),
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
