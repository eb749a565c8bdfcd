"""What a run found, in a few lines: the main result of each comparison and study, beside what it is held against."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.report.drawing import verdicts
from allometry.report.drawing.names import readable
from allometry.report.drawing.parts import rows_of
from allometry.report.headlines import HEADLINES
from allometry.stores.schema import Data

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
        Distance of the difference from zero in half widths of its 95 % interval; what is undecided has less than 1, what has no
        interval, or one without a width, 0.
    store : str
        Path of the store.
    """

    text: str
    verdict: str
    weight: float
    store: str


def findings(paths: Sequence[str | Path] | Mapping[str, Data], most: int = 3) -> list[Finding]:
    """The results that stand out most, at most one of each store.

    Parameters
    ----------
    paths : sequence of path, or mapping of path to Dataset or DataTree
        Stores, which a mapping has open; only Scores and Scaling stores have verdicts.
    most : int
        How many at most.

    Returns
    -------
    list of Finding
        The one that stands out most first; verdicts of the stores, none is made here.
    """
    opened = paths.items() if isinstance(paths, Mapping) else ((str(path), stores.open(path)) for path in paths)
    found = [best for path, store in opened if (best := _of_store(store, path)) is not None]
    ordered = sorted(found, key=lambda one: (-one.weight, one.store))
    # two comparisons may share what is best in them
    return list({one.text: one for one in reversed(ordered)}.values())[::-1][:most]


def _of_store(opened: Data, path: str) -> Finding | None:
    schema = opened.attrs["schema"]
    if schema == "Scores":
        assert isinstance(opened, xr.DataTree)
        return _of_scores(opened, path)
    if schema == "Scaling":
        assert isinstance(opened, xr.DataTree)
        return _of_scaling(opened.to_dataset(inherit=False), path)
    return None


def _of_scores(tree: xr.DataTree, path: str) -> Finding | None:
    """The main result of a comparison as its kind defines it; else the one that stands out most."""
    rows = rows_of(tree)
    role = rows["role"].astype(str) if "role" in rows else pd.Series("", index=rows.index)
    if "beside_seeds" in rows and (found := _of_seeds(rows[role.isin(["", "result"])], path)) is not None:
        return found
    judged = rows[rows["verdict"].astype(str).isin(list(verdicts.SIGNS)) & role.isin(["", "result"])]
    if judged.empty:
        return None
    for headline in HEADLINES.get(str(stores.attribute(tree, "parameters", {}).get("kind", "")), ()):
        best = headline.row(judged)
        if best is not None:
            return Finding(
                f"{headline.text(best, _number(best))}: {_worth(best, path)}", str(best["verdict"]), _weight(best), path
            )
    best = {str(key): value for key, value in max(judged.to_dict("records"), key=_weight).items()}
    of = " ".join(readable(str(best[key])) for key in ("candidate", "group") if best[key])
    name = readable(Path(path).name.removesuffix(".zarr"))
    text = f"{name}: {readable(str(best['measure']))} of {of} is {_number(best)}: {_worth(best, path)}"
    return Finding(text, str(best["verdict"]), _weight(best), path)


def _of_seeds(rows: pd.DataFrame, path: str) -> Finding | None:
    """How many statistics differ by more than another seed changes, and the one that differs most."""
    said = rows[rows["beside_seeds"].astype(str) != ""]
    beyond = said[said["beside_seeds"].astype(str).str.startswith("beyond")]
    if said.empty:
        return None
    text = f"{len(beyond)} of {len(said)} distances between spike statistics are larger than another seed makes them"
    if beyond.empty:
        return Finding(text, PRESERVED, 1.0, path)
    top = {str(key): value for key, value in beyond.sort_values("relative", kind="stable").iloc[-1].items()}
    measure, candidate, group, reference = (
        readable(str(top[key])) for key in ("measure", "candidate", "group", "reference")
    )
    text += f"; most the {measure} of {group} at {candidate} from {reference}, {_number(top)}, {top['relative']:.1f} times as large"
    return Finding(text, CHANGED, float(top["relative"]), path)


def _number(row: Mapping[str, Any]) -> str:
    """Score with its 95 % interval, where there is one."""
    low, high = row["ci_low"], row["ci_high"]
    number = f"{row['score']:.3g}"
    if math.isfinite(low) and math.isfinite(high):
        number += f" ({low:.3g} to {high:.3g})"
    return number.replace("-", "−")


def _worth(row: Mapping[str, Any], path: str) -> str:
    """Verdict beside the baseline, in the words of the measure's card where it has one: of what only describes, more and less."""
    worth = _worths(path).get(tuple(str(row[key]) for key in ("measure", "candidate", "group")), "")
    return f"{worth}, {verdicts.difference(row)}" if worth else verdicts.sentence(row)


def _worths(path: str) -> dict[tuple[str, ...], str]:
    cards = Path(path).with_name(Path(path).name.removesuffix(".zarr") + ".cards.json")
    if not cards.is_file():
        return {}
    return {
        (str(card["identity"]["measure"]), str(row["candidate"]), str(row["group"])): str(row["worth"])
        for card in json.loads(cards.read_text(encoding="utf-8"))
        for row in card["raw"]
        if row.get("worth")
    }


def _weight(row: Mapping[Any, Any]) -> float:
    low, value, high = (float(row[key]) for key in ("difference_low", "difference", "difference_high"))
    if not all(map(math.isfinite, (low, value, high))):
        return 0.0
    half = (high - low) / 2
    # resamples that are all alike are no interval: a share of 1 in every one of them is no surer than other results
    return abs(value) / half if half > 1e-9 * abs(value) else 0.0


def _of_scaling(root: xr.Dataset, path: str) -> Finding | None:
    """The smallest size: how many statistics it keeps, and the one that changes most."""
    verdict = root["verdict"].values
    judged = np.isin(verdict, (CHANGED, PRESERVED, "undetermined"))
    sizes = np.flatnonzero(judged.reshape(len(verdict), -1).any(axis=1))
    if not len(sizes):
        return None
    at = int(sizes[np.argmin(root["size"].values[sizes])])
    # of several schemes the one that keeps most
    counts = [(one == PRESERVED).sum() if ok.any() else -1 for one, ok in zip(verdict[at], judged[at])]
    best = int(np.argmax(counts))
    several = sum(count >= 0 for count in counts) > 1
    within = np.zeros_like(judged[at])
    within[best] = judged[at][best]
    mine = verdict[at][within]
    kept, changed = int((mine == PRESERVED).sum()), (verdict[at] == CHANGED) & within
    size, tolerance = f"{float(root['size'].values[at]):g}", 100 * root.attrs["tolerance"]
    reference = f"{float(root.attrs['reference']):g}"
    text = f"{root.attrs['model']} at size {size} keeps {kept} of {mine.size} statistics within {tolerance:g} % of size {reference}"
    if several:
        text += f" with {readable(str(root['scheme'].values[best]))}, the best of its schemes"
    if not changed.any():
        return Finding(text, PRESERVED if kept == mine.size else "undetermined", 1.0, path)
    deviation, low, high = (root[f"deviation{end}"].values[at] for end in ("", "_low", "_high"))
    width = (high - low) / 2
    # seeds that are all alike are no interval
    sure = changed & (width > 1e-9 * np.abs(deviation))
    weight = np.where(sure, np.abs(deviation) / np.where(sure, width, 1.0), np.where(changed, 0.0, -1.0))
    place = np.unravel_index(int(np.nanargmax(weight)), weight.shape)
    scheme, condition, statistic, population = (
        str(root[axis].values[index]) for axis, index in zip(root["verdict"].dims[1:], place)
    )
    where = ", ".join(part for part in (scheme, condition, "" if population == "all" else population) if part)
    number = f"{100 * deviation[place]:+.0f} % ({100 * low[place]:+.0f} to {100 * high[place]:+.0f})".replace("-", "−")
    text += f"; {readable(statistic)} changes most surely, by {number} ({where})"
    return Finding(text[:1].upper() + text[1:], CHANGED, float(weight[place]), path)
