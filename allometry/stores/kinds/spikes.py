"""Spikes: simulated (steps, ordered in time) and recorded (seconds, ordered by unit)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.kinds.responses import table_variables, unit_labels
from allometry.stores.schema import Schema, Variable, require

# Spikes checked at once: a recording of 130 million must not be held several times over.
BLOCK = 2**22


def _time_ordered(root: xr.Dataset) -> list[str]:
    if not isinstance(root.attrs.get("dt_ms"), float) or root.attrs["dt_ms"] <= 0:
        return ["attribute dt_ms: is missing or not positive"]
    step, unit = root["spike_step"].values, root["spike_unit"].values
    found = []
    if len(unit) and (unit.min() < 0 or unit.max() >= root.sizes["unit"]):
        found.append(f"spike_unit: holds an index outside 0..{root.sizes['unit'] - 1}")
    last = round(root.attrs["duration_ms"] / root.attrs["dt_ms"])
    if len(step) and (step.min() < 0 or step.max() > last):
        found.append(f"spike_step: holds a step outside 0..{last}")
    later = np.diff(step)
    if (later < 0).any() or ((later == 0) & (np.diff(unit) <= 0)).any():
        found.append("spike: not sorted by (step, unit), or a spike is listed twice")
    return found


def _unit_ordered(root: xr.Dataset) -> list[str]:
    time, row_size = root["spike_time"].values, root["row_size"].values
    found = []
    if root["row_size"].attrs.get("sample_dimension") != "spike":
        found.append("row_size: attribute sample_dimension is not 'spike'")
    if (row_size < 0).any() or row_size.sum() != len(time):
        return [*found, f"row_size: sums to {row_size.sum()}, but there are {len(time)} spikes"]
    if not all(np.isfinite(time[at : at + BLOCK]).all() for at in range(0, len(time), BLOCK)):
        found.append("spike_time: holds NaN or infinite values")
    starts = np.cumsum(row_size)
    # the first spike of a block is compared with the last one of the block before
    for at in range(1, len(time), BLOCK):
        later = np.flatnonzero(np.diff(time[at - 1 : at + BLOCK]) < 0) + at
        if not np.isin(later, starts).all():
            found.append("spike_time: not sorted within a unit")
            break
    return found


def check(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    """List what is wrong with the values of a spikes store."""
    found = []
    labels = root["unit"].values
    if len(np.unique(labels)) < len(labels):
        found.append("unit: a label is not unique")
    observed = root["observed"].values
    if root.sizes["bound"] != 2:
        found.append("observed: does not have two bounds")
    elif (observed[:, 0] >= observed[:, 1]).any() or (observed[1:, 0] < observed[:-1, 1]).any():
        found.append("observed: intervals are empty, overlap or run backwards")
    if root.attrs["duration_ms"] <= 0:
        found.append("attribute duration_ms: is not positive")
    if "voltage" in root and "step" not in root.variables:
        found.append("step: is missing, with voltage present")
    if "voltage" in root and "probe" not in root.variables:
        found.append("probe: is missing, with voltage present")
    if "count" in root and "bin" not in root.variables:
        found.append("bin: is missing, with count present")
    order = root.attrs["order"]
    if order == "time":
        return found + _time_ordered(root)
    if order == "unit":
        return found + _unit_ordered(root)
    return [*found, f"attribute order: is {order!r}, expected 'time' or 'unit'"]


SCHEMA = Schema(
    kind="spikes",
    doc="Spike trains, ordered by (step, unit) when simulated and by unit when recorded (attribute order).",
    variables={
        "unit": Variable(("unit",), "label", doc="name or number of each unit, unique"),
        "population": Variable(("unit",), "text", doc="population, area or type of the unit"),
        "observed": Variable(("interval", "bound"), "float64", "s", doc="start and end of each observed interval"),
        "spike_step": Variable(("spike",), "int64", "1", optional=True, doc="time / dt (order: time)"),
        "spike_unit": Variable(("spike",), "int32", optional=True, doc="index of the unit (order: time)"),
        "spike_time": Variable(("spike",), "float64", "s", optional=True, doc="time (order: unit)"),
        "row_size": Variable(("unit",), "int64", optional=True, doc="spikes of each unit (order: unit)"),
        "bin": Variable(("bin",), "float64", "s", optional=True, doc="start of each bin"),
        "count": Variable(("bin", "unit"), "int32", "1", optional=True, doc="spikes in each bin"),
        "step": Variable(("step",), "int64", "1", optional=True, doc="time / dt of each voltage sample"),
        "probe": Variable(("probe",), "int32", optional=True, doc="index of the unit of each voltage trace"),
        "voltage": Variable(("step", "probe"), "float32", "mV", optional=True, doc="membrane potential"),
        "state_spike_step": Variable(
            ("state_spike",), "int64", "1", optional=True, doc="spikes that may be under way at the end, as spike_step"
        ),
        "state_spike_unit": Variable(("state_spike",), "int32", optional=True, doc="units of these spikes"),
    },
    attrs={"order": str, "duration_ms": (int, float)},
    check=check,
    depending={"order": {"time": ("spike_step", "spike_unit"), "unit": ("spike_time", "row_size")}},
)


def _unit_table(units: pd.DataFrame) -> xr.Dataset:
    if "population" not in units:
        raise StoreError(
            what="unit table lacks population",
            where="units",
            expected="a column population (text)",
            do="add it; one name for all units will do",
        )
    return xr.Dataset(table_variables(units, "unit", SCHEMA), coords={"unit": ("unit", unit_labels(units.index))})


@dataclass(frozen=True)
class Recorded:
    """A state variable of some units over time, or the weights of synapses onto them.

    Parameters
    ----------
    values : (step, probe) float32
    step : (step,) int64
        Steps of the samples.
    probe : (probe,) int
        Indices of the units.
    units : str
    source : (probe,) int, optional
        Of synapses: indices of the units that they come from.
    """

    values: np.ndarray
    step: np.ndarray
    probe: np.ndarray
    units: str
    source: np.ndarray | None = None


def simulated_frame(
    units: pd.DataFrame,
    dt_ms: float,
    duration_ms: float,
    attrs: Mapping[str, Any],
    *,
    count: np.ndarray | None = None,
    bin_ms: float | None = None,
    voltage: np.ndarray | None = None,
    voltage_step: np.ndarray | None = None,
    probe: Sequence[int] | np.ndarray | None = None,
    recorded: Mapping[str, Recorded] | None = None,
) -> xr.Dataset:
    """Build all of a simulated Spikes store but its spikes; see `spikes_simulated`."""
    dataset = _unit_table(units)
    dataset["observed"] = (("interval", "bound"), np.array([[0.0, duration_ms / 1000]]), {"units": "s"})
    if count is not None:
        if bin_ms is None:
            raise StoreError(what="count has no bin length", where="count", expected="bin_ms", do="pass bin_ms")
        dataset.coords["bin"] = ("bin", np.arange(len(count)) * bin_ms / 1000, {"units": "s"})
        dataset["count"] = (("bin", "unit"), np.asarray(count, np.int32), {"units": "1", "bin_ms": float(bin_ms)})
    if voltage is not None:
        if voltage_step is None or probe is None:
            raise StoreError(
                what="voltage has no steps or no probes",
                where="voltage",
                expected="voltage_step (step,) and probe (probe,)",
                do="pass both",
            )
        dataset.coords["step"] = ("step", np.asarray(voltage_step, np.int64), {"units": "1"})
        dataset.coords["probe"] = ("probe", np.asarray(probe, np.int32))
        dataset["voltage"] = (("step", "probe"), np.asarray(voltage, np.float32), {"units": "mV"})
    for name, trace in (recorded or {}).items():
        dims = (f"step_{name}", f"probe_{name}")
        dataset.coords[dims[0]] = (dims[0], np.asarray(trace.step, np.int64), {"units": "1"})
        dataset.coords[dims[1]] = (dims[1], np.asarray(trace.probe, np.int32))
        if trace.source is not None:
            dataset[f"source_{name}"] = (dims[1], np.asarray(trace.source, np.int32))
        dataset[name] = (dims, np.asarray(trace.values, np.float32), {"units": trace.units})
    dataset.attrs = SCHEMA.root_attrs(
        attrs, {"order": "time", "dt_ms": float(dt_ms), "duration_ms": float(duration_ms)}
    )
    return dataset


def with_state(frame: xr.Dataset, state: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Add the state at the end, from which a simulation continues: `state_{name}` of every unit, and the last spikes.

    Parameters
    ----------
    frame : Dataset
        A simulated Spikes store.
    state : mapping of str to array
        By name, values of all units; `spike_step` and `spike_unit` hold the spikes that may be under way.
    """
    of_spikes = {"spike_step": np.int64, "spike_unit": np.int32}
    for name, values in state.items():
        if name in of_spikes:
            units = {"units": "1"} if name == "spike_step" else {}
            frame[f"state_{name}"] = ("state_spike", np.asarray(values, of_spikes[name]), units)
        else:
            frame[f"state_{name}"] = ("unit", np.asarray(values))
    return frame


def spikes_simulated(
    step: np.ndarray,
    unit: np.ndarray,
    *,
    dt_ms: float,
    units: pd.DataFrame,
    duration_ms: float,
    attrs: Mapping[str, Any],
    count: np.ndarray | None = None,
    bin_ms: float | None = None,
    voltage: np.ndarray | None = None,
    voltage_step: np.ndarray | None = None,
    probe: Sequence[int] | np.ndarray | None = None,
) -> xr.Dataset:
    """Build a Spikes store of a simulation; the spikes are sorted by (step, unit) here if they are not yet.

    Parameters
    ----------
    step : (spike,) int64
        Step of each spike; its time is step * dt_ms.
    unit : (spike,) int
        Index into `units` of each spike.
    dt_ms : float
        Length of a step, ms.
    units : DataFrame, index = label of each unit (int or str)
        `population` and further columns.
    duration_ms : float
        Simulated time, ms.
    attrs : mapping
        Root attributes (title, species, citation, licence, source, parameters, derived, seed).
    count : (bin, unit) int32, optional
        Spikes in each bin.
    bin_ms : float, optional
        Width of the bins, ms; needed with `count`.
    voltage : (step, probe) float32, optional
        Membrane potential, mV.
    voltage_step : (step,) int64, optional
        Steps of its samples; needed with `voltage`.
    probe : (probe,) int, optional
        Indices of its units; needed with `voltage`.

    Returns
    -------
    Dataset
        Of order `time`: `spike_step` (spike,) int64 and `spike_unit` (spike,) int32, the unit table, and what is given.

    Raises
    ------
    StoreError
        Indices or steps out of range, a spike listed twice, and every other violation.
    """
    step, unit = np.asarray(step, np.int64), np.asarray(unit, np.int32)
    if step.shape != unit.shape or step.ndim != 1:
        raise StoreError(
            what=f"step has shape {step.shape}, unit {unit.shape}", where="spikes", expected="one of each per spike"
        )
    later = np.diff(step)
    if (later < 0).any() or ((later == 0) & (np.diff(unit) < 0)).any():
        order = np.lexsort((unit, step))
        step, unit = step[order], unit[order]
    dataset = simulated_frame(
        units,
        dt_ms,
        duration_ms,
        attrs,
        count=count,
        bin_ms=bin_ms,
        voltage=voltage,
        voltage_step=voltage_step,
        probe=probe,
    )
    dataset["spike_step"] = ("spike", step, {"units": "1"})
    dataset["spike_unit"] = ("spike", unit)
    require(dataset, SCHEMA)
    return dataset


def spikes_recorded(
    time_s: np.ndarray,
    row_size: np.ndarray,
    *,
    units: pd.DataFrame,
    observed: Sequence[Sequence[float]] | np.ndarray,
    attrs: Mapping[str, Any],
    duration_ms: float | None = None,
) -> xr.Dataset:
    """Build a Spikes store of a recording.

    Parameters
    ----------
    time_s : (spike,) float64
        Time of each spike, s, unit after unit, sorted within each.
    row_size : (unit,) int64
        Number of spikes of each unit.
    units : DataFrame, index = label of each unit (int or str)
        `population` and further columns (area, layer, depth in m, quality, ...).
    observed : (interval, 2) float64
        Start and end of each interval in which the units were observed, s.
    attrs : mapping
        Root attributes (title, species, citation, licence, source, parameters, derived).
    duration_ms : float, optional
        Duration, ms; by default from the first start to the last end.

    Returns
    -------
    Dataset
        Of order `unit`: `spike_time` (spike,) float64 in s, `row_size` (unit,) int64, and the unit table.

    Raises
    ------
    StoreError
        Row sizes that do not add up, unsorted trains, NaN times, and every other violation.
    """
    intervals = np.asarray(observed, np.float64).reshape(-1, 2)
    dataset = _unit_table(units)
    dataset["spike_time"] = ("spike", np.asarray(time_s, np.float64), {"units": "s"})
    dataset["row_size"] = ("unit", np.asarray(row_size, np.int64), {"sample_dimension": "spike"})
    dataset["observed"] = (("interval", "bound"), intervals, {"units": "s"})
    if duration_ms is None:
        duration_ms = (intervals.max() - intervals.min()) * 1000 if len(intervals) else 0.0
    dataset.attrs = SCHEMA.root_attrs(attrs, {"order": "unit", "duration_ms": float(duration_ms)})
    require(dataset, SCHEMA)
    return dataset
