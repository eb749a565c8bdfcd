"""The collector of spikes: merges the segments of closed time windows by (step, unit) into the store while the run goes on."""

from dataclasses import dataclass

import numpy as np

from allometry.network.neuron_model import unit_of
from allometry.network.recording import WeightProbe, grouped, stored_names
from allometry.simulate.distribute.setting import Setting
from allometry.simulate.distribute.storage.merging import Grown, Merging
from allometry.simulate.distribute.storage.spool import Spool
from allometry.stores.kinds.spikes import Recorded
from allometry.stores.writers.spikes import SpikeWriter

_LOW = np.int64(0xFFFFFFFF)


@dataclass
class Collector(Merging):
    """Writes the merged windows of spiking neurons."""

    writer: SpikeWriter
    _counts: np.ndarray | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        s = self.setting
        if s.record.counts_ms is not None:
            self._bin_steps = round(s.record.counts_ms / s.network.dt_ms)
            bins = -(-(s.steps - s.first) // self._bin_steps)
            self._counts = self.spool.grown("count", (bins, s.network.size), np.int32)
        groups = grouped(s.record.probes, s.network.dt_ms)
        names = stored_names(list(groups), s.network.dt_ms)
        offsets = s.network.offsets
        self._traces = [
            _Trace(name, s, key, [offsets[p.population] + p.neurons for p in probes], self.spool)
            for name, (key, probes) in zip(names, groups.items())
        ]
        self._weights = [_Weights(k, probe, s, self.spool) for k, probe in enumerate(s.record.weights)]
        recorded = s.record.recorded(s.network)
        self._recorded = None if recorded.all() else recorded

    def _merged(self, parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        spikes = np.concatenate([x["spikes"] for x in parts])
        spikes.sort(kind="stable")
        samples = {f"samples_{k}": trace.joined(k, parts) for k, trace in enumerate(self._traces)}
        weighed = {name: values for w in self._weights for name, values in w.joined(parts).items()}
        return {"spikes": spikes, **samples, **weighed}

    def _append(self, window: dict[str, np.ndarray]) -> None:
        spikes = window["spikes"]
        step, unit = (spikes >> np.int64(32)) + 1 - self.setting.first, spikes & _LOW
        self.spikes += len(spikes)
        if self._recorded is None:
            self.writer.append(step, unit)
        elif self._recorded.any():
            kept = self._recorded[unit]
            self.writer.append(step[kept], unit[kept])
        if self._counts is not None:
            np.add.at(self._counts, ((step - 1) // self._bin_steps, unit), 1)
        for k, trace in enumerate(self._traces):
            trace.append(window[f"samples_{k}"])
        for weights in self._weights:
            weights.append(window)

    @property
    def made(self) -> str:
        """What was recorded, in words."""
        return f"{self.spikes} spikes"

    def abort(self) -> None:
        """Delete what was written of the store."""
        self.writer.abort()

    def close(self, state: dict[str, np.ndarray] | None, provenance: dict) -> None:
        """Finalise the store, with the state at the end where it is given."""
        optional: dict = {}
        if self._counts is not None:
            optional |= {"count": self._counts, "bin_ms": self._bin_steps * self.setting.network.dt_ms}
        recorded = {trace.name: trace.stored() for trace in self._traces}
        recorded |= {weights.name: weights.stored() for weights in self._weights}
        if voltage := recorded.pop("voltage", None):
            optional |= {"voltage": voltage.values, "voltage_step": voltage.step, "probe": voltage.probe}
        self.writer.close(state=state, provenance=provenance, recorded=recorded, **optional)


class _Trace(Grown):
    """One recorded state variable."""

    def __init__(
        self, name: str, setting: Setting, key: tuple[str, int], units: list[np.ndarray], spool: Spool
    ) -> None:
        variable, self._every = key
        self._first = setting.first
        samples = setting.steps // self._every - setting.first // self._every
        super().__init__(name, np.concatenate(units), samples, np.float32, spool)
        known = [s for p in setting.network.populations for s in type(p.neuron).states]
        self._unit = next((s.unit for s in known if s.name == variable), "1")

    def stored(self) -> Recorded:
        """Return what the store holds of it."""
        number = self._first // self._every + np.arange(1, len(self.values) + 1, dtype=np.int64)
        step = self._every * number - self._first
        return Recorded(self.values, step, self.units, self._unit)


class _Weights:
    """The weights of one projection, growing in a file of the spool; synapses by source and target."""

    def __init__(self, number: int, probe: WeightProbe, setting: Setting, spool: Spool) -> None:
        projection = setting.network.projections[probe.projection]
        self.name, self._number, self._spool = f"weight_{probe.projection}", number, spool
        self._every, self._first = round(probe.interval_ms / setting.network.dt_ms), setting.first
        self._samples = setting.steps // self._every - setting.first // self._every
        self._filled = 0
        self._unit = unit_of(setting.network.population(projection.target).neuron)
        self._values: np.ndarray = np.zeros((self._samples, 0), np.float32)
        self._ends = np.zeros((2, 0), np.int64)

    def joined(self, loaded: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Return one window of all partitions, as the file of the merged window has it."""
        weights, ends = f"weights_{self._number}", f"ends_{self._number}"
        both = np.concatenate([data[ends] for data in loaded], axis=1)
        order = np.lexsort((both[1], both[0]))
        return {weights: np.concatenate([data[weights] for data in loaded], axis=1)[:, order], ends: both[:, order]}

    def append(self, window: dict[str, np.ndarray]) -> None:
        """Add the samples of a merged window."""
        block = window[f"weights_{self._number}"]
        if not len(block):
            return
        if not self._ends.shape[1]:
            self._ends = window[f"ends_{self._number}"]
            self._values = self._spool.grown(self.name, (self._samples, self._ends.shape[1]), np.float32)
        self._values[self._filled : self._filled + len(block)] = block
        self._filled += len(block)

    def stored(self) -> Recorded:
        """Return what the store holds of it."""
        number = self._first // self._every + np.arange(1, self._samples + 1, dtype=np.int64)
        step = self._every * number - self._first
        return Recorded(self._values, step, self._ends[1], self._unit, self._ends[0])
