"""Compute: what the runs of a study of compute scaling did; what they took is beside the store."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.schema import Schema, Variable, require, text

EXPERIMENTS = ("silent", "strong", "weak", "exchange", "homogenize", "compare")


def check(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    """List what is wrong with the values of a compute store."""
    found = []
    unknown = sorted(set(root["experiment"].values.tolist()) - set(EXPERIMENTS))
    if unknown:
        found.append(f"experiment: {unknown[0]!r} is none of {', '.join(EXPERIMENTS)}")
    for name in ("partitions", "threads"):
        if (root[name].values < 1).any():
            found.append(f"{name}: is below 1")
    for name in ("neurons", "synapses", "spikes", "events", "rounds", "message_bytes", "tasks"):
        if (root[name].values < 0).any():
            found.append(f"{name}: is negative")
    return found


def _point(dtype: str, doc: str, units: str | None = None) -> Variable:
    return Variable(("point",), dtype, units, doc=doc)


SCHEMA = Schema(
    kind="compute",
    doc="What the runs of a study of compute scaling did, which is the same each time. What they took, the cost model and what "
    "it says of other machines are in `NAME.costs.json` beside the store: they are another each time, and no part of the content.",
    variables={
        "experiment": _point(
            "text",
            "silent (four neurons), strong, weak, exchange (messages alone), homogenize, compare (tasks over workers)",
        ),
        "size": _point("float64", "of the model, as it takes it; 0 where none is simulated"),
        "partitions": _point("int64", "processes that exchange spikes, or that do tasks"),
        "threads": _point("int64", "threads of each"),
        "neurons": _point("int64", "number of neurons"),
        "synapses": _point("int64", "number of synapses"),
        "spikes": _point("int64", "spikes of all neurons"),
        "events": _point("int64", "spikes that arrived at a synapse"),
        "rounds": _point("int64", "exchanges of spikes, one per minimum delay"),
        "message_bytes": _point("float64", "mean bytes of a message of one partition", "B"),
        "tasks": _point("int64", "tasks of homogenize and compare"),
    },
    attrs={"model": str, "duration_ms": float},
    check=check,
)


def compute(variables: Mapping[str, Sequence[Any]], *, attrs: Mapping[str, Any]) -> xr.Dataset:
    """Build a Compute store.

    Parameters
    ----------
    variables : mapping of str to sequence
        All variables of the schema, each [point].
    attrs : mapping
        Root attributes (title, species, citation, licence, source, parameters, derived, model, duration_ms).

    Returns
    -------
    Dataset

    Raises
    ------
    StoreError
        A variable is missing, and every other violation.
    """
    if missing := [name for name in SCHEMA.variables if name not in variables]:
        raise StoreError(what=f"{', '.join(missing)} missing", where="compute", expected=", ".join(SCHEMA.variables))
    data = {}
    for name, spec in SCHEMA.variables.items():
        values = text(variables[name]) if spec.dtype == "text" else np.asarray(variables[name], spec.dtype)
        data[name] = (spec.dims, values, {"units": spec.units} if spec.units else {})
    root = xr.Dataset(data, attrs=SCHEMA.root_attrs(attrs))
    require(root, SCHEMA)
    return root
