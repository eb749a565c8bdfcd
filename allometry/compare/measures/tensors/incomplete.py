"""Non-negative factors of a tensor with entries that were not measured, and how many factors it bears.

Recordings differ in which neurons are identified: a pair of neurons is measured in some animals only. A missing entry is not
0, so that it must not weigh on the fit: the factors that predict the measured entries best are sought.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.progress import steps
from allometry.compare.measures.tensors.decomposition import Factors, RankScan, factor_similarity, normalised
from allometry.compare.measures.tensors.hals import update
from allometry.errors import ComparisonError

CHECK = 10  # sweeps between two looks at the error
EVIDENCE = 0.01  # share of a factor's animals, by squared loading, that must have measured a pair


@dataclass(frozen=True)
class Incomplete:
    """A tensor [time, animals, pairs] and which (animal, pair) of it were measured [animals, pairs]."""

    values: FloatArray
    observed: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or self.observed.shape != self.values.shape[1:]:
            raise ComparisonError(
                f"a tensor of shape {self.values.shape} and observations of shape {self.observed.shape}",
                expected="[time, animals, pairs] and [animals, pairs]",
            )
        measured = self.values[:, self.observed]
        if measured.size == 0 or not np.isfinite(measured).all() or measured.min() < 0 or not measured.any():
            raise ComparisonError(
                "the measured entries are none, or hold NaN, infinity or negative values, or nothing but 0",
                expected="finite values >= 0",
            )

    @cached_property
    def power(self) -> float:
        """Sum of squares of the measured entries."""
        return float((self.values[:, self.observed] ** 2).sum())

    def supported(self, animal: FloatArray) -> npt.NDArray[np.bool_]:
        """Which pairs [pairs, rank] the animals that show a factor have measured, given their loadings [animals, rank].

        A factor of one animal says nothing about the pairs that were not recorded in that animal.
        """
        power = animal**2
        seen = self.observed.T.astype(float) @ power
        return np.asarray(seen >= EVIDENCE * power.sum(axis=0))

    def explained(self, factors: Factors) -> float:
        """Share of the sum of squares of the measured entries that the factors explain: 1 - |X - model|^2 / |X|^2."""
        return 1.0 - factors.error**2


def factorise(
    tensor: Incomplete, rank: int, restarts: int = 1, seed: int = 0, sweeps: int = 300, tolerance: float = 2e-6
) -> list[Factors]:
    """Non-negative CP decompositions from random starts, best first: HALS in which the model fills in what is missing.

    Parameters
    ----------
    tensor : Incomplete
    rank, restarts, seed : int
    sweeps : int
        At most.
    tolerance : float
        Stop when the relative error changes by less than this per sweep.

    Returns
    -------
    list of Factors
        `error` is over the measured entries; pairs that no animal of a factor has measured (`supported`) are 0 in it.

    References
    ----------
    Cichocki & Phan 2009, IEICE Trans. E92-A:708 (HALS); Acar, Dunlavy, Kolda & Morup 2011, Chemom. Intell. Lab. Syst.
    106:41 (missing entries; here by expectation-maximisation).
    """
    if rank < 1 or restarts < 1:
        raise ComparisonError(f"rank={rank}, restarts={restarts}", where="rank, restarts", expected="at least 1")
    found = [_fit(tensor, rank, seed + k, sweeps, tolerance) for k in steps(range(restarts), "NTF restarts")]
    return sorted(found, key=lambda factors: factors.error)


def _fit(tensor: Incomplete, rank: int, seed: int, sweeps: int, tolerance: float) -> Factors:
    times, animals, pairs = tensor.values.shape
    rng = np.random.default_rng(seed)
    t, a, p = (rng.random((size, rank)) for size in (times, animals, pairs))
    gaps = {k: index for k in range(animals) if (index := np.flatnonzero(~tensor.observed[k])).size}
    # Single precision for the large products alone: they are bound by memory.
    x = np.where(tensor.observed, tensor.values, 0.0).astype(np.float32)
    # A start of the tensor's size: the first fill would be far off otherwise.
    t *= np.sqrt(tensor.power / max(float(((t.T @ t) * (a.T @ a) * (p.T @ p)).sum()), 1e-300))
    flat = x.reshape(times * animals, pairs)
    before = np.inf
    for sweep in range(1, sweeps + 1):
        # What the model of the last sweep (t0, a0, p) has in the gaps is added to the products, never to the tensor.
        t0, a0 = t, a
        inner = {k: p[index].T @ p[index] for k, index in gaps.items()}
        against = (flat @ p.astype(np.float32)).reshape(times, animals, rank).astype(float)
        for k in gaps:
            against[:, k] += t0 @ (a0[k][:, None] * inner[k])
        t = update(t0, np.einsum("tar,ar->tr", against, a0), (a0.T @ a0) * (p.T @ p))
        a = update(a0, np.einsum("tar,tr->ar", against, t), (t.T @ t) * (p.T @ p))
        both = (t[:, None] * a[None]).reshape(times * animals, rank)
        product = (flat.T @ both.astype(np.float32)).astype(float)
        for k, index in gaps.items():
            product[index] += p[index] @ (np.outer(a0[k], a[k]) * (t0.T @ t))
        gram = (t.T @ t) * (a.T @ a)
        p = update(p, product, gram)
        looked = sweep % CHECK == 0
        if looked:
            # of the filled tensor, in which no sweep can raise it
            norm = tensor.power + sum(float(((t0.T @ t0) * np.outer(a0[k], a0[k]) * inner[k]).sum()) for k in gaps)
            squared = norm - 2 * float((product * p).sum()) + float((gram * (p.T @ p)).sum())
            error = np.sqrt(max(squared, 0.0) / norm)
        scale_t, scale_a = (np.maximum(np.linalg.norm(mode, axis=0), 1e-300) for mode in (t, a))
        t, a, p = t / scale_t, a / scale_a, p * scale_t * scale_a
        if looked:
            if abs(before - error) < CHECK * tolerance:
                break
            before = error
    # What no measurement bears upon would stay as it was drawn.
    p = np.where(tensor.supported(a), p, 0.0)
    residual = 0.0
    for k in range(animals):
        seen = tensor.observed[k]
        residual += float(((tensor.values[:, k, seen] - (t * a[k]) @ p[seen].T) ** 2).sum())
    return normalised(np.ones(rank), [t, a, p], float(np.sqrt(residual / tensor.power)))


def scan(
    tensor: Incomplete, ranks: Sequence[int], restarts: int = 4, seed: int = 0
) -> tuple[RankScan, dict[int, list[Factors]]]:
    """Error and similarity of restarts against rank (see `decomposition.rank_scan`), and the factors, best first."""
    if restarts < 2 or not ranks:
        raise ComparisonError(
            f"restarts={restarts}, ranks={list(ranks)}", where="restarts, ranks", expected="2 restarts, a rank"
        )
    found = {rank: factorise(tensor, rank, restarts, seed) for rank in steps(ranks, "ranks")}
    error = np.array([[factors.error for factors in found[rank]] for rank in ranks])
    alike = np.array([[factor_similarity(found[rank][0], other) for other in found[rank][1:]] for rank in ranks])
    return RankScan(tuple(ranks), error, alike), found


def elbow(ranks: Sequence[int], error: npt.ArrayLike) -> int:
    """Rank at which the error lies farthest below the line from the first rank to the last; the first if none does.

    Parameters
    ----------
    ranks : sequence of int, increasing
    error : array_like, shape (ranks,)
        Of the best restart.

    References
    ----------
    Satopaa, Albrecht, Irwin & Raghavan 2011, ICDCS Workshops 166 ("kneedle").
    """
    x, y = np.asarray(ranks, dtype=float), np.asarray(error, dtype=float)
    if x.size < 3 or y[0] <= y[-1]:
        return int(x[0])
    below = 1 - (x - x[0]) / (x[-1] - x[0]) - (y - y[-1]) / (y[0] - y[-1])
    return int(x[int(below.argmax())])


def choose_rank(found: RankScan, least: float = 0.8) -> int:
    """Largest rank up to the elbow of the error whose restarts agree: median similarity to the best one at least `least`.

    Where the restarts of no rank agree so well, the rank of highest median similarity up to the elbow.
    """
    bend = elbow(found.ranks, found.error.min(axis=1))
    alike = np.median(found.similarity, axis=1)
    allowed = [k for k, rank in enumerate(found.ranks) if rank <= bend]
    stable = [k for k in allowed if alike[k] >= least]
    return found.ranks[max(stable) if stable else max(allowed, key=lambda k: float(alike[k]))]
