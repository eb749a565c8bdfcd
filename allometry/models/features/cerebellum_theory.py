"""Theory of random expansions: dimension of a sparsely wired layer, and kernel of one of infinitely many cells.

Litwin-Kumar et al. 2017, Neuron 93:1153 (question of part one); Xie et al. 2023, eLife 12:e82914 (part two). The formulas are
derived here.
"""

import functools
import math

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from allometry.errors import SimulationError
from allometry.models.features.elementary import exp, integral, normal_tail, sine
from allometry.numerics.fixed_order import solve_positive

Floats = NDArray[np.float64]

_TABLE = 4001
_PER_ROOT_TWO_PI = 0.3989422804014327
RIDGE = 1e-7
"""Ridge of a nearly ridgeless regression, relative to the mean of the diagonal of the kernel."""


def threshold(coding_level: float) -> float:
    """Threshold that a standard normal current exceeds with a probability.

    Parameters
    ----------
    coding_level : float
        The probability, in (0, 1).
    """
    return float(np.round(scipy.special.ndtri(1.0 - coding_level), 12))


def _tilted(theta: float, angle: Floats) -> Floats:
    """P(a > theta, b > theta) - P(a > theta)^2 of standard normals whose correlation is the sine of an angle.

    (1 / 2 pi) times the integral of exp(-theta^2 / (1 + sin t)) over t from 0 to the angle.
    """

    def integrand(t: Floats) -> Floats:
        rise = 1.0 + sine(t)
        return np.where(rise > 0, exp(-(theta**2) / np.where(rise > 0, rise, 1.0)), 0.0 if theta else 1.0)

    return integral(integrand, angle) / (2 * math.pi)


def binary_covariance(rho: ArrayLike, coding_level: float) -> Floats:
    """Covariance of two binary cells whose currents have a correlation.

    Parameters
    ----------
    rho : array_like
        Correlation of the currents, -1 to 1.
    coding_level : float
        Probability that a cell is active.
    """
    return _tilted(threshold(coding_level), np.arcsin(np.asarray(rho, np.float64)))


def dimension(inputs: int, cells: float, degree: int, coding_level: float) -> float:
    """Expected dimension (tr C)^2 / tr C^2 of binary cells that draw their inputs at random, with equal weights.

    M / (1 + (M - 1) q) of M cells, with q the mean of the squared correlation of two of them, whose shared inputs are
    hypergeometric. It is the ratio of the expectations over wirings.

    Parameters
    ----------
    inputs : int
        Number of inputs N.
    cells : float
        Number of cells M.
    degree : int
        Inputs of a cell K, without replacement.
    coding_level : float
        Probability that a cell is active.
    """
    shared = np.arange(degree + 1)
    likely = scipy.stats.hypergeom.pmf(shared, inputs, degree, degree)
    variance = coding_level * (1.0 - coding_level)
    correlation = binary_covariance(shared / degree, coding_level) / variance
    q = float((likely * correlation**2).sum())
    return cells / (1.0 + (cells - 1.0) * q)


def best_degree(
    inputs: int, cells: float | None, synapses: float | None, coding_level: float, degrees: ArrayLike
) -> tuple[int, Floats]:
    """Degree of largest dimension, at a number of cells or of synapses, and the dimension at every degree.

    Parameters
    ----------
    inputs : int
        Number of inputs.
    cells, synapses : float or None
        What is held fixed; the other is None.
    coding_level : float
        Probability that a cell is active.
    degrees : array_like of int
        Degrees that are tried.
    """
    tried = np.asarray(degrees, np.int64)
    number = [cells if cells is not None else float(synapses or 0) / k for k in tried]
    found = np.array([dimension(inputs, m, int(k), coding_level) for m, k in zip(number, tried)])
    return int(tried[found.argmax()]), found


def _of_half_angle(half: Floats, coding_level: float) -> tuple[Floats, Floats]:
    """Kernel of currents of correlation cos(2 half), and its derivative in the correlation.

    (rho + theta^2) L - 2 theta phi(theta) Q(theta tan half) + sin(2 half) exp(-theta^2 / (1 + rho)) / (2 pi), with L the
    probability that both exceed theta, which is the derivative.
    """
    theta = threshold(coding_level)
    s, c = sine(half), sine(math.pi / 2 - half)
    rho = (c - s) * (c + s)
    opposite = c < 1e-12
    cosine = np.where(opposite, 1.0, c)
    both = normal_tail(np.array(theta)) ** 2 + _tilted(theta, math.pi / 2 - 2 * half)
    tail = np.where(opposite, normal_tail(np.array(9.0 * np.sign(theta))), normal_tail(theta * s / cosine))
    rest = np.where(opposite, 0.0, 2 * s * c * exp(-(theta**2) / (2 * cosine**2))) / (2 * math.pi)
    density = _PER_ROOT_TWO_PI * float(exp(-(theta**2) / 2))
    return (rho + theta**2) * both - 2 * theta * density * tail + rest, both


def rectified_kernel(rho: ArrayLike, coding_level: float) -> Floats:
    """E[(a - theta)_+ (b - theta)_+] of standard normals of correlation rho, one by one.

    Parameters
    ----------
    rho : array_like
        Correlation, -1 to 1.
    coding_level : float
        Probability that a cell is active.
    """
    return _of_half_angle(np.arccos(np.clip(np.asarray(rho, np.float64), -1.0, 1.0)) / 2, coding_level)[0]


@functools.lru_cache(maxsize=64)
def _table(coding_level: float) -> tuple[Floats, Floats, Floats]:
    """Sines of half angles, the kernel there, and its derivative in the sine."""
    half: Floats = np.arange(_TABLE, dtype=np.float64) * (math.pi / 2 / (_TABLE - 1))
    value, both = _of_half_angle(half, coding_level)
    s = sine(half)
    return s, value, -4.0 * s * both


def tabulated(rho: ArrayLike, coding_level: float) -> Floats:
    """The kernel of many correlations: cubic pieces between 4001 angles, with its own slopes, to some 1e-13.

    Parameters
    ----------
    rho : array_like
        Correlations, -1 to 1.
    coding_level : float
        Probability that a cell is active.
    """
    node, value, slope = _table(coding_level)
    at = np.sqrt((1.0 - np.clip(np.asarray(rho, np.float64), -1.0, 1.0)) / 2)
    k = np.clip(np.searchsorted(node, at, side="right") - 1, 0, _TABLE - 2)
    step = node[k + 1] - node[k]
    t = (at - node[k]) / step
    rise, first, last = value[k + 1] - value[k], slope[k] * step, slope[k + 1] * step
    return np.asarray(value[k] + t * (rise + (1.0 - t) * ((1.0 - t) * (first - rise) - t * (last - rise))))


def predicted(kernel: Floats, train: int, target: Floats, ridge: float = RIDGE) -> Floats:
    """What kernel regression on the first points says of all of them.

    Parameters
    ----------
    kernel : ndarray [point, train]
        Kernel of every point with the first ones, which are trained on.
    train : int
        Their number.
    target : ndarray [train]
        Values at these.
    ridge : float
        Relative to the mean of the diagonal.

    Raises
    ------
    SimulationError
        The activities that are learned from are too much alike for this ridge.
    """
    among = kernel[:train].copy()
    among[np.diag_indices(train)] += ridge * float(np.trace(among)) / train
    try:
        weight = solve_positive(among, target)
    except ValueError:
        raise SimulationError(
            f"the activities of {train} learned patterns leave no unique readout",
            where="readout",
            expected="cells that are active, and patterns that differ by more than rounding",
            do="raise the ridge, the number of cells or the coding level",
        ) from None
    return np.asarray((kernel * weight).sum(axis=1))


def relative_error(target: Floats, said: Floats) -> float:
    """Squared error over the squares of the target."""
    return float(((target - said) ** 2).sum() / (target**2).sum())


def participation(counts: ArrayLike) -> float:
    """Dimension of binary patterns, with tr C^2 from two halves of them, which have errors of their own.

    Parameters
    ----------
    counts : ndarray of bool or 0 and 1 [pattern, cell]
        Activity; sums of it are whole numbers, which single precision holds exactly in any order.
    """
    halves = np.array_split(np.asarray(counts, np.float32), 2)
    sums = [half.sum(axis=0, dtype=np.float64) for half in halves]
    sizes = [len(half) for half in halves]
    traces = [float((total - total**2 / n).sum()) / (n - 1) for total, n in zip(sums, sizes)]
    if halves[0].shape[1] <= sizes[0]:
        covariances = [
            ((half.T @ half).astype(np.float64) - np.outer(total, total) / n) / (n - 1)
            for half, total, n in zip(halves, sums, sizes)
        ]
        squared = float((covariances[0] * covariances[1]).sum())
    else:
        # tr C1 C2 from products of patterns: many cells have no matrix of their pairs, which takes 6 GB of 28,000
        (first, second), (n, m) = halves, sizes
        together = (first @ second.T).astype(np.float64)
        together -= (first.astype(np.float64) @ sums[1] / m)[:, None] + (second.astype(np.float64) @ sums[0] / n)[
            None, :
        ]
        together += (sums[0] @ sums[1]) / (n * m)
        squared = float((together**2).sum()) / ((n - 1) * (m - 1))
    return float(np.mean(traces)) ** 2 / squared
