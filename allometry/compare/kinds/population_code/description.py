"""Measures of one population's responses as rows of a Scores store, each with its interval, p and shuffled baseline."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from allometry.compare.inference import verdict
from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.ceilings import spearman_brown
from allometry.compare.inference.crossed import crossed_interval, without_trials
from allometry.compare.inference.statistics import Interval, null_interval, permutation_p
from allometry.compare.inputs.design import Population
from allometry.compare.kinds.population_code import statistics as statistics_of
from allometry.compare.kinds.population_code.tuned_share import WithoutBlocks, tuned_share
from allometry.compare.measures.populations import tuning
from allometry.compare.result import row

CORRELATION_EDGES = np.linspace(-1, 1, 61)
SELECTIVITY_EDGES = np.linspace(0, 1, 41)
LARGEST = 1e6  # units of the largest population that the spectral radius is given for
SHUFFLES_OF_UNITS = 5  # times as many shuffles for tuning: p of many units needs a finer resolution
FEW_SPLITS = 5  # halves of each shuffle


def _null_row(measure: str, population: Population, values: FloatArray, group: str) -> dict[str, Any]:
    kept = values[np.isfinite(values)]
    return row(
        measure, population.name, population.store, null_interval(kept), group=group, role="baseline", n=kept.size
    )


class Described:
    """Measures of one population; rows are added to the list given, what curves need is returned."""

    def __init__(self, population: Population, rows: list[dict[str, Any]], nulls: int, splits: int, seed: int) -> None:
        self.population, self.rows = population, rows
        self.nulls, self.splits, self.seed = nulls, splits, seed
        self.data = population.responses

    def add(
        self, measure: str, score: float | Interval, null: FloatArray, shuffled: str, alternative: str, **extra: Any
    ) -> None:
        """A row and its baseline."""
        group = extra.pop("group", "")
        value = score.estimate if isinstance(score, Interval) else score
        p = permutation_p(value, null, alternative)
        label = f"{group}, {shuffled}" if group else shuffled
        held = [verdict.over_null(label, value, null)] if null.size else []
        self.rows.append(
            row(measure, self.population.name, self.population.store, score, group=group, p=p, baselines=held, **extra)
        )
        if null.size:
            self.rows.append(_null_row(measure, self.population, null, label))

    def decoding(self, decoders: Sequence[str], centred: bool) -> dict[str, Any]:
        """Rows of each decoder."""
        found = {
            name: statistics_of.decode(
                self.data,
                name,
                centre_blocks=centred,
                nulls=self.nulls,
                seed=self.seed,
            )
            for name in decoders
        }
        for name, decoded in found.items():
            self.add(
                "decoding_within",
                decoded.accuracy,
                decoded.null,
                "shuffled labels",
                "greater",
                group=name,
                n=decoded.trials,
            )
        first = found[decoders[0]]
        return {
            "decoders": list(found),
            "decoding_null": [decoded.null for decoded in found.values()],
            "confusion": first.confusion,
            "labels": self.population.stimuli["label"].tolist(),
            "chance": first.chance,
        }

    def selectivity(self, negative: str) -> dict[str, Any]:
        """Rows of selectivity, where stimuli are told apart by an angle, and of reliability."""
        units = self.data.shape[2]
        known = self.population.angles()
        columns = ("osi", "dsi", "orientation", "direction", "osi_p")
        table = {column: np.full(units, np.nan) for column in columns}
        null_osi = np.empty((0, units))
        if known is not None:
            angle, angles = known
            tuned = statistics_of.tuned(self.data, angle, angles, negative)
            several = tuning.orientations(angles) > 1
            without = WithoutBlocks(self.data, angles, negative) if several else None
            shuffles = []
            for x in self.shuffled(SHUFFLES_OF_UNITS * self.nulls):
                shuffles.append(statistics_of.tuned(x, angle, angles, negative))
                if without is not None:
                    without.add(x)
            null_osi = np.array([s.osi for s in shuffles])
            null_dsi = np.array([s.dsi for s in shuffles])
            p = np.array([permutation_p(v, null) for v, null in zip(tuned.osi, null_osi.T)])
            table = {key: getattr(tuned, key) for key in columns[:4]} | {"osi_p": p}
            selected = int(np.isfinite(tuned.osi).sum())
            means = _means(null_osi)
            left = [statistics_of.tuned(x, angle, angles, negative) for x in without_trials(self.data, 1)]
            for name, values, trials, null, tail in (
                ("osi", tuned.osi, [t.osi for t in left], means, "greater"),
                ("dsi", tuned.dsi, [t.dsi for t in left], _means(null_dsi), "greater"),
                ("circular_variance", 1 - tuned.osi, [1 - t.osi for t in left], 1 - means, "less"),
            ):
                if np.isfinite(values).any():
                    score = statistics_of.mean_over_units(values, trials)
                    self.add(name, score, null, "shuffled labels", tail, n=selected)
            share = tuned_share(p, [] if without is None else list(without.p))
            self.add("tuned_share", share, np.empty(0), "", "greater", n=selected)
        halves = tuning.reliability(self.data, self.splits, self.seed)
        shuffled = [np.nanmean(tuning.reliability(x, FEW_SPLITS, self.seed)) for x in self.shuffled(self.nulls)]
        left_out = [tuning.reliability(x, self.splits, self.seed) for x in without_trials(self.data, 2)]
        mean = statistics_of.mean_over_units(halves, left_out, (-1.0, 1.0))
        # Of the mean over units: 2r / (1 + r) of a single noisy unit has no bound.
        corrected = spearman_brown([mean.estimate, mean.low, mean.high]).tolist()
        number = int(np.isfinite(halves).sum())
        null = spearman_brown(shuffled)
        self.add("reliability", Interval(*corrected), null, "shuffled labels", "greater", n=number)
        return {
            "tuning": {**table, "split_half": halves, "mean_response": np.nanmean(self.data, axis=(0, 1))},
            "units": self.population.units,
            "tuning_null": _density(null_osi, SELECTIVITY_EDGES),
        }

    def shuffled(self, n: int) -> Iterator[FloatArray]:
        """Responses with shuffled stimuli."""
        return statistics_of.shuffled_labels(self.data, n, self.seed, self.population.order)

    def correlations(self, size: int) -> dict[str, Any]:
        """Rows of signal and noise correlation, spectral radius and participation ratio."""
        x = self.data
        units = x.shape[2]
        signal, *left = [
            statistics_of.signal_correlation(part, splits=self.splits, seed=self.seed)
            for part in (x, *without_trials(x, 2))
        ]
        unrelated = np.array(
            [
                np.nanmean(statistics_of.signal_correlation(s, splits=FEW_SPLITS, seed=self.seed))
                for s in self.shuffled(self.nulls)
            ]
        )
        pairs = int(np.isfinite(signal[np.triu_indices(units, 1)]).sum())
        mean = statistics_of.mean_over_pairs(signal, left)
        self.add("signal_correlation", mean, unrelated, "shuffled labels", "two-sided", n=pairs)
        values: list[tuple[float, float, float]] = []
        independent: list[FloatArray] = []
        for shuffled in statistics_of.shuffled_trials(x, self.nulls, self.seed):
            values.append(statistics_of.noise_statistics(shuffled, size))
            if len(independent) < FEW_SPLITS:
                independent.append(_upper(statistics_of.correlation_of(statistics_of.noise_covariance(shuffled)[0])))
        null = np.array(values)
        covariance, freedom = statistics_of.noise_covariance(x)
        left_out = [statistics_of.noise_covariance(part) for part in without_trials(x, 2, stimuli=True)]
        noise = statistics_of.correlation_of(covariance)
        pairs = int(np.isfinite(noise[np.triu_indices(units, 1)]).sum())
        mean = statistics_of.mean_over_pairs(noise, [statistics_of.correlation_of(c) for c, _ in left_out])
        self.add("noise_correlation", mean, null[:, 0], "shuffled trials", "two-sided", n=pairs)
        sizes = np.unique(np.concatenate([[size, units], np.geomspace(units, max(LARGEST, units), 25)]))
        own = statistics_of.dispersion(covariance, freedom, sizes)
        trials = [statistics_of.dispersion(c, f, sizes) for c, f in left_out]
        radii = [
            crossed_interval(
                float(own.radius[k]), own.radius_without[:, k], [t.radius[k] for t in trials], bounds=(0.0, 1.0)
            )
            for k in range(sizes.size)
        ]
        radius = radii[int(np.flatnonzero(sizes == size)[0])]
        self.add("spectral_radius", radius, null[:, 1], "shuffled trials", "greater", n=freedom)
        dimension = _dimension(own, trials)
        self.add("participation_ratio", dimension, null[:, 2], "shuffled trials", "less", group="noise", n=freedom)
        means = [
            statistics_of.dispersion(np.cov(np.nanmean(part, axis=1).T), None, sizes[:1])
            for part in (x, *without_trials(x, 1))
        ]
        self.add(
            "participation_ratio", _dimension(means[0], means[1:]), np.empty(0), "", "less", group="signal", n=len(x)
        )
        return {
            "response_correlations": [_density(_upper(m), CORRELATION_EDGES) for m in (signal, noise)]
            + [_density(np.array(independent), CORRELATION_EDGES)],
            "spectral_radius": {
                "size": sizes,
                "radius": own.radius,
                "low": np.array([r.low for r in radii]),
                "high": np.array([r.high for r in radii]),
            },
        }


def _dimension(own: statistics_of.Dispersion, trials: Sequence[statistics_of.Dispersion]) -> Interval:
    """Participation ratio with its interval on a log scale: its error grows with it."""
    return crossed_interval(
        own.participation,
        own.participation_without,
        [t.participation for t in trials],
        scale=(np.log, np.exp),
        bounds=(1.0, np.inf),
    )


def _means(values: FloatArray) -> FloatArray:
    """Mean over units of each shuffle; NaN where no unit is defined."""
    known = np.isfinite(values)
    return np.where(known.any(axis=1), np.nansum(values, axis=1) / np.maximum(known.sum(axis=1), 1), np.nan)


def _upper(matrix: FloatArray) -> FloatArray:
    return matrix[np.triu_indices(len(matrix), 1)]


def _density(values: FloatArray, edges: FloatArray) -> FloatArray:
    kept = values[np.isfinite(values)]
    if not kept.size:
        return np.full(len(edges) - 1, np.nan)
    return np.histogram(np.clip(kept, edges[0], edges[-1]), edges, density=True)[0]
