"""Do two annotations count the same weights on the edges that both have, beyond what the nodes of an edge explain?

Nodes with strong edges have them in any annotation: edges that share a node are not independent, and a test over edges finds
agreement where there are only hubs. Permuting nodes would not help, since it destroys the shared edges it is about. Here
every node's effect on the ranks (as source and as target) is projected out of both, and what remains is correlated.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from allometry.compare.inference.arrays import varies
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import whole
from allometry.compare.measures.graphs.matrices import Floats, Ints, as_edges, at, endpoints, is_directed
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import inner, norm


@dataclass(frozen=True)
class WithinNodes:
    """Rank correlation of the weights of shared edges with the effects of their nodes removed.

    Attributes
    ----------
    correlation, low, high : float
        The partial correlation and its 95 % interval (Fisher's z, with the variance of ranks); NaN where nothing remains.
    p : float
        One-sided, of no positive correlation: t with `freedom` degrees of freedom.
    edges : int
        Shared edges; a pair of nodes counts once where a graph is symmetric.
    freedom : int
        edges - rank of the node effects - 1.
    """

    correlation: float
    low: float
    high: float
    p: float
    edges: int
    freedom: int


@corresponding("a", "b", axes=2)
def weights_within_nodes(a: Any, b: Any) -> WithinNodes:
    """Compare the weights of two graphs on the edges that both have, given that they have them and given their nodes.

    Parameters
    ----------
    a, b : arrays or sparse matrices [node, node]
        Weights >= 0 of the same nodes, 0 without an edge. Where either is symmetric (gap junctions), the mean of both
        directions counts, once.

    References
    ----------
    Partial rank correlation (Kendall 1942, Biometrika 32:277) given the node effects of a two-way layout; variance of z:
    Bonett & Wright 2000, Psychometrika 65:23.
    """
    x, y = as_edges(a), as_edges(b)
    nodes = x.shape[0]
    if x.shape != y.shape:
        raise ComparisonError(f"graphs of {nodes} and {y.shape[0]} nodes", expected="the same nodes")
    undirected = not is_directed(x) or not is_directed(y)
    if undirected:
        x, y = (scipy.sparse.csr_array(scipy.sparse.triu(part + part.T, format="csr")) / 2 for part in (x, y))
    shared = scipy.sparse.csr_array((x > 0).multiply(y > 0))
    shared.sort_indices()
    source, target = endpoints(shared)
    u, v = (at(part, source, target, 0.0) for part in (x, y))
    nothing = WithinNodes(np.nan, np.nan, np.nan, np.nan, u.size, 0)
    if u.size < 4 or not (varies(u) and varies(v)):
        return nothing
    effects, rank = _node_effects(source, target, nodes, undirected)
    freedom = u.size - rank - 1
    left = [_without(effects, scipy.stats.rankdata(values)) for values in (u, v)]
    length = [norm(values) for values in left]
    # A rank moves by at least a half: what is smaller is what the projection leaves of nothing.
    if freedom < 3 or min(length) < 1e-6 * u.size:
        return WithinNodes(np.nan, np.nan, np.nan, np.nan, u.size, max(freedom, 0))
    r = float(np.clip(inner(left[0], left[1]) / (length[0] * length[1]), -1, 1))
    p = float(scipy.stats.t.sf(r * np.sqrt(freedom / max(1 - r * r, 1e-12)), freedom))
    # tanh(artanh(r) + x) = (r + tanh(x)) / (1 + r tanh(x))
    inside = float(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    reach = math.tanh(scipy.stats.norm.ppf(0.975) * math.sqrt((1 + r * r / 2) / (freedom - 1)))
    low, high = ((inside + x) / (1 + inside * x) for x in (-reach, reach))
    return WithinNodes(r, min(low, r), max(high, r), p, u.size, freedom)


def _node_effects(source: Ints, target: Ints, nodes: int, undirected: bool) -> tuple[scipy.sparse.csr_array, int]:
    """Design [edge, effect] with one effect per node (as source and as target where edges have a direction), and its rank.

    The constant lies in its span. Of a two-way layout every connected part has one effect too many; of an undirected one
    every bipartite part.
    """
    edges = np.arange(source.size)
    # As a graph between sources and targets, the edges of an undirected part fall into two copies if it is bipartite.
    two_way = scipy.sparse.coo_array((np.ones(source.size), (source, nodes + target)), shape=(2 * nodes, 2 * nodes))
    if undirected:
        back = scipy.sparse.coo_array((np.ones(source.size), (target, nodes + source)), shape=two_way.shape)
        copies = _parts(
            scipy.sparse.csr_array(two_way + back), np.concatenate([source, target, nodes + source, nodes + target])
        )
        once = scipy.sparse.coo_array((np.ones(source.size), (source, target)), shape=(nodes, nodes))
        own = _parts(scipy.sparse.csr_array(once), np.concatenate([source, target]))
        used = np.unique(np.concatenate([source, target])).size
        columns = np.concatenate([source, target])
        design = scipy.sparse.csr_array(
            (np.ones(2 * edges.size), (np.tile(edges, 2), columns)), shape=(edges.size, nodes)
        )
        return design, used - (copies - own)
    design = scipy.sparse.csr_array(
        (np.ones(2 * edges.size), (np.tile(edges, 2), np.concatenate([source, nodes + target]))),
        shape=(edges.size, 2 * nodes),
    )
    used = np.unique(source).size + np.unique(target).size
    return design, used - _parts(scipy.sparse.csr_array(two_way), np.concatenate([source, nodes + target]))


def _parts(graph: scipy.sparse.csr_array, members: Ints) -> int:
    """Connected parts among the nodes that have an edge."""
    _, label = scipy.sparse.csgraph.connected_components(graph, directed=False)
    return int(np.unique(label[members]).size)


def _without(effects: scipy.sparse.csr_array, values: Floats) -> Floats:
    """Residual of least squares on the effects, by conjugate gradients on the normal equations."""
    left = values - values.mean()
    transposed = scipy.sparse.csr_array(effects.T)
    step = gradient = transposed @ left
    size = inner(gradient, gradient)
    small = 1e-26 * inner(left, left) * effects.nnz
    with whole(f"effects of {effects.shape[1]:,} nodes", 1e-6 * effects.nnz):
        for _ in range(20 * sum(effects.shape)):
            if size <= small:
                break
            moved = effects @ step
            left = left - size / inner(moved, moved) * moved
            gradient = transposed @ left
            size, before = inner(gradient, gradient), size
            step = gradient + size / before * step
    return np.asarray(left)
