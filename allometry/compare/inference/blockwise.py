"""Reading responses block by block along units, and what a measure will need before it runs."""

import itertools
import math
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil
import scipy

from allometry.compare.inference.arrays import FloatArray, blocks
from allometry.compare.inference.progress import steps
from allometry.errors import ComparisonError

MEMORY_VARIABLE = "ALLOMETRY_MEMORY"  # largest amount of memory that a measure may take
SHARE_OF_FREE = 0.8
BLOCK_WORK = 1e9  # operations of a block of distances: about a second
BLOCK_BYTES = 32_000_000  # float64 bytes of a block: large enough for BLAS, small beside the interpreter


@dataclass(frozen=True)
class Estimate:
    """What a measure needs: peak bytes beside its input, bytes of its result, floating-point operations."""

    measure: str
    peak_bytes: int
    result_bytes: int
    operations: float

    def __str__(self) -> str:
        return (
            f"{self.measure}: about {in_words(self.peak_bytes)} while running, "
            f"{in_words(self.result_bytes)} result, {self.operations:.1e} operations"
        )


def in_words(size: float) -> str:
    """Bytes with a unit that leaves a readable number."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= 0.95 * factor:
            return f"{float(f'{size / factor:.2g}'):g} {unit}"
    return f"{size / 1e3:.0f} kB"


def memory_limit() -> float:
    """Bytes that a measure may take: `ALLOMETRY_MEMORY` (bytes, or with a unit as `8GB`), else 80 % of what is free.

    Raises
    ------
    ComparisonError
        The variable is no amount of memory.
    """
    given = os.environ.get(MEMORY_VARIABLE, "").strip()
    if not given:
        return SHARE_OF_FREE * psutil.virtual_memory().available
    found = re.fullmatch(r"([0-9]+\.?[0-9]*(?:e[0-9]+)?)\s*([kMGT]?)i?B?", given)
    size = float(found[1]) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[found[2]] if found else 0.0
    if not size > 0:
        raise ComparisonError(
            f"{given!r} is no amount of memory",
            where=MEMORY_VARIABLE,
            expected="bytes, or a number with kB, MB, GB or TB",
        )
    return size


def afford(need: Estimate, fits: str) -> None:
    """Refuse what needs more memory than there is, before anything is computed.

    Parameters
    ----------
    need : Estimate
    fits : str
        What would fit, or what else to do.

    Raises
    ------
    ComparisonError
        The peak exceeds `memory_limit`.
    """
    limit = memory_limit()
    if need.peak_bytes > limit:
        raise ComparisonError(
            f"{need.measure} needs about {in_words(need.peak_bytes)} of memory",
            where=need.measure,
            expected=f"at most {in_words(limit)} ({MEMORY_VARIABLE}, or 80 % of what is free)",
            do=fits,
        )


def fitting(bytes_each: float, power: int = 1, fixed: float = 0.0) -> int:
    """Largest n for which `bytes_each` n^`power` + `fixed` bytes are within the limit, to two digits."""
    n = int((max(memory_limit() - fixed, 0.0) / bytes_each) ** (1 / power))
    step = 10 ** max(len(str(n)) - 2, 0)
    return n // step * step


def estimate(measure: str, **size: int) -> Estimate:
    """Memory and work of a blockwise measure, known before anything is read.

    Parameters
    ----------
    measure : str
        rdm (stimuli, units), crossnobis (stimuli, repeats, units; whiten=1 for the full noise covariance),
        pairwise or pairwise_summary (units, nonzero: non-zero counts), ntf (rank and dims: size of the tensor;
        stored=1 if out of core), cka (stimuli, units).
    **size : int
        The sizes named above.

    Returns
    -------
    Estimate

    Raises
    ------
    ComparisonError
        For an unknown measure or a missing size.
    """
    try:
        return _ESTIMATES[measure](size)
    except KeyError as error:
        known = ", ".join(sorted(_ESTIMATES))
        raise ComparisonError(
            f"no estimate for {measure!r} from {sorted(size)}",
            where=str(error),
            expected=f"one of {known}, with its sizes",
        ) from None


def _estimate_rdm(size: dict[str, int]) -> Estimate:
    n, units = size["stimuli"], size["units"]
    return Estimate("rdm", 3 * BLOCK_BYTES + 24 * n * n, 4 * n * (n - 1), 2.0 * n * n * units)


def _estimate_crossnobis(size: dict[str, int]) -> Estimate:
    n, repeats, units = size["stimuli"], size["repeats"], size["units"]
    peak = 3 * BLOCK_BYTES + 24 * n * n
    work = 2.0 * n * n * repeats * units
    if size.get("whiten"):
        rows = n * repeats
        side = min(rows, units)
        peak += 8 * (2 * rows * units + 2 * side * side)
        work += 2.0 * rows * units * side + side**3
    return Estimate("crossnobis", peak, 4 * n * (n - 1), work)


def _estimate_pairwise(size: dict[str, int]) -> Estimate:
    n, nonzero = size["units"], size["nonzero"]
    pairs = n * (n - 1) // 2
    return Estimate("pairwise", 8 * pairs + 60 * nonzero + 64 * n, 8 * pairs, 2.0 * pairs + nonzero * nonzero / n)


def _estimate_summary(size: dict[str, int]) -> Estimate:
    n, nonzero = size["units"], size["nonzero"]
    return Estimate("pairwise_summary", 60 * nonzero + 100 * n, 8 * 400, n * (n - 1.0) + nonzero * nonzero / n)


def _estimate_ntf(size: dict[str, int]) -> Estimate:
    rank = size["rank"]
    dims = [v for k, v in size.items() if k not in ("rank", "stored")]
    total, factors = math.prod(dims), 8 * rank * sum(dims)
    # In memory the largest unfolding is copied once, and a Khatri-Rao product of the other modes is formed.
    tensor = 3 * BLOCK_BYTES if size.get("stored") else 16 * total + 8 * rank * total // min(dims)
    return Estimate("ntf", tensor + 6 * factors, factors, 2.0 * len(dims) * rank * total)


_ESTIMATES = {
    "rdm": _estimate_rdm,
    "cka": _estimate_rdm,
    "crossnobis": _estimate_crossnobis,
    "pairwise": _estimate_pairwise,
    "pairwise_summary": _estimate_summary,
    "ntf": _estimate_ntf,
}


def is_lazy(x: Any) -> bool:
    """Whether `x` is read on demand (dask or Zarr array) rather than held in memory."""
    return hasattr(x, "dask") or (hasattr(x, "store") and hasattr(x, "shape"))


def _last_axis_edges(x: Any, axis: int, width: int) -> list[int]:
    """Edges of blocks along `axis`: chunk edges where there are any, so that no chunk is read twice."""
    n = int(x.shape[axis])
    if hasattr(x, "dask"):
        chunk_edges = [int(e) for e in np.cumsum(x.chunks[axis])]
    elif hasattr(x, "store"):
        step = int((getattr(x, "shards", None) or x.chunks)[axis])
        chunk_edges = [*range(step, n, step), n]
    else:
        return [*range(0, n, width), n]
    edges = [0]
    for previous, edge in zip([0, *chunk_edges], chunk_edges):
        if edge - edges[-1] > width and previous > edges[-1]:
            edges.append(previous)
        # A part of a chunk costs as much to read as the whole: only a very large chunk is worth cutting.
        if edge - previous > 4 * width:
            edges.extend(range(previous + width, edge, width))
    return [*edges, n] if edges[-1] != n else edges


def axis_blocks(x: Any, axis: int = -1, block_bytes: int = BLOCK_BYTES) -> Iterator[tuple[slice, FloatArray]]:
    """Iterate over `x` in float64 blocks along one axis, reading the next block while the caller uses this one.

    Parameters
    ----------
    x : ndarray, dask array or Zarr array
    axis : int
        Axis that is cut (default: units, the last).
    block_bytes : int
        Size aimed at: blocks are whole chunks where a chunk has at most four times as much.

    Yields
    ------
    slice, ndarray
    """
    if x.dtype.kind not in "biuf":
        raise ComparisonError(f"values of type {x.dtype}", expected="an array of real numbers")
    axis %= x.ndim
    rest = math.prod(int(s) for k, s in enumerate(x.shape) if k != axis)
    edges = _last_axis_edges(x, axis, max(1, block_bytes // max(8 * rest, 1)))
    parts = [slice(a, b) for a, b in itertools.pairwise(edges)]

    def read(part: slice) -> Any:
        block = x[(slice(None),) * axis + (part,)]
        return np.asarray(block.compute() if hasattr(block, "dask") else block)

    if not is_lazy(x):
        for part in steps(parts, "reading blocks"):
            yield part, np.asarray(read(part), dtype=np.float64)
        return
    with ThreadPoolExecutor(1) as reader:
        pending = reader.submit(read, parts[0])
        for k, part in enumerate(steps(parts, "reading blocks")):
            block = pending.result()
            if k + 1 < len(parts):
                pending = reader.submit(read, parts[k + 1])
            yield part, block.astype(np.float64)


def euclidean(x: FloatArray) -> FloatArray:
    """Euclidean distances of all pairs of rows, condensed `[pairs]`: those of `pdist`, a block of rows at a time."""
    n, columns = x.shape
    out = np.empty(n * (n - 1) // 2)
    width = max(1, int(min(BLOCK_BYTES / (8 * n), BLOCK_WORK / (n * columns))))
    for rows in steps(blocks(n, width), f"distances, {width} of {n:,} stimuli at a time"):
        part = scipy.spatial.distance.cdist(x[rows], x[rows.start :])
        for k, i in enumerate(range(rows.start, rows.stop)):
            start = i * (2 * n - i - 1) // 2
            out[start : start + n - i - 1] = part[k, k + 1 :]
    return out
