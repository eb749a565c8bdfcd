"""Edges of SONATA and GraphML: populations, types, nodes and defaults; all numbers are made up."""

from pathlib import Path

import h5py
import networkx as nx
import numpy as np
import pytest

from allometry.errors import ReaderError
from tests.homogenize.connectomes.edges import NODES, edges, read, rows, summed, write_sonata


def test_two_populations_of_sonata_have_nodes_of_their_own(tmp_path: Path) -> None:
    table = rows()
    write_sonata(tmp_path / "edges.h5", table, ("lgn", "cortex"))
    with h5py.File(tmp_path / "nodes.h5", "w") as file:
        for offset, name in enumerate(("lgn", "cortex")):
            group = file.create_group(f"nodes/{name}")
            group["node_type_id"] = np.where(np.arange(NODES) % 2, 7, 8) + 10 * offset
            group["node_group_id"] = np.arange(NODES) % 2
            group["node_group_index"] = np.arange(NODES) // 2
            group["0/x"] = np.arange(NODES)[::2] * 1.5
            group["1/x"] = np.arange(NODES)[1::2] * -1.5
    (tmp_path / "types.csv").write_text("node_type_id pop_name ei\n7 PV i\n8 Pyr e\n17 SST i\n18 NULL e\n")
    dataset = read(
        tmp_path / "edges.h5",
        tmp_path / "nodes.h5",
        tmp_path / "types.csv",
        file="edges.h5",
        nodes_file="nodes.h5",
        node_types_file="types.csv",
        nodes_columns={"type": "pop_name", "x": "x"},
        units={"x": "um"},
        weight=None,
    )
    found = edges(dataset)
    counts = table.groupby(["pre", "post"]).size()
    assert found == {(f"lgn:{pre}", f"cortex:{post}"): n for (pre, post), n in counts.items()}
    by_name = dict(zip(dataset["node"].values.tolist(), dataset["type"].values.tolist()))
    assert (by_name["lgn:0"], by_name["lgn:1"], by_name["cortex:0"], by_name["cortex:1"]) == ("Pyr", "PV", "", "SST")
    place = dict(zip(dataset["node"].values.tolist(), dataset["x"].values.tolist()))
    assert (place["lgn:4"], place["cortex:5"]) == (6.0, -7.5)


def test_weights_of_sonata_from_the_table_of_types(tmp_path: Path) -> None:
    table = rows()
    write_sonata(tmp_path / "edges.h5", table)
    (tmp_path / "types.csv").write_text("edge_type_id efficacy\n100 2.0\n101 0.5\n")
    options = {"file": "edges.h5", "edge_types_file": "types.csv", "weight": "efficacy"}
    dataset = read(tmp_path / "edges.h5", tmp_path / "types.csv", **options)
    expected = summed(table.assign(n=np.where(np.arange(len(table)) % 3, 2.0, 0.5)))
    assert edges(dataset) == expected
    with pytest.raises(ReaderError, match="an edge has no 'delay'"):
        read(tmp_path / "edges.h5", weight="delay")


def test_a_graph_with_nodes_and_defaults(tmp_path: Path) -> None:
    graph = nx.Graph()
    graph.add_node("a", kind="PV", px=1.0)
    graph.add_node("b", kind="SST", px=2.0)
    graph.add_node("alone", kind="VIP", px=3.0)
    graph.add_edge("a", "b", weight=2.5)
    graph.add_edge("a", "a", weight=1.0)
    nx.write_graphml(graph, tmp_path / "g.graphml")
    dataset = read(tmp_path / "g.graphml", nodes_columns={"type": "kind", "x": "px"}, units={"x": "um"})
    assert edges(dataset) == {("a", "b"): 2.5, ("b", "a"): 2.5, ("a", "a"): 1.0}  # an undirected graph: both ways
    assert dict(zip(dataset["node"].values, dataset["type"].values)) == {"a": "PV", "b": "SST", "alone": "VIP"}
    assert dataset["x"].attrs["units"] == "um"
    text = (tmp_path / "g.graphml").read_text()
    (tmp_path / "g.graphml").write_text(text.replace("<graphml", '<!DOCTYPE x [<!ENTITY a "aa">]><graphml', 1))
    with pytest.raises(ReaderError, match="document type"):
        read(tmp_path / "g.graphml")
    (tmp_path / "g.graphml").write_text(text[: len(text) // 2])
    with pytest.raises(ReaderError, match="not a readable GraphML"):
        read(tmp_path / "g.graphml")
