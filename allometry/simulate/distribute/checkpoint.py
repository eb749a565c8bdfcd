"""Saving and restoring the state of a run, independently of how it is cut into partitions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from allometry.errors import SimulationError
from allometry.simulate.build.partition import Partition
from allometry.simulate.build.plastic import PREFIX, joined
from allometry.simulate.distribute.setting import Setting
from allometry.simulate.distribute.spool import Spool, load


def save(partition: Partition, spool: Spool) -> None:
    """Write the state of a partition's neurons and plastic synapses."""
    path = spool.state(partition.step, partition.number, partition.count)
    spool.write(path, neuron=partition.neurons, **partition.state(), **partition.plastic_state())


def gathered(states: Sequence[Path], size: int) -> dict[str, np.ndarray]:
    """Return the state of all `size` neurons, in the order of their numbers, from files that hold parts of it.

    That of plastic synapses is left out.
    """
    whole: dict[str, np.ndarray] = {}
    found = np.zeros(size, bool)
    for path in states:
        data = load(path)
        neuron = data.pop("neuron")
        found[neuron] = True
        for name, values in data.items():
            if name.startswith(PREFIX):
                continue
            whole.setdefault(name, np.zeros(size, values.dtype))[neuron] = values
    if not found.all():
        raise SimulationError("the checkpoint does not hold every neuron", where=str(states[0].parent), do="delete it")
    return whole


def recent(spool: Spool, setting: Setting, step: int) -> list[np.ndarray]:
    """Return spikes before `step`, int64 (step << 32 | neuron): all that may be under way then, and some that arrived."""
    found = [np.empty(0, np.int64)]
    if step - setting.longest < setting.first:
        found.append(setting.start_spikes())
    if step > setting.first:
        first = max(setting.first, step - setting.longest) // setting.window_steps
        found += [load(spool.merged(w))["spikes"] for w in range(first, -(-step // setting.window_steps))]
    return found


def restore(partition: Partition, spool: Spool, setting: Setting, step: int, parts: int) -> None:
    """Load the state at `step`, written by `parts` partitions of any shape, 0 for that of a store, into this partition."""
    whole = (
        gathered([spool.state(step, part, parts) for part in range(parts)], partition.plan.size)
        if parts
        else setting.start_state()
    )
    wanted = {name: values.dtype for name, values in partition.state().items()}
    if {name: values.dtype for name, values in whole.items()} != wanted:
        raise SimulationError(
            f"the state holds {', '.join(whole)}, which is not what these neurons have",
            where=setting.start or str(spool.folder),
            expected=", ".join(f"{name} ({dtype})" for name, dtype in wanted.items()),
            do="run the store that is continued again, with this version",
        )
    partition.restore(
        step,
        {name: values[partition.neurons] for name, values in whole.items()},
        np.concatenate(recent(spool, setting, step)),
    )
    if partition.plan.plastic:
        parts_of = [load(spool.state(step, part, parts)) for part in range(parts)]
        partition.restore_plastic(joined(parts_of))
