"""How well components predict what they were not fitted to, trial by trial, and how many components do that best."""

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray, numbers
from allometry.compare.measures.tensors.incomplete import Incomplete, factorise
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError

FEWEST_TRIALS = 4
SWEEPS = 100
"""At most, of a fit: predictions settle long before the factors do."""


@measure(
    name="held_out_components",
    version="1",
    inputs="non-negative array [units, time, trials], rank",
    invariances="scale of the array",
    use="do units change together from trial to trial, and in how many components?",
    reference="Williams et al. 2018, Neuron 98:1099 (held-out entries of a trial tensor); fibres of units: this project",
    scale=SHARE,
)
def held_out_share(tensor: npt.ArrayLike, rank: int, share: float = 0.1, seed: int = 0) -> float:
    """Share of the variance of held-out trials of units that non-negative components predict from all other entries.

    Of every unit some trials are held out as a whole. A component predicts them from its time course, from how strong it was in
    these trials in the other units, and from how much of it the unit has in its other trials.

    Parameters
    ----------
    tensor : array_like, shape (units, time, trials)
        Values >= 0, at least `FEWEST_TRIALS` trials.
    rank : int
        Number of components.
    share : float
        Of the trials of each unit that is held out; at least one.
    seed : int
        Of what is held out, and of the start.

    Returns
    -------
    float
        1 - sum of squared errors / sum of squares about the mean of each unit's other trials; below 0 where that mean predicts
        better.

    Raises
    ------
    ComparisonError
        For another shape, too few trials, values below 0, or units that never change.
    """
    x = numbers(tensor, "tensor").astype(np.float64, copy=False)
    if x.ndim != 3 or x.shape[2] < FEWEST_TRIALS or not 0 < share < 0.5:
        raise ComparisonError(
            f"a tensor of shape {x.shape}, of which {share:g} is held out",
            where="tensor, share",
            expected=f"[units, time, trials] with at least {FEWEST_TRIALS} trials, and a share below 0.5",
        )
    units, _, trials = x.shape
    rng = np.random.default_rng(seed)
    count = max(1, round(share * trials))
    held = np.zeros((trials, units), np.bool_)
    for unit in range(units):
        held[rng.permutation(trials)[:count], unit] = True
    fitted = factorise(Incomplete(x.transpose(1, 2, 0), ~held), rank, seed=seed, sweeps=SWEEPS)[0]
    time, trial, unit_mode = fitted.modes
    predicted = np.einsum("r,tr,kr,ur->kut", fitted.weights, time, trial, unit_mode)
    actual = x.transpose(2, 0, 1)
    known = np.where(held[:, :, np.newaxis], np.nan, actual)
    mean = np.nanmean(known, axis=(0, 2))
    spread = float(((actual - mean[np.newaxis, :, np.newaxis])[held] ** 2).sum())
    if spread == 0:
        raise ComparisonError("no unit changes in what is held out", where="tensor", expected="units that respond")
    return 1.0 - float(((actual - predicted)[held] ** 2).sum()) / spread


def shuffled_trials(tensor: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The tensor [units, time, trials] with the trials of every unit in an order of its own: units no longer change together."""
    return np.stack([unit[:, rng.permutation(unit.shape[1])] for unit in tensor])
