"""Simulated influence of a driven neuron against its connections: direct ones, those over several synapses, and degrees.

What a driven neuron does to each other one is ranked, and so is what the wiring says; the rank correlation of both is taken
neuron by neuron, and driven neurons are the independent units.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from allometry.compare.inference import verdict
from allometry.compare.inference.statistics import bootstrap, null_interval, permutation_p
from allometry.compare.inputs.atlas import weights
from allometry.compare.kinds.propagation.candidate import Candidate
from allometry.compare.measures.graphs.influence import activation_correlation, chain_strength
from allometry.compare.measures.graphs.matrices import Floats, path_lengths
from allometry.compare.options.propagation import Propagation
from allometry.compare.result import Result, curve, row, with_fdr
from allometry.errors import ComparisonError

FEWEST = 10
RESULTS, BASELINES = ("multi_step", "direct"), ("path_length", "input_strength")


def compared(inputs: Mapping[str, xr.Dataset], points: Sequence[Candidate], options: Propagation) -> Result:
    """Hold every point against the connectome that it simulates.

    Parameters
    ----------
    inputs : mapping
        The connectomes by name.
    points : sequence of Candidate
        Simulated influence, with that on rewired connectomes where there is any.
    options : Propagation

    Returns
    -------
    Result
        Rows `activation_correlation` (all targets) and `activation_correlation_indirect` (those without a synapse of the driven
        neuron); group: multi_step, direct, path_length, input_strength, and the first on rewired connectomes. Columns
        `weight_mv`, `gap_junction`. Curve `activation_by_weight`.

    Raises
    ------
    ComparisonError
        Fewer than `FEWEST` driven neurons that do anything to others.
    """
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys(point.connectome for point in points):
        own = [point for point in points if point.connectome == name]
        predictors, edge = _predictors(inputs[name], own[0].labels, options.steps)
        for point in own:
            others = [other.response for other in own if other is not point and other.labels == point.labels]
            rows += _rows(point, name, predictors, edge, others, options)
    frame = [entry for entry in rows if entry["measure"] == "activation_correlation"]
    return Result(
        title="Simulated influence of single neurons against their connections",
        rows=with_fdr(rows),
        curves={"activation_by_weight": _curve(frame)},
        derived={
            "score": "Spearman correlation over the other neurons of the peak depolarisation and the predictor, mean over the driven "
            "neurons that depolarise some others and not all alike",
            "multi_step": f"sum over paths of 1 to {options.steps} synapses of the products of input shares: a connection's signed "
            "count over all chemical synapses of its target",
            "direct": "signed count of chemical synapses of the driven neuron on the other",
            "path_length": "minus the number of synapses of the shortest path",
            "input_strength": "chemical synapses of the target from all neurons: what degrees alone predict",
            "indirect": f"only where {FEWEST} driven neurons reach neurons that they have no synapse on: with weak synapses nobody does",
            "sign": "of the store; a neuron whose sign is not known excites, as in the simulation",
            "verdict": "of multi_step and direct against the strongest of path length, input strength and, of multi_step, direct: "
            "Student's t of the differences, driven neuron by driven neuron",
            "p": "one-sided: the score of the same predictor where the influence was simulated on rewired connectomes, never below "
            "1 / (rewirings + 1)",
            "ceiling_low": "correlation of the influence with that at the other synaptic weights of the run, the best of them: the "
            "weight is not known, and what changes with it no wiring tells",
            "ceiling_high": "1: the simulation has no noise",
            "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
        },
    )


def _rows(
    point: Candidate,
    name: str,
    predictors: Mapping[str, Floats],
    edge: np.ndarray,
    others: Sequence[Floats],
    options: Propagation,
) -> list[dict[str, Any]]:
    driven = np.flatnonzero(np.isfinite(point.response).any(axis=1))
    influence = point.response[driven]
    rewired = [null[driven] for null in point.null_on(point.labels)]
    rows = []
    for measure, masked in (("activation_correlation", None), ("activation_correlation_indirect", edge[driven])):
        seen = influence if masked is None else np.where(masked, np.nan, influence)
        each = {
            group: activation_correlation(seen, predictor[driven])
            for group, predictor in predictors.items()
            if masked is None or group != "direct"
        }
        known = np.isfinite(each["multi_step"])
        if masked is not None and known.sum() < FEWEST:
            continue
        if known.sum() < FEWEST:
            raise ComparisonError(
                f"{int(known.sum())} of {driven.size} driven neurons do anything to others",
                where=point.name,
                expected=f"at least {FEWEST}",
                do="drive more neurons (`driven` of the run), or simulate a larger weight",
            )
        null = [
            _mean(
                activation_correlation(
                    r if masked is None else np.where(masked, np.nan, r), predictors["multi_step"][driven]
                )
            )
            for r in rewired
        ]
        null = [value for value in null if np.isfinite(value)]
        reached = [_mean(activation_correlation(seen, other[driven])) for other in others]
        shared: dict[str, Any] = {
            "ceiling": (max(reached, default=np.nan), 1.0),
            "rule": "correlation",
            "n": int(known.sum()),
            "weight_mv": point.weight_mv,
            "gap_junction": point.gap_junction,
        }
        for group, values in each.items():
            mean = bootstrap(_mean, values[known], seed=options.seed, n=options.bootstrap)
            rivals = [*BASELINES, *(["direct"] if group == "multi_step" else [])] if group in RESULTS else []
            rows.append(
                row(
                    measure,
                    point.name,
                    name,
                    mean,
                    group=group,
                    role="result" if group in RESULTS else "baseline",
                    p=permutation_p(mean.estimate, null) if group == "multi_step" and null else np.nan,
                    baselines=[verdict.over_units(rival, values, each[rival]) for rival in rivals if rival in each],
                    **shared,
                )
            )
        if null:
            label = "multi_step, rewired connectomes"
            rows.append(row(measure, point.name, name, null_interval(null), group=label, role="baseline", **shared))
    return rows


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def _predictors(store: xr.Dataset, labels: Sequence[str], steps: int) -> tuple[dict[str, Floats], np.ndarray]:
    """Predictors [source, target] on the simulated neurons, and where there is a chemical synapse."""
    names, matrix = weights(store, "chemical")
    place = {label: i for i, label in enumerate(names)}
    at = [place[label] for label in labels]
    count = matrix[np.ix_(at, at)]
    signed = count * _signs(store)[at][:, None]
    received = count.sum(axis=0)
    lengths = path_lengths(count)
    longest = lengths[np.isfinite(lengths)].max()
    predictors = {
        "multi_step": chain_strength(signed, received, steps),
        "direct": signed,
        "path_length": -np.where(np.isfinite(lengths), lengths, longest + 1),
        "input_strength": np.broadcast_to(received, count.shape).copy(),
    }
    return predictors, count > 0


def _signs(store: xr.Dataset) -> Floats:
    """+1 or -1 of every node: of the store, of GABA, or +1."""
    if "sign" in store:
        sign = store["sign"].values.astype(np.float64)
        return np.where(np.isfinite(sign) & (sign != 0), sign, 1.0)
    if "neurotransmitter" in store:
        return np.where(store["neurotransmitter"].values.astype(object) == "GABA", -1.0, 1.0)
    return np.ones(store.sizes["node"])


def _curve(rows: Sequence[Mapping[str, Any]]) -> xr.Dataset:
    """Scores and bounds of all targets, a row each."""
    return curve(
        ("row",),
        {
            "candidate": ("row", [entry["candidate"] for entry in rows]),
            "connectome": ("row", [entry["reference"] for entry in rows]),
            "group": ("row", [entry["group"] for entry in rows]),
        },
        weight_mv=[entry["weight_mv"] for entry in rows],
        score=[entry["score"] for entry in rows],
        low=[entry["ci_low"] for entry in rows],
        high=[entry["ci_high"] for entry in rows],
    )
