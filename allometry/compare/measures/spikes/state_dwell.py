"""How long groups of neurons stay active: the states of clustered networks, which come and go."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray, IntArray, integer_counts, numbers
from allometry.compare.measures.spikes.bursts import runs
from allometry.compare.records.measures import measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class Stays:
    """Stays of groups in activity.

    `group`, `dwell_s` and `cut` `[stay]`: the group, how long it was active, s, and whether an end of the recording cut it;
    `active` `[bins]`: how many groups were active; `groups` their number; `bin_s` the width of a bin, s.
    """

    group: IntArray
    dwell_s: FloatArray
    cut: npt.NDArray[np.bool_]
    active: IntArray
    groups: int
    bin_s: float

    @property
    def mean_dwell_s(self) -> float:
        """Time of activity over the number of ends that were seen, s: unbiased by cuts where stays end at a constant rate.

        NaN where none ends.
        """
        ends = int((~self.cut).sum())
        return float(self.dwell_s.sum()) / ends if ends else float("nan")

    @property
    def mean_active(self) -> float:
        """Groups that are active, mean over bins."""
        return float(self.active.mean())


@measure(
    name="state_dwell",
    version="1",
    inputs="spike counts [bins, units], group of each unit",
    invariances="order of units; order of groups",
    use="how many clusters are active, and for how long?",
    reference=(
        "after Litwin-Kumar & Doiron 2012, Nat. Neurosci. 15:1498 (clusters that come and go); threshold and cut stays: this project"
    ),
)
def state_dwell(counts: npt.ArrayLike, groups: npt.ArrayLike, bin_s: float = 0.1, threshold_hz: float = 10.0) -> Stays:
    """Stays of groups of units above a rate.

    Parameters
    ----------
    counts : array_like of int, shape (bins, units)
        Silent units count: rates are per unit.
    groups : array_like of int, shape (units,)
        Group of each unit; below 0: none.
    bin_s : float
        Width of a bin, s; shorter stays and gaps are not seen.
    threshold_hz : float
        A group is active in bins in which its rate per unit is above this, Hz.

    Returns
    -------
    Stays
        Empty arrays where no group is ever active.

    Raises
    ------
    ComparisonError
        For counts that are none, groups of another length or none at all, or a bin or threshold that cannot be.

    References
    ----------
    Clusters: Litwin-Kumar & Doiron 2012, Nat. Neurosci. 15:1498. Time over ends: the maximum likelihood of a constant rate of
    ending, with the last stay censored.
    """
    x = integer_counts(counts, "counts")
    of = numbers(groups, "groups")
    if of.shape != x.shape[1:] or of.dtype.kind not in "iu" or not x.size or not (of >= 0).any():
        raise ComparisonError(
            f"counts of shape {x.shape}, groups of shape {of.shape}",
            where="counts, groups",
            expected="[bins, units], and a whole number for every unit, not all below 0",
        )
    if not (bin_s > 0 and threshold_hz >= 0 and np.isfinite([bin_s, threshold_hz]).all()):
        raise ComparisonError(
            f"bin_s={bin_s:g}, threshold_hz={threshold_hz:g}",
            where="bin_s, threshold_hz",
            expected="a bin above 0 and a threshold of 0 or above",
        )
    names = np.unique(of[of >= 0])
    above = np.stack([x[:, of == name].mean(axis=1) / bin_s > threshold_hz for name in names], axis=1)
    found, lengths, cut = [], [], []
    for k, name in enumerate(names.tolist()):
        first, last = runs(above[:, k])
        found += [name] * first.size
        lengths += (last - first).tolist()
        cut += ((first == 0) | (last == len(x))).tolist()
    return Stays(
        np.array(found, np.int64),
        np.array(lengths, np.float64) * bin_s,
        np.array(cut, np.bool_),
        above.sum(axis=1).astype(np.int64),
        names.size,
        bin_s,
    )
