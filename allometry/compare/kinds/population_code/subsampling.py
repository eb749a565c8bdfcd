"""How decoding and reliability depend on the number of units, repeats and stimuli (the question of Shi et al. 2019)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.ceilings import spearman_brown
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import null_interval
from allometry.compare.measures.populations import decoding, tuning
from allometry.compare.measures.representations import geometry
from allometry.errors import ComparisonError

AXES = ("units", "repeats", "stimuli")
SPLITS = 10  # halves per subset: the spread over subsets is larger than that over halves
FEWEST = {"units": 5, "repeats": 2, "stimuli": geometry.FEWEST_STIMULI}


def statistics_of(decoder: str, centre_blocks: bool, seed: int) -> dict[str, Callable[[FloatArray], float]]:
    """Statistics of responses [stimuli, repeats, units] that are followed over subsets, by name of the measure.

    Reliabilities are correlations of halves; `curves` corrects them for the halving.
    """

    def split_half(x: FloatArray) -> float:
        return float(np.nanmean(tuning.reliability(x, SPLITS, seed)))

    def geometry_split_half(x: FloatArray) -> float:
        return float(np.nanmean(geometry.split_half("ssm", x, splits=SPLITS, seed=seed)))

    return {
        "decoding_within": lambda x: decoding.decode_within(x, decoder, centre_blocks).accuracy,
        "reliability": split_half,
        "ssm_reliability": geometry_split_half,
    }


def sizes(available: int, fewest: int, count: int = 6) -> list[int]:
    """At most `count` sizes from `fewest` to all, equally spaced on a log scale."""
    start = min(fewest, available)
    return sorted(set(np.geomspace(start, available, count).round().astype(int).tolist()))


def subset(responses: FloatArray, axis: str, size: int, rng: np.random.Generator) -> FloatArray:
    """Random subset without replacement: units, stimuli, or at most `size` repeats of every stimulus."""
    if axis == "units":
        return responses[:, :, rng.choice(responses.shape[2], size, replace=False)]
    if axis == "stimuli":
        return responses[rng.choice(len(responses), size, replace=False)]
    present = np.isfinite(responses[:, :, 0])
    order = np.argsort(np.where(present, rng.random(present.shape), np.inf), axis=1)[:, :size]
    # Blocks keep their order in time.
    return np.take_along_axis(responses, np.sort(order, axis=1)[:, :, None], axis=1)


def curves(
    responses: FloatArray, *, decoder: str, centre_blocks: bool, subsets: int, seed: int
) -> list[dict[str, Any]]:
    """Entries `measure`, `axis`, `size`, `mean`, `low`, `high` (95 % of the subsets), `chance` of the decoding.

    A subset in which a statistic is undefined (units that never respond) is left out; where all are, there is no entry.
    """
    rng = np.random.default_rng(seed)
    measures = statistics_of(decoder, centre_blocks, seed)
    found = []
    for axis, available in zip(AXES, (responses.shape[2], responses.shape[1], responses.shape[0])):
        for size in sizes(available, FEWEST[axis]):
            values: dict[str, list[float]] = {name: [] for name in measures}
            chance = []
            for _ in steps(range(1 if size == available else subsets), f"subsets of {size}"):
                part = responses if size == available else subset(responses, axis, size, rng)
                shown = np.isfinite(part[:, :, 0]).sum(axis=1)
                chance.append(float(shown.max() / shown.sum()))
                for name, statistic in measures.items():
                    values[name].append(_defined(statistic, part))
            for name, each in values.items():
                kept = np.array(each)[np.isfinite(each)]
                if kept.size:
                    over = null_interval(kept)
                    spread = np.array([over.estimate, over.low, over.high])
                    # After the mean: 2r / (1 + r) of a single bad split has no bound.
                    mean, low, high = spread if name == "decoding_within" else spearman_brown(spread)
                    found.append(
                        {"measure": name, "axis": axis, "size": float(size), "mean": float(mean)}
                        | {"low": float(low), "high": float(high)}
                        | {"chance": float(np.mean(chance)) if name == "decoding_within" else np.nan}
                    )
    return found


def _defined(statistic: Callable[[FloatArray], float], responses: FloatArray) -> float:
    try:
        with np.errstate(invalid="ignore"):
            return statistic(responses)
    except ComparisonError:
        return float("nan")
