"""Virtual recordings of runs: where they lie, what they are made of, and what may be configured."""

from collections.abc import Iterable
from typing import Any

from allometry.config import Config, NetworkRun
from allometry.errors import ConfigError
from allometry.hints import hint
from allometry.pathnames import EXPECTED, is_name, nearest_name
from allometry.workflow.places import run_responses


def recorded(name: str) -> list[str]:
    """Path of a virtual recording and of its manifest."""
    return [f"results/simulated/{name}.recording.zarr", f"results/simulated/{name}.recording.manifest.json"]


def trials(cfg: Config, name: str) -> list[dict[str, Any]]:
    """Every point of the run that is recorded (`simulate.responses.Trial`)."""
    return run_responses.trials(cfg, cfg.simulate.recordings[name].run)


def like(cfg: Config, name: str) -> list[str]:
    """Path of the store whose numbers are taken over and of its manifest; empty where there is none."""
    entry = cfg.simulate.recordings[name]
    if entry.like is None:
        return []
    stem = f"results/homogenized/{entry.like_kind}/{entry.like}"
    return [f"{stem}.zarr", f"{stem}.manifest.json"]


def named(cfg: Config, kind: str, name: str) -> bool:
    """Whether a comparison that reads a store `name` of a kind reads a virtual recording."""
    entry = cfg.simulate.recordings.get(name)
    return entry is not None and entry.store_kind == kind


def read(cfg: Config, kind: str, name: str) -> str:
    """Path of the virtual recording that a comparison names as a store of a kind; empty where it names none."""
    return recorded(name)[0] if named(cfg, kind, name) else ""


def drawn(cfg: Config) -> list[tuple[str, str, str]]:
    """Name, function and store of the figure of each virtual recording: that of recordings of its kind."""
    plots = {"activity": "recordings", "spikes": "spikes", "responses": "responses"}
    return [
        (f"virtual_recording_{name}", plots[entry.store_kind], recorded(name)[0])
        for name, entry in cfg.simulate.recordings.items()
    ]


def check_recordings(cfg: Config, stores: Iterable[str] = ()) -> None:
    """Refuse virtual recordings of what does not exist.

    Parameters
    ----------
    cfg : Config
    stores : iterable of str
        Names of the stores of all data sets: a comparison could not tell a recording of such a name from them.

    Raises
    ------
    ConfigError
        A name that is none or taken, a run that is none or has no spikes, a reference that is not homogenized.
    """
    taken = set(stores)
    for name, entry in cfg.simulate.recordings.items():
        where = f"simulate.recordings.{name}"
        if name in taken:
            raise ConfigError(
                f"a store of a data set is called {name!r} too",
                where=where,
                expected="a name of its own",
                do="rename it",
            )
        if not is_name(name):
            raise ConfigError(
                f"{name!r} is no valid name", where=where, expected=EXPECTED, do=f"write {nearest_name(name)!r}"
            )
        able = [label for label, run in cfg.simulate.runs.items() if isinstance(run, NetworkRun)]
        if entry.run not in able:
            raise ConfigError(
                f"no run of networks is called {entry.run!r}",
                where=f"{where}.run",
                expected="one of " + (", ".join(able) or "(no runs of networks are configured)"),
                do=hint(entry.run, able) if able else "add one under simulate.runs",
            )
        run = cfg.simulate.runs[entry.run]
        assert isinstance(run, NetworkRun)
        signal = getattr(entry, "signal", "spikes")
        if (signal == "voltage" and not run.record.voltage) or (signal == "spikes" and not run.record.spikes):
            raise ConfigError(
                f"the run {entry.run!r} records no {signal}",
                where=where,
                expected=f"a run that records its {signal}",
                do=f"set simulate.runs.{entry.run}.record",
            )
        if entry.skip_ms >= run.duration_ms:
            raise ConfigError(
                f"nothing is left of the run {entry.run!r} of {run.duration_ms:g} ms when {entry.skip_ms:g} ms of warm-up are "
                "skipped",
                where=f"{where}.skip_ms",
                expected=f"less than {run.duration_ms:g} ms",
            )
        known = cfg.homogenize.stores()[entry.like_kind]
        if entry.like is not None and entry.like not in known:
            raise ConfigError(
                f"{entry.like!r} is no {entry.like_kind} store of this configuration",
                where=f"{where}.like",
                expected=f"one of homogenize.{entry.like_kind}: " + (", ".join(known) or "(none)"),
                do=f"add it to homogenize.{entry.like_kind}, or set the numbers themselves",
            )
