"""What a comparison hands to the runner: rows and curves of a `Scores` store, and how they were derived."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from allometry.compare.inference import verdict
from allometry.compare.inference.ceilings import ceiled
from allometry.compare.inference.statistics import Interval, fdr
from allometry.compare.registry import find as registered
from allometry.numerics.rounding import rounded, significant

DIFFERENCE = ("difference", "difference_low", "difference_high")


@dataclass(frozen=True)
class Result:
    """What a comparison found.

    Parameters
    ----------
    title : str
        What was compared, for the report.
    rows : list of dict
        Scores, each as `row` makes it.
    curves : dict of str to Dataset
        Curves by name.
    derived : dict of str to str
        What was inferred and how, in words, by name.
    """

    title: str
    rows: list[dict[str, Any]]
    curves: dict[str, xr.Dataset] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Result({self.title!r}: {len(self.rows)} rows, {len(self.curves)} curves)"

    def rounded(self) -> "Result":
        """What is stored of it: every float64 of rows and curves to ten significant digits.

        What a BLAS, LAPACK or libm leaves in the last bits depends on the CPU and says nothing.
        """
        rows = [
            {key: significant(value) if isinstance(value, float) else value for key, value in entry.items()}
            for entry in self.rows
        ]
        return replace(self, rows=rows, curves={name: rounded(curve) for name, curve in self.curves.items()})


def row(
    measure: str,
    candidate: str,
    reference: str,
    score: float | Interval,
    *,
    group: str = "",
    role: str = "result",
    p: float = float("nan"),
    ceiling: tuple[float, float] = (float("nan"), float("nan")),
    rule: str = "none",
    n: int = 0,
    baselines: Sequence[verdict.Baseline] = (),
    **extra: Any,
) -> dict[str, Any]:
    """One row of a Scores store.

    Parameters
    ----------
    measure, candidate, reference : str
        Name of the measure, of what is judged, and of what it is held against.
    score : float or Interval
        An Interval brings its bounds.
    group : str
        Part of the data, where a measure is taken of several.
    role : {"result", "baseline", "control"}
        What the row is for: a baseline is what a result must beat, a control what must come out high.
    p : float
        P value; NaN where nothing was tested.
    ceiling : (float, float)
        Bounds of the noise ceiling; NaN where there is none.
    rule : str
        How the score relates to the lower bound of the ceiling, as in `ceiled`.
    n : int
        Items the score rests on (pairs, edges, regions).
    baselines : sequence of Baseline
        What a result is held against; the verdict is that against the strongest (see `inference.verdict`).
    **extra
        Further columns.

    Returns
    -------
    dict of str to Any
        Value by column; NaN for what is not known.
    """
    bounds = score if isinstance(score, Interval) else Interval(float(score), np.nan, np.nan)
    value = bounds.estimate
    return {
        "measure": measure,
        "candidate": candidate,
        "reference": reference,
        "group": group,
        "role": role,
        "score": value,
        "ci_low": bounds.low,
        "ci_high": bounds.high,
        "p": p,
        "ceiling_low": ceiling[0],
        "ceiling_high": ceiling[1],
        "ceiled": ceiled(value, ceiling[0], rule),
        "n": int(n),
        **judged(measure, baselines),
        **extra,
    }


def judged(measure: str, baselines: Sequence[verdict.Baseline]) -> dict[str, Any]:
    """Columns of the verdict on a result: `verdict`, `baseline`, `difference` and its bounds; empty without a baseline."""
    found, scale = None, registered(measure).scale if baselines else None
    if scale is not None:
        found = verdict.against(baselines, margin=scale.margin, larger=scale.larger)
    if found is None:
        return {"verdict": "", "baseline": "", **dict.fromkeys(DIFFERENCE, float("nan"))}
    bounds = found.difference
    values = dict(zip(DIFFERENCE, (bounds.estimate, bounds.low, bounds.high)))
    return {"verdict": found.verdict, "baseline": found.baseline, **values}


def with_fdr(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with `p_fdr`: p adjusted over the results of the same measure (Benjamini-Hochberg).

    Baselines and controls claim nothing: they are no tests of the family, and their own `p_fdr` is NaN.

    Parameters
    ----------
    rows : sequence of dict
        As `row` makes them; a p of NaN is no test.

    Returns
    -------
    list of dict
        New rows in the same order, with the column `p_fdr` in [0, 1] or NaN.

    Raises
    ------
    ComparisonError
        P values below 0 or above 1.

    References
    ----------
    Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57:289.
    """
    adjusted = [float("nan")] * len(rows)
    for name in {entry["measure"] for entry in rows}:
        index = [i for i, entry in enumerate(rows) if entry["measure"] == name and entry["role"] == "result"]
        for i, value in zip(index, fdr([rows[i]["p"] for i in index])):
            adjusted[i] = float(value)
    return [{**entry, "p_fdr": value} for entry, value in zip(rows, adjusted)]


def curve(dims: Sequence[str], coords: dict[str, Any], units: str = "1", /, **variables: Any) -> xr.Dataset:
    """Dataset of float64 `variables` over `dims`; `coords` name a dimension's values or labels along it."""
    data = {
        name: (tuple(dims[: np.ndim(values)]), np.asarray(values), {"units": units})
        for name, values in variables.items()
    }
    return xr.Dataset(data, coords=coords)
