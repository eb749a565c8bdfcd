"""Options of readers in a configuration: wrong ones are refused when the workflow is parsed, for every reader there is."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from allometry import config as configuration
from allometry.config.base import parse
from allometry.config.registry import Registry, SourceEntry, merge
from allometry.errors import ConfigError
from allometry.homogenize.readers import NAMES, READERS
from allometry.workflow.checks.names import check_names

REQUIRED = {"graspologic_dti": {"subject": "54776"}}


def refused(root: Path, values: dict[str, Any]) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        check(root, values)
    return error.value


def check(root: Path, values: dict[str, Any]) -> None:
    cfg = configuration.validate(values)
    check_names(cfg, merge(_shipped(root / cfg.registry), cfg.datasets))


@cache
def _shipped(path: Path) -> dict[str, SourceEntry]:
    return parse(Registry, {"sources": configuration.read_yaml(path)}, str(path)).sources


def own(reader: str, options: dict[str, Any], /, **store: Any) -> dict[str, Any]:
    kind = READERS[reader].kinds[0]
    entry = {"reader": reader, "files": ["/nowhere/a.csv"], "options": {**REQUIRED.get(reader, {}), **options}}
    return {
        "datasets": {"mine": {**entry, "stores": {"mine": {"kind": kind, **store}}}},
        "homogenize": {kind: ["mine"]},
    }


@pytest.mark.parametrize("reader", NAMES)
def test_a_misspelt_option_is_refused_wherever_it_stands(root: Path, reader: str) -> None:
    check(root, own(reader, {}))
    for option in [*READERS[reader].options][-1:]:
        wrong = {f"{option}_": 1}
        for values, where in (
            (own(reader, wrong), f"datasets.mine.options.{option}_"),
            (own(reader, {}, options=wrong), f"datasets.mine.stores.mine.options.{option}_"),
        ):
            error = refused(root, values)
            assert error.where == where
            assert error.do == f"perhaps {option!r} is meant"
        values = own(reader, {})
        values["homogenize"]["options"] = {"mine": wrong}
        assert refused(root, values).where == f"homogenize.options.mine.{option}_"
    assert "unknown option 'nonsense'" in refused(root, own(reader, {"nonsense": 1})).what


def test_a_value_that_is_not_accepted_is_refused(root: Path) -> None:
    error = refused(root, own("kato2015", {"label_policy": "lenient"}))
    assert (error.where, error.expected) == ("datasets.mine.options.label_policy", "one of strict, nearest, drop")
    assert refused(root, own("generic", {"native_rate_hz": -3})).expected == "a positive number, or null"


def test_an_option_that_a_store_must_have_is_missed(root: Path) -> None:
    values = own("graspologic_dti", {})
    del values["datasets"]["mine"]["options"]["subject"]
    assert refused(root, values).what == "option subject is missing"
    values["homogenize"]["options"] = {"mine": {"subject": 54776}}
    check(root, values)


def test_an_option_that_fills_file_names_is_no_option_of_the_reader(root: Path) -> None:
    """A list of sessions belongs to the recipe; any reader can be used with one."""
    values = own("generic", {"animal": ["a", "b"], "time": "t"})
    values["datasets"]["mine"]["files"] = [
        {"name": "{animal}.csv", "each": "animal", "places": ["file:/nowhere/{animal}.csv"]}
    ]
    check(root, values)
    cfg = configuration.validate(values)
    assert configuration.load_registry(cfg, root)["mine"]["options"] == {"time": "t"}
    values["datasets"]["mine"]["options"]["animl"] = ["c"]
    assert refused(root, values).where == "datasets.mine.options.animl"


def test_sessions_of_a_recipe_cannot_be_chosen_per_store(root: Path) -> None:
    """The files are those of the data set: a session named for a store would be read by nobody."""
    values = {"homogenize": {"activity": ["flavell2023"], "options": {"flavell2023": {"session": ["2023-01-23-01"]}}}}
    assert "unknown option 'session'" in refused(root, values).what


def test_a_kind_that_a_reader_does_not_make_is_refused(root: Path) -> None:
    values = own("generic", {})
    values["datasets"]["mine"]["stores"]["mine"]["kind"] = "spikes"
    values["homogenize"] = {"spikes": ["mine"]}
    assert refused(root, values).where == "datasets.mine.stores.mine.kind"


def test_every_registered_data_set_has_options_of_its_reader(root: Path) -> None:
    registry = configuration.load_registry(configuration.validate({}), root)
    stores: dict[str, list[str]] = {}
    for entry in registry.values():
        for name, store in entry["stores"].items():
            stores.setdefault(store["kind"], []).append(name)
    check(root, {"homogenize": stores})


def test_a_misspelt_option_in_the_registry_is_refused(root: Path, tmp_path: Path) -> None:
    shipped = (root / "config" / "datasets.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(shipped.replace("{sex: male}", "{sx: male}"))
    values = {"registry": str(tmp_path / "mine.yaml"), "homogenize": {"connectome": ["cook2019_male"]}}
    error = refused(root, values)
    assert error.where == f"{tmp_path / 'mine.yaml'}.cook2019.stores.cook2019_male.options.sx"
    assert error.do == "perhaps 'sex' is meant"
