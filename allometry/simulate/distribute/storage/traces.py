"""The collector of rate units: their traces, latent variables and readouts become an Activity store when the run ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from allometry import stores
from allometry.network import Network
from allometry.simulate.build.rates.plan import Sums, compile_rates, shown
from allometry.simulate.build.rates.recording import chosen
from allometry.simulate.distribute.storage.merging import Grown, Merging
from allometry.stores.attributes import encoded
from allometry.stores.schema import text

RECORDING = "simulation"
"""Name of the one recording of the store."""


@dataclass
class RateCollector(Merging):
    """Writes the merged windows of rate units: a trace per recorded unit, and every latent variable and readout.

    `labels` and `populations` are those of all units; `network` is what ran, with its condition.
    """

    store: Path
    labels: np.ndarray
    populations: np.ndarray
    network: Network
    attrs: Mapping[str, Any]
    overwrite: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        s = self.setting
        self._sums: tuple[Sums, ...] = compile_rates(s.network, s.seed, s.precision).sums
        self._chosen = chosen(s.network, s.record)
        samples = self._chosen.samples(s.first, s.steps)
        columns = sum(x.factors.shape[1] for x in self._sums)
        self._traces = (
            Grown("units", self._chosen.units, samples, np.float32, self.spool),
            Grown("sums", np.arange(columns), samples, np.float64, self.spool),
        )

    def _merged(self, parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        samples = {f"samples_{k}": trace.joined(k, parts) for k, trace in enumerate(self._traces)}
        return {"spikes": parts[0]["spikes"], **samples}

    def _append(self, window: dict[str, np.ndarray]) -> None:
        for k, trace in enumerate(self._traces):
            trace.append(window[f"samples_{k}"])

    @property
    def made(self) -> str:
        """What was recorded, in words."""
        return f"{len(self._traces[0].values)} samples of {len(self._chosen.units)} units"

    def abort(self) -> None:
        """Do nothing: the store is written as a whole when it is closed."""

    def close(self, state: dict[str, np.ndarray] | None, provenance: dict) -> None:
        """Write the store, with the state at the end where it is given."""
        s, every = self.setting, self._chosen.every
        traces, sums = (trace.values for trace in self._traces)
        step = every * (-(-s.first // every) + np.arange(len(traces), dtype=np.int64)) - s.first
        time = step * (s.network.dt_ms / 1000)
        labels = self.labels[self._chosen.units].tolist()
        rate_hz = 1000 / (every * s.network.dt_ms)
        recording = stores.Recording(
            name=RECORDING,
            time=time,
            trace=traces,
            label=labels,
            resampled=traces,
            rate_hz=rate_hz,
            resampled_time=time,
            resampled_extra={**self._extra(sums), **self._shown(step + s.first)},
        )
        attrs = {**self.attrs, "dt_ms": s.network.dt_ms, "duration_ms": s.duration_ms}
        tree = stores.activity([recording], labels, rate_hz, attrs=attrs, units="1")
        root = tree.to_dataset(inherit=False)
        root["population"] = ("neuron", text(self.populations[self._chosen.units].tolist()))
        root["trace"].attrs["long_name"] = "rate" if self._chosen.rate else "state x"
        for name, values in (state or {}).items():
            root[f"state_{name}"] = ("unit", np.asarray(values))
        several = {_dim(x): (_dim(x), text(x.labels)) for x in self._sums if len(x.labels) > 1}
        tree.dataset = root.assign_coords(several)
        stores.write(tree, self.store, overwrite=self.overwrite, provenance=provenance)

    def _extra(self, sums: np.ndarray) -> dict[str, Any]:
        """Latent variables and readouts by name: float64 [sample], or [sample, column] where there are several."""
        out: dict[str, Any] = {}
        for x in self._sums:
            values = sums[:, x.column : x.column + x.factors.shape[1]]
            about = "readout" if x.projection < 0 else "latent variables of a projection, times their gains"
            attrs = {"units": "1", "long_name": about}
            if values.shape[1] == 1:
                out[variable(x)] = (("sample",), np.ascontiguousarray(values[:, 0]), encoded(attrs))
            else:
                out[variable(x)] = (("sample", _dim(x)), np.ascontiguousarray(values), encoded(attrs))
        return out

    def _shown(self, step: np.ndarray) -> dict[str, Any]:
        """Inputs with a name by name, float64 [sample] or [sample, channel]."""
        out: dict[str, Any] = {}
        for name, values in shown(self.network, step).items():
            dims = ("sample",) if values.ndim == 1 else ("sample", f"channel_{_plain(name)}")
            out[_plain(name)] = (dims, values, encoded({"units": "1"}))
        return out


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in name.replace(" -> ", "_to_"))


def variable(x: Sums) -> str:
    """Return what the latent variables or the readout are called in the store."""
    name = _plain(x.name)
    return f"readout_{name}" if x.projection < 0 else f"latent_{name}"


def _dim(x: Sums) -> str:
    return f"column_{variable(x)}"
