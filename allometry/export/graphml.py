"""GraphML: a connectome as a directed graph with several kinds of edges, for Gephi, Cytoscape, networkx, igraph."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import xarray as xr

from allometry.errors import ExportError
from allometry.export.contents import attributes_text, not_held, over, plain, units_of
from allometry.stores.schema import Data

_TYPES = {"b": "boolean", "i": "long", "u": "long", "f": "double", "O": "string"}
# XML 1.0 has no way to write these, not even escaped.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"""


def write(obj: Data, out: Path, name: str) -> tuple[dict[str, int], list[str]]:
    """Write a connectome; a value that is missing (NaN) is an attribute that the node or edge has not.

    Parameters
    ----------
    obj : Dataset
        Connectome store.
    out : Path
        File to write.
    name : str
        Name of the store, the id of the graph.

    Returns
    -------
    dict, list of str
        What the file holds, counted; what is left out.

    Raises
    ------
    ExportError
        A text has a control character, which XML cannot hold.
    """
    assert isinstance(obj, xr.Dataset)
    labels = plain(obj["node"].values)
    nodes = over(obj, "node", ("node",))
    edges = over(obj, "edge", ("source", "target"))
    of_graph = {
        "title": str(obj.attrs["title"]),
        "units": json.dumps(units_of(nodes | edges), sort_keys=True),
        "attributes": attributes_text(obj),
    }
    with out.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(_HEAD)
        for key in of_graph:
            stream.write(f'  <key id="g_{key}" for="graph" attr.name="{key}" attr.type="string"/>\n')
        for domain, variables in (("node", nodes), ("edge", edges)):
            for number, (key, array) in enumerate(variables.items()):
                kind = _TYPES[plain(array.values[:0]).dtype.kind]
                stream.write(
                    f'  <key id="{domain[0]}{number}" for="{domain}" attr.name={quoteattr(key)} attr.type="{kind}"/>\n'
                )
        stream.write(f'  <graph id={quoteattr(name)} edgedefault="directed">\n')
        for key, value in of_graph.items():
            stream.write(f'    <data key="g_{key}">{_text(value, out)}</data>\n')
        quoted = [quoteattr(_checked(label, out)) for label in labels.tolist()]
        for label, data in zip(quoted, _data("n", nodes, len(labels), out)):
            stream.write(f"    <node id={label}>{data}</node>\n")
        _edges(stream, obj, quoted, _data("e", edges, obj.sizes["edge"], out))
        stream.write("  </graph>\n</graphml>\n")
    left_out = list(not_held(obj, {"node", "source", "target", *nodes, *edges}))
    return {"nodes": len(labels), "edges": obj.sizes["edge"]}, left_out


def _edges(stream: TextIO, ds: xr.Dataset, labels: list[str], data: Iterator[str]) -> None:
    source, target = ds["source"].values.tolist(), ds["target"].values.tolist()
    for number, (one, other, inside) in enumerate(zip(source, target, data)):
        stream.write(f'    <edge id="e{number}" source={labels[one]} target={labels[other]}>{inside}</edge>\n')


def _data(letter: str, variables: dict[str, xr.DataArray], size: int, out: Path) -> Iterator[str]:
    """The `<data>` elements of each node or edge."""
    columns = [plain(array.values) for array in variables.values()]
    heads = [f'<data key="{letter}{number}">' for number in range(len(columns))]
    for row in range(size):
        yield "".join(
            f"{head}{_value(column[row], out)}</data>"
            for head, column in zip(heads, columns)
            if not (column.dtype.kind == "f" and np.isnan(column[row]))
        )


def _value(value: Any, out: Path) -> str:
    if isinstance(value, str):
        return _text(value, out)
    return str(value).lower() if isinstance(value, np.bool_) else str(value)


def _text(value: str, out: Path) -> str:
    return escape(_checked(value, out))


def _checked(value: str, out: Path) -> str:
    if _UNWRITABLE.search(value):
        raise ExportError(
            f"the text {value!r} has a character that XML cannot hold",
            where=str(out.name),
            expected="text without control characters",
            do="choose another format (csv, parquet, netcdf, sonata)",
        )
    return value
