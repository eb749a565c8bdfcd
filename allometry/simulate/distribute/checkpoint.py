"""Saving and restoring the state of a run, independently of how it is cut into partitions."""

import numpy as np

from allometry.errors import SimulationError
from allometry.simulate.build.partition import Partition
from allometry.simulate.distribute.spool import Spool, load


def save(partition: Partition, spool: Spool) -> None:
    """Write the state of a partition's neurons."""
    path = spool.state(partition.step, partition.number, partition.count)
    spool.write(path, neuron=partition.neurons, **partition.state())


def restore(partition: Partition, spool: Spool, step: int, parts: int, window_steps: int) -> None:
    """Load the state at `step`, written by `parts` partitions of any shape, into this partition."""
    size = partition.plan.size
    whole: dict[str, np.ndarray] = {}
    found = np.zeros(size, bool)
    for part in range(parts):
        data = load(spool.state(step, part, parts))
        neuron = data.pop("neuron")
        found[neuron] = True
        for name, values in data.items():
            whole.setdefault(name, np.zeros(size, values.dtype))[neuron] = values
    if not found.all():
        raise SimulationError("the checkpoint does not hold every neuron", where=str(spool.folder), do="delete it")
    first = max(0, step - partition.plan.longest) // window_steps
    recent = [load(spool.merged(w))["spikes"] for w in range(first, -(-step // window_steps))]
    partition.restore(
        step,
        {name: values[partition.neurons] for name, values in whole.items()},
        np.concatenate([*recent, np.empty(0, np.int64)]),
    )
