"""Geometry of object manifolds: capacity, radius and dimension; few-shot learning with prototypes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, matrix, whole_number
from allometry.compare.inference.progress import steps, whole
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class Capacity:
    """Capacity of a set of manifolds, and capacity, radius and dimension of each `[manifolds]`.

    `alpha` is the harmonic mean over manifolds, the load P/N at which random labels stop being linearly separable.
    """

    alpha: float
    alpha_each: FloatArray
    radius: FloatArray
    dimension: FloatArray


@dataclass(frozen=True)
class FewShot:
    """Signal-to-noise ratio of m-shot prototype learning, its terms, and the predicted accuracy Phi(SNR)."""

    snr: float
    signal: float
    bias: float
    dimension: float
    signal_noise: float
    accuracy: float


def _closest(points: FloatArray, t: FloatArray) -> tuple[float, FloatArray]:
    """min |v - t|^2 over v with v.s >= 0 for all rows s, and the anchor point that supports v - t.

    v = t + S^T y with the y >= 0 that minimises |S^T y + t|: non-negative least squares.
    """
    projection = points @ t
    if projection.min() >= 0:
        return 0.0, points[projection.argmin()]
    weight, _ = scipy.optimize.nnls(points.T, -t)
    move = points.T @ weight
    total = weight.sum()
    return float(move @ move), move / total if total > 0 else points[projection.argmin()]


def _single(points: FloatArray, kappa: float, n_t: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Capacity, radius and dimension of one manifold given as rows [points, D + 1], the last column its centre (1)."""
    directions = rng.normal(size=(n_t, points.shape[1]))
    # The last coordinate of every point is 1, so that a margin only shifts t along it.
    shifted = directions.copy()
    shifted[:, -1] -= kappa
    loss = np.empty(n_t)
    anchors = np.empty((n_t, points.shape[1]))
    for k, t in enumerate(steps(shifted, "capacity, directions")):
        loss[k], anchors[k] = _closest(points, t)
    mean = loss.mean()
    alpha = 1 / mean if mean > 0 else float("inf")
    # Anchors relative to their centre, in units of its norm (equations 28 and 29).
    spread = anchors[:, :-1] / anchors[:, -1:]
    length = np.linalg.norm(spread, axis=1)
    radius = float(np.sqrt((length**2).mean()))
    unit = np.divide(spread, length[:, None], out=np.zeros_like(spread), where=length[:, None] > 0)
    dimension = float(((directions[:, :-1] * unit).sum(axis=1) ** 2).mean())
    return alpha, radius, dimension


@measure(
    name="manifold_capacity",
    version="1",
    inputs="one manifold [points, D + 1] in units of its centre's norm, the centre's axis last",
    invariances="order of points, points inside the hull of the others",
    use="capacity, radius and dimension of one manifold in its own coordinates, as theory states them",
    reference="Chung, Lee & Sompolinsky 2018, Phys. Rev. X 8:031003",
    cost="time",
)
def manifold_capacity(points: npt.ArrayLike, kappa: float = 0.0, n_t: int = 300, seed: int = 0) -> Capacity:
    """Capacity of one manifold given in its own coordinates.

    Parameters
    ----------
    points : array_like, shape (points, D + 1)
        Points of the manifold in units of the norm of its centre; the last column, along the centre, is 1.
    kappa : float
        Margin, >= 0.
    n_t : int
        Gaussian directions the mean is taken over; the relative error of alpha is about 1 / sqrt(n_t).
    seed : int

    Returns
    -------
    Capacity
        1/alpha = E_t min over v with v.s >= kappa of |v - t|^2.

    References
    ----------
    Chung, Lee & Sompolinsky 2018, Phys. Rev. X 8:031003, equations 15, 16, 28, 29.
    """
    s = matrix(points, "points")
    if not np.allclose(s[:, -1], 1):
        raise ComparisonError(
            "the last column is not 1",
            where="points",
            expected="coordinates in units of the centre's norm, its axis last",
        )
    n_t = _check(kappa, n_t)
    alpha, radius, dimension = _single(s, kappa, n_t, np.random.default_rng(seed))
    return Capacity(alpha, np.array([alpha]), np.array([radius]), np.array([dimension]))


def _check(kappa: float, n_t: int) -> int:
    if not kappa >= 0:
        raise ComparisonError(f"kappa={kappa}", where="kappa", expected="a margin >= 0")
    return whole_number(n_t, "n_t", 2)


@measure(
    name="capacity",
    version="1",
    inputs="manifolds: list of [points, units]",
    invariances="rotation of unit space",
    use="how many object manifolds can a linear read-out tell apart?",
    reference="Chung, Lee & Sompolinsky 2018, Phys. Rev. X 8:031003",
    cost="time",
)
def capacity(manifolds: Sequence[npt.ArrayLike], kappa: float = 0.0, n_t: int = 300, seed: int = 0) -> Capacity:
    """Classification capacity, radius and dimension of object manifolds in a population.

    The global mean is removed (no further structure that centres share); each manifold is then described in an orthonormal
    basis of its spread and by the axis of its centre, in units of the centre's norm.

    Parameters
    ----------
    manifolds : sequence of array_like, each of shape (points, units)
        Responses to the exemplars of each object.
    kappa : float
        Margin, in units of the centre's norm.
    n_t : int
        Gaussian directions per manifold.
    seed : int

    Returns
    -------
    Capacity

    Raises
    ------
    ComparisonError
        For fewer than two manifolds, different units, or a manifold centred on the global mean.

    References
    ----------
    Chung, Lee & Sompolinsky 2018, Phys. Rev. X 8:031003; Cohen, Chung, Lee & Sompolinsky 2020, Nat. Commun. 11:746.
    """
    parts = [matrix(m, f"manifolds[{k}]") for k, m in enumerate(manifolds)]
    n_t = _check(kappa, n_t)
    if len(parts) < 2 or len({p.shape[1] for p in parts}) != 1:
        raise ComparisonError(
            f"{len(parts)} manifolds with {sorted({p.shape[1] for p in parts})} units",
            where="manifolds",
            expected="at least two manifolds over the same units",
        )
    centre = np.mean([p.mean(axis=0) for p in parts], axis=0)
    rng = np.random.default_rng(seed)
    results = []
    for k, part in enumerate(steps(parts, "capacity, manifolds")):
        own = part - centre
        mean = own.mean(axis=0)
        length = np.linalg.norm(mean)
        if length <= 1e-12 * max(np.abs(own).max(), 1e-300):
            raise ComparisonError(
                "the centre of a manifold is the global mean", where=f"manifolds[{k}]", expected="centres that differ"
            )
        spread = (own - mean) / length
        with whole(f"axes of {len(part):,} examples", 1e-9 * part.size * min(part.shape)):
            _, s, axes = np.linalg.svd(spread, full_matrices=False)
        axes = axes[s > 1e-10 * max(s[0], 1e-300)]
        coordinates = np.column_stack([spread @ axes.T, np.ones(len(part))])
        results.append(_single(coordinates, kappa, n_t, rng))
    alpha, radius, dimension = (np.array(v) for v in zip(*results))
    return Capacity(float(1 / np.mean(1 / alpha)), alpha, radius, dimension)


def _ellipsoid(points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre, squared radii (variances along principal axes) and axes [axes, units] of one manifold."""
    centre = points.mean(axis=0)
    with whole(f"axes of {len(points):,} examples", 1e-9 * points.size * min(points.shape)):
        _, s, axes = np.linalg.svd(points - centre, full_matrices=False)
    return centre, s**2 / len(points), axes


@measure(
    name="few_shot_snr",
    version="1",
    inputs="two manifolds [points, units], number of examples",
    invariances="rotation and scaling of unit space",
    use="prototype learning from few examples",
    reference="Sorscher, Ganguli & Sompolinsky 2022, PNAS 119:e2200800119",
    cost="time",
)
def few_shot_snr(a: npt.ArrayLike, b: npt.ArrayLike, m: int) -> FewShot:
    """Signal-to-noise ratio of telling manifold a from b with prototypes learned from m examples each.

    SNR_a = .5 (|dx0|^2 + (R_b^2 / R_a^2 - 1) / m) / sqrt(1 / (D_a m) + |dx0.U_b|^2 / m + |dx0.U_a|^2), with the distance of
    centres dx0 = (x_a - x_b) / R_a, R^2 the sum of variances along the axes, D_a = (sum R_i^2)^2 / sum R_i^4 and
    |dx0.U|^2 = sum_i (dx0.u_i)^2 R_i^2 / R_a^2 the signal-noise overlap. The error of a test example of a is Phi(-SNR_a).

    Parameters
    ----------
    a, b : array_like, shape (examples, units)
    m : int
        Training examples per class.

    Returns
    -------
    FewShot

    References
    ----------
    Sorscher, Ganguli & Sompolinsky 2022, PNAS 119:e2200800119, equation 3.
    """
    x, y = matrix(a, "a", rows=2), matrix(b, "b", rows=2)
    if x.shape[1] != y.shape[1]:
        raise ComparisonError(f"{x.shape[1]} and {y.shape[1]} units", where="a, b", expected="the same units")
    if not m >= 1:
        raise ComparisonError(f"m={m}", where="m", expected="at least one training example")
    centre_a, var_a, axes_a = _ellipsoid(x)
    centre_b, var_b, axes_b = _ellipsoid(y)
    r2_a, r2_b = float(var_a.sum()), float(var_b.sum())
    if r2_a == 0:
        raise ComparisonError("manifold a is a point", where="a", expected="examples that vary")
    dx = (centre_a - centre_b) / np.sqrt(r2_a)
    signal = float(dx @ dx)
    bias = r2_b / r2_a - 1
    dimension = r2_a**2 / float((var_a**2).sum())
    overlap_a = float((axes_a @ dx) ** 2 @ var_a) / r2_a
    overlap_b = float((axes_b @ dx) ** 2 @ var_b) / r2_a
    noise = 1 / (dimension * m) + overlap_b / m + overlap_a
    snr = 0.5 * (signal + bias / m) / np.sqrt(noise)
    return FewShot(
        float(snr), signal, float(bias), dimension, overlap_a + overlap_b / m, float(scipy.stats.norm.cdf(snr))
    )
