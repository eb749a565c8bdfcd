"""Recordings of several animals as a tensor of couplings: time x animal x pair of labelled neurons, and its null."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from allometry import stores
from allometry.compare.inference.arrays import FloatArray
from allometry.compare.measures.tensors.affinity import coincidence, slopes
from allometry.compare.measures.tensors.incomplete import Incomplete
from allometry.errors import ComparisonError

MOST_BYTES = 2 * 1024**3
MOST_SPLITS = 10
FEWEST_NEURONS = 10


@dataclass(frozen=True)
class Recorded:
    """Labelled neurons of a store: scaled derivatives [time, neurons] per animal, NaN where not recorded."""

    name: str
    neurons: list[str]
    slopes: list[FloatArray]
    recorded: NDArray[np.bool_]
    animals: list[str]
    bin_samples: int
    step_s: float

    def tensor(self, slope: Sequence[FloatArray], chosen: Sequence[int] | None = None) -> Incomplete:
        """Affinities averaged in bins, [time, animals, pairs], of all or of the chosen animals."""
        index = list(range(len(slope))) if chosen is None else list(chosen)
        bins = len(slope[0]) // self.bin_samples
        i, j = np.triu_indices(len(self.neurons), 1)
        values = np.zeros((bins, len(index), i.size))
        for k, animal in enumerate(index):
            used = np.nan_to_num(slope[animal][: bins * self.bin_samples])
            values[:, k] = coincidence(used).reshape(bins, self.bin_samples, -1).mean(axis=1)
        seen = self.recorded[index]
        return Incomplete(values, seen[:, i] & seen[:, j])

    def shifted(self, rng: np.random.Generator) -> list[FloatArray]:
        """Derivatives after a circular shift of each neuron by its own random time: no coupling, the same dynamics."""
        out = []
        for slope in self.slopes:
            moved = np.empty_like(slope)
            for neuron, lag in enumerate(rng.integers(0, len(slope), size=(slope.shape[1],))):
                moved[:, neuron] = np.roll(slope[:, neuron], int(lag))
            out.append(moved)
        return out


def read_recorded(name: str, tree: xr.DataTree, share: float, smooth_s: float, bin_s: float) -> Recorded:
    """Labelled neurons of an Activity store that at least `share` of the recordings have, cut to the shortest one."""
    parts = stores.split(tree)
    root = tree.to_dataset(inherit=False)
    seen = root["recorded"].values
    if len(parts) < 4:
        raise ComparisonError(
            f"{len(parts)} recordings",
            where=name,
            expected="at least four animals: two halves of two",
            do="leave this store out",
        )
    kept = np.flatnonzero(seen.mean(axis=0) >= share)
    if kept.size < FEWEST_NEURONS:
        raise ComparisonError(
            f"{kept.size} neurons are labelled in at least {share:.0%} of the recordings",
            where=name,
            expected=f"at least {FEWEST_NEURONS}",
            do="lower `share`" if seen.shape[1] >= FEWEST_NEURONS else "leave this store out: it labels too few",
        )
    rate = float(root.attrs["rate_hz"])
    length = min(part.sizes["sample"] for part in parts.values())
    bin_samples = max(1, round(bin_s * rate))
    bins, pairs = length // bin_samples, kept.size * (kept.size - 1) // 2
    if bins < 10:
        raise ComparisonError(f"{bins} bins of {bin_s:g} s", where=name, expected="at least 10", do="lower `bin_s`")
    if (size := 8 * bins * len(parts) * pairs) > MOST_BYTES:
        raise ComparisonError(
            f"the tensor of {bins} bins x {len(parts)} animals x {pairs} pairs takes {size / 2**30:.1f} GiB",
            where=name,
            expected=f"at most {MOST_BYTES / 2**30:g} GiB",
            do="raise `bin_s` or `share`",
        )
    scaled, there = [], []
    for part in parts.values():
        trace = part["trace"].values[:length, kept].astype(float)
        # A neuron with a gap has no derivative there: it counts as not recorded in this animal.
        whole = np.isfinite(trace).all(axis=0)
        slope = slopes(np.where(whole, trace, np.nan), smooth_s * rate)
        there.append(whole & (slope != 0).any(axis=0))
        scaled.append(np.where(there[-1], slope, np.nan))
    labels = root["neuron"].values.tolist()
    return Recorded(name, [labels[i] for i in kept], scaled, np.array(there), list(parts), bin_samples, 1 / rate)


def splits(animals: int, seed: int) -> list[tuple[list[int], list[int]]]:
    """Every way to cut the animals into two halves (sizes differ by at most one), or a draw of `MOST_SPLITS` of them."""
    half = animals // 2
    cuts = [list(cut) for cut in combinations(range(animals), half)]
    if 2 * half == animals:
        cuts = [cut for cut in cuts if 0 in cut]  # the other half is listed too
    if len(cuts) > MOST_SPLITS:
        chosen = np.random.default_rng(seed).choice(len(cuts), MOST_SPLITS, replace=False)
        cuts = [cuts[i] for i in sorted(chosen.tolist())]
    return [(cut, [k for k in range(animals) if k not in cut]) for cut in cuts]
