"""Graphs in GraphML: nodes and edges are read one after the other, and forgotten."""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element, ParseError, iterparse

import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize import mistaken
from allometry.homogenize.connectomes.edge_columns import Columns, check_columns

SUFFIXES = (".graphml", ".graphml.gz", ".xml")
ENDS = ("source", "target")


def is_graphml(name: str) -> bool:
    """Whether a file name is one of GraphML."""
    return name.lower().endswith(SUFFIXES)


def chunks(
    path: Path, columns: Columns, chunk_rows: int, *, more: Sequence[str] = ()
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Edges with the wanted attributes, by their names (`attr.name`), each block with the number of its first edge.

    An edge that has no value of an attribute has its default. Edges of an undirected graph come in both directions.
    """
    wanted = list(dict.fromkeys([*columns.names(), *more]))
    held: list[dict[str, str | None]] = []
    first, checked = 1, False
    for item in _items(path, "edge"):
        if not checked:
            check_columns([*ENDS, *item.known], columns, path, more)
            checked = True
        row = {name: item.values.get(name, item.known.get(name)) for name in wanted}
        held.append(row)
        if not item.directed and row[columns.source] != row[columns.target]:
            held.append({**row, columns.source: row[columns.target], columns.target: row[columns.source]})
        if len(held) >= chunk_rows:
            yield first, pd.DataFrame(held, columns=wanted, dtype="str")
            first, held = first + len(held), []
    if held:
        yield first, pd.DataFrame(held, columns=wanted, dtype="str")


def nodes(path: Path) -> pd.DataFrame:
    """Nodes: `id`, and a column of text for each attribute, None where a node has none."""
    rows = [{**item.known, **item.values} for item in _items(path, "node")]
    return pd.DataFrame(rows, dtype=object) if rows else pd.DataFrame(columns=["id"])


class _Item:
    """A node or an edge: its attributes as text; `known` has the defaults of all that there are."""

    def __init__(self, values: dict[str, str | None], known: dict[str, str | None], directed: bool) -> None:
        self.values, self.known, self.directed = values, known, directed


def _items(path: Path, kind: str) -> Iterator[_Item]:
    names: dict[str, str] = {}
    known: dict[str, str | None] = {}
    directed = True
    mistaken.refuse(path)
    try:
        with _opened(path) as file:
            _refuse_entities(file, path)
            for event, element in iterparse(file, events=("start", "end")):
                tag = element.tag.rpartition("}")[2]
                if event == "start":
                    if tag == "graph":
                        directed = element.get("edgedefault", "directed") == "directed"
                        graph = element
                    continue
                if tag == "key" and element.get("for") in (kind, "all"):
                    name = element.get("attr.name") or str(element.get("id"))
                    names[str(element.get("id"))] = name
                    default = next((child.text for child in element if child.tag.endswith("default")), None)
                    known[name] = default
                elif tag == kind:
                    yield _Item(_values(element, names, kind), known, _is_directed(element, directed))
                if tag in ("node", "edge"):
                    # what was read is dropped: the tree would hold the whole graph
                    graph.clear()
    except ParseError as error:
        raise ReaderError(
            f"not a readable GraphML file ({error})", where=str(path), expected="complete XML", do="retrieve it again"
        ) from error
    except (OSError, EOFError, UnboundLocalError) as error:
        raise ReaderError(
            f"not a readable GraphML file ({error})", where=str(path), expected="a graph in XML"
        ) from error


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def _refuse_entities(file: IO[bytes], path: Path) -> None:
    """A document type can define entities that grow without end; GraphML needs none."""
    head = file.read(2**16)
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise ReaderError(
            "the file has a document type of its own",
            where=str(path),
            expected="GraphML without `<!DOCTYPE`",
            do="delete the line",
        )
    file.seek(0)


def _values(element: Element, names: dict[str, str], kind: str) -> dict[str, str | None]:
    values: dict[str, str | None] = {}
    for child in element:
        if child.tag.endswith("data") and (name := names.get(str(child.get("key")))) is not None:
            values[name] = child.text
    ends = ("id",) if kind == "node" else ENDS
    return values | {end: element.get(end) for end in ends}


def _is_directed(element: Element, default: bool) -> bool:
    said = element.get("directed")
    return default if said is None else said == "true"
