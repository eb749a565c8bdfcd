"""What a run of rate units records: one variable of chosen units, at regular times."""

from dataclasses import dataclass

import numpy as np

from allometry.network import Network
from allometry.network.recording import Record, grouped


@dataclass(frozen=True, eq=False)
class Chosen:
    """Units that are recorded.

    Parameters
    ----------
    units : np.ndarray
        int64, numbers in the network, in the order of the store.
    every : int
        Steps between samples; every step that it divides has one, at its beginning.
    rate : bool
        Whether rates are recorded, else states x.
    """

    units: np.ndarray
    every: int
    rate: bool

    def within(self, low: int, high: int) -> np.ndarray:
        """Return those of the units [low, high), int64, rising."""
        return np.sort(self.units[(self.units >= low) & (self.units < high)])

    def samples(self, first: int, last: int) -> int:
        """Return the number of samples in steps [first, last)."""
        return -(-last // self.every) + -first // self.every


def chosen(net: Network, record: Record) -> Chosen:
    """Return what a checked record asks for: what its probes name, without any the rates of all units, at every step."""
    groups = grouped(record.probes, net.dt_ms)
    if not groups:
        every = 1 if record.sample_ms is None else round(record.sample_ms / net.dt_ms)
        return Chosen(np.arange(net.size), every, rate=True)
    ((variable, every), probes), *_ = groups.items()
    units = np.concatenate([net.offsets[p.population] + p.neurons for p in probes])
    return Chosen(units, every, rate=variable == "rate")
