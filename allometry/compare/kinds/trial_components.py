"""Trials x neurons x time in a few components: how many, how well they predict, and whether neurons change together.

A component is a group of neurons with one time course, stronger in some trials than in others (tensor component analysis,
Williams et al. 2018). Components are non-negative, and predict trials of neurons that they were not fitted to.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from allometry import stores
from allometry.compare.inference import verdict
from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.blockwise import Estimate
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import null_interval, permutation_p
from allometry.compare.inputs import spike_trains
from allometry.compare.measures.tensors.decomposition import factor_similarity
from allometry.compare.measures.tensors.held_out import FEWEST_TRIALS, held_out_share, shuffled_trials
from allometry.compare.measures.tensors.incomplete import Incomplete, factorise
from allometry.compare.options.trial_components import TrialComponents
from allometry.compare.records.kinds import comparison
from allometry.compare.result import Result, curve, row, with_fdr
from allometry.errors import ComparisonError

SHUFFLED = "shuffled trials"


@dataclass(frozen=True)
class Trials:
    """A tensor [unit, time, trial], each unit over its root mean square, with times in s and names of trials."""

    tensor: FloatArray
    time: FloatArray
    labels: list[str]


@comparison(TrialComponents)
def trial_components(inputs: Mapping[str, xr.Dataset], options: TrialComponents) -> Result:
    """Decompose the trials of every network and recording.

    Parameters
    ----------
    inputs : mapping
        Spikes stores of simulated points, and Responses stores, by name.
    options : TrialComponents
        What is decomposed, and how.

    Returns
    -------
    Result
        Rows `held_out_components` (the best over the numbers of components; its null chooses too) and `ntf_similarity` (of
        restarts). Curves `held_out` [source, components] and `factors_{k}` of each source.

    Raises
    ------
    ComparisonError
        Fewer than four trials or units that fire, or responses without lags or with negative values.
    """
    rows: list[dict[str, Any]] = []
    shares, chance = [], []
    curves: dict[str, xr.Dataset] = {}
    found = _sources(inputs, options)
    for k, (name, trials) in enumerate(found.items()):
        x = trials.tensor
        share = np.array([held_out_share(x, rank, seed=options.seed) for rank in options.components])
        rng = np.random.default_rng(options.seed)
        null = np.array(
            [
                [held_out_share(shuffled, rank, seed=options.seed) for rank in options.components]
                for shuffled in (shuffled_trials(x, rng) for _ in steps(range(options.nulls), "shuffled trials"))
            ]
        )
        best, rank = float(share.max()), options.components[int(share.argmax())]
        # the null chooses its number of components as well
        largest = null.max(axis=1)
        whole = Incomplete(x.transpose(1, 2, 0), np.ones((x.shape[2], x.shape[0]), np.bool_))
        fits = factorise(whole, rank, options.restarts, options.seed)
        alike = float(np.median([factor_similarity(fits[0], other) for other in fits[1:]]))
        common = {"n": x.shape[2], "components": float(rank), "units": float(x.shape[0])}
        rows.append(
            row(
                "held_out_components", name, "its other trials", best, group="components",
                p=permutation_p(best, largest), baselines=[verdict.over_null(SHUFFLED, best, largest)], **common,
            )
        )  # fmt: skip
        rows.append(
            row(
                "held_out_components", SHUFFLED, "its other trials", null_interval(largest), group=name,
                role="baseline", **common,
            )
        )  # fmt: skip
        rows.append(row("ntf_similarity", name, "other starts", alike, group="components", role="control", **common))
        shares.append(share)
        chance.append(null)
        time, trial, unit = fits[0].modes
        curves[f"factors_{k}"] = xr.Dataset(
            {
                "weight": ("component", fits[0].weights, {"units": "1"}),
                "time_factor": (("time", "component"), time, {"units": "1"}),
                "trial_factor": (("trial", "component"), trial, {"units": "1"}),
                "unit_factor": (("unit", "component"), unit, {"units": "1"}),
            },
            coords={"time": ("time", trials.time, {"units": "s"}), "trial": ("trial", trials.labels)},
            attrs={"source": name},
        )
    nulls = np.array(chance)
    curves["held_out"] = curve(
        ("source", "components"),
        {"source": ("source", list(found)), "components": ("components", np.array(options.components, float))},
        share=shares,
        shuffled=nulls.mean(axis=1),
        shuffled_high=np.quantile(nulls, 0.975, axis=1),
    )
    return Result(
        title="Trials x neurons x time in a few components",
        rows=with_fdr(rows),
        curves=curves,
        derived={
            "score": "share of the variance of held-out trials of neurons that non-negative components predict; of the numbers of "
            f"components {', '.join(map(str, options.components))} the best",
            "tensor": f"counts in bins of {options.bin_ms:g} ms (responses: as they are), at most {options.max_units} units that "
            "fire, each over its root mean square",
            "p": f"one-sided, against {options.nulls} tensors in which every unit has its trials in an order of its own; each "
            "chooses its best number of components too",
            "components": "number that predicts held-out trials best",
            "similarity": f"median factor match of {options.restarts - 1} other starts with the best one, fitted to all entries",
        },
    )


@trial_components.estimate
def estimates(inputs: Mapping[str, xr.Dataset], options: TrialComponents) -> Iterator[Estimate]:
    """What the tensors and their fits need, from the sizes alone."""
    for name, store in inputs.items():
        seconds = float(store.attrs.get("duration_ms", 0.0)) / options.bin_ms or float(store.sizes.get("lag", 1))
        size = options.max_units * seconds * max(store.sizes.get("presentation", 1), 1)
        fits = (options.nulls + 1) * len(options.components)
        yield Estimate(f"components of {name}", int(80 * size), int(8 * size), 600.0 * fits * size)


def _sources(inputs: Mapping[str, xr.Dataset], options: TrialComponents) -> dict[str, Trials]:
    """Trials of every network of a run and of every store of responses."""
    networks: dict[str, list[tuple[str, xr.Dataset]]] = {}
    found: dict[str, Trials] = {}
    for name, store in inputs.items():
        if store.attrs["schema"] == "Responses":
            found[name] = _of_responses(name, store, options)
            continue
        told = dict(stores.attribute(store, "parameters"))
        condition = (told.pop("condition", None) or {}).get("name", "")
        told["seed_of_point"] = name.rpartition("_s")[2] if not condition else name.replace(f"{condition}_", "", 1)
        networks.setdefault(json.dumps(told, sort_keys=True, default=str), []).append((condition or name, store))
    names = {id(store): name for name, store in inputs.items()}
    for members in networks.values():
        condition, first = members[0]
        name = names[id(first)].replace(f"{condition}_", "", 1)
        found[name] = _of_spikes(name, members, options)
    return found


def _of_spikes(name: str, members: list[tuple[str, xr.Dataset]], options: TrialComponents) -> Trials:
    if len(members) < FEWEST_TRIALS:
        raise ComparisonError(
            f"{name} has {len(members)} trials",
            where=name,
            expected=f"at least {FEWEST_TRIALS} conditions of one network",
            do="give the run conditions with seeds of their own: `conditions: {trial_1: {seed: 1}, ...}`",
        )
    first = members[0][1]
    populations = spike_trains.members(first)
    if unknown := [one for one in options.populations if one not in populations]:
        raise ComparisonError(
            f"no population is called {unknown[0]!r}", where="populations", expected="one of " + ", ".join(populations)
        )
    wanted = (
        np.concatenate([populations[one] for one in options.populations])
        if options.populations
        else populations[spike_trains.EVERYONE]
    )
    window = [spike_trains.window(store, options.skip_ms) for _, store in members]
    every = [spike_trains.read(store, {"all": wanted}, *span)["all"] for (_, store), span in zip(members, window)]
    total = np.sum([trains.row_size for trains in every], axis=0)
    chosen = np.sort(spike_trains.choose(np.flatnonzero(total > 0), options.max_units, options.seed, "all"))
    bin_s = options.bin_ms / 1000
    tensor = np.stack([trains.counts(bin_s)[:, chosen].toarray().T for trains in every], axis=2).astype(np.float64)
    time = np.asarray((np.arange(tensor.shape[1]) + 0.5) * bin_s, np.float64)
    return _scaled(name, tensor, time, [label for label, _ in members])


def _of_responses(name: str, store: xr.Dataset, options: TrialComponents) -> Trials:
    if "lag" not in store["response"].dims:
        raise ComparisonError(
            "the responses have no lags", where=name, expected="responses [unit, presentation, lag]", do="leave it out"
        )
    x = store["response"].values.astype(np.float64)
    x = x[np.isfinite(x).all(axis=(1, 2))]
    if x.size and x.min() < 0:
        raise ComparisonError(
            "the responses hold negative values", where=name, expected="rates, counts or events", do="leave it out"
        )
    if x.shape[1] < FEWEST_TRIALS:
        raise ComparisonError(f"{name} has {x.shape[1]} trials", where=name, expected=f"at least {FEWEST_TRIALS}")
    fires = np.flatnonzero(x.any(axis=(1, 2)))
    chosen = np.sort(spike_trains.choose(fires, options.max_units, options.seed, "all"))
    labels = [str(value) for value in store["condition"].values.tolist()]
    return _scaled(name, x[chosen].transpose(0, 2, 1), np.asarray(store["lag"].values, np.float64), labels)


def _scaled(name: str, tensor: FloatArray, time: FloatArray, labels: list[str]) -> Trials:
    if len(tensor) < 4:
        raise ComparisonError(f"{len(tensor)} units of {name} fire", where=name, expected="at least 4")
    size = np.sqrt((tensor**2).mean(axis=(1, 2), keepdims=True))
    return Trials(tensor / size, time, labels)
