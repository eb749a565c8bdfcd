"""A study draws data whose truth is known, once per seed, and says what a comparison made of them.

What a study returns for one seed is `{"p of ...": value}` for a p of a true null hypothesis, and `{"covers ...": held}` for an
interval of a known value. Over many seeds a p must be below its level as often as the level says, and an interval must hold the
value about 95 times in 100. A study is added to `STUDIES` of one of the modules beside this one:

    Study("my_kind", draw, {"p of score": LEVEL, "covers 0": COVERAGE})

`python -m tests.compare.calibration STUDY REPEATS` prints the rates of one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

REPEATS = 400
FEW = 12  # of the fast variant, which sees gross errors only


@dataclass(frozen=True)
class Band:
    """Rates that are right: lowest and highest share of seeds, at `level` for a p; why it is not the usual band."""

    low: float
    high: float
    level: float = 0.05
    reason: str = ""

    def few(self, count: int) -> tuple[float, float]:
        """The band for few seeds: what binomial noise makes of its ends once in a thousand times."""
        low, high = stats.binom.ppf([0.001, 0.999], count, [self.low, self.high]) / count
        return float(low), float(high)


LEVEL = Band(0.02, 0.08)
COVERAGE = Band(0.90, 0.98)
FALSE_BETTER = Band(0.0, 0.05, reason="the strongest baseline is chosen by its score, which favours the baseline")


def conservative(reason: str) -> Band:
    """A p that may be rarer than its level."""
    return Band(0.0, LEVEL.high, reason=reason)


def wide(reason: str) -> Band:
    """An interval that may hold the truth more often than it says."""
    return Band(COVERAGE.low, 1.0, reason=reason)


@dataclass(frozen=True)
class Study:
    """Data of known truth and what is expected of each p and interval; `repeats` where a repeat is dear."""

    name: str
    draw: Callable[[int], Mapping[str, float]]
    expected: Mapping[str, Band]
    repeats: int = REPEATS
    few: int = FEW
    undefined: Mapping[str, float] = field(default_factory=dict)

    def rates(self, repeats: int) -> pd.DataFrame:
        """Share of seeds with a p below its level, or with the truth inside, by key; NaN are left out and counted."""
        found = pd.DataFrame([self.draw(seed) for seed in range(1, repeats + 1)])
        rows = {}
        for key, band in self.expected.items():
            values = found[key].astype(float)
            known = values.dropna()
            hit = known <= band.level + 1e-12 if key.startswith("p ") else known > 0
            rows[key] = {"rate": hit.mean() if len(known) else np.nan, "known": len(known) / len(values)}
        return pd.DataFrame(rows).T

    def check(self, repeats: int | None = None) -> None:
        """Fail where a rate lies outside its band, or where more is undefined than is said to be."""
        count = repeats or self.repeats
        wrong = []
        for key, row in self.rates(count).iterrows():
            band = self.expected[str(key)]
            low, high = (band.low, band.high) if count >= self.repeats else band.few(count)
            undefined = self.undefined.get(str(key), 0.02) if count >= self.repeats else 1.0
            if not (np.isnan(row["rate"]) or low <= row["rate"] <= high) or 1 - row["known"] > undefined:
                wrong.append(f"{key}: {row['rate']:.3f}, not {low:.3f} to {high:.3f} ({row['known']:.0%} defined)")
        assert not wrong, f"{self.name}: " + "; ".join(wrong)


def better(row: "pd.Series") -> float:
    """Whether a result is said to be better than its strongest baseline."""
    return float(row.verdict == "better")


def covers(row: "pd.Series", truth: float) -> float:
    """Whether an interval holds a value; NaN where there is no interval."""
    if not np.isfinite([row.ci_low, row.ci_high]).all():
        return float("nan")
    return float(row.ci_low <= truth <= row.ci_high)
