"""Similarity of representations: areas and animals with one another, and with a bank of models on the same stimuli.

Shi, Shea-Brown & Buice 2019 (NeurIPS 32) compare the similarity matrices of areas of mouse cortex with those of the layers
of a network; here the layers are those of `model_bank`, and the stimuli are rendered from the presentation table.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import scipy
import xarray as xr

from allometry.compare.inference import verdict
from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.blockwise import Estimate
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import Interval, null_interval, permutation_p
from allometry.compare.inputs.design import Population, model_notes, populations
from allometry.compare.kinds.representation_similarity import model_bank, stimuli
from allometry.compare.kinds.representation_similarity.rows import (
    DECODING_WORDS,
    Settings,
    between_populations,
    controls,
    decoded_across,
    entry,
    other_animals,
)
from allometry.compare.measures.representations import geometry, topology
from allometry.compare.options.representation_similarity import RepresentationSimilarity
from allometry.compare.records.kinds import comparison
from allometry.compare.result import Result, curve, with_fdr
from allometry.errors import ComparisonError


@comparison(RepresentationSimilarity)
def representation_similarity(
    inputs: Mapping[str, xr.Dataset | xr.DataTree], options: RepresentationSimilarity
) -> Result:
    """Compare populations with one another and with models.

    Parameters
    ----------
    inputs : mapping
        Responses stores by name; a store with several areas gives one population for each.
    options : RepresentationSimilarity
        What is compared, and how.

    Returns
    -------
    Result
        A row per measure and: layer and population; pair of populations (with `decoding_across` also by a decoder of the one in
        the other); halves of the repeats or units of a population
        (controls); best layer of each model with shuffled stimuli or turned directions (baselines). `pseudo_depth`: the
        layer of largest `ssm`. Curves `representational_dissimilarity` (matrices of populations and of their best layers),
        `map` (its scaling to the plane) and `score_by_units`.
    """
    stores_ = {name: cast(xr.Dataset, inputs[name]) for name in options.populations_of}
    chosen: dict[str, Any] = {
        "stimulus": options.stimulus,
        "blanks": options.blanks,
        "fewest_repeats": options.fewest_repeats,
    }
    found = [p for name in stores_ for p in populations(name, stores_[name], **chosen)]
    settings = Settings(
        tuple(dict.fromkeys(options.measures)), options.nulls, options.bootstrap, options.splits, options.seed
    )
    screen = stimuli.Screen(options.field_deg, options.pixels)
    defaults = {
        "spatial_frequency": options.spatial_frequency,
        "temporal_frequency": options.temporal_frequency,
        "contrast": options.contrast,
    }
    rows: list[dict[str, Any]] = []
    derived: dict[str, str] = model_notes(inputs)
    best: list[FloatArray] = []
    names: list[str] = []
    by_units: list[dict[str, Any]] = []
    movies: dict[str, list[model_bank.Layer]] = {}
    for population in found:
        if len(population.stimuli) < geometry.FEWEST_STIMULI:
            raise ComparisonError(
                f"{population.name} has {len(population.stimuli)} stimuli",
                expected=f"at least {geometry.FEWEST_STIMULI} with repeats",
            )
        if options.models and population.store not in movies:
            # Areas of one store saw the same stimuli.
            shown, assumed = stimuli.render(population, screen, defaults=defaults, store=stores_[population.store])
            movies[population.store] = list(
                model_bank.bank(
                    shown,
                    screen,
                    options.models,
                    frequencies=options.gabor_frequencies,
                    orientations=options.orientations,
                    seed=options.seed,
                )
            )
            derived |= {f"{population.store}: {key}": f"{text}, not in the table" for key, text in assumed.items()}
        layers = movies.get(population.store, [])
        ceilings = controls(population, settings, rows)
        matrix, name = _models(population, layers, settings, ceilings, rows)
        best.append(matrix)
        names.append(name)
        by_units += _by_units(population, layers, settings)
        for number, note in enumerate(population.notes):
            derived[f"{population.name}: note {number + 1}"] = note
    if options.between and len(found) > 1:
        rows += between_populations(found, stores_, chosen, settings)
        rows += other_animals(found, stores_, chosen)
    if options.decoding_across and len(stores_) > 1:
        rows += decoded_across(found, stores_, chosen, settings)
        derived["decoding_across"] = DECODING_WORDS
    if not rows:
        raise ComparisonError("there is nothing to compare", do="name models, or several stores")
    return Result(
        title="Similarity of representations in mouse cortex and a bank of models"
        + (" and of simulated networks" if options.simulated else ""),
        rows=with_fdr(rows),
        curves=_curves(found, best, names, by_units),
        derived=derived | _words(settings, screen, found, bool(options.models)),
    )


@representation_similarity.estimate
def estimates(inputs: Mapping[str, xr.Dataset | xr.DataTree], options: RepresentationSimilarity) -> Iterator[Estimate]:
    """Memory and work of each store: its responses, the movies of its stimuli, the largest layers of the bank."""
    frames = stimuli.Screen(pixels=options.pixels).frames
    for name in options.populations_of:
        store = cast(xr.Dataset, inputs[name])
        shown = np.unique(store["condition"].values.astype(object), return_counts=True)[1]
        count = int((shown >= options.fewest_repeats).sum())
        cube = 8 * store.sizes["unit"] * store.sizes["presentation"] * (4 + store.sizes.get("lag", 0))
        filters = 2 * options.orientations * model_bank.MOST_POSITIONS**2
        movies = 4 * frames * options.pixels**2 * count
        # Movies, once more as the layer of pixels, and one scale of filters.
        peak = cube + ((2 * movies + 8 * filters * options.pixels**2) if options.models else 0)
        layers = 4 * len(options.models)
        work = (
            2.0 * frames * options.pixels**2 * count * filters * 4 * bool(options.models)
            + layers * (options.nulls + options.bootstrap) * 200.0 * count**2
        )
        yield Estimate(f"representations of {name}", peak, 16 * count**2, work)


def _models(
    population: Population,
    layers: Sequence[model_bank.Layer],
    settings: Settings,
    ceilings: Mapping[str, tuple[float, float]],
    rows: list[dict[str, Any]],
) -> tuple[FloatArray, str]:
    """Rows of all layers; dissimilarities and name of the layer that is most similar by the first measure."""
    count = len(population.stimuli)
    orders = geometry.orders(count, settings.nulls, settings.seed)
    turned = _turns(population)
    winner: tuple[float, FloatArray, str] = (-np.inf, np.full((count, count), np.nan), "")
    for measure in settings.measures:
        own = geometry.matrix_of(measure, population.responses)
        scored = []
        for layer in layers:
            matrix = geometry.matrix_of(measure, layer.responses)
            draws = geometry.replicates(measure, own, matrix, settings.bootstrap, settings.seed)
            estimate = geometry.agreement_interval(measure, own, matrix, draws)
            scored.append((layer, matrix, estimate, draws, geometry.null(measure, own, matrix, orders)))
        pixels = next((entry for entry in scored if entry[0].model == "pixels"), None)
        for layer, matrix, estimate, draws, null in scored:
            over = Interval(np.nan, np.nan, np.nan)
            held = [verdict.over_null("shuffled stimuli", estimate.estimate, null)]
            without = geometry.left_out(measure, own, matrix)
            if len(turned):
                held.append(_over_turns(measure, own, matrix, turned, estimate.estimate, without))
            if pixels is not None and layer.model != "pixels":
                over = geometry.bounded(draws - pixels[3], estimate.estimate - pixels[2].estimate, count)
                if measure in geometry.GRAMS:  # of which nothing is resampled
                    left = without - geometry.left_out(measure, own, pixels[1])
                    held.append(verdict.jackknifed("pixels", estimate.estimate, pixels[2].estimate, left))
                else:
                    held.append(verdict.Baseline("pixels", pixels[2].estimate, over))
            rows.append(
                entry(
                    measure,
                    f"{layer.model}: {layer.name}",
                    population.name,
                    estimate,
                    group="model",
                    p=permutation_p(estimate.estimate, null),
                    ceiling=ceilings[measure],
                    n=count,
                    model=layer.model,
                    layer=layer.name,
                    depth=layer.depth,
                    over_pixels=over.estimate,
                    over_low=over.low,
                    over_high=over.high,
                    baselines=held,
                )
            )
        for model in dict.fromkeys(layer.model for layer in layers):
            mine = [entry for entry in scored if entry[0].model == model and np.isfinite(entry[2].estimate)]
            if not mine:
                continue
            layer, matrix, estimate, _, null = max(mine, key=lambda entry: entry[2].estimate)
            name = f"{layer.model}: {layer.name}"
            named = {"model": model, "layer": layer.name, "depth": layer.depth, "n": count, "role": "baseline"}
            rows.append(entry(measure, name, population.name, null_interval(null), group="shuffled stimuli", **named))
            if len(turned):
                values = geometry.null(measure, own, matrix, turned)
                rows.append(
                    entry(measure, name, population.name, null_interval(values), group="turned directions", **named)
                )
            if measure == "ssm" and len(mine) > 1:
                rows.append(_depth(model, population, mine))
            if measure == settings.measures[0] and estimate.estimate > winner[0]:
                winner = (estimate.estimate, geometry.matrix_of("ssm", layer.responses), name)
    return winner[1], winner[2]


def _over_turns(
    measure: str, own: FloatArray, matrix: FloatArray, turned: np.ndarray, score: float, left_out: FloatArray
) -> verdict.Baseline:
    """Score beside its mean over all turns of all directions, with a jackknife over stimuli."""
    every = [matrix[np.ix_(order, order)] for order in turned]
    mean = float(np.mean([geometry.agreement(measure, own, other) for other in every]))
    left = left_out - np.mean([geometry.left_out(measure, own, other) for other in every], axis=0)
    return verdict.jackknifed("turned directions", score, mean, left)


def _depth(model: str, population: Population, scored: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """Pseudo-depth: number (from 0) of the layer of largest similarity, with the interval of resampled stimuli."""
    depths = np.array([entry[0].depth for entry in scored])
    best = float(depths[np.argmax([entry[2].estimate for entry in scored])])
    draws = np.array([entry[3] for entry in scored])
    known = draws[:, np.isfinite(draws).all(axis=0)]
    deepest = depths[known.argmax(axis=0)].astype(float) if known.size else np.empty(0)
    bounds = geometry.bounded(deepest, best, len(population.stimuli), (float(depths.min()), float(depths.max())))
    return entry("pseudo_depth", model, population.name, bounds, group="layer of maximum", model=model, n=len(depths))


def _turns(population: Population) -> np.ndarray:
    """Orders that turn all directions of the population's stimuli."""
    table = population.stimuli
    if "direction" not in table or table["direction"].isna().any():
        return np.empty((0, len(table)), dtype=np.int64)
    other = [c for c in ("spatial_frequency", "temporal_frequency", "contrast") if c in table]
    rest = [tuple(values) for values in table[other].to_numpy(float).round(6)]
    return geometry.rotations(table["direction"].tolist(), rest)


def _by_units(population: Population, layers: Sequence[model_bank.Layer], settings: Settings) -> list[dict[str, Any]]:
    """Similarity (first measure) of every layer with random subsets of the units: how much does a small sample tell?"""
    measure = settings.measures[0]
    models = [geometry.matrix_of(measure, layer.responses) for layer in layers]
    total = len(population.units)
    sizes: np.ndarray = np.unique(np.geomspace(min(5, total), total, 6).astype(int)) if models else np.empty(0, int)
    rng = np.random.default_rng(settings.seed)
    found = []
    for size in sizes:
        times = 1 if size == total else min(20, settings.splits)
        scores = np.full((times, len(models)), np.nan)
        for k in steps(range(times), f"subsets of {size}"):
            chosen = rng.choice(total, size, replace=False)
            try:
                own = geometry.matrix_of(measure, population.responses[:, :, chosen])
            except ComparisonError:  # units that never respond
                continue
            scores[k] = [geometry.agreement(measure, own, matrix) for matrix in models]
        for layer, values in zip(layers, scores.T):
            shown = null_interval(values)
            found.append(
                {"population": population.name, "layer": f"{layer.model}: {layer.name}", "units": float(size)}
                | {"score": shown.estimate, "low": shown.low, "high": shown.high}
            )
    return found


def _curves(
    found: Sequence[Population], best: Sequence[FloatArray], names: Sequence[str], by_units: Sequence[dict[str, Any]]
) -> dict[str, xr.Dataset]:
    most = max(len(p.stimuli) for p in found)

    def padded(matrix: FloatArray) -> FloatArray:
        return np.pad(matrix, (0, most - len(matrix)), constant_values=np.nan)

    measured = [geometry.matrix_of("ssm", p.responses) for p in found]
    labels = [[*p.stimuli["label"], *[""] * (most - len(p.stimuli))] for p in found]
    curves = {
        "representational_dissimilarity": curve(
            ("population", "stimulus", "other"),
            {
                "population": [p.name for p in found],
                "best_layer": ("population", list(names)),
                "label": (("population", "stimulus"), labels),
            },
            measured=[padded(matrix) for matrix in measured],
            modelled=[padded(matrix) for matrix in best],
        ),
        "map": curve(
            ("population", "stimulus", "axis"),
            {"population": [p.name for p in found]},
            position=[np.pad(_map(m), ((0, most - len(m)), (0, 0)), constant_values=np.nan) for m in measured],
        ),
    }
    if by_units:
        coords = {key: ("entry", [entry[key] for entry in by_units]) for key in ("population", "layer")}
        values = {key: [entry[key] for entry in by_units] for key in ("units", "score", "low", "high")}
        curves["score_by_units"] = curve(("entry",), coords, **values)
    return curves


def _map(matrix: FloatArray) -> FloatArray:
    """Stimuli in the plane whose distances fit their dissimilarities best, [stimuli, 2]; NaN where one has none."""
    values = scipy.spatial.distance.squareform(matrix, checks=False)
    return topology.mds(values) if np.isfinite(values).all() else np.full((len(matrix), 2), np.nan)


def _words(settings: Settings, screen: stimuli.Screen, found: Sequence[Population], models: bool) -> dict[str, str]:
    """What was done, in words."""
    counts = ", ".join(
        f"{p.name} {len(p.stimuli)} stimuli x {p.repeats.min()} to {p.repeats.max()} repeats, {len(p.units)} units"
        for p in found
    )
    words = {
        "score": "ssm: Spearman correlation of the pairs' Pearson dissimilarities; cka: debiased, linear; rsa: rho-a of "
        "crossnobis distances (populations) and squared Euclidean distances (models); means over repeats",
        "ci": f"over stimuli: percentiles of {settings.bootstrap} resamples without pairs of a stimulus with itself; cka: "
        f"jackknife; none for svcca, nor for fewer than {geometry.FEWEST_FOR_INTERVAL} stimuli; controls and baselines: where 95 % of the "
        "random splits or orders lie",
        "p": f"one-sided, against {settings.nulls} random orders of the stimuli, or all where there are no more; directions "
        "lie on a ring, so that any two systems with smooth tuning pass: compare with `turned directions`",
        "ceiling_low": f"mean over {settings.splits} random halves of the repeats: what one half tells of the other",
        "ceiling_high": "sqrt(2 r / (1 + r)) of it; between populations the geometric mean of both ceilings. rsa needs four "
        "repeats of each stimulus for it",
        "verdict": "models: against the strongest of pixels (by the same resamples of the stimuli; cka: jackknife over stimuli), "
        "turned directions (jackknife) and shuffled stimuli; populations: against shuffled stimuli. pseudo_depth is a place, "
        "not a score, and has none",
        "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
        "design": counts + ". Few stimuli make few pairs (12 stimuli: 66) that are not independent: layers that differ "
        "little cannot be told apart",
    }
    if "svcca" in settings.measures:
        words["svcca"] = (
            "mean canonical correlation of the directions that hold 99 % of the variance of the means over repeats, at most one "
            f"for {geometry.STIMULI_PER_DIRECTION} stimuli. It falls with the number of stimuli, and neither resamples nor a jackknife hold its mean over "
            "other stimuli as often as they say: it has no interval, and is undecided where pixels or turned directions are its "
            "strongest baseline; p and the verdict against shuffled stimuli hold"
        )
    if models:
        words["models"] = (
            f"rendered on {screen.field_deg:g} degrees, {screen.pixels} pixels wide, at {screen.rate_hz:g} frames/s for "
            f"{screen.movie_s:g} s; a unit's response is its mean over the frames, of `pixels` the movie itself. Where "
            "an experiment has its 0 degrees is not known, and models hold every orientation alike"
        )
        words["over_pixels"] = "score less that of `pixels`, with the interval of the same resamples of the stimuli"
        words["turned directions"] = (
            "mean over all turns of all directions by the same step: what smooth tuning alone gives"
        )
        words["pseudo_depth"] = "number, from 0, of the model's layer of largest ssm (Shi et al. 2019)"
    return words
