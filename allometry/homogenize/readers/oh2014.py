"""Oh et al. 2014: mesoscale connectome of the mouse brain, Supplementary Table 3.

Layout: one .xlsx with sheets `W_ipsi`, `PValue_ipsi`, `W_contra`, `PValue_contra`, each 213 x 213 with region names in the
first row (targets) and first column (sources). Weights are normalised connection strengths of a linear model; `#NUM!`
stands where no p value exists (weight 0).
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
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.options import choice, quantity, text
from allometry.homogenize.reader import Reader, Source, named_file

_SIDES = ("ipsi", "contra")


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read the table.

    Regions of the injected hemisphere keep their name, those of the other end in `_contra`.
    """
    side = options["hemisphere"]
    threshold = None if options["p_threshold"] is None else float(options["p_threshold"])
    path = named_file(files, options["file"], source.name, (".xlsx", ".xls"))
    tables: list[pd.DataFrame] = []
    names: list[str] = []
    counts: dict[str, Any] = {}
    for hemisphere in _SIDES if side == "both" else (side,):
        edges, regions = _hemisphere(path, hemisphere)
        if names and regions != names:
            raise ReaderError(
                "sheets list different regions", where=path.name, expected="the same regions in the same order"
            )
        names = regions
        p = edges["p_value"]
        counts[hemisphere] = {"w>0": len(edges), "p<0.05": int((p < 0.05).sum()), "p<0.01": int((p < 0.01).sum())}
        tables.append(edges[p < threshold] if threshold is not None else edges)
    edges = pd.concat(tables, ignore_index=True)
    if edges.empty:
        raise ReaderError("no edge is left", where=path.name, expected="weights > 0 with p below the threshold")
    nodes = _nodes(names, side)
    return stores.connectome(
        nodes,
        edges,
        attrs=source.attrs(
            "Mesoscale connectome of the mouse brain, Oh et al. 2014",
            {"hemisphere": side, "p_threshold": threshold},
            {
                "counts": counts,
                "weight": "normalised connection strength of the linear model of the paper",
                "hemispheres": "sources are in the injected hemisphere; targets on the other side end in _contra",
                "p_value": "NaN where the table has #NUM!",
                "stored": stored(edges),
            },
            {path.name: path},
        ),
    )


def _hemisphere(path: Path, side: str) -> tuple[pd.DataFrame, list[str]]:
    weight, rows, columns = spreadsheets.labelled_matrix(path, f"W_{side}")
    p_value, p_rows, p_columns = spreadsheets.labelled_matrix(path, f"PValue_{side}", missing="#NUM!")
    where = f"{path.name}, {side}"
    if rows != columns or p_rows != rows or p_columns != columns:
        raise ReaderError(
            "row and column names differ", where=where, expected="the same regions on both axes of both sheets"
        )
    finite = p_value[np.isfinite(p_value)]
    if len(finite) and (finite.min() < 0 or finite.max() > 1):
        raise ReaderError("a p value is outside 0..1", where=where, expected="p values")
    targets = columns if side == "ipsi" else [f"{name}_contra" for name in columns]
    edges = from_matrix(weight, rows, targets, "mesoscale", where)
    check_weights(edges, where)
    i, j = np.nonzero(weight)
    return edges.assign(p_value=p_value[i, j]), rows


def _nodes(names: list[str], side: str) -> pd.DataFrame:
    injected = pd.DataFrame({"hemisphere": "ipsi"}, index=names)
    other = pd.DataFrame({"hemisphere": "contra"}, index=[f"{name}_contra" for name in names])
    nodes = injected if side == "ipsi" else pd.concat([injected, other])
    return nodes.assign(type="region").rename_axis("label")


def recognise(files: Files) -> list[Finding]:
    """A workbook with the four sheets."""
    sheets = {f"{name}_{side}" for name in ("W", "PValue") for side in _SIDES}
    own = [path for path in files.paths if sheets <= set(files.peek(path).sheets)]
    what = "mesoscale connectome of the mouse in the layout of Oh et al. 2014 (Supplementary Table 3)"
    return [finding for path in own for finding in one_store(what, [path], "connectome", species="Mus musculus")]


OPTIONS = {
    "hemisphere": choice("both", ("both", *_SIDES), "Targets: of the injected hemisphere, of the other one, or both."),
    "p_threshold": quantity(None, "Only edges with p below it are kept; null: all of weight > 0.", above=0, most=1),
    "file": text(None, "Name of the file to read, where the source has several."),
}
READER = Reader("oh2014", ("connectome",), read, OPTIONS, recognise=recognise)
