"""Undirected pairs of nodes: rank correlation of two symmetric matrices, with tests that know that pairs share nodes.

Both matrices are [node, node]; the diagonal counts nowhere. NaN marks a pair that was not measured.
"""

import numpy as np
import scipy
from numpy.typing import ArrayLike

from allometry.compare.inference.arrays import array
from allometry.compare.inference.labels import corresponding, square
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import Interval, interval
from allometry.compare.measures.graphs.matrices import Floats
from allometry.compare.measures.graphs.structure import rank_correlation
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import product


@measure(
    name="activity_structure_correlation",
    version="2",
    inputs="two symmetric matrices [nodes, nodes]",
    invariances="monotonic transformation of either matrix",
    use="do connected neurons, or neurons with common input, fluctuate together?",
    reference="Uzel et al. 2022, Curr. Biol. 32:3443",
    ceiling="correlation",
    scale=SHARE,
)
@corresponding("x", "y", axes=2)
def dyadic_correlation(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman correlation of two symmetric matrices over the pairs that are finite in both.

    Parameters
    ----------
    x, y : array_like [nodes, nodes]
        Symmetric, in any unit; the upper triangle is read. NaN marks a pair without a value.

    Returns
    -------
    float
        In [-1, 1]; NaN for fewer than 3 pairs, or where either is constant.

    Raises
    ------
    ComparisonError
        Not two square matrices of the same nodes.

    References
    ----------
    Uzel et al. 2022, Curr. Biol. 32:3443.
    """
    a, b = (array(square(m, name), name, 2, finite=False) for m, name in ((x, "x"), (y, "y")))
    if a.shape != b.shape or a.shape[0] != a.shape[1]:
        raise ComparisonError(f"shapes {a.shape} and {b.shape}", where="x, y", expected="two square matrices alike")
    upper = np.triu_indices(len(a), 1)
    return rank_correlation(a[upper], b[upper])


def _ranks(matrix: Floats, known: np.ndarray) -> Floats:
    """Standardised ranks of the `known` pairs as a symmetric matrix; 0 elsewhere."""
    upper = np.triu(known, 1)
    rank = scipy.stats.rankdata(matrix[upper])
    spread = rank.std()
    result = np.zeros(matrix.shape)
    result[upper] = (rank - rank.mean()) / (spread if spread > 0 else np.nan)
    return result + result.T


def _known(*matrices: Floats) -> np.ndarray:
    both = np.logical_and.reduce([np.isfinite(m) for m in matrices])
    return both & ~np.eye(len(both), dtype=bool)


def null(x: Floats, y: Floats, n: int, seed: int) -> Floats:
    """Correlations [n] after permuting the nodes of `x` (quadratic assignment test, Hubert & Schultz 1976).

    Nodes that either knows nothing of take no part: with them the null would rest on more pairs than the estimate, and be
    too narrow. Every permutation correlates the pairs that are known in both as they then lie, ranked among themselves,
    as the estimate does: an unknown pair has no rank, and gives none to others.
    """
    nodes = np.flatnonzero(_known(x, y).any(axis=0))
    if nodes.size < 3:
        return np.full(n, np.nan)
    x, y = x[np.ix_(nodes, nodes)], y[np.ix_(nodes, nodes)]
    rng = np.random.default_rng(seed)
    if not (_known(x) | np.eye(len(x), dtype=bool)).all():
        orders = (rng.permutation(len(x)) for _ in steps(range(n), "permutations of nodes"))
        return np.array([dyadic_correlation(x[np.ix_(order, order)], y) for order in orders])
    # Where x is known everywhere, the same pairs of y count each time: its ranks stay, and those of x are permuted.
    known = _known(y)
    rx, ry = _ranks(x, _known(x)), _ranks(y, known)
    upper = np.triu(known, 1)
    target = ry[upper]
    result = np.empty(n)
    for i in steps(range(n), "permutations of nodes"):
        order = rng.permutation(len(x))
        drawn = rx[np.ix_(order, order)][upper]
        spread = drawn.std() * target.std()
        result[i] = np.mean((drawn - drawn.mean()) * (target - target.mean())) / spread if spread > 0 else np.nan
    return result


def bootstrap(x: Floats, y: Floats, n: int, seed: int) -> Interval:
    """Interval of the correlation from resampling nodes: pair (i, j) counts m_i m_j times, ranks are kept."""
    known = _known(x, y)
    estimate = dyadic_correlation(x, y)
    if not np.isfinite(estimate):
        return Interval(np.nan, np.nan, np.nan)
    rx, ry = _ranks(x, known), _ranks(y, known)
    size = len(x)
    draws = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=n).astype(float)

    def total(values: Floats) -> Floats:
        return np.einsum("bi,bi->b", product(draws, values), draws)

    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = total(known.astype(float))
        mx, my, mxx, myy, mxy = (total(v) / pairs for v in (rx, ry, rx * rx, ry * ry, rx * ry))
        r = (mxy - mx * my) / np.sqrt((mxx - mx**2) * (myy - my**2))
    return interval(r, estimate, units=int(known.any(axis=0).sum()), bounds=(-1.0, 1.0))
