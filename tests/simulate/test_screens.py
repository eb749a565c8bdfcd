"""Activation and silencing screens: rates by neuron and trial, and what they refuse."""

from pathlib import Path

import numpy as np
import pytest

from allometry import simulate, stores
from allometry.errors import SimulationError
from allometry.models import connectome_lif, microcircuit
from allometry.models.graph import Graph
from allometry.network import Condition, Network
from allometry.simulate import screens

EXECUTION = simulate.Execution(threads=1, progress=False)


def _chain(driven: str = "") -> Network:
    """a -> b -> c, each strong enough to pass every spike on; d inhibits b and is driven by nobody."""
    labels = ("a", "b", "c", "d")
    graph = Graph(
        labels, np.array([0, 1, 3]), np.array([1, 2, 1]), np.array([400.0, 400, 4000]), np.array([1.0, 1, 1, -1])
    )
    return connectome_lif(graph, driven=driven)


def test_what_is_activated_is_passed_on(tmp_path: Path) -> None:
    net = _chain()
    conditions = screens.activated(net, {"first": ["a"], "second": ["b"], "both": ["a", "d"]}, drive_hz=40.0)
    found = screens.screen(net, conditions, 500.0, tmp_path / "out.zarr", trials=2, execution=EXECUTION)
    rate = found["response"].values
    assert rate.shape == (4, 6)
    assert found["unit"].values.tolist() == ["a", "b", "c", "d"]
    assert found["condition"].values.tolist() == ["first"] * 2 + ["second"] * 2 + ["both"] * 2
    assert found["repeat"].values.tolist() == [0, 1] * 3
    assert (rate[:3, :2] > 10).all()
    assert rate[3, :2].tolist() == [0, 0]
    assert (rate[0, 2:4] == 0).all()
    assert (rate[1:3, 2:4] > 10).all()
    assert (rate[1, 4:] < rate[1, :2]).all(), "the inhibitory neuron acts"
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".zarr"] == ["out.zarr"]
    assert stores.read_manifest(tmp_path / "out.zarr")["content"]["content_sha256"]


def test_a_trial_is_its_run_alone(tmp_path: Path) -> None:
    net = _chain("a")
    conditions = [Condition("intact"), *screens.silenced(net, {"no_b": ["b"]})]
    found = screens.screen(net, conditions, 300.0, tmp_path / "out.zarr", trials=2, seed=5, execution=EXECUTION)
    alone = simulate.run(net, 300.0, 5, tmp_path / "alone.zarr", condition=Condition("x", seed=6), execution=EXECUTION)
    expected = np.bincount(alone["spike_unit"].values, minlength=4) / 0.3
    np.testing.assert_allclose(found["response"].values[:, 1], expected, rtol=1e-6)
    silent = found["response"].values[:, 2:]
    assert (silent[0] == found["response"].values[0, :2]).all(), "the drive of a trial is that of the intact network"
    assert (silent[1:] == 0).all()


def test_what_is_refused(tmp_path: Path) -> None:
    net = _chain()
    with pytest.raises(SimulationError, match="unknown neurons z"):
        screens.activated(net, {"x": ["a", "z"]})
    with pytest.raises(SimulationError, match="no neuron"):
        screens.silenced(net, {"x": []})
    with pytest.raises(SimulationError, match="8 populations"):
        screens.screen(microcircuit(scale=0.01), [Condition("x")], 10.0, tmp_path / "o.zarr")
    with pytest.raises(SimulationError, match="at least 1"):
        screens.screen(net, [Condition("x")], 10.0, tmp_path / "o.zarr", trials=0)
    with pytest.raises(SimulationError, match="several conditions are named x"):
        screens.screen(net, [Condition("x"), Condition("x")], 10.0, tmp_path / "o.zarr")
    assert not list(tmp_path.iterdir())
