"""The registry of models says exactly what the builders accept."""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import pytest

from allometry.errors import PluginError, SimulationError
from allometry.models import MODELS, build, model
from allometry.models.registry import expected
from allometry.network import Network


@pytest.mark.parametrize("name", sorted(MODELS))
def test_parameters_are_those_of_the_builder(name: str) -> None:
    entry = MODELS[name]
    accepted = [p for p in inspect.signature(entry.build).parameters if p not in ("connectome", "seed", "fitted")]
    assert list(entry.parameters) == accepted
    assert entry.needs_connectome == ("connectome" in inspect.signature(entry.build).parameters)


def test_build_by_name() -> None:
    assert build("microcircuit", {"scale": 0.1}).size == 7717


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("microcircit", {}, "perhaps 'microcircuit' is meant"),
        ("brunel", {"etta": 1}, "perhaps 'eta' is meant"),
        ("connectome_lif", {}, "connectome"),
        ("brunel", {"g": "abc"}, "a number"),
        ("microcircuit", {"thalamus": 1}, "true or false"),
        ("microcircuit", {"k_scale": "half"}, "a number or null"),
        ("connectome_lif", {"unknown_sign": 0.5}, "a whole number"),
    ],
)
def test_mistakes_are_explained(name: str, parameters: dict, said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        build(name, parameters)


@pytest.fixture
def apart() -> Iterator[None]:
    """Models that a test makes are gone after it."""
    before = dict(MODELS.parts), dict(MODELS.modules)
    yield
    MODELS.parts, MODELS.modules = before


def pair(rate_hz: float = 5.0, kind: Literal["a", "b"] = "a", names: Sequence[str] = ()) -> Network:
    """Build it.

    Parameters
    ----------
    rate_hz, other : float
        Rate of both,
        in Hz.
    kind : {"a", "b"}
        Which.
    names : sequence of str
        Their names.

    Raises
    ------
    SimulationError
        Never.
    """
    raise NotImplementedError


@pytest.mark.usefixtures("apart")
def test_a_record_is_made_of_signature_and_docstring() -> None:
    assert model(description="Two.", source="Here.")(pair) is pair
    entry = MODELS["pair"]
    assert entry.parameters == {"rate_hz": "Rate of both, in Hz.", "kind": "Which.", "names": "Their names."}
    assert not entry.needs_connectome
    assert [expected(entry, key, 1) for key in entry.parameters] == ["", "a or b", "a list of text"]


def reduced(size: float, scheme: str) -> dict[str, float]:
    """Rate of a size."""
    return {"rate_hz": 5.0 * size}


SAID: dict[str, Any] = {"description": "x", "source": "x"}
SIZES: dict[str, Any] = {"reduce": reduced, "schemes": {"half": "nothing"}}


@pytest.mark.usefixtures("apart")
def test_a_record_says_how_the_model_is_reduced() -> None:
    model(**SAID, **SIZES)(pair)
    entry = MODELS["pair"]
    assert entry.reduce is not None
    assert (entry.reduce(0.5, "half"), entry.schemes, entry.calibrate) == ({"rate_hz": 2.5}, {"half": "nothing"}, {})


@pytest.mark.parametrize("name", ["microcircuit", "brunel"])
def test_sizes_of_a_model_are_those_of_its_networks(name: str) -> None:
    entry = MODELS[name]
    assert entry.reduce is not None
    full = build(name, entry.reduce(1.0, "compensated"))
    for scheme in entry.schemes:
        assert build(name, entry.reduce(0.1, scheme)).size == pytest.approx(full.size / 10, rel=0.001)
    for size in (0.0, -1.0, 1e-4, float("nan")):
        with pytest.raises(SimulationError, match="has no size"):
            entry.reduce(size, "compensated")


def bare(weight, count: dict | None = None):
    """Build it."""


@pytest.mark.parametrize(
    ("builder", "given", "said"),
    [
        (pair, {"description": "Two."}, "the model 'pair' has no source"),
        (bare, {"description": "x", "source": "x"}, "no description of weight in its docstring"),
        (bare, {"description": "x", "source": "x"}, "no annotation of count that can be written in YAML"),
        (bare, {"description": "x", "source": "x"}, "no default of weight"),
        (pair, {"description": "x", "source": "x", "name": "brunel"}, "there is a model called 'brunel' already"),
        (pair, {"description": "x", "source": "x", "name": "My Model"}, "is no name of a model"),
        (pair, {**SAID, "reduce": reduced}, "no schemes for its reduce"),
        (pair, {**SAID, "schemes": {"half": "nothing"}}, "no reduce for its schemes"),
        (pair, {**SAID, **SIZES, "calibrate": {"third": ("rate_hz",)}}, "no scheme third, which is calibrated"),
        (pair, {**SAID, **SIZES, "calibrate": {"half": ("rate_hz",)}}, "no parameter rate_hz of default 1"),
        (pair, {**SAID, **SIZES, "calibrate": {"half": ("weight",)}}, "no parameter weight of default 1"),
    ],
)
@pytest.mark.usefixtures("apart")
def test_a_record_that_is_not_complete_is_refused(builder: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(PluginError, match=said):
        model(**given)(builder)
