"""Verdicts: a result that equals its baseline is better than it in at most one case of 20, however it is compared."""

from collections.abc import Mapping

import numpy as np
from scipy import stats

from allometry.compare.inference import statistics as st
from allometry.compare.inference import verdict
from tests.compare.calibration.harness import Band, Study

MARGIN = 0.02
AT_MOST = Band(0.0, 0.05, reason="one side of a 95 % interval, and the strongest of several baselines is less")


def _better(*baselines: verdict.Baseline, larger: bool = True) -> float:
    """A p that is below its level where the verdict is *better*; NaN where nothing can be said."""
    found = verdict.against(baselines, margin=MARGIN, larger=larger)
    if found is None:
        return float("nan")
    return 0.0 if found.verdict == verdict.BETTER else 1.0


def _resampled(values: np.ndarray, seed: int) -> st.Interval:
    """Mean of units [units] with resamples that are the same for every array of as many."""
    return st.bootstrap(lambda x: float(x.mean()), values, seed=seed, n=199)


def _verdicts(seed: int) -> Mapping[str, float]:
    rng = np.random.default_rng(seed)
    found = {}
    for units in (5, 12):
        # units have levels of their own that result and baselines share
        level = rng.normal(size=units)
        result, *others = (level + 0.5 * rng.standard_t(6, size=units) for _ in range(4))
        one, *several = (_resampled(values, seed) for values in (result, *others))
        held = [verdict.same_resamples(f"b{k}", one, other) for k, other in enumerate(several)]
        found[f"p of better, {units} resampled units"] = _better(held[0])
        found[f"p of better, {units} resampled units, distance"] = _better(held[0], larger=False)
        found[f"p of better, {units} resampled units, three baselines"] = _better(*held)
        found[f"p of better, {units} units"] = _better(verdict.over_units("b", result, others[0]))
        found[f"p of better, {units} units than a value"] = _better(
            verdict.over_value("b", _resampled(result, seed), 0.0)
        )
    animals = rng.normal(size=4)
    pairs = {(i, j): animals[i] + animals[j] + rng.normal() for i in range(4) for j in range(i)}
    left = [float(np.mean([v for pair, v in pairs.items() if k not in pair])) for k in range(4)]
    found["p of better, pairs of 4 animals"] = _better(
        verdict.jackknifed("b", float(np.mean(list(pairs.values()))), 0.0, left)
    )
    for draws in (39, 99):
        score, null = float(stats.expon.rvs(random_state=rng)), stats.expon.rvs(size=draws, random_state=rng)
        found[f"p of better, null of {draws}"] = _better(verdict.over_null("b", score, null))
    return found


STUDIES = [Study("verdicts", _verdicts, dict.fromkeys(_verdicts(0), AT_MOST))]
