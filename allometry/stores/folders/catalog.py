"""Every recording below a folder in one table: what was recorded where, of what, for how long, under which terms."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.attributes import attribute
from allometry.stores.folders.finding import find_stores
from allometry.stores.schema import Data
from allometry.stores.storage.store import open_store

COLUMNS = (
    "store",
    "kind",
    "recording",
    "species",
    "area",
    "cell_type",
    "indicator",
    "stimulus",
    "hours",
    "units",
    "labelled",
    "rate_hz",
    "licence",
    "citation",
    "path",
)
# Where stores say it: variables over units, ROIs or recordings, or what is said about the session
_SAID: dict[str, tuple[str, ...]] = {
    "area": ("area", "location", "targeted_structure", "brain_area", "ecephys_structure_acronym", "region"),
    "cell_type": ("cell_type", "genotype", "cre_line", "full_genotype", "strain"),
    "indicator": ("indicator",),
    "stimulus": ("stimulus", "stimulus_name"),
}
_SHOWN = 6  # different values in one cell


def catalog(path: str | os.PathLike[str] = "results") -> pd.DataFrame:
    """One row per recording of every store of activity, responses and recorded spikes.

    Parameters
    ----------
    path : path
        A store, or a folder that is searched.

    Returns
    -------
    DataFrame
        `store`, `kind`, `recording`, `species`, `area`, `cell_type` (or genotype, or strain), `indicator`, `stimulus`
        (texts, empty where the store does not say it, several values separated by commas), `hours` (recorded, or observed),
        `units` (neurons, units or ROIs), `labelled` (those with a name of the canonical axis; missing where there is none),
        `rate_hz` (native rate of traces; NaN of spikes), `licence`, `citation`, `path`.

    Raises
    ------
    StoreError
        There is no such folder, or a store is damaged.
    """
    top = Path(path)
    if not top.exists():
        raise StoreError("there is no such folder", where=str(top), expected="results of the workflow, or a store")
    return of_stores((str(store), open_store(store, check="none")) for store in find_stores(top) if store.exists())


def of_stores(opened: Iterable[tuple[str, Data]]) -> pd.DataFrame:
    """The table of `catalog` for some stores; those of other kinds, and simulated spikes, have no rows.

    Parameters
    ----------
    opened : iterable of (str, Dataset or DataTree)
        Paths of stores of any kind, and the stores.

    Returns
    -------
    DataFrame
    """
    rows = [{"store": Path(path).stem, "path": path, **row} for path, obj in opened for row in _rows(obj)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"labelled": "Int64"})


def _rows(obj: Data) -> Iterator[dict[str, Any]]:
    root = obj.to_dataset(inherit=False) if isinstance(obj, xr.DataTree) else obj
    kind = str(root.attrs.get("schema", "")).lower()
    common = {"kind": kind, **{key: str(root.attrs.get(key, "")) for key in ("species", "licence", "citation")}}
    about = attribute(root, "session") if "session" in root.attrs else {}
    about = about if isinstance(about, dict) else {}
    if kind == "activity" and isinstance(obj, xr.DataTree):
        for number, name in enumerate(root["recording"].values.tolist()):
            native = obj.children["native"].children[name].to_dataset(inherit=False)
            time = native["time"]
            rate = float(root["native_rate"].values[number])
            yield {
                **common,
                "recording": name,
                **_said(native, root.isel(recording=number), about),
                "hours": (float(time[-1]) - float(time[0]) + 1 / rate) / 3600 if time.size else 0.0,
                "units": native.sizes["roi"],
                "labelled": int((native["label"].values != "").sum()),
                "rate_hz": rate,
            }
    elif kind == "responses":
        onset, length = (root[name].values if name in root else np.zeros(0) for name in ("onset", "duration"))
        known = onset[np.isfinite(onset)]
        span = float(known.max() - known.min() + np.nanmax(np.append(length, 0.0))) if known.size else np.nan
        yield {
            **common,
            "recording": _name(root, about),
            **_said(root, root, about),
            "hours": span / 3600,
            "units": root.sizes["unit"],
            "labelled": pd.NA,
            "rate_hz": np.nan,
        }
    elif kind == "spikes" and root.attrs.get("order") == "unit":
        yield {
            **common,
            "recording": _name(root, about),
            **_said(root, root, about),
            "hours": float(np.diff(root["observed"].values, axis=1).sum()) / 3600,
            "units": root.sizes["unit"],
            "labelled": pd.NA,
            "rate_hz": np.nan,
        }


def _name(root: xr.Dataset, about: dict[str, Any]) -> str:
    parameters = attribute(root, "parameters") if "parameters" in root.attrs else {}
    names = [about.get(key) for key in ("session_id", "session", "identifier")] + [parameters.get("session")]
    return next((str(name) for name in names if name), str(root.attrs.get("title", "")))


def _said(first: xr.Dataset, second: xr.Dataset, about: dict[str, Any]) -> dict[str, str]:
    """What variables or the session say, for each column."""
    found = {}
    for column, names in _SAID.items():
        texts = (_values(part, name) for name in names for part in (first, second))
        plain = (str(about[name]) for name in names if about.get(name))
        found[column] = next((text for text in (*texts, *plain) if text), "")
    return found


def _values(part: xr.Dataset, name: str) -> str:
    """Different values of a variable of text, without empty ones."""
    if name not in part.variables or part[name].dtype.kind not in "OUT":
        return ""
    shown = sorted({str(value) for value in part[name].values.ravel().tolist()} - {""})
    more = f", and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


def printed(table: pd.DataFrame, widest: int = 28) -> str:
    """The table as text: without citations and paths, long cells cut."""
    if table.empty:
        return "no recordings"
    shown = table.drop(columns=["citation", "path"])
    shown = shown.loc[
        :, [name for name in shown if name in ("store", "recording") or (shown[name].astype(str) != "").any()]
    ]
    text = {str(name): [_cell(value, widest) for value in shown[name].tolist()] for name in shown}
    widths = {name: max(len(name), *map(len, cells)) for name, cells in text.items()}
    number = {str(name): pd.api.types.is_numeric_dtype(shown[name]) for name in shown}
    lines = ["  ".join(name.rjust(widths[name]) if number[name] else name.ljust(widths[name]) for name in text)]
    for row in range(len(shown)):
        cells = ((name, cells[row]) for name, cells in text.items())
        lines.append("  ".join(c.rjust(widths[n]) if number[n] else c.ljust(widths[n]) for n, c in cells))
    hours, units = table["hours"].sum(), int(table["units"].sum())
    lines += ["", f"{len(table)} recordings in {table['store'].nunique()} stores: {hours:.2f} hours, {units} units"]
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: Any, widest: int) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    return text if len(text) <= widest else text[: widest - 1] + "…"
