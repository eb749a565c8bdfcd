"""Rewiring of a graph that keeps the degree of every node: the null model that stages share."""

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from allometry.errors import AllometryError

Ints = NDArray[np.int64]

OCCUPANCY_LIMIT = 2**32  # bytes of the pair table that rewiring keeps: 65,536 nodes


@njit(cache=True, nogil=True)
def swap(
    source: Ints,
    target: Ints,
    occupied: NDArray[np.uint8],
    classes: NDArray[np.int16],
    first: Ints,
    second: Ints,
    flip: Ints,
) -> int:
    """Swap the targets of pairs of edges in place, where the graph stays simple; return how many were swapped.

    classes : int16 [nodes, nodes], kept by every edge (-1: no class, no swap), or of size 0: none are kept.
    """
    done = 0
    undirected = flip.size > 0
    for k in range(first.size):
        e, f = first[k], second[k]
        a, b = source[e], target[e]
        c, d = source[f], target[f]
        if undirected and flip[k]:
            c, d = d, c
        if a == d or c == b or occupied[a, d] or occupied[c, b]:
            continue
        if classes.size > 0 and (
            classes[a, d] < 0 or classes[a, d] != classes[a, b] or classes[c, b] < 0 or classes[c, b] != classes[c, d]
        ):
            continue
        occupied[a, b] = 0
        occupied[c, d] = 0
        occupied[a, d] = 1
        occupied[c, b] = 1
        if undirected:
            occupied[b, a] = 0
            occupied[d, c] = 0
            occupied[d, a] = 1
            occupied[b, c] = 1
        source[e], target[e] = a, d
        source[f], target[f] = c, b
        done += 1
    return done


def rewire(
    source: ArrayLike, target: ArrayLike, nodes: int, *, seed: int, swaps: float = 10.0, directed: bool = True
) -> tuple[Ints, Ints]:
    """Random simple graph with the same in- and out-degree of every node (Maslov & Sneppen 2002).

    Parameters
    ----------
    source, target : int arrays [edges]
        A simple graph without self-loops; undirected edges are listed once, in either direction.
    swaps : float
        Attempted swaps of two targets per edge. Rejected attempts count, which makes the chain's limit uniform.

    Returns
    -------
    (source, target) : int arrays [edges]
        Edge i of the result keeps the source of edge i when directed, so that weights kept by edge number keep every
        node's out-strength.

    Raises
    ------
    AllometryError
        Self-loops or repeated edges, or too many nodes for the table of pairs.
    """
    a, b = np.array(source, dtype=np.int64), np.array(target, dtype=np.int64)
    if nodes * nodes > OCCUPANCY_LIMIT:
        raise AllometryError(
            f"rewiring {nodes} nodes needs a table of {nodes * nodes / 2**30:.0f} GiB",
            expected=f"at most {int(OCCUPANCY_LIMIT**0.5)} nodes",
        )
    occupied = np.zeros((nodes, nodes), dtype=np.uint8)
    occupied[a, b] = 1
    if not directed:
        occupied[b, a] = 1
    if np.any(a == b) or occupied.sum(dtype=np.int64) != a.size * (1 if directed else 2):
        raise AllometryError(
            "the graph has self-loops or repeated edges", expected="a simple graph", do="merge repeated edges"
        )
    if a.size < 2:
        return a, b
    rng = np.random.default_rng(seed)
    attempts = int(np.ceil(swaps * a.size))
    first, second = rng.integers(0, a.size, (2, attempts))
    flip = np.empty(0, dtype=np.int64) if directed else rng.integers(0, 2, attempts)
    swap(a, b, occupied, np.empty((0, 0), np.int16), first, second, flip)
    return a, b
