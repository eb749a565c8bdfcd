"""What a population of sensory neurons says about the stimulus, and how reliably: decoding, tuning, correlations, dimension.

Every Responses store gives the same rows, so that recordings, and simulations that are stored in the same way, lie side by
side. A population is a store, or each area of a store that has several.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import xarray as xr

from allometry.compare import population_statistics as statistics_of
from allometry.compare import subsampling, tuning
from allometry.compare.arrays import FloatArray
from allometry.compare.design import ANGLES, Population, populations, presentation_table
from allometry.compare.result import Result, curve, row, with_fdr
from allometry.compare.statistics import Interval, fdr, permutation_p, spearman_brown

ALPHA = 0.05  # false discovery rate at which a unit counts as tuned
CORRELATION_EDGES = np.linspace(-1, 1, 81)
SELECTIVITY_EDGES = np.linspace(0, 1, 41)
LARGEST = 1e6  # units of the largest population that the spectral radius is given for
SHUFFLES_OF_UNITS = 5  # times as many shuffles for tuning: p of many units needs a finer resolution
FEW_SPLITS = 5  # halves of each shuffle


def population_code(
    inputs: Mapping[str, xr.Dataset | xr.DataTree],
    *,
    responses: Sequence[str],
    stimulus: str | None = None,
    by: Sequence[str] | None = None,
    decoders: Sequence[str] = ("nearest_centroid", "correlation"),
    centre_blocks: bool | None = None,
    negative: str = "rectify",
    population_size: int | None = None,
    blanks: bool = False,
    fewest_repeats: int = 2,
    nulls: int = 200,
    bootstrap: int = 1000,
    subsets: int = 20,
    splits: int = 50,
    seed: int = 1,
) -> Result:
    """Describe the population code of every store.

    Parameters
    ----------
    inputs : mapping
        Responses stores by name.
    responses : sequence of str
        Their names.
    stimulus : str, optional
        Kind of stimulus, where a store holds several.
    by : sequence of str, optional
        Columns whose values make a stimulus. Default: `direction` or `orientation` where the table has one, else the
        conditions of the store.
    decoders : sequence of str
        Among `decoding.DECODERS`; the first is used for subsampling.
    centre_blocks : bool, optional
        Subtract each unit's mean over a block before decoding. Default: where every stimulus was shown equally often.
    negative : {"rectify", "drop"}
        Selectivity needs responses >= 0: negative means count as 0, or their units are left out.
    population_size : int, optional
        Neurons of the whole recurrent population for the spectral radius. Default: the recorded ones, a lower bound.
    blanks : bool
        Keep blank screens as a stimulus.
    fewest_repeats : int
        Stimuli shown less often are left out.
    nulls, bootstrap, subsets, splits : int
        Shuffles, resamples, subsets per size, random halves.

    Returns
    -------
    Result
        Rows per population (candidate) of a store (reference): `decoding_within` (group: decoder), `osi`, `dsi`,
        `circular_variance`, `tuned_share`, `reliability`, `signal_correlation`, `noise_correlation`, `spectral_radius`,
        `participation_ratio` (group: signal or noise), each with a shuffled baseline. Curves: `tuning` (every unit),
        `tuning_null`, `response_correlations`, `decoding_null`, `confusion`, `spectral_radius_by_size`, `subsampling`.
    """
    rows: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    derived: dict[str, str] = {}
    for name in responses:
        store = cast(xr.Dataset, inputs[name])
        columns = list(by) if by else _angle(store, name, stimulus)
        for population in populations(
            name, store, stimulus=stimulus, by=columns, blanks=blanks, fewest_repeats=fewest_repeats
        ):
            centred = population.balanced if centre_blocks is None else centre_blocks
            size = population_size or len(population.units)
            described = _Described(population, rows, nulls, bootstrap, splits, seed)
            part: dict[str, Any] = {"population": population.name}
            part |= described.decoding(decoders, centred)
            part |= described.selectivity(negative)
            part |= described.correlations(size)
            part["subsampling"] = subsampling.curves(
                population.responses, decoder=decoders[0], centre_blocks=centred, subsets=subsets, seed=seed
            )
            parts.append(part)
            derived |= _notes(population, columns, centred, size)
    return Result(
        title="Population code of mouse cortex",
        rows=with_fdr(rows),
        curves=_curves(parts),
        derived=derived | _words(nulls, bootstrap, splits, negative, population_size),
    )


def _angle(store: xr.Dataset, name: str, stimulus: str | None) -> list[str] | None:
    """The angle that stimuli are told apart by, if the table has one; None for the conditions of the store."""
    table = presentation_table(store, name)
    shown = table if stimulus is None else table[table["stimulus"].astype(str) == stimulus]
    return next(([angle] for angle in ANGLES if angle in shown and shown[angle].notna().any()), None)


def _null_row(measure: str, population: Population, values: FloatArray, group: str) -> dict[str, Any]:
    kept = values[np.isfinite(values)]
    spread = _bounded(float(kept.mean()), kept) if kept.size else Interval(np.nan, np.nan, np.nan)
    return row(measure, population.name, population.store, spread, group=group, role="baseline", n=kept.size)


class _Described:
    """Measures of one population; rows are added to the list given, what curves need is returned."""

    def __init__(
        self, population: Population, rows: list[dict[str, Any]], nulls: int, bootstrap: int, splits: int, seed: int
    ) -> None:
        self.population, self.rows = population, rows
        self.nulls, self.bootstrap, self.splits, self.seed = nulls, bootstrap, splits, seed
        self.data = population.responses
        self.draws = statistics_of.unit_draws(self.data.shape[2], bootstrap, seed)

    def add(
        self, measure: str, score: float | Interval, null: FloatArray, shuffled: str, alternative: str, **extra: Any
    ) -> None:
        """A row and its baseline."""
        group = extra.pop("group", "")
        value = score.estimate if isinstance(score, Interval) else score
        p = permutation_p(value, null, alternative)
        self.rows.append(row(measure, self.population.name, self.population.store, score, group=group, p=p, **extra))
        if null.size:
            label = f"{group}, {shuffled}" if group else shuffled
            self.rows.append(_null_row(measure, self.population, null, label))

    def decoding(self, decoders: Sequence[str], centred: bool) -> dict[str, Any]:
        """Rows of each decoder."""
        found = {
            name: statistics_of.decode(
                self.data,
                name,
                centre_blocks=centred,
                nulls=self.nulls,
                bootstrap=self.bootstrap,
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
            shuffles = [
                statistics_of.tuned(x, angle, angles, negative)
                for x in statistics_of.shuffled_labels(self.data, SHUFFLES_OF_UNITS * self.nulls, self.seed)
            ]
            null_osi = np.array([s.osi for s in shuffles])
            null_dsi = np.array([s.dsi for s in shuffles])
            p = np.array([permutation_p(v, null) for v, null in zip(tuned.osi, null_osi.T)])
            table = {key: getattr(tuned, key) for key in columns[:4]} | {"osi_p": p}
            selected = int(np.isfinite(tuned.osi).sum())
            means = _means(null_osi)
            for name, values, null, tail in (
                ("osi", tuned.osi, means, "greater"),
                ("dsi", tuned.dsi, _means(null_dsi), "greater"),
                ("circular_variance", 1 - tuned.osi, 1 - means, "less"),
            ):
                if np.isfinite(values).any():
                    score = statistics_of.mean_over_units(values, self.draws)
                    self.add(name, score, null, "shuffled labels", tail, n=selected)
            significant = np.where(np.isfinite(p), fdr(p) < ALPHA, np.nan)
            share = statistics_of.mean_over_units(significant, self.draws)
            self.add("tuned_share", share, np.empty(0), "", "greater", n=selected)
        halves = tuning.reliability(self.data, self.splits, self.seed)
        shuffled = [
            np.nanmean(tuning.reliability(x, FEW_SPLITS, self.seed))
            for x in statistics_of.shuffled_labels(self.data, self.nulls, self.seed)
        ]
        mean = statistics_of.mean_over_units(halves, self.draws)
        # Of the mean over units: 2r / (1 + r) of a single noisy unit has no bound.
        corrected = spearman_brown([mean.estimate, mean.low, mean.high]).tolist()
        number = int(np.isfinite(halves).sum())
        null = spearman_brown(shuffled)
        self.add("reliability", Interval(*corrected), null, "shuffled labels", "greater", n=number)
        return {
            "tuning": {**table, "split_half": halves},
            "units": self.population.units,
            "tuning_null": _density(null_osi, SELECTIVITY_EDGES),
        }

    def correlations(self, size: int) -> dict[str, Any]:
        """Rows of signal and noise correlation, spectral radius and participation ratio."""
        x, draws = self.data, self.draws
        units = x.shape[2]
        signal = statistics_of.signal_correlation(x, splits=self.splits, seed=self.seed)
        unrelated = np.array(
            [
                np.nanmean(statistics_of.signal_correlation(s, splits=FEW_SPLITS, seed=self.seed))
                for s in statistics_of.shuffled_labels(x, self.nulls, self.seed)
            ]
        )
        pairs = int(np.isfinite(signal[np.triu_indices(units, 1)]).sum())
        mean = statistics_of.mean_over_pairs(signal, draws)
        self.add("signal_correlation", mean, unrelated, "shuffled labels", "two-sided", n=pairs)
        covariance, freedom = statistics_of.noise_covariance(x)
        noise = statistics_of.correlation_of(covariance)
        shuffled = list(statistics_of.shuffled_trials(x, self.nulls, self.seed))
        null = np.array([statistics_of.noise_statistics(s, size) for s in shuffled])
        pairs = int(np.isfinite(noise[np.triu_indices(units, 1)]).sum())
        mean = statistics_of.mean_over_pairs(noise, draws)
        self.add("noise_correlation", mean, null[:, 0], "shuffled trials", "two-sided", n=pairs)
        sizes = np.unique(np.concatenate([[size, units], np.geomspace(units, max(LARGEST, units), 25)]))
        resampled = statistics_of.dispersion(covariance, freedom, sizes, draws)
        own = statistics_of.dispersion(covariance, freedom, sizes, np.ones((1, units)))
        at = int(np.flatnonzero(sizes == size)[0])
        radius = _bounded(own.radius[at, 0], resampled.radius[at])
        self.add("spectral_radius", radius, null[:, 1], "shuffled trials", "greater", n=freedom)
        dimension = _bounded(own.participation[0], resampled.participation)
        self.add("participation_ratio", dimension, null[:, 2], "shuffled trials", "less", group="noise", n=freedom)
        means = np.cov(self.population.means.T)
        of_means = [statistics_of.dispersion(means, len(x) - 1, sizes[:1], d) for d in (np.ones((1, units)), draws)]
        dimension = _bounded(of_means[0].participation[0], of_means[1].participation)
        self.add("participation_ratio", dimension, np.empty(0), "", "less", group="signal", n=len(x))
        without = np.array(
            [_upper(statistics_of.correlation_of(statistics_of.noise_covariance(s)[0])) for s in shuffled[:5]]
        )
        low, high = np.nanquantile(resampled.radius, [0.025, 0.975], axis=1)
        return {
            "response_correlations": [_density(_upper(m), CORRELATION_EDGES) for m in (signal, noise)]
            + [_density(without, CORRELATION_EDGES)],
            "spectral_radius": {"size": sizes, "radius": own.radius[:, 0], "low": low, "high": high},
        }


def _bounded(value: float, replicates: FloatArray) -> Interval:
    low, high = np.nanquantile(replicates, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))


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


def _curves(parts: Sequence[dict[str, Any]]) -> dict[str, xr.Dataset]:
    names = [part["population"] for part in parts]
    most = max(len(part["labels"]) for part in parts)
    confusion = [np.pad(p["confusion"], (0, most - len(p["labels"])), constant_values=np.nan) for p in parts]
    labels = [[*p["labels"], *[""] * (most - len(p["labels"]))] for p in parts]
    centres = (CORRELATION_EDGES[1:] + CORRELATION_EDGES[:-1]) / 2
    densities = np.array([part["response_correlations"] for part in parts])
    tuning = {key: np.concatenate([p["tuning"][key] for p in parts]) for key in parts[0]["tuning"]}
    of_unit = {
        "population": ("entry", np.repeat(names, [len(p["units"]) for p in parts])),
        "unit": ("entry", np.concatenate([p["units"] for p in parts])),
    }
    entries = [entry | {"population": p["population"]} for p in parts for entry in p["subsampling"]]
    texts = ("population", "measure", "axis")
    radius = {key: np.concatenate([p["spectral_radius"][key] for p in parts]) for key in parts[0]["spectral_radius"]}
    of_size = ("entry", np.repeat(names, [len(p["spectral_radius"]["size"]) for p in parts]))
    found = {
        "tuning": curve(("entry",), of_unit, **tuning),
        "tuning_null": curve(
            ("population", "bin"),
            {"population": names, "bin": (SELECTIVITY_EDGES[1:] + SELECTIVITY_EDGES[:-1]) / 2},
            density=[part["tuning_null"] for part in parts],
        ),
        "response_correlations": curve(
            ("population", "bin"),
            {"population": names, "bin": centres},
            signal=densities[:, 0],
            noise=densities[:, 1],
            shuffled=densities[:, 2],
        ),
        "decoding_null": curve(
            ("population", "decoder", "shuffle"),
            {
                "population": names,
                "decoder": parts[0]["decoders"],
                "chance": ("population", [p["chance"] for p in parts]),
            },
            accuracy=[part["decoding_null"] for part in parts],
        ),
        "confusion": curve(
            ("population", "shown", "decoded"),
            {"population": names, "label": (("population", "shown"), labels)},
            trials=confusion,
        ),
        "spectral_radius_by_size": curve(("entry",), {"population": of_size}, **radius),
        "subsampling": curve(
            ("entry",),
            {key: ("entry", [entry[key] for entry in entries]) for key in texts},
            **{key: [entry[key] for entry in entries] for key in ("size", "mean", "low", "high", "chance")},
        ),
    }
    for key in ("orientation", "direction"):
        found["tuning"][key].attrs["units"] = "degree"
    return found


def _notes(population: Population, by: Sequence[str] | None, centred: bool, size: int) -> dict[str, str]:
    """What was decided for one population."""
    told = ", ".join(by) if by else "the conditions of the store"
    repeats = population.repeats
    words = {
        "design": f"{len(population.stimuli)} stimuli by {told}, {repeats.min()} to {repeats.max()} repeats, "
        f"{len(population.units)} units; blocks of decoding are repeat numbers, "
        + ("centred" if centred else "not centred, since not every block holds every stimulus"),
        "population_size": f"{size} neurons for the spectral radius",
    }
    if population.angles() is None:
        words["tuning"] = "no angle at equal steps tells the stimuli apart: no selectivity"
    words |= {f"note {number + 1}": note for number, note in enumerate(population.notes)}
    return {f"{population.name}: {key}": text for key, text in words.items()}


def _words(nulls: int, bootstrap: int, splits: int, negative: str, size: int | None) -> dict[str, str]:
    rectified = "negative means count as 0" if negative == "rectify" else "units with a negative mean are left out"
    bound = (
        "" if size else " None was given: it is that of the recorded units, a lower bound; the curve has larger ones."
    )
    return {
        "score": "mean over units (tuning, reliability) or pairs of units (correlations); share of trials (decoding)",
        "ci": f"percentiles of {bootstrap} resamples: of the blocks, with the predictions as they are (decoding), of the "
        "units (all others; a pair of a unit with its own copy counts nowhere)",
        "p": f"against {nulls} shuffles ({SHUFFLES_OF_UNITS * nulls} for selectivity): of the stimuli within each block (decoding, tuning, reliability, signal "
        "correlation; one-sided but for the correlation), or of the repeats of each unit by itself (noise correlation "
        "two-sided, spectral radius, participation ratio)",
        "selectivity": f"of mean responses, {rectified}; circular variance is 1 - OSI. Noise alone gives OSI > 0: compare "
        f"with the shuffled labels. tuned_share: units whose OSI exceeds their own shuffles, false discovery rate {ALPHA:g}",
        "signal_correlation": f"tuning in one half of the repeats against tuning in the other, mean over {splits} halves: "
        "free of noise correlation, made smaller by noise",
        "reliability": f"correlation of each unit's tuning in two halves of the repeats, mean over {splits} halves and over "
        "units, Spearman-Brown; units that are silent in a half have none there",
        "spectral_radius": "Dahmen et al. 2019, of residuals around the mean response to each stimulus, one window per "
        "presentation. It needs windows much longer than the correlation time, and a stationary state: with windows of a few "
        "seconds, and calcium signals that last as long, it is a descriptive number. It grows with the size of the population."
        + bound,
        "participation_ratio": "of the noise covariance, and of the covariance of the mean responses; bounded by the number of "
        "presentations or stimuli less 1",
        "subsampling": "random subsets without replacement; `repeats`: at most so many of each stimulus. ssm_reliability: "
        "halves of the repeats, Spearman correlation of their dissimilarities, Spearman-Brown",
    }
