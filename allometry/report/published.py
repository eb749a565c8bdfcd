"""Counts of stores, held against those that a publication gives for the same data."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry.stores.attributes import attribute
from allometry.stores.folders.catalog import of_stores
from allometry.stores.storage.store import open_store

COLUMNS = ("store", "quantity", "counted", "published", "verdict", "by")
_MEANS = ("labelled", "units")  # published as whole numbers, rounded down
_SIGNIFICANT = 0.05


def table(results: Path, published: Mapping[tuple[str, str], Mapping[str, Any] | None]) -> pd.DataFrame:
    """One row per store and published quantity; one row for a store of which nothing is published.

    Parameters
    ----------
    results : Path
        Folder of the results.
    published : mapping of (str, str) to mapping or None
        Kind and name of a store to its published counts and `by` whom they are; None: there are none.

    Returns
    -------
    DataFrame
        `store`, `quantity`, `counted` (NaN where the store is not made), `published` (NaN where nothing is), `verdict`
        (`as published`, `fewer`, `more`, `not made`, `not published`), `by`. Means count as published when they round down to
        the published number.

    Raises
    ------
    StoreError
        A store is damaged.
    """
    rows: list[dict[str, Any]] = []
    for (kind, name), given in published.items():
        path = results / "homogenized" / kind / f"{name}.zarr"
        counted = counts(path) if path.exists() else {}
        expected = {key: value for key, value in (given or {}).items() if key != "by"}
        for quantity in expected or list(counted) or ["recordings" if kind == "activity" else "nodes"]:
            one, other = counted.get(quantity, math.nan), float(expected.get(quantity, math.nan))
            verdict = "not made" if not counted else _verdict(quantity, one, other)
            by = str((given or {}).get("by", ""))
            rows.append(dict(zip(COLUMNS, (name, quantity, one, other, verdict, by))))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _verdict(quantity: str, counted: float, published: float) -> str:
    if math.isnan(published):
        return "not published"
    if math.isnan(counted):
        return "not counted"
    whole = math.floor(counted) if quantity in _MEANS else counted
    return "as published" if whole == published else "fewer" if whole < published else "more"


def counts(path: Path) -> dict[str, float]:
    """What can be counted in a store of activity or a connectome, by quantity.

    Returns
    -------
    dict of str to float
        Activity: `recordings`, and the means over them of `labelled` and of all `units`. Connectome: `nodes`; for each kind of
        synapse the number of edges (`chemical_edges`) and the sum of their weights (`chemical`), of gap junctions as the file
        lists them; of functional ones the measured pairs and those with q below 0.05.
    """
    obj = open_store(path, check="list")
    if isinstance(obj, xr.DataTree):
        rows = of_stores([(str(path), obj)])
        return {
            "recordings": float(len(rows)),
            "labelled": float(rows["labelled"].astype(float).mean()),
            "units": float(rows["units"].astype(float).mean()),
        }
    return dict(_connections(obj))


def _connections(store: xr.Dataset) -> Iterator[tuple[str, float]]:
    yield "nodes", float(store.sizes["node"])
    derived = attribute(store, "derived") if "derived" in store.attrs else {}
    listed = derived.get("listed", {}) if isinstance(derived, dict) else {}
    synapse, weight = store["synapse"].values, store["weight"].values.astype(float)
    for kind in dict.fromkeys(synapse.tolist()):
        of_kind = synapse == kind
        edges, total = float(of_kind.sum()), float(np.nansum(weight[of_kind]))
        if kind == "electrical" and isinstance(listed.get(kind), dict):
            edges, total = float(listed[kind]["rows"]), float(listed[kind]["weight"])
        yield f"{kind}_edges", edges
        if kind != "functional":
            yield kind, total
        elif "q" in store:
            yield "significant_edges", float((store["q"].values[of_kind] < _SIGNIFICANT).sum())


def printed(rows: pd.DataFrame) -> str:
    """The table as text, and what it comes to."""
    if rows.empty:
        return "the configuration asks for no recordings and no connectomes"
    widths = {name: max(len(name), *(len(_cell(value)) for value in rows[name])) for name in COLUMNS[:-1]}
    lines = ["  ".join(name.ljust(width) for name, width in widths.items())]
    for row in rows.to_dict("records"):
        cells = (
            _cell(row[name]).rjust(width) if name in ("counted", "published") else _cell(row[name]).ljust(width)
            for name, width in widths.items()
        )
        lines.append("  ".join(cells))
    verdicts = rows["verdict"].value_counts()
    lines += ["", "; ".join(f"{verdict}: {count}" for verdict, count in verdicts.items())]
    lines += [f"published by: {text}" for text in dict.fromkeys(rows["by"]) if text]
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.0f}" if value == int(value) else f"{value:.1f}"
    return str(value)
