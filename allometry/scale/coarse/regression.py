"""Poisson regression of the spikes of cells on what they have and what they are given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from allometry.errors import SimulationError
from allometry.scale.coarse.pixels import CLASSES, OWN
from allometry.scale.coarse.responses import DRIVES, Table

FloatArray = NDArray[np.float64]
LOWEST_HZ, HIGHEST_HZ = 1.0, 200.0
"""Saturations that are tried."""
_SCALES = np.array([1.0, 1.0, 4.0, 0.1, 0.01])
"""Size of what a cell has (`OWN`): the prior is alike in these units."""
_PRIOR = 1.0
"""Prior spikes per squared unit of a coefficient: classes of few cells decide nothing."""
_STEPS = 60
_CLOSE = 1e-4


@dataclass(frozen=True, eq=False)
class Sample:
    """Cells of one population under stimuli of one contrast, those of several networks and stimuli one after another.

    Parameters
    ----------
    spikes : np.ndarray
        int [cell].
    lgn_inputs : np.ndarray
        int [cell], class.
    own : np.ndarray
        float [cell, `OWN`].
    drives : np.ndarray
        float [cell, `DRIVES`], summed weights per s.
    duration_s : float
        Seconds that were counted.
    """

    spikes: np.ndarray
    lgn_inputs: np.ndarray
    own: FloatArray
    drives: FloatArray
    duration_s: float


def joined(samples: Sequence[Sample]) -> Sample:
    """One sample of several of equal length."""
    return Sample(
        np.concatenate([s.spikes for s in samples]),
        np.concatenate([s.lgn_inputs for s in samples]),
        np.concatenate([s.own for s in samples]),
        np.concatenate([s.drives for s in samples]),
        samples[0].duration_s,
    )


def fit(sample: Sample, saturation: float | None = None) -> Table:
    """A table with gains of its own for every class, and the likeliest saturation if it is not given.

    Raises
    ------
    SimulationError
        There are no spikes.
    """
    if not sample.spikes.any():
        raise SimulationError("no cell fired", where="coarse", do="simulate for longer")
    if saturation is None:
        limits = np.log(LOWEST_HZ), np.log(HIGHEST_HZ)
        found = minimize_scalar(
            lambda a: -_fit_classes(sample, float(np.exp(a)))[1],
            bounds=limits,
            method="bounded",
            options={"xatol": 0.05},
        )
        saturation = float(np.exp(found.x))
    return _fit_classes(sample, saturation)[0]


def with_gains_of(table: Table, sample: Sample) -> Table:
    """A table of the gains and saturation of another, with biases and slopes of what cells have from this sample."""
    bias, own = np.zeros(CLASSES), np.zeros((CLASSES, len(OWN)))
    given = table.network_drive(sample.lgn_inputs, sample.drives)
    for n in range(CLASSES):
        of = sample.lgn_inputs == n
        if of.any():
            x, middle = _centred(sample.own[of] / _SCALES)
            p, _ = _newton(x, sample.spikes[of], given[of], sample.duration_s, table.saturation)
            own[n] = p[1:] / _SCALES
            bias[n] = p[0] - middle @ p[1:]
    return Table(bias, own, table.gain, table.centre, table.saturation, table.low, table.high)


def _fit_classes(sample: Sample, saturation: float) -> tuple[Table, float]:
    bias, own = np.zeros(CLASSES), np.zeros((CLASSES, len(OWN)))
    gain, centre = np.zeros((CLASSES, len(DRIVES))), np.zeros((CLASSES, len(DRIVES)))
    likelihood = 0.0
    size = np.maximum(sample.drives.std(axis=0), 1e-12)
    for n in range(CLASSES):
        of = sample.lgn_inputs == n
        if of.any():
            x, middle = _centred(np.concatenate([sample.own[of] / _SCALES, sample.drives[of] / size], axis=1))
            p, found = _newton(x, sample.spikes[of], np.zeros(int(of.sum())), sample.duration_s, saturation)
            slopes, k = p[1:], len(OWN)
            own[n], gain[n], centre[n] = slopes[:k] / _SCALES, slopes[k:] / size, middle[k:] * size
            bias[n] = p[0] - middle[:k] @ slopes[:k]
            likelihood += found
    return Table(bias, own, gain, centre, saturation), likelihood


def _centred(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A column of ones and the columns as deviations from their means, and the means."""
    middle = x.mean(axis=0)
    return np.concatenate([np.ones((len(x), 1)), x - middle], axis=1), middle


def _newton(
    x: FloatArray, spikes: np.ndarray, offset: FloatArray, duration_s: float, a: float
) -> tuple[FloatArray, float]:
    """Coefficients of greatest penalised Poisson likelihood by Fisher scoring, and the likelihood."""
    weight = np.full(x.shape[1], _PRIOR)
    weight[0] = 1e-3
    p = np.zeros(x.shape[1])
    p[0] = np.log(max(float(spikes.sum()), 0.5) / (duration_s * np.exp(np.minimum(offset, 20.0))).sum())

    def value(q: FloatArray) -> float:
        expected = duration_s * a * np.log1p(np.exp(np.minimum(x @ q + offset, 30.0)) / a)
        return float((spikes * np.log(expected + 1e-300) - expected).sum() - 0.5 * (weight * q**2).sum())

    best = value(p)
    for _ in range(_STEPS):
        grown = np.exp(np.minimum(x @ p + offset, 30.0))
        expected = duration_s * a * np.log1p(grown / a) + 1e-300
        slope = duration_s * grown / (1.0 + grown / a)
        score = x.T @ ((spikes - expected) * slope / expected) - weight * p
        information = (x * (slope**2 / expected)[:, None]).T @ x + np.diag(weight)
        step, share = np.linalg.solve(information, score), 1.0
        while (found := value(p + share * step)) < best - 1e-9 and share > 1e-3:
            share /= 2
        if found <= best + _CLOSE:
            return (p + share * step, found) if found >= best else (p, best)
        p, best = p + share * step, found
    raise SimulationError("the regression of the responses does not converge", where="coarse")
