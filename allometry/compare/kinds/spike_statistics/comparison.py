"""Statistics of spiking activity, simulation against simulation and data, beside what another seed changes.

Stores that differ only in their seed are an *ensemble*. Two ensembles are compared in every statistic and population by
the mean distance between their members; the distances within each ensemble are what a difference must exceed.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from allometry.compare.inference import ecdf
from allometry.compare.inference.blockwise import Estimate, estimate
from allometry.compare.inference.statistics import Interval
from allometry.compare.inputs import spike_trains
from allometry.compare.kinds.spike_statistics import curves
from allometry.compare.kinds.spike_statistics.distances import FEWEST_SEEDS, POISSON, SEEDS, SIMPLE, Distances
from allometry.compare.kinds.spike_statistics.ensembles import (
    Data,
    Ensemble,
    Options,
    Profiles,
    ensembles_of,
    pairs_of,
    shared,
)
from allometry.compare.kinds.spike_statistics.measures import MEASURES
from allometry.compare.kinds.spike_statistics.profile import FEWEST_INTERVALS, FEWEST_ITEMS, STATISTICS
from allometry.compare.options.spike_statistics import SpikeStatistics
from allometry.compare.records.kinds import comparison
from allometry.compare.result import Result, row, with_fdr
from allometry.errors import ComparisonError


@comparison(SpikeStatistics)
def spike_statistics(inputs: Mapping[str, Data], options: SpikeStatistics) -> Result:
    """Compare the statistics of every ensemble with those of a reference, or of every other.

    Parameters
    ----------
    inputs : mapping
        Spikes, Responses and Activity stores by name; points of a run go by their own names.
    options : SpikeStatistics
        What is compared, and how.

    Returns
    -------
    Result
        Rows of the measures in `measures.MEASURES`, with group: the population; role `baseline`: distances
        within an ensemble. Columns `expected` (what two ensembles that differ in nothing but seeds would have),
        `relative` (score over it), `beside_seeds`, `candidate_value` and `reference_value` (means). Curves
        `spike_distributions`, `spike_spectra`, `spike_avalanches`.

    Raises
    ------
    ComparisonError
        Fewer than two stores, an unknown reference or statistic, a store of another kind, or nothing after the warm-up.
    """
    unknown = [name for name in options.statistics if name not in STATISTICS]
    if unknown or not options.statistics:
        raise ComparisonError(
            f"unknown statistics {unknown}", where="statistics", expected="some of " + ", ".join(STATISTICS)
        )
    ensembles = ensembles_of(inputs)
    pairs = pairs_of(ensembles, options.reference)
    profiles = Profiles(
        inputs,
        pairs,
        Options(
            options.statistics,
            options.bin_ms,
            options.skip_ms,
            options.max_units,
            options.bootstrap,
            options.seed,
            options.areas,
        ),
    )
    rows: list[dict[str, Any]] = []
    for population in dict.fromkeys(name for pair in pairs for name in shared(*pair)):
        having = {name: by[population] for name, by in profiles.by_store.items() if population in by}
        having |= {POISSON + name: by[population] for name, by in profiles.poisson.items() if population in by}
        distances = Distances(having, population, options.bootstrap, options.seed)
        concerned = [pair for pair in pairs if population in shared(*pair)]
        for measure in MEASURES:
            for candidate, against in concerned:
                if candidate is not against:
                    rows += _result(profiles, distances, candidate, against, population, measure)
            for against in dict.fromkeys(against for candidate, against in concerned if candidate is not against):
                rows += _poisson(distances, against, population, measure)
            for ensemble in dict.fromkeys(member for pair in concerned for member in pair):
                rows += _baseline(profiles, distances, ensemble, population, measure)
    if not rows:
        raise ComparisonError(
            f"no statistic can be compared: {' and '.join(inputs)} have too few spikes or units in what they share",
            where="statistics",
            expected=f"populations of one name in both, or of other names in each, with at least {FEWEST_ITEMS} units of a "
            f"statistic (cv and lv: {FEWEST_INTERVALS} intervals in each)",
            do="compare larger recordings, or other statistics",
        )
    return Result(
        title="Statistics of spiking activity, beside what another seed changes",
        rows=with_fdr(rows),
        curves=curves.curves(profiles.by_store, {name: e.name for e in ensembles.values() for name in e.members}),
        derived=_derived(profiles, ensembles),
    )


@spike_statistics.estimate
def estimates(inputs: Mapping[str, Data], options: SpikeStatistics) -> Iterator[Estimate]:
    """What the spikes of each store and the correlations of its largest population will need, from the sizes alone."""
    for name, store in inputs.items():
        if not isinstance(store, xr.Dataset) or store.attrs["schema"] != "Spikes":
            continue
        sizes = [units.size for key, units in spike_trains.members(store).items() if key != spike_trains.EVERYONE]
        sizes = sizes or [store.sizes["unit"]]
        sampled = sum(min(options.max_units, size) for size in sizes)
        total = store.sizes.get("spike", 0)
        spikes = int(total * sampled / max(sum(sizes), 1))
        # step, owner and order of each kept spike, one chunk of all, and a block of resamples with its parts
        peak = 40 * spikes + 28 * min(spike_trains.CHUNK, total) + 6 * ecdf.BLOCK_BYTES
        yield Estimate(f"{sampled} of {sum(sizes)} units of {name}", peak, 8 * spikes, 60.0 * spikes + total)
        if "correlation" in options.statistics:
            units = max(2, min(options.max_units, max(sizes)))
            need = estimate("pairwise", units=units, nonzero=max(spikes // len(sizes), 1))
            yield dataclasses.replace(need, measure=f"correlations of {units} units of {name}")


def _value(profiles: Profiles, ensemble: Ensemble, population: str, statistic: str) -> float:
    """Mean over units and members of a statistic; NaN for a spectrum."""
    found = []
    for name in ensemble.members:
        profile = profiles.by_store[name][population]
        if statistic in profile.samples:
            found.append(float(profile.samples[statistic].values.mean()))
        elif statistic in profile.scalars:
            found.append(profile.scalars[statistic].value)
    return float(np.mean(found)) if found else np.nan


def _items(profiles: Profiles, ensemble: Ensemble, population: str, statistic: str) -> int:
    """Units (or avalanches) that a distance rests on: those of the smallest member; those of the population count."""
    sizes = [
        sample.n_units
        for name in ensemble.members
        if (sample := profiles.by_store[name][population].samples.get(statistic)) is not None
    ]
    return min(sizes, default=0 if statistic in ("osi", "rate") else profiles.common.get(population, 0))


def _result(
    profiles: Profiles, distances: Distances, candidate: Ensemble, against: Ensemble, population: str, measure: str
) -> list[dict[str, Any]]:
    judged = distances.judge(candidate.members, against.members, measure)
    if judged is None:
        return []
    statistic, unit = MEASURES[measure]
    simple = distances.over_poisson(candidate.members, against.members, measure)
    return [
        row(
            measure,
            candidate.name,
            against.name,
            judged.score,
            group=population,
            p=judged.p,
            n=min(_items(profiles, e, population, statistic) for e in (candidate, against)),
            unit=unit,
            pairs=judged.pairs,
            expected=judged.baseline,
            relative=judged.relative,
            beside_seeds=judged.verdict,
            baselines=[simple] if simple is not None else [],
            candidate_value=_value(profiles, candidate, population, statistic),
            reference_value=_value(profiles, against, population, statistic),
        )
    ]


def _poisson(distances: Distances, against: Ensemble, population: str, measure: str) -> list[dict[str, Any]]:
    """Row of the Poisson units with a reference's rates, where the statistic is defined of them."""
    simple = distances.over_poisson(against.members, against.members, measure)
    if simple is None:
        return []
    _, unit = MEASURES[measure]
    nothing: dict[str, Any] = dict.fromkeys(("expected", "relative", "candidate_value", "reference_value"), np.nan)
    return [
        row(
            measure,
            SIMPLE,
            against.name,
            simple.score,
            group=population,
            role="baseline",
            unit=unit,
            pairs=len(against.members),
            beside_seeds="",
            **nothing,
        )
    ]


def _baseline(
    profiles: Profiles, distances: Distances, ensemble: Ensemble, population: str, measure: str
) -> list[dict[str, Any]]:
    inside = distances.within(ensemble.members, measure)
    if not inside.values.size:
        return []
    statistic, unit = MEASURES[measure]
    mean = float(inside.values.mean())
    value = _value(profiles, ensemble, population, statistic)
    lowest, highest = float(inside.values.min()), float(inside.values.max())
    if inside.values.size < 2:  # a single pair has a distance and no range
        lowest = highest = np.nan
    return [
        row(
            measure,
            ensemble.name,
            ensemble.name,
            Interval(mean, lowest, highest),
            group=population,
            role="baseline",
            n=_items(profiles, ensemble, population, statistic),
            unit=unit,
            pairs=inside.values.size,
            expected=mean,
            relative=np.nan,
            beside_seeds="between seeds" if inside.basis == SEEDS else "between halves of the units",
            candidate_value=value,
            reference_value=value,
        )
    ]


def _derived(profiles: Profiles, ensembles: Mapping[str, Ensemble]) -> dict[str, str]:
    options = profiles.options
    texts = {
        "ensemble": "; ".join(f"{e.name}: {', '.join(e.members)}" for e in ensembles.values()),
        "score": "mean distance between the members of two ensembles; ks: Kolmogorov-Smirnov, wasserstein: earth mover's "
        "distance in the unit of the statistic, spectrum: root mean square ratio in dB, difference: absolute",
        "ci": f"percentiles of {options.bootstrap} resamples of the units of every store (of segments of 256 ms or blocks of "
        "100 ms for statistics of the population count), moved to the estimate; of a baseline: its smallest and largest distance, where there is more than one pair",
        "p": "share of all ways to deal the members to the two ensembles whose distance, less that within, is as large; "
        "two seeds each allow no p below 1/3",
        "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
        "expected": "root mean square of the distances between seeds (halves of the units, divided by sqrt 2, of a store "
        "without another seed), over both ensembles: the expected distance if nothing but the seed differed",
        "verdict": "against independent Poisson units at the rates of the reference's own units: the distance of the candidate "
        "from the reference less that of the Poisson units, on the same resamples of the reference. Rates have none, which the "
        "Poisson units are given; nor have responses and traces. What another seed changes, which nothing can beat, is in "
        "`beside_seeds`",
        "beside_seeds": "within: the score is at most the largest distance between seeds (the 95th percentile between halves); "
        "beyond: its interval is above it; unresolved: the score is above, the interval is not, or there is none; too few "
        f"seeds: the score is above, but two seeds have one distance, which says little about the next: {FEWEST_SEEDS} are needed",
    }
    return {**texts, **_made(profiles), **profiles.notes, **_undefined(profiles)}


def _made(profiles: Profiles) -> dict[str, str]:
    """How the statistics of spikes that were asked for were made."""
    options = profiles.options
    common = ", ".join(f"{size} of {population}" for population, size in profiles.common.items())
    if not common:
        return {}
    texts = {
        "sample": f"at most {options.max_units} units of each population, drawn at random with seed {options.seed}; "
        f"population counts are of as many units in every store: {common}",
        "window": f"{profiles.seconds:g} s of every Spikes store, the length of the shortest: after the first "
        f"{options.skip_ms:g} ms of a simulation, from the start of the longest observed interval of a recording",
    }
    of_statistic = {
        "cv": f"of units with at least {FEWEST_INTERVALS} intervals",
        "lv": f"of units with at least {FEWEST_INTERVALS} intervals",
        "correlation": f"Pearson, counts in {profiles.bins} bins of {options.bin_ms:g} ms, all pairs of the sampled units "
        "that fire",
        "timescale": "of units the autocorrelation of whose counts in 5 ms bins, up to 500 ms, is better fitted by an exponential decay "
        "and an offset than by a constant",
        "spectrum": "of counts in 1 ms bins, segments of 256 ms (Hann, not overlapping), over that of independent Poisson "
        "units; a peak must exceed what the largest of all frequencies exceeds by chance once in 20 times",
        "synchrony": "variance over mean of the counts in 3 ms bins",
        "avalanches": "size: spikes between empty bins, whose width is the mean interval between spikes of the sample",
        "branching_ratio": "multistep regression over lags of up to 400 ms in 4 ms bins",
        "bursts": "of the population: rate per unit in 25 ms bins above 1 Hz that somewhere exceeds 5 Hz, a threshold that does not "
        "depend on the mean rate; gaps below 100 ms are none",
    }
    return texts | {name: text for name, text in of_statistic.items() if name in options.statistics}


def _undefined(profiles: Profiles) -> dict[str, str]:
    """Why statistics are missing, by statistic: the reason, and where."""
    everywhere = sum(len(by_population) for by_population in profiles.by_store.values())
    found: dict[str, dict[str, list[str]]] = {}
    for name, by_population in profiles.by_store.items():
        for population, profile in by_population.items():
            for statistic, reason in profile.reasons.items():
                found.setdefault(statistic, {}).setdefault(reason, []).append(f"{population} of {name}")
    return {
        f"undefined {statistic}": "; ".join(
            f"{reason} ({'everywhere' if len(where) == everywhere else ', '.join(where)})"
            for reason, where in reasons.items()
        )
        for statistic, reasons in found.items()
    }
