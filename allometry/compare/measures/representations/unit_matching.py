"""Convergent learning: do two populations contain the same units, up to permutation?"""

import warnings

import numpy as np
import numpy.typing as npt
import scipy
from sklearn.cluster import SpectralClustering
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso
from sklearn.model_selection import KFold

from allometry.compare.inference.arrays import (
    FloatArray,
    IntArray,
    choice,
    matrix,
    same_rows,
    varies,
    varying_columns,
    whole_number,
)
from allometry.compare.inference.blockwise import Estimate, afford, fitting
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import steps, whole
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError


def _cross_correlation(x: npt.ArrayLike, y: npt.ArrayLike) -> FloatArray:
    """Correlation [units of x, units of y] over stimuli; NaN for constant units."""
    a, b = matrix(x, "x", rows=3), matrix(y, "y", rows=3)
    same_rows(a, b)
    p, q = a.shape[1], b.shape[1]
    need = Estimate(
        f"matching {p:,} and {q:,} units", 8 * (3 * p * q + 2 * a.size + 2 * b.size), 16 * p, 2.0 * a.size * q
    )
    afford(need, f"samples of at most {fitting(24, 2):,} units of each")
    standard = []
    for part, name in ((a, "x"), (b, "y")):
        centred = part - part.mean(axis=0)
        norm = np.linalg.norm(centred, axis=0)
        varying = varying_columns(part, name)
        standard.append(np.divide(centred, norm, out=np.full_like(centred, np.nan), where=varying))
    with whole(f"correlations of {p:,} and {q:,} units", 1e-10 * need.operations):
        return np.clip(standard[0].T @ standard[1], -1, 1)


def _sd(part: FloatArray) -> FloatArray:
    """Standard deviation of every unit; 1 for those that do not vary."""
    return np.where(varies(part), part.std(axis=0), 1.0)


@measure(
    name="match_units",
    version="1",
    inputs="responses [stimuli, units] of both systems, same stimuli",
    invariances="permutation and scaling of units, not rotation",
    use="do two systems share single units?",
    reference="Li et al. 2015, arXiv:1511.07543",
    ceiling="correlation",
    cost="memory",
)
@corresponding("x", "y")
def match_units(x: npt.ArrayLike, y: npt.ArrayLike, method: str = "one_to_one") -> tuple[IntArray, FloatArray]:
    """Match every unit of x to a unit of y by the correlation of their responses.

    Parameters
    ----------
    x, y : array_like, shape (stimuli, units of x), (stimuli, units of y)
    method : str
        "one_to_one": the assignment of greatest total correlation; "semi": the best partner of each unit of x, used as
        often as need be.

    Returns
    -------
    index : ndarray of int, shape (units of x,)
        Unit of y, or -1 for units that are constant or left over.
    correlation : ndarray, shape (units of x,)
        NaN where the index is -1.

    References
    ----------
    Li, Yosinski, Clune, Lipson & Hopcroft 2015, arXiv:1511.07543. Invariant to permutation and positive rescaling of
    units, not to rotation.
    """
    choice(method, ("one_to_one", "semi"), "method")
    r = _cross_correlation(x, y)
    index = np.full(r.shape[0], -1, dtype=np.int64)
    value = np.full(r.shape[0], np.nan)
    rows, columns = ~np.isnan(r).all(axis=1), ~np.isnan(r).all(axis=0)
    defined = r[np.ix_(rows, columns)]
    if method == "one_to_one":
        with whole(f"matching {max(defined.shape):,} units", 1e-10 * min(defined.shape) ** 2 * max(defined.shape)):
            i, j = scipy.optimize.linear_sum_assignment(defined, maximize=True)
    else:
        i, j = np.arange(defined.shape[0]), defined.argmax(axis=1)
    chosen = np.flatnonzero(rows)[i]
    index[chosen] = np.flatnonzero(columns)[j]
    value[chosen] = defined[i, j]
    return index, value


@measure(
    name="sparse_prediction",
    version="1",
    inputs="responses [stimuli, units] of both systems, same stimuli",
    invariances="offset and scale, of either sign, of units; not rotation",
    use="is a unit of one system a sum of few units of another?",
    reference="Li et al. 2015, arXiv:1511.07543",
    ceiling="ratio",
    cost="memory",
)
@corresponding("x", "y")
def sparse_prediction(
    x: npt.ArrayLike, y: npt.ArrayLike, alpha: float = 0.05, folds: int = 5
) -> tuple[FloatArray, IntArray]:
    """Predict every unit of y from few units of x by lasso regression, cross-validated over stimuli.

    Parameters
    ----------
    x, y : array_like, shape (stimuli, units of x), (stimuli, units of y)
    alpha : float
        Lasso penalty for standardised units.
    folds : int
        Contiguous blocks of stimuli left out in turn.

    Returns
    -------
    r2 : ndarray, shape (units of y,)
        Share of variance predicted in stimuli left out; can be negative; NaN for constant units.
    n_used : ndarray of int, shape (units of y,)
        Units of x with a non-zero weight in the fit to all stimuli.

    References
    ----------
    Li, Yosinski, Clune, Lipson & Hopcroft 2015, arXiv:1511.07543, section 4.
    """
    a, b = matrix(x, "x", rows=3), matrix(y, "y", rows=3)
    same_rows(a, b)
    if not 2 <= folds <= a.shape[0]:
        raise ComparisonError(f"folds={folds}", where="folds", expected=f"between 2 and {a.shape[0]} stimuli")
    p, q = a.shape[1], b.shape[1]
    need = Estimate(
        f"regression of {q:,} units on {p:,}",
        8 * (3 * p * q + 4 * a.size + 5 * b.size),
        16 * q,
        40.0 * folds * a.size * q,
    )
    afford(need, f"samples of at most {fitting(24, 2):,} units of each")
    varying = varies(b)
    a, b = (np.where(varies(part), (part - part.mean(axis=0)) / _sd(part), 0.0) for part in (a, b))
    left_out = np.zeros_like(b)
    with warnings.catch_warnings():
        # A penalty this side of the optimum leaves small residual gaps, which the score shows anyway.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for train, test in steps(KFold(folds).split(a), "lasso, folds", folds):
            with whole(f"lasso of {q:,} units on {p:,}", 1e-9 * need.operations / folds):
                model = Lasso(alpha=alpha).fit(a[train], b[train])
            left_out[test] = np.reshape(model.predict(a[test]), (len(test), -1))
        with whole(f"lasso of {q:,} units on {p:,}", 1e-9 * need.operations / folds):
            weights = np.atleast_2d(Lasso(alpha=alpha).fit(a, b).coef_)
    with np.errstate(invalid="ignore", divide="ignore"):
        r2 = np.where(varying, 1 - ((b - left_out) ** 2).sum(axis=0) / (b**2).sum(axis=0), np.nan)
    return r2, np.count_nonzero(weights, axis=1).astype(np.int64)


@measure(
    name="many_to_many",
    version="1",
    inputs="responses [stimuli, units] of both systems, same stimuli, number of clusters",
    invariances="offset and scale, of either sign, of units; not rotation",
    use="which groups of units do two systems share?",
    reference="Li et al. 2015, arXiv:1511.07543",
    cost="memory",
)
@corresponding("x", "y")
def many_to_many(x: npt.ArrayLike, y: npt.ArrayLike, clusters: int, seed: int = 0) -> tuple[IntArray, IntArray]:
    """Joint clusters of the units of both populations, by spectral clustering of their absolute correlations.

    Parameters
    ----------
    x, y : array_like, shape (stimuli, units of x), (stimuli, units of y)
    clusters : int
    seed : int

    Returns
    -------
    labels_x, labels_y : ndarray of int [units of x], [units of y]
        Cluster of each unit; a cluster with units of both sides matches many to many.

    References
    ----------
    Li, Yosinski, Clune, Lipson & Hopcroft 2015, arXiv:1511.07543, section 5.
    """
    between = _cross_correlation(x, y)
    if np.isnan(between).any():
        raise ComparisonError(
            "some units are constant", where="x or y", expected="units that vary", do="drop those units"
        )
    p, q = between.shape
    clusters = whole_number(clusters, "clusters", 2)
    if clusters >= p + q:
        raise ComparisonError(f"clusters={clusters}", where="clusters", expected=f"between 2 and {p + q - 1}")
    need = Estimate(f"clusters of {p + q:,} units", 8 * 5 * (p + q) ** 2, 8 * (p + q), 10.0 * (p + q) ** 3)
    afford(need, f"at most {fitting(40, 2):,} units of both together")
    affinity = np.block([[_cross_correlation(x, x), between], [between.T, _cross_correlation(y, y)]])
    with whole(need.measure, 1e-10 * need.operations):
        labels = SpectralClustering(clusters, affinity="precomputed", random_state=seed).fit_predict(np.abs(affinity))
    return labels[:p].astype(np.int64), labels[p:].astype(np.int64)
