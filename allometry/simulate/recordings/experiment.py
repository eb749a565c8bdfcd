"""A virtual recording of a run: every point of it is a recording of one store, of the kind that the experiment gives."""

import logging
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import SimulationError
from allometry.simulate.recordings import reference
from allometry.simulate.recordings.taking import Taken, image, indicator_of, sort_units
from allometry.simulate.responses import Trial, presentations
from allometry.stores.kinds.activity import Recording
from allometry.stores.storage import manifest

_LOG = logging.getLogger("allometry")


def write_recording(
    trials: Sequence[Mapping[str, Any]],
    out: str | Path,
    like: str | Path | None,
    settings: Mapping[str, Any],
    *,
    overwrite: bool = False,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Record every point of a run as an experiment would have, and write one store.

    Parameters
    ----------
    trials : sequence of mapping
        `Trial` as plain values, of every network and condition.
    out : path
        Store to write: Activity of imaging, Spikes of sorting, Responses where there are `trials`.
    like : path, optional
        Homogenized store of a recording whose numbers stand in for those that are not given.
    settings : mapping
        `config.recordings.ImagingConfig` or `SortingConfig` as plain values.
    overwrite : bool
        Replace a store that is there.
    provenance : mapping, optional
        For the manifest.

    Raises
    ------
    SimulationError
        A number that nothing gives, too few neurons, no spikes or voltages, too short a run, a reference of another kind.
    """
    given = [Trial(**trial) for trial in trials]
    imaging = settings["kind"] == "imaging"
    names = ("neurons", "frame_rate_hz", "noise", "missing") if imaging else ("units", "least_rate_hz", "missing")
    find = reference.like_imaging if imaging else reference.like_sorting
    found = find(like) if like is not None else {}
    chosen_here = {name: settings[name] for name in names}
    taken_over = sorted(name for name, value in chosen_here.items() if value is None and name in found)
    numbers = {**settings, **reference.settled(chosen_here, found, "simulate.recordings")}
    if imaging:
        numbers["indicator"] = indicator_of(settings)
    networks = list(dict.fromkeys(trial.network for trial in given))
    take = image if imaging else sort_units
    all_taken = [
        take(trial, numbers, number, networks.index(trial.network), exactly="neurons" not in taken_over and "units" not in taken_over)
        for number, trial in enumerate(given)
    ]  # fmt: skip
    paths = {Path(trial.path).name.removesuffix(".zarr"): trial.path for trial in given}
    read = {**paths, **({f"like {Path(like).name}": str(like)} if like is not None else {})}
    truth = all_taken[0].truth.attrs
    derived = {
        "true_unit": "index of the neuron in the store of the simulation that `source` names, which has its true spikes",
        "recording": "a point of the run each: network, seed and condition",
    }
    if taken_over:
        derived["like"] = f"{', '.join(taken_over)} as in {Path(str(like)).name.removesuffix('.zarr')}: " + ", ".join(
            f"{name} {numbers[name]:.4g}" for name in taken_over
        )
    attrs = {
        "title": f"Virtual recording ({settings['kind']}) of: {truth['title']}",
        "species": truth["species"],
        "citation": truth["citation"],
        "licence": truth["licence"],
        "source": {
            f"{name}.zarr": stores.read_manifest(path)["content"]["content_sha256"] for name, path in sorted(read.items())
        },
        "parameters": {**settings, **{name: numbers[name] for name in names}},
        "derived": derived,
        "seed": settings["seed"],
    }  # fmt: skip
    if settings["trials"] is not None:
        store: Any = _responses(all_taken, numbers, networks, attrs)
    elif imaging:
        store = _activity(all_taken, numbers, attrs)
    else:
        store = _spikes(all_taken, attrs)
    _LOG.info("%d recordings of %s", len(all_taken), truth["title"])
    stores.write(store, out, overwrite=overwrite, provenance={**(provenance or {}), **manifest.sources_read(read, out)})


def _labels(taken: Sequence[Taken]) -> list[list[str]]:
    """Labels of the neurons of each recording: names are the same neuron in every one, numbers another in each."""
    found = []
    for one in taken:
        labels = one.truth["unit"].values[one.neurons]
        named = labels.dtype.kind not in "iu"
        alone = named or len(taken) == 1
        found.append([str(label) if alone else f"{one.name}/{label}" for label in labels.tolist()])
    return found


def _activity(taken: Sequence[Taken], numbers: Mapping[str, Any], attrs: Mapping[str, Any]) -> xr.DataTree:
    labels = _labels(taken)
    axis = sorted({label for some in labels for label in some})
    place = {label: i for i, label in enumerate(axis)}
    rate = float(numbers["frame_rate_hz"])
    recordings = [
        Recording(
            name=one.name,
            time=np.arange(len(one.values)) / rate,
            trace=one.values,
            label=some,
            resampled=one.values,
            slots=np.array([place[label] for label in some]),
            rate_hz=rate,
            metadata={"condition": one.trial.condition, "network": one.trial.network},
            extra={
                "true_unit": ("roi", one.neurons.astype(np.int32)),
                "population": ("roi", one.truth["population"].values[one.neurons]),
            },
            attrs={"simulation": one.name, "starts_at_s": one.start_s},
        )
        for one, some in zip(taken, labels)
    ]
    return stores.activity(recordings, axis, rate, attrs=attrs)


def _table(one: Taken) -> dict[str, Any]:
    return {"population": one.truth["population"].values[one.neurons].astype(object), "true_unit": one.neurons}


def _spikes(taken: Sequence[Taken], attrs: Mapping[str, Any]) -> xr.Dataset:
    # units of several recordings are told apart by their names: each is another animal, or another day
    several = len(taken) > 1
    frames = [
        pd.DataFrame(
            {**_table(one), **({"recording": one.name} if several else {})},
            index=[f"{one.name}/{x}" if several else x for x in one.truth["unit"].values[one.neurons].tolist()],
        )
        for one in taken
    ]
    trains = [train for one in taken for train in one.values]
    first = taken[0].seen
    if any(one.seen.shape != first.shape or (one.seen != first).any() for one in taken):
        raise SimulationError(
            "recordings with gaps at different times make no one store of spikes",
            where="simulate.recordings: missing",
            expected="one point in the run, no missing time, or `trials`",
            do="set `missing: 0`",
        )
    return stores.spikes_recorded(
        np.concatenate(trains),
        np.array([train.size for train in trains]),
        units=pd.concat(frames),
        observed=first,
        attrs=attrs,
        duration_ms=float(taken[0].truth.attrs["duration_ms"]),
    )


def _responses(
    taken: Sequence[Taken], numbers: Mapping[str, Any], networks: Sequence[str], attrs: Mapping[str, Any]
) -> xr.Dataset:
    """Mean dF/F, or rate, in windows; the neurons of a network are the same under all of its conditions."""
    window = numbers["trials"]["window_ms"] / 1000
    rows, units = [], []
    first = [one for one in taken if one.trial.network == networks[0]]
    for network in networks:
        mine = [one for one in taken if one.trial.network == network]
        # of sorted units those that fire enough under every condition: the others are not the same in all of them
        shared = sorted(set.intersection(*(set(one.neurons.tolist()) for one in mine)))
        if not shared:
            raise SimulationError(
                "no unit is found under every condition",
                where="simulate.recordings: least_rate_hz",
                expected="units that fire under all of them",
                do="lower least_rate_hz, or record more units",
            )
        rows.append(np.concatenate([_windows(one, shared, window, numbers) for one in mine], axis=1))
        table = pd.DataFrame(
            {
                "cell_type": mine[0].truth["population"].values[shared].astype(object),
                "true_unit": np.array(shared),
            },
            index=[f"{network}/{x}" if len(networks) > 1 else str(x) for x in mine[0].truth["unit"].values[shared]],
        )
        units.append(table.assign(area=network) if len(networks) > 1 else table)
    repeats = rows[0].shape[1] // len(first)
    shown = [
        presentations(one.trial.condition, one.trial.stimulus, repeats, window * 1000)
        if one.trial.stimulus
        else pd.DataFrame(
            {
                "stimulus": "none",
                "condition": one.trial.condition or "none",
                "repeat": np.arange(repeats),
                "duration": window,
            }
        )
        for one in first
    ]
    return stores.responses(
        np.concatenate(rows),
        pd.concat(shown, ignore_index=True),
        pd.concat(units),
        attrs=attrs,
        response_units="1" if numbers["kind"] == "imaging" else "Hz",
    )


def _windows(one: Taken, neurons: Sequence[int], window: float, numbers: Mapping[str, Any]) -> np.ndarray:
    """Responses of neurons in the windows of a recording, [neuron, window]; NaN where a window was not recorded in whole."""
    stop = float(one.truth.attrs["duration_ms"]) / 1000
    count = int((stop - one.start_s) / window + 1e-9)
    if count < 2:
        raise SimulationError(
            f"{stop - one.start_s:g} s after the warm-up hold {count} windows of {window:g} s",
            where="simulate.recordings: trials",
            expected="at least two, which are the repeats",
            do="simulate for longer, or shorten the windows",
        )
    place = {int(neuron): i for i, neuron in enumerate(one.neurons)}
    columns = [place[neuron] for neuron in neurons]
    edges = one.start_s + window * np.arange(count + 1)
    if numbers["kind"] == "sorting":
        rates = np.array([np.histogram(one.values[i], edges)[0] / window for i in columns])
        lost = np.array(
            [not ((one.seen[:, 0] <= a + 1e-9) & (one.seen[:, 1] >= b - 1e-9)).any() for a, b in pairwise(edges)]
        )
        return np.where(lost, np.nan, rates)  # fmt: skip
    rate = numbers["frame_rate_hz"]
    ends = one.start_s + (np.arange(len(one.values)) + 1) / rate
    of = np.searchsorted(edges, ends - 1e-9, side="left") - 1
    if np.bincount(of[(of >= 0) & (of < count)], minlength=count).min() == 0:
        raise SimulationError(
            f"a window of {window:g} s is shorter than a frame at {rate:g} Hz",
            where="simulate.recordings: trials",
            expected="windows of at least one frame",
        )
    means = np.full((len(columns), count), np.nan)
    for k in range(count):
        frames = one.values[of == k][:, columns]
        some = np.isfinite(frames).any(axis=0)
        means[some, k] = np.nanmean(frames[:, some], axis=0)
    return means
