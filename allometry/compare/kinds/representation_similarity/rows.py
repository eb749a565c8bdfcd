"""Rows of comparisons of representations: populations with themselves, with one another, with other animals."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
import xarray as xr

from allometry.compare.inference import verdict
from allometry.compare.inference.ceilings import leave_one_out_ceiling
from allometry.compare.inference.statistics import Interval, null_interval, permutation_p
from allometry.compare.inputs.design import Population
from allometry.compare.kinds.representation_similarity.alignment import align
from allometry.compare.measures.populations.decoding import decode_across
from allometry.compare.measures.representations import geometry
from allometry.compare.result import row

RULES = {"ssm": "correlation", "cka": "ratio", "svcca": "ratio", "rsa": "correlation"}
ALIGN, DECODER = "procrustes", "lda"
MOST_ORDERS = 199  # of the stimuli for p of a decoder: each aligns both animals anew
DECODING_WORDS = (
    f"share of the candidate's stimuli that a decoder ({DECODER}) of its own trials names right in the reference's trials, after "
    f"both were aligned ({ALIGN}) on every other stimulus; the rest is decoded among itself. ci: t over blocks of the reference's "
    f"trials; p: at most {MOST_ORDERS} orders of its stimuli. Directions lie on a ring: animals with smooth tuning pass"
)


@dataclass(frozen=True)
class Settings:
    """Options that all parts need."""

    measures: tuple[str, ...]
    nulls: int
    bootstrap: int
    splits: int
    seed: int


def entry(measure: str, candidate: str, reference: str, score: float | Interval, **extra: Any) -> dict[str, Any]:
    """Row with every further column of this comparison."""
    columns = {"model": "", "layer": "", "depth": -1, "over_pixels": np.nan, "over_low": np.nan, "over_high": np.nan}
    return row(measure, candidate, reference, score, rule=RULES.get(measure, "none"), **{**columns, **extra})


def controls(population: Population, settings: Settings, rows: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Rows of halves of the repeats and of the units; the ceiling of every measure."""
    ceilings = {}
    data = population.responses
    for measure in settings.measures:
        repeats = geometry.split_half(measure, data, splits=settings.splits, seed=settings.seed)
        ceilings[measure] = geometry.ceiling(repeats)
        units = geometry.unit_halves(measure, data, splits=settings.splits, seed=settings.seed)
        for group, values in (("halves of the repeats", repeats), ("halves of the units", units)):
            rows.append(
                entry(
                    measure,
                    population.name,
                    population.name,
                    null_interval(values),
                    group=group,
                    role="control",
                    n=len(data),
                )
            )
    return ceilings


def between_populations(
    found: Sequence[Population], stores_: Mapping[str, xr.Dataset], options: dict[str, Any], settings: Settings
) -> list[dict[str, Any]]:
    """Rows of all pairs of populations."""
    rows = []
    for a, b in itertools.combinations(found, 2):
        (x, y), parameters, labels = align([a, b], stores_, geometry.FEWEST_STIMULI, **options)
        orders = geometry.orders(len(labels), settings.nulls, settings.seed)
        for measure in settings.measures:
            u, v = (geometry.matrix_of(measure, data) for data in (x, y))
            each = [
                geometry.ceiling(geometry.split_half(measure, data, splits=settings.splits, seed=settings.seed))
                for data in (x, y)
            ]
            low, high = (float(np.sqrt(max(p, 0) * max(q, 0))) if np.isfinite(p * q) else np.nan for p, q in zip(*each))
            draws = geometry.replicates(measure, u, v, settings.bootstrap, settings.seed)
            estimate = geometry.agreement_interval(measure, u, v, draws)
            null = geometry.null(measure, u, v, orders)
            rows.append(
                entry(
                    measure,
                    a.name,
                    b.name,
                    estimate,
                    group="shared " + ", ".join(parameters) if parameters else "same stimuli",
                    p=permutation_p(estimate.estimate, null),
                    ceiling=(low, high),
                    n=len(labels),
                    baselines=[verdict.over_null("shuffled stimuli", estimate.estimate, null)],
                )
            )
            shuffled = {"group": "shuffled stimuli", "role": "baseline", "n": len(labels)}
            rows.append(entry(measure, a.name, b.name, null_interval(null), **shuffled))
    return rows


def decoded_across(
    found: Sequence[Population], stores_: Mapping[str, xr.Dataset], options: dict[str, Any], settings: Settings
) -> list[dict[str, Any]]:
    """Rows of a decoder of each population in that of the same area of every other store."""
    rows = []
    for a, b in itertools.permutations(found, 2):
        if a.store == b.store or a.name.removeprefix(a.store) != b.name.removeprefix(b.store):
            continue
        (x, y), parameters, _ = align([a, b], stores_, geometry.FEWEST_STIMULI, **options)
        decoded = decode_across(
            x, y, align=ALIGN, decoder=DECODER, nulls=min(settings.nulls, MOST_ORDERS), seed=settings.seed
        )
        null = decoded.null
        group = f"shared {', '.join(parameters)}"
        rows.append(
            entry(
                "decoding_across",
                a.name,
                b.name,
                decoded.interval,
                group=group,
                p=decoded.p,
                n=decoded.n_trials,
                baselines=[verdict.over_null("shuffled stimuli", decoded.accuracy, null)],
            )
        )
        shuffled = {"group": "shuffled stimuli", "role": "baseline", "n": decoded.n_trials}
        rows.append(entry("decoding_across", a.name, b.name, null_interval(null), **shuffled))
    return rows


def other_animals(
    found: Sequence[Population], stores_: Mapping[str, xr.Dataset], options: dict[str, Any]
) -> list[dict[str, Any]]:
    """Rows of each population against the mean of the same area in the other stores, where there are three or more."""
    areas: dict[str, list[Population]] = {}
    for population in found:
        areas.setdefault(population.name.removeprefix(population.store), []).append(population)
    rows = []
    for group in (g for g in areas.values() if len(g) >= 3):
        aligned, _, labels = align(group, stores_, geometry.FEWEST_STIMULI, **options)
        vectors = np.array(
            [scipy.spatial.distance.squareform(geometry.matrix_of("ssm", data), checks=False) for data in aligned]
        )
        for population, low, high in zip(group, *leave_one_out_ceiling(vectors, "spearman")):
            rows.append(
                entry(
                    "ssm",
                    "mean of the other animals",
                    population.name,
                    float(low),
                    group="leave one animal out",
                    role="control",
                    ceiling=(float(low), max(float(low), float(high))),
                    n=len(labels),
                )
            )
    return rows
