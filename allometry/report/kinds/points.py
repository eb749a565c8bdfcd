"""Readable names of stores that differ in few of their parameters, such as the points of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from allometry import stores
from allometry.report.drawing.names import readable
from allometry.stores.schema import Data

_FIRST = {"connectome": 0, "gap_junction": 2, "condition": 3, "seed": 4}
UNITS = {"weight_mv": ("weight", "mV"), "duration_ms": ("duration", "ms"), "rate_hz": ("drive", "Hz")}


def point_labels(opened: Mapping[str, Data], ignore: Sequence[str] = ()) -> list[str]:
    """What each store differs in from the others: `scale 0.05, seed 1`; its readable name where that is not enough.

    Parameters
    ----------
    opened : mapping of str to Dataset or DataTree
        Stores by name.
    ignore : sequence of str
        Parameters that are not part of the label; stores that differ in these alone share one, which may be empty.
    """
    described = [_flat(store) for store in opened.values()]
    names = sorted(
        {key for one in described for key in one if key not in ignore}, key=lambda key: (_FIRST.get(key, 1), key)
    )
    differing: list[str] = []
    for key in sorted(names, key=len):
        values = [repr(one.get(key)) for one in described]
        # of two that always have one value the shorter name says it
        if len(set(values)) > 1 and not any(
            values == [repr(one.get(other)) for one in described] for other in differing
        ):
            differing.append(key)
    differing.sort(key=names.index)
    labels = [", ".join(_said(key, one[key]) for key in differing if key in one) for one in described]
    if ignore or len(set(labels)) == len(labels):
        return labels
    return [readable(name) for name in opened]


def _flat(store: Data) -> dict[str, Any]:
    """Parameters of a store with those of its model, its condition and its seed."""
    parameters = dict(stores.attribute(store, "parameters", {}))
    inner = parameters.pop("parameters", None)
    condition = parameters.pop("condition", None)
    flat = {key: value for key, value in parameters.items() if isinstance(value, (str, int, float, bool))}
    flat |= {key: value for key, value in (inner or {}).items() if value is not None}
    if condition:
        flat["condition"] = condition.get("name", condition) if isinstance(condition, dict) else condition
    return flat


def _said(key: str, value: Any) -> str:
    if key in ("condition", "connectome"):
        return str(value).replace("_", " ")
    if key == "gap_junction":
        return f"gap junctions {value:g}" if value else "no gap junctions"
    name, unit = UNITS.get(key, (key.replace("_", " "), ""))
    text = f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
    return f"{name} {text} {unit}".rstrip()
