"""Accessors against loops that are too simple to be wrong."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings

from allometry import models, stores
from allometry.compare.inputs.atlas import Atlas, weights
from allometry.errors import AllometryError, StoreError
from allometry.simulate.point import run_point

from .. import samples


def test_split_gives_each_recording_its_own_samples():
    tree = samples.activity()
    root = tree.to_dataset(inherit=False)
    cut = stores.split(tree)
    assert list(cut) == ["worm_1", "worm_2"]
    for i, ds in enumerate(cut.values()):
        chosen = root["recording_index"].values == i
        np.testing.assert_array_equal(ds["trace"].values, root["trace"].values[chosen])
        assert ds["time"].values[0] == 0
        assert ds["recorded"].dims == ("neuron",)
        assert ds["sex"].item() == "hermaphrodite"


@settings(max_examples=40, deadline=None)
@given(samples.connectomes())
def test_matrices_and_graph_agree_with_the_edge_list(ds):
    labels = ds["node"].values.tolist()
    graph = stores.to_networkx(ds)
    assert isinstance(graph, nx.MultiDiGraph)
    assert list(graph) == labels
    assert graph.number_of_edges() == ds.sizes["edge"]
    for kind in stores.attribute(ds, "absent_means"):
        absent = 0.0 if stores.attribute(ds, "absent_means")[kind] == "zero" else np.nan
        expected = np.full((len(labels), len(labels)), absent, np.float32)
        for source, target, weight, synapse in zip(*(ds[n].values for n in ("source", "target", "weight", "synapse"))):
            if synapse == kind:
                expected[source, target] = weight
                assert graph.edges[labels[source], labels[target], kind]["weight"] == weight
        names, dense = stores.to_dense(ds, kind)
        assert names.tolist() == labels
        np.testing.assert_array_equal(dense, expected)
        sparse = stores.to_csr(ds, kind)[1]
        np.testing.assert_array_equal(sparse.toarray(), np.nan_to_num(expected))
        assert sparse.nnz == (ds["synapse"].values == kind).sum()
        if kind in ("electrical",):
            np.testing.assert_array_equal(dense, dense.T)


def test_to_dense_is_source_by_target_and_adds_anatomical_kinds():
    ds = samples.connectome().isel(edge=slice(0, 6))
    stores.set_attributes(ds, absent_means={"chemical": "zero", "electrical": "zero"})
    _, matrix = stores.to_dense(ds)
    assert matrix[0, 1] == 1 + 3  # chemical 1, electrical mean of 4 and 2
    assert matrix[1, 0] == 3
    assert matrix[2, 0] == 2.5
    assert matrix[0, 2] == 0


def test_a_graph_keeps_units_and_what_an_absent_edge_means():
    ds = samples.connectome()
    graph = stores.to_networkx(ds)
    assert graph.graph["title"] == ds.attrs["title"]
    assert graph.graph["units"] == {str(n): ds[n].attrs["units"] for n in ds.variables if ds[n].attrs.get("units")}
    assert graph.graph["units"]["x"] == "m"
    assert graph.graph["absent_means"] == stores.attribute(ds, "absent_means")
    only = stores.to_networkx(ds, "chemical")
    assert {kind for _, _, kind in only.edges(keys=True)} == set(only.graph["absent_means"]) == {"chemical"}
    with pytest.raises(StoreError, match="no mesoscale edges"):
        stores.to_networkx(ds, "mesoscale")


def test_to_dense_refuses_what_makes_no_sense():
    ds = samples.connectome()
    with pytest.raises(StoreError, match="cannot be added"):
        stores.to_dense(ds)
    with pytest.raises(StoreError, match="no mesoscale edges"):
        stores.to_dense(ds, "mesoscale")
    with pytest.raises(StoreError, match="no edge variable 'type'"):
        stores.to_dense(ds, "chemical", "type")
    with pytest.raises(StoreError, match="this is a store of kind Spikes"):
        stores.to_dense(samples.spikes())
    nodes = pd.DataFrame(index=[str(i) for i in range(200_000)])
    edges = pd.DataFrame({"source": ["0"], "target": ["1"], "weight": [1], "synapse": ["chemical"]})
    with pytest.raises(StoreError, match="149 GiB"):
        stores.to_dense(stores.connectome(nodes, edges, attrs=samples.ATTRS))


def test_q_of_functional_edges_is_nan_where_unmeasured():
    _, q = stores.to_dense(samples.connectome(), "functional", "q")
    assert np.isfinite(q).sum() == 1
    assert q[1, 1] == 1.0


def test_trains_serve_both_orders():
    simulated, recorded = samples.spikes(), samples.recorded_spikes()
    assert [train.tolist() for train in stores.trains(simulated)] == [[0.0001, 0.0009], [0.0005], [0.0001]]
    assert [train.tolist() for train in stores.trains(recorded)] == [[0.1, 2.5], [], [0.2]]
    assert [train.tolist() for train in stores.trains(recorded, ["c", "a"])] == [[0.2], [0.1, 2.5]]
    assert [train.tolist() for train in stores.trains(simulated, [2])] == [[0.0001]]
    mask = recorded["population"].values == "V1"
    assert [train.tolist() for train in stores.trains(recorded, mask, (0, 2.5))] == [[0.1], []]
    with pytest.raises(StoreError, match="unit 'z' is not in the store"):
        stores.trains(recorded, ["z"])
    with pytest.raises(StoreError, match="mask has shape"):
        stores.trains(recorded, np.array([True]))


@pytest.mark.parametrize("dt_ms", [0.1, 0.05, 1.0, 0.025])
def test_windows_of_simulated_trains_are_half_open_whatever_the_rounding(dt_ms):
    steps = np.arange(2000)
    units = pd.DataFrame({"population": ["E"]})
    ds = stores.spikes_simulated(
        steps, np.zeros(2000, int), dt_ms=dt_ms, units=units, duration_ms=2000 * dt_ms, attrs=samples.ATTRS
    )
    for first, last in [(0, 3), (7, 11), (100, 1999), (3, 700)]:
        (train,) = stores.trains(ds, window=(first * dt_ms / 1000, last * dt_ms / 1000))
        assert len(train) == last - first
        np.testing.assert_allclose(train, steps[first:last] * dt_ms / 1000, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(samples.spike_sets())
def test_trains_hold_every_spike_once(ds):
    trains = stores.trains(ds)
    assert sum(map(len, trains)) == ds.sizes["spike"]
    if ds.attrs["order"] == "time":
        pairs = zip(ds["spike_step"].values.tolist(), ds["spike_unit"].values.tolist())
        expected = [[] for _ in trains]
        for step, unit in pairs:
            expected[unit].append(step / 10_000)
        assert [train.tolist() for train in trains] == expected


def test_trials_pad_unbalanced_conditions_with_nan():
    ds = samples.responses()
    trials = stores.to_trials(ds)
    assert trials.dims == ("condition", "trial", "unit", "lag")
    assert trials["condition"].values.tolist() == ["0", "90"]
    assert trials.sizes["trial"] == 3
    for presentation in range(5):
        cell = trials.sel(condition=ds["condition"].values[presentation]).isel(trial=ds["repeat"].values[presentation])
        np.testing.assert_array_equal(cell.values, ds["response"].values[:, presentation])
    assert np.isnan(trials.sel(condition="90").isel(trial=2).values).all()


def test_a_stack_where_a_connectome_is_expected_is_one_sentence(tmp_path):
    """Issue 11.16."""
    path = stores.write(samples.stack(), tmp_path / "stack.zarr")
    point = {"kind": "network", "model": "connectome_lif", "parameters": {}}
    for call in (
        lambda: stores.to_dense(stores.open(path)),
        lambda: models.connectome_lif(stores.open(path)),
        lambda: run_point(point, tmp_path / "out.zarr", path),
        lambda: weights(stores.open(path), "chemical"),
    ):
        with pytest.raises(AllometryError, match="this is a store of kind Stack") as raised:
            call()
        assert raised.value.expected == "a Connectome store"
    with pytest.raises(AllometryError, match="this is no store of Allometry"):
        stores.to_dense(xr.Dataset())
    with pytest.raises(AllometryError, match="no measured functional edges"):
        Atlas.open("stack", stores.open(path))
