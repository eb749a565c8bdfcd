"""Bursts of a whole population, as those of cultures: by its rate per unit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray, IntArray, integer_counts
from allometry.compare.measures.spikes.bursts import runs
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class PopulationBursts:
    """Bursts of a population: first bin, bin after the last, spikes and share of active units `[burst]`, and of all of them.

    `bin_s` and `duration_s` are the width of a bin and the length of the recording, s; `fraction_in_bursts` is the share of
    all spikes; `threshold_hz` the rate per unit that a burst exceeds. Intervals are from start to start.
    """

    start: IntArray
    stop: IntArray
    n_spikes: IntArray
    participation: FloatArray
    fraction_in_bursts: float
    threshold_hz: float
    bin_s: float
    duration_s: float

    @property
    def per_minute(self) -> float:
        """Bursts per minute."""
        return 60.0 * self.start.size / self.duration_s

    @property
    def durations_s(self) -> FloatArray:
        """Length of each burst, s."""
        return np.asarray((self.stop - self.start) * self.bin_s, dtype=np.float64)

    @property
    def intervals_s(self) -> FloatArray:
        """Time from each start to the next, s `[bursts - 1]`."""
        return np.asarray(np.diff(self.start) * self.bin_s, dtype=np.float64)


@measure(
    name="population_bursts",
    version="1",
    inputs="spike counts [bins, units], width of a bin",
    invariances="order of units",
    use="how often, how long and with how many units does a population burst?",
    reference=(
        "after Wagenaar et al. 2006, BMC Neurosci. 7:11 (bursts of whole cultures); thresholds on the rate per unit: this project"
    ),
)
def population_bursts(
    counts: npt.ArrayLike,
    bin_s: float = 0.025,
    *,
    factor: float = 5.0,
    least_hz: float = 5.0,
    edge_hz: float = 1.0,
    merge_s: float = 0.1,
) -> PopulationBursts:
    """Bursts of a population: runs of bins above an edge that somewhere exceed a threshold, near ones merged.

    Parameters
    ----------
    counts : array_like of int, shape (bins, units)
        Silent units count: rates are per unit.
    bin_s : float
        Width of a bin, s.
    factor, least_hz : float
        The threshold is the larger of `factor` times the mean rate, and `least_hz`. It depends on the mean rate: to compare
        conditions, give `factor` 0.
    edge_hz : float
        A burst lasts as long as the rate per unit is above this, Hz.
    merge_s : float
        Bursts with a shorter gap between them are one.

    Returns
    -------
    PopulationBursts
        Empty arrays where there are none; a burst that is cut by an end of the recording counts.

    Raises
    ------
    ComparisonError
        For counts that are none, or a bin, threshold or edge that cannot be.

    References
    ----------
    Bursts of whole cultures: Wagenaar, Pine & Potter 2006, BMC Neurosci. 7:11.
    """
    x = integer_counts(counts, "counts")
    usable = bin_s > 0 and factor >= 0 and 0 <= edge_hz <= least_hz and merge_s >= 0
    if not (usable and np.isfinite([bin_s, factor, least_hz, merge_s]).all()):
        raise ComparisonError(
            f"bin_s={bin_s:g}, factor={factor:g}, least_hz={least_hz:g}, edge_hz={edge_hz:g}, merge_s={merge_s:g}",
            where="population_bursts",
            expected="a bin above 0, factor and merge_s 0 or above, and edge_hz from 0 to least_hz",
        )
    if not x.size:
        raise ComparisonError(f"counts of shape {x.shape}", where="counts", expected="at least one bin and unit")
    pooled = x.sum(axis=1)
    rate = pooled / (x.shape[1] * bin_s)
    threshold = max(factor * float(rate.mean()), least_hz)
    first, last = runs(rate > edge_hz)
    high = np.concatenate(([0], np.cumsum(rate > threshold)))
    reaches = high[last] > high[first]
    first, last = first[reaches], last[reaches]
    if first.size:
        # a gap of whole bins: half a bin of tolerance keeps a gap of just merge_s out
        apart = (first[1:] - last[:-1]) * bin_s > merge_s - 0.5 * bin_s
        first = first[np.concatenate(([True], apart))]
        last = last[np.concatenate((apart, [True]))]
    spikes = np.array([pooled[a:b].sum() for a, b in zip(first, last)], dtype=np.int64)
    share = np.array([np.count_nonzero(x[a:b].sum(axis=0)) / x.shape[1] for a, b in zip(first, last)], dtype=float)
    total = int(pooled.sum())
    return PopulationBursts(
        first, last, spikes, share, float(spikes.sum() / total) if total else np.nan, threshold, bin_s, len(x) * bin_s
    )
