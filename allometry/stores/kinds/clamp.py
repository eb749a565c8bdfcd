"""Clamp: voltages and currents of single cells during steps of current or voltage."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.schema import ANY_UNIT, Schema, Variable, require, text

AXES = ("cell", "genotype", "step", "time")
_EACH = AXES[:3]
PROTOCOLS = {"current": "pA", "voltage": "mV"}
"""Unit of the steps of each protocol."""


def check(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    """List what is wrong with the values of a clamp store."""
    found = []
    for axis in ("cell", "genotype", "channel"):
        values = root[axis].values.tolist()
        if len(set(values)) < len(values):
            found.append(f"{axis}: a name is listed more than once")
    if not (np.diff(root["time"].values) > 0).all():
        found.append("time: does not increase")
    unit = PROTOCOLS.get(str(root.attrs["protocol"]))
    if unit is None:
        found.append(f"attribute protocol: is {root.attrs['protocol']!r}, expected {' or '.join(PROTOCOLS)}")
    elif root["amplitude"].attrs["units"] != unit:
        found.append(f"amplitude: units are {root['amplitude'].attrs['units']!r}, expected {unit!r}")
    if np.isinf(root["current"].values).any() or not np.isfinite(root["voltage"].values).all():
        found.append("voltage or current: holds what is no number (a current that a cell has not is NaN)")
    return found


def _of_step(unit: str, doc: str) -> Variable:
    return Variable(_EACH, "float64", unit, doc=doc)


SCHEMA = Schema(
    kind="clamp",
    doc="Single cells under steps of current or voltage, wild type and knock-outs; currents are positive outwards.",
    variables={
        "cell": Variable(("cell",), "text", doc="name of each cell"),
        "genotype": Variable(("genotype",), "text", doc="wild_type, and each knock-out by name"),
        "channel": Variable(("channel",), "text", doc="name of each current"),
        "amplitude": Variable(("step",), "float64", ANY_UNIT, doc="injected current (pA) or commanded voltage (mV)"),
        "time": Variable(("time",), "float64", "ms", doc="time from the start"),
        "voltage": Variable(AXES, "float32", "mV", doc="membrane potential"),
        "current": Variable(
            ("cell", "genotype", "channel", "step", "time"), "float32", "pA", doc="NaN where the cell has no such channel"
        ),
        "v_rest": _of_step("mV", "mean voltage of the last 20 ms before the step"),
        "v_5ms": _of_step("mV", "voltage 5 ms after the onset"),
        "v_50ms": _of_step("mV", "voltage 50 ms after the onset"),
        "v_peak": _of_step("mV", "highest voltage during the step"),
        "v_steady": _of_step("mV", "mean voltage of the last 10 ms of the step"),
        "i_peak": _of_step("pA", "current through the membrane where it is farthest from 0 during the step, after its first ms"),
        "i_steady": _of_step("pA", "mean current through the membrane in the last 10 ms of the step"),
    },
    attrs={"protocol": str, "onset_ms": float, "duration_ms": float, "holding_mv": float},
    check=check,
)  # fmt: skip


def clamp(axes: Mapping[str, Sequence[Any]], variables: Mapping[str, Any], *, attrs: Mapping[str, Any]) -> xr.Dataset:
    """Build a Clamp store.

    Parameters
    ----------
    axes : mapping of str to sequence
        `cell`, `genotype`, `channel` (names), `time` (ms) and `amplitude` (pA or mV, as `protocol` says), the values of `step`.
    variables : mapping of str to array_like
        All other variables of the schema: `voltage` [cell, genotype, step, time] mV, `current` [cell, genotype, channel, step,
        time] pA, and numbers of each step.
    attrs : mapping
        Root attributes (title, species, citation, licence, source, parameters, derived, protocol, onset_ms, duration_ms,
        holding_mv).

    Returns
    -------
    Dataset

    Raises
    ------
    StoreError
        Something is missing, or of another shape, and every other violation.
    """
    names = ("cell", "genotype", "channel", "amplitude", "time")
    wanted = [name for name in SCHEMA.variables if name not in names]
    if missing := [*(name for name in names if name not in axes), *(name for name in wanted if name not in variables)]:
        raise StoreError(
            what=f"{', '.join(missing)} missing", where="clamp", expected=", ".join([*names, *wanted]), do="pass them"
        )
    shape = {"step" if name == "amplitude" else name: len(axes[name]) for name in names}
    data: dict[str, Any] = {
        "amplitude": ("step", np.asarray(axes["amplitude"], np.float64), {"units": PROTOCOLS.get(str(attrs["protocol"]), "1")})
    }  # fmt: skip
    for name in wanted:
        spec = SCHEMA.variables[name]
        values = np.asarray(variables[name], spec.dtype)
        expected = tuple(shape[dim] for dim in spec.dims)
        if values.shape != expected:
            raise StoreError(
                what=f"{name} has the shape {values.shape}", where="clamp", expected=f"{expected} {spec.dims}"
            )
        data[name] = (spec.dims, values, {"units": spec.units})
    coords = {name: (name, text(axes[name])) for name in ("cell", "genotype", "channel")}
    dataset = xr.Dataset(
        data,
        coords={**coords, "time": ("time", np.asarray(axes["time"], np.float64), {"units": "ms"})},
        attrs=SCHEMA.root_attrs(attrs),
    )
    require(dataset, SCHEMA)
    return dataset
