"""Canonical polyadic (CP) decompositions: trial tensors (TCA) and non-negative ones (NTF), similarity, rank choice.

In memory `tensorly` does the work (alternating least squares, HALS); tensors that are read on demand go through
`hals.ntf_blockwise`, whose memory is that of some blocks.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, numbers
from allometry.compare.inference.blockwise import afford, estimate, is_lazy, memory_limit
from allometry.compare.inference.progress import steps, whole
from allometry.compare.measures.tensors.hals import ntf_blockwise
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class Factors:
    """CP decomposition: weights `[rank]`, one matrix `[size of mode, rank]` of unit columns per mode, relative error.

    Components are ordered by weight. `error` is |X - model| / |X|.
    """

    weights: FloatArray
    modes: tuple[FloatArray, ...] = field(repr=False)
    error: float

    @property
    def rank(self) -> int:
        """Number of components."""
        return int(self.weights.size)


@dataclass(frozen=True)
class RankScan:
    """Error `[ranks, restarts]` and similarity to the best restart `[ranks, restarts - 1]` for each rank tried."""

    ranks: tuple[int, ...]
    error: FloatArray
    similarity: FloatArray


def _tensor(x: npt.ArrayLike, non_negative: bool) -> FloatArray:
    out = numbers(x, "tensor").astype(np.float64, copy=False)
    if out.ndim < 3 or min(out.shape, default=0) < 1:
        raise ComparisonError(f"a tensor of shape {out.shape}", where="tensor", expected="three or more modes")
    if not np.isfinite(out).all():
        raise ComparisonError(
            "the tensor holds NaN or infinity",
            where="tensor",
            expected="finite values",
            do="drop the trials or units concerned: a missing value is not 0",
        )
    if non_negative and out.min() < 0:
        raise ComparisonError("the tensor holds negative values", where="tensor", expected="values >= 0", do="use tca")
    if not out.any():
        raise ComparisonError("the tensor is zero", where="tensor", expected="values that differ from 0")
    return out


def check_rank(rank: int, restarts: int = 1) -> None:
    """Refuse what is no whole number of at least 1."""
    whole = all(isinstance(value, int | np.integer) for value in (rank, restarts))
    if not whole or rank < 1 or restarts < 1:
        raise ComparisonError(
            f"rank={rank}, restarts={restarts}", where="rank, restarts", expected="whole numbers, at least 1"
        )


def normalised(weights: FloatArray, modes: Sequence[FloatArray], error: float) -> Factors:
    """Factors with unit columns, ordered by weight; the sign that columns share is kept in the first mode."""
    total = np.array(weights, dtype=float)
    unit = []
    for mode in modes:
        norm = np.linalg.norm(mode, axis=0)
        total = total * norm
        unit.append(np.divide(mode, norm, out=np.zeros_like(mode), where=norm > 0))
    for k, mode in enumerate(unit[1:], start=1):
        # A column whose largest entry is negative hands its sign to the first mode: restarts then agree.
        sign = np.where(mode[np.abs(mode).argmax(axis=0), np.arange(mode.shape[1])] < 0, -1.0, 1.0)
        unit[k], unit[0] = mode * sign, unit[0] * sign
    order = np.argsort(-total)
    return Factors(total[order], tuple(m[:, order] for m in unit), error)


def reconstruct(factors: Factors) -> FloatArray:
    """Tensor of a CP decomposition, sum over components of weight x outer product.

    Parameters
    ----------
    factors : Factors
        As `tca` or `ntf` gives them: weights [rank], and one matrix [size of mode, rank] per mode, of at most 8 modes.

    Returns
    -------
    ndarray, shape (sizes of the modes...)
        In the unit of the tensor that was decomposed.
    """
    letters = "abcdefgh"[: len(factors.modes)]
    subscripts = "z," + ",".join(f"{c}z" for c in letters) + "->" + letters
    return np.asarray(np.einsum(subscripts, factors.weights, *factors.modes, optimize=True))


def relative_error(tensor: FloatArray, factors: Factors) -> float:
    """|X - model| / |X|."""
    return float(np.linalg.norm(tensor - reconstruct(factors)) / np.linalg.norm(tensor))


@measure(
    name="tca",
    version="1",
    inputs="array [units, time, trials], rank",
    invariances="order within each mode",
    use="low-dimensional dynamics across trials",
    reference="Williams et al. 2018, Neuron 98:1099",
    cost="memory",
)
def tca(
    tensor: npt.ArrayLike,
    rank: int,
    restarts: int = 5,
    seed: int = 0,
    max_iterations: int = 500,
    tolerance: float = 1e-8,
) -> Factors:
    """Tensor component analysis: CP decomposition of a neuron x time x trial tensor by alternating least squares.

    Parameters
    ----------
    tensor : array_like, shape (units, time, trials) or more modes
    rank : int
    restarts : int
        Random starts (the first from singular vectors); the best is kept.
    seed : int
    max_iterations, tolerance : int, float
        Stop when the relative error changes by less than the tolerance.

    Returns
    -------
    Factors

    References
    ----------
    Williams et al. 2018, Neuron 98:1099; Kossaifi et al. 2019, JMLR 20:26 (tensorly).
    """
    check_rank(rank, restarts)
    x = _tensor(tensor, non_negative=False)
    return min(
        (_als(x, rank, seed + k, k == 0, max_iterations, tolerance) for k in steps(range(restarts), "TCA restarts")),
        key=_error,
    )


def _afford(measure: str, x: FloatArray, rank: int) -> float:
    """Refuse what does not fit; seconds that an iteration takes, a guess."""
    sizes = {f"mode {k}": n for k, n in enumerate(x.shape)}
    need = estimate("ntf", rank=rank, **sizes)
    if need.peak_bytes > memory_limit():
        fits = next(
            r for r in range(rank, -1, -1) if not r or estimate("ntf", rank=r, **sizes).peak_bytes <= memory_limit()
        )
        afford(
            replace(need, measure=f"{measure} of rank {rank}"),
            f"a rank of at most {fits}"
            if fits
            else "fewer bins, units or trials; `ntf` also takes dask and Zarr arrays",
        )
    return 1e-9 * need.operations


def _error(factors: Factors) -> float:
    return factors.error


def _als(x: FloatArray, rank: int, seed: int, singular: bool, max_iterations: int, tolerance: float) -> Factors:
    from tensorly.cp_tensor import CPTensor
    from tensorly.decomposition import parafac

    init: Any = "svd"
    if not singular or rank > min(x.shape):
        # tensorly starts from uniform numbers, all of one sign, which signed components are hard to reach from.
        rng = np.random.default_rng(seed)
        init = CPTensor((np.ones(rank), [rng.normal(size=(n, rank)) for n in x.shape]))
    seconds = max_iterations * _afford("TCA", x, rank)
    with warnings.catch_warnings(), whole(f"TCA of rank {rank}, {max_iterations} iterations at most", seconds):
        warnings.simplefilter("ignore")
        try:
            weights, modes = parafac(x, rank, n_iter_max=max_iterations, tol=tolerance, init=init, random_state=seed)
        except np.linalg.LinAlgError:
            raise ComparisonError(
                f"{rank} components are more than the tensor has",
                where="rank",
                expected="a rank up to that of the tensor: the equations of its factors are singular",
                do="lower rank",
            ) from None
    found = normalised(np.asarray(weights), [np.asarray(m) for m in modes], 0.0)
    return Factors(found.weights, found.modes, relative_error(x, found))


@measure(
    name="ntf",
    version="1",
    inputs="non-negative array, rank",
    invariances="order within each mode",
    use="parts of a non-negative tensor",
    reference="Cichocki & Phan 2009, IEICE Trans. E92-A:708",
    cost="memory",
)
def ntf(
    tensor: Any, rank: int, restarts: int = 3, seed: int = 0, max_iterations: int = 200, tolerance: float = 1e-6
) -> Factors:
    """Non-negative CP decomposition by hierarchical alternating least squares.

    Parameters
    ----------
    tensor : ndarray, shape (modes...) in memory (tensorly); dask or Zarr array: read in blocks (`ntf_blockwise`)
        Values >= 0.
    rank : int
    restarts : int
        Random starts; the best is kept.
    seed : int
    max_iterations, tolerance : int, float
        Stop when the relative error changes by less than the tolerance.

    Returns
    -------
    Factors

    References
    ----------
    Cichocki & Phan 2009, IEICE Trans. E92-A:708; Kossaifi et al. 2019, JMLR 20:26 (tensorly).
    """
    check_rank(rank, restarts)
    if is_lazy(tensor):
        lazy = (
            normalised(*ntf_blockwise(tensor, rank, seed + k, max_iterations, tolerance))
            for k in steps(range(restarts), "NTF restarts")
        )
        return min(lazy, key=_error)
    x = _tensor(tensor, non_negative=True)
    return min(
        (_hals(x, rank, seed + k, max_iterations, tolerance) for k in steps(range(restarts), "NTF restarts")),
        key=_error,
    )


def _hals(x: FloatArray, rank: int, seed: int, max_iterations: int, tolerance: float) -> Factors:
    from tensorly.cp_tensor import CPTensor
    from tensorly.decomposition import non_negative_parafac_hals

    rng = np.random.default_rng(seed)
    start = CPTensor((np.ones(rank), [rng.random((n, rank)) for n in x.shape]))
    seconds = max_iterations * _afford("NTF", x, rank)
    with warnings.catch_warnings(), whole(f"NTF of rank {rank}, {max_iterations} iterations at most", seconds):
        warnings.simplefilter("ignore")
        weights, modes = non_negative_parafac_hals(x, rank, n_iter_max=max_iterations, init=start, tol=tolerance)
    found = normalised(np.asarray(weights), [np.maximum(np.asarray(m), 0) for m in modes], 0.0)
    return Factors(found.weights, found.modes, relative_error(x, found))


@measure(
    name="ntf_similarity",
    version="1",
    inputs="two decompositions of one tensor",
    invariances="order of motifs",
    use="does the factorisation come out the same from other starts?",
    reference="Williams et al. 2018, Neuron 98:1099, equation 11",
    scale=SHARE,
)
def factor_similarity(a: Factors, b: Factors) -> float:
    """Factor match: mean over matched components of (1 - |difference| / larger weight) x product of column cosines.

    Parameters
    ----------
    a, b : Factors
        Of the same tensor; ranks may differ (components of the larger rank that are left over count as 0).

    Returns
    -------
    float
        1 for equal decompositions; 0 for nothing in common.

    References
    ----------
    Tomasi & Bro 2005, Chemom. Intell. Lab. Syst. 75:163; Williams et al. 2018, Neuron 98:1099, equation 11.
    """
    if [m.shape[0] for m in a.modes] != [m.shape[0] for m in b.modes]:
        raise ComparisonError("different tensors", where="a, b", expected="factors of tensors of the same shape")
    cosine = np.ones((a.rank, b.rank))
    for own, other in zip(a.modes, b.modes):
        cosine = cosine * (own.T @ other)
    weight = np.maximum(np.maximum(a.weights[:, None], b.weights[None, :]), np.finfo(float).tiny)
    score = (1 - np.abs(a.weights[:, None] - b.weights[None, :]) / weight) * cosine
    i, j = scipy.optimize.linear_sum_assignment(score, maximize=True)
    return float(score[i, j].sum() / max(a.rank, b.rank))


@measure(
    name="rank_scan",
    version="1",
    inputs="array of three or more modes, ranks",
    invariances="scale of the array",
    use="how many components does a tensor have?",
    reference="Williams et al. 2018, Neuron 98:1099",
    cost="memory",
)
def rank_scan(
    tensor: npt.ArrayLike, ranks: Sequence[int], restarts: int = 4, non_negative: bool = False, seed: int = 0
) -> RankScan:
    """Error and stability of decompositions against rank: the elbow of one and the drop of the other choose the rank.

    Parameters
    ----------
    tensor : array_like, shape (modes...), three or more modes
    ranks : sequence of int
    restarts : int
        Random starts per rank, at least 2.
    non_negative : bool
        NTF instead of TCA.
    seed : int

    Returns
    -------
    RankScan
        Similarities of all restarts to the one of least error.
    """
    if restarts < 2 or not ranks:
        raise ComparisonError(
            f"restarts={restarts}, ranks={list(ranks)}", where="restarts, ranks", expected="2 restarts, a rank"
        )
    error, alike = np.empty((len(ranks), restarts)), np.empty((len(ranks), restarts - 1))
    x = _tensor(tensor, non_negative)
    for row, rank in enumerate(steps(ranks, "ranks")):
        check_rank(rank)
        seeds = range(seed, seed + restarts)
        if non_negative:
            found = [_hals(x, rank, s, 200, 1e-6) for s in seeds]
        else:
            # A start from singular vectors would be the same every time.
            found = [_als(x, rank, s, False, 500, 1e-8) for s in seeds]
        found.sort(key=_error)
        error[row] = [f.error for f in found]
        alike[row] = [factor_similarity(found[0], other) for other in found[1:]]
    return RankScan(tuple(ranks), error, alike)
