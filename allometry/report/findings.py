"""What a run found, in a few lines: the results that stand out most from what they are held against."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry import stores
from allometry.report.drawing import verdicts
from allometry.report.drawing.parts import rows_of

CHANGED, PRESERVED = "changed", "preserved"


@dataclass(frozen=True)
class Finding:
    """A result that was judged.

    Parameters
    ----------
    text : str
        One line: what, its number with the interval, and the verdict beside the baseline.
    verdict : str
        As stored.
    weight : float
        Distance of the difference from zero in half widths of its 95 % interval; what is undecided has less than 1.
    store : str
        Path of the store.
    """

    text: str
    verdict: str
    weight: float
    store: str


def findings(paths: Sequence[str | Path], most: int = 3) -> list[Finding]:
    """The results that stand out most, at most one of each store.

    Parameters
    ----------
    paths : sequence of path
        Stores; only Scores and Scaling stores have verdicts.
    most : int
        How many at most.

    Returns
    -------
    list of Finding
        The one that stands out most first; verdicts of the stores, none is made here.
    """
    found = [best for path in paths if (best := _of_store(path)) is not None]
    return sorted(found, key=lambda one: (-one.weight, one.store))[:most]


def _of_store(path: str | Path) -> Finding | None:
    opened = stores.open(path)
    schema = opened.attrs["schema"]
    if schema == "Scores":
        assert isinstance(opened, xr.DataTree)
        return _of_scores(opened, str(path))
    if schema == "Scaling":
        assert isinstance(opened, xr.DataTree)
        return _of_scaling(opened.to_dataset(inherit=False), str(path))
    return None


def _of_scores(tree: xr.DataTree, path: str) -> Finding | None:
    rows = rows_of(tree)
    judged = [row for row in rows.to_dict("records") if row["verdict"] in verdicts.SIGNS and _is_result(row)]
    if not judged:
        return None
    best = max(judged, key=_weight)
    name = Path(path).name.removesuffix(".zarr")
    number = f"{best['score']:.3g}"
    if math.isfinite(best["ci_low"]) and math.isfinite(best["ci_high"]):
        number += f" ({best['ci_low']:.3g} to {best['ci_high']:.3g})"
    of = " ".join(part for part in (best["candidate"], best["group"]) if part)
    text = f"{name}: {verdicts.readable(best['measure'])} of {of} is {number}, {verdicts.sentence(best)}"
    return Finding(text, str(best["verdict"]), _weight(best), path)


def _is_result(row: Any) -> bool:
    return str(row.get("role") or "result") == "result"


def _weight(row: Any) -> float:
    low, value, high = (float(row[key]) for key in ("difference_low", "difference", "difference_high"))
    if not all(map(math.isfinite, (low, value, high))):
        return 0.0
    return abs(value) / max((high - low) / 2, 1e-12 * abs(value), 1e-300)


def _of_scaling(root: xr.Dataset, path: str) -> Finding | None:
    """The smallest size: how many statistics it keeps, and the one that changes most."""
    verdict = root["verdict"].values
    judged = np.isin(verdict, (CHANGED, PRESERVED, "undetermined"))
    sizes = np.flatnonzero(judged.reshape(len(verdict), -1).any(axis=1))
    if not len(sizes):
        return None
    at = int(sizes[np.argmin(root["size"].values[sizes])])
    mine = verdict[at][judged[at]]
    kept, changed = int((mine == PRESERVED).sum()), verdict[at] == CHANGED
    size = f"{float(root['size'].values[at]):g}"
    name = Path(path).name.removesuffix(".zarr")
    text = f"{name}: {root.attrs['model']} at size {size} keeps {kept} of {mine.size} statistics within {100 * root.attrs['tolerance']:g} %"
    if not changed.any():
        return Finding(text, PRESERVED, 1.0, path)
    deviation, low, high = (root[f"deviation{end}"].values[at] for end in ("", "_low", "_high"))
    width = np.maximum((high - low) / 2, 1e-12)
    weight = np.where(changed, np.abs(deviation) / width, -1.0)
    place = np.unravel_index(int(np.nanargmax(weight)), weight.shape)
    scheme, condition, statistic, population = (
        str(root[axis].values[index]) for axis, index in zip(root["verdict"].dims[1:], place)
    )
    where = ", ".join(part for part in (scheme, condition, "" if population == "all" else population) if part)
    number = f"{100 * deviation[place]:+.0f} % ({100 * low[place]:+.0f} to {100 * high[place]:+.0f})".replace("-", "−")
    text += f"; {verdicts.readable(statistic)} changes by {number} ({where})"
    return Finding(text, CHANGED, float(weight[place]), path)
