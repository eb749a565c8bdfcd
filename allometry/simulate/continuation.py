"""Going on from the end of a finished store: its state, and what of the network may have changed since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry import stores
from allometry.errors import SimulationError

_FREE = ("kind", "inputs", "title", "parameters", "dt_ms")


@dataclass(frozen=True, eq=False)
class Start:
    """Where a run begins.

    Parameters
    ----------
    step : int
        Steps that were simulated before.
    state : dict
        State of all neurons by name, and `spikes` under way, int64 (step << 32 | neuron).
    origin : str
        sha256 of the content of the store.
    """

    step: int = 0
    state: Mapping[str, np.ndarray] | None = None
    origin: str = ""


def start_of(path: str | Path, described: Mapping[str, Any], seed: int, precision: str) -> Start:
    """Return the end of a store as the start of a further run.

    Parameters
    ----------
    path : path
        Spikes store of a simulation, or Activity store of one of rate units, written with `keep_state`.
    described : mapping
        The network that is to go on, as `to_dict(digest=True)` gives it.
    seed, precision
        Of the further run.

    Raises
    ------
    SimulationError
        The store is no simulation, holds no state, or is of another seed or precision, or of a network that differs in
        more than its inputs.
    """
    store = stores.open(path)
    if isinstance(store, xr.DataTree):
        stores.require_kind(store, "Activity")
        store = store.to_dataset()
    else:
        stores.require_kind(store, "Spikes")
    parameters = stores.attribute(store, "parameters")
    where = f"continue_from: {path}"
    if "network" not in parameters:
        raise SimulationError(
            "the store was not written by a simulation", where=where, expected="a store of simulate.run"
        )
    if not any(str(name).startswith("state_") for name in store):
        raise SimulationError(
            "the store does not hold the state at its end",
            where=where,
            expected="a store that was written with keep_state=True",
            do="run it again with keep_state=True",
        )
    for name, known, given in (
        ("seed", store.attrs["seed"], seed),
        ("precision", parameters["precision"], precision),
        ("dt_ms", parameters["network"]["dt_ms"], described["dt_ms"]),
    ):
        if known != given:
            raise SimulationError(
                f"{name} is {given!r}, but {known!r} in the store that is continued", where=where, expected=f"{known!r}"
            )
    change = next(_changes(parameters["network"], described), None)
    if change is not None:
        raise SimulationError(
            f"the network differs in more than its inputs: {change}",
            where=where,
            expected="the network of the store; its inputs alone may have changed",
            do="give changes of weights as a Condition, or run from time 0",
        )
    before = round(parameters.get("continues", {}).get("from_ms", 0.0) / described["dt_ms"])
    spikes = np.empty(0, np.int64)
    if "state_spike_step" in store:
        step, unit = store["state_spike_step"].values, store["state_spike_unit"].values
        spikes = (step - 1 + before) << 32 | unit.astype(np.int64)
    state = {
        str(name).removeprefix("state_"): store[name].values
        for name in store
        if str(name).startswith("state_") and store[name].dims == ("unit",)
    }
    step = before + round(float(store.attrs["duration_ms"]) / described["dt_ms"])
    origin = str(stores.read_manifest(path)["content"]["content_sha256"])
    return Start(step, {**state, "spikes": spikes}, origin)


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Name what differs between two described networks besides their inputs."""
    for group in sorted({*old, *new} - {*_FREE}):
        name = group.removesuffix("s").replace("_", " ")
        before, now = old.get(group), new.get(group)
        if not (isinstance(before, list) and isinstance(now, list)):
            yield from _differences(name, before, now)
            continue
        if len(before) != len(now):
            yield f"{len(now)} {group.replace('_', ' ')}, in the store {len(before)}"
        for number, (a, b) in enumerate(zip(before, now)):
            label = b.get("name") or " -> ".join(
                str(b[key]) for key in ("source", "target") if isinstance(b.get(key), str)
            )
            yield from _differences(f"{name} {label or number}", a, b)


def _differences(where: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping) and old.get("kind") == new.get("kind"):
        for key in sorted({*old, *new}):
            yield from _differences(f"{where}, {key}", old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list | tuple) and len(old) == len(new):
        for a, b in zip(old, new):
            yield from _differences(where, a, b)
    elif old != new:
        yield f"{where} is {_short(new)}, in the store {_short(old)}"


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        name = str(value.get("kind", ""))
        return f"{name}({', '.join(f'{k}={v!r}' for k, v in value.items() if k != 'kind')})"
    return repr(value)
