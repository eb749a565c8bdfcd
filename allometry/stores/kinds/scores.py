"""Scores: one row per comparison, and the curves behind the numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.attributes import encoded
from allometry.stores.schema import Schema, Variable, column, conform, require, text

KEYS = ("measure", "candidate", "reference", "group")
NUMBERS = ("score", "ceiling_low", "ceiling_high", "ceiled", "ci_low", "ci_high", "p")
TEXTS = ("verdict", "baseline")
DIFFERENCE = ("difference", "difference_low", "difference_high")
VERDICTS = ("", "better", "no better", "worse", "undecided")


def check(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    """List what is wrong with the values of a scores store."""
    found = []
    keys = pd.MultiIndex.from_arrays([root[key].values.astype(object) for key in KEYS])
    if keys.has_duplicates:
        found.append(f"comparison: {keys[keys.duplicated()][0]} is listed more than once")
    for key in ("measure", "candidate"):
        if (root[key].values == "").any():
            found.append(f"{key}: is empty")
    unknown = sorted(set(root["verdict"].values.tolist()) - set(VERDICTS))
    if unknown:
        found.append(f"verdict: {unknown[0]!r} is none of {', '.join(VERDICTS[1:])}")
    for low, high in (("ci_low", "ci_high"), ("ceiling_low", "ceiling_high"), DIFFERENCE[1:]):
        if (root[low].values > root[high].values).any():
            found.append(f"{low}: is above {high}")
    p = root["p"].values
    if ((p < 0) | (p > 1)).any():
        found.append("p: outside 0..1")
    if any(np.isinf(root[name].values).any() for name in NUMBERS + DIFFERENCE):
        found.append("a number is infinite (missing is NaN)")
    return found


SCHEMA = Schema(
    kind="scores",
    doc="Results of comparisons, one row each; `/curves/{measure}` holds what is not a scalar. Rows have further columns: "
    "`role` (result, baseline or control), `n` (items the score rests on), `p_fdr` (p adjusted over the rows of the "
    "measure) and, by comparison, what the attribute `derived` explains.",
    variables={
        "measure": Variable(("comparison",), "text", doc="name of the measure"),
        "candidate": Variable(("comparison",), "text", doc="store that is judged"),
        "reference": Variable(("comparison",), "text", doc="store that it is compared with, or empty"),
        "group": Variable(("comparison",), "text", doc="subject, area, condition ... or empty"),
        "score": Variable(("comparison",), "float64", doc="value of the measure"),
        "ceiling_low": Variable(("comparison",), "float64", doc="lower bound of the noise ceiling"),
        "ceiling_high": Variable(("comparison",), "float64", doc="upper bound of the noise ceiling"),
        "ceiled": Variable(("comparison",), "float64", doc="score relative to the ceiling, as the measure defines it"),
        "ci_low": Variable(("comparison",), "float64", doc="lower bound of the confidence interval"),
        "ci_high": Variable(("comparison",), "float64", doc="upper bound of the confidence interval"),
        "p": Variable(("comparison",), "float64", doc="p value"),
        "verdict": Variable(
            ("comparison",),
            "text",
            doc="of a result against its strongest baseline: better, no better, worse or undecided; empty where there is none",
        ),
        "baseline": Variable(("comparison",), "text", doc="name of that baseline"),
        "difference": Variable(("comparison",), "float64", doc="score of the result less that of the baseline"),
        "difference_low": Variable(("comparison",), "float64", doc="lower bound of its 95 % interval"),
        "difference_high": Variable(("comparison",), "float64", doc="upper bound of its 95 % interval"),
    },
    groups={"curves": {}},
    check=check,
    # 3: verdicts
    version=3,
)


def with_verdicts(root: xr.Dataset) -> xr.Dataset:
    """Rows of version 2, which had no verdicts in this sense: the columns are there, and empty.

    What two kinds of comparison called `verdict` and `baseline` then goes by the names it has now.
    """
    if "baseline" in root and root["baseline"].dtype.kind != "f":
        return root
    seeds = "baseline" in root
    names = {"verdict": "beside_seeds" if seeds else "remark", "baseline": "expected"}
    root = root.rename({old: new for old, new in names.items() if old in root})
    size = root.sizes["comparison"]
    for name in TEXTS:
        root[name] = ("comparison", text([""] * size))
    for name in DIFFERENCE:
        root[name] = ("comparison", np.full(size, np.nan))
    return root


def as_stored(curve: xr.Dataset) -> xr.Dataset:
    """Give a curve's text the stores' string dtype and its attributes JSON types."""
    curve = curve.copy()
    for name, variable in curve.variables.items():
        replaced = (variable.dims, column(variable.values), encoded(variable.attrs))
        if name in curve.coords:
            curve.coords[name] = replaced
        else:
            curve[name] = replaced
    curve.attrs = encoded(curve.attrs)
    return curve


def scores(
    rows: pd.DataFrame | Sequence[Mapping[str, Any]],
    curves: Mapping[str, xr.Dataset] | None = None,
    *,
    attrs: Mapping[str, Any],
) -> xr.DataTree:
    """Build a Scores store.

    Parameters
    ----------
    rows : DataFrame or list of dict, one per comparison
        `measure`, `candidate`, `score`; optional `reference`, `group` (text, default empty), `ceiling_low`,
        `ceiling_high`, `ceiled`, `ci_low`, `ci_high`, `p`, `difference` and its bounds (default NaN), `verdict`, `baseline`
        (default empty), and further columns. Order is kept.
    curves : mapping, optional
        Measure -> Dataset with what is not a scalar. A dimension called comparison must be that of the rows.
    attrs : mapping
        Root attributes (title, species, citation, licence, source, parameters, derived, seed).

    Returns
    -------
    DataTree with the rows at the root and `/curves/{measure}` groups.

    Raises
    ------
    StoreError
        A missing column, a comparison listed twice, bounds out of order, and every other violation.
    """
    table = rows.reset_index(drop=True) if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    required = {"measure", "candidate", "score"}
    if not required <= set(table.columns):
        raise StoreError(
            what=f"rows lack {sorted(required - set(table.columns))}",
            where="rows",
            expected=f"columns {sorted(required)}",
            do="name the columns so",
        )
    coords = {key: ("comparison", text(table[key] if key in table else [""] * len(table))) for key in KEYS}
    variables: dict[str, Any] = {}
    known = NUMBERS + TEXTS + DIFFERENCE
    for name in [*known, *(name for name in table.columns if name not in KEYS + known)]:
        missing = "" if name in TEXTS else np.nan
        values = table[name] if name in table else np.full(len(table), missing)
        variables[str(name)] = ("comparison", conform(values, SCHEMA.variables.get(str(name))))
    root = xr.Dataset(variables, coords=coords, attrs=SCHEMA.root_attrs(attrs))
    groups = {}
    for name, curve in (curves or {}).items():
        if not name or "/" in name:
            raise StoreError(
                what=f"curve name {name!r} cannot name a group", where="curves", expected="a name without a slash"
            )
        if curve.sizes.get("comparison", len(table)) != len(table):
            raise StoreError(
                what=f"curve has {curve.sizes['comparison']} comparisons, the rows {len(table)}",
                where=f"curves/{name}",
                expected="the rows' comparisons, or a dimension of another name",
                do="rename the dimension",
            )
        groups[f"/curves/{name}"] = as_stored(curve)
    tree = xr.DataTree.from_dict({"/": root, **groups})
    require(tree, SCHEMA)
    return tree
