"""The store of drawn connections holds what the step loop holds, whatever the block."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from allometry import simulate, stores
from allometry.errors import SimulationError
from allometry.network import (
    ConnectomeLif,
    DistanceDependent,
    ExplicitEdges,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    GaussianKernel,
    Grid,
    IafPscExp,
    Lognormal,
    Network,
    Normal,
    PairwiseBernoulli,
    Population,
    Projection,
    Space,
    Uniform,
)
from allometry.simulate.build.plan.network import compile_network
from tests.simulate import engine

A = Population("A", 60, IafPscExp(), positions=Grid(10, 6))
B = Population("B", 31, IafPscExp(), labels=tuple(f"b{i}" for i in range(31)))
NET = Network(
    (A, B),
    (
        Projection("A", "A", FixedTotalNumber(700), Normal(80.0, 8.0), Normal(1.5, 0.7)),
        Projection("A", "A", DistanceDependent(GaussianKernel(0.2), 0.4), 30.0, 0.2),
        Projection("A", "B", FixedOutdegree(9), Uniform(1.0, 9.0), 1.0),
        Projection("B", "A", FixedIndegree(5, multapses=False), Lognormal(-300.0, 100.0), Uniform(0.5, 1.0)),
        Projection("B", "B", PairwiseBernoulli(0.2), -200.0, 0.8),
        Projection("B", "A", ExplicitEdges([0, 0, 3], [1, 1, 2], [500.0, -20.0, 7.0], [1.0, 3.0, 2.0])),
    ),
    space=Space(1.0, 0.6, unit="mm"),
)


def joined(precision: str) -> tuple[np.ndarray, ...]:
    """Source, target, summed weight, number and mean delay of the edges that three threads hold."""
    plan = compile_network(NET, 5, precision)
    table = np.concatenate([engine.edges(plan, part, 3) for part in range(3)])
    quanta = np.repeat([n.quantum.value for n in plan.neurons], [n.size for n in plan.neurons])
    pairs, inverse = np.unique(table[:, :2], axis=0, return_inverse=True)
    inverse = inverse.ravel()
    weight = np.bincount(inverse, table[:, 3] * quanta[table[:, 1]])
    number = np.bincount(inverse)
    return pairs[:, 0], pairs[:, 1], weight, number, np.bincount(inverse, table[:, 2] * 0.1) / number


@pytest.mark.parametrize(("precision", "block"), [("fast", 10**6), ("fast", 150), ("exact", 400)])
def test_edges_are_those_of_the_shards(tmp_path: Path, precision: str, block: int) -> None:
    found = simulate.connections(NET, 5, tmp_path / "edges.zarr", precision, block=block)
    source, target, weight, number, delay = joined(precision)
    assert len(source) < number.sum()
    np.testing.assert_array_equal(found["source"], source)
    np.testing.assert_array_equal(found["target"], target)
    np.testing.assert_array_equal(found["synapses"], number)
    np.testing.assert_array_equal(found["signed_weight"], weight.astype(np.float32))
    np.testing.assert_array_equal(found["weight"], abs(found["signed_weight"]))
    np.testing.assert_allclose(found["delay"], delay, rtol=1e-6)
    assert set(found["synapse"].values) == {"chemical"}
    assert (found["weight"].attrs["units"], found["delay"].attrs["units"]) == ("pA", "ms")
    stores.validate(found)
    assert not stores.verify(tmp_path / "edges.zarr")


def test_the_store_does_not_depend_on_the_block(tmp_path: Path) -> None:
    for name, block in (("a", 10**6), ("b", 97)):
        simulate.connections(NET, 5, tmp_path / f"{name}.zarr", block=block)
    manifests = [stores.read_manifest(tmp_path / f"{name}.zarr") for name in "ab"]
    assert manifests[0]["content"] == manifests[1]["content"]
    simulate.connections(NET, 6, tmp_path / "c.zarr")
    assert stores.read_manifest(tmp_path / "c.zarr")["content"] != manifests[0]["content"]
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".json"] * 3 + [".zarr"] * 3


def test_nodes_have_labels_signs_and_positions(tmp_path: Path) -> None:
    found = simulate.connections(NET, 5, tmp_path / "edges.zarr")
    assert found["node"].values[[0, 60]].tolist() == ["A_0", "b0"]
    assert (found["population"].values == ["A"] * 60 + ["B"] * 31).all()
    sign = found["sign"].values
    assert (sign[:60] == 1).all()
    assert (sign[60:] == np.where(np.isin(np.arange(31), [0, 3]), 0, -1)).all()
    np.testing.assert_allclose(found["x"][:11], 0.1 * np.r_[0.5:10, 0.5])
    assert np.isnan(found["x"][60:]).all()
    assert found["x"].attrs["units"] == "mm"
    assert stores.to_dense(found)[1].shape == (91, 91)


def test_without_a_store_the_same_edges_are_in_memory(tmp_path: Path) -> None:
    found = simulate.connections(NET, 5)
    written = simulate.connections(NET, 5, tmp_path / "edges.zarr").load()
    xr.testing.assert_identical(found, written)
    stores.validate(found)


def test_a_network_without_connections(tmp_path: Path) -> None:
    found = simulate.connections(Network((B,)), 1, tmp_path / "none.zarr")
    assert found.sizes["edge"] == 0


def test_what_cannot_be_written(tmp_path: Path) -> None:
    mixed = Network(
        (B, Population("C", 3, ConnectomeLif())),
        (Projection("B", "B", FixedIndegree(1), 1.0, 1.0), Projection("B", "C", FixedIndegree(1), 1.0, 1.0)),
    )
    with pytest.raises(SimulationError, match="weights in mV and in pA"):
        simulate.connections(mixed, 1, tmp_path / "edges.zarr")
    with pytest.raises(SimulationError, match="seed is -1"):
        simulate.connections(NET, -1, tmp_path / "edges.zarr")
    with pytest.raises(SimulationError, match="precision is 'double'"):
        simulate.connections(NET, 1, tmp_path / "edges.zarr", precision="double")
    assert not list(tmp_path.iterdir())
