"""Responses: what each unit did in each presentation of a stimulus."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.schema import ANY_UNIT, Schema, Variable, conform, require, text

# Units of the columns that the field always measures alike; others are given by the caller.
UNITS = {"onset": "s", "duration": "s", "depth": "m"}


def check(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    """List what is wrong with the values of a responses store."""
    found = []
    for axis in ("unit", "presentation"):
        labels = root[axis].values
        if len(np.unique(labels)) < len(labels):
            found.append(f"{axis}: a label is not unique")
    if "lag" in root["response"].dims and "lag" not in root.coords:
        found.append("lag: is missing")
    elif "lag" in root.coords and not (np.diff(root["lag"].values) > 0).all():
        found.append("lag: does not increase")
    if np.isinf(root["response"].values).any():
        found.append("response: holds infinite values (missing is NaN)")
    conditions = pd.MultiIndex.from_arrays([root["condition"].values.astype(object), root["repeat"].values])
    if conditions.has_duplicates:
        condition, repeat = conditions[conditions.duplicated()][0]
        found.append(f"presentation: condition {condition!r} has repeat {repeat} twice")
    return found


SCHEMA = Schema(
    kind="responses",
    doc="Stimulus-driven responses: units by presentations (by lags); unbalanced designs are normal.",
    variables={
        "unit": Variable(("unit",), "label", doc="name or number of each unit, unique"),
        "presentation": Variable(("presentation",), "int64", doc="number of each presentation"),
        "lag": Variable(("lag",), "float64", "s", optional=True, doc="time from onset"),
        "response": Variable(
            ("unit", "presentation"), "float32", ANY_UNIT, doc="NaN where missing", optional_dims=("lag",)
        ),
        "stimulus": Variable(("presentation",), "text", doc="kind of stimulus (grating, scene, ...)"),
        "condition": Variable(("presentation",), "text", doc="presentations of one condition are repeats"),
        "repeat": Variable(("presentation",), "int64", doc="number of the repeat within its condition"),
        "onset": Variable(("presentation",), "float64", "s", optional=True, doc="time of onset"),
        "duration": Variable(("presentation",), "float64", "s", optional=True, doc="how long it was shown"),
        "area": Variable(("unit",), "text", optional=True, doc="brain area"),
        "layer": Variable(("unit",), "text", optional=True, doc="cortical layer"),
        "depth": Variable(("unit",), "number", "m", optional=True, doc="below the surface"),
        "cell_type": Variable(("unit",), "text", optional=True, doc="cell type or cre line"),
        "quality": Variable(("unit",), "number", optional=True, doc="sorting or segmentation quality"),
    },
    check=check,
)


def table_variables(
    frame: pd.DataFrame, dim: str, schema: Schema, units: Mapping[str, str] | None = None
) -> dict[str, xr.Variable]:
    """Turn a table's columns into variables over `dim`; floating columns get `units` (default `1`)."""
    variables, units = {}, UNITS | dict(units or {})
    for name in frame.columns:
        values = conform(frame[name], schema.variables.get(name))
        described = values.dtype.kind == "f" or name in units
        variables[str(name)] = xr.Variable((dim,), values, {"units": units.get(name, "1")} if described else {})
    return variables


def unit_labels(index: pd.Index) -> np.ndarray:
    """Return unit labels as int64 where all are integers, else as text."""
    return index.to_numpy(np.int64) if index.dtype.kind in "iu" else text(index)


def responses(
    response: np.ndarray,
    presentations: pd.DataFrame,
    units: pd.DataFrame,
    *,
    lag_s: Sequence[float] | np.ndarray | None = None,
    attrs: Mapping[str, Any],
    response_units: str = "1",
    column_units: Mapping[str, str] | None = None,
) -> xr.Dataset:
    """Build a Responses store.

    Parameters
    ----------
    response : (unit, presentation) or (unit, presentation, lag) float32
        NaN where missing.
    presentations : DataFrame, one row per presentation
        `stimulus`, `condition` (text); `repeat` (int; counted within each condition when absent); optional `onset`,
        `duration` (s) and any parameters.
    units : DataFrame, index = label of each unit
        area, layer, depth (m), cell_type, quality, ... as far as they are known.
    lag_s : (lag,) float64, optional
        Time of each lag from onset, s; needed with three dimensions.
    attrs : mapping
        Root attributes (title, species, citation, licence, source, parameters, derived).
    response_units : str
        Units of the response (`1` for dF/F, `Hz`, `mV`).
    column_units : mapping, optional
        Units of further floating columns of both tables (default `1`).

    Returns
    -------
    Dataset
        `response` (unit, presentation[, lag]) float32, and the columns of both tables.

    Raises
    ------
    StoreError
        Shapes that do not agree, missing columns, repeated (condition, repeat), and every other violation.
    """
    response = np.asarray(response, np.float32)
    expected: tuple[int, ...] = (len(units), len(presentations))
    expected += () if lag_s is None else (len(lag_s),)
    if response.shape != expected:
        raise StoreError(
            what=f"response has shape {response.shape}",
            where="response",
            expected=f"(unit, presentation{', lag' if lag_s is not None else ''}) = {expected}",
            do="transpose it, or correct the tables",
        )
    missing = {"stimulus", "condition"} - set(presentations.columns)
    if missing:
        raise StoreError(
            what=f"presentation table lacks {sorted(missing)}",
            where="presentations",
            expected="columns stimulus, condition, optional repeat, onset, duration and parameters",
            do="name the columns so",
        )
    table = presentations.reset_index(drop=True)
    if "repeat" not in table:
        table = table.assign(repeat=table.groupby("condition").cumcount())
    coords: dict[str, Any] = {
        "unit": ("unit", unit_labels(units.index)),
        "presentation": ("presentation", np.arange(len(table), dtype=np.int64)),
    }
    if lag_s is not None:
        coords["lag"] = ("lag", np.asarray(lag_s, np.float64), {"units": "s"})
    dims = ("unit", "presentation", "lag")[: response.ndim]
    dataset = xr.Dataset(
        {
            "response": (dims, response, {"units": response_units}),
            **table_variables(table, "presentation", SCHEMA, column_units),
            **table_variables(units, "unit", SCHEMA, column_units),
        },
        coords=coords,
        attrs=SCHEMA.root_attrs(attrs),
    )
    require(dataset, SCHEMA)
    return dataset
