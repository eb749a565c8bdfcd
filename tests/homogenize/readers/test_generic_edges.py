"""Edge tables of users and of whole fly brains; oracles: plain Python sums, and a table generated with known sums."""

import gzip
import io
import subprocess
import sys
import tarfile
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes import edge_text
from allometry.homogenize.connectomes.edge_columns import Columns
from allometry.homogenize.connectomes.edge_stream import CHUNK_ROWS, sum_edges
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from tests.homogenize import fixtures_connectomes as fixtures

COLUMNS = Columns("pre", "post", "n")


def read_edge_table(path, columns, *, chunk_rows=CHUNK_ROWS):
    return sum_edges(edge_text.chunks(path, columns, chunk_rows), columns, path)


def read(files, **options):
    return READERS["generic_edges"](files, Source("mine", files=dict.fromkeys(files, "0" * 64)), options)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 50)), min_size=1, max_size=80),
    chunk=st.integers(1, 40),
    text=st.booleans(),
)
def test_sums_do_not_depend_on_the_chunks(tmp_path, rows, chunk, text):
    path = tmp_path / "edges.csv"
    prefix = "n" if text else ""
    body = "".join(f"{prefix}{s},{prefix}{t},{w}\n" for s, t, w in rows)
    path.write_text("pre,post,n\n" + body)
    table = read_edge_table(path, COLUMNS, chunk_rows=chunk)
    expected = Counter()
    for s, t, w in rows:
        expected[f"{prefix}{s}", f"{prefix}{t}"] += w
    found = {(table.labels[s], table.labels[t]): w for s, t, w in zip(table.source, table.target, table.weight)}
    assert found == dict(expected)
    assert (table.rows, table.merged) == (len(rows), len(rows) - len(expected))
    assert list(table.labels) == sorted(set(table.labels), key=lambda name: int(name.removeprefix("n")))


def test_ids_that_turn_out_to_be_text_keep_their_nodes(tmp_path):
    """A table whose first chunk has numeric ids and whose second has not: 7 and "7" are one node."""
    path = tmp_path / "edges.csv"
    path.write_text("pre,post,n\n7,8,1\n7,8,2\n7,x,4\n8,7,1\n")
    table = read_edge_table(path, COLUMNS, chunk_rows=2)
    assert list(table.labels) == ["7", "8", "x"]
    assert table.weight.tolist() == [3, 4, 1]


def test_ids_are_text(tmp_path):
    """01 was 1, 1E5 was 100000, and 1.50 was refused."""
    path = tmp_path / "edges.csv"
    ids = ["01", "1", "1E5", "100000", "1.50", "-0", "NA", "nan", "1_000", "+7"]
    path.write_text("pre,post,n\n" + "".join(f"{name},hub,1\n" for name in ids))
    for chunk in (1, 3, 1000):
        table = read_edge_table(path, COLUMNS, chunk_rows=chunk)
        assert sorted(table.labels) == sorted([*ids, "hub"])
        assert table.weight.tolist() == [1] * len(ids)
    path.write_text("pre,post,n\n10,9,1\n9,100,1\n")
    assert list(read_edge_table(path, COLUMNS).labels) == ["9", "10", "100"]


def test_ids_of_edges_meet_those_of_the_node_table(tmp_path):
    edges, cells = tmp_path / "edges.csv", tmp_path / "cells.csv"
    edges.write_text("source,target,weight\n001,002,5\n002,1E5,1\n")
    cells.write_text("label,kind\n001,PV\n002,SST\n1E5,VIP\n")
    files = {"edges.csv": edges, "cells.csv": cells}
    options = {"file": "edges.csv", "nodes_file": "cells.csv", "nodes_columns": {"type": "kind"}}
    dataset = read(files, **options)
    assert dataset["node"].values.tolist() == ["001", "002", "1E5"]
    assert dataset["type"].values.tolist() == ["PV", "SST", "VIP"]
    assert stores.attribute(dataset, "derived")["nodes_missing_from_node_table"] == 0
    cells.write_text("label,kind\n1,PV\n2,SST\n")
    with pytest.raises(ReaderError, match="none of the 3 nodes of the edges is in the node table") as caught:
        read(files, **options)
    assert "001, 002, 1E5, the node table 1, 2" in caught.value.expected


@pytest.mark.parametrize("name", ["label", "node", "source", "weight", "synapse", "q", "null"])
def test_reserved_names_of_node_columns_are_refused(tmp_path, name):
    edges, cells = tmp_path / "edges.csv", tmp_path / "cells.csv"
    edges.write_text("source,target,weight\nA,B,5\n")
    cells.write_text("label,kind\nA,PV\nB,SST\n")
    with pytest.raises(ReaderError, match=f"nodes_columns: '{name}' has a meaning of its own"):
        read(
            {"edges.csv": edges, "cells.csv": cells},
            file="edges.csv",
            nodes_file="cells.csv",
            nodes_columns={name: "kind"},
        )


def test_long_rows_of_a_node_table_are_named(tmp_path):
    edges, cells = tmp_path / "edges.csv", tmp_path / "cells.csv"
    edges.write_text("source,target,weight\nA,B,5\n")
    cells.write_text("label,kind\nA,PV\nB,SST,layer 4\n")
    with pytest.raises(ReaderError, match="row has 3 fields, the header 2") as caught:
        read({"edges.csv": edges, "cells.csv": cells}, file="edges.csv", nodes_file="cells.csv")
    assert caught.value.where == "cells.csv, row 3"


def test_a_table_without_a_header(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_text("A,B,x,3\nB,A,y,4\n")
    dataset = read({path.name: path}, header=False, source=1, target=2, weight="4")
    assert dataset["weight"].values.tolist() == [3, 4]
    with pytest.raises(ReaderError, match="column '9' is missing"):
        read({path.name: path}, header=False, source=1, target=2, weight=9)


def test_the_option_of_a_missing_column_is_named(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_text("source,target,n\nA,B,3\n")
    with pytest.raises(ReaderError, match="column 'weight' is missing") as caught:
        read({path.name: path})
    assert "the table has: source, target, n" in caught.value.expected
    assert "'weight', or set `weight: null`" in caught.value.do
    with pytest.raises(ReaderError, match="column 'type' is missing") as caught:
        read({path.name: path}, weight="n", synapse_column="type")
    assert "'synapse_column'" in caught.value.do


def test_files_that_are_no_tables_are_recognised(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_bytes("source,target,weight\nA,B,3\n".encode("utf-16-le"))  # without a byte order mark
    with pytest.raises(ReaderError):
        read({path.name: path})
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(ReaderError, match="git-LFS pointer"):
        read({path.name: path})
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ReaderError, match="HDF5") as caught:
        read({path.name: path})
    assert "SONATA" in caught.value.do
    path.write_bytes(b"source,target,weight\nA,B\xff,3\n")
    with pytest.raises(ReaderError, match="not text in UTF-8"):
        read({path.name: path})


def test_64_bit_ids_survive(tmp_path):
    path = tmp_path / "edges.csv"
    ids = (720575940604407468, 720575940604407469)  # one apart: the same number in float64
    path.write_text(f"pre,post,n\n{ids[0]},{ids[1]},5\n")
    assert list(read_edge_table(path, COLUMNS).labels) == [str(i) for i in ids]


@pytest.mark.parametrize("kind", ["plain", "gz", "tar.gz"])
def test_compressed_tables_and_archives(tmp_path, kind):
    data = b"pre,post,n\nA,B,3\n"
    path = tmp_path / f"edges.csv.{kind}"
    if kind == "plain":
        path = tmp_path / "edges.csv"
        path.write_bytes(data)
    elif kind == "gz":
        path.write_bytes(gzip.compress(data))
    else:
        path = tmp_path / "exported.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for name, content in (("exported/edges.csv", data), ("exported/other.csv", b"x\n")):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    options = {"source": "pre", "target": "post", "weight": "n"} | ({"member": "edges.csv"} if kind == "tar.gz" else {})
    assert read({path.name: path}, **options)["weight"].values.tolist() == [3]


def test_truncated_archive(tmp_path):
    path = tmp_path / "edges.csv.gz"
    path.write_bytes(gzip.compress(b"pre,post,n\n" + b"A,B,3\n" * 1000)[:-20])
    with pytest.raises(ReaderError, match="cannot be read"):
        read({path.name: path}, source="pre", target="post", weight="n")


@pytest.mark.parametrize(
    ("body", "row", "message"),
    [
        ("A,B,1\nA,,2\n", 3, "name is missing: post = an empty cell"),
        ("A,B,1\nA,B,x\n", 3, "weight is not a number"),
        ("A,B,1\nA,B,\n", 3, "weight is not a number: n = an empty cell"),
        ("A,B,-1\n", 2, "negative weight of an anatomical connection: n = -1"),
        ("A,B,inf\n", 2, "weight is not a number: n = inf"),
        ("A,B,1\nA,B,1,9\nA,B,1\n", 3, "fields"),
        ("A,B,1,9\nA,B,1,9\n", 2, "more fields than the header"),
    ],
)
def test_bad_rows_are_named(tmp_path, body, row, message):
    path = tmp_path / "edges.csv"
    path.write_text("pre,post,n\n" + body)
    with pytest.raises(ReaderError) as error:
        read_edge_table(path, COLUMNS, chunk_rows=1000 if "fields" in message else 1)
    assert message in error.value.what
    assert error.value.where == f"edges.csv, row {row}"


def test_users_table_with_two_kinds_and_a_table_of_nodes(tmp_path):
    files, options = fixtures.generic_edges(tmp_path)
    dataset = read(files, **options)
    lines = [line.split(",") for line in files["edges.csv"].read_text().splitlines()[1:]]
    chemical = Counter()
    for pre, post, weight, kind in lines:
        if kind == "chem":
            chemical[pre, post] += int(weight)
    labels, matrix = stores.to_dense(dataset, "chemical")
    order = {label: i for i, label in enumerate(labels.tolist())}
    expected = np.zeros_like(matrix)
    for (pre, post), weight in chemical.items():
        expected[order[pre], order[post]] = weight
    np.testing.assert_array_equal(matrix, expected)
    _, gaps = stores.to_dense(dataset, "electrical")
    assert gaps[order["100"], order["101"]] == gaps[order["101"], order["100"]] == 3  # the mean of 2 and 4
    assert gaps[order["102"], order["103"]] == gaps[order["103"], order["102"]] == 1
    # Node 112 has no edge, but is in the table of nodes.
    assert stores.attribute(dataset, "derived")["nodes_without_an_edge"] >= 1
    assert dataset["type"].values[order["112"]] == "PN"
    assert dataset["x"].attrs["units"] == "nm"
    assert dataset["x"].values[order["105"]] == 1050


def test_worm_names_by_option(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_text("source,target,weight\nVB02,AVAL,3\nVB2,AVAL,4\n")
    dataset = read({path.name: path}, names="worm")
    assert dataset["node"].values.tolist() == ["AVAL", "VB2"]
    assert dataset["weight"].values.tolist() == [7]
    assert dataset["type"].values.tolist() == ["inter", "motor"]


def test_rows_without_a_weight_count_one_each(tmp_path):
    path = tmp_path / "synapses.csv"
    path.write_text("pre,post\nA,B\nA,B\nB,A\n")
    dataset = read({path.name: path}, source="pre", target="post", weight=None, min_weight=2)
    assert dataset["weight"].values.tolist() == [2]
    assert stores.attribute(dataset, "derived")["edges_left_out"] == {"below_min_weight_or_zero": 1, "min_weight": 2}


def test_weak_edges_are_left_out_after_summing(tmp_path):
    path = tmp_path / "edges.csv"
    path.write_text("source,target,weight\n1,2,3\n3,1,4\n1,2,3\n")
    dataset = read({path.name: path}, min_weight=5)
    assert dataset["weight"].values.tolist() == [6]
    assert dataset["node"].values.tolist() == ["1", "2", "3"]  # the nodes of a weak edge stay
    assert stores.attribute(dataset, "derived")["edges_left_out"] == {"below_min_weight_or_zero": 1, "min_weight": 5}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "before"}, "column 'before' is missing"),
        ({"synapse": "magnetic"}, "'magnetic' is not known"),
        ({"names": "fly"}, "'fly' is not known"),
        ({"delimiter": "tab"}, "delimiter"),
        ({"wieght": "n"}, "unknown option 'wieght'"),
        ({"min_weight": 100}, "no edge is left"),
        ({"min_weight": "many"}, "min_weight"),
        ({"units": "nm"}, "units"),
    ],
)
def test_bad_options(tmp_path, options, message):
    path = tmp_path / "edges.csv"
    path.write_text("source,target,weight\nA,B,3\n")
    with pytest.raises(ReaderError) as error:
        read({path.name: path}, **options)
    assert message in error.value.what


@pytest.mark.slow
def test_50_million_rows_in_bounded_memory(tmp_path):
    """A table of the size of a whole fly brain, one row per pair and neuropil, in a process of its own."""
    rows, nodes, repeats = 50_000_000, 140_000, 5
    path = tmp_path / "edges.csv"
    pairs = rows // repeats
    with path.open("wb") as file:
        file.write(b"pre_root_id,post_root_id,neuropil,syn_count\n")
        step = 500_000
        for start in range(0, pairs, step):
            number = np.arange(start, start + step)
            # Every pair once: the step is coprime to the number of targets, so that sources and targets never repeat.
            source = 720575940600000000 + number % nodes
            target = 720575940600000000 + (number // nodes + number * 7919) % nodes
            block = np.column_stack([source, target, np.ones(step, np.int64)])
            lines = "".join(f"{s},{t},ME_R,{w}\n" for s, t, w in block.tolist()).encode()
            for _ in range(repeats):
                file.write(lines)
    script = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from allometry import stores\n"
        "from allometry.homogenize.reader import Source\nfrom allometry.homogenize.readers import READERS\n"
        "path = Path(sys.argv[1])\n"
        "ds = READERS['generic_edges']({path.name: path}, Source('big', files={path.name: '0' * 64}),"
        " dict(source='pre_root_id', target='post_root_id', weight='syn_count'))\n"
        "stores.write(ds, path.with_name('big.zarr'))\n"
        "print(ds.sizes['node'], ds.sizes['edge'], float(ds['weight'].values.sum(dtype='f8')),"
        " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    found_nodes, found_edges, weight, peak_kib = done.stdout.split()
    assert (int(found_nodes), float(weight)) == (nodes, rows)
    assert int(found_edges) == pairs
    assert int(peak_kib) / 2**20 < 4  # GiB; the table itself has 2.3
    assert path.stat().st_size > 2e9
