"""Benchmark cards: what a score of one measure on one data set is worth, on one page.

A card gathers for a (data set, measure) the identity of both, the raw scores, the ceiling and the scores relative to it,
baselines, statistics, validity (what the measure cannot see, and what it is for) and cost. Cards are JSON; drawing them is
the report's work.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from allometry import stores
from allometry.compare.records.measures import Measure
from allometry.compare.registry import find

LOW_CEILING = {"auc": 0.6, "correlation": 0.3, "ratio": 0.3, "reliability": 0.1}
"""Lower bounds of the ceiling, by rule, under which a score relative to it is mostly noise."""

VERDICT = ("verdict", "baseline", "difference", "difference_low", "difference_high")
NUMBERS = ("score", "ci_low", "ci_high", "p", "p_fdr", "ceiling_low", "ceiling_high", "ceiled", "n")


def cards(scores: xr.DataTree, cost: Mapping[str, float] | None = None) -> list[dict[str, Any]]:
    """One card per (data set, measure) of a Scores store.

    The data set is what the rows call `reference`, or the candidate itself where there is none.

    Parameters
    ----------
    scores : DataTree
        A Scores store.
    cost : mapping, optional
        What the comparison took: `seconds`, `peak_mib`.

    Returns
    -------
    list of dict
        JSON-able; a missing number is None.
    """
    table = scores.to_dataset().to_dataframe().reset_index(drop=True)
    # what is held against its own nulls has no other data set
    table["reference"] = table["reference"].where(table["reference"] != "", table["candidate"])
    result = []
    for (reference, name), rows in table.groupby(["reference", "measure"], sort=True):
        entry = find(str(name))
        records = [_record(row) for row in rows.to_dict("records")]
        result.append(
            _card(
                str(reference),
                entry,
                records,
                {str(k): stores.attribute(scores, str(k)) for k in scores.attrs},
                dict(cost or {}),
            )
        )
    return result


def as_json(scores: xr.DataTree, cost: Mapping[str, float] | None = None) -> bytes:
    """The cards of a Scores store as a JSON file."""
    return (json.dumps(cards(scores, cost), indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _record(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(key): _plain(value) for key, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        # JSON has no NaN
        return float(value) if math.isfinite(value) else None
    return str(value)


def _card(
    reference: str, entry: Measure, records: list[dict[str, Any]], attrs: dict[str, Any], cost: dict[str, float]
) -> dict[str, Any]:
    results = [r for r in records if r.get("role", "result") == "result"]
    lows = [r["ceiling_low"] for r in results if r["ceiling_low"] is not None]
    highs = [r["ceiling_high"] for r in results if r["ceiling_high"] is not None]
    limit = LOW_CEILING.get(entry.ceiling)
    derived = dict(attrs.get("derived", {}))
    return {
        "identity": {
            "measure": entry.name,
            "version": entry.version,
            "family": entry.family,
            "defined_by": entry.reference,
            "data_set": reference,
            "species": attrs.get("species", ""),
            "citation": attrs.get("citation", ""),
            "licence": attrs.get("licence", ""),
            "stores": attrs.get("source", {}),
            "comparison": attrs.get("title", ""),
        },
        "raw": [_pick(r, entry) for r in results],
        "ceiling": {
            "rule": entry.ceiling,
            "low": [min(lows), max(lows)] if lows else None,
            "high": [min(highs), max(highs)] if highs else None,
            "how": derived.get("ceiling_low", ""),
            "is_low": bool(lows and limit is not None and min(lows) < limit),
            "limit": limit,
        },
        "ceiled": [
            {
                "candidate": r["candidate"],
                "group": r["group"],
                "value": r["ceiled"],
                # More than the ceiling is possible (it is an estimate), and worth a look; it is never clipped.
                "above_one": r["ceiled"] is not None and r["ceiled"] > 1,
            }
            for r in results
            if r["ceiled"] is not None
        ],
        "baselines": [{"role": r["role"], **_pick(r, entry)} for r in records if r.get("role", "result") != "result"],
        "statistics": {
            "parameters": attrs.get("parameters", {}),
            "seed": attrs.get("seed"),
            **{key: derived[key] for key in ("ci", "p", "p_fdr") if key in derived},
        },
        "validity": {
            "use": entry.use,
            "does_not_see": entry.invariances,
            "notes": {key: text for key, text in derived.items() if key not in ("ci", "p", "p_fdr", "ceiling_low")},
        },
        "cost": cost,
    }


def _pick(record: dict[str, Any], entry: Measure) -> dict[str, Any]:
    further = ("null", "weight_mv", "gap_junction", "unit", "expected", "relative", "beside_seeds")
    extra = {key: value for key, value in record.items() if key in further and value}
    if record.get("verdict"):
        extra |= {key: record[key] for key in VERDICT} | {"worth": worth(record, entry)}
    return {"candidate": record["candidate"], "group": record["group"], **{k: record.get(k) for k in NUMBERS}, **extra}


def worth(record: Mapping[str, Any], entry: Measure) -> str:
    """A verdict in words: `worse than path length`; of a score that only describes, *more* and *less*."""
    verdict, name = str(record["verdict"]), str(record["baseline"]).replace("_", " ")
    if verdict == "undecided":
        return f"undecided against {name}"
    if entry.scale is not None and entry.scale.descriptive:
        good, bad = ("more", "less") if entry.scale.larger else ("less", "more")
        verdict = {"better": good, "no better": f"no {good}", "worse": bad}[verdict]
    return f"{verdict} than {name}"
