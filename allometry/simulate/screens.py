"""Screens of a connectome: which neurons answer when some are activated, and which no longer when others are silenced.

Every condition is run for several trials on one connectivity, as a batch; the rates of all neurons become a Responses store.
"""

import dataclasses
import logging
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import SimulationError
from allometry.models.connectome_lif import KICK_MV
from allometry.network import Condition, Network, PoissonInput
from allometry.simulate.conditions import require_conditions
from allometry.simulate.distribute.execution import Execution
from allometry.simulate.runner import run_batch

_LOG = logging.getLogger("allometry")


def activated(
    net: Network, groups: Mapping[str, Iterable[str]], drive_hz: float = 150.0, kick_mv: float = KICK_MV
) -> list[Condition]:
    """Conditions that drive one group of neurons each.

    Parameters
    ----------
    net : Network
        One population with labels, as `models.connectome_lif` gives it.
    groups : mapping of str to labels
        Neurons of each condition by its name.
    drive_hz : float
        Rate of independent Poisson kicks of every neuron of a group, Hz.
    kick_mv : float
        Size of a kick, mV.

    Returns
    -------
    list of Condition
        In the order of `groups`; the inputs of the network remain beside.

    Raises
    ------
    SimulationError
        If a label is unknown, or a group is empty.
    """
    name = net.populations[0].name
    return [
        Condition(key, inputs=(PoissonInput(name, drive_hz, kick_mv, _index(net, labels, key)),))
        for key, labels in groups.items()
    ]


def silenced(net: Network, groups: Mapping[str, Iterable[str]]) -> list[Condition]:
    """Conditions that silence one group of neurons each.

    Parameters
    ----------
    net : Network
        One population with labels and with its drive, as `models.connectome_lif` gives it.
    groups : mapping of str to labels
        Neurons of each condition by its name: their spikes reach nobody and are not recorded.

    Returns
    -------
    list of Condition
        In the order of `groups`.

    Raises
    ------
    SimulationError
        If a label is unknown, or a group is empty.
    """
    name = net.populations[0].name
    return [Condition(key, silenced={name: _index(net, labels, key)}) for key, labels in groups.items()]


def screen(
    net: Network,
    conditions: Sequence[Condition],
    duration_ms: float,
    out: str | Path,
    *,
    trials: int = 30,
    seed: int = 1,
    execution: Execution | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Run every condition for several trials, and write the rates of all neurons.

    Parameters
    ----------
    net : Network
        One population with labels, as `models.connectome_lif` gives it.
    conditions : sequence of Condition
        Such as `activated` and `silenced` give; `Condition("intact")` is the network as it is.
    duration_ms : float
        Length of a trial, ms, which begins at rest.
    out : path
        Responses store to write; what is there is replaced.
    trials : int
        Trials of each condition; they differ in the drive, trial number t has that of seed `seed + t` in all conditions.
    seed : int
        Of the first trial.
    execution : Execution, optional
        Threads and partitions.
    provenance : mapping, optional
        For the store's manifest.

    Returns
    -------
    xarray.Dataset
        Responses, Hz, [unit, presentation]: a unit for every neuron, named by its label in `unit`; a presentation for every
        trial of every condition.

    Raises
    ------
    SimulationError
        If the network is none of one labelled population, there is no trial, or two conditions have one name.
    """
    population = _population(net)
    given = require_conditions(conditions, "screen")
    if isinstance(trials, bool) or trials < 1:
        raise SimulationError(f"trials is {trials}", where="screen", expected="at least 1")
    own = {f"{c.name}.trial{t}": dataclasses.replace(c, name=f"{c.name}.trial{t}", seed=seed + t) for c in given for t in range(trials)}  # fmt: skip
    columns = []
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.stem}_") as folder:
        run = run_batch(net, list(own.values()), duration_ms, seed, folder, execution=execution)
        for spikes in run.values():
            columns.append(np.bincount(spikes["spike_unit"].values, minlength=population.size))
            spikes.close()
    response = np.stack(columns, axis=1) / (duration_ms / 1000)
    table = pd.DataFrame(
        {
            "stimulus": "screen",
            "condition": [c.name for c in given for _ in range(trials)],
            "repeat": [t for _ in given for t in range(trials)],
            "duration": duration_ms / 1000,
        }
    )
    units = pd.DataFrame({"cell_type": population.name}, index=pd.Index(population.labels, name="unit"))
    dataset = stores.responses(
        response,
        table,
        units,
        attrs={
            "title": f"Screen of {len(given)} conditions: {net.title}",
            "species": "none (model)",
            "citation": net.title,
            "licence": "none",
            "source": {},
            "parameters": {**net.parameters, "duration_ms": duration_ms, "trials": trials, "seed": seed},
            "derived": {"response": f"spikes of a neuron in a trial of {duration_ms:g} ms from rest, as a rate"},
        },
        response_units="Hz",
    )
    _LOG.info("%d conditions, %d trials each, %d neurons", len(given), trials, population.size)
    stores.write(dataset, out, overwrite=True, provenance=dict(provenance or {}))
    opened = stores.open(out)
    assert isinstance(opened, xr.Dataset)
    return opened


def _population(net: Network) -> Any:
    if len(net.populations) != 1 or not net.populations[0].labels:
        raise SimulationError(
            f"a network of {len(net.populations)} populations",
            where="screen",
            expected="one population whose neurons have labels, as models.connectome_lif gives it",
        )
    return net.populations[0]


def _index(net: Network, labels: Iterable[str], where: str) -> np.ndarray:
    position = {label: i for i, label in enumerate(_population(net).labels)}
    wanted = list(labels)
    unknown = [label for label in wanted if label not in position]
    if unknown or not wanted:
        raise SimulationError(
            f"unknown neurons {', '.join(unknown[:5])}" if unknown else "no neuron",
            where=f"screen, {where}",
            expected=f"labels such as {', '.join(list(position)[:3])}",
        )
    return np.array([position[label] for label in wanted], np.int64)
