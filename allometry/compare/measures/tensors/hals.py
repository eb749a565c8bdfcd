"""Non-negative CP decomposition out of core: HALS in which every sweep reads the tensor twice, block by block."""

import math
from typing import Any

import numpy as np

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.blockwise import axis_blocks
from allometry.compare.inference.progress import steps
from allometry.errors import ComparisonError

_FLOOR = 1e-16  # a component that reaches exactly 0 in one mode could never come back


def update(factor: FloatArray, product: FloatArray, gram: FloatArray, passes: int = 3) -> FloatArray:
    """HALS: exact non-negative update of one column after the other."""
    out = factor.copy()
    for _ in range(passes):
        for r in range(out.shape[1]):
            if gram[r, r] > 0:
                step = (product[:, r] - out @ gram[:, r]) / gram[r, r]
                out[:, r] = np.maximum(out[:, r] + step, _FLOOR)
    return out


def _gram(modes: list[FloatArray], skip: int) -> FloatArray:
    rank = modes[0].shape[1]
    return math.prod((m.T @ m for k, m in enumerate(modes) if k != skip), start=np.ones((rank, rank)))


def ntf_blockwise(
    tensor: Any, rank: int, seed: int = 0, max_iterations: int = 100, tolerance: float = 1e-6
) -> tuple[FloatArray, list[FloatArray], float]:
    """Non-negative CP decomposition of a tensor that is read in blocks along its first mode.

    A sweep has two passes: one updates the first mode, row block by row block (its rows are independent given the other
    modes), and gathers what the middle modes need; the other updates the last mode, whose product also gives the error.
    Memory is a few blocks (see `blockwise.estimate("ntf", stored=1, ...)`), whatever the size of the tensor.

    Parameters
    ----------
    tensor : ndarray, dask or Zarr array of three modes
        Values >= 0; chunks should be contiguous in the last modes.
    rank : int
    seed : int
    max_iterations : int
    tolerance : float
        Stop when the relative error changes by less than this.

    Returns
    -------
    weights : ndarray, shape (rank,)
        Ones; the scale is in the modes.
    modes : list of ndarray, each of shape (size of the mode, rank)
    error : float
        |X - model| / |X|.

    References
    ----------
    Cichocki & Phan 2009, IEICE Trans. E92-A:708.
    """
    shape = tuple(int(n) for n in tensor.shape)
    if len(shape) != 3:
        raise ComparisonError(f"{len(shape)} modes", where="tensor", expected="three modes")
    rng = np.random.default_rng(seed)
    modes = [rng.random((n, rank)) for n in shape]
    squared = 0.0
    for _, block in axis_blocks(tensor, 0):
        if not np.isfinite(block).all() or block.min() < 0:
            raise ComparisonError("negative, NaN or infinite values", where="tensor", expected="finite values >= 0")
        squared += float((block**2).sum())
    if squared == 0:
        raise ComparisonError("the tensor is zero", where="tensor", expected="values that differ from 0")
    norm, error = math.sqrt(squared), math.inf
    for _ in steps(range(max_iterations), "NTF iterations at most"):
        gram = _gram(modes, 0)
        middle = np.zeros((shape[1], rank))
        for rows, block in axis_blocks(tensor, 0):
            with_last = (block.reshape(-1, shape[2]) @ modes[2]).reshape(block.shape[0], shape[1], rank)
            product = np.einsum("abz,bz->az", with_last, modes[1])
            modes[0][rows] = update(modes[0][rows], product, gram)
            middle += np.einsum("abz,az->bz", with_last, modes[0][rows])
        modes[1] = update(modes[1], middle, _gram(modes, 1))
        product = np.zeros((shape[2], rank))
        for rows, block in axis_blocks(tensor, 0):
            khatri_rao = (modes[0][rows][:, None, :] * modes[1][None]).reshape(-1, rank)
            product += block.reshape(-1, shape[2]).T @ khatri_rao
        gram = _gram(modes, 2)
        modes[2] = update(modes[2], product, gram)
        residual = squared - 2 * float((product * modes[2]).sum()) + float((gram * (modes[2].T @ modes[2])).sum())
        previous, error = error, math.sqrt(max(residual, 0.0)) / norm
        if abs(previous - error) < tolerance:
            break
        modes = _balanced(modes)
    return np.ones(rank), modes, error


def _balanced(modes: list[FloatArray]) -> list[FloatArray]:
    """The same model with equal column norms in all modes, so that no mode drifts to 0 or infinity."""
    norms = [np.maximum(np.linalg.norm(m, axis=0), 1e-300) for m in modes]
    scale = math.prod(norms, start=np.ones(modes[0].shape[1])) ** (1 / len(modes))
    return [m / n * scale for m, n in zip(modes, norms)]
