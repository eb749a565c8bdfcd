"""At the prompt: parts of the package by attribute, complete names for tab completion, and representations of one line."""

import subprocess
import sys

import numpy as np
import pytest

import allometry
from allometry import models, network, simulate, stores
from allometry.compare.result import Result
from allometry.homogenize.readers import READERS
from allometry.models import Graph
from allometry.simulate.build.plan.network import compile_network


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_parts_are_there_after_importing_the_package_alone() -> None:
    code = "import allometry; print(callable(allometry.stores.open), callable(allometry.compare.rdm), allometry.simulate.run)"
    assert run(code).startswith("True True <function run")


def test_importing_the_package_imports_no_part() -> None:
    heavy = run(
        "import sys, allometry; print([m for m in ('numpy', 'xarray', 'numba', 'dask', 'pandas') if m in sys.modules])"
    )
    assert heavy == "[]"


def test_names_are_complete() -> None:
    assert set(allometry.__all__) <= set(dir(allometry))
    assert "__version__" in dir(allometry)
    for name in allometry.__all__:
        part = getattr(allometry, name)
        assert set(getattr(part, "__all__", ())) <= set(dir(part)), name
        for public in getattr(part, "__all__", ()):
            assert getattr(part, public) is not None, f"{name}.{public}"


def test_an_unknown_part_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'storse'"):
        _ = allometry.storse  # type: ignore[attr-defined]


def test_representations_are_one_short_line() -> None:
    net = models.build("microcircuit", {"scale": 0.01})
    edges = network.ExplicitEdges(np.arange(9), np.arange(9), np.ones(9), np.ones(9))
    graph = Graph(("a", "b"), np.array([0]), np.array([1]), np.ones(1), np.ones(2))
    shown = {
        "Network": repr(net),
        "ExplicitEdges": repr(edges),
        "Graph": repr(graph),
        "Result": repr(Result("Rates", [{"score": 1.0}] * 500, {}, {"p": "text"})),
    }
    for name, text in shown.items():
        assert text.startswith(f"{name}("), name
        assert len(text) < 200, name
        assert "\n" not in text, name
    assert f"{net.size} neurons in 8 populations" in shown["Network"]
    assert "9 edges" in shown["ExplicitEdges"]
    assert "2 nodes, 1 chemical edges" in shown["Graph"]
    assert "500 rows" in shown["Result"]


def test_what_describes_a_network_lists_no_arrays() -> None:
    many = np.arange(1000.0)
    labels = tuple(map(str, range(1000)))
    parts = [
        network.Population("a", 1000, network.IafPscExp(I_e=many), labels=labels),
        network.SpikeListInput("a", np.arange(1000), many, 1.0),
        network.DCInput("a", network.Piecewise(many, many)),
        network.Projection("a", "a", network.OneToOne(), network.Values(many)),
        network.Condition("x", silenced={"a": list(range(1000))}),
        READERS["generic"],
    ]
    for part in parts:
        assert len(repr(part)) < 300, repr(part)
    assert "I_e=<array 1000>" in repr(parts[0])
    assert "labels=<1000 items>" in repr(parts[0])
    assert repr(network.Values([1.5, 2.0])) == "Values(values=array([1.5, 2. ]))"
    assert repr(network.Normal(1.5, 2.0)) == "Normal(mean=1.5, sd=2.0)"


def test_the_representation_of_a_plan_names_its_network() -> None:
    plan = compile_network(models.build("brunel", {"scale": 0.01}), 3, "fast")
    assert len(repr(plan)) < 300
    assert "seed 3" in repr(plan)
    assert "Network(" in repr(plan)


def test_rooms_of_simulate_and_stores_are_what_they_say() -> None:
    assert "run" in dir(simulate)
    assert "open" in dir(stores)
