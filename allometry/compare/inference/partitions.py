"""Partitions of items: communities of a graph (Leiden), and how much two of them agree: normalised mutual information."""

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, IntArray, codes
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import steps, whole
from allometry.compare.inference.statistics import Interval
from allometry.compare.records.measures import SHARE, measure

RESTARTS = 10


def leiden(
    nodes: int,
    source: npt.ArrayLike,
    target: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    directed: bool = False,
    resolution: float = 1.0,
    seed: int = 0,
    restarts: int = RESTARTS,
) -> tuple[IntArray, float]:
    """Communities of a weighted graph: the best of several runs of the Leiden algorithm.

    Parameters
    ----------
    nodes : int
        Number of nodes.
    source, target, weight : array_like, shape (edges,)
        Edges with weights >= 0; an undirected one is listed once.
    directed : bool
        Whether edges have a direction.
    resolution : float
        Resolution of the modularity (1: the classical one).
    seed : int
        Seed of all runs.
    restarts : int
        Runs.

    Returns
    -------
    member : ndarray of int, shape (nodes,)
        Communities by decreasing size.
    modularity : float
        Of the partition, at resolution 1.

    References
    ----------
    Traag, Waltman & van Eck 2019, Sci. Rep. 9:5233.
    """
    import igraph  # slow to import, and only needed here
    import leidenalg

    graph = igraph.Graph(n=nodes, edges=np.column_stack([np.asarray(source), np.asarray(target)]), directed=directed)
    weights = np.asarray(weight, dtype=float).tolist()
    runs = []
    for child in steps(np.random.SeedSequence(seed).spawn(restarts), "communities, restarts"):
        with whole(f"communities of {len(weights):,} edges", 1e-5 * len(weights)):
            partition = leidenalg.find_partition(
                graph,
                leidenalg.RBConfigurationVertexPartition,
                weights=weights,
                resolution_parameter=resolution,
                n_iterations=-1,
                seed=int(child.generate_state(1)[0] % 2**31),
            )
        runs.append(partition)
    member = max(runs, key=lambda partition: partition.quality()).membership
    return np.asarray(member, dtype=np.int64), float(graph.modularity(member, weights=weights))


@measure(
    name="community_nmi",
    version="2",
    inputs="two partitions of the same neurons",
    invariances="names of communities",
    use="do two partitions of neurons agree?",
    reference="Danon et al. 2005, J. Stat. Mech. P09008",
    scale=SHARE,
)
@corresponding("a", "b")
def nmi(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Normalised mutual information 2 I(a; b) / (H(a) + H(b)) of two labellings of the same items.

    Parameters
    ----------
    a, b : array_like of int or str, shape (items,)
        Communities; items with a negative label, or none, in either are left out.

    Returns
    -------
    float
        1 for equal partitions, about 0 for unrelated ones (more where communities are many and items few); NaN where fewer
        than two items are left or both have one community only.

    References
    ----------
    Danon, Diaz-Guilera, Duch & Arenas 2005, J. Stat. Mech. P09008.
    """
    x, y = codes(a, b, names=("a", "b"))
    kept = (x >= 0) & (y >= 0)
    x, y = x[kept], y[kept]
    if x.size < 2:
        return float("nan")
    width = int(y.max()) + 1
    joint = np.bincount(x * width + y, minlength=(int(x.max()) + 1) * width).reshape(-1, width) / x.size
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    entropy = _entropy(rows) + _entropy(columns)
    if entropy <= 0:
        return float("nan")
    return float(2 * (entropy - _entropy(joint.ravel())) / entropy)


def _entropy(p: FloatArray) -> float:
    positive = p[p > 0]
    return float(-(positive * np.log(positive)).sum())


def mean_nmi(pairs: list[tuple[IntArray, IntArray]], items: IntArray | None = None) -> float:
    """Mean over pairs of partitions, of all items or of those named; pairs without a defined value are left out."""
    values = [nmi(a, b) if items is None else nmi(a[items], b[items]) for a, b in pairs]
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def jackknife_nmi(pairs: list[tuple[IntArray, IntArray]]) -> Interval:
    """Mean agreement of pairs of partitions of the same items, with a 95 % interval by leaving out one item at a time.

    A bootstrap would draw items twice, and twice the same item agrees with itself.
    """
    items = pairs[0][0].size
    everyone = np.arange(items)
    estimate = mean_nmi(pairs)
    left = np.array([mean_nmi(pairs, np.delete(everyone, i)) for i in steps(everyone, "jackknife of partitions")])
    if not np.isfinite(estimate) or not np.isfinite(left).all():
        return Interval(estimate, np.nan, np.nan, method="jackknife")
    spread = float(scipy.stats.t.ppf(0.975, items - 1) * np.sqrt((items - 1) * left.var()))
    return Interval(estimate, max(estimate - spread, 0.0), min(estimate + spread, 1.0), method="jackknife")


def chance_nmi(pairs: list[tuple[IntArray, IntArray]], n: int, seed: int) -> FloatArray:
    """Mean agreement `[n]` after permuting the items of the first partition of every pair, the same way in all."""
    rng = np.random.default_rng(seed)
    items = pairs[0][0].size
    return np.array(
        [
            mean_nmi([(a[order], b) for a, b in pairs])
            for order in (rng.permutation(items) for _ in steps(range(n), "permutations of partitions"))
        ]
    )
