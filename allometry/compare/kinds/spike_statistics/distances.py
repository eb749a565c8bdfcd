"""Distances between profiles and between ensembles of profiles, and the verdict beside what another seed changes."""

import itertools
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from allometry.compare.inference import ecdf, verdict
from allometry.compare.inference.arrays import FloatArray, numbers
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import Interval, interval
from allometry.compare.kinds.spike_statistics.measures import MEASURES
from allometry.compare.kinds.spike_statistics.profile import DISTRIBUTIONS, MANY, Profile
from allometry.compare.records.measures import Scale, measure
from allometry.errors import ComparisonError

MOST_RELABELLINGS = 1000
FEWEST_SEEDS = 3  # of an ensemble, to say "beyond": one distance between two seeds is no range (wrong in 12 of 100)
POISSON, SIMPLE = "Poisson units of ", "Poisson units"
SEEDS, HALVES, NONE = "seed-to-seed", "unit sampling", ""


@dataclass(frozen=True)
class Distance:
    """A distance, and what it is in resamples of `units` units or pieces of time (empty where there are none)."""

    value: float
    replicates: FloatArray = field(default_factory=lambda: np.empty(0), repr=False)
    units: int = MANY


@dataclass(frozen=True)
class Within:
    """Distances inside an ensemble: between its members (basis `SEEDS`), or the halves of the one it has (`HALVES`).

    `resolution` is the step to which the statistic can be told: less is no difference. `members` define the statistic.
    """

    values: FloatArray
    basis: str
    resolution: float = 0.0
    members: int = 1

    @property
    def limit(self) -> float:
        """What a distance must exceed: the largest between seeds, 95 of 100 between halves."""
        largest = self.values.max() if self.basis == SEEDS else np.quantile(self.values, 0.95)
        return max(float(largest), self.resolution)


@dataclass(frozen=True)
class Judged:
    """Distance of two ensembles beside the distances within them; `baseline` is what one distribution would give."""

    score: Interval
    p: float
    pairs: int
    baseline: float
    verdict: str

    @property
    def relative(self) -> float:
        """Score over baseline: about 1 where nothing but the seed differs."""
        return self.score.estimate / self.baseline if self.baseline > 0 else np.nan


class Distances:
    """All distances between the stores in one population, each computed once.

    Parameters
    ----------
    profiles : mapping
        Profile of each store.
    population : str
        Goes into the random numbers, with `seed`.
    bootstrap : int
        Resamples of the units of each store.
    """

    def __init__(self, profiles: Mapping[str, Profile], population: str, bootstrap: int, seed: int) -> None:
        self._profiles, self._population, self._bootstrap, self._seed = profiles, population, bootstrap, seed
        self._grid: dict[str, FloatArray] = {}
        self._cdfs: dict[tuple[str, str], FloatArray] = {}
        self._found: dict[tuple[str, str, str], Distance | None] = {}

    def between(self, a: str, b: str, measure: str) -> Distance | None:
        """Distance of two stores; None where either lacks the statistic."""
        if (a, b, measure) not in self._found:
            self._found[a, b, measure] = self._found[b, a, measure] = self._new(a, b, measure)
        return self._found[a, b, measure]

    def _new(self, a: str, b: str, measure: str) -> Distance | None:
        statistic, _ = MEASURES[measure]
        x, y = self._profiles[a], self._profiles[b]
        if statistic in DISTRIBUTIONS:
            if statistic not in x.samples or statistic not in y.samples:
                return None
            values = ecdf.exact(x.samples[statistic], y.samples[statistic])
            resampled = ecdf.distances(
                self._resampled(a, statistic), self._resampled(b, statistic), self._grid[statistic]
            )
            for name, value, replicates in zip(("ks", "wasserstein"), values, resampled):
                key = f"{statistic}_{name}"
                self._found[a, b, key] = self._found[b, a, key] = Distance(
                    value, replicates, min(x.samples[statistic].n_units, y.samples[statistic].n_units)
                )
            return self._found[a, b, measure]
        if statistic == "spectrum":
            if x.spectrum is None or y.spectrum is None:
                return None
            power = decibel_distance(x.spectrum.power, y.spectrum.power)
            drawn = decibel_distance(x.spectrum.replicates, y.spectrum.replicates)
            return Distance(float(power), drawn, min(x.spectrum.units, y.spectrum.units))
        if statistic not in x.scalars or statistic not in y.scalars:
            return None
        u, v = x.scalars[statistic], y.scalars[statistic]
        both = u.replicates.size and v.replicates.size
        drawn = np.abs(u.replicates - v.replicates) if both else np.empty(0)
        return Distance(abs(u.value - v.value), drawn, min(u.units, v.units))

    def _rng(self, store: str, statistic: str) -> np.random.Generator:
        return np.random.default_rng(
            [self._seed, *(zlib.crc32(t.encode()) for t in (store, statistic, self._population))]
        )

    def _resampled(self, store: str, statistic: str) -> FloatArray:
        """Distribution functions [replicate, grid] of a store."""
        if statistic not in self._grid:
            having = [p.samples[statistic] for p in self._profiles.values() if statistic in p.samples]
            self._grid[statistic] = ecdf.quantile_grid(*having)
        if (store, statistic) not in self._cdfs:
            sample = self._profiles[store].samples[statistic]
            weights = ecdf.bootstrap_weights(sample.n_units, self._bootstrap, self._rng(store, statistic))
            self._cdfs[store, statistic] = ecdf.weighted_cdfs(sample, self._grid[statistic], weights)
        return self._cdfs[store, statistic]

    def within(self, members: Sequence[str], measure: str) -> Within:
        """Distances inside an ensemble; empty where there are none."""
        statistic, _ = MEASURES[measure]
        if len(members) > 1:
            found = [self.between(a, b, measure) for a, b in itertools.combinations(members, 2)]
            scalars = [s for name in members if (s := self._profiles[name].scalars.get(statistic)) is not None]
            step = max((s.resolution for s in scalars), default=0.0)
            defined = sum(self._defined(name, measure) for name in members)
            return Within(np.array([d.value for d in found if d is not None]), SEEDS, step, defined)
        sample = self._profiles[members[0]].samples.get(statistic)
        # Avalanches are no units that could be halved.
        if sample is None or sample.n_units < 4 or statistic == "avalanche_size":
            return Within(np.empty(0), NONE)
        ks, wasserstein = ecdf.halves(sample, self._rng(members[0], f"halves of {statistic}"))
        return Within(ks if measure.endswith("_ks") else wasserstein, HALVES)

    def judge(self, candidate: Sequence[str], reference: Sequence[str], measure: str) -> Judged | None:
        """Mean distance between the members of two ensembles, beside the distances within them.

        Returns None where no member of either defines the statistic, a NaN score where one ensemble does not.
        """
        if not any(self._defined(name, measure) for name in (*candidate, *reference)):
            return None
        found = [d for a in candidate for b in reference if (d := self.between(a, b, measure)) is not None]
        if not found:
            return Judged(Interval(np.nan, np.nan, np.nan), np.nan, 0, np.nan, "undefined")
        score = recentred([d.value for d in found], [d.replicates for d in found], min(d.units for d in found))
        inside = [w for w in (self.within(candidate, measure), self.within(reference, measure)) if w.values.size]
        # The squared distance of two samples goes with the sum of their variances: its mean over both ensembles is
        # what members of different ensembles would have if nothing but their seed differed.
        baseline = float(np.sqrt(np.mean([np.mean(w.values**2) for w in inside]))) if inside else np.nan
        return Judged(
            score, self._relabelled(candidate, reference, measure), len(found), baseline, _verdict(score, inside)
        )

    def over_poisson(self, candidate: Sequence[str], reference: Sequence[str], measure: str) -> verdict.Baseline | None:
        """Distance of Poisson units with a reference's rates from that reference, as a baseline of the candidate's distance.

        Both distances are to the same resamples of the reference. None where either lacks the statistic.
        """
        own = [(a, b) for a in candidate for b in reference]
        other = [(POISSON + b, b) for b in reference if POISSON + b in self._profiles]
        found, simple = (
            [d for a, b in pairs if (d := self.between(a, b, measure)) is not None] for pairs in (own, other)
        )
        if not found or not simple:
            return None
        score, baseline = (float(np.mean([d.value for d in part])) for part in (found, simple))
        if any(d.replicates.size == 0 for d in (*found, *simple)):
            return verdict.Baseline(SIMPLE, baseline, Interval(score - baseline, np.nan, np.nan))
        drawn = np.mean([d.replicates for d in found], axis=0) - np.mean([d.replicates for d in simple], axis=0)
        # a resample adds noise, and noise adds distance, unless it is moved to the estimate
        moved = drawn - np.nanmean(drawn) + score - baseline if np.isfinite(drawn).any() else drawn
        units = min(d.units for d in (*found, *simple))
        return verdict.paired(SIMPLE, score, baseline, moved, np.zeros_like(moved), units=units)

    def _defined(self, store: str, measure: str) -> bool:
        statistic, _ = MEASURES[measure]
        profile = self._profiles[store]
        has_spectrum = statistic == "spectrum" and profile.spectrum is not None
        return has_spectrum or statistic in profile.samples or statistic in profile.scalars

    def _relabelled(self, candidate: Sequence[str], reference: Sequence[str], measure: str) -> float:
        """P of the distance between ensembles over that within, among all ways to deal the members to two ensembles."""
        members = [*candidate, *reference]
        if len(candidate) < 2 or len(reference) < 2 or not all(self._defined(name, measure) for name in members):
            return np.nan
        matrix = np.zeros((len(members), len(members)))
        for i, j in itertools.combinations(range(len(members)), 2):
            distance = self.between(members[i], members[j], measure)
            matrix[i, j] = matrix[j, i] = distance.value if distance is not None else np.nan
        # the first way is the true one
        gaps = np.array([_gap(matrix, way) for way in _ways(len(members), len(candidate), self._rng(measure, "deal"))])
        return float(np.mean(gaps >= gaps[0] - 1e-12 * abs(gaps[0])))


def _ways(members: int, first: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Ways to choose the members of the first of two ensembles: all, or the true one and random ones if they are many."""
    if math.comb(members, first) <= MOST_RELABELLINGS:
        yield from (np.array(way) for way in itertools.combinations(range(members), first))
        return
    yield np.arange(first)
    for _ in steps(range(MOST_RELABELLINGS - 1), "relabellings"):
        yield rng.permutation(members)[:first]


def _gap(matrix: FloatArray, first: np.ndarray) -> float:
    """Mean distance between two sets of members, less the mean within each."""
    inside = np.zeros(len(matrix), bool)
    inside[first] = True
    a, b = matrix[np.ix_(inside, inside)], matrix[np.ix_(~inside, ~inside)]
    own = [part.sum() / (len(part) * (len(part) - 1)) for part in (a, b)]
    return float(matrix[np.ix_(inside, ~inside)].mean() - np.mean(own))


@measure(
    name="spectrum_distance",
    version="1",
    inputs="two power spectra [frequencies]",
    invariances="order of units; mean rate (power is relative to Poisson units)",
    use="do two populations oscillate alike?",
    reference="root mean square log spectral distance; Gray & Markel 1976, IEEE Trans. ASSP 24:380",
    scale=Scale(False, 0.1),
)
def decibel_distance(a: FloatArray, b: FloatArray) -> FloatArray:
    """Root mean square, over frequencies (the last axis), of the ratio of two spectra in dB."""
    a, b = numbers(a, "a"), numbers(b, "b")
    if a.shape != b.shape or not a.ndim:
        raise ComparisonError(f"spectra of shapes {a.shape} and {b.shape}", where="a, b", expected="equal shapes")
    tiny = np.finfo(float).tiny
    ratio = 10 * (np.log10(np.maximum(a, tiny)) - np.log10(np.maximum(b, tiny)))
    return np.asarray(np.sqrt(np.mean(ratio**2, axis=-1)))


def recentred(values: Sequence[float], replicates: Sequence[FloatArray], units: int = MANY) -> Interval:
    """Mean of distances with its 95 % interval from resamples, moved to the mean: a resample adds noise to a distance.

    Replicates are NaN where resampling left nothing; an interval needs half of them. `units` is the number of units (or pieces of
    time) of the smallest store (see `statistics.interval`).
    """
    estimate = float(np.mean(values))
    if any(part.size == 0 for part in replicates):
        return Interval(estimate, np.nan, np.nan)
    mean = np.mean(replicates, axis=0)
    if np.isfinite(mean).sum() * 2 < mean.size:
        return Interval(estimate, np.nan, np.nan)
    found = interval(mean - np.nanmean(mean) + estimate, estimate, units=units, bounds=(0.0, np.inf))
    low, high = np.minimum(found.low, estimate), np.maximum(found.high, estimate)
    return replace(found, low=float(low), high=float(high), method=f"recentred {found.method}")


def _verdict(score: Interval, inside: Sequence[Within]) -> str:
    if not inside:
        return "no baseline"
    # Between seeds is the fuller baseline: halves of one network share its wiring.
    basis = SEEDS if any(w.basis == SEEDS for w in inside) else HALVES
    limit = max(w.limit for w in inside)
    if score.estimate <= limit:
        return f"within {basis}"
    if any(w.basis == SEEDS and w.members < FEWEST_SEEDS for w in inside):
        return "too few seeds"
    return f"beyond {basis}" if score.low > limit else "unresolved"
