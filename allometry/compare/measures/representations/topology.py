"""Topology and geometry of representations: geo-topological RDMs (tRSA), geodesic RDMs, persistent homology."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy
from numba import njit

from allometry.compare.inference.arrays import FloatArray, blocks, condensed, matrix, n_from_pairs, off_diagonal, varies
from allometry.compare.inference.blockwise import Estimate, afford, fitting, memory_limit
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import steps, whole
from allometry.compare.measures.representations.rdm import rsa
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError

_VIA = 64  # stimuli between two looks at the clock


@dataclass(frozen=True)
class Persistence:
    """Persistence diagrams: (birth, death) of every feature, `[features, 2]`, one array per homology dimension."""

    diagrams: tuple[FloatArray, ...]

    def longest(self, dimension: int = 1) -> float:
        """Longest finite life in a dimension, 0 if there is none."""
        life = np.diff(self.diagrams[dimension], axis=1)
        life = life[np.isfinite(life)]
        return float(life.max()) if life.size else 0.0


@measure(
    name="geo_topological",
    version="1",
    inputs="RDM [pairs], two quantiles",
    invariances="monotonic transformation of dissimilarities, order of units",
    use="compare neighbourhoods rather than distances",
    reference="Lin & Kriegeskorte 2023, arXiv:2309.11028",
    ceiling="correlation",
)
def geo_topological(rdm: npt.ArrayLike, lower: float, upper: float, ranks: bool = True) -> FloatArray:
    """Geo-topological transform GT(d; l, u) = clip((d - q_l) / (q_u - q_l), 0, 1).

    Distances below the quantile q_l become 0 (noise), above q_u become 1 (geometry that does not matter); l = 0, u = 1 keeps
    all geometry, l = u leaves a 0/1 neighbourhood graph.

    Parameters
    ----------
    rdm : array_like, shape (pairs,)
    lower, upper : float
        Quantiles, 0 <= lower <= upper <= 1.
    ranks : bool
        Transform the ranks of the dissimilarities, scaled to [0, 1], as in the reference; otherwise the values.

    Returns
    -------
    ndarray, shape (pairs,)
        A new array; the input is left alone.

    References
    ----------
    Lin & Kriegeskorte 2023, arXiv:2309.11028, equation 3.
    """
    if not 0 <= lower <= upper <= 1:
        raise ComparisonError(
            f"lower={lower}, upper={upper}", where="lower, upper", expected="0 <= lower <= upper <= 1"
        )
    d = condensed(rdm)
    if not varies(d):
        raise ComparisonError("the RDM is constant", where="rdm", expected="dissimilarities that vary")
    if ranks:
        d = scipy.stats.rankdata(d)
        d = (d - d.min()) / (d.max() - d.min())
    low, high = np.quantile(d, [lower, upper])
    if high <= low:
        return np.asarray((d > low).astype(float))
    return np.clip((d - low) / (high - low), 0, 1)


@measure(
    name="trsa",
    version="1",
    inputs="two RDMs [pairs], condensed upper triangles, two quantiles",
    invariances="monotonic transformation of dissimilarities, order of units",
    use="do two systems agree on which stimuli are neighbours?",
    reference="Lin & Kriegeskorte 2023, arXiv:2309.11028",
    ceiling="correlation",
)
@corresponding("rdm_a", "rdm_b")
def trsa(rdm_a: npt.ArrayLike, rdm_b: npt.ArrayLike, lower: float, upper: float, method: str = "pearson") -> float:
    """Topological RSA: agreement of two RDMs after the geo-topological transform of both.

    Parameters
    ----------
    rdm_a, rdm_b : array_like, shape (pairs,)
        Dissimilarities of all pairs of stimuli, in any unit.
    lower, upper : float
        Quantiles, as in `geo_topological`.
    method : str
        As in `rsa`.

    Returns
    -------
    float
        Correlation of the transformed RDMs, in [-1, 1].

    References
    ----------
    Lin & Kriegeskorte 2023, arXiv:2309.11028.
    """
    return rsa(geo_topological(rdm_a, lower, upper), geo_topological(rdm_b, lower, upper), method)


@measure(
    name="geodesic",
    version="1",
    inputs="RDM [pairs], threshold",
    invariances="isometry",
    use="distances along the manifold",
    reference="Lin & Kriegeskorte 2023, arXiv:2309.11028",
    ceiling="correlation",
    cost="memory",
)
def geodesic(rdm: npt.ArrayLike, threshold: float = 1.0) -> FloatArray:
    """Geodesic RDM: shortest paths over the graph of dissimilarities, after dropping the long edges.

    Parameters
    ----------
    rdm : array_like, shape (pairs,)
    threshold : float
        Quantile of the dissimilarities above which edges are dropped, in (0, 1]; 1 drops none.

    Returns
    -------
    ndarray, shape (pairs,)
        inf between stimuli that the remaining edges do not connect.

    References
    ----------
    Lin & Kriegeskorte 2023, arXiv:2309.11028, section 2.3.
    """
    if not 0 < threshold <= 1:
        raise ComparisonError(f"threshold={threshold}", where="threshold", expected="a quantile in (0, 1]")
    d = condensed(rdm)
    if (d < 0).any():
        raise ComparisonError(
            "negative dissimilarities", where="rdm", expected="dissimilarities >= 0", do="clip a crossnobis RDM at 0"
        )
    n = n_from_pairs(d.size)
    afford(
        Estimate(f"geodesic distances of {n:,} stimuli", 8 * 4 * n**2, 4 * n**2, 2.0 * n**3),
        f"at most {fitting(32, 2):,} stimuli",
    )
    length = scipy.spatial.distance.squareform(np.where(d <= np.quantile(d, threshold), d, np.inf))
    for part in steps(blocks(n, _VIA), f"geodesic distances, via {_VIA} stimuli each"):
        _shorten(length, part.start, part.stop)
    return off_diagonal(length)


@njit(cache=True, nogil=True)
def _shorten(length: FloatArray, first: int, last: int) -> None:
    """Shorten every path in place by going via stimuli first to last - 1 (Floyd 1962; Warshall 1962).

    On a graph in which most pairs are edges this is the same n^3 as Dijkstra's algorithm without its heap.
    """
    n = length.shape[0]
    via = np.empty(n)
    for k in range(first, last):
        # Lengths are symmetric: the upper triangle is kept, and holds what follows and what precedes k.
        via[k:] = length[k, k:]
        for i in range(k):
            via[i] = length[i, k]
        for i in range(n):
            there = via[i]
            if there == np.inf:
                continue
            row = length[i]
            for j in range(i + 1, n):
                length_via = there + via[j]
                row[j] = length_via if length_via < row[j] else row[j]


@measure(
    name="persistence",
    version="1",
    inputs="RDM [pairs]",
    invariances="isometry",
    use="rings and voids of a representation",
    reference="Bauer 2021, J. Appl. Comput. Topol. 5:391",
    cost="memory",
)
def persistence(rdm: npt.ArrayLike, max_dimension: int = 1) -> Persistence:
    """Persistent homology of the Vietoris-Rips filtration of an RDM.

    Parameters
    ----------
    rdm : array_like, shape (pairs,)
        Dissimilarities >= 0.
    max_dimension : int
        0 components, 1 loops, 2 voids. Cost grows steeply: about 500 stimuli for loops.

    Returns
    -------
    Persistence

    References
    ----------
    Tralie, Saul & Bar-On 2018, JOSS 3:925 (ripser). The loop of a densely sampled unit circle dies at sqrt 3.
    """
    d = condensed(rdm)
    if (d < 0).any():
        raise ComparisonError("negative dissimilarities", where="rdm", expected="dissimilarities >= 0")
    if not 0 <= max_dimension <= 3:
        raise ComparisonError(f"max_dimension={max_dimension}", where="max_dimension", expected="0 to 3")
    n = n_from_pairs(d.size)
    # The columns that are reduced are the simplices of the highest dimension, 16 bytes each, and twice that for pivots.
    simplices = math.comb(n, max_dimension + 1)
    fits = next(
        k for k in range(n, 0, -1) if k < 10 or 48 * math.comb(k, max_dimension + 1) + 16 * k**2 <= memory_limit()
    )
    need = Estimate(f"persistence of {n:,} stimuli", 48 * simplices + 16 * n**2, 16 * n, 10.0 * simplices * n)
    afford(need, f"at most {fits:,} stimuli, or a lower max_dimension")
    import ripser  # brings in matplotlib and compiled code that few comparisons need

    with whole(need.measure, 2e-9 * need.operations):
        result = ripser.ripser(scipy.spatial.distance.squareform(d), distance_matrix=True, maxdim=max_dimension)
    return Persistence(tuple(np.asarray(x, dtype=float).reshape(-1, 2) for x in result["dgms"]))


def mds(rdm: npt.ArrayLike, dimensions: int = 2) -> FloatArray:
    """Classical multidimensional scaling of an RDM, for display.

    Parameters
    ----------
    rdm : array_like, shape (pairs,)
        Distances (not squared).
    dimensions : int

    Returns
    -------
    ndarray, shape (stimuli, dimensions)
        Coordinates along the leading axes; 0 along axes of negative eigenvalue.

    References
    ----------
    Torgerson 1952, Psychometrika 17:401.
    """
    d = condensed(rdm)
    n = n_from_pairs(d.size)
    if not 1 <= dimensions <= n:
        raise ComparisonError(f"dimensions={dimensions}", where="dimensions", expected=f"1 to {n}")
    afford(
        Estimate(f"scaling of {n:,} stimuli", 8 * 6 * n**2, 8 * n * dimensions, 10.0 * n**3),
        f"at most {fitting(48, 2):,} stimuli",
    )
    squared = matrix(scipy.spatial.distance.squareform(d) ** 2, "rdm")
    centred = -0.5 * (squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean())
    with whole(f"scaling of {n:,} stimuli", 1e-9 * n**3):
        values, vectors = np.linalg.eigh(centred)
    top = np.argsort(values)[::-1][:dimensions]
    return np.asarray(vectors[:, top] * np.sqrt(np.maximum(values[top], 0)))
