"""Winding et al. 2023: the brain of the Drosophila larva, Supplementary Data S1.

Layout: a zip with five dense CSVs (`ad`, `aa`, `da`, `dd` and `all-all` `_connectivity_matrix.csv`; row is presynaptic,
column postsynaptic, first row and column neuron ids) and `annotations.csv` (left_id, right_id, celltype,
additional_annotations, level_7_cluster; one row per left-right pair or single neuron), `inputs.csv`, `outputs.csv`. The five
matrices list neurons in different orders. aa: axon to axon, ad: axon to dendrite, da: dendrite to axon, dd.
"""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes.edges import check_weights, from_matrix, stored
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.reader import Reader, Source, only_file

_PARTS = {"aa": "axon_axon", "ad": "axon_dendrite", "da": "dendrite_axon", "dd": "dendrite_dendrite"}
_ALL = "all-all"


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read the archive; no options."""
    name, path = only_file(files, source.name, (".zip",))
    try:
        with zipfile.ZipFile(path) as archive:
            members = {m.rsplit("/", 1)[-1]: m for m in archive.namelist() if "__MACOSX" not in m}
            total, ids = _matrix(archive, members, _ALL, path)
            parts, orders = {}, {}
            for part in _PARTS:
                matrix, own = _matrix(archive, members, part, path)
                parts[part], orders[part] = _aligned(matrix, own, ids, part, path), own != ids
            annotations = _annotations(archive, members, path)
    except ReaderError:
        raise
    except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ReaderError(
            f"archive cannot be read ({error})",
            where=str(path),
            expected="the complete zip of Supplementary Data S1",
            do="delete the file and retrieve it again",
        ) from error
    difference = sum(parts.values()) - total
    if difference.any():
        i, j = np.argwhere(difference)[0]
        raise ReaderError(
            f"aa + ad + da + dd differs from all-all in {np.count_nonzero(difference)} cells, first {ids[i]} -> {ids[j]}",
            where=path.name,
            expected="four parts that add up to the whole exactly",
            do="retrieve the archive again: neurons are aligned by their ids",
        )
    edges = from_matrix(total, ids, ids, "chemical", path.name)
    check_weights(edges, path.name)
    i, j = np.nonzero(total)
    for part, column in _PARTS.items():
        edges[column] = parts[part][i, j].astype(np.float32)
    nodes, noted = _nodes(ids, annotations)
    return stores.connectome(
        nodes,
        edges,
        attrs=source.attrs(
            "Connectome of the brain of the Drosophila larva, Winding et al. 2023",
            {},
            {
                "orientation": "row is presynaptic, column postsynaptic (the sum of a row is the neuron's output)",
                "alignment": "the five matrices list neurons in different orders; aligned by id, aa + ad + da + dd equals "
                "all-all exactly",
                "listed_in_another_order": sorted(part for part, differs in orders.items() if differs),
                "synapses": {column: float(parts[part].sum()) for part, column in _PARTS.items()},
                "published_count": "the paper gives 3016 neurons and about 548,000 synapses; the archive has the 2952 "
                "neurons of the brain's adjacency matrices and the synapses between them",
                "stored": stored(edges),
                **noted,
            },
            {name: path},
        ),
    )


def _read(archive: zipfile.ZipFile, members: dict[str, str], name: str, path: Path) -> bytes:
    if name not in members:
        raise ReaderError(
            f"{name} is missing",
            where=path.name,
            expected="Supplementary Data S1 (the archive has: " + ", ".join(members) + ")",
        )
    return archive.read(members[name])


def _matrix(archive: zipfile.ZipFile, members: dict[str, str], part: str, path: Path) -> tuple[np.ndarray, list[str]]:
    name = f"{part}_connectivity_matrix.csv"
    data = _read(archive, members, name, path)
    head, _, body = data.partition(b"\n")
    columns = [field.strip() for field in head.decode("utf-8", "replace").split(",")][1:]
    where = f"{path.name}, {name}"
    try:
        table = np.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2, comments=None)
    except ValueError as error:
        raise ReaderError(
            f"matrix cannot be read ({error})", where=where, expected="numbers with an id first"
        ) from error
    if table.shape != (len(columns), len(columns) + 1):
        raise ReaderError(
            f"matrix has shape {table.shape}, with {len(columns)} columns named",
            where=where,
            expected="a square matrix with ids",
        )
    if not np.isfinite(table).all():
        raise ReaderError("matrix holds a missing or infinite value", where=where, expected="a number in every cell")
    rows = [f"{row:.0f}" for row in table[:, 0]]
    if rows != columns:
        raise ReaderError("row and column ids differ", where=where, expected="the same neurons in the same order")
    if len(set(rows)) < len(rows):
        raise ReaderError("a neuron id occurs twice", where=where, expected="unique ids")
    return table[:, 1:], rows


def _aligned(matrix: np.ndarray, own: list[str], ids: list[str], part: str, path: Path) -> np.ndarray:
    if set(own) != set(ids):
        odd = sorted(set(own) ^ set(ids))
        raise ReaderError(
            f"{part} and all-all list different neurons ({len(odd)}, such as {odd[0]})",
            where=path.name,
            expected="the same neurons",
        )
    place = {name: index for index, name in enumerate(own)}
    order = [place[name] for name in ids]
    return matrix[np.ix_(order, order)]


def _annotations(archive: zipfile.ZipFile, members: dict[str, str], path: Path) -> pd.DataFrame:
    data = _read(archive, members, "annotations.csv", path)
    columns = ["left_id", "right_id", "celltype", "additional_annotations", "level_7_cluster"]
    try:
        table = spreadsheets.text_frame(data, f"{path.name}, annotations.csv")
    except (ValueError, UnicodeDecodeError) as error:
        raise ReaderError(f"annotations cannot be read ({error})", where=f"{path.name}, annotations.csv") from error
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ReaderError(
            f"column {missing[0]!r} is missing", where=f"{path.name}, annotations.csv", expected=", ".join(columns)
        )
    return table[columns]


def _nodes(ids: list[str], annotations: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    facts: dict[str, dict[str, str]] = {}
    twice = 0
    for left, right, celltype, annotation, cluster in annotations.astype(str).to_numpy().tolist():
        sides = {"left": left.strip(), "right": right.strip()}
        for side, label in sides.items():
            if not label.isdigit():
                continue
            twice += label in facts
            partner = sides["right" if side == "left" else "left"]
            facts[label] = {
                "type": celltype,
                "annotation": annotation,
                "cluster": cluster,
                "side": side,
                "partner": partner if partner.isdigit() else "",
            }
    empty = dict.fromkeys(("type", "annotation", "cluster", "side", "partner"), "")
    nodes = pd.DataFrame([facts.get(label, empty) for label in ids], index=pd.Index(ids, name="label"), dtype=object)
    noted = {
        "annotated_neurons": sum(label in facts for label in ids),
        "annotated_but_not_in_matrices": len(set(facts) - set(ids)),
        "annotated_twice_last_row_kept": twice,
    }
    return nodes, noted


_FLY = "Drosophila melanogaster"


def recognise(files: Files) -> list[Finding]:
    """An archive with the five matrices."""
    own = []
    for path in files.paths:
        members = {name.rsplit("/", 1)[-1] for name in files.peek(path).members}
        if {f"{part}_connectivity_matrix.csv" for part in (*_PARTS, _ALL)} <= members:
            own.append(path)
    what = "connectome of the fly larva in the layout of Winding et al. 2023 (Data S1)"
    return [finding for path in own for finding in one_store(what, [path], "connectome", species=_FLY)]


READER = Reader("winding2023", ("connectome",), read, recognise=recognise)
