"""What a population of sensory neurons says about the stimulus, and how reliably: decoding, tuning, correlations, dimension.

Every Responses store gives the same rows, so that recordings, and simulations that are stored in the same way, lie side by
side. A population is a store, or each area of a store that has several.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import xarray as xr

from allometry.compare.inference.blockwise import Estimate
from allometry.compare.inference.crossed import MOST_GROUPS
from allometry.compare.inputs.design import ANGLES, Population, model_notes, populations, presentation_table
from allometry.compare.kinds.population_code import manifolds, subsampling
from allometry.compare.kinds.population_code.description import (
    CORRELATION_EDGES,
    FEW_SPLITS,
    SELECTIVITY_EDGES,
    SHUFFLES_OF_UNITS,
    Described,
)
from allometry.compare.kinds.population_code.tuned_share import ALPHA
from allometry.compare.options.population_code import PopulationCode
from allometry.compare.records.kinds import comparison
from allometry.compare.result import Result, curve, with_fdr
from allometry.errors import ComparisonError


@comparison(PopulationCode)
def population_code(inputs: Mapping[str, xr.Dataset | xr.DataTree], options: PopulationCode) -> Result:
    """Describe the population code of every store.

    Parameters
    ----------
    inputs : mapping
        Responses stores by name.
    options : PopulationCode
        What is compared, and how.

    Returns
    -------
    Result
        Rows per population (candidate) of a store (reference): `decoding_within` (group: decoder), `osi`, `dsi`,
        `circular_variance`, `tuned_share`, `reliability`, `signal_correlation`, `noise_correlation`, `spectral_radius`,
        `participation_ratio` (group: signal or noise), each with a shuffled baseline; with `manifolds` also `capacity` and
        `few_shot_snr` (group: examples). Curves: `tuning` (every unit),
        `tuning_null`, `response_correlations`, `decoding_null`, `confusion`, `spectral_radius_by_size`, `subsampling`.
    """
    for key, count in (("nulls", options.nulls), ("subsets", options.subsets), ("splits", options.splits)):
        if count < 1:
            raise ComparisonError(
                f"{key} is {count}", where=key, expected="at least 1: p and intervals are made from them"
            )
    rows: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    derived: dict[str, str] = model_notes(inputs)
    for name in options.populations_of:
        store = cast(xr.Dataset, inputs[name])
        columns = list(options.by) if options.by else _angle(store, name, options.stimulus)
        for population in populations(
            name,
            store,
            stimulus=options.stimulus,
            by=columns,
            blanks=options.blanks,
            fewest_repeats=options.fewest_repeats,
        ):
            centred = population.balanced if options.centre_blocks is None else options.centre_blocks
            size = options.population_size or len(population.units)
            described = Described(population, rows, options.nulls, options.splits, options.seed)
            part: dict[str, Any] = {"population": population.name}
            part |= described.decoding(options.decoders, centred)
            part |= described.selectivity(options.negative)
            part |= described.correlations(size)
            if options.manifolds:
                part["manifolds"] = manifolds.describe(described)
            part["subsampling"] = subsampling.curves(
                population.responses,
                decoder=options.decoders[0],
                centre_blocks=centred,
                subsets=options.subsets,
                seed=options.seed,
            )
            parts.append(part)
            derived |= _notes(population, columns, centred, size)
    return Result(
        title="Population code of mouse cortex" + (" and of simulated networks" if options.simulated else ""),
        rows=with_fdr(rows),
        curves=_curves(parts),
        derived=derived
        | _words(options.nulls, options.splits, options.negative, options.population_size)
        | (manifolds.words() if options.manifolds else {}),
    )


@population_code.estimate
def estimates(inputs: Mapping[str, xr.Dataset | xr.DataTree], options: PopulationCode) -> Iterator[Estimate]:
    """Memory and work of each store as if all its presentations and units took part."""
    for name in options.populations_of:
        sizes = cast(xr.Dataset, inputs[name]).sizes
        units, trials = sizes["unit"], sizes["presentation"]
        # Responses with every lag, then the mean and some shuffled copies; matrices of pairs, with and without groups of trials.
        peak = 8 * units * trials * (6 + sizes.get("lag", 0)) + 8 * (8 + MOST_GROUPS) * units**2
        pairs = (options.nulls * (2.0 * trials + 8 * FEW_SPLITS) + MOST_GROUPS * 2.0 * trials) * units**2
        decoding = 200.0 * trials * units * (options.nulls + 15 * options.subsets)
        yield Estimate(f"population code of {name}", peak, 8 * units * 20, pairs + decoding)


def _angle(store: xr.Dataset, name: str, stimulus: str | None) -> list[str] | None:
    """The angle that stimuli are told apart by, if the table has one; None for the conditions of the store."""
    table = presentation_table(store, name)
    shown = table if stimulus is None else table[table["stimulus"].astype(str) == stimulus]
    return next(([angle] for angle in ANGLES if angle in shown and shown[angle].notna().any()), None)


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
    if "manifolds" in parts[0]:
        each = {key: np.concatenate([part["manifolds"][key] for part in parts]) for key in parts[0]["manifolds"]}
        of = np.repeat(names, [len(part["manifolds"]["alpha"]) for part in parts])
        found["manifolds"] = curve(("entry",), {"population": ("entry", of)}, **each)
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


def _words(nulls: int, splits: int, negative: str, size: int | None) -> dict[str, str]:
    rectified = "negative means count as 0" if negative == "rectify" else "units with a negative mean are left out"
    bound = (
        "" if size else " None was given: it is that of the recorded units, a lower bound; the curve has larger ones."
    )
    return {
        "score": "mean over units (tuning, reliability) or pairs of units (correlations); share of trials (decoding)",
        "ci": "jackknife over units and over blocks of trials, which all units share (groups of stimuli where there are fewer "
        "than 5 blocks, for noise), t distribution with the degrees of freedom of Satterthwaite; with fewer than 3 blocks over "
        "units alone; tuned_share: the shuffles and the false discovery rate are taken anew without each unit and block, and the "
        "interval is nowhere within Wilson's; decoding: t over the blocks that were left out in turn, with the correction of "
        "Nadeau & Bengio (2003) for the training trials that they share",
        "verdict": "against the shuffles that p is of: the interval of the difference is the score less their central 95 %. "
        "Correlations, spectral radius and dimension describe: *more* or *less* than shuffled is neither good nor bad. "
        "tuned_share has none, since it counts units that beat their own shuffles, nor has the dimension of the signal, which "
        "no shuffle leaves without noise",
        "p": f"against {nulls} shuffles ({SHUFFLES_OF_UNITS * nulls} for selectivity): of the stimuli within each block (decoding), or among "
        "presentations that followed one another, as many as there are stimuli (tuning, reliability, signal correlation; one-sided but for the correlation), or of the repeats of each unit by itself (noise correlation "
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
        "participation_ratio": "of the noise covariance, from unbiased traces (infinite where there are too few presentations to "
        "tell), and of the covariance of the mean responses, bounded by the number of stimuli less 1",
        "subsampling": "random subsets without replacement; `repeats`: at most so many of each stimulus. ssm_reliability: "
        "halves of the repeats, Spearman correlation of their dissimilarities, Spearman-Brown",
    }
