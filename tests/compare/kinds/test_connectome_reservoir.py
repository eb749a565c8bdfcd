"""Oracles: a ring is a delay line that no rewiring keeps; random graphs are like their nulls; who counts as a neuron."""

import itertools
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import stores
from allometry.compare.kinds import connectome_reservoir as subject
from allometry.errors import ComparisonError

NAMES = [f"n{i:02d}" for i in range(40)]


def test_a_ring_remembers_more_than_random_wiring(make_connectome: Callable[..., xr.Dataset]) -> None:
    rng = np.random.default_rng(0)
    # weak edges at random give the ring nulls that are no rings, and every null a cycle
    ring = np.roll(np.eye(40), 1, axis=1) + 0.01 * (rng.random((40, 40)) < 0.1)
    np.fill_diagonal(ring, 0)
    random = (rng.random((40, 40)) < 0.2) * rng.lognormal(size=(40, 40))
    np.fill_diagonal(random, 0)
    stores = {
        "ring": make_connectome(NAMES, chemical=ring),
        "random": make_connectome(NAMES, chemical=random),
    }
    result = subject.connectome_reservoir(
        stores, structure=["ring", "random"], synapses=["chemical"], radius=0.9, noise=1e-4, nulls=6, seed=1
    )
    rows = pd.DataFrame(result.rows).set_index(["measure", "candidate", "group"]).score
    assert rows[("memory_capacity", "ring", "connectome")] > rows[("memory_capacity", "ring", "random")]
    assert rows[("memory_capacity", "random", "connectome")] <= 40
    low_high = pd.DataFrame(result.rows).set_index(["measure", "candidate", "group"])
    null = low_high.loc[("memory_capacity", "random", "random")]
    assert null.ci_low < null.score < null.ci_high
    values = result.curves["reservoir_nulls"]["memory_capacity"].values
    assert values.shape == (4, 6)
    p = low_high.loc[("memory_capacity", "random", "connectome")].p
    assert 2 / 7 <= p <= 1
    r2 = result.curves["memory_by_delay"]["r2"].values[0]
    assert np.nansum(r2) == pytest.approx(rows[("memory_capacity", "ring", "connectome")])


def test_only_neurons_inside_the_recurrent_part_count_and_signs_follow_the_source(
    make_connectome: Callable[..., xr.Dataset],
) -> None:
    chemical = np.zeros((40, 40))
    chemical[:12, :12] = 1 - np.eye(12)
    chemical[0, 12] = chemical[12, 13] = 5  # a chain that leads out: 13 has no output, and without it 12 has none
    electrical = np.zeros((40, 40))
    electrical[0, 1] = electrical[1, 0] = 3
    store = make_connectome(NAMES, chemical=chemical, electrical=electrical)
    store["sign"] = ("node", np.where(np.arange(40) == 0, -1.0, np.nan), {"units": "1"})
    store["type"] = ("node", np.array(["sensory" if i in (2, 3) else "inter" for i in range(40)], dtype=object))
    network = subject._network("x", store, ["chemical", "electrical"], readout=500, seed=1)
    assert network.total.shape == (12, 12)
    assert network.parts[0][0].sum() == -11
    assert network.parts[1][0, 1] == 3
    assert network.driven.tolist() == [2, 3]
    assert network.distance is None


def test_sensory_neurons_need_no_input_of_their_own(make_connectome: Callable[..., xr.Dataset]) -> None:
    chemical = np.zeros((40, 40))
    chemical[:12, :12] = 1 - np.eye(12)
    chemical[20, 0] = chemical[21, 0] = 2
    store = make_connectome(NAMES, chemical=chemical)
    store["type"] = ("node", np.array(["PN" if i == 20 else "KC" for i in range(40)], dtype=object))
    network = subject._network("x", store, ["chemical"], readout=500, seed=1)
    assert network.total.shape == (13, 13)  # 20 gets the input; 21 gets nothing
    assert network.driven.tolist() == [12]


def test_a_feed_forward_graph_is_refused(make_connectome: Callable[..., xr.Dataset]) -> None:
    chain = np.diag(np.ones(39), 1)
    with pytest.raises(ComparisonError, match="0 neurons have an output"):
        subject.connectome_reservoir(
            {"x": make_connectome(NAMES, chemical=chain)}, structure=["x"], synapses=["chemical"]
        )


def test_muscles_are_no_part_of_the_reservoir(make_connectome: Callable[..., xr.Dataset]) -> None:
    electrical = np.zeros((40, 40))
    electrical[:20, :20] = 1 - np.eye(20)
    store = make_connectome(NAMES, electrical=electrical)
    store["type"] = ("node", np.array(["muscle" if 12 <= i < 20 else "inter" for i in range(40)], dtype=object))
    network = subject._network("x", store, ["electrical"], readout=500, seed=1)
    assert network.total.shape == (12, 12)


def clustered(make_connectome: Callable[..., xr.Dataset], placed: bool) -> xr.Dataset:
    """A ring laid out as a ring, with weak edges to neighbours: rewiring without regard to distance breaks it."""
    rng = np.random.default_rng(3)
    angle = 2 * np.pi * np.arange(40) / 40
    place = np.column_stack([np.cos(angle), np.sin(angle)])
    gap = np.abs(np.subtract.outer(np.arange(40), np.arange(40)))
    near = np.minimum(gap, 40 - gap) <= 3
    chemical = near * (rng.random((40, 40)) < 0.6) * rng.lognormal(size=(40, 40))
    np.fill_diagonal(chemical, 0)
    store = make_connectome(NAMES, chemical=chemical)
    if placed:
        store["x"], store["y"] = (("node", place[:, k], {"units": "um"}) for k in (0, 1))
    return store


def test_the_spatial_null_is_there_where_positions_are(make_connectome: Callable[..., xr.Dataset]) -> None:
    stores = {"placed": clustered(make_connectome, True), "free": clustered(make_connectome, False)}
    result = subject.connectome_reservoir(
        stores, structure=["placed", "free"], synapses=["chemical"], nulls=5, bins=3, seed=1
    )
    rows = pd.DataFrame(result.rows)
    for measure in ("memory_capacity", "timing_score"):
        found = rows[rows.measure == measure].groupby("candidate").group.agg(list).to_dict()
        assert found["placed"] == ["connectome", "degree_preserving", "spatial", "random"]
        assert found["free"] == ["connectome", "degree_preserving", "random"]
    by_group = rows.set_index(["measure", "candidate", "group"])
    assert by_group.loc[("memory_capacity", "placed", "connectome")].score == pytest.approx(
        by_group.loc[("memory_capacity", "free", "connectome")].score
    )
    assert 2 / 6 <= by_group.loc[("memory_capacity", "placed", "spatial")].p <= 1
    assert "40 neurons at known distances" in result.derived["network_placed"]
    assert "no positions" in result.derived["network_free"]


def test_listed_distances_serve_and_unmeasured_areas_are_left_out(make_connectome: Callable[..., xr.Dataset]) -> None:
    chemical = 1.0 - np.eye(40)
    store = make_connectome(NAMES, chemical=chemical)
    apart = np.abs(np.subtract.outer(np.arange(40.0), np.arange(40.0)))
    source, target = store["source"].values, store["target"].values
    store["distance"] = ("edge", apart[source, target], {"units": "mm"})
    # inputs of the last ten nodes were never measured
    kept = store.isel(edge=target < 30)
    stores.set_attributes(kept, absent_means={"chemical": "unmeasured"})
    network = subject._network("x", kept, ["chemical"], readout=500, seed=1)
    assert network.total.shape == (30, 30)
    assert network.distance is not None
    np.testing.assert_allclose(network.distance[~np.eye(30, dtype=bool)], apart[:30, :30][~np.eye(30, dtype=bool)])


def test_readout_of_a_large_network_is_a_draw(make_connectome: Callable[..., xr.Dataset]) -> None:
    rng = np.random.default_rng(4)
    chemical = (rng.random((40, 40)) < 0.3) * rng.lognormal(size=(40, 40))
    np.fill_diagonal(chemical, 0)
    store = make_connectome(NAMES, chemical=chemical)
    network = subject._network("x", store, ["chemical"], readout=15, seed=1)
    assert network.seen.size == np.unique(network.seen).size == 15
    capacity = subject._memory(network.total, network, 0.9, 1e-3, 1)
    assert 0 < capacity.capacity <= 15


@pytest.mark.parametrize(("own", "expected"), [(12.0, "better"), (10.3, "undecided"), (5.0, "worse")])
def test_the_verdict_is_that_against_the_strongest_null(
    own: float, expected: str, make_connectome: Callable[..., xr.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is what the test says, 10 +- .5 for rewirings and 2 for random wiring."""
    rng = np.random.default_rng(3)
    weight = (rng.random((40, 40)) < 0.2) * rng.lognormal(size=(40, 40))
    np.fill_diagonal(weight, 0)
    calls = itertools.count()

    def memory(matrix: np.ndarray, *_: object) -> SimpleNamespace:
        if next(calls) == 0:
            return SimpleNamespace(capacity=own, r2=np.ones(3))
        rewired = np.count_nonzero(matrix, axis=0).tolist() == np.count_nonzero(weight, axis=0).tolist()
        return SimpleNamespace(capacity=10 + 0.5 * rng.normal() if rewired else 2.0, r2=np.ones(3))

    monkeypatch.setattr(subject, "_memory", memory)
    monkeypatch.setattr(subject, "_timing", lambda *_: 0.5)
    result = subject.connectome_reservoir(
        {"w": make_connectome(NAMES, chemical=weight)}, structure=["w"], synapses=["chemical"], nulls=60
    )
    rows = pd.DataFrame(result.rows).set_index(["measure", "group"])
    found = rows.loc[("memory_capacity", "connectome")]
    assert (found.verdict, found.baseline) == (expected, "degree_preserving")
    held = rows.loc[("memory_capacity", "degree_preserving")]
    assert found.difference == pytest.approx(own - held.score)
    # every network keeps the same time
    assert rows.loc[("timing_score", "connectome")].verdict == "no better"
