"""Structure against function in the worm: measured signal propagation given anatomical connectomes.

Pairs are ordered, (stimulated, responding); a pair counts where the atlas measured it and both neurons are in the
connectome. Intervals resample stimulated neurons, because pairs that share one are not independent.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy
import xarray as xr

from allometry.compare.inference import verdict
from allometry.compare.inference.roc import auc, cluster_bootstrap, cluster_replicates, roc
from allometry.compare.inference.statistics import Interval, interval, null_interval, permutation_p
from allometry.compare.inputs.atlas import ROC_GRID, Anatomy, Atlas, Pairs, mirrored
from allometry.compare.measures.graphs.matrices import Floats
from allometry.compare.measures.graphs.structure import (
    FunctionGivenStructure,
    function_given_structure,
    rank_correlation,
)
from allometry.compare.options.structure_function import StructureFunction
from allometry.compare.records.kinds import comparison
from allometry.compare.result import Result, curve, row, with_fdr
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import product

DISTANCES = (1.0, 2.0, 3.0, 4.0, 5.0, np.inf)


@comparison(StructureFunction)
def structure_function(inputs: Mapping[str, xr.Dataset], options: StructureFunction) -> Result:
    """Hold every signal propagation atlas against every anatomical connectome (Randi et al. 2023, Fig. 3).

    Parameters
    ----------
    inputs : mapping
        Connectome stores by name.
    options : StructureFunction
        What is compared, and how.

    Returns
    -------
    Result
        Rows `influence_auc` (group: predictor; `rewired`: the mean of the null connectomes and where 95 % of them lie), `influence_given_edge`, `influence_without_edge`, `influence_ratio` and
        `weight_response_correlation`; curves `influence_roc`, `influence_by_path_length`, `influence_auc_null`.

    Raises
    ------
    ComparisonError
        No rewirings or resamples are asked for: every p and interval needs them.
    """
    for key, count in (("nulls", options.nulls), ("bootstrap", options.bootstrap)):
        if count < 1:
            raise ComparisonError(
                f"{key} is {count}", where=key, expected="at least 1: p and intervals are made from them"
            )
    rows: list[dict[str, Any]] = []
    curves = _Curves()
    atlases = [Atlas.open(name, inputs[name]) for name in options.function]
    for candidate in options.structure:
        anatomy = Anatomy.on(
            inputs[candidate], options.synapses, sorted({label for a in atlases for label in a.labels})
        )
        restricted = [atlas.restrict(anatomy.labels) for atlas in atlases]
        pairs = [Pairs.of(atlas, options.alpha) for atlas in restricted]
        null = np.array(
            [[_tell(p, matrix) for p in pairs] for matrix in anatomy.rewirings(options.nulls, options.seed)]
        )
        for i, atlas in enumerate(restricted):
            told = function_given_structure(
                anatomy.total, atlas.value, atlas.q, alpha=options.alpha, seed=options.seed, bootstrap=options.bootstrap
            )
            rows += _rows(candidate, atlas, pairs[i], anatomy, told, null[:, i], options.bootstrap, options.seed)
            curves.add(candidate, atlas.name, pairs[i], anatomy, told, null[:, i, 0])
    return Result(
        title="Signal propagation in the worm given anatomical connectomes",
        rows=with_fdr(rows),
        curves=curves.datasets(),
        derived={
            "weight": f"sum of {' and '.join(options.synapses)} synapse counts; electrical in both directions",
            "ci": f"percentiles of {options.bootstrap} resamples of the stimulated neurons",
            "p": f"one-sided, against {options.nulls} rewirings of each kind of synapse that keep every degree",
            "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
            "verdict": "influence_auc: against path length, degrees (product of the source's out- and the target's in-degree) "
            "and the rewirings; the first two on the same resamples. influence_given_edge: against the rewirings and the pairs "
            "without an edge; influence_ratio: against the rewirings and 1; weight_response_correlation: against the rewirings "
            "and the degrees of the same pairs. influence_without_edge is what influence_given_edge is held against, and has none",
            "ceiling_low": "AUC of the q of the left-right mirrored pair: how well function predicts function; "
            "the true ceiling is higher, since that pair is as noisy as the one it predicts",
        },
    )


def _tell(pairs: Pairs, matrix: Floats) -> tuple[float, float, float, float]:
    """AUC, share of influences given an edge, correlation of weight and response, and ratio of that share to the share
    without an edge, for one (null) connectome."""
    weight = matrix[pairs.measured]
    edge = weight > 0
    # A pair can have a q and no response to rank.
    ranked = edge & np.isfinite(pairs.value)
    given = float(pairs.influence[edge].mean()) if edge.any() else np.nan
    without = float(pairs.influence[~edge].mean()) if not edge.all() else np.nan
    return (
        auc(weight, pairs.influence),
        given,
        rank_correlation(weight[ranked], pairs.value[ranked]),
        given / without if without else np.nan,
    )


def _interval(replicates: Floats, estimate: float, units: int, bounds: tuple[float, float]) -> Interval:
    """Interval over stimulated neurons; undefined (NaN) where the estimate is, as without any measured edge."""
    if not np.isfinite(estimate):
        return Interval(np.nan, np.nan, np.nan)
    return interval(replicates, estimate, units=units, bounds=bounds)


def _shares(
    pairs: Pairs, edge: np.ndarray, told: FunctionGivenStructure, bootstrap: int, seed: int
) -> tuple[Interval, Interval, Interval, verdict.Baseline]:
    """P(influence | edge), P(influence | none) and their ratio, resampling stimulated neurons; the second as baseline."""
    _, group = np.unique(pairs.source, return_inverse=True)
    clusters = int(group.max()) + 1
    masks = (edge & pairs.influence, edge, ~edge & pairs.influence, ~edge)
    counts = np.stack([np.bincount(group[mask], minlength=clusters) for mask in masks], axis=1).astype(float)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=bootstrap) @ counts
    with np.errstate(invalid="ignore", divide="ignore"):
        resampled = np.stack([draws[:, 0] / draws[:, 1], draws[:, 2] / draws[:, 3]])
        ratio = resampled[0] / resampled[1]
    ratio[~np.isfinite(ratio)] = np.nan
    times = told.p_edge / told.p_no_edge if told.p_no_edge else np.nan
    without = verdict.paired("without_edge", told.p_edge, told.p_no_edge, resampled[0], resampled[1], units=clusters)
    given = _interval(resampled[0], told.p_edge, clusters, (0.0, 1.0))
    none = _interval(resampled[1], told.p_no_edge, clusters, (0.0, 1.0))
    return given, none, _interval(ratio, times, clusters, (0.0, np.inf)), without


def _stimulated(pairs: Pairs) -> int:
    """Independent items of every resample."""
    return int(np.unique(pairs.source).size)


def _correlation_replicates(pairs: Pairs, edge: np.ndarray, score: Floats, bootstrap: int, seed: int) -> Floats:
    """Rank correlation of a score and the response over edges, resampling stimulated neurons with the ranks kept."""
    _, group = np.unique(pairs.source[edge], return_inverse=True)
    clusters = int(group.max()) + 1
    x, y = scipy.stats.rankdata(score[edge]), scipy.stats.rankdata(pairs.value[edge])
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    sums = np.stack([np.bincount(group, weights=terms[:, k], minlength=clusters) for k in range(6)], axis=1)
    draws = np.random.default_rng(seed).multinomial(clusters, np.full(clusters, 1 / clusters), size=bootstrap)
    n, sx, sy, sxx, syy, sxy = product(draws, sums).T
    with np.errstate(invalid="ignore", divide="ignore"):
        r: Floats = (n * sxy - sx * sy) / np.sqrt((n * sxx - sx**2) * (n * syy - sy**2))
    return r


def _correlations(
    pairs: Pairs, weight: Floats, degree: Floats, told: FunctionGivenStructure, bootstrap: int, seed: int
) -> tuple[Interval, Interval, list[verdict.Baseline]]:
    """Correlation of weight and response over edges, that of degrees and response, and the latter as baseline."""
    edge = (weight > 0) & np.isfinite(pairs.value)
    nothing = Interval(np.nan, np.nan, np.nan)
    if not edge.any() or not np.isfinite(told.spearman):
        return nothing, nothing, []
    own = _correlation_replicates(pairs, edge, weight, bootstrap, seed)
    other = _correlation_replicates(pairs, edge, degree, bootstrap, seed)
    value = rank_correlation(degree[edge], pairs.value[edge])
    units = int(np.unique(pairs.source[edge]).size)
    held = verdict.paired("degree", told.spearman, value, own, other, units=units)
    bounds = (-1.0, 1.0)
    return _interval(own, told.spearman, units, bounds), _interval(other, value, units, bounds), [held]


def _rows(
    candidate: str,
    atlas: Atlas,
    pairs: Pairs,
    anatomy: Anatomy,
    told: FunctionGivenStructure,
    null: Floats,
    bootstrap: int,
    seed: int,
) -> list[dict[str, Any]]:
    weight = anatomy.total[pairs.measured]
    edge = weight > 0
    size = weight.size
    mirror = mirrored(atlas)[pairs.measured]
    paired = np.isfinite(mirror)
    ceiling = _auc(mirror[paired], pairs.influence[paired], pairs.source[paired], bootstrap, seed)
    bound = (ceiling.estimate, np.nan)
    predictors = {"path_length": anatomy.proximity(), "degree": anatomy.degree_product()}
    area = {"weight": told.auc} | {
        group: _auc(score[pairs.measured], pairs.influence, pairs.source, bootstrap, seed)
        for group, score in predictors.items()
    }
    drawn = {
        group: _area_replicates(score[pairs.measured], pairs, bootstrap, seed)
        for group, score in {"weight": anatomy.total, **predictors}.items()
    }
    stimulated = _stimulated(pairs)
    held = [
        verdict.paired(group, told.auc.estimate, area[group].estimate, drawn["weight"], drawn[group], units=stimulated)
        for group in predictors
    ]
    reference: dict[str, Any] = {"candidate": candidate, "reference": atlas.name}
    rows = []
    for group, estimate in area.items():
        result = group == "weight"
        rows.append(
            row(
                "influence_auc",
                score=estimate,
                group=group,
                role="result" if result else "baseline",
                p=permutation_p(estimate.estimate, null[:, 0]) if result else np.nan,
                ceiling=bound,
                rule="auc",
                n=size,
                baselines=[*held, verdict.over_null("rewired", estimate.estimate, null[:, 0])] if result else (),
                **reference,
            )
        )
    rows.append(
        row("influence_auc", score=ceiling, group="mirrored_pair", role="control", n=int(paired.sum()), **reference)
    )
    given, without, ratio, no_edge = _shares(pairs, edge, told, bootstrap, seed)
    response, of_degree, degrees = _correlations(
        pairs, weight, predictors["degree"][pairs.measured], told, bootstrap, seed
    )
    edges = int(edge.sum())
    over = {
        key: verdict.over_null("rewired", value, null[:, k])
        for k, (key, value) in enumerate(
            (
                ("auc", told.auc.estimate),
                ("given", given.estimate),
                ("response", told.spearman),
                ("ratio", ratio.estimate),
            )
        )
    }
    one = verdict.over_value("equal shares", ratio, 1.0)
    base: dict[str, Any] = {"role": "baseline", **reference}
    rows += [
        row("influence_auc", score=null_interval(null[:, 0]), group="rewired", n=size, **base),
        row("influence_given_edge", score=given, p=permutation_p(given.estimate, null[:, 1]), n=edges,
            baselines=[over["given"], no_edge], **reference),
        row("influence_given_edge", score=null_interval(null[:, 1]), group="rewired", n=edges, **base),
        row("influence_given_edge", score=without, group="without_edge", n=size - edges, **base),
        row("influence_without_edge", score=without, n=size - edges, **reference),
        row("influence_ratio", score=ratio, p=permutation_p(ratio.estimate, null[:, 3]), n=size,
            baselines=[over["ratio"], one], **reference),
        row("influence_ratio", score=null_interval(null[:, 3]), group="rewired", n=size, **base),
        row("influence_ratio", score=1.0, group="equal shares", n=size, **base),
        row("weight_response_correlation", score=response, p=permutation_p(told.spearman, null[:, 2]), n=edges,
            baselines=[over["response"], *degrees], **reference),
        row("weight_response_correlation", score=null_interval(null[:, 2]), group="rewired", n=edges, **base),
        row("weight_response_correlation", score=of_degree, group="degree", n=edges, **base),
    ]  # fmt: skip
    return rows


def _area_replicates(score: Floats, pairs: Pairs, bootstrap: int, seed: int) -> Floats:
    return cluster_replicates(score, pairs.influence, pairs.source, seed=seed, n=bootstrap)


def _auc(score: Floats, influence: np.ndarray, source: np.ndarray, bootstrap: int, seed: int) -> Interval:
    """AUC with interval; undefined (NaN) where one class is missing, as among few mirrored pairs."""
    if influence.all() or not influence.any():
        return Interval(np.nan, np.nan, np.nan)
    return cluster_bootstrap(score, influence, source, seed=seed, n=bootstrap)


class _Curves:
    """Curves of all combinations of connectome and atlas, gathered one by one."""

    def __init__(self) -> None:
        self.candidate: list[str] = []
        self.reference: list[str] = []
        self.true_positive: list[Floats] = []
        self.share: list[Floats] = []
        self.count: list[Floats] = []
        self.null: list[Floats] = []

    def add(
        self,
        candidate: str,
        reference: str,
        pairs: Pairs,
        anatomy: Anatomy,
        told: FunctionGivenStructure,
        null: Floats,
    ) -> None:
        """Curves of one combination."""
        self.candidate.append(candidate)
        self.reference.append(reference)
        shape = roc(anatomy.total[pairs.measured], pairs.influence)
        self.true_positive.append(np.interp(ROC_GRID, shape.false_positive, shape.true_positive))
        # One class for everything as far as the last finite distance or farther, one for no path at all.
        lengths = np.where(np.isfinite(told.distance), np.minimum(told.distance, DISTANCES[-2]), np.inf)
        at = lengths == np.array(DISTANCES)[:, None]
        count = (at * told.n_distance).sum(axis=1).astype(float)
        influences = (at * told.n_distance * told.p_distance).sum(axis=1)
        self.share.append(np.divide(influences, count, out=np.full(count.size, np.nan), where=count > 0))
        self.count.append(count)
        self.null.append(null)

    def datasets(self) -> dict[str, xr.Dataset]:
        """Curves by name."""
        names = {"candidate": ("combination", self.candidate), "reference": ("combination", self.reference)}
        distance = {
            "distance": ("distance", np.array([1, 2, 3, 4, 5, 0])),
            "path": ("distance", ["1", "2", "3", "4", ">=5", "none"]),
        }
        grid = {"false_positive": ("false_positive", ROC_GRID)}
        return {
            "influence_roc": curve(("combination", "false_positive"), names | grid, true_positive=self.true_positive),
            "influence_by_path_length": curve(
                ("combination", "distance"), names | distance, influence=self.share, pairs=self.count
            ),
            "influence_auc_null": curve(("combination", "rewiring"), names, auc=self.null),
        }
