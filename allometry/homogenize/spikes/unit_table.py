"""The table of units that a source gives: which units are kept, and the table as a store holds it."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from allometry.errors import ReaderError
from allometry.hints import hint
from allometry.homogenize.options import Option, Options

RENAMED = {"depth": "probe_depth"}
"""Columns whose name means something else in a store (there `depth` is below the surface, in m)."""
TAKEN = frozenset(
    [
        "unit",
        "spike",
        "row_size",
        "spike_time",
        "spike_step",
        "spike_unit",
        "observed",
        "response",
        "repeat",
        "lag",
        "presentation",
        "count",
        "bin",
        "step",
        "probe",
        "voltage",
        "interval",
        "bound",
        "stimulus",
        "condition",
        "onset",
        "duration",
        "electrode",
    ]
)


def _conditions(what: str) -> Option:
    def fits(value: Any) -> bool:
        def plain(item: Any) -> bool:
            return isinstance(item, str | Real)

        return value is None or (
            isinstance(value, Mapping)
            and all(plain(v) or (isinstance(v, list | tuple) and v and all(map(plain, v))) for v in value.values())
        )

    return Option(None, "a mapping of columns to a value or a list of values, or null", fits, what)


def _limits(what: str) -> Option:
    def fits(value: Any) -> bool:
        return value is None or (
            isinstance(value, Mapping)
            and all(isinstance(v, Real) and not isinstance(v, bool) and np.isfinite(float(v)) for v in value.values())
        )

    return Option(None, "a mapping of columns to numbers, or null", fits, what)


FILTER: Options = {
    "keep": _conditions("Units that are kept, by the values of columns, such as `{group: good}`; null: all."),
    "at_least": _limits("Units that are kept, by the least value of columns, such as `{presence_ratio: 0.95}`."),
    "at_most": _limits("Units that are kept, by the largest value of columns, such as `{isi_violations: 0.5}`."),
}
"""Which units are kept; what was left out is counted in the store."""


def select(units: pd.DataFrame, options: Mapping[str, Any], where: str) -> tuple[npt.NDArray[np.int64], dict[str, int]]:
    """Rows of the units that the options keep, and how many were left after each condition.

    Raises
    ------
    ReaderError
        An option names no column, a limit is for no numbers, or no unit is left.
    """
    kept = np.ones(len(units), bool)
    steps = {"all": len(units)}
    for option, sign in (("keep", "in"), ("at_least", ">="), ("at_most", "<=")):
        for name, wanted in (options[option] or {}).items():
            if name not in units:
                raise ReaderError(
                    f"the units have no column {name!r}",
                    where=f"{where}, option {option}",
                    expected=f"one of {', '.join(map(str, units.columns)) or '(there are none)'}",
                    do=hint(str(name), [str(column) for column in units], "correct the option"),
                )
            values = units[name].to_numpy()
            if option == "keep":
                allowed = wanted if isinstance(wanted, list | tuple) else [wanted]
                kept &= np.isin(np.array([_comparable(v) for v in values], object), [_comparable(v) for v in allowed])
                steps[f"{name} in {', '.join(map(str, allowed))}"] = int(kept.sum())
                continue
            if values.dtype.kind not in "biuf":
                raise ReaderError(
                    f"column {name!r} holds {values.dtype}",
                    where=f"{where}, option {option}",
                    expected="numbers",
                    do="use the option `keep` for columns of text",
                )
            with np.errstate(invalid="ignore"):
                kept &= values >= wanted if sign == ">=" else values <= wanted
            steps[f"{name} {sign} {wanted:g}"] = int(kept.sum())
    if not kept.any():
        raise ReaderError(
            "no unit is left" if len(units) else "there are no units",
            where=where,
            expected="units that pass " + ", then ".join(f"{name}: {left}" for name, left in steps.items()),
            do="relax `keep`, `at_least` or `at_most`" if len(units) else "check that the file holds sorted units",
        )
    return np.flatnonzero(kept), steps


def _comparable(value: Any) -> str:
    """Numbers as one text, whatever their type, and text as it is."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | float | np.integer | np.floating):
        return f"{float(value):.17g}"
    return str(value).strip()


def table(units: pd.DataFrame, rows: npt.NDArray[np.int64], population: str | None, where: str) -> pd.DataFrame:
    """Table of the units that are kept, as a store holds it: unique labels, `population`, names of columns that are free.

    Raises
    ------
    ReaderError
        Two units have one label, or the option `population` names no column.
    """
    out = units.iloc[rows]
    twice = out.index[out.index.duplicated()]
    if len(twice):
        raise ReaderError(
            f"two units have the label {twice[0]!r}",
            where=where,
            expected="unique labels",
            do="check that the file is complete",
        )
    if population is not None and population not in out:
        raise ReaderError(
            f"the units have no column {population!r}",
            where=f"{where}, option population",
            expected=f"one of {', '.join(map(str, out.columns)) or '(there are none)'}",
            do=hint(population, [str(column) for column in out], "correct the option"),
        )
    named = population or next((name for name in ("population", "area") if name in out), None)
    groups = ["units"] * len(out) if named is None else [_text(value) or "unknown" for value in out[named]]
    renamed: dict[Any, str] = {}
    for name in out.columns:
        key = "".join(sign if sign.isalnum() or sign == "_" else "_" for sign in str(name)).lstrip("_") or "column"
        key = RENAMED.get(key, key)
        if key == "quality" and out[name].dtype.kind not in "biuf":
            key = "sorting_quality"
        if key in TAKEN or key[0].isdigit():
            key = f"unit_{key}"
        while key in renamed.values():
            key += "_"
        renamed[name] = key
    out = out.rename(columns=renamed).drop(columns="population", errors="ignore")
    out.insert(0, "population", groups)
    if "area" in out:
        out["area"] = [_text(value) for value in out["area"]]
    return out


def _text(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and np.isnan(value)) else str(value)
