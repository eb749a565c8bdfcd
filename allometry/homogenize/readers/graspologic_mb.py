"""Larval mushroom body of Drosophila (Eichler et al. 2017), as in the graspologic package.

Layout: `{side}_adjacency.csv` (blank-separated integers, row sends to column, no header) and `{side}_cell_labels.csv` (one
letter per neuron: K Kenyon cell, I input neuron, O output neuron, P projection neuron). Neurons have no names.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes.edges import check_weights, from_matrix, stored
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.look import Files, Finding, by_name
from allometry.homogenize.options import choice
from allometry.homogenize.reader import Reader, Source, named_file

_TYPES = {
    "K": ("KC", "Kenyon cell"),
    "I": ("MBIN", "input neuron"),
    "O": ("MBON", "output neuron"),
    "P": ("PN", "projection neuron"),
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one side."""
    side = options["side"]
    adjacency = named_file(files, f"{side}_adjacency.csv", source.name)
    labels = named_file(files, f"{side}_cell_labels.csv", source.name)
    types = [str(row[0]) for row in spreadsheets.read_delimited(labels, " ") if row and row[0] is not None]
    unknown = sorted(set(types) - set(_TYPES))
    if unknown:
        raise ReaderError(
            f"unknown cell type {unknown[0]!r}", where=labels.name, expected=f"one of {', '.join(_TYPES)}"
        )
    matrix = spreadsheets.number_matrix(adjacency, " ")
    if matrix.shape != (len(types), len(types)):
        raise ReaderError(
            f"adjacency matrix has shape {matrix.shape}, but there are {len(types)} labels",
            where=f"{adjacency.name}, {labels.name}",
            expected="a square matrix with one label per neuron",
        )
    numbers = pd.Series(types).groupby(types).cumcount() + 1
    names = [f"{_TYPES[letter][0]}{number:03d}" for letter, number in zip(types, numbers)]
    nodes = pd.DataFrame(
        {
            "type": [_TYPES[letter][1] for letter in types],
            "class_": [_TYPES[letter][0] for letter in types],
            "side": side,
        },
        index=pd.Index(names, name="label"),
    )
    edges = from_matrix(matrix, names, names, "chemical", adjacency.name)
    check_weights(edges, adjacency.name)
    return stores.connectome(
        nodes,
        edges,
        attrs=source.attrs(
            f"Larval mushroom body of Drosophila, {side} side, Eichler et al. 2017",
            {"side": side},
            {
                "labels": "the files name no neurons: labels are the cell class and a running number in file order",
                "orientation": f"row sends to column: {_evidence(matrix, np.array(types))}",
                "stored": stored(edges),
                "self_edges": int(np.count_nonzero(np.diag(matrix))),
            },
            {adjacency.name: adjacency, labels.name: labels},
        ),
    )


def _evidence(matrix: np.ndarray, types: np.ndarray) -> str:
    forward = matrix[np.ix_(types == "P", types == "K")].sum()
    backward = matrix[np.ix_(types == "K", types == "P")].sum()
    return f"projection neurons reach Kenyon cells with {forward:g} synapses, Kenyon cells projection neurons with {backward:g}"


def recognise(files: Files) -> list[Finding]:
    """Adjacency and cell labels of a side, by their names."""
    sides = {side: files.named(f"{side}_adjacency.csv", f"{side}_cell_labels.csv") for side in ("left", "right")}
    sides = {side: paths for side, paths in sides.items() if len(paths) == 2}
    if not sides:
        return []
    own = by_name(path for paths in sides.values() for path in paths)
    stores = {side: ("connectome", {"side": side}) for side in sides}
    what = "larval mushroom body in the layout of graspologic (Eichler et al. 2017)"
    return [Finding(what, own, stores, species="Drosophila melanogaster")]


OPTIONS = {"side": choice("left", ("left", "right"), "Side of the brain.")}
READER = Reader("graspologic_mb", ("connectome",), read, OPTIONS, recognise=recognise)
