"""Graphs and circuits: GraphML and SONATA, read by networkx, igraph, libsonata and our readers."""

import json

import h5py
import igraph
import libsonata
import networkx as nx
import numpy as np
import pytest

from allometry import stores
from allometry.errors import ExportError
from tests.export.exports import exported, read, same_edges
from tests.stores import samples


def test_graphml_is_read_by_networkx_igraph_and_our_reader(made):
    found, out, obj = made("anatomical", "graphml")
    assert found.holds == {"nodes": 3, "edges": 6}
    graph = nx.read_graphml(out, force_multigraph=True)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (3, 6)
    expected = stores.to_networkx(obj)
    assert set(graph.nodes) == set(expected.nodes)
    assert sorted((s, t, d["synapse"], d["weight"]) for s, t, d in graph.edges(data=True)) == sorted(
        (s, t, kind, d["weight"]) for s, t, kind, d in expected.edges(keys=True, data=True)
    )
    assert graph.nodes["é"]["type"] == "muscle"
    assert "x" not in graph.nodes["b"], "NaN is an attribute that is not there"
    assert json.loads(graph.graph["units"])["x"] == "m"
    other = igraph.Graph.Read_GraphML(str(out))
    assert (other.vcount(), other.ecount()) == (3, 6)
    assert sorted(other.es["weight"]) == sorted(obj["weight"].values.tolist())
    back = read("generic_edges", "connectome", [out], synapse_column="synapse", nodes_columns={"type": "type"})
    same_edges(obj, back, {label: label for label in back["node"].values.tolist()})


def test_what_graphml_cannot_hold_is_said(tmp_path):
    obj = samples.connectome()
    obj["null"] = (("edge", "rewiring"), np.zeros((7, 2), np.float32), {"units": "mV"})
    found, _ = exported(tmp_path, obj, "graphml")
    assert found.left_out == ("null (7 edge x 2 rewiring)",)
    obj = samples.connectome()
    obj["type"] = ("node", np.array(["a\x01b", "", ""], np.dtypes.StringDType()))
    with pytest.raises(ExportError, match=r"a character that XML cannot hold[\s\S]*csv"):
        exported(tmp_path / "other", obj, "graphml")
    assert list((tmp_path / "other" / "out").iterdir()) == []


def test_sonata_circuit_is_read_by_libsonata_and_our_reader(made):
    found, out, obj = made("anatomical", "sonata")
    assert found.holds == {"nodes": 3, "edges": 6, "kinds of edges": 2}
    nodes = libsonata.NodeStorage(str(out)).open_population("store")
    assert nodes.size == 3
    everyone = libsonata.Selection([(0, 3)])
    assert nodes.get_attribute("label", everyone).tolist() == ["AVAL", "b", "é"]
    np.testing.assert_array_equal(nodes.get_attribute("x", everyone), [1.0, np.nan, 3.0])
    edges = libsonata.EdgeStorage(str(out))
    assert edges.population_names == {"chemical", "electrical"}
    electrical = edges.open_population("electrical")
    synapse, source, target = (obj[name].values for name in ("synapse", "source", "target"))
    for node in range(3):
        mine = electrical.efferent_edges([node])
        assert sorted(electrical.target_nodes(mine)) == sorted(target[(synapse == "electrical") & (source == node)])
        mine = electrical.afferent_edges([node])
        assert sorted(electrical.source_nodes(mine)) == sorted(source[(synapse == "electrical") & (target == node)])
    weights = electrical.get_attribute("weight", electrical.select_all())
    assert weights.tolist() == obj["weight"].values[synapse == "electrical"].tolist()
    config = libsonata.CircuitConfig.from_file(str(out.with_name("store.circuit_config.json")))
    assert config.node_populations == {"store"}
    with h5py.File(out) as file:
        assert file["nodes/store/0/x"].attrs["units"] == "m"
    back = read(
        "generic_edges",
        "connectome",
        [out],
        nodes_file=out.name,
        nodes_label="id",
        nodes_columns={"name": "label"},
        synapse_column="synapse",
    )
    same_edges(obj, back, dict(zip(back["node"].values.tolist(), back["name"].values.tolist())))


def test_sonata_spikes_are_read_by_libsonata_and_our_reader(made):
    found, out, obj = made("spikes", "sonata")
    assert found.holds == {"spikes": 4, "units": 3, "populations": 2}
    assert [line.partition(" ")[0] for line in found.left_out] == ["count", "voltage"]
    reader = libsonata.SpikeReader(str(out))
    assert set(reader.get_population_names()) == {"E", "I"}
    assert reader["E"].get() == [(0, 0.1), (1, 0.5), (0, 0.9)]
    assert reader["I"].get() == [(0, 0.1)]
    back = read("sonata_spikes", "spikes", [out], duration_s=0.001)
    theirs = dict(zip(back["unit"].values.tolist(), stores.trains(back)))
    for label, train in zip(["E:0", "E:1", "I:0"], stores.trains(obj)):
        np.testing.assert_allclose(theirs[label], train, rtol=0, atol=1e-12)


def test_gaps_between_observed_times_are_said_to_be_left_out_of_sonata(made):
    found, *_ = made("recorded_spikes", "sonata")
    assert found.left_out == (
        "observed (2 interval x 2 bound): SONATA takes spikes to be observed from 0 on without a gap",
    )
