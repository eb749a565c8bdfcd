"""Share of a population's units that are tuned beyond their own shuffles, with an interval over units and trials.

A false discovery rate makes units depend on one another: the more of them are tuned, the less each has to show. Noise that
they share does the same. The interval therefore repeats the whole procedure (p of every unit, false discovery rate, share)
without each unit and without each block of trials.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray, vector
from allometry.compare.inference.crossed import FEWEST_GROUPS, crossed_interval, groups
from allometry.compare.inference.statistics import Interval, fdr, wilson
from allometry.compare.kinds.population_code.statistics import rectified
from allometry.compare.measures.populations import tuning
from allometry.compare.records.measures import SHARE, measure

ALPHA = 0.05  # false discovery rate at which a unit counts as tuned
TIE = 1e-9  # indices, of 1 at most, that differ by less are equal: means are differences of sums
MOST_LEFT_OUT = 200  # groups of units that are left out in turn


def means_without_blocks(responses: FloatArray) -> FloatArray:
    """Mean responses [parts, stimuli, units] without each group of blocks of responses [stimuli, blocks, units].

    Without any part where a stimulus would lose all its presentations, as `crossed.without_trials`.
    """
    parts = groups(responses.shape[1])
    present = np.isfinite(responses[:, :, 0])
    filled = np.where(present[:, :, None], responses, 0.0)
    total, count = filled.sum(axis=1), present.sum(axis=1)
    left = [(total - filled[:, part].sum(axis=1), count - present[:, part].sum(axis=1)) for part in parts]
    kept = [rest / number[:, None] for rest, number in left if number.all()]
    return np.array(kept) if len(kept) >= FEWEST_GROUPS else np.empty((0, *total.shape))


class WithoutBlocks:
    """P of the orientation selectivity of every unit without each group of blocks, from one shuffle after the other.

    Attributes
    ----------
    osi : ndarray, shape (parts, units)
    """

    def __init__(self, responses: FloatArray, angles: FloatArray, negative: str) -> None:
        self._angles, self._negative = angles, negative
        self.osi = self._selectivity(responses)
        self._reached, self._known = np.zeros(self.osi.shape, int), np.zeros(self.osi.shape, int)

    def _selectivity(self, responses: FloatArray) -> FloatArray:
        means = means_without_blocks(responses)
        parts, stimuli, units = means.shape
        if not parts:
            return np.empty((0, units))
        together = means.transpose(1, 0, 2).reshape(stimuli, parts * units)
        found = tuning.osi(rectified(together, self._negative), self._angles)
        return np.asarray(found, dtype=float).reshape(parts, units)

    def add(self, shuffled: FloatArray) -> None:
        """Count one more shuffle of the responses."""
        if not len(self.osi):
            return
        found = self._selectivity(shuffled)
        self._known += np.isfinite(found)
        self._reached += found >= self.osi - TIE

    @property
    def p(self) -> FloatArray:
        """P values [parts, units], NaN where the selectivity is undefined."""
        usable = np.isfinite(self.osi) & (self._known > 0)
        return np.where(usable, (1 + self._reached) / (1 + self._known), np.nan)


@measure(
    name="tuned_share",
    version="2",
    inputs="p of each unit's orientation selectivity, the same without each block",
    invariances="scale of rates, rotation of stimuli",
    use="how many units are tuned beyond their own shuffles?",
    reference="Mazurek et al. 2014, Front. Neural Circuits 8:92",
    scale=SHARE,
)
def tuned_share(p: npt.ArrayLike, without: Sequence[FloatArray] = ()) -> Interval:
    """Share of the units with a p (others NaN) that are tuned at the false discovery rate `ALPHA`.

    Parameters
    ----------
    p : array_like, shape (units,)
    without : sequence of ndarray, each of shape (units,)
        The same without each group of blocks.

    Returns
    -------
    Interval
        Jackknife over units (the false discovery rate is taken anew without each) and over blocks, whose variances add up;
        nowhere within Wilson's interval of as many independent units, which is what there is where all or none are tuned.
    """
    values = vector(p, "p", size=0, finite=False)
    known = values[np.isfinite(values)]
    share = _share(known)
    units = [_share(np.delete(known, group)) for group in groups(known.size, MOST_LEFT_OUT)] if known.size > 1 else []
    found = crossed_interval(share, units, [_share(part) for part in without], bounds=(0.0, 1.0))
    if not np.isfinite(found.low):
        return found
    alone = wilson(share, known.size)
    return Interval(share, min(found.low, alone.low), max(found.high, alone.high), method="jackknife and Wilson")


def _share(p: FloatArray) -> float:
    known = p[np.isfinite(p)]
    return float((fdr(known) < ALPHA).mean()) if known.size else float("nan")
