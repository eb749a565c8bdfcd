"""The outputs of a run: for every condition a store, and the spool that its spikes go through."""

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from allometry import stores
from allometry.code.fingerprint import fingerprint
from allometry.errors import SimulationError, StoreError
from allometry.network import Condition
from allometry.network.rate_unit import is_rate
from allometry.network.serialise import to_dict
from allometry.simulate.distribute.description import measurements, report, unit_table
from allometry.simulate.distribute.setting import Setting
from allometry.simulate.distribute.storage import checkpoint
from allometry.simulate.distribute.storage.collect import Collector
from allometry.simulate.distribute.storage.merging import Merging
from allometry.simulate.distribute.storage.spool import Spool, damage
from allometry.simulate.distribute.storage.traces import RateCollector
from allometry.simulate.distribute.task import Trial

_LOG = logging.getLogger("allometry")


def run_identity(setting: Setting, condition: Condition | None, described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells a run from others whose checkpoints may stand beside its own.

    `described` is the network without the condition, as `to_dict(digest=True)` gives it.
    """
    identity = {
        "network": hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest(),
        "seed": setting.seed,
        "precision": setting.precision,
        "record": json.dumps(to_dict(setting.record), sort_keys=True),
    }
    if condition is not None:
        identity["condition"] = json.dumps(to_dict(condition, digest=True), sort_keys=True)
    if setting.first:
        identity |= {"first": setting.first, "state": setting.origin}
    return identity


def different(identity: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return what tells the run of a checkpoint from another one: `network, seed`; empty if nothing does."""
    names = ("network", "seed", "precision", "record", "condition", "first", "state")
    return ", ".join(name for name in names if identity.get(name) != found.get(name))


def digest(identity: Mapping[str, Any]) -> str:
    """Return 16 hex digits that stand for an identity in the name of a folder."""
    return hashlib.sha256(json.dumps(dict(identity), sort_keys=True).encode()).hexdigest()[:16]


@dataclass(eq=False)
class Output:
    """One condition of a run, None for a run without: what is left of it to run, and what becomes of its spikes.

    Parameters
    ----------
    setting : Setting
        What it shares with the other conditions.
    condition : Condition or None
        What it changes.
    identity : dict
        See `run_identity`.
    store : Path
        Where its spikes end.
    spool : Spool
        What they go through.
    attrs, provenance : dict
        For the store and its manifest.
    overwrite : bool
        Whether a store that is there may be replaced.
    again : bool
        Whether a store that is there, and was made by this very run, is taken for it.
    """

    setting: Setting
    condition: Condition | None
    identity: dict[str, Any]
    store: Path
    spool: Spool
    attrs: dict[str, Any]
    provenance: dict[str, Any]
    overwrite: bool = False
    again: bool = False
    finished: bool = False
    spikes: int = 0
    collector: Merging | None = None
    _synced: int = 0

    @property
    def _code(self) -> dict[str, Any]:
        # the state of other code may mean something else
        code = fingerprint("allometry.simulate", "allometry.network.neurons")
        return {"window_steps": self.setting.window_steps, "version": version("allometry"), "code": code}

    @property
    def made_by(self) -> str:
        """What the manifest says of the run, for a rerun of its batch to know it again."""
        settings = {"steps": self.setting.steps, "keep_state": self.setting.keep_state, "attrs": self.attrs}
        return digest({**self.identity, **self._code, **settings})

    def is_published(self) -> bool:
        """Whether the store is there already, whole, and made by this very run."""
        if not self.again or not stores.manifest_path(self.store).exists():
            return False
        try:
            stores.open(self.store)
            known = stores.read_manifest(self.store)["provenance"].get("simulation", {})
        except (StoreError, KeyError):
            return False
        return bool(known.get("made_by") == self.made_by)

    @property
    def windows(self) -> range:
        """Numbers of the windows of time that the run consists of."""
        return self.setting.windows(self.setting.first)

    def resume(self) -> Trial | None:
        """Return what is left to run: from the last checkpoint of this very run, if there is one; None if nothing is left."""
        s = self.setting
        identity = {**self.identity, **self._code}
        known = s.keep and self._known(identity)
        if known and self._all_there():
            return None
        step, parts = checkpoint.usable(self.spool, s) if known else (s.first, 0)
        self.spool.make()
        if parts:
            self.spool.clear(keep_merged_below=step // s.window_steps, keep_state_below=step + 1)
        else:
            self.spool.clear()
        self.spool.write_json("run.json", identity, durable=True)
        self._synced = step // s.window_steps
        return Trial(self.condition, str(self.spool.folder.resolve()), step, parts)

    def _known(self, identity: dict[str, Any]) -> bool:
        """Whether what is in the spool is of this run; refuses that of another, and says what cannot be continued."""
        found = self.spool.read_json("run.json")
        if found is None or found == identity:
            return found is not None
        other = different(self.identity, found)
        if other:
            raise SimulationError(
                f"the checkpoint is of another run: its {other} differs",
                where=str(self.spool.folder),
                expected="checkpoints of the run that the folder is named after",
                do="give another --checkpoint-folder, or delete this folder",
            )
        _LOG.warning(
            "the checkpoint in %s was written by other code (version %s; this is %s): the run begins again",
            self.spool.folder,
            found.get("version"),
            identity["version"],
        )
        return False

    def _all_there(self) -> bool:
        done = self.spool.read_json("done.json")
        if done is None or done.get("steps") != self.setting.steps:
            return False
        states = self._states(len(done["measured"])) if self.setting.keep_state else []
        return not any(damage(path) for path in (*(self.spool.merged(w) for w in self.windows), *states))

    def _states(self, parts: int) -> list[Path]:
        return [self.spool.state(self.setting.steps, part, parts) for part in range(parts)]

    def poll(self, partitions: int) -> None:
        """Merge what all partitions have closed, and make a checkpoint where one is due."""
        if self.collector is None:
            self.collector = self._open_collector(partitions)
        moved = self.collector.poll()
        self.spikes = self.collector.spikes
        if moved:
            self._commit(partitions)

    def measured(self, partitions: int) -> list[dict[str, float]] | None:
        """Return what the partitions measured, None before all of them are through and everything is merged."""
        if self.collector is None or self.collector.next != self.windows.stop:
            return None
        done = self.spool.read_json("done.json")
        if done is not None:
            return list(done["measured"])
        found = [self.spool.read_json(f"measured-{part:05d}.json") for part in range(partitions)]
        return None if None in found else found  # type: ignore[return-value]

    def finish(self, measured: list[dict[str, float]], threads: int, started: float) -> None:
        """Publish the store."""
        assert self.collector is not None
        if self.setting.keep:
            self.spool.write_json("done.json", {"steps": self.setting.steps, "measured": measured})
        simulation = measurements(measured, threads, time.perf_counter() - started)
        if self.again:
            simulation["made_by"] = self.made_by
        state = self._state(len(measured)) if self.setting.keep_state else None
        self.collector.close(state, {**self.provenance, "simulation": simulation})
        name = f"condition {self.condition.name}: " if self.condition else ""
        report(name, measured, self.setting.duration_ms, self.collector.made)
        self.finished, self.collector = True, None

    def _state(self, parts: int) -> dict[str, np.ndarray]:
        """Return the state of all neurons at the end, and the spikes that may still be under way, in the time of the store."""
        s = self.setting
        whole = checkpoint.gathered(self._states(parts), s.network.size)
        if is_rate(s.network):
            return whole
        recent = np.concatenate(checkpoint.recent(self.spool, s, s.steps))
        recent = recent[recent >> 32 >= s.steps - s.longest]
        return {**whole, "spike_step": (recent >> 32) + 1 - s.first, "spike_unit": recent & 0xFFFFFFFF}

    def abort(self) -> None:
        """Delete what was written of an unfinished store."""
        if self.collector is not None:
            self.collector.abort()
            self.collector = None

    @property
    def done_steps(self) -> int:
        """Steps that are through."""
        s = self.setting
        if self.finished:
            return s.steps - s.first
        last = self.collector.next * s.window_steps if self.collector else s.first
        return max(0, min(last, s.steps) - s.first)

    def _open_collector(self, partitions: int) -> Merging:
        net, s = self.setting.network, self.setting
        if is_rate(net):
            table = unit_table(net)
            labels, populations = table.index.to_numpy(), table["population"].to_numpy()
            ran = net if self.condition is None else self.condition.applied(net)
            return RateCollector(
                s, self.spool, partitions, self.store, labels, populations, ran, self.attrs, self.overwrite
            )
        writer = stores.SpikeWriter(
            self.store,
            unit_table(net, s.record),
            dt_ms=net.dt_ms,
            duration_ms=s.duration_ms,
            attrs=self.attrs,
            overwrite=self.overwrite,
        )
        try:
            return Collector(s, self.spool, partitions, writer)
        except BaseException:
            writer.abort()
            raise

    def _commit(self, partitions: int) -> None:
        """Record the newest checkpoint whose states all partitions have written and whose past is merged."""
        assert self.collector is not None
        if not self.collector.saved:
            return
        window = max(self.collector.saved)
        step, cost_s = (window + 1) * self.setting.window_steps, self.collector.saved[window]
        self.collector.saved.clear()
        with checkpoint.unless_full(self.setting, step):
            checkpoint.commit(self.spool, self.setting, step, partitions, cost_s, self._synced)
            self._synced = window + 1
