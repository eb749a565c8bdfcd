"""The fit of the timing network: four numbers of its mean field, and the loadings of a finite network that has this field."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from allometry.models.catalogue.fits import Fit
from allometry.models.features.draws import generator, normal
from allometry.models.features.elementary import tanh
from allometry.models.rates.low_rank_field import Floats, LowRankField, crossing, gain
from allometry.numerics.fixed_order import inner, product, solve_positive
from allometry.numerics.rounding import significant

OVERLAP = 2.0
"""b: overlap of n2 and m2."""
START_2 = -1.5
"""Second latent variable after the set pulse."""
LEVEL, END = 0.35, 0.5
"""Readout at which the interval ends, and at the fixed point of the shortest interval."""
TRAINED_CUES = (0.0, 1 / 12, 1 / 6, 1 / 4)
TARGETS_MS = (800.0, 1050.0, 1300.0, 1550.0)
BEGIN = (0.2, 0.6, 0.6, 0.4)
TOLERANCE = 0.02
"""Root mean square of the logarithms of interval over target of a fit that has converged."""

_FIT_DT_MS, _FIT_MS = 5.0, 4000.0
_STEP, _CAP, _MOST = 1e-3, 0.15, 60
_RADII, _ANGLES, _CUES = np.arange(0.3, 2.11, 0.3), 24, (0.0, 0.17, 0.33, 0.5)
_RIDGE = 1e-6


class Timing(NamedTuple):
    """Numbers of the timing network: growth along the arc, input without a cue, what a cue takes from it, start, readout."""

    d: float
    h0: float
    c: float
    k10: float
    scale: float

    def u(self, cue: float) -> float:
        """Tonic input under a cue."""
        return self.h0 - self.c * cue

    @property
    def field(self) -> LowRankField:
        """Mean field."""
        return LowRankField(*_overlaps(np.array(self.d)))


def _overlaps(d: Floats) -> tuple[Floats, Floats]:
    overlap = np.zeros((*d.shape, 2, 2))
    overlap[..., 0, 0], overlap[..., 1, 1] = OVERLAP + d, OVERLAP
    return overlap, np.array([0.0, 1.0])


def end_point(u: Floats) -> Floats:
    """Stable fixed point on the positive second axis."""
    kappa = np.full(np.shape(u), 1.5)
    for _ in range(400):
        kappa = gain(kappa * kappa + u * u) * (OVERLAP * kappa + u)
    return kappa


def intervals(parameters: Floats, cues: Sequence[float], dt_ms: float, longest_ms: float = _FIT_MS) -> Floats:
    """Intervals of the mean field, ms; NaN where the readout does not arrive.

    Parameters
    ----------
    parameters : ndarray [variant, 4]
        d, h0, c, K10.
    cues : sequence of float
        Amplitudes.
    dt_ms : float
        Step of Euler's method, ms.
    longest_ms : float
        When to give up, ms.

    Returns
    -------
    ndarray [variant, cue]
    """
    d, h0, c, k10 = (x[:, None] for x in np.asarray(parameters, np.float64).T)
    u = h0 - c * np.asarray(cues)
    field = LowRankField(*_overlaps(np.broadcast_to(d, u.shape)))
    start = np.stack([np.broadcast_to(k10, u.shape), np.full(u.shape, START_2)], axis=-1)
    end = end_point(h0)
    scale = END / (gain(end * end + h0 * h0) * end)
    kappa = field.trajectory(start, u, dt_ms, round(longest_ms / dt_ms))
    return crossing(scale * gain((kappa * kappa).sum(axis=-1) + u * u) * kappa[..., 1], LEVEL, dt_ms)


def _residuals(variants: Floats) -> Floats:
    found = intervals(variants, TRAINED_CUES, _FIT_DT_MS)
    return np.log(np.where(np.isnan(found), 2.0 * _FIT_MS, found) / TARGETS_MS)


@functools.cache
def fit_field(begin: tuple[float, ...] = BEGIN) -> Fit:
    """Fit d, h0, c and K10 to the four trained intervals: damped Gauss-Newton on their logarithms, central differences.

    Parameters
    ----------
    begin : tuple of float
        Where it begins.
    """
    x = np.array(begin, np.float64)
    ahead = np.concatenate([np.eye(4), -np.eye(4)]) * _STEP
    y = _residuals(x[None])[0]
    history, damping, iterations = [float(np.sqrt(np.mean(y**2)))], 1e-3, 0
    while iterations < _MOST:
        iterations += 1
        around = _residuals(x + ahead)
        jacobian = (around[:4] - around[4:]).T / (2 * _STEP)
        moved = False
        for _ in range(12):
            normal_matrix = jacobian.T @ jacobian + damping * np.eye(4)
            change = -np.linalg.solve(normal_matrix, jacobian.T @ y)
            change *= min(1.0, _CAP / max(float(np.abs(change).max()), 1e-12))
            tried = _residuals((x + change)[None])[0]
            if tried @ tried < y @ y:
                moved = True
                break
            damping *= 4
        if not moved:
            break
        gained = 1.0 - float(tried @ tried) / float(y @ y)
        x, y, damping = x + change, tried, max(damping / 3, 1e-6)
        history.append(float(np.sqrt(np.mean(y**2))))
        if gained < 1e-6:
            break
    d, h0, c, k10 = (significant(value) for value in x.tolist())
    end = float(end_point(np.array(h0)))
    scale = significant(END / (float(gain(end * end + h0 * h0)) * end))
    return Fit(
        {"timing": np.array([d, h0, c, k10, scale])},
        history[-1],
        TOLERANCE,
        iterations,
        "root mean square of log(interval / target) of the trained cues",
        history,
    )


def loadings(seed: int, n: int, construction: str, count: int = 5) -> Floats:
    """Samples of independent standard normal loadings, m1, m2, I and two for the rest of n, [unit, loading].

    Parameters
    ----------
    seed : int
        Of the network.
    n : int
        Units; even where `matched`.
    construction : str
        `gauss`: plain samples. Else means are 0 and all second moments are exact; `matched`: and half of the samples are the
        negatives of the others, so that all odd moments are 0 too. `calibrated`: not so, since tanh is odd: a pair is no more
        than one unit to the grid that the field is fitted on.
    count : int
        Number of loadings.
    """
    rng = generator(seed, "loadings")
    if construction == "gauss":
        return normal(rng, (n, count))
    if construction == "matched":
        half = normal(rng, (n // 2, count))
        found = np.concatenate([half, -half])
    else:
        found = normal(rng, (n, count))
        found = found - product(np.full((1, n), 1.0 / n), found)
    for k in range(count):
        column = found[:, k]
        for j in range(k):
            column = column - inner(column, found[:, j]) / n * found[:, j]
        found[:, k] = column * np.sqrt(n / inner(column, column))
    return found


def calibrated(timing: Timing, m: Floats, drive: Floats, n: Floats, readout: Floats) -> tuple[Floats, Floats, float]:
    """The smallest change of n1, n2 and the readout that gives a finite network the mean field on a grid.

    Parameters
    ----------
    timing : Timing
        Numbers of the mean field.
    m : ndarray [unit, 2]
        Where the latent variables act.
    drive : ndarray [unit]
        I, the pattern of the tonic input.
    n : ndarray [unit, 2]
        What the latent variables are read from.
    readout : ndarray [unit]
        Weights of the readout.

    Returns
    -------
    tuple
        Changed n and readout, of ten digits, and the largest difference that is left on the grid.
    """
    angle = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    radius, turned, cue = (x.ravel() for x in np.meshgrid(_RADII, angle, _CUES, indexing="ij"))
    kappa = np.stack([radius * np.cos(turned), radius * np.sin(turned)], axis=1)
    u = timing.h0 - timing.c * cue
    rate = tanh(product(np.column_stack([kappa, u]), np.column_stack([m, drive]).T)) / len(m)
    slope = gain((kappa * kappa).sum(axis=1) + u * u)
    wanted = np.column_stack([slope[:, None] * timing.field.recurrent(kappa, u), timing.scale * slope * kappa[:, 1]])
    given = np.column_stack([n, readout])
    missing = wanted - product(rate, given)
    gram = product(rate, rate.T)
    gram[np.diag_indices_from(gram)] += _RIDGE * np.trace(gram) / len(gram)
    changed = given + product(rate.T, solve_positive(gram, missing))
    changed = np.reshape([significant(value) for value in changed.ravel().tolist()], changed.shape)
    left = float(np.abs(wanted - product(rate, changed)).max())
    return changed[:, :2], changed[:, 2], left
