"""A neuron with spines in clusters: its preference follows the sum of its spines, its selectivity the clusters.

After Wilson, Whitney, Scholl & Fitzpatrick 2016, Nat Neurosci 19:1003, of which only the abstract could be read: the summed input
of spines predicts the preferred orientation of a neuron but not its selectivity, which goes with the clustering of co-tuned
inputs. Every number here is a choice of this project.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.models.features.draws import generator, lognormal, settled
from allometry.models.features.records import Features, feature_model
from allometry.models.features.trials import grating_table, noisy

Floats = NDArray[np.float64]

MOST_CLUSTERS = 12
"""Clusters are drawn from 0 to so many where a cell has a number of its own."""
SOFTNESS = 0.25
TUNING_SHAPE, TUNING_SCALE = 4.0, 0.35


def check(
    cells: int, spines: int, window: int, clusters: int | None, event: float, event_threshold: float, bias: float,
    concentration: float, amplitude_sd: float, stimulus: str, angles: int, repeats: int, noise: float,
) -> None:  # fmt: skip
    """Refuse parameters that the model cannot have."""
    for name, count in {"cells": cells, "window": window, "angles": angles, "repeats": repeats}.items():
        if count < 1:
            raise SimulationError(f"{name} is {count}", where="dendritic_sum", expected="a whole number, 1 or above")
    if spines < window or spines % window:
        raise SimulationError(
            f"{spines} spines do not fill windows of {window}",
            where="dendritic_sum",
            expected="a multiple of the window",
        )
    if clusters is not None and not 0 <= clusters <= spines // window:
        raise SimulationError(
            f"{clusters} clusters do not fit in {spines // window} windows",
            where="dendritic_sum",
            expected="0 to the number of windows, or null",
        )
    if clusters is None and spines // window < MOST_CLUSTERS:
        raise SimulationError(
            f"there are {spines // window} windows", where="dendritic_sum", expected=f"{MOST_CLUSTERS} or more"
        )
    if not 0 <= bias <= 1:
        raise SimulationError(f"bias is {bias:g}", where="dendritic_sum", expected="a share of the spines, 0 to 1")
    if min(event, concentration, amplitude_sd, noise) < 0:
        raise SimulationError(
            f"event is {event:g}, concentration {concentration:g}, amplitude_sd {amplitude_sd:g}, noise {noise:g}",
            where="dendritic_sum",
            expected="numbers, 0 or above",
        )


def size(cells: int, spines: int, **_: object) -> tuple[int, float]:
    """Number of units, the sum and the soma of each cell, and of spines."""
    return 2 * cells, float(cells * spines)


@feature_model(
    description="Neurons whose spines lie in clusters of like tuning, with a local event in every window of a dendrite.",
    source="after Wilson et al. 2016, Nat Neurosci 19:1003 (abstract); all numbers are this project's",
    check=check,
    stimulus=("stimulus", "angles", "repeats"),
    size=size,
)
def dendritic_sum(
    seed: int,
    cells: int = 300,
    spines: int = 200,
    window: int = 5,
    clusters: int | None = 0,
    event: float = 25.0,
    event_threshold: float = 5.0,
    bias: float = 0.8,
    concentration: float = 1.2,
    amplitude_sd: float = 0.3,
    stimulus: Literal["static_gratings", "drifting_gratings"] = "static_gratings",
    angles: int = 16,
    repeats: int = 1,
    noise: float = 0.0,
) -> Features:
    """Responses of the sum of all spines and of the soma of every cell.

    Parameters
    ----------
    seed : int
        Of spines, their order, and trial noise.
    cells : int
        Neurons, each with a preference of its own.
    spines : int
        Spines of a neuron.
    window : int
        Spines of a window, some 5 um of a dendrite.
    clusters : int or None
        Windows that hold the spines nearest to the preference of the cell; null: 0 to 12, another number for each cell.
    event : float
        Size of the event of a window, in responses of a spine of median amplitude.
    event_threshold : float
        Sum of a window at which half of the event is there; its softness is 0.25.
    bias : float
        Share of spines whose preference is drawn around that of the cell; the others have any.
    concentration : float
        Of these preferences (von Mises in twice the angle).
    amplitude_sd : float
        Standard deviation of the logarithm of the amplitude of spines.
    stimulus : {"static_gratings", "drifting_gratings"}
        What is shown.
    angles : int
        Orientations over 180 degrees, or directions over 360.
    repeats : int
        Trials of each.
    noise : float
        Standard deviation of the noise of a trial, in mean responses of the unit.
    """
    table, bars = grating_table(stimulus, angles, repeats)
    own = generator(seed, "cells").random(cells) * 180.0
    tuned, preferred = _spines(seed, own, spines, bias, concentration, amplitude_sd, bars)
    number = (
        np.full(cells, clusters)
        if clusters is not None
        else generator(seed, "clusters").integers(0, MOST_CLUSTERS + 1, cells)
    )
    order = arrangement(seed, preferred, own, window, number)
    placed = np.take_along_axis(tuned, order[:, :, None], axis=1)
    local = placed.reshape(cells, spines // window, window, bars.size).sum(axis=2)
    events = settled(event / (1 + np.exp(-(local - event_threshold) / SOFTNESS)))
    response = np.concatenate([tuned.sum(axis=1), (local + events).sum(axis=1)])
    units = {
        "area": ["sum"] * cells + ["soma"] * cells,
        "cell_type": ["sum of spines"] * cells + ["soma"] * cells,
        "cell": np.tile(np.arange(cells), 2),
        "clusters": np.tile(number, 2),
        "map_orientation": np.tile(own, 2),
    }
    return Features(
        noisy(response, repeats, noise, seed),
        table,
        units,
        column_units={"map_orientation": "degree", "orientation": "degree", "direction": "degree"},
        derived={
            "response": "sum: of all spines; soma: of all windows with their events; units of a spine of median amplitude",
            "map_orientation": "the preference that the spines of a cell were drawn around",
        },
    )


def _spines(
    seed: int, own: Floats, spines: int, bias: float, concentration: float, amplitude_sd: float, bars: Floats
) -> tuple[Floats, Floats]:
    """Responses [cell, spine, orientation] and preferences [cell, spine], degrees."""
    shape = (own.size, spines)
    rng = generator(seed, "prefer")
    around = own[:, None] + (np.rad2deg(rng.vonmises(0.0, concentration, shape)) / 2 if concentration > 0 else 0.0)
    preferred = settled(np.where(rng.random(shape) < bias, around, rng.random(shape) * 180.0) % 180.0)
    width = settled(generator(seed, "width").gamma(TUNING_SHAPE, TUNING_SCALE, shape))
    amplitude = lognormal(generator(seed, "amplitud"), amplitude_sd, shape)
    near = np.cos(2 * np.deg2rad(bars - preferred[:, :, None])) - 1
    return amplitude[:, :, None] * settled(np.exp(width[:, :, None] * near)), preferred


def arrangement(
    seed: int, preferred: Floats, own: Floats, window: int, clusters: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Spines in the order of the windows, [cell, place]: the nearest to the preference of the cell first, as many as clusters hold.

    Both groups are shuffled, and the spines of a cell are the same for any number of clusters.

    Parameters
    ----------
    seed : int
        Of the order.
    preferred : ndarray [cell, spine]
        Preferences, degrees.
    own : ndarray [cell]
        Preferences of the cells, degrees.
    window : int
        Spines of a window.
    clusters : int ndarray [cell]
        Windows that hold a cluster.
    """
    spines = preferred.shape[1]
    apart = np.abs((preferred - own[:, None] + 90.0) % 180.0 - 90.0)
    rank = np.argsort(np.argsort(apart, axis=1, kind="stable"), axis=1, kind="stable")
    clustered = rank < (window * clusters)[:, None]
    shuffled = generator(seed, "order").random((len(own), spines))
    return np.argsort(shuffled + np.where(clustered, 0.0, 1.0), axis=1, kind="stable")
