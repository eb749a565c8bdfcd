"""One network in every form that edges and matrices come in; oracle: the rows that were written, summed in plain Python.

Files are written by the formats' own libraries (pandas, pyarrow, networkx, scipy, h5py); all numbers are made up.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes import edge_arrays, edge_arrow, graphml, sonata
from allometry.homogenize.connectomes.edge_columns import Columns
from tests.homogenize.connectomes.edges import NODES, edges, matrix, read, rows, summed, write_graphml, write_sonata

FORMS: dict[str, tuple[str, Callable[[Path, pd.DataFrame], object], dict[str, Any]]] = {
    "csv": ("e.csv", lambda p, t: t.to_csv(p, index=False), {}),
    "csv in UTF-16": ("e.csv", lambda p, t: t.to_csv(p, index=False, encoding="utf-16"), {}),
    "tsv.gz in UTF-16": ("e.tsv.gz", lambda p, t: t.to_csv(p, index=False, sep="\t", encoding="utf-16"), {"delimiter": "\t"}),
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
    "csv in UTF-16": ("m.csv", lambda p, t: (labelled_csv(p, t), p.write_bytes(p.read_text().encode("utf-16"))), {}),
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


def broken_sparse(path: Path, **wrong: np.ndarray) -> None:
    """Scipy trusts these arrays, and ends the process with a segmentation fault."""
    parts = {"data": np.ones(2), "indices": np.array([0, 1]), "indptr": np.array([0, 1, 2]), "shape": np.array([2, 2])}
    np.savez(path, **{**parts, **wrong}, format=np.bytes_(b"csr"))


def complex_sonata(path: Path) -> None:
    write_sonata(path, rows())
    with h5py.File(path, "r+") as file:
        (group,) = file["edges"].values()
        index = group["edge_group_index"][:]
        del group["edge_group_index"]
        group["edge_group_index"] = index.astype(complex)


BAD: dict[str, tuple[str, Callable[[Path], object], dict[str, Any], str]] = {
    "ids with a point": ("e.parquet", lambda p: pd.DataFrame({"source": [1.5], "target": [2], "weight": [1]}).to_parquet(p), {}, "numbers with a point"),
    "missing id": ("e.parquet", lambda p: pd.DataFrame({"source": ["a", None], "target": ["b", "c"], "weight": [1, 2]}).to_parquet(p), {}, "name is missing"),
    "missing column": ("e.feather", lambda p: pd.DataFrame({"pre": [1], "target": [2]}).to_feather(p), {}, "column 'source' is missing"),
    "cut Parquet": ("e.parquet", lambda p: p.write_bytes(b"PAR1 nothing"), {}, "cannot be read"),
    "object array": ("e.npz", lambda p: np.savez(p, source=np.array([{}]), target=[1], weight=[1]), {}, "objects are never loaded"),
    "unequal arrays": ("e.npz", lambda p: np.savez(p, source=[1, 2], target=[1], weight=[1]), {}, "different lengths"),
    "complex weights": ("e.npz", lambda p: np.savez(p, source=[1], target=[2], weight=[1 + 2j]), {}, "weight is not a number"),
    "complex matrix": ("m.npz", lambda p: np.savez(p, A=np.eye(3) * 1j), {"form": "matrix"}, "complex numbers"),
    "complex places of SONATA": ("e.h5", complex_sonata, {"weight": "syn_weight"}, "'edge_group_index'"),
    "two matrices": ("m.npz", lambda p: np.savez(p, A=np.eye(3), B=np.eye(3)), {"form": "matrix"}, "the file has 2 matrices"),
    "object matrix": ("m.npz", lambda p: np.savez(p, A=np.array([[{}]])), {"form": "matrix"}, "objects are never loaded"),
    "indices beyond the matrix": ("m.npz", lambda p: broken_sparse(p, indices=np.array([0, 9])), {"form": "matrix"}, "not a readable .npz"),
    "rows that run backwards": ("m.npz", lambda p: broken_sparse(p, indptr=np.array([0, 7, 2])), {"form": "matrix"}, "not a readable .npz"),
    "rows that begin at infinity": ("m.npz", lambda p: broken_sparse(p, indptr=np.array([0, np.inf, 2])), {"form": "matrix"}, "of whole numbers"),
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
