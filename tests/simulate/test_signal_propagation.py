"""Driving neurons in turn gives what separate runs of the engine give; published counts of the oracle networks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from distributed import Client

from allometry import models, simulate, stores
from allometry.errors import SimulationError
from allometry.network import (
    ConnectomeLif,
    ExplicitEdges,
    GapJunctions,
    Network,
    Population,
    Projection,
    SpikeListInput,
)
from allometry.simulate import Execution
from allometry.simulate.point import run_point
from allometry.simulate.signal_propagation import rewired

N = 40
ABOUT: dict = {
    "title": "t",
    "species": "worm",
    "citation": "c",
    "licence": "l",
    "source": {},
    "parameters": {},
    "derived": {},
}


def network(gap: bool, t_ref: float | np.ndarray = 2.2, inputs: tuple = ()) -> Network:
    rng = np.random.default_rng(4)
    source, target = rng.integers(0, N, 300), rng.integers(0, N, 300)
    weight = rng.integers(1, 20, 300) * rng.choice([1, 1, 1, -1], 300) * 0.275
    a, b = rng.integers(0, N, 50), rng.integers(0, N, 50)
    gaps = (GapJunctions("n", np.r_[a, b], np.r_[b, a], 0.05 * rng.integers(1, 4, 100)),) if gap else ()
    return Network(
        (Population("n", N, ConnectomeLif(t_ref=t_ref)),),
        (Projection("n", "n", ExplicitEdges(source, target, weight, 1.8)),),
        inputs,
        gaps,
    )


@pytest.mark.parametrize("gap", [False, True])
def test_peaks_are_those_of_single_runs(client: Client, tmp_path: Path, gap: bool) -> None:
    peak = simulate.propagation(network(gap), 60.0, threads=2)
    assert peak.shape == (N, N)
    np.testing.assert_array_equal(peak, simulate.propagation(network(gap), 60.0, threads=1))
    np.testing.assert_array_equal(peak[[7, 3]], simulate.propagation(network(gap), 60.0, driven=np.array([7, 3])))
    record = simulate.Record(probes=(simulate.Probe("n", np.arange(N), 0.1),))
    for driven in (3, 17):
        kicks = np.round(0.1 * np.arange(0, 600, 67), 6)
        t_ref = np.full(N, 2.2)
        t_ref[driven] = 0.0
        net = network(gap, t_ref, (SpikeListInput("n", np.full(len(kicks), driven), kicks, 68.75),))
        run = simulate.run(
            net,
            60.0,
            1,
            tmp_path / f"{driven}.zarr",
            precision="exact",
            record=record,
            execution=simulate.Execution(threads=2, cluster=client),
        )
        spiking = np.unique(run["spike_unit"].values)
        quiet = np.setdiff1d(np.arange(N), spiking)
        highest = np.maximum(run["voltage"].values.max(axis=0) + 52.0, 0.0)
        # A spiking neuron is seen at its reset potential at the end of the step, so that only quiet ones compare.
        np.testing.assert_allclose(peak[driven, quiet], highest[quiet], atol=1e-5)
        assert (peak[driven, spiking] > 7.0).all()
        assert (peak[driven, quiet] <= 7.0).all()
        assert 0 < len(spiking) < N


def test_gap_junctions_raise_neighbours() -> None:
    pair = (Population("n", 2, ConnectomeLif()),)
    joined = Network(pair, gap_junctions=(GapJunctions("n", [0, 1], [1, 0], 0.1),))
    assert simulate.propagation(Network(pair), 50.0)[0, 1] == 0.0
    assert simulate.propagation(joined, 50.0)[0, 1] > 0.01


def test_other_networks_are_refused(small: Network) -> None:
    edges = (Projection("n", "n", ExplicitEdges([0], [1], 1.0, 1.0)),)
    with pytest.raises(SimulationError, match="other than t_ref differ"):
        simulate.propagation(Network((Population("n", 2, ConnectomeLif(tau_m=[19.0, 20.0])),), edges))
    with pytest.raises(SimulationError, match="one population of ConnectomeLif"):
        simulate.propagation(small)


def graph(gaps: bool = True) -> Network:
    """Simple random graph with a neuron that is joined to itself; every edge has its own weight."""
    rng = np.random.default_rng(5)
    source, target = np.nonzero(rng.random((N, N)) < 0.2)
    sign = np.where(np.arange(N) % 4 == 0, -1.0, 1.0)
    weight = sign[source] * (1 + np.arange(len(source))) * 0.01
    a, b = np.nonzero(np.triu(rng.random((N, N)) < 0.1, 1))
    strength = 0.01 * (1 + np.arange(len(a)))
    joined = GapJunctions("n", np.r_[a, b, 3], np.r_[b, a, 3], np.r_[strength, strength, 0.5])
    return Network(
        (Population("n", N, ConnectomeLif()),),
        (Projection("n", "n", ExplicitEdges(source, target, weight, 1.8)),),
        gap_junctions=(joined,) if gaps else (),
    )


def test_rewired_networks_keep_degrees_signs_and_weights() -> None:
    net = graph()
    before = net.projections[0].rule
    nets = list(rewired(net, 3, seed=2))
    for null in nets:
        after = null.projections[0].rule
        assert not np.array_equal(after.target, before.target)
        np.testing.assert_array_equal(after.source, before.source)
        np.testing.assert_array_equal(after.weight, before.weight)
        np.testing.assert_array_equal(np.bincount(after.target), np.bincount(before.target))
        own = before.source == before.target
        np.testing.assert_array_equal(after.target[own], before.target[own])
        assert len(set(zip(after.source.tolist(), after.target.tolist()))) == len(before.source)

        old, new = net.gap_junctions[0], null.gap_junctions[0]
        np.testing.assert_array_equal(np.bincount(new.source), np.bincount(old.source[old.source != old.target]))
        found = dict(zip(zip(new.source.tolist(), new.target.tolist()), new.weight.tolist()))
        assert all(found[b, a] == weight for (a, b), weight in found.items())
        assert sorted(new.weight) == sorted(old.weight[old.source != old.target])
        assert set(found) != set(zip(old.source.tolist(), old.target.tolist()))
    assert not np.array_equal(nets[0].projections[0].rule.target, nets[1].projections[0].rule.target)
    again = next(rewired(net, 1, seed=2))
    np.testing.assert_array_equal(again.projections[0].rule.target, nets[0].projections[0].rule.target)
    other = next(rewired(net, 1, seed=3))
    assert not np.array_equal(other.projections[0].rule.target, nets[0].projections[0].rule.target)


def test_one_sided_gap_junctions_are_not_rewired() -> None:
    lopsided = Network((Population("n", 2, ConnectomeLif()),), gap_junctions=(GapJunctions("n", [0], [1], 0.1),))
    with pytest.raises(SimulationError, match="both directions"):
        next(rewired(lopsided, 1, seed=1))


def test_a_point_holds_the_responses_of_its_rewired_connectomes(tmp_path: Path) -> None:
    net = graph(gaps=False)
    edges = net.projections[0].rule
    names = [f"N{i:02d}" for i in range(N)]
    connectome = stores.connectome(
        pd.DataFrame({"sign": np.where(np.arange(N) % 4 == 0, -1, 1)}, index=names),
        pd.DataFrame(
            {
                "source": np.array(names)[edges.source],
                "target": np.array(names)[edges.target],
                "weight": np.abs(edges.weight) * 100,
                "synapse": "chemical",
            }
        ),
        attrs={**ABOUT, "absent_means": {"chemical": "zero"}},
    )
    stores.write(connectome, tmp_path / "worm.zarr")
    parameters = {"kind": "propagation", "connectome": "worm", "weight_mv": 0.05, "gap_junction": 0.0}
    parameters |= {"rate_hz": 150.0, "duration_ms": 30.0, "rewirings": 2, "rewiring_seed": 7}
    run_point(parameters, tmp_path / "out.zarr", tmp_path / "worm.zarr", Execution(cores=2))
    store = stores.open(tmp_path / "out.zarr")
    assert store["null"].dims == ("edge", "rewiring")
    assert store["null"].attrs["units"] == store["weight"].attrs["units"] == "mV"
    assert store.attrs["seed"] == 7
    source, target = store["source"].values, store["target"].values
    for k, null in enumerate(rewired(models.connectome_lif(connectome, 0.05), 2, seed=7)):
        peak = simulate.propagation(null, 30.0)
        np.testing.assert_array_equal(store["null"].values[:, k], peak[source, target].astype(np.float32))
    assert not np.array_equal(store["null"].values[:, 0], store["weight"].values)
    # a share of the neurons: the same pairs of the same rewired connectomes
    run_point({**parameters, "driven": 10}, tmp_path / "some.zarr", tmp_path / "worm.zarr", Execution(cores=2))
    some = stores.open(tmp_path / "some.zarr")
    chosen = np.unique(some["source"].values)
    assert chosen.size == 10
    kept = np.isin(source, chosen)
    np.testing.assert_array_equal(some["target"].values, target[kept])
    np.testing.assert_array_equal(some["weight"].values, store["weight"].values[kept])
    np.testing.assert_array_equal(some["null"].values, store["null"].values[kept])
    with pytest.raises(SimulationError, match=f"100 neurons are to be driven, of {N}"):
        run_point({**parameters, "driven": 100}, tmp_path / "no.zarr", tmp_path / "worm.zarr", Execution(cores=2))


def test_a_propagation_point_is_a_functional_connectome(tmp_path: Path) -> None:
    nodes = pd.DataFrame({"type": "interneuron"}, index=["AVAL", "AVAR", "DD01"])
    edges = pd.DataFrame(
        {"source": ["AVAL", "AVAR", "DD01"], "target": ["AVAR", "DD01", "AVAL"], "weight": [20.0, 30.0, 10.0]}
    ).assign(synapse="chemical")
    connectome = stores.connectome(nodes, edges, attrs={**ABOUT, "absent_means": {"chemical": "zero"}})
    stores.write(connectome, tmp_path / "worm.zarr")
    parameters = {"kind": "propagation", "connectome": "worm", "weight_mv": 1.1, "gap_junction": 0.0, "rate_hz": 150.0}
    parameters |= {"rewirings": 0, "rewiring_seed": 1}
    run_point({**parameters, "duration_ms": 50.0}, tmp_path / "out.zarr", tmp_path / "worm.zarr", Execution(cores=2))
    labels, matrix = stores.to_dense(stores.open(tmp_path / "out.zarr"), "functional")
    peak = simulate.propagation(models.connectome_lif(connectome, 1.1), 50.0)
    off = ~np.eye(3, dtype=bool)
    assert list(labels) == ["AVAL", "AVAR", "DD01"]
    np.testing.assert_allclose(np.asarray(matrix)[off], peak[off], rtol=1e-6)
