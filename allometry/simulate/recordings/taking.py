"""What is recorded of one point of a run: the neurons, and their traces or trains."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry import stores
from allometry.errors import SimulationError
from allometry.simulate.kernels.recording import Effect, chosen, stream
from allometry.simulate.recordings.imaging import INDICATORS, Indicator, fluorescence, observe
from allometry.simulate.recordings.sorting import inside, observed, sort
from allometry.simulate.responses import Trial


@dataclass(frozen=True)
class Taken:
    """What was recorded of one point.

    Parameters
    ----------
    trial : Trial
        The point.
    name : str
        Name of the recording: that of the point.
    truth : Dataset
        Its Spikes store.
    neurons : (neuron,) int64
        Indices of the recorded neurons in it.
    values : (frame, neuron) float32 or list of (spike,) float64
        dF/F, or trains in s.
    start_s : float
        Time of the simulation at which the recording starts, s.
    seen : (interval, 2) float64
        Intervals that were recorded, s of the simulation.
    """

    trial: Trial
    name: str
    truth: xr.Dataset
    neurons: np.ndarray
    values: Any
    start_s: float
    seen: np.ndarray


def indicator_of(settings: Mapping[str, Any]) -> Indicator:
    """The indicator of a configuration: a named one, with what is set in place of its numbers.

    Raises
    ------
    SimulationError
        It decays faster than it rises.
    """
    base = INDICATORS.get(settings["indicator"] or "", Indicator(1.0, 0.0, 1.0))
    own = {
        name: settings[name] for name in ("amplitude", "rise_s", "decay_s", "saturation") if settings[name] is not None
    }
    indicator = replace(base, **own)
    if indicator.rise_s >= indicator.decay_s:
        raise SimulationError(
            f"the indicator rises in {indicator.rise_s:g} s and decays in {indicator.decay_s:g} s",
            where="simulate.recordings: rise_s, decay_s",
            expected="a decay that is slower than the rise",
        )
    return indicator


def _open(trial: Trial, skip_ms: float) -> tuple[xr.Dataset, float, float]:
    """The store of a point, and from when to when it is recorded, s."""
    store = stores.open(trial.path)
    assert isinstance(store, xr.Dataset)
    stop = float(store.attrs["duration_ms"])
    if skip_ms >= stop:
        raise SimulationError(
            f"nothing is left of {stop:g} ms when {skip_ms:g} ms of warm-up are skipped",
            where="simulate.recordings: skip_ms",
            expected=f"less than {stop:g} ms",
            do="simulate for longer, or set skip_ms",
        )
    return store, skip_ms / 1000, stop / 1000


def _choice(
    store: xr.Dataset, able: np.ndarray, numbers: Mapping[str, Any], size: int, network: int, *, exactly: bool
) -> np.ndarray:
    """Recorded neurons: of the populations asked for, among those that can be recorded."""
    of = store["population"].values.astype(object)
    for name in numbers["populations"]:
        if name not in of:
            raise SimulationError(
                f"no population is called {name!r}",
                where="simulate.recordings: populations",
                expected="one of " + ", ".join(dict.fromkeys(map(str, of))),
            )
    able = able[np.isin(of[able], numbers["populations"])] if numbers["populations"] else able
    if able.size == 0 or (exactly and able.size < size):
        raise SimulationError(
            f"{size} neurons are to be recorded, of {able.size} that can be",
            where=str(store.attrs.get("title", "simulate.recordings")),
            expected=f"at most {able.size}",
            do="record fewer neurons, or more populations; of voltages only neurons that the run records can be taken",
        )
    return chosen(able, min(size, able.size), stream(numbers["seed"], Effect.CHOICE, network))


def image(trial: Trial, numbers: Mapping[str, Any], recording: int, network: int, *, exactly: bool) -> Taken:
    """Image neurons of a point.

    Parameters
    ----------
    trial : Trial
        The point.
    numbers : mapping
        All settings; `indicator` is an `Indicator`.
    recording, network : int
        Number of the point, and of its network: all points of a network have the same neurons.
    exactly : bool
        Whether too few neurons are an error; else all of them are taken.

    Raises
    ------
    SimulationError
        Too few neurons, nothing to record, or too short a run.
    """
    store, start, stop = _open(trial, numbers["skip_ms"])
    rate, indicator = numbers["frame_rate_hz"], numbers["indicator"]
    first, frames = int(np.ceil(start * rate - 1e-9)), int(stop * rate + 1e-9)
    if frames - first < 2:
        raise SimulationError(
            f"{stop - start:g} s hold {max(frames - first, 0)} frames at {rate:g} Hz",
            where="simulate.recordings: frame_rate_hz",
            expected="at least two",
            do="simulate for longer",
        )
    weight = None
    if numbers["signal"] == "voltage":
        if "voltage" not in store:
            raise SimulationError(
                "the run recorded no voltages", where="simulate.recordings: signal", expected="`record: {voltage: ...}` in the run"
            )  # fmt: skip
        probes = store["probe"].values.astype(np.int64)
        neurons = _choice(store, np.sort(probes), numbers, numbers["neurons"], network, exactly=exactly)
        place = {int(unit): i for i, unit in enumerate(probes)}
        volts = store["voltage"].values[:, [place[int(unit)] for unit in neurons]].astype(np.float64)
        time = store["step"].values * (float(store.attrs["dt_ms"]) / 1000)
        step = float(np.median(np.diff(time)))
        weight = list(np.maximum(volts - numbers["threshold_mv"], 0.0).T * (step / indicator.area_s))
        events = [time] * neurons.size
    else:
        neurons = _choice(store, np.arange(store.sizes["unit"]), numbers, numbers["neurons"], network, exactly=exactly)
        events = stores.trains(store, store["unit"].values[neurons])
    clean = fluorescence(events, weight, indicator, frames, rate)[first:]
    seen = observe(
        clean,
        neurons,
        noise=numbers["noise"],
        missing=numbers["missing"],
        gap_frames=max(1.0, numbers["gap_s"] * rate),
        seed=numbers["seed"],
        recording=recording,
    )
    name = Path(trial.path).name.removesuffix(".zarr")
    return Taken(trial, name, store, neurons, seen, first / rate, np.array([[first / rate, stop]]))


def sort_units(trial: Trial, numbers: Mapping[str, Any], recording: int, network: int, *, exactly: bool) -> Taken:
    """Record and sort units of a point.

    Parameters
    ----------
    trial : Trial
        The point.
    numbers : mapping
        All settings; rates in Hz.
    recording, network : int
        Number of the point, and of its network: all points of a network have the same neurons.
    exactly : bool
        Whether too few neurons are an error; else all of them are taken.

    Raises
    ------
    SimulationError
        Too few neurons, nothing to record, or too short a run.
    """
    store, start, stop = _open(trial, numbers["skip_ms"])
    trains = stores.trains(store)
    rates = np.array([((train >= start) & (train < stop)).sum() for train in trains]) / (stop - start)
    # what a unit of this neuron will show of itself
    shown = (1 - numbers["missed"]) * rates + numbers["false_hz"]
    able = np.flatnonzero(shown >= numbers["least_rate_hz"])
    neurons = _choice(store, able, numbers, numbers["units"], network, exactly=exactly)
    found = sort(
        [trains[i] for i in neurons],
        neurons,
        missed=numbers["missed"],
        false_hz=numbers["false_hz"],
        contamination=numbers["contamination"],
        start_s=start,
        stop_s=stop,
        seed=numbers["seed"],
        recording=recording,
    )
    seen = observed(
        start, stop, missing=numbers["missing"], gap_s=numbers["gap_s"], seed=numbers["seed"], recording=recording
    )
    name = Path(trial.path).name.removesuffix(".zarr")
    return Taken(trial, name, store, neurons, [inside(train, seen) for train in found], start, seen)
