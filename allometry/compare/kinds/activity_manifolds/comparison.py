"""Manifolds of whole-brain activity (Kato et al. 2015) compared across animals on the neurons that both have identified.

The manifold of an animal is spanned by the principal components of the smoothed derivative of all its traces. Animals are
compared by the part that shared neurons take in it (their loadings), and by decoding: a decoder of behaviour states trained in
one animal is tested in another, on shared neurons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, cast

import numpy as np
import scipy
import xarray as xr

from allometry.compare.inference import verdict
from allometry.compare.inference.arrays import FloatArray, IntArray
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import Interval, interval, null_interval, permutation_p
from allometry.compare.kinds.activity_manifolds import state_decoding as decoding
from allometry.compare.kinds.activity_manifolds.animal_manifold import (
    Animal,
    aligned_features,
    common_states,
    read_animals,
    shared_neurons,
    trajectories,
)
from allometry.compare.measures.representations.similarity import cca_mean, procrustes
from allometry.compare.options.activity_manifolds import ActivityManifolds
from allometry.compare.records.kinds import comparison
from allometry.compare.result import Result, curve, row, with_fdr
from allometry.stores.summaries.activity import KATO_ORDER, KATO_WINDOW

MOST_REFITS = 39  # shifts of the labels for decoding within an animal: every one trains all folds again
SHIFTED = "shifted neurons"
SIMILARITIES = {"manifold_procrustes": procrustes, "manifold_cca": cca_mean}


@comparison(ActivityManifolds)
def activity_manifolds(inputs: Mapping[str, xr.Dataset | xr.DataTree], options: ActivityManifolds) -> Result:
    """Compare the manifolds of all animals of each store, and decode behaviour states across them.

    Parameters
    ----------
    inputs : mapping
        Activity stores by name.
    options : ActivityManifolds
        What is compared, and how.

    Returns
    -------
    Result
        Rows `manifold_explained`, `manifold_procrustes`, `manifold_cca`, `state_decoding`; curves `manifolds_{store}`
        and `states_{store}`.
    """
    rows: list[dict[str, Any]] = []
    curves: dict[str, xr.Dataset] = {}
    notes: dict[str, str] = {}
    for name in options.activity:
        animals = read_animals(name, cast(xr.DataTree, inputs[name]), options.components, options.states)
        rows += _explained(name, animals)
        found, matrices = _similarities(name, animals, options.nulls, options.bootstrap, options.seed)
        rows += found
        coords = {"animal": ("animal", [a.name for a in animals]), "other": ("other", [a.name for a in animals])}
        curves[f"manifolds_{name}"] = curve(
            ("animal", "other"), coords, **{key.removeprefix("manifold_"): value for key, value in matrices.items()}
        ).assign(explained=(("animal", "component"), np.array([a.explained for a in animals]), {"units": "1"}))
        labels = common_states(animals, options.ignored_states, options.fewest_samples)
        shared = [len(set(a.neurons) & set(b.neurons)) for a, b in combinations(animals, 2)]
        notes[f"neurons_{name}"] = (
            f"{len(animals)} animals with {min(a.rois for a in animals)} to {max(a.rois for a in animals)} ROIs, of which "
            f"pairs of animals share {min(shared)} to {max(shared)} labelled ones"
        )
        if not labels:
            notes[f"states_{name}"] = (
                f"no decoding: the recordings have no variable {' or '.join(options.states)} with two states that every animal shows in "
                f"{options.fewest_samples} samples or more"
            )
            continue
        notes[f"states_{name}"] = f"decoded: {', '.join(labels)}; chance {1 / len(labels):.3f}"
        task = _Task(
            name,
            labels,
            options.components,
            options.folds,
            options.block_s,
            options.nulls,
            options.bootstrap,
            options.seed,
        )
        decoded, curves[f"states_{name}"] = task.run(animals)
        rows += decoded
    return Result(
        title="Manifolds of activity across animals",
        rows=with_fdr(rows),
        curves=curves,
        derived={
            **notes,
            "derivative": f"Savitzky-Golay filter ({KATO_WINDOW} samples, order {KATO_ORDER}) of the native traces, unscaled; "
            "the window is in samples, as published, hence shorter in seconds where frames are faster",
            "manifold_explained": "share of the variance of the derivative of all ROIs, labelled or not",
            "manifold_procrustes, manifold_cca": "of the loadings of the shared neurons (neurons are the rows, components the "
            "columns): neurons align the animals, no time is shared",
            "features": "of `neurons`: trace and derivative of every shared neuron; of `manifold`: trace and derivative along "
            "the components of the shared neurons, rotated by the Procrustes rotation of the loadings; `unaligned`: without "
            "that rotation. Each feature is scaled to mean 0 and sd 1 in each animal, without labels",
            "states": "assigned by the authors of the recordings; of immobilised animals (Kato et al. 2015) they are motor "
            "commands read from the traces of identified neurons: decoding across animals then tells that activity means the "
            "same in each, not that a movement is predicted. `reversal_vec` of freely moving animals (Dag et al. 2023) marks "
            "reversals of the recorded movement",
            "state_decoding": "balanced accuracy (mean recall over states) of a linear discriminant with shrinkage and equal "
            "priors, trained on all samples of one animal and tested on all of another",
            "ceiling_low": "similarity: lower, and ceiling_high: higher, of the two animals' similarity between the halves of "
            "the recording on the same neurons; decoding: the same decoder within the tested animal on the same neurons, "
            f"{options.folds} folds of contiguous blocks of {options.block_s:g} s or of two bouts, whichever is longer; beside a tested block "
            f"{KATO_WINDOW} samples or {decoding.CORRELATION_TIMES} correlation times of the features, whichever is longer, are "
            "left out (undefined where the recording is too short for that)",
            "ci": "similarity: percentiles of resamples of the shared neurons; decoding: of blocks of the tested animal; "
            "means over pairs: jackknife over animals, t distribution",
            "p": f"one-sided; similarity against {options.nulls} permutations of the neurons; decoding across animals against {options.nulls} "
            "circular shifts of the tested animal's labels (`shuffled`: their mean and central 95 %), within an animal against "
            f"{min(options.nulls, MOST_REFITS)} shifts with training repeated for each",
            "verdict": "explained share: against the same ROIs, each shifted circularly by a time of its own; similarity: against "
            "permuted neurons (of each pair those of the pair, whose mean over pairs is the row `permuted_neurons`); decoding: "
            "against shuffled labels, of `manifold` also against components without alignment, by the same resamples of blocks, of means "
            "by the jackknife over animals",
            "p_fdr": "Benjamini-Hochberg over the rows of the same measure",
        },
    )


def over_animals(values: Mapping[tuple[int, int], float], animals: int) -> Interval:
    """Mean over pairs of animals with a 95 % interval: jackknife over animals, t distribution with animals - 1 degrees."""
    known = [value for value in values.values() if np.isfinite(value)]
    mean, means = float(np.mean(known)) if known else float("nan"), _left_out(values, animals)
    if animals < 3 or not np.isfinite(means).all():
        return Interval(mean, np.nan, np.nan, method="jackknife")
    spread = float(scipy.stats.t.ppf(0.975, animals - 1) * np.sqrt((animals - 1) * means.var()))
    # every measure here lies between 0 and 1
    return Interval(mean, max(mean - spread, 0.0), min(mean + spread, 1.0), method="jackknife")


def _left_out(values: Mapping[tuple[int, int], float], animals: int) -> FloatArray:
    """Mean over the pairs without each animal in turn [animals], NaN where none is left."""
    left = [[v for pair, v in values.items() if k not in pair and np.isfinite(v)] for k in range(animals)]
    return np.array([np.mean(kept) if kept else np.nan for kept in left])


def _mean_null(each: Sequence[FloatArray]) -> FloatArray:
    """Mean over pairs of animals of their nulls [pairs, n], over the pairs that are defined."""
    values = np.array(each)
    known = np.isfinite(values)
    return np.where(known.any(axis=0), np.nansum(values, axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)


def across_null(nulls: Mapping[tuple[int, int], FloatArray]) -> FloatArray:
    """Null [n] of the mean over all ordered pairs of animals, from those of the pairs.

    A decoder is the difference between states in its animal, and what it finds is how much that resembles the difference in the
    other: both directions of a pair find the same by chance. Shifts of the tested animal make them independent, and the null
    of a mean over both too narrow (type-I .12 at .05): one direction of each pair stands for both.
    """
    return np.asarray(np.mean([null for (i, j), null in nulls.items() if i < j], axis=0))


def _explained(name: str, animals: Sequence[Animal]) -> list[dict[str, Any]]:
    """Share of each animal's variance, beside that of its neurons shifted in time by themselves."""
    rows = []
    for a in animals:
        share, group = float(a.explained.sum()), f"first {a.explained.size}"
        held = verdict.over_null(SHIFTED, share, a.shifted)
        p = permutation_p(share, a.shifted)
        rows += [
            row("manifold_explained", a.name, name, share, group=group, n=a.rois, p=p, baselines=[held]),
            row("manifold_explained", a.name, name, null_interval(a.shifted), group=SHIFTED, n=a.rois, role="baseline"),
        ]
    return rows


def _similarities(
    name: str, animals: Sequence[Animal], nulls: int, bootstrap: int, seed: int
) -> tuple[list[dict[str, Any]], dict[str, FloatArray]]:
    """Rows of both similarities for all pairs, and their matrices; the diagonal holds the halves of each animal."""
    rows: list[dict[str, Any]] = []
    matrices: dict[str, FloatArray] = {}
    for measure, function in SIMILARITIES.items():
        rng = np.random.default_rng(seed)
        matrix = np.full((len(animals), len(animals)), np.nan)
        chance, sizes = [], []
        for i, j in combinations(range(len(animals)), 2):
            a, b = animals[i], animals[j]
            labels = shared_neurons(a, b)
            x, y = a.loading[a.index(labels)], b.loading[b.index(labels)]
            value = function(x, y)
            matrix[i, j] = matrix[j, i] = value
            null = np.array(
                [function(x[rng.permutation(len(x))], y) for _ in steps(range(nulls), "permutations of neurons")]
            )
            draws = [rng.integers(0, len(x), len(x)) for _ in range(bootstrap)]
            # A resample with few distinct neurons has no rank for so many components.
            draws = [draw for draw in draws if np.unique(draw).size > x.shape[1] + 1]
            found = interval(
                [function(x[draw], y[draw]) for draw in steps(draws, "bootstrap of neurons")],
                value,
                units=len(x),
                bounds=(0.0, 1.0),
            )
            half = sorted(
                function(h[0][k], h[1][k]) for h, k in ((a.halves, a.index(labels)), (b.halves, b.index(labels)))
            )
            rows.append(
                row(measure, a.name, name, found, group=b.name, p=permutation_p(value, null), ceiling=(half[0], half[1]),
                    rule="ratio", n=len(labels), baselines=[verdict.over_null("permuted_neurons", value, null)])
            )  # fmt: skip
            chance.append(null)
            sizes.append(len(labels))
        own = np.array([function(*animal.halves) for animal in animals])
        pairs = {(i, j): float(matrix[i, j]) for i, j in combinations(range(len(animals)), 2)}
        mean, null = over_animals(pairs, len(animals)), np.mean(chance, axis=0)
        common: dict[str, Any] = {"candidate": "all pairs", "reference": name, "n": len(pairs)}
        rows += [
            row(measure, score=mean, group="mean", p=permutation_p(mean.estimate, null),
                baselines=[verdict.over_null("permuted_neurons", mean.estimate, null)], **common),
            row(measure, score=null_interval(null), group="permuted_neurons", role="baseline", **common),
            row(measure, "all animals", name, _range(own), group="halves", role="control", n=len(animals)),
        ]  # fmt: skip
        matrix[np.diag_indices(len(animals))] = own
        matrices[measure] = matrix
    return rows, matrices


def _range(values: FloatArray) -> Interval:
    """Mean, and lowest and highest value."""
    return Interval(float(values.mean()), float(values.min()), float(values.max()), method="range")


@dataclass(frozen=True)
class _Task:
    """Decoding of the states of one store."""

    name: str
    labels: list[str]
    components: int
    folds: int
    block_s: float
    nulls: int
    bootstrap: int
    seed: int

    def codes(self, animal: Animal) -> IntArray:
        """Number of the state of every sample, -1 where it is none of those decoded."""
        assert animal.state is not None
        code = np.full(animal.state.size, -1, dtype=np.int64)
        for k, label in enumerate(self.labels):
            code[animal.state == label] = k
        return code

    def run(self, animals: Sequence[Animal]) -> tuple[list[dict[str, Any]], xr.Dataset]:
        """Rows of all ordered pairs of animals, and the curve with matrices, confusion and trajectories."""
        rows: list[dict[str, Any]] = []
        truth = [self.codes(animal) for animal in animals]
        size = len(animals)
        kinds = ("neurons", "manifold", "unaligned")
        score: dict[str, dict[tuple[int, int], float]] = {
            kind: {} for kind in (*kinds, "within neurons", "within manifold")
        }
        nulls: dict[str, list[FloatArray]] = {kind: [] for kind in score}
        confusion = np.zeros((len(self.labels), len(self.labels)))
        ordered = [(i, j) for i in range(size) for j in range(size) if i != j]
        for i, j in ordered:
            features = aligned_features(animals[i], animals[j], shared_neurons(animals[i], animals[j]), self.components)
            inside: dict[str, float] = {}
            tested: dict[str, tuple[Interval, FloatArray]] = {}
            shortest = round(self.block_s * animals[j].rate_hz)
            pace = decoding.Pace.of(features["neurons"][1], truth[j], shortest, KATO_WINDOW)
            for kind in ("neurons", "manifold"):
                task = features[kind][1], truth[j], pace, self.folds
                inside[kind] = score[f"within {kind}"][i, j] = decoding.within_accuracy(*task)
                nulls[f"within {kind}"].append(decoding.within_null(*task, min(self.nulls, MOST_REFITS)))
            for kind, (own, other) in features.items():
                decoded = np.asarray(decoding.train(own, truth[i]).predict(other), dtype=np.int64)
                # The same shifts for every decoder that is tested in this animal: their mean is then one of shifts, too.
                null = decoding.shift_null(truth[j], decoded, self.nulls, self.seed + j, pace.gap)
                length = min(pace.length, len(decoded) // 2)
                found = decoding.block_interval(truth[j], decoded, length, self.bootstrap, self.seed)
                score[kind][i, j] = found.estimate
                nulls[kind].append(null)
                if kind == "neurons":
                    np.add.at(confusion, (truth[j][truth[j] >= 0], decoded[truth[j] >= 0]), 1)
                tested[kind] = found, null
            for kind, (found, null) in tested.items():
                ceiling = inside["neurons" if kind == "neurons" else "manifold"]
                baseline = kind == "unaligned"
                rows.append(
                    row("state_decoding", f"{animals[i].name} to {animals[j].name}", self.name, found, group=kind,
                        role="baseline" if baseline else "result", p=decoding.block_p(found.estimate, null),
                        ceiling=(ceiling, ceiling), rule="ratio", n=int((truth[j] >= 0).sum()),
                        baselines=() if baseline else [
                            verdict.over_null(f"shuffled {kind}", found.estimate, null),
                            *([verdict.same_resamples("unaligned", found, tested["unaligned"][0])] if kind == "manifold" else []),
                        ])
                )  # fmt: skip
        pairs = size * (size - 1)
        for kind, values in score.items():
            mean, within = over_animals(values, size), kind.startswith("within")
            role = "control" if within else "baseline" if kind == "unaligned" else "result"
            null = _mean_null(nulls[kind]) if within else across_null(dict(zip(ordered, nulls[kind])))
            p = decoding.block_p(mean.estimate, null)
            held = []
            if role == "result":
                held.append(verdict.over_null(f"shuffled {kind}", mean.estimate, null))
            if kind == "manifold":
                gains = {pair: value - score["unaligned"][pair] for pair, value in values.items()}
                unaligned = float(np.mean(list(score["unaligned"].values())))
                held.append(verdict.jackknifed("unaligned", mean.estimate, unaligned, _left_out(gains, size)))
            rows.append(
                row("state_decoding", "all pairs", self.name, mean, group=kind, role=role, p=p, n=pairs, baselines=held)
            )
        for kind in ("neurons", "manifold"):
            null = across_null(dict(zip(ordered, nulls[kind])))
            group = f"shuffled {kind}"
            rows.append(
                row(
                    "state_decoding", "all pairs", self.name, null_interval(null), group=group, role="baseline", n=pairs
                )
            )
        return rows, self._curve(animals, truth, score, confusion)

    def _curve(
        self,
        animals: Sequence[Animal],
        truth: Sequence[IntArray],
        score: Mapping[str, Mapping[tuple[int, int], float]],
        confusion: FloatArray,
    ) -> xr.Dataset:
        size = len(animals)
        matrices = {}
        for kind in ("neurons", "manifold"):
            matrix = np.array([[score[kind].get((i, j), np.nan) for j in range(size)] for i in range(size)])
            own = [
                [v for (_, k), v in score[f"within {kind}"].items() if k == j and np.isfinite(v)] for j in range(size)
            ]
            inside = [np.mean(values) if values else np.nan for values in own]
            matrix[np.diag_indices(size)] = inside
            matrices[f"decoding_{kind}"] = (("trained_in", "tested_in"), matrix, {"units": "1"})
        path, code = trajectories(animals, truth, self.components)
        share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
        names = [animal.name for animal in animals]
        return xr.Dataset(
            {
                **matrices,
                "confusion": (("true", "decoded"), share, {"units": "1"}),
                "trajectory": (("animal", "sample", "component"), path.astype(np.float32), {"units": "1"}),
                "code": (("animal", "sample"), code, {"units": "1"}),
            },
            coords={
                "trained_in": names,
                "tested_in": names,
                "animal": names,
                "true": self.labels,
                "decoded": self.labels,
            },
        )
