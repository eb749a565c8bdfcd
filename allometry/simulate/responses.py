"""Responses of a simulated cortex to the stimuli of its conditions, in the schema of recordings."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import SimulationError
from allometry.models.catalogue.records import MODELS

_LOG = logging.getLogger("allometry")

PRESENTED = {
    "contrast": "contrast",
    "cycles_per_degree": "spatial_frequency",
    "frequency_hz": "temporal_frequency",
}
"""Parameters of a stimulus that recordings have a column for."""
GRATINGS = "drifting_gratings"


@dataclass(frozen=True)
class Trial:
    """One network under one condition.

    Parameters
    ----------
    network : str
        What tells networks of a run apart: their parameters and seed.
    condition : str
        Name of the condition.
    stimulus : mapping
        All parameters of what was shown (`stimuli.shown`).
    path : str
        The Spikes store.
    """

    network: str
    condition: str
    stimulus: Mapping[str, float]
    path: str


def write_responses(
    trials: Sequence[Mapping[str, Any]],
    out: str | Path,
    *,
    model: str,
    populations: Sequence[str],
    window_ms: float,
    skip_ms: float,
    max_units: int,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Count the spikes of units in windows of time, and write them as a Responses store.

    Each window after the warm-up is a presentation of the condition; those of one condition are its repeats. Each network of
    the run is an `area` of its own, since its units are others.

    Parameters
    ----------
    trials : sequence of mapping
        `Trial` as plain values, of every network and condition.
    out : path
        Store to write.
    model : str
        Name of the model.
    populations : sequence of str
        Whose units respond.
    window_ms, skip_ms : float
        Length of a presentation; warm-up that is left out.
    max_units : int
        Units of each network and population, drawn at random among those the model calls `inner`, or all.

    Raises
    ------
    SimulationError
        No whole window is left after the warm-up, or a population does not exist.
    """
    given = [Trial(**trial) for trial in trials]
    conditions = {trial.condition: trial.stimulus for trial in given}
    networks = list(dict.fromkeys(trial.network for trial in given))
    tables, blocks, repeats, attrs = [], [], 0, {}
    for network in networks:
        mine = {trial.condition: trial for trial in given if trial.network == network}
        counted: list[np.ndarray] = []
        for condition in conditions:
            store = stores.open(mine[condition].path)
            assert isinstance(store, xr.Dataset)
            if not counted:
                attrs = store.attrs
                chosen = _chosen(store, model, populations, max_units)
                tables.append(_units(chosen, network, several=len(networks) > 1 or len(populations) > 1))
            counted.append(_counts(store, chosen.index.to_numpy(), window_ms, skip_ms))
        repeats = counted[0].shape[1]
        blocks.append(np.concatenate(counted, axis=1))
    response = np.concatenate(blocks) / (window_ms / 1000)
    table = pd.concat(
        [presentations(name, stimulus, repeats, window_ms) for name, stimulus in conditions.items()], ignore_index=True
    )
    fixed = {
        column: float(table[column].iloc[0])
        for column in PRESENTED.values()
        if column in table and table.loc[~table["condition"].str.endswith("/blank"), column].nunique() == 1
    }
    # what did not differ is no stimulus of its own: recordings are aligned by what both of them varied
    table = table.drop(columns=list(fixed))
    units = pd.concat(tables, ignore_index=True)
    entry = MODELS[model]
    dataset = stores.responses(
        response,
        table,
        units,
        attrs={
            "title": f"Responses of the model {model}",
            "species": "none (model)",
            "citation": entry.source,
            "licence": "none",
            "source": {},
            "parameters": {
                "model": model, "window_ms": window_ms, "skip_ms": skip_ms, "populations": list(populations),
                "max_units": max_units,
            },
            "derived": {
                "response": f"spikes of a unit in {window_ms:g} ms of one long presentation per condition, as a rate; its windows "
                "are the repeats",
                "area": "a network each: its parameters and seed",
                "shown": "of all gratings: " + ", ".join(f"{name.replace('_', ' ')} {x:g}" for name, x in fixed.items()),
                "model": f"{entry.description} It stands for the cortex that it was made of, and for no other species or layer.",
            },
        },
        response_units="Hz",
        column_units={"x": "um", "y": "um", "map_orientation": "degree"},
    )  # fmt: skip
    _LOG.info("%d units of %d networks (%s)", len(units), len(networks), attrs.get("title", model))
    stores.write(dataset, out, overwrite=True, provenance=dict(provenance or {}))


def _chosen(store: xr.Dataset, model: str, populations: Sequence[str], max_units: int) -> pd.DataFrame:
    """The units that respond, by their index in the store, with what the model says of them."""
    of = store["population"].values.astype(object)
    columns = MODELS[model].columns
    parts = []
    for name in populations:
        units = np.flatnonzero(of == name)
        if not units.size:
            raise SimulationError(
                f"no population is called {name!r}",
                where="responses.populations",
                expected="one of " + ", ".join(dict.fromkeys(map(str, of))),
            )
        frame = pd.DataFrame(dict(columns(name, units.size)) if columns else {}, index=units)
        if "inner" in frame:
            frame = frame[frame["inner"]]
        if len(frame) > max_units:
            # at a regular stride the units of a sheet would lie in stripes
            frame = frame.iloc[np.sort(np.random.default_rng(0).choice(len(frame), max_units, replace=False))]
        parts.append(frame.assign(cell_type=name))
    return pd.concat(parts)


def _units(chosen: pd.DataFrame, network: str, *, several: bool) -> pd.DataFrame:
    names = {"x_um": "x", "y_um": "y", "orientation_deg": "map_orientation"}
    table = chosen.rename(columns=names)[[*(new for old, new in names.items() if old in chosen), "cell_type"]]
    return (
        table.assign(area=[f"{network} {kind}" if network else kind for kind in table["cell_type"]])
        if several
        else table
    )


def _counts(store: xr.Dataset, units: np.ndarray, window_ms: float, skip_ms: float) -> np.ndarray:
    """Spikes of units in windows, [unit, window]."""
    dt_ms, length = float(store.attrs["dt_ms"]), float(store.attrs["duration_ms"]) - skip_ms
    windows = int(length / window_ms + 1e-9)
    if windows < 2:
        raise SimulationError(
            f"{length:g} ms after the warm-up hold {max(windows, 0)} windows of {window_ms:g} ms",
            where="responses.window_ms",
            expected="at least two, which are the repeats of a stimulus",
            do="simulate for longer, or shorten the windows",
        )
    place = np.full(store.sizes["unit"], -1)
    place[units] = np.arange(units.size)
    step, unit = store["spike_step"].values, place[store["spike_unit"].values]
    # the end of the step is its time
    window = np.floor((step - round(skip_ms / dt_ms) - 1) / round(window_ms / dt_ms)).astype(np.int64)
    kept = (unit >= 0) & (window >= 0) & (window < windows)
    flat = np.bincount(unit[kept] * windows + window[kept], minlength=units.size * windows)
    return flat.reshape(units.size, windows)


def presentations(name: str, stimulus: Mapping[str, float], repeats: int, window_ms: float) -> pd.DataFrame:
    """Presentations of one condition; the direction of motion is against the wave vector, on which the phase grows.

    Parameters
    ----------
    name : str
        Name of the condition.
    stimulus : mapping
        All parameters of what was shown.
    repeats : int
        Windows.
    window_ms : float
        Their length, ms.

    Returns
    -------
    DataFrame, one row per presentation
        `stimulus`, `condition`, `repeat`, `duration` in s, and the columns that recordings have too.
    """
    blank = stimulus.get("contrast", 1.0) == 0
    shown = {column: float(stimulus[key]) for key, column in PRESENTED.items() if key in stimulus}
    if "orientation_deg" in stimulus:
        shown["direction"] = float("nan") if blank else (float(stimulus["orientation_deg"]) + 180.0) % 360.0
    return pd.DataFrame(
        {
            "stimulus": GRATINGS,
            "condition": f"{GRATINGS}/blank" if blank else f"{GRATINGS}/{name}",
            "repeat": np.arange(repeats),
            "duration": window_ms / 1000,
            **shown,
        }
    )
