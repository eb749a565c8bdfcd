"""The registry of models says exactly what the builders accept."""

import inspect

import pytest

from allometry.errors import SimulationError
from allometry.models.registry import MODELS, build


@pytest.mark.parametrize("name", sorted(MODELS))
def test_parameters_are_those_of_the_builder(name: str) -> None:
    model = MODELS[name]
    accepted = [p for p in inspect.signature(model.build).parameters if p != "connectome"]
    assert list(model.parameters) == accepted
    assert model.needs_connectome == ("connectome" in inspect.signature(model.build).parameters)


def test_build_by_name() -> None:
    assert build("microcircuit", {"scale": 0.1}).size == 7717


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("microcircit", {}, "microcircuit"),
        ("brunel", {"etta": 1}, "eta"),
        ("connectome_lif", {}, "connectome"),
        ("brunel", {"g": "abc"}, "a number"),
        ("microcircuit", {"thalamus": 1}, "true or false"),
        ("microcircuit", {"k_scale": "half"}, "a number or null"),
    ],
)
def test_mistakes_are_explained(name: str, parameters: dict, said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        build(name, parameters)
