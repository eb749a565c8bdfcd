"""Edge tables in text: the fast parser and the careful one find the same rows; encodings."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes import edge_csv, edge_stream, edge_text
from allometry.homogenize.connectomes.edge_columns import Columns, Named, named
from allometry.homogenize.inspection import configuration
from allometry.homogenize.inspection.examine import examine
from tests.homogenize.connectomes.edges import edges, read, rows, summed
from tests.homogenize.inspection.test_every_layout import run

HEAD, BODY = "pre,post,n,nt\n", "a,b,3,ACH\nb,a,1.5,\n7,a,2,GABA\n"
TABLES = {
    "plain": HEAD + BODY,
    "no last end of line": HEAD + BODY.rstrip(),
    "CRLF": (HEAD + BODY).replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + HEAD + BODY,
    "blank lines": HEAD + "\n" + BODY.replace("\n", "\n\n"),
    "blank lines above": "\n\n" + HEAD + BODY,
    "blanks around": HEAD.replace(",", ", ") + BODY.replace(",", " , "),
    "quotes": '"pre","post","n","nt"\n"a","b","3","ACH"\n"b","a",1.5,""\n7,"a",2,"GABA"\n',
    "a quote behind a blank": HEAD + '"a", "b", 3, "ACH"\n' + BODY,
    "a delimiter in quotes": HEAD + '"a,1",b,3,ACH\n' + BODY,
    "a doubled quote": HEAD + '"a ""x""",b,3,ACH\n' + BODY,
    "a line end in quotes": HEAD + '"a\nx",b,3,ACH\n' + BODY,
    "rows that end early": HEAD + BODY + "a,7,4\n" + BODY,
    "numbers as text in one row": HEAD + BODY + "a,7,1e1,x\n" + BODY,
    "not ASCII": HEAD + "Δ7,b,3,ACH\n" + BODY,
    "more columns": "pre,x,post,x,n,nt\na,1,b,2,3,ACH\nb,1,a,2,4,\n",
    "a long table": HEAD + BODY * 40,
}
COLUMNS = Columns("pre", "post", "n", transmitter="nt")


def listed(path: Path, chunk_rows: int = 7, **options: Any) -> list[tuple[Any, ...]]:
    """Every row with its number, as text and numbers; None where a cell is empty."""
    found = []
    for first, chunk in edge_text.chunks(path, COLUMNS, chunk_rows, **options):
        assert 0 < len(chunk) <= chunk_rows
        texts = [[None if pd.isna(v) else str(v).strip() for v in chunk[name]] for name in ("pre", "post", "nt")]
        numbers = pd.to_numeric(chunk["n"]).astype(float).tolist()
        found += [(first + number, *row) for number, row in enumerate(zip(*texts, numbers))]
    return found


def careful(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Any:
        raise edge_csv.NotPlain
        yield

    monkeypatch.setattr(edge_csv, "chunks", refuse)


@pytest.mark.parametrize("block", [20, 2**20])
@pytest.mark.parametrize("case", sorted(TABLES))
def test_both_parsers_find_the_same_rows(
    case: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the fast one cannot read, from wherever on, the other reads; blocks may end within a row."""
    path = tmp_path / "e.csv"
    path.write_bytes(TABLES[case].encode())
    monkeypatch.setattr(edge_csv, "BLOCK_BYTES", block)
    fast = listed(path)
    careful(monkeypatch)
    assert fast == listed(path)
    assert len(fast) >= 2


def test_a_plain_table_is_read_by_the_fast_parser_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "e.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write(TABLES["quotes"])
    monkeypatch.setattr(pd, "read_csv", None)
    assert listed(path) == [(2, "a", "b", "ACH", 3.0), (3, "b", "a", None, 1.5), (4, "7", "a", "GABA", 2.0)]


def test_no_more_than_a_block_is_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyarrow's own reader of streams would hold 32 of them, 2 GB of a large table."""
    monkeypatch.setattr(edge_csv, "BLOCK_BYTES", 2**10)
    stream = io.BytesIO((HEAD + BODY * 2000).encode())
    found = edge_csv.chunks(stream, ["pre", "post", "n", "nt"], ["pre", "post", "nt"], ["n"], ",", 10**6)
    seen = 0
    for chunk in found:
        seen += len(chunk)
        assert stream.tell() <= 2**10 + len(HEAD) + seen * len(BODY) // 3 + len(BODY)
    assert seen == 6000


def test_lines_that_end_otherwise_or_never_are_for_the_other_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_csv, "BLOCK_BYTES", 2**10)
    stream = io.BytesIO((HEAD + BODY * 100).replace("\n", "\r").encode())
    with pytest.raises(edge_csv.NotPlain):
        list(edge_csv.chunks(stream, ["pre", "post", "n", "nt"], ["pre", "post"], ["n"], ",", 100))
    assert stream.tell() <= 2 * 2**10


def test_rows_below_a_header_of_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "e.tsv"
    path.write_text("a\tx\tb\t3\nb\tx\ta\t4\n")
    columns = Columns("1", "3", "4")
    fast = list(edge_text.chunks(path, columns, 5, delimiter="\t", header=False))
    careful(monkeypatch)
    slow = list(edge_text.chunks(path, columns, 5, delimiter="\t", header=False))
    for (first, one), (again, other) in zip(fast, slow, strict=True):
        assert first == again == 1
        assert one.astype(str).replace(r"\.0$", "", regex=True).equals(other.astype(str))
    with pytest.raises(ReaderError, match="column '5' is missing"):
        list(edge_text.chunks(path, Columns("1", "5", "4"), 5, delimiter="\t", header=False))


@pytest.mark.parametrize("chunk_rows", [1, 2, 50])
def test_what_is_wrong_is_found_in_its_row_wherever_the_fast_parser_stopped(chunk_rows: int, tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text(HEAD + BODY * 5 + "a,b,3,ACH,x,y\n" + BODY)
    with pytest.raises(ReaderError, match="the row has 6 fields") as caught:
        listed(path, chunk_rows)
    assert caught.value.where == "e.csv, row 17"
    path.write_text(HEAD + BODY * 5 + "a,b,much,ACH\n" + BODY)
    with pytest.raises(ReaderError, match="weight is not a number: n = 'much'") as caught:
        edge_stream.sum_edges(edge_text.chunks(path, COLUMNS, chunk_rows), COLUMNS, path)
    assert caught.value.where == "e.csv, row 17"


def test_names_of_rows_that_were_left_out_are_no_nodes(tmp_path: Path) -> None:
    """Categories stay when their rows go."""
    path = tmp_path / "e.csv"
    path.write_text("pre,post,n,roi\na,b,1,X\nc,d,2,Y\nb,a,3,X\n")
    for form in (path, tmp_path / "e.parquet"):
        if form.suffix == ".parquet":
            pd.read_csv(path).to_parquet(form)
        dataset = read(form, source="pre", target="post", weight="n", only_values={"roi": ["X"]})
        assert dataset["node"].values.tolist() == ["a", "b"]
        assert edges(dataset) == {("a", "b"): 1, ("b", "a"): 3}


@pytest.mark.parametrize("dtype", [str, "category", "Int64", object])
def test_columns_by_their_different_values(dtype: Any) -> None:
    values = pd.Series(["3", "1", None, "3"] if dtype != "Int64" else [3, 1, None, 3], dtype=dtype)
    found = named(values)
    texts = np.array([*found.texts(), None], object)
    assert texts[found.code].tolist() == ["3", "1", None, "3"]
    assert Named(found.code, pd.Index([" a ", 7])).texts() == ["a", "7"]


def test_buckets_are_summed_some_rows_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = rows()
    table.to_csv(tmp_path / "e.csv", index=False)
    options = {"source": "pre", "target": "post", "weight": "n"}
    monkeypatch.setattr(edge_stream, "SUMMED_ROWS", 3)
    monkeypatch.setattr(edge_stream, "BUCKETS", 2)
    dataset = read(tmp_path / "e.csv", **options)
    assert edges(dataset) == summed(table)
    merged = stores.attribute(dataset, "derived")["rows_summed_into_an_edge_of_an_earlier_row"]
    assert merged == len(table) - len(summed(table))


# Encodings

LATIN = "pre,post,n\nZelle_µ,b,3\nb,Zelle_µ,4\n"


def packed(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inside.csv", LATIN.encode("latin-1"))


ENCODED: dict[str, Callable[[Path], Any]] = {
    "e.csv": lambda path: path.write_bytes(LATIN.encode("latin-1")),
    "e.csv.gz": lambda path: path.write_bytes(gzip.compress(LATIN.encode("latin-1"))),
    "e.zip": packed,
}


@pytest.mark.parametrize("name", sorted(ENCODED))
def test_encodings_of_edge_lists(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    ENCODED[name](path)
    columns = {"source": "pre", "target": "post", "weight": "n"}
    with pytest.raises(ReaderError, match="table is not text in UTF-8") as caught:
        read(path, **columns)
    assert "option `encoding`" in caught.value.do
    for encoding in ("latin-1", "cp1252"):
        assert edges(read(path, **columns, encoding=encoding)) == {("Zelle_µ", "b"): 3, ("b", "Zelle_µ"): 4}
    with pytest.raises(ReaderError, match="option encoding"):
        read(path, **columns, encoding="latin-9999")


def test_encodings_of_matrices_and_tables_of_nodes(tmp_path: Path) -> None:
    matrix = tmp_path / "m.csv"
    matrix.write_bytes(",Zelle_µ,b\nZelle_µ,0,3\nb,4,0\n".encode("latin-1"))
    dataset = read(matrix, form="matrix", encoding="latin-1")
    assert edges(dataset) == {("Zelle_µ", "b"): 3, ("b", "Zelle_µ"): 4}
    table = tmp_path / "e.csv"
    table.write_bytes("pre,post,n\nклетка,b,3\nb,клетка,4\n".encode("cp1251"))
    nodes = tmp_path / "n.csv"
    nodes.write_bytes("label,type\nклетка,тип\nb,x\n".encode("cp1251"))
    options = {"source": "pre", "target": "post", "weight": "n", "file": "e.csv", "nodes_file": "n.csv"}
    dataset = read(table, nodes, **options, nodes_columns={"type": "type"}, encoding="cp1251")
    assert dict(zip(dataset["node"].values.tolist(), dataset["type"].values.tolist())) == {"b": "x", "клетка": "тип"}
    nodes.write_bytes("label,type\nклетка,тип\nb,x\n".encode())
    with pytest.raises(ReaderError, match="table is not text in ascii"):
        read(table, nodes, **options, nodes_columns={"type": "type"}, encoding="ascii")


def test_what_is_no_utf_8_is_said_by_inspect(tmp_path: Path, root: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "e.csv").write_bytes(LATIN.encode("latin-1"))
    found = examine([tmp_path / "files"])
    (finding,) = found.findings
    assert next(iter(finding.stores.values()))[1]["encoding"] == "latin-1"
    (store,) = run(configuration.text(found), tmp_path, root).values()
    assert edges(store) == {("Zelle_µ", "b"): 3, ("b", "Zelle_µ"): 4}
