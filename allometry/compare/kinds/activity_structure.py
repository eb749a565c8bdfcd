"""Correlation of activity against the connectome in the worm (the question of Uzel et al. 2022).

Undirected pairs of labelled neurons that were recorded together. Each recording gives one correlation per pair; those of
all recordings of a store are averaged (Fisher z), and recordings are the animals of the ceiling.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, cast

import numpy as np
import xarray as xr

from allometry import stores
from allometry.compare.inference import verdict
from allometry.compare.inference.blockwise import Estimate
from allometry.compare.inference.ceilings import spearman_brown
from allometry.compare.inference.crossed import crossed_interval, groups
from allometry.compare.inference.statistics import Interval, null_interval, permutation_p
from allometry.compare.inputs.atlas import homologues, weights
from allometry.compare.measures.graphs import dyads
from allometry.compare.measures.graphs.matrices import Floats
from allometry.compare.measures.graphs.structure import rank_correlation
from allometry.compare.options.activity_structure import ActivityStructure
from allometry.compare.records.kinds import comparison
from allometry.compare.result import Result, curve, row, with_fdr
from allometry.errors import ComparisonError
from allometry.stores.summaries.activity import masked_correlation

FEWEST_SAMPLES = 50  # of a pair of neurons
FEWEST_PAIRS = 30


@dataclass(frozen=True)
class Recorded:
    """Correlations of a store: `each` [recording, node, node] and their mean [node, node], NaN where not recorded together."""

    name: str
    labels: list[str]
    each: Floats
    mean: Floats


@comparison(ActivityStructure)
def activity_structure(inputs: Mapping[str, xr.Dataset | xr.DataTree], options: ActivityStructure) -> Result:
    """Compare the correlations of every activity store with every connectome.

    Parameters
    ----------
    inputs : mapping
        Activity and Connectome stores by name.
    options : ActivityStructure
        What is compared, and how.

    Returns
    -------
    Result
        Rows `activity_structure_correlation`; group: kind of synapse, `all`, `common_input` (cosine similarity of the
        neurons' inputs), `degree`, the mean of each with permuted neurons, `homologues` (correlation of the left-right mirrored pair). Curve
        `correlation_by_weight`: mean correlation of pairs without an edge and with weak to strong edges.
    """
    rows: list[dict[str, Any]] = []
    by_weight: list[tuple[str, str, Floats, Floats]] = []
    for name in options.activity:
        recorded = _recorded(name, cast(xr.DataTree, inputs[name]))
        ceiling = _ceiling(recorded.each)
        partner = homologues(recorded.labels)
        mirror = recorded.mean[np.ix_(partner, partner)].copy()
        mirror[np.ix_(partner == np.arange(len(partner)), partner == np.arange(len(partner)))] = np.nan
        rows.append(
            row(
                "activity_structure_correlation",
                "mirrored pairs",
                name,
                _safe_bootstrap(mirror, recorded.mean, options.bootstrap, options.seed),
                group="homologues",
                role="control",
                ceiling=ceiling,
                rule="correlation",
                n=_pairs(mirror, recorded.mean),
            )
        )
        for candidate in options.structure:
            predictors = _predictors(cast(xr.Dataset, inputs[candidate]), options.synapses, recorded.labels)
            degree = _safe_bootstrap(predictors["degree"], recorded.mean, options.bootstrap, options.seed)
            for group, predictor in predictors.items():
                pairs = _pairs(predictor, recorded.mean)
                if pairs < FEWEST_PAIRS:
                    raise ComparisonError(
                        f"{name} and {candidate} share {pairs} pairs of neurons",
                        expected=f"at least {FEWEST_PAIRS} pairs of labelled neurons that were recorded together",
                        do="use recordings with more labels, or leave this store out",
                    )
                estimate = _safe_bootstrap(predictor, recorded.mean, options.bootstrap, options.seed)
                null = dyads.null(predictor, recorded.mean, options.nulls, options.seed)
                rows.append(
                    row(
                        "activity_structure_correlation",
                        candidate,
                        name,
                        estimate,
                        group=group,
                        role="baseline" if group == "degree" else "result",
                        baselines=[]
                        if group == "degree"
                        else [
                            verdict.same_resamples("degree", estimate, degree),
                            verdict.over_null(f"{group}, permuted neurons", estimate.estimate, null),
                        ],
                        p=permutation_p(estimate.estimate, null),
                        ceiling=ceiling,
                        rule="correlation",
                        n=pairs,
                    )
                )
                if group != "degree":
                    rows.append(
                        row(
                            "activity_structure_correlation",
                            candidate,
                            name,
                            null_interval(null),
                            group=f"{group}, permuted neurons",
                            role="baseline",
                            ceiling=ceiling,
                            rule="correlation",
                            n=pairs,
                        )
                    )
            by_weight.append((candidate, name, *_by_weight(predictors["all"], recorded.mean)))
    coords = {
        "candidate": ("combination", [entry[0] for entry in by_weight]),
        "reference": ("combination", [entry[1] for entry in by_weight]),
        "edge": ("edge", ["none", "1-2", "3-5", "6-10", "11-20", ">20"]),
    }
    return Result(
        title="Correlation of activity against the connectome in the worm",
        rows=with_fdr(rows),
        curves={
            "correlation_by_weight": curve(
                ("combination", "edge"),
                coords,
                correlation=[entry[2] for entry in by_weight],
                pairs=[entry[3] for entry in by_weight],
            )
        },
        derived={
            "score": "Spearman correlation over undirected pairs of neurons; activity: Pearson correlation per recording, "
            "Fisher-z mean over the recordings of the store",
            "weight": "synapse counts of both directions added; gap junctions once",
            "ci": f"percentiles of {options.bootstrap} resamples of the neurons, ranks kept",
            "p": f"one-sided, against {options.nulls} permutations of the neurons of the connectome",
            "ceiling_low": "mean rank correlation of one recording with the mean of the others, over pairs in both",
            "ceiling_high": "upper limit (95 %, jackknife over recordings and groups of neurons) of the square root of the "
            "reliability of the mean over recordings (Spearman-Brown of the mean rank correlation of two recordings): a perfect "
            "predictor reaches that root on average, and exceeds the limit rarely",
            "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
        },
    )


@activity_structure.estimate
def estimates(inputs: Mapping[str, xr.Dataset | xr.DataTree], options: ActivityStructure) -> Iterator[Estimate]:
    """Memory of the correlations of all recordings, and work of the permutations and resamples, from the sizes alone."""
    for name in options.activity:
        root = cast(xr.DataTree, inputs[name]).to_dataset()
        kept = int(root["recorded"].values.any(axis=0).sum())
        samples = int(root["row_size"].values.max(initial=0))
        matrices = 8 * kept * kept
        # correlations of each recording, once more as vectors, and some sums of the one at hand
        peak = 2 * root.sizes["recording"] * matrices + 8 * matrices + 32 * kept * samples
        work = 6.0 * kept * kept * root["row_size"].values.sum() + 10.0 * kept * kept * (
            options.nulls + options.bootstrap
        )
        yield Estimate(f"correlations of {name}", peak, matrices, work)


def _safe_bootstrap(x: Floats, y: Floats, n: int, seed: int) -> Interval:
    """Interval, or the estimate alone where too few pairs remain for one."""
    if _pairs(x, y) < FEWEST_PAIRS:
        return Interval(dyads.dyadic_correlation(x, y), np.nan, np.nan)
    return dyads.bootstrap(x, y, n, seed)


def _pairs(x: Floats, y: Floats) -> int:
    return int(np.triu(np.isfinite(x) & np.isfinite(y), 1).sum())


def _recorded(name: str, tree: xr.DataTree) -> Recorded:
    """Correlations of the neurons that any recording of the store has."""
    parts = stores.split(tree)
    root = tree.to_dataset()
    labels = root["neuron"].values.tolist()
    kept = np.flatnonzero(root["recorded"].values.any(axis=0))
    if kept.size < 5:
        raise ComparisonError(
            f"{kept.size} neurons are labelled",
            where=name,
            expected="at least 5",
            do="use recordings with identified neurons",
        )
    each = np.array([_correlations(part["trace"].values[:, kept]) for part in parts.values()])
    with np.errstate(invalid="ignore"):
        z = np.arctanh(np.clip(each, -0.999999, 0.999999))
        count = np.isfinite(z).sum(axis=0)
        mean = np.where(count > 0, np.tanh(np.nansum(z, axis=0) / np.maximum(count, 1)), np.nan)
    return Recorded(name, [labels[i] for i in kept], each, mean)


def _correlations(trace: Floats) -> Floats:
    """Pearson correlation [neuron, neuron] over the samples that are finite in both; NaN for fewer than 50 or constants."""
    r, samples = masked_correlation(trace)
    r[samples < FEWEST_SAMPLES] = np.nan
    np.fill_diagonal(r, np.nan)
    return r


def _ceiling(each: Floats) -> tuple[float, float]:
    """Low: a recording against the mean of the others. High: what a perfect predictor of the mean of all hardly exceeds.

    A perfect predictor correlates with the mean as the square root of the reliability of the mean, on average; by
    Spearman-Brown from the mean rank correlation of two recordings and the mean number of recordings per pair. What it
    reaches on these neurons and recordings scatters about that: the high bound is the upper limit (one-sided 95 %) of the
    jackknife over recordings and over groups of neurons.
    """
    if len(each) < 2:
        return (np.nan, np.nan)
    upper = np.triu_indices(each.shape[1], 1)
    vectors = each[:, upper[0], upper[1]]
    low = [_against_mean(own, np.delete(vectors, i, axis=0)) for i, own in enumerate(vectors)]
    reached, alike = _reached(vectors)
    if not np.isfinite(low).any() or not np.isfinite(reached):
        return (np.nan, np.nan)
    lower = float(np.nanmean(low))
    recordings = [
        _reached(np.delete(vectors, i, axis=0), np.delete(np.delete(alike, i, 0), i, 1))[0] for i in range(len(each))
    ]
    neurons = []
    for group in groups(each.shape[1]):
        kept = ~(np.isin(upper[0], group) | np.isin(upper[1], group))
        neurons.append(_reached(vectors[:, kept])[0])
    limit = crossed_interval(reached, recordings if len(each) > 2 else [], neurons, level=0.9, bounds=(-1.0, 1.0)).high
    return (lower, max(lower, reached if np.isnan(limit) else limit))


def _reached(vectors: Floats, alike: Floats | None = None) -> tuple[float, Floats]:
    """Square root of the reliability of the mean of recordings [recordings, pairs], and their rank correlations.

    `alike` gives the correlations [recordings, recordings] where they are known.
    """
    if alike is None:
        alike = np.full((len(vectors), len(vectors)), np.nan)
        for i, j in combinations(range(len(vectors)), 2):
            alike[i, j] = alike[j, i] = _against_mean(vectors[i], vectors[j][None])
    if not np.isfinite(alike).any():
        return float("nan"), alike
    count = np.isfinite(vectors).sum(axis=0)
    reliability = spearman_brown(max(float(np.nanmean(alike)), 0.0), float(count[count > 0].mean()))
    return float(np.sqrt(reliability)), alike


def _against_mean(own: Floats, others: Floats) -> float:
    count = np.isfinite(others).sum(axis=0)
    mean = np.where(count > 0, np.nansum(others, axis=0) / np.maximum(count, 1), np.nan)
    known = np.isfinite(own) & np.isfinite(mean)
    return rank_correlation(own[known], mean[known]) if known.sum() >= FEWEST_PAIRS else np.nan


def _predictors(connectome: xr.Dataset, synapses: Sequence[str], labels: Sequence[str]) -> dict[str, Floats]:
    """Undirected predictors [node, node] on `labels`; NaN for neurons that the connectome does not hold."""
    index = {label: i for i, label in enumerate(labels)}
    known: np.ndarray | None = None
    parts: dict[str, Floats] = {}
    inputs: list[Floats] = []
    for synapse in synapses:
        names, matrix = weights(connectome, synapse)
        rows = [i for i, label in enumerate(names) if label in index]
        at = [index[names[i]] for i in rows]
        part = np.full((len(labels), len(labels)), np.nan)
        both = matrix + matrix.T
        part[np.ix_(at, at)] = (both / 2 if synapse == "electrical" else both)[np.ix_(rows, rows)]
        if matrix.any():
            parts[synapse] = part
        known = np.isfinite(part)
        full = np.zeros((len(names), len(labels)))
        full[:, at] = matrix[:, rows]
        inputs.append(full)
    if known is None or not parts:
        raise ComparisonError(f"the connectome has no {' or '.join(synapses)} edges", do="choose other synapses")
    total = np.sum(list(parts.values()), axis=0)
    received = np.concatenate(inputs)
    norm = np.sqrt((received**2).sum(axis=0))
    scaled = received / np.where(norm > 0, norm, np.nan)
    # A neuron without inputs shares none.
    common = np.where(known, np.nan_to_num(scaled.T @ scaled), np.nan)
    degree = np.nansum(total > 0, axis=1).astype(float)
    return {
        **parts,
        "all": total,
        "common_input": common,
        "degree": np.where(known, np.outer(degree, degree), np.nan),
    }


def _by_weight(weight: Floats, correlation: Floats) -> tuple[Floats, Floats]:
    upper = np.triu(np.isfinite(weight) & np.isfinite(correlation), 1)
    w, r = weight[upper], correlation[upper]
    # below the first border there is no edge
    bins = np.digitize(w, [1e-9, 2.5, 5.5, 10.5, 20.5])
    mean = np.array([r[bins == k].mean() if (bins == k).any() else np.nan for k in range(6)])
    return mean, np.bincount(bins, minlength=6).astype(float)
