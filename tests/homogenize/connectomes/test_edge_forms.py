"""One network in every form that edges and matrices come in; oracle: the rows that were written, summed in plain Python.

Files are written by the formats' own libraries (pandas, pyarrow, networkx, scipy, h5py); all numbers are made up.
"""

import gzip
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes import edge_arrays, edge_arrow, graphml, sonata
from allometry.homogenize.connectomes.edge_columns import Columns
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS

NODES = 9
Edges = dict[tuple[str, str], float]


def rows(seed: int = 3) -> pd.DataFrame:
    """Edges between nodes 0 to 8, some pairs listed more than once, every node in at least one."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"pre": rng.integers(0, NODES, 60), "post": rng.integers(0, NODES, 60)})
    ring = pd.DataFrame({"pre": range(NODES), "post": [*range(1, NODES), 0]})
    table = pd.concat([table, ring], ignore_index=True)
    return table.assign(n=rng.integers(1, 9, len(table)))


def summed(table: pd.DataFrame) -> Edges:
    out: Edges = defaultdict(float)
    for pre, post, n in table.itertuples(index=False):
        out[str(pre), str(post)] += n
    return dict(out)


def matrix(table: pd.DataFrame) -> np.ndarray:
    dense = np.zeros((NODES, NODES))
    for (pre, post), n in summed(table).items():
        dense[int(pre), int(post)] = n
    return dense


def read(*paths: Path, **options: Any) -> xr.Dataset:
    files = {path.name: path for path in paths}
    dataset = READERS["generic_edges"](files, Source("mine", own=True), options)
    assert isinstance(dataset, xr.Dataset)
    return dataset


def edges(dataset: xr.Dataset) -> Edges:
    nodes = dataset["node"].values
    ends = zip(nodes[dataset["source"].values], nodes[dataset["target"].values], dataset["weight"].values)
    return {(str(source), str(target)): float(weight) for source, target, weight in ends}


def write_sonata(path: Path, table: pd.DataFrame, populations: tuple[str, str] = ("cortex", "cortex")) -> None:
    """Edges as the SONATA guide lays them out; the rows alternate between two attribute groups."""
    with h5py.File(path, "w") as file:
        group = file.create_group("edges/pop")
        for end, column, population in zip(("source", "target"), ("pre", "post"), populations):
            group[f"{end}_node_id"] = table[column].to_numpy(np.uint64)
            group[f"{end}_node_id"].attrs["node_population"] = population
        count = len(table)
        group["edge_type_id"] = np.where(np.arange(count) % 3, 100, 101)
        group["edge_group_id"] = np.arange(count) % 2
        group["edge_group_index"] = np.arange(count) // 2
        for number in (0, 1):
            group[f"{number}/syn_weight"] = table["n"].to_numpy(float)[number::2]


def write_graphml(path: Path, table: pd.DataFrame) -> None:
    graph = nx.DiGraph()
    for (pre, post), n in summed(table).items():
        graph.add_edge(pre, post, n=n)
    nx.write_graphml(graph, path)


FORMS: dict[str, tuple[str, Callable[[Path, pd.DataFrame], object], dict[str, Any]]] = {
    "csv": ("e.csv", lambda p, t: t.to_csv(p, index=False), {}),
    "tsv.gz": ("e.tsv.gz", lambda p, t: t.to_csv(p, index=False, sep="\t"), {"delimiter": "\t"}),
    "blanks": ("e.edgelist", lambda p, t: t.to_csv(p, index=False, header=False, sep=" "), {"delimiter": " ", "header": False, "source": 1, "target": 2, "weight": 3}),
    "blanks with names": ("e.txt", lambda p, t: p.write_text(t.to_string(index=False) + "\n"), {"delimiter": " "}),
    "parquet": ("e.parquet", lambda p, t: t.to_parquet(p, row_group_size=7), {}),
    "parquet, text ids": ("e.parquet", lambda p, t: t.astype({"pre": str, "post": "category"}).to_parquet(p), {}),
    "feather": ("e.feather", lambda p, t: t.to_feather(p, chunksize=11), {}),
    "npz": ("e.npz", lambda p, t: np.savez_compressed(p, **{c: t[c].to_numpy() for c in t}), {}),
    "npz, text ids": ("e.npz", lambda p, t: np.savez(p, pre=t["pre"].to_numpy(str), post=t["post"].to_numpy(str), n=t["n"]), {}),
    "graphml": ("e.graphml", write_graphml, {"source": "source", "target": "target"}),
    "sonata": ("e.h5", write_sonata, {"weight": "syn_weight"}),
}  # fmt: skip


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("chunk", [4, 10**6])
def test_edges_of_every_form(form: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allometry.homogenize.readers.generic_edges.CHUNK_ROWS", chunk)
    name, write, options = FORMS[form]
    table = rows()
    write(tmp_path / name, table)
    dataset = read(tmp_path / name, **{"source": "pre", "target": "post", "weight": "n", **options})
    assert edges(dataset) == summed(table)
    assert dataset["node"].values.tolist() == [str(node) for node in range(NODES)]


def labelled_csv(path: Path, table: pd.DataFrame) -> None:
    names = [str(node) for node in range(NODES)]
    pd.DataFrame(matrix(table), index=names, columns=names).to_csv(path)


def labelled_frame(path: Path, table: pd.DataFrame) -> None:
    names = [str(node) for node in range(NODES)]
    frame = pd.DataFrame(matrix(table), columns=names)
    frame.insert(0, "neuron", names)
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_feather(path)


def mat_cells(path: Path, table: pd.DataFrame) -> None:
    names = np.empty((NODES, 1), object)
    names[:, 0] = [str(node) for node in range(NODES)]
    scipy.io.savemat(path, {"A": scipy.sparse.csc_matrix(matrix(table)), "names": names, "scalar": 3.0})


def hdf5(path: Path, table: pd.DataFrame) -> None:
    with h5py.File(path, "w") as file:
        file["net/A"] = matrix(table)
        file["net/names"] = [str(node) for node in range(NODES)]
        file["other"] = np.zeros((3, 7))


def sparse(path: Path, table: pd.DataFrame, form: str) -> None:
    scipy.sparse.save_npz(path, scipy.sparse.coo_array(matrix(table)).asformat(form))


MATRICES: dict[str, tuple[str, Callable[[Path, pd.DataFrame], object], dict[str, Any]]] = {
    "csv": ("m.csv", labelled_csv, {}),
    "csv without names": ("m.csv", lambda p, t: np.savetxt(p, matrix(t), delimiter=","), {"header": False}),
    "blanks": ("m.txt", lambda p, t: np.savetxt(p, matrix(t), fmt="%d"), {"header": False, "delimiter": " "}),
    "parquet": ("m.parquet", labelled_frame, {}),
    "feather": ("m.feather", labelled_frame, {}),
    "npz": ("m.npz", lambda p, t: np.savez(p, A=matrix(t), names=np.arange(NODES).astype(str)), {"labels": "names"}),
    "npz csr": ("m.npz", lambda p, t: sparse(p, t, "csr"), {}),
    "npz csc": ("m.npz", lambda p, t: sparse(p, t, "csc"), {}),
    "npz coo": ("m.npz", lambda p, t: sparse(p, t, "coo"), {}),
    "mat": ("m.mat", mat_cells, {"labels": "names"}),
    "h5": ("m.h5", hdf5, {"matrix": "net/A", "labels": "net/names"}),
}


@pytest.mark.parametrize("form", sorted(MATRICES))
@pytest.mark.parametrize("by_target", [False, True])
def test_matrices_of_every_form(form: str, by_target: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_arrays, "_CELLS", 2 * NODES)  # blocks of two rows
    name, write, options = MATRICES[form]
    table = rows()
    write(
        tmp_path / name,
        table.rename(columns={"pre": "post", "post": "pre"})[["pre", "post", "n"]] if by_target else table,
    )
    dataset = read(tmp_path / name, form="matrix", rows="target" if by_target else "source", **options)
    assert edges(dataset) == summed(table)


def test_a_functional_matrix_keeps_zeros_and_leaves_out_what_was_not_measured(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", A=np.array([[0.0, np.nan], [-0.5, 1.0]]))
    dataset = read(tmp_path / "m.npz", form="matrix", synapse="functional")
    assert edges(dataset) == {("0", "0"): 0.0, ("1", "0"): -0.5, ("1", "1"): 1.0}
    with pytest.raises(ReaderError, match="no finite number: 0 -> 1"):
        read(tmp_path / "m.npz", form="matrix")


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


def gz(path: Path, text: str) -> Path:
    with gzip.open(path, "wt") as file:
        file.write(text)
    return path


IDS = [720575940600000000 + i for i in range(4)]


def codex(folder: Path) -> list[Path]:
    """Tables with the headers of Codex (FlyWire v783), contents made up."""
    a, b, c, d = IDS
    return [
        gz(
            folder / "connections.csv.gz",
            f"pre_root_id,post_root_id,neuropil,syn_count,nt_type\n{a},{b},AL_R,3,ACH\n{a},{b},AL_L,9,ACH\n"
            f"{b},{c},LO_R,6,GABA\n{c},{a},LO_R,2,GLUT\n{d},{a},LO_R,7,\n",
        ),
        gz(
            folder / "neurons.csv.gz",
            "root_id,group,nt_type,nt_type_score,da_avg,ser_avg,gaba_avg,glut_avg,ach_avg,oct_avg\n"
            f"{a},AL,ACH,0.9,0,0,0,0,.9,0\n{b},AL,GABA,0.62,0,0,.6,0,0,0\n{c},LO,GLUT,0.3,0,0,0,.3,0,0\n{d},LO,,,0,0,0,0,0,0\n",
        ),
        gz(
            folder / "classification.csv.gz",
            "root_id,flow,super_class,class,sub_class,hemilineage,side,nerve\n"
            f"{a},intrinsic,central,ALPN,,x,right,\n{b},intrinsic,central,ALLN,,y,left,\n{c},intrinsic,optic,,,,center,\n",
        ),
        gz(
            folder / "coordinates.csv.gz",
            f"root_id,position,supervoxel_id\n{a},[100 200 300],1\n{a},[999 999 999],2\n{b},[400 500 600],3\n{c},[7 8 9],4\n",
        ),
    ]


def test_exports_of_codex(tmp_path: Path) -> None:
    files = codex(tmp_path)
    options = {
        "layout": "codex",
        "file": "connections.csv.gz",
        "nodes_file": ["neurons.csv.gz", "classification.csv.gz", "coordinates.csv.gz"],
        "min_confidence": 0.5,
        "signs": {"acetylcholine": 1, "GABA": -1, "glutamate": -1},
    }
    dataset = read(*files, **options)
    a, b, c, d = map(str, IDS)
    assert edges(dataset) == {(a, b): 12, (b, c): 6, (c, a): 2, (d, a): 7}
    table = dataset[["type", "class_", "side", "neurotransmitter", "neurotransmitter_confidence", "sign", "x", "z"]]
    of = table.to_dataframe()
    assert of.loc[a].tolist() == ["central", "ALPN", "right", "acetylcholine", 0.9, 1.0, 100.0, 300.0]
    assert of.loc[b, ["side", "neurotransmitter", "sign"]].tolist() == ["left", "GABA", -1.0]
    assert of.loc[c, ["neurotransmitter", "sign", "x"]].tolist() == ["", 0.0, 7.0]  # below the confidence
    assert np.isnan(of.loc[d, "x"])
    assert dataset["x"].attrs["units"] == "nm"
    derived = stores.attribute(dataset, "derived")
    assert derived["transmitters_below_min_confidence"] == 1
    assert "1 rows" in derived["nodes_listed_again_in_coordinates.csv.gz"]
    assert derived["columns_that_no_table_has"] == ["primary_type"]
    only = read(*files, **options, only_values={"neuropil": ["LO_R"]}, min_weight=3)
    assert edges(only) == {(b, c): 6, (d, a): 7}
    derived = stores.attribute(only, "derived")
    assert derived["rows_left_out"] == {"neuropil is another": 2}
    assert derived["edges_left_out"]["below_min_weight_or_zero"] == 1


def test_the_flywire_release_with_scores(tmp_path: Path) -> None:
    """Transmitter and confidence of a neuron: mean of the scores over its outgoing synapses."""
    rng = np.random.default_rng(1)
    count = 200
    scores = {f"{name}_avg": rng.random(count) for name in ("gaba", "ach", "glut", "oct", "ser", "da")}
    table = pd.DataFrame(
        {
            "pre_pt_root_id": np.array(IDS)[rng.integers(0, 4, count)],
            "post_pt_root_id": np.array(IDS)[rng.integers(0, 4, count)],
            "neuropil": "AL_R",
            "syn_count": rng.integers(1, 20, count),
            **scores,
        }
    )
    table.loc[5, list(scores)] = np.nan  # rows without a prediction
    table.to_feather(tmp_path / "proofread_connections_783.feather", chunksize=17)
    dataset = read(tmp_path / "proofread_connections_783.feather", layout="flywire")
    long = {
        "gaba": "GABA",
        "ach": "acetylcholine",
        "glut": "glutamate",
        "oct": "octopamine",
        "ser": "serotonin",
        "da": "dopamine",
    }
    for node, found, confidence in zip(
        *(dataset[n].values for n in ("node", "neurotransmitter", "neurotransmitter_confidence"))
    ):
        own = table[(table["pre_pt_root_id"].astype(str) == node) & table["da_avg"].notna()]
        means = {name: np.average(own[f"{name}_avg"], weights=own["syn_count"]) for name in long}
        best = max(means, key=lambda name: means[name])
        assert (found, confidence) == (long[best], pytest.approx(means[best]))


def test_synapses_of_cave(tmp_path: Path) -> None:
    a, b, c, _ = IDS
    pd.DataFrame(
        {
            "id": range(6),
            "pre_pt_root_id": [a, a, b, 0, a, c],
            "post_pt_root_id": [b, b, c, a, a, b],
            "size": [100, 20, 300, 400, 500, 600],
            "ctr_pt_position": [[1, 2, 3]] * 6,
        }
    ).to_parquet(tmp_path / "synapses.parquet")
    pd.DataFrame(
        {"pt_root_id": [a, b], "cell_type": ["23P", "BC"], "pt_position": [[10, 20, 30], [40, 50, 60]]}
    ).to_feather(tmp_path / "cells.feather")
    dataset = read(
        tmp_path / "synapses.parquet",
        tmp_path / "cells.feather",
        layout="microns",
        file="synapses.parquet",
        nodes_file="cells.feather",
        least_values={"size": 50},
        keep_nodes="listed",
        self_edges=False,
    )
    assert edges(dataset) == {(str(a), str(b)): 1}
    assert dataset["x"].values.tolist() == [40, 160]
    assert dataset["z"].values.tolist() == [1200, 2400]  # voxels of 40 nm
    derived = stores.attribute(dataset, "derived")
    assert derived["rows_left_out"] == {"size below 50": 1, "an end is 0": 1}
    assert derived["self_edges_left_out"] == 1
    assert derived["left_out_with_nodes_that_are_not_listed"] == {"nodes": 1, "edges": 2}


def test_neuprint_adjacencies_per_neuropil(tmp_path: Path) -> None:
    (tmp_path / "conns.csv").write_text("bodyId_pre,bodyId_post,roi,weight\n11,12,PB,3\n11,12,EB,4\n12,11,PB,1\n")
    (tmp_path / "neurons.csv").write_text(
        'bodyId,instance,type,somaLocation\n11,EPG_R,EPG,"[4069, 27265, 29472]"\n12,PEN_L,PEN,\n'
    )
    options = {"layout": "neuprint", "file": "conns.csv", "nodes_file": "neurons.csv"}
    dataset = read(tmp_path / "conns.csv", tmp_path / "neurons.csv", **options)
    assert edges(dataset) == {("11", "12"): 7, ("12", "11"): 1}
    assert dataset["class_"].values.tolist() == ["EPG_R", "PEN_L"]
    assert dataset["y"].values[0] == 27265 * 8
    assert np.isnan(dataset["y"].values[1])


def test_transmitters_named_by_rows(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("pre,post,n,nt\na,b,3,ACH\na,c,2,GABA\na,b,2,ACH\nb,a,5,\nc,a,1,GABA\n")
    options = {"source": "pre", "target": "post", "weight": "n", "transmitter_column": "nt"}
    dataset = read(tmp_path / "e.csv", **options)
    assert dataset["neurotransmitter"].values.tolist() == ["ACH", "", "GABA"]
    np.testing.assert_allclose(dataset["neurotransmitter_confidence"].values, [5 / 7, np.nan, 1.0])


BAD: dict[str, tuple[str, Callable[[Path], object], dict[str, Any], str]] = {
    "ids with a point": ("e.parquet", lambda p: pd.DataFrame({"source": [1.5], "target": [2], "weight": [1]}).to_parquet(p), {}, "numbers with a point"),
    "missing id": ("e.parquet", lambda p: pd.DataFrame({"source": ["a", None], "target": ["b", "c"], "weight": [1, 2]}).to_parquet(p), {}, "name is missing"),
    "missing column": ("e.feather", lambda p: pd.DataFrame({"pre": [1], "target": [2]}).to_feather(p), {}, "column 'source' is missing"),
    "cut Parquet": ("e.parquet", lambda p: p.write_bytes(b"PAR1 nothing"), {}, "cannot be read"),
    "object array": ("e.npz", lambda p: np.savez(p, source=np.array([{}]), target=[1], weight=[1]), {}, "objects are never loaded"),
    "unequal arrays": ("e.npz", lambda p: np.savez(p, source=[1, 2], target=[1], weight=[1]), {}, "different lengths"),
    "two matrices": ("m.npz", lambda p: np.savez(p, A=np.eye(3), B=np.eye(3)), {"form": "matrix"}, "the file has 2 matrices"),
    "object matrix": ("m.npz", lambda p: np.savez(p, A=np.array([[{}]])), {"form": "matrix"}, "objects are never loaded"),
    "ragged matrix": ("m.csv", lambda p: p.write_text(",a,b\na,1,2\nb,3\n"), {"form": "matrix"}, "1 cells and 2 columns"),
    "text in a matrix": ("m.csv", lambda p: p.write_text(",a,b\na,1,x\nb,3,4\n"), {"form": "matrix"}, "'x' is no number"),
    "name twice": ("m.csv", lambda p: p.write_text(",a,a\na,1,2\nb,3,4\n"), {"form": "matrix"}, "is on an axis of the matrix twice"),
    "no row left": ("e.csv", lambda p: p.write_text("source,target,weight,s\na,b,1,2\n"), {"least_values": {"s": 3}}, "no row is left"),
    "no score column": ("e.csv", lambda p: p.write_text("source,target,weight\na,b,1\n"), {"least_values": {"s": 3}}, "column 's' is missing"),
    "listed without a table": ("e.csv", lambda p: p.write_text("source,target,weight\na,b,1\n"), {"keep_nodes": "listed"}, "keep_nodes"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(BAD))
def test_bad_files_are_one_clear_message(case: str, tmp_path: Path) -> None:
    name, write, options, said = BAD[case]
    write(tmp_path / name)
    with pytest.raises(ReaderError, match=said):
        read(tmp_path / name, **options)


def test_positions_let_the_spatial_null_run(tmp_path: Path) -> None:
    from allometry.compare.measures.graphs.spatial_null import distances, spatial_rewirings

    rng = np.random.default_rng(0)
    table = rows()
    table.to_parquet(tmp_path / "e.parquet")
    cells = pd.DataFrame({"id": range(NODES), "pos": [list(map(float, rng.random(3) * 100)) for _ in range(NODES)]})
    cells.to_parquet(tmp_path / "c.parquet")
    dataset = read(
        tmp_path / "e.parquet",
        tmp_path / "c.parquet",
        file="e.parquet",
        source="pre",
        target="post",
        weight="n",
        nodes_file="c.parquet",
        nodes_label="id",
        nodes_position="pos",
        units=dict.fromkeys("xyz", "um"),
    )
    found = distances(np.column_stack([dataset[axis].values for axis in "xyz"]))
    dense = np.array(stores.to_dense(dataset)[1])
    np.fill_diagonal(dense, 0)  # the null has no edge of a node with itself
    drawn = next(iter(spatial_rewirings(dense, found, 1, bins=2, seed=1)))
    assert sorted(drawn[drawn > 0]) == sorted(dense[dense > 0])


def test_small_blocks_number_their_rows(tmp_path: Path) -> None:
    """The number of a row in a message is that of the file, whatever the blocks."""
    table = rows()
    table.to_parquet(tmp_path / "e.parquet")
    columns = Columns("pre", "post", "n")
    assert [first for first, _ in edge_arrow.chunks(tmp_path / "e.parquet", columns, 20)] == [1, 21, 41, 61]
    np.savez(tmp_path / "e.npz", **{name: table[name].to_numpy() for name in table})
    assert [first for first, _ in edge_arrays.npz_chunks(tmp_path / "e.npz", columns, 30)] == [1, 31, 61]
    write_graphml(tmp_path / "e.graphml", table)
    blocks = list(graphml.chunks(tmp_path / "e.graphml", Columns("source", "target", "n"), 10))
    assert [first for first, _ in blocks][:3] == [1, 11, 21]
    write_sonata(tmp_path / "e.h5", table)
    assert [first for first, _ in sonata.chunks(tmp_path / "e.h5", Columns("source", "target", "syn_weight"), 50)] == [
        1,
        51,
    ]
    bad = table.assign(n=table["n"].where(np.arange(len(table)) != 44, -1))
    bad.to_parquet(tmp_path / "bad.parquet")
    with pytest.raises(ReaderError, match="negative weight") as caught:
        read(tmp_path / "bad.parquet", source="pre", target="post", weight="n")
    assert caught.value.where == "bad.parquet, row 45"
