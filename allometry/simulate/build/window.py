"""What a partition hands over of a window of time."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Window:
    """What a partition produced in steps [first, last).

    spikes : int64, step << 32 | neuron, sorted; for every group of probes (`recording.grouped`) samples : float32 [sample,
    probe], in the unit of the variable; units : int64 [probe], the neurons of the probes; for every recorded projection
    weights : float32 [sample, synapse], ends : int64 [2, synapse], their sources and targets. Of rate units the groups are
    the traces and, from the first partition, the sums over units, float64 [sample, sum].
    """

    first: int
    last: int
    spikes: np.ndarray
    samples: tuple[np.ndarray, ...]
    units: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...] = ()
    ends: tuple[np.ndarray, ...] = ()
