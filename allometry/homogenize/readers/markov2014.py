"""Markov et al. 2014: weighted, directed connectivity between areas of macaque cortex by retrograde tracing.

Layout: tab-separated text. `Markov2014_FLN_rawdata.csv`: case, monkey, source area, injected (target) area, FLNe (fraction of
labelled neurons extrinsic to the injected area), number of neurons, Known or NFP (newly found projection); two lines of
header. `SLN_Data.csv`: blank-separated, target (TO), source (FROM), supragranular (S) and infragranular (I) neurons.
`Thom_Distances_MERetal12.csv`: matrix of white-matter distances in mm with other spellings of some areas.
`hierarchy_Markov.csv`: area, two hierarchy levels.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.connectomes.edges import check_weights
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.reader import Reader, Source, named_file

_FLN, _SLN, _DISTANCE = "Markov2014_FLN_rawdata.csv", "SLN_Data.csv", "Thom_Distances_MERetal12.csv"
_HIERARCHY = "hierarchy_Markov.csv"

# Spellings of the distance and hierarchy tables to those of the table of projections.
_SPELLING = {
    "29-30": "29/30",
    "9-46d": "9/46d",
    "9-46v": "9/46v",
    "Core": "CORE",
    "INS": "INSULA",
    "PIR": "PIRI",
    "Pi": "Parainsula",
    "ProStr": "Pro.St.",
    "TEam-a": "TEa/ma",
    "TEam-p": "TEa/mp",
    "TH-TF": "TH/TF",
    "PERIRHINAL": "PERI",
    "8L": "8l",
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read projections, with SLN, distances and hierarchy where their files are given; no options."""
    path = named_file(files, _FLN, source.name)
    rows = _projections(path)
    edges, derived = _fractions(rows)
    areas = sorted(set(rows["source"]) | set(rows["target"]))
    used = {_FLN: path}
    nodes = pd.DataFrame({"type": "cortical area"}, index=pd.Index(areas, name="label"))
    nodes["injections_into_area"] = (
        rows.groupby("target")["case"].nunique().reindex(areas, fill_value=0).astype(np.int32)
    )
    if _SLN in files:
        used[_SLN] = files[_SLN]
        derived["sln"] = _add_sln(edges, files[_SLN])
    if _DISTANCE in files:
        used[_DISTANCE] = files[_DISTANCE]
        derived["distance"] = _add_distance(edges, files[_DISTANCE])
    if _HIERARCHY in files:
        used[_HIERARCHY] = files[_HIERARCHY]
        derived["hierarchy"] = _add_hierarchy(nodes, files[_HIERARCHY])
    derived["files_not_stored"] = sorted(set(files) - set(used))
    return stores.connectome(
        nodes,
        edges,
        attrs=source.attrs("Connectivity between areas of macaque cortex, Markov et al. 2014", {}, derived, used),
        absent_means={"mesoscale": "unmeasured"},
        units={"distance": "mm"},
    )


def _projections(path: Path) -> pd.DataFrame:
    lines = [(number, row) for number, row in enumerate(spreadsheets.read_delimited(path, "\t", comment="#"), start=1)]
    lines = [(number, row) for number, row in lines if any(row)]
    short = [number for number, row in lines if len(row) < 7 or None in row[:7]]
    if not lines or short:
        raise ReaderError(
            "a row has fewer than 7 fields" if short else "table is empty",
            where=f"{path.name}, line {short[0] if short else 1}",
            expected="case, monkey, source, target, FLNe, neurons, status",
        )
    columns = ["case", "monkey", "source", "target", "fln", "neurons", "status"]
    table = pd.DataFrame([row[:7] for _, row in lines], columns=columns, index=[number for number, _ in lines])
    for name in ("fln", "neurons"):
        table[name] = spreadsheets.numbers(table[name], path.name)
    table["weight"], table["synapse"] = table["fln"], "mesoscale"
    check_weights(table, path.name)
    if (table["fln"] > 1).any() or (table["neurons"] < 0).any():
        raise ReaderError(
            "FLNe above 1, or a negative number of neurons", where=path.name, expected="fractions and counts"
        )
    if (table.groupby("case")["target"].nunique() > 1).any():
        raise ReaderError("one case has several injected areas", where=path.name, expected="one target per case")
    if table.duplicated(["case", "source"]).any():
        row = table[table.duplicated(["case", "source"])].iloc[0]
        raise ReaderError(
            f"case {row['case']} lists source {row['source']} twice",
            where=f"{path.name}, line {row.name}",
            expected="once",
        )
    return table


def _fractions(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Mean FLNe over the injections of a target, for every source: a source that an injection did not label counts as 0."""
    sums = rows.groupby("case")["fln"].sum()
    injections = rows.groupby("target")["case"].nunique()
    targets, sources = sorted(injections.index), sorted(set(rows["source"]) | set(rows["target"]))
    table = rows.pivot_table(index="source", columns="target", values=["fln", "neurons"], aggfunc="sum", fill_value=0)
    found = rows.groupby(["source", "target"])["case"].nunique()
    pairs = pd.MultiIndex.from_product([sources, targets], names=["source", "target"])
    pairs = pairs[pairs.get_level_values(0) != pairs.get_level_values(1)]
    stacked = table.stack("target", future_stack=True).reindex(pairs, fill_value=0)
    count = injections.reindex(pairs.get_level_values(1)).to_numpy()
    edges = pd.DataFrame(
        {
            "source": pairs.get_level_values(0),
            "target": pairs.get_level_values(1),
            "weight": stacked["fln"].to_numpy() / count,
            "synapse": "mesoscale",
            "neurons": stacked["neurons"].to_numpy(),
            "injections": count.astype(np.int32),
            "injections_labelled": found.reindex(pairs, fill_value=0).to_numpy().astype(np.int32),
        }
    )
    return edges, {
        "weight": "FLNe (fraction of labelled neurons outside the injected area), mean over the injections of the target; an "
        "injection that did not label the source counts as 0",
        "orientation": "source is the area with labelled cell bodies, target the injected area",
        "absent": f"all pairs into the {len(targets)} injected areas are listed, weight 0 where no neuron was labelled; pairs into "
        "other areas were not measured",
        "rows": len(rows),
        "cases": int(rows["case"].nunique()),
        "targets": len(targets),
        "sources": int(rows["source"].nunique()),
        "pathways": len(found),
        "sum_of_flne_per_case": {"smallest": float(sums.min()), "largest": float(sums.max())},
        "published_count": "1615 pathways, 29 targets and 91 areas, as published",
    }


def _add_sln(edges: pd.DataFrame, path: Path) -> dict[str, Any]:
    lines = [line.split() for row in spreadsheets.read_delimited(path, "\n", comment="#") for line in row if line]
    if not lines or any(lines[0].count(name) != 1 for name in ("TO", "FROM", "S", "I")):
        raise ReaderError("header is wrong", where=path.name, expected="columns TO, FROM, S, I once each, among others")
    ragged = [line for line in lines if len(line) != len(lines[0])]
    if ragged:
        raise ReaderError(f"a row has {len(ragged[0])} fields", where=path.name, expected=f"{len(lines[0])} fields")
    table = pd.DataFrame(lines[1:], columns=lines[0])
    table["S"], table["I"] = (spreadsheets.numbers(table[name], path.name) for name in ("S", "I"))
    if (table[["S", "I"]] < 0).any(axis=None):
        raise ReaderError("a number of neurons is negative", where=path.name, expected="counts")
    pooled = table.groupby(["FROM", "TO"])[["S", "I"]].sum()
    with np.errstate(invalid="ignore"):
        sln = pooled["S"] / (pooled["S"] + pooled["I"])
    pairs = pd.MultiIndex.from_frame(edges[["source", "target"]])
    edges["sln"] = sln.reindex(pairs).to_numpy(float)
    return {
        "rule": "supragranular fraction, neurons pooled over injections; NaN where not published",
        "rows": len(table),
        "pairs": len(sln),
        "pairs_without_an_edge": int((~sln.index.isin(pairs)).sum()),
    }


def _add_distance(edges: pd.DataFrame, path: Path) -> dict[str, Any]:
    rows = [row for row in spreadsheets.read_delimited(path, "\t") if any(row)]
    table = next((rows[i:] for i, row in enumerate(rows) if row[0] is None and len(row) > 1 and row[1]), None)
    if table is None:
        raise ReaderError("header of the matrix is missing", where=path.name, expected="a row of area names")
    columns = [name for name in table[0][1:] if name]
    body = [row[: len(columns) + 1] for row in table[1:]]
    if any(len(row) != len(columns) + 1 or row[0] is None for row in body) or not body:
        raise ReaderError("matrix is ragged", where=path.name, expected=f"rows of a name and {len(columns)} numbers")
    frame = pd.DataFrame({name: [row[i + 1] for row in body] for i, name in enumerate(columns)})
    values = (
        np.column_stack([spreadsheets.numbers(frame[name], path.name) for name in frame])
        if columns
        else np.empty((0, 0))
    )
    names = [_SPELLING.get(name, name) for name in columns]
    rows_named = [_SPELLING.get(row[0], row[0]) for row in body]
    if len(set(names)) < len(columns) or len(set(rows_named)) < len(body) or (values < 0).any():
        raise ReaderError(
            "an area occurs twice, or a distance is negative", where=path.name, expected="distances in mm"
        )
    matrix = pd.DataFrame(values, index=rows_named, columns=names)
    stacked = matrix.stack()
    pairs = pd.MultiIndex.from_frame(edges[["source", "target"]])
    edges["distance"] = stacked.reindex(pairs).to_numpy(float)
    areas = set(edges["source"]) | set(edges["target"])
    return {
        "rule": "white-matter distance in mm; NaN where not listed",
        "areas_without_distance": sorted(areas - set(names)),
        "areas_listed_but_not_traced": sorted(set(names) - areas),
        "renamed": {old: new for old, new in _SPELLING.items() if old in columns},
    }


def _add_hierarchy(nodes: pd.DataFrame, path: Path) -> dict[str, Any]:
    lines = [row for row in spreadsheets.read_delimited(path, ",") if any(row)]
    rows = lines[1:]  # the first line says where the table comes from
    if not rows or any(len(row) != 3 or not all(row) for row in rows):
        raise ReaderError("a row has not 3 fields", where=path.name, expected="area, level, rescaled level")
    names = [_SPELLING.get(str(row[0]), str(row[0])) for row in rows]
    by_case = {name.casefold(): name for name in nodes.index}
    names = [by_case.get(name.casefold(), name) for name in names]
    table = pd.DataFrame(rows, columns=["area", "level", "rescaled"])
    level = spreadsheets.numbers(table["level"], path.name)
    level.index = names
    if level.index.has_duplicates:
        raise ReaderError("an area occurs twice", where=path.name, expected="each area once")
    nodes["hierarchy"] = level.reindex(nodes.index).to_numpy(float)
    return {
        "rule": "level of Markov et al. 2014, J. Comp. Neurol.; NaN elsewhere",
        "areas_not_traced": sorted(set(names) - set(nodes.index)),
    }


def recognise(files: Files) -> list[Finding]:
    """The table of projections by its name, with the tables beside it that the reader knows."""
    own = files.named(_FLN, _SLN, _DISTANCE, _HIERARCHY)
    what = "connectivity of macaque cortex in the layout of Markov et al. 2014"
    return one_store(what, own if files.named(_FLN) else [], "connectome", species="Macaca fascicularis")


READER = Reader("markov2014", ("connectome",), read, recognise=recognise)
