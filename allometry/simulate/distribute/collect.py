"""The collector: merges the segments of closed time windows by (step, unit) into the store while the run goes on."""

from dataclasses import dataclass

import numpy as np

from allometry.network import Network
from allometry.network.recording import Record
from allometry.simulate.distribute.spool import Spool, load
from allometry.simulate.distribute.task import probe_units, sample_steps
from allometry.stores.spike_writer import SpikeWriter

_LOW = np.int64(0xFFFFFFFF)


@dataclass
class Collector:
    """Writes merged windows in order; holds one window at a time.

    Counts and voltages grow in files of the spool until the store is closed. `keep` leaves the merged windows in the spool, for a run with checkpoints.
    """

    network: Network
    record: Record
    spool: Spool
    writer: SpikeWriter
    partitions: int
    windows: int
    window_steps: int
    steps: int
    keep: bool
    next: int = 0
    spikes: int = 0
    _counts: np.ndarray | None = None
    _voltage: np.ndarray | None = None
    _sampled: int = 0

    def __post_init__(self) -> None:
        if self.record.counts_ms is not None:
            self._bin_steps = round(self.record.counts_ms / self.network.dt_ms)
            bins = -(-self.steps // self._bin_steps)
            self._counts = self.spool.grown("count", (bins, self.network.size), np.int32)
        units = probe_units(self.network, self.record)
        self._column = {int(unit): column for column, unit in enumerate(units)}
        self._units = units
        if len(units):
            samples = self.steps // sample_steps(self.record, self.network.dt_ms)
            self._voltage = self.spool.grown("voltage", (samples, len(units)), np.float32)

    def poll(self) -> bool:
        """Merge every window that all partitions have closed; returns whether there was one."""
        moved = False
        while self.next < self.windows:
            merged = self.spool.merged(self.next)
            parts = [self.spool.segment(self.next, part) for part in range(self.partitions)]
            if self.keep and merged.exists():
                data = load(merged)
                spikes, samples = data["spikes"], data["samples"]
            elif all(path.exists() for path in parts):
                loaded = [load(path) for path in parts]
                spikes = np.concatenate([x["spikes"] for x in loaded])
                spikes.sort(kind="stable")
                samples = self._joined(loaded)
                if self.keep:
                    self.spool.write(merged, spikes=spikes, samples=samples)
            else:
                break
            self._append(spikes, samples)
            for path in parts:
                path.unlink(missing_ok=True)
            self.next += 1
            moved = True
        return moved

    def _joined(self, loaded: list[dict[str, np.ndarray]]) -> np.ndarray:
        out = np.zeros((loaded[0]["samples"].shape[0], len(self._units)), np.float32)
        for data in loaded:
            columns = [self._column[int(unit)] for unit in data["units"]]
            out[:, columns] = data["samples"]
        return out

    def _append(self, spikes: np.ndarray, samples: np.ndarray) -> None:
        step, unit = (spikes >> np.int64(32)) + 1, spikes & _LOW
        self.spikes += len(spikes)
        if self.record.spikes:
            self.writer.append(step, unit)
        if self._counts is not None:
            np.add.at(self._counts, ((step - 1) // self._bin_steps, unit), 1)
        if self._voltage is not None:
            self._voltage[self._sampled : self._sampled + len(samples)] = samples
            self._sampled += len(samples)

    def close(self, attrs: dict, provenance: dict) -> None:
        """Finalise the store."""
        every = sample_steps(self.record, self.network.dt_ms)
        optional: dict = {}
        if self._counts is not None:
            optional |= {"count": self._counts, "bin_ms": self._bin_steps * self.network.dt_ms}
        if self._voltage is not None:
            optional |= {
                "voltage": self._voltage,
                "voltage_step": every * np.arange(1, len(self._voltage) + 1, dtype=np.int64),
                "probe": self._units,
            }
        self.writer.close(attrs=attrs, provenance=provenance, **optional)
