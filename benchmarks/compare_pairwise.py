"""Pairwise correlation of spike trains, beside numpy and elephant: `python -m benchmarks.compare_pairwise --json OUT`.

10^5 trains (`--units 100000`) run only the summary (histogram and moments): their 5 10^9 values are 40 GB.
"""

import importlib
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from benchmarks.compare_case import Case, Sizes, main


def prepare(folder: Path, sizes: Sizes) -> None:
    rng = np.random.default_rng(0)
    bins, units = sizes["bins"], sizes["units"]
    # 10 s in bins of 5 ms at 2000 bins; lognormal rates of mean 4 Hz, and a shared slow modulation
    rate = rng.lognormal(0, 1, units)
    rate *= 0.02 / rate.mean()
    drive = np.exp(0.3 * np.repeat(rng.normal(size=bins // 20 + 1), 20)[:bins])
    columns, rows = [], []
    for unit in range(units):
        hit = np.flatnonzero(rng.random(bins) < rate[unit] * drive)
        rows.append(hit)
        columns.append(np.full(hit.size, unit))
    row, column = np.concatenate(rows), np.concatenate(columns)
    counts = sp.csc_array((np.ones(row.size), (row, column)), shape=(bins, units))
    sp.save_npz(folder / "counts.npz", counts)


def _compiled() -> None:
    from allometry.compare.measures.populations import pairwise

    small = sp.csc_array(np.random.default_rng(0).random((50, 8)) < 0.05)
    pairwise.pairwise(small)
    pairwise.pairwise_summary(small)


def allometry(folder: Path, sizes: Sizes) -> np.ndarray:
    from allometry.compare.measures.populations.pairwise import pairwise

    return pairwise(sp.load_npz(folder / "counts.npz"))


def allometry_summary(folder: Path, sizes: Sizes) -> np.ndarray:
    from allometry.compare.measures.populations.pairwise import pairwise_summary

    found = pairwise_summary(sp.load_npz(folder / "counts.npz"))
    return np.array([found.mean, found.sd])


def numpy_corrcoef(folder: Path, sizes: Sizes) -> np.ndarray:
    counts = sp.load_npz(folder / "counts.npz").toarray()
    with np.errstate(invalid="ignore", divide="ignore"):
        square = np.corrcoef(counts.T)
    return square[np.triu_indices(counts.shape[1], 1)]


def elephant(folder: Path, sizes: Sizes) -> np.ndarray:
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient
    from neo import SpikeTrain

    counts = sp.load_npz(folder / "counts.npz")
    stop = counts.shape[0] * pq.ms
    trains = [
        SpikeTrain((counts.indices[a:b] + 0.5) * pq.ms, t_stop=stop)
        for a, b in zip(counts.indptr[:-1].tolist(), counts.indptr[1:].tolist())
    ]
    square = correlation_coefficient(BinnedSpikeTrain(trains, bin_size=1 * pq.ms))
    return square[np.triu_indices(len(square), 1)]


LIMIT = ("units", 20_000)
CASE = Case(
    name="pairwise",
    module="benchmarks.compare_pairwise",
    sizes={"units": 10_000, "bins": 2000},
    quick={"units": 1000, "bins": 1000},
    prepare=prepare,
    programs={
        "allometry": allometry,
        "allometry_summary": allometry_summary,
        "numpy": numpy_corrcoef,
        "elephant": elephant,
    },
    warm={
        "allometry": _compiled,
        "allometry_summary": _compiled,
        "numpy": lambda: None,
        "elephant": lambda: importlib.import_module("elephant.spike_train_correlation"),
    },
    comparable=("numpy", "elephant"),
    skip_above={"allometry": LIMIT, "numpy": LIMIT, "elephant": LIMIT},
)

if __name__ == "__main__":
    main(CASE)
