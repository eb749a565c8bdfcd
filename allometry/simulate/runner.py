"""Running a network: once, or under many conditions on one connectivity."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from allometry import stores
from allometry.network import Condition, Network
from allometry.network.recording import Record
from allometry.network.scalars import plain_arguments
from allometry.simulate.conditions import Asked, require_conditions, run_alone, run_conditions
from allometry.simulate.distribute.execution import Execution


@plain_arguments
def run(
    net: Network,
    duration_ms: float,
    seed: int,
    store: str | Path,
    *,
    precision: str = "fast",
    record: Record | None = None,
    condition: Condition | None = None,
    continue_from: str | Path | None = None,
    keep_state: bool = False,
    execution: Execution | None = None,
    attrs: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> xr.Dataset:
    """Simulate a network and write its spikes.

    The spikes depend on `net`, `seed`, `precision`, `condition` and `continue_from` only: not on the execution, nor on restarts.

    Parameters
    ----------
    net : Network
        What to simulate.
    duration_ms : float
        Simulated time, ms.
    seed : int
        Seed of connections, initial voltages and Poisson input.
    store : path
        Spikes store to write; ends in `.zarr`. `spike_step` is the end of the step in which the threshold was crossed.
    precision : {"fast", "exact"}
        float32 state, or float64 with weights rounded to 2^-10 pA, finer where they are small (NEST gives the same spikes
        with these weights).
    record : Record, optional
        What to record; default all spikes.
    condition : Condition, optional
        What to change of the network; for many of them see `run_batch`.
    continue_from : path, optional
        Spikes store, written with `keep_state`, at whose end to begin. The network may differ in its inputs, and in what
        the condition changes; times of inputs count from the beginning of the first run, those of the new store from its
        own. With nothing changed, the two stores hold what one run of both durations would.
    keep_state : bool
        Whether the store also holds the state at its end, for a further run to continue from: some 16 bytes per neuron.
    execution : Execution, optional
        Where and how to run: partitions, threads, cluster, checkpoints, memory; default all cores of this machine.
    attrs, provenance : mapping, optional
        Added to the store's root attributes and to its manifest.
    overwrite : bool
        Whether a store that is there may be replaced. Anything that is no store of ours is never touched.

    Returns
    -------
    xarray.Dataset
        The opened store.

    Raises
    ------
    SimulationError
        If the network is impossible or does not fit, the condition does not fit it, the store to continue from is of
        another network, or a partition fails (with its cause).
    """
    asked = Asked(
        net, duration_ms, seed, precision, record or Record(), continue_from, keep_state, attrs, provenance, overwrite
    )
    run_alone(asked, condition, Path(store), execution or Execution())
    return stores.open(store)  # type: ignore[return-value]


@plain_arguments
def run_batch(
    net: Network,
    conditions: Sequence[Condition],
    duration_ms: float,
    seed: int,
    folder: str | Path,
    *,
    precision: str = "fast",
    record: Record | None = None,
    continue_from: str | Path | None = None,
    keep_state: bool = False,
    execution: Execution | None = None,
    attrs: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> dict[str, xr.Dataset]:
    """Simulate a network under many conditions, on one connectivity that is drawn once.

    Each condition's store is that of `run(net, ..., condition=condition)`, bit for bit. They run one after the other; a store
    appears when its condition is through. A rerun with the same arguments runs what is missing: stores that are there and
    were made by this very batch are left as they are.

    Parameters
    ----------
    net : Network
        What to simulate.
    conditions : sequence of Condition
        What to change, each under a name of its own.
    duration_ms : float
        Simulated time of each, ms.
    seed : int
        Seed of connections, and of drive and initial voltages where a condition has none of its own.
    folder : path
        Folder for the stores, `{name}.zarr`.
    precision, record, continue_from, keep_state, execution, attrs, provenance, overwrite
        As `run` takes them, for all conditions.

    Returns
    -------
    dict of str to xarray.Dataset
        The opened stores by name of the condition.

    Raises
    ------
    SimulationError
        As `run`; if there are no conditions, or two of one name.
    """
    asked = Asked(
        net, duration_ms, seed, precision, record or Record(), continue_from, keep_state, attrs, provenance, overwrite
    )
    conditions = require_conditions(conditions, "simulate.run_batch")
    places = [(condition, Path(folder) / f"{condition.name}.zarr") for condition in conditions]
    run_conditions(asked, places, execution or Execution())
    return {condition.name: stores.open(path) for condition, path in places}  # type: ignore[misc]
