"""Dynamic functional connectome: affinities between neurons over time, their factors, and the communities of each factor."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, IntArray, array, condensed, matrix, resolved, varies
from allometry.compare.inference.blockwise import Estimate, afford, fitting
from allometry.compare.inference.partitions import leiden
from allometry.compare.inference.progress import steps, whole
from allometry.compare.measures.tensors.decomposition import check_rank, factor_similarity, ntf
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class DynamicConnectome:
    """Motifs of a population of animals.

    `time` [time, motifs], `animal` [animals, motifs] and `affinity` [pairs, motifs] are the unit-norm factors, `weights`
    [motifs] their strength; `community` [motifs, neurons] the community of each neuron in each motif, -1 for neurons without
    affinity; `modularity` [motifs] of that partition; `error` the relative error and `stability` the mean similarity of
    restarts.
    """

    time: FloatArray = field(repr=False)
    animal: FloatArray = field(repr=False)
    affinity: FloatArray = field(repr=False)
    weights: FloatArray
    community: IntArray = field(repr=False)
    modularity: FloatArray
    error: float
    stability: float


@measure(
    name="affinities",
    version="1",
    inputs="traces [time, neurons]",
    invariances="offset and scale of each trace",
    use="which neurons change together, and when?",
    reference="Dyballa et al. 2024, arXiv:2402.14102",
    cost="memory",
)
def affinities(traces: npt.ArrayLike, smooth: float = 0.0, scale: float = 1.0) -> FloatArray:
    """Instantaneous affinity of every pair of neurons: both change, in the same direction, at the same time.

    The traces of each neuron are scaled to unit variance of their time derivative x'; the affinity of a pair at time t is
    sqrt(|x'_i x'_j|) exp(-(x'_i - x'_j)^2 / (2 scale^2)) where x'_i and x'_j have the same sign, and 0 elsewhere.

    Parameters
    ----------
    traces : array_like, shape (time, neurons)
        NaN in all samples for neurons that were not recorded: their affinities are 0.
    smooth : float
        Width (sd) of a Gaussian filter over time, in samples.
    scale : float
        Tolerated difference of the scaled derivatives.

    Returns
    -------
    ndarray, shape (time, pairs)
        Values >= 0.

    References
    ----------
    After Dyballa, Lang, Haslund-Gourley, Yemini & Zucker 2024, arXiv:2402.14102 (differential affinities); the kernel is the
    one stated above.
    """
    if not scale > 0:
        raise ComparisonError(f"scale={scale}", where="scale", expected="a scale > 0")
    return coincidence(slopes(traces, smooth), scale)


def slopes(traces: npt.ArrayLike, smooth: float = 0.0) -> FloatArray:
    """Time derivative of every neuron's trace, scaled to unit sd; 0 for neurons that are constant or were not recorded.

    Parameters
    ----------
    traces : array_like, shape (time, neurons)
        NaN in all samples for neurons that were not recorded.
    smooth : float
        Width (sd) of a Gaussian filter over time, in samples.
    """
    x = array(traces, "traces", 2, finite=False)
    if x.shape[0] < 3 or x.shape[1] < 2:
        raise ComparisonError(
            f"traces have shape {x.shape}", where="traces", expected="[time, neurons], at least 3 x 2"
        )
    recorded = np.isfinite(x).all(axis=0)
    if (np.isfinite(x).any(axis=0) & ~recorded).any():
        raise ComparisonError(
            "some traces are NaN in some samples only", where="traces", expected="whole traces", do="interpolate"
        )
    if smooth < 0:
        raise ComparisonError(f"smooth={smooth}", where="smooth", expected="a width >= 0")
    filled = np.where(recorded, x, 0.0)
    if smooth:
        filled = scipy.ndimage.gaussian_filter1d(filled, smooth, axis=0)
    slope = np.gradient(filled, axis=0)
    # Smoothing and differences leave rounding of the trace's own size where it does not move.
    moves = varies(filled) & resolved(slope.std(axis=0), np.abs(filled).max(axis=0))
    return np.divide(slope, slope.std(axis=0), out=np.zeros_like(slope), where=moves)


def coincidence(slope: FloatArray, scale: float = 1.0) -> FloatArray:
    """Affinity [time, pairs] of scaled derivatives [time, neurons]; the kernel of `affinities`."""
    samples, neurons = slope.shape
    pairs = neurons * (neurons - 1) // 2
    need = Estimate(
        f"affinities of {neurons:,} neurons", 8 * pairs * (6 * samples + 2), 8 * pairs * samples, 20.0 * pairs * samples
    )
    afford(
        need,
        f"at most {fitting(24 * samples, 2):,} neurons at {samples:,} samples: a sample of them, or longer bins",
    )
    i, j = np.triu_indices(neurons, 1)
    with whole(need.measure, 2e-9 * need.operations):
        a, b = slope[:, i], slope[:, j]
        product = np.maximum(a * b, 0)
        return np.asarray(np.sqrt(product) * np.exp(-((a - b) ** 2) / (2 * scale**2)))


@measure(
    name="motif_modularity",
    version="2",
    inputs="affinity per pair of neurons",
    invariances="scale of affinities, order of neurons",
    use="do the neurons of a motif fall into communities?",
    reference="Newman & Girvan 2004, Phys. Rev. E 69:026113; Traag et al. 2019, Sci. Rep. 9:5233 (Leiden)",
    scale=SHARE,
    cost="time",
)
def communities(affinity: npt.ArrayLike, resolution: float = 1.0, seed: int = 0) -> tuple[IntArray, float]:
    """Communities of a weighted graph by the Leiden algorithm: the best of several runs, as `find_communities` takes it.

    Parameters
    ----------
    affinity : array_like, shape (pairs,)
        Condensed weights >= 0.
    resolution : float
        Resolution of the modularity (1: the classical one).
    seed : int

    Returns
    -------
    label : ndarray of int, shape (neurons,)
        Communities by decreasing size; -1 for neurons without any affinity.
    modularity : float
        Of the partition, at resolution 1.

    References
    ----------
    Traag, Waltman & van Eck 2019, Sci. Rep. 9:5233.
    """
    weights = condensed(affinity, "affinity")
    if (weights < 0).any():
        raise ComparisonError("negative affinities", where="affinity", expected="weights >= 0")
    square = scipy.spatial.distance.squareform(weights)
    i, j = np.nonzero(np.triu(square, 1))
    if not i.size:
        return np.full(len(square), -1, dtype=np.int64), 0.0
    label, modularity = leiden(len(square), i, j, square[i, j], resolution=resolution, seed=seed)
    label[square.sum(axis=0) == 0] = -1
    return label, modularity


@measure(
    name="dynamic_connectome",
    version="2",
    inputs="traces [time, neurons] of each animal, rank",
    invariances="order of animals",
    use="groups of neurons that couple at the same times",
    reference="Dyballa et al. 2024, arXiv:2402.14102",
    cost="memory",
)
def dynamic_connectome(
    traces: Sequence[npt.ArrayLike],
    rank: int,
    restarts: int = 4,
    smooth: float = 2.0,
    resolution: float = 1.0,
    seed: int = 0,
) -> DynamicConnectome:
    """Dynamic functional connectome of several animals: affinities, their factors, communities of each factor.

    Parameters
    ----------
    traces : sequence of array_like, each of shape (time, neurons)
        One per animal: the same time axis and the same neurons (NaN in all samples where a neuron was not recorded).
    rank : int
        Number of motifs.
    restarts : int
        Random starts; the best is kept, and its mean similarity to the others is the stability.
    smooth : float
        As in `affinities`.
    resolution : float
        As in `communities`.
    seed : int

    Returns
    -------
    DynamicConnectome

    Raises
    ------
    ComparisonError
        For animals of different shapes, or a pair of neurons recorded in no animal being all that is left.

    References
    ----------
    Dyballa, Lang, Haslund-Gourley, Yemini & Zucker 2024, arXiv:2402.14102 (with Leiden in place of the weighted stochastic
    block model).
    """
    animals = [matrix(t, f"traces[{k}]", finite=False) for k, t in enumerate(traces)]
    if len(animals) < 2 or len({t.shape for t in animals}) != 1:
        raise ComparisonError(
            f"{len(animals)} animals of shapes {sorted({t.shape for t in animals})}",
            where="traces",
            expected="two or more animals with the same samples and neurons",
            do="cut recordings to a common window; give unrecorded neurons a column of NaN",
        )
    check_rank(rank, restarts)
    tensor = np.stack([affinities(t, smooth) for t in animals], axis=1)
    found = sorted(
        (ntf(tensor, rank, 1, seed + k) for k in steps(range(restarts), "NTF restarts")), key=lambda f: f.error
    )
    best = found[0]
    alike = [factor_similarity(best, other) for other in found[1:]]
    time, animal, affinity = best.modes
    parts = [communities(np.maximum(affinity[:, r], 0), resolution, seed) for r in range(rank)]
    return DynamicConnectome(
        time,
        animal,
        affinity,
        best.weights,
        np.array([label for label, _ in parts]),
        np.array([q for _, q in parts]),
        best.error,
        float(np.mean(alike)) if alike else float("nan"),
    )
