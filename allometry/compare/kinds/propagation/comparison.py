"""Simulated against measured signal propagation: does activity on the connectome tell more than the connectome itself?

Each candidate is a store of kind Connectome with functional edges: the peak depolarisation (mV) of every neuron when one
neuron is driven, for one connectome, weight per synapse and coupling per gap junction. Its AUC for measured influence
stands beside that of predictors that need no simulation, on the same pairs and the same resamples.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from allometry.compare.inference import verdict
from allometry.compare.inference.roc import auc, auc_of_levels, cluster_replicates, roc
from allometry.compare.inference.statistics import interval, permutation_p
from allometry.compare.inputs.atlas import Anatomy, Atlas, Pairs, mirrored
from allometry.compare.kinds.propagation import activation
from allometry.compare.kinds.propagation.candidate import Candidate
from allometry.compare.kinds.propagation.curves import Summary
from allometry.compare.measures.graphs.matrices import Floats
from allometry.compare.options.propagation import Propagation
from allometry.compare.records.kinds import comparison
from allometry.compare.result import Result, row, with_fdr
from allometry.errors import ComparisonError

BIN = 10
REWIRED = "simulated on degree-preserving rewirings"
EXCHANGED = "neurons of similar degree exchanged"


@comparison(Propagation)
def propagation(inputs: Mapping[str, xr.Dataset], options: Propagation) -> Result:
    """Hold every point of a propagation run against a signal propagation atlas.

    Parameters
    ----------
    inputs : mapping
        The atlas, the anatomical connectomes and the run's points by name.
    options : Propagation
        What is compared, and how.

    Returns
    -------
    Result
        Rows `influence_auc` (group simulated, weight, path_length, degree, mirrored_pair), `influence_auc_indirect`
        (pairs without an edge; baselines path_length and degree on the same pairs) and `influence_auc_gain` (group
        over_weight, over_path_length, over_degree); curves `influence_auc_by_weight`, `influence_roc`,
        `influence_auc_null`. Without an atlas those of `activation.compared`.
    """
    points = [
        Candidate.open(name, store, options.structure)
        for name, store in inputs.items()
        if name != options.function and name not in options.structure
    ]
    if not points:
        raise ComparisonError("the run has no points", where=options.run, do="configure simulate.runs with that name")
    if options.function is None:
        return activation.compared(inputs, points, options)
    atlas = Atlas.open(options.function, inputs[options.function])
    rows: list[dict[str, Any]] = []
    summary = Summary()
    counts = sorted({point.rewirings for point in points})
    for name in dict.fromkeys(point.connectome for point in points):
        own = [point for point in points if point.connectome == name]
        rows += _connectome(
            name, inputs[name], own, atlas, options.alpha, options.nulls, options.bootstrap, options.seed, summary
        )
    return Result(
        title="Simulated against measured signal propagation in the worm",
        rows=with_fdr(rows),
        curves=summary.datasets(),
        derived={
            "score": "peak depolarisation of the responding neuron relative to rest, mV; neurons are identical and "
            "integrate-and-fire, while most neurons of the worm are graded",
            "weight": "chemical plus electrical synapse counts of the pair; weights of the simulation do not enter",
            "ci": f"percentiles of {options.bootstrap} resamples of the driven neurons, the same for every predictor, so that gains "
            "are paired",
            "p": f"one-sided, never below 1 / (n + 1); of weight: against {options.nulls} degree-preserving rewirings of the "
            "connectome; of simulated: against the null of column `null`",
            "null": _null_in_words(counts, options.nulls),
            "verdict": "of a simulation against the predictor without simulation that has the largest AUC (weight, path "
            "length, degrees) by paired resamples; of pairs without an edge, where weights are all 0, against path length and "
            "degrees; of a gain against the predictor it is a gain over",
            "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
            "ceiling_low": "AUC of the q of the left-right mirrored pair: how well function predicts function; "
            "the true ceiling is higher, since that pair is as noisy as the one it predicts",
        },
    )


def _connectome(
    name: str,
    store: xr.Dataset,
    points: list[Candidate],
    atlas: Atlas,
    alpha: float,
    nulls: int,
    bootstrap: int,
    seed: int,
    summary: Summary,
) -> list[dict[str, Any]]:
    common = set(atlas.labels).intersection(*(point.labels for point in points))
    anatomy = Anatomy.on(store, ("chemical", "electrical"), sorted(common))
    restricted = atlas.restrict(anatomy.labels)
    responses = {point.name: point.on(anatomy.labels) for point in points}
    # A pair counts where it was measured and every point simulated it.
    q = restricted.q.copy()
    for response in responses.values():
        q[np.isnan(response)] = np.nan
    np.fill_diagonal(q, np.nan)
    pairs = Pairs.of(Atlas(atlas.name, restricted.labels, restricted.value, q), alpha)

    def resampled(score: Floats) -> Floats:
        return cluster_replicates(score, pairs.influence, pairs.source, seed=seed, n=bootstrap)

    static = {"weight": anatomy.total, "path_length": anatomy.proximity(), "degree": anatomy.degree_product()}
    flat = {group: matrix[pairs.measured] for group, matrix in static.items()}
    area = {group: auc(score, pairs.influence) for group, score in flat.items()}
    drawn = {group: resampled(score) for group, score in flat.items()}
    rewired = np.array([pairs.auc(matrix) for matrix in anatomy.rewirings(nulls, seed)])
    mirror = mirrored(restricted)[pairs.measured]
    known = np.isfinite(mirror)
    both = known.any() and 0 < pairs.influence[known].mean() < 1  # few mirrored pairs can be of one class
    ceiling = (auc(mirror[known], pairs.influence[known]) if both else np.nan, np.nan)
    size = pairs.influence.size
    driven = np.unique(pairs.source).size

    rows = [
        row(
            "influence_auc",
            name,
            atlas.name,
            interval(drawn[group], area[group], units=driven, bounds=(0.0, 1.0)),
            group=group,
            role="baseline",
            p=permutation_p(area[group], rewired) if group == "weight" else np.nan,
            ceiling=ceiling,
            rule="auc",
            n=size,
            null="degree-preserving rewiring" if group == "weight" else "",
            **_PLAIN,
        )
        for group in static
    ]
    summary.baseline(name, area, {group: roc(score, pairs.influence) for group, score in flat.items()}, rewired)
    indirect = flat["weight"] == 0
    two_classes = indirect.any() and 0 < pairs.influence[indirect].mean() < 1
    area_indirect, drawn_indirect, stimulated_indirect = {}, {}, np.unique(pairs.source[indirect]).size
    for group in ("path_length", "degree") if two_classes else ():
        area_indirect[group] = auc(flat[group][indirect], pairs.influence[indirect])
        drawn_indirect[group] = cluster_replicates(
            flat[group][indirect], pairs.influence[indirect], pairs.source[indirect], seed=seed, n=bootstrap
        )
        rows.append(
            row(
                "influence_auc_indirect",
                name,
                atlas.name,
                interval(drawn_indirect[group], area_indirect[group], units=stimulated_indirect, bounds=(0.0, 1.0)),
                group=group,
                role="baseline",
                n=int(indirect.sum()),
                null="",
                **_PLAIN,
            )
        )
    relabelled = [] if all(point.rewirings for point in points) else _degree_matched(anatomy, nulls, seed)
    for point in points:
        score = responses[point.name][pairs.measured]
        value, draws = auc(score, pairs.influence), resampled(score)
        if point.rewirings:
            null, kind = np.array([pairs.auc(matrix) for matrix in point.null_on(anatomy.labels)]), REWIRED
        else:
            null, kind = _relabelled_auc(responses[point.name], relabelled, pairs), EXCHANGED
        column: dict[str, Any] = {
            "connectome": name,
            "weight_mv": point.weight_mv,
            "gap_junction": point.gap_junction,
        }
        rows.append(
            row(
                "influence_auc",
                point.name,
                atlas.name,
                interval(draws, value, units=driven, bounds=(0.0, 1.0)),
                group="simulated",
                p=permutation_p(value, null),
                ceiling=ceiling,
                rule="auc",
                n=size,
                null=kind,
                baselines=_baselines(value, draws, area, drawn, driven),
                **column,
            )
        )
        if two_classes:
            beyond = auc(score[indirect], pairs.influence[indirect])
            beyond_draws = cluster_replicates(
                score[indirect], pairs.influence[indirect], pairs.source[indirect], seed=seed, n=bootstrap
            )
            rows.append(
                row(
                    "influence_auc_indirect",
                    point.name,
                    atlas.name,
                    interval(beyond_draws, beyond, units=stimulated_indirect, bounds=(0.0, 1.0)),
                    group="simulated",
                    n=int(indirect.sum()),
                    null="",
                    baselines=_baselines(beyond, beyond_draws, area_indirect, drawn_indirect, stimulated_indirect),
                    **column,
                )
            )
        gains = {group: interval(draws - drawn[group], value - area[group], units=driven) for group in static}
        rows += [
            row(
                "influence_auc_gain",
                point.name,
                atlas.name,
                gain,
                group=f"over_{group}",
                p=gain.p_above(),
                n=size,
                null="paired resamples",
                baselines=_baselines(value, draws, {group: area[group]}, drawn, driven),
                **column,
            )
            for group, gain in gains.items()
        ]
        summary.point(
            point,
            interval(draws, value, units=driven, bounds=(0.0, 1.0)),
            gains["weight"],
            null,
            roc(score, pairs.influence),
        )
    return rows


_PLAIN: dict[str, Any] = {"connectome": "", "weight_mv": np.nan, "gap_junction": np.nan}


def _null_in_words(rewirings: Sequence[int], nulls: int) -> str:
    """What the simulated points were held against; `rewirings` are the counts that occur among them."""
    said = []
    if counts := [str(count) for count in rewirings if count]:
        said.append(
            f"{REWIRED}: the same simulation on {' or '.join(counts)} connectomes in which every neuron keeps its in- and "
            "out-degree, sign and own weights"
        )
    if 0 in rewirings:
        said.append(f"{EXCHANGED}: {nulls} relabellings of the simulated responses, where a point has no rewirings")
    return "; ".join(said)


def _baselines(
    value: float, draws: Floats, area: Mapping[str, float], drawn: Mapping[str, Floats], units: int
) -> list[verdict.Baseline]:
    """Predictors that need no simulation, on the same resamples of the stimulated neurons."""
    return [verdict.paired(group, value, own, draws, drawn[group], units=units) for group, own in area.items()]


def _degree_matched(anatomy: Anatomy, n: int, seed: int) -> list[np.ndarray]:
    """Orders of the nodes that exchange only neurons of similar degree (ranks within bins of `BIN`)."""
    edges = anatomy.total > 0
    rank = np.argsort(edges.sum(axis=0) + edges.sum(axis=1), kind="stable")
    rng = np.random.default_rng(seed)
    orders = []
    for _ in range(n):
        order = np.empty(len(rank), dtype=np.int64)
        # Bins start at a random offset, so that no border between degrees is fixed.
        for chunk in np.split(rank, np.arange(int(rng.integers(1, BIN + 1)), len(rank), BIN)):
            order[chunk] = rng.permutation(chunk)
        orders.append(order)
    return orders


def _relabelled_auc(matrix: Floats, orders: list[np.ndarray], pairs: Pairs) -> Floats:
    # A pair that lands where nothing was simulated says nothing: it gets the lowest score.
    filled = np.where(np.isfinite(matrix), matrix, np.nanmin(matrix))
    _, level = np.unique(filled, return_inverse=True)
    level = level.reshape(matrix.shape)
    return np.array([auc_of_levels(level[np.ix_(order, order)][pairs.measured], pairs.influence) for order in orders])
