"""Spatial null of a network: rewiring that keeps every degree and how far every connection reaches."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.blockwise import Estimate, afford, fitting
from allometry.compare.inference.progress import steps
from allometry.compare.measures.graphs.matrices import as_matrix, is_directed
from allometry.errors import ComparisonError
from allometry.numerics.rewiring import swap


def distances(positions: npt.ArrayLike) -> FloatArray:
    """Euclidean distances [nodes, nodes] of positions [nodes, dimensions]; NaN where a node has no position."""
    x = np.asarray(positions, dtype=float)
    if x.ndim != 2:
        raise ComparisonError(f"positions have shape {x.shape}", where="positions", expected="[nodes, dimensions]")
    need = Estimate(f"distances of {len(x):,} nodes", 8 * len(x) ** 2 * (2 * x.shape[1] + 1), 8 * len(x) ** 2, x.size)
    afford(need, f"at most {fitting(8 * (2 * x.shape[1] + 1), 2):,} nodes")
    return np.asarray(np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=2)))


def distance_bins(distance: npt.ArrayLike, connected: npt.ArrayLike, bins: int) -> npt.NDArray[np.int16]:
    """Class of the distance of every pair: quantiles of the distances of connected pairs; -1 where it is not known.

    Parameters
    ----------
    distance : array_like, shape (nodes, nodes)
        Symmetric; NaN where not known.
    connected : array_like of bool, shape (nodes, nodes)
    bins : int
        Number of classes, at most; equal quantiles fall together.
    """
    d, edge = np.asarray(distance, dtype=float), np.asarray(connected, dtype=bool)
    if d.shape != edge.shape or d.ndim != 2 or bins < 1:
        raise ComparisonError(
            f"distances {d.shape}, edges {edge.shape}, {bins} bins", expected="two square matrices and a bin or more"
        )
    known = np.isfinite(d)
    used = d[edge & known]
    if used.size == 0:
        raise ComparisonError(
            "no connected pair has a known distance", where="distance", expected="positions of connected nodes"
        )
    inner = np.unique(np.quantile(used, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.where(known, np.digitize(np.where(known, d, 0.0), inner), -1).astype(np.int16)


def spatial_rewirings(
    weights: npt.ArrayLike, distance: npt.ArrayLike, n: int, *, bins: int = 10, swaps: float = 100.0, seed: int = 0
) -> Iterator[FloatArray]:
    """Random networks with every in- and out-degree, in which every edge keeps its weight, its source and its distance class.

    Targets of two edges are exchanged where both new edges fall into the class that the old one of the same source had.
    The number of edges in each class, their weights, and every node's profile of outgoing distances are exactly kept. Edges
    with an unknown distance stay as they are. A symmetric network stays symmetric.

    Parameters
    ----------
    weights : array_like, shape (nodes, nodes), [source, target]
    distance : array_like, shape (nodes, nodes)
        Symmetric; NaN where not known.
    n : int
        Number of networks.
    bins : int
        Classes of distance (quantiles of the edges).
    swaps : float
        Attempts per edge; most are refused, and refused attempts count, which makes the chain's limit uniform over the
        networks that it can reach.
    seed : int

    Yields
    ------
    ndarray, shape (nodes, nodes)

    References
    ----------
    After Samu, Seth & Nowotny 2014, PLoS Comput. Biol. 10:e1003557, and Betzel & Bassett 2018, PNAS 115:E4880 (nulls with
    the wiring length of the network); here with exact classes instead of a tolerated total.
    """
    matrix = as_matrix(weights)
    directed = is_directed(matrix)
    source, target = np.nonzero((matrix if directed else np.triu(matrix)) != 0)
    value = matrix[source, target]
    known = distance_bins(distance, matrix != 0, bins)
    if not np.array_equal(known, known.T):
        raise ComparisonError("distances are not symmetric", where="distance", expected="one distance per pair")
    occupied = (matrix != 0).astype(np.uint8)
    attempts = int(np.ceil(swaps * source.size))
    for child in steps(np.random.SeedSequence(seed).spawn(n), "spatial rewirings"):
        rng = np.random.default_rng(child)
        a, b = source.astype(np.int64), target.astype(np.int64)
        first, second = rng.integers(0, a.size, (2, attempts))
        flip = np.empty(0, dtype=np.int64) if directed else rng.integers(0, 2, attempts)
        swap(a, b, occupied.copy(), known, first, second, flip)
        out = np.zeros_like(matrix)
        out[a, b] = value
        if not directed:
            out[b, a] = value
        yield out
