"""Presentations of gratings to feature models, and noise of trials."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from allometry.models.features.draws import generator, normal

Floats = NDArray[np.float64]


def grating_table(stimulus: str, angles: int, repeats: int) -> tuple[dict[str, Any], Floats]:
    """Presentations of gratings, repeats of one after the other, and the orientation of the bars of each grating.

    Parameters
    ----------
    stimulus : {"static_gratings", "drifting_gratings"}
        Static ones have orientations of bars over 180 degrees, drifting ones directions of motion over 360: bars move across
        their orientation.
    angles : int
        Number of orientations or directions.
    repeats : int
        Trials of each.

    Returns
    -------
    dict, ndarray [angle]
        Columns of the presentations; orientations, degrees.
    """
    moving = stimulus == "drifting_gratings"
    angle: Floats = np.arange(angles, dtype=np.float64) * ((360.0 if moving else 180.0) / angles)
    table: dict[str, Any] = {
        "stimulus": [stimulus] * (angles * repeats),
        "condition": [f"{stimulus}/{value:g}" for value in np.repeat(angle, repeats)],
        "repeat": np.tile(np.arange(repeats), angles),
        "direction" if moving else "orientation": np.repeat(angle, repeats),
    }
    return table, (angle - 90.0) % 180.0 if moving else angle


def noisy(response: Floats, repeats: int, noise: float, seed: int) -> Floats:
    """Trials of mean responses, [unit, presentation], with independent noise in units of the mean response of each unit.

    Parameters
    ----------
    response : ndarray [unit, stimulus]
        Means.
    repeats : int
        Trials of each stimulus.
    noise : float
        Standard deviation over the mean response of the unit.
    seed : int
        Of the model.
    """
    trials = np.repeat(response, repeats, axis=1)
    if noise == 0:
        return trials
    spread = noise * response.mean(axis=1, keepdims=True)
    return np.asarray(trials + spread * normal(generator(seed, "trials"), trials.shape))
