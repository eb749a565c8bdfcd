"""Cerebellum-like expansion: mossy fibres onto many granule cells, and a readout of them.

Two questions. How many inputs should a granule cell have (Litwin-Kumar, Harris, Axel, Sompolinsky & Abbott 2017, Neuron
93:1153)? And how many cells should be active at a time, to categorise random patterns and to learn smooth functions (Xie,
Muscinelli, Decker Harris & Litwin-Kumar 2023, eLife 12:e82914, whose public code gives the settings of the second)? Currents
are in units of their standard deviation.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.models.features.cerebellum_theory import RIDGE, predicted, tabulated, threshold
from allometry.models.features.draws import generator, lognormal, normal, settled
from allometry.models.features.elementary import exp
from allometry.models.features.records import Features, feature_model
from allometry.numerics.fixed_order import cholesky, product

Floats = NDArray[np.float64]
Task = Literal["patterns", "categorisation", "regression"]
Weights = Literal["homogeneous", "lognormal", "gaussian"]

SPREAD = 0.6
"""Standard deviation of the logarithm of log-normal weights."""
CATEGORISATION_RIDGE = 1e-3
_JITTER = 1e-10
SCHEMES = {
    "cells": "40 cells per input, however many inputs a cell has",
    "synapses": "280 synapses per input: cells with more inputs are fewer",
    "expansion": "inputs: the size is the number of granule cells",
}


def reduced(size: float, scheme: str) -> dict[str, int]:
    """Arguments of a layer of a size, its number of inputs (a fly has some 50 types of them), or of cells."""
    if scheme == "expansion":
        if round(size) < 10:
            raise SimulationError(
                f"there are {round(size)} cells", where="cerebellum_like", expected="a size of 10 or more"
            )
        return {"cells": round(size)}
    inputs = round(size)
    if inputs < 10:
        raise SimulationError(f"there are {inputs} inputs", where="cerebellum_like", expected="a size of 10 or more")
    return {"inputs": inputs, **({"cells": 40 * inputs} if scheme == "cells" else {"synapses": 280 * inputs})}


def check(
    task: Task, inputs: int, cells: int, synapses: int | None, degree: int | None, weights: Weights, coding_level: float,
    activation: str, threshold: str, patterns: int, repeats: int, noise: float, smoothness: float, tests: int,
    readout: str, ridge: float | None, pattern_seed: int | None,
) -> None:  # fmt: skip
    """Refuse parameters that the model cannot have."""

    def refuse(what: str, expected: str) -> None:
        raise SimulationError(what, where="cerebellum_like", expected=expected)

    for name, count, least in (
        ("inputs", inputs, 2),
        ("cells", cells, 2),
        ("patterns", patterns, 2),
        ("tests", tests, 1),
    ):
        if count < least:
            refuse(f"{name} is {count}", f"a whole number, {least} or above")
    if not 0 < coding_level < 1:
        refuse(f"coding_level is {coding_level:g}", "a share of the cells, above 0 and below 1")
    if degree is not None and not 1 <= degree <= inputs:
        refuse(f"a cell has {degree} of {inputs} inputs", "1 to all of them, or null for dense Gaussian weights")
    if synapses is not None and (degree is None or synapses < 2 * degree):
        refuse(f"{synapses} synapses make no two cells of degree {degree}", "a degree, and synapses for two cells")
    if not 0 <= noise <= 1:
        refuse(f"noise is {noise:g}", "0 to 1: the share of a presented pattern that is noise")
    if repeats < 1 or smoothness <= 0 or (ridge is not None and ridge <= 0):
        refuse(f"repeats is {repeats}, smoothness {smoothness:g}, ridge {ridge}", "repeats from 1, the others above 0")
    if readout == "hebbian" and task == "regression":
        refuse("a Hebbian readout learns no function", "ridge or none for regression")
    if task == "patterns" and readout != "none":
        refuse("patterns without a target have no readout", "none")


def size(
    inputs: int, cells: int, synapses: int | None, degree: int | None, readout: str, **_: object
) -> tuple[int, float]:
    """Number of units, and of synapses, with those of the readout."""
    layer = cells if synapses is None else synapses // (degree or 1)
    read = layer if readout != "none" else 0
    return inputs + layer + (readout != "none"), float(layer * (degree or inputs) + read)


@feature_model(
    description="Cerebellum-like layer: sparse random expansion of its inputs, and a linear readout.",
    source="Litwin-Kumar et al. 2017, Neuron 93:1153; Xie et al. 2023, eLife 12:e82914",
    check=check,
    stimulus=("task", "inputs", "patterns", "repeats", "noise", "smoothness", "tests", "pattern_seed"),
    size=size,
    reduce=reduced,
    schemes=SCHEMES,
)
def cerebellum_like(
    seed: int,
    task: Task = "patterns",
    inputs: int = 50,
    cells: int = 2000,
    synapses: int | None = None,
    degree: int | None = 4,
    weights: Weights = "homogeneous",
    coding_level: float = 0.1,
    activation: Literal["binary", "rectified"] = "binary",
    threshold: Literal["analytic", "quantile"] = "analytic",
    patterns: int = 400,
    repeats: int = 1,
    noise: float = 0.0,
    smoothness: float = 1.0,
    tests: int = 300,
    readout: Literal["none", "hebbian", "ridge"] = "none",
    ridge: float | None = None,
    pattern_seed: int | None = None,
) -> Features:
    """Responses of the layer to its patterns.

    Parameters
    ----------
    seed : int
        Of the wiring, and of the patterns where they have no seed of their own.
    task : {"patterns", "categorisation", "regression"}
        Independent Gaussian inputs; random patterns of equal norm with random labels; points on a sphere with a smooth target.
    inputs : int
        Mossy fibres.
    cells : int
        Granule cells.
    synapses : int or None
        Synapses of all granule cells: there are as many cells as have so many; null: `cells`.
    degree : int or None
        Inputs of a granule cell, drawn without replacement; null: all, with Gaussian weights.
    weights : {"homogeneous", "lognormal", "gaussian"}
        Of the drawn inputs: equal, log-normal (standard deviation of the logarithm 0.6), or of both signs. Their squares add
        up to 1.
    coding_level : float
        Share of active cells.
    activation : {"binary", "rectified"}
        1 above the threshold, or the current above it.
    threshold : {"analytic", "quantile"}
        That of normal currents, or the one that leaves exactly this share of all cells and patterns active.
    patterns : int
        Patterns that are shown; that are learned, where there is a readout.
    repeats : int
        Noisy copies of each; without a readout they are all that is shown.
    noise : float
        Share of noise in a copy: sqrt(1 - noise^2) of the pattern and noise of another. 0: copies are equal.
    smoothness : float
        Length over which the target changes, in radii of the sphere.
    tests : int
        Further points that the target is tested at.
    readout : {"none", "hebbian", "ridge"}
        Sum of activities times labels, or regression.
    ridge : float or None
        Relative to the mean square activity; null: 1e-7 of functions, 1e-3 of labels.
    pattern_seed : int or None
        Seed of patterns and target; null: that of the model.
    """
    drawn = seed if pattern_seed is None else pattern_seed
    if task == "regression":
        x, target = _function(drawn, inputs, patterns + tests, smoothness)
        train = patterns
        table = {
            "stimulus": ["training"] * patterns + ["test"] * tests,
            "condition": [f"point {k} of {drawn}" for k in range(patterns + tests)],
            "repeat": np.zeros(patterns + tests, np.int64),
            "target": target,
        }
    else:
        x, target, table, train = _patterns(drawn, task, inputs, patterns, repeats, noise, readout)
    layer = cells if synapses is None or degree is None else synapses // degree
    current = _currents(seed, x, layer, degree, weights)
    theta = _threshold(current, coding_level, threshold)
    active = np.maximum(current - theta, 0.0) if activation == "rectified" else (current > theta).astype(np.float64)
    blocks, names = [x.T, active], ["mossy"] * inputs + ["granule"] * layer
    derived = {"response": "mossy: the input; granule: activity; purkinje: what the readout says"}
    if readout != "none":
        blocks.append(_read(active, target, train, readout, ridge, task)[None])
        names.append("purkinje")
    if task == "regression" and readout == "ridge" and activation == "rectified" and degree is None:
        kernel = tabulated(product(x, x[:train].T) / inputs, coding_level)
        blocks.append(predicted(kernel, train, target[:train], RIDGE if ridge is None else ridge)[None])
        names.append("purkinje, infinite")
        derived["purkinje, infinite"] = (
            "the readout of infinitely many cells of these thresholds, by the kernel of the layer"
        )
    return Features(
        np.concatenate(blocks).astype(np.float32), table, {"area": names, "cell_type": names}, derived=derived
    )


def _function(seed: int, inputs: int, points: int, smoothness: float) -> tuple[Floats, Floats]:
    """Points on a sphere of radius sqrt(inputs), and a Gaussian process at them, in units of its standard deviation."""
    x = _on_sphere(generator(seed, "points"), points, inputs)
    nearness = product(x, x.T) / inputs
    covariance = settled(exp((np.minimum(nearness, 1.0) - 1.0) / smoothness**2))
    covariance[np.diag_indices(points)] = 1.0 + _JITTER
    target = product(cholesky(covariance), normal(generator(seed, "target"), points))
    return x, target / target.std()


def _on_sphere(rng: np.random.Generator, points: int, inputs: int) -> Floats:
    drawn = normal(rng, (points, inputs))
    return drawn * np.sqrt(inputs / (drawn**2).sum(axis=1, keepdims=True))


def _patterns(
    seed: int, task: Task, inputs: int, patterns: int, repeats: int, noise: float, readout: str
) -> tuple[Floats, Floats, dict[str, object], int]:
    """Presented patterns [presentation, input], their labels, the table of presentations, and how many are learned."""
    rng = generator(seed, "pattern")
    base = normal(rng, (patterns, inputs)) if task == "patterns" else _on_sphere(rng, patterns, inputs)
    label = np.where(generator(seed, "label").random(patterns) < 0.5, -1.0, 1.0)
    copies = np.repeat(base, repeats, axis=0)
    if noise > 0:
        copies = np.sqrt(1 - noise**2) * copies + noise * normal(generator(seed, "noise"), copies.shape)
    shown, of = copies, np.repeat(np.arange(patterns), repeats)
    repeat, stimulus, train = np.tile(np.arange(repeats), patterns), ["test"] * len(copies), 0
    if readout != "none":
        shown, of, train = np.concatenate([base, copies]), np.concatenate([np.arange(patterns), of]), patterns
        repeat = np.concatenate([np.zeros(patterns, np.int64), repeat + 1])
        stimulus = ["training"] * patterns + stimulus
    table: dict[str, object] = {
        "stimulus": stimulus, "condition": [f"pattern {k} of {seed}" for k in of], "repeat": repeat, "category": label[of]
    }  # fmt: skip
    return shown, label[of], table, train


def wiring(seed: int, inputs: int, cells: int, degree: int, weights: Weights) -> tuple[NDArray[np.int64], Floats]:
    """Inputs of every cell, without replacement, and their weights, whose squares add up to 1, [cell, degree].

    Parameters
    ----------
    seed, inputs, cells, degree, weights
        As of `cerebellum_like`.
    """
    order = generator(seed, "wiring").random((cells, inputs))
    chosen = np.sort(np.argsort(order, axis=1, kind="stable")[:, :degree], axis=1)
    rng = generator(seed, "weight")
    if weights == "homogeneous":
        strength = np.ones(chosen.shape)
    else:
        strength = lognormal(rng, SPREAD, chosen.shape) if weights == "lognormal" else normal(rng, chosen.shape)
    return chosen, strength / np.sqrt((strength**2).sum(axis=1, keepdims=True))


def _currents(seed: int, x: Floats, cells: int, degree: int | None, weights: Weights) -> Floats:
    """Currents [cell, presentation]."""
    inputs = x.shape[1]
    columns = np.ascontiguousarray(x.T)
    if degree is None:
        return product(normal(generator(seed, "dense"), (cells, inputs)) / np.sqrt(inputs), columns)
    chosen, strength = wiring(seed, inputs, cells, degree, weights)
    current = np.zeros((cells, len(x)))
    for k in range(degree):
        current += strength[:, k, None] * columns[chosen[:, k]]
    return current


def _threshold(current: Floats, coding_level: float, which: str) -> float:
    if which == "analytic":
        return threshold(coding_level)
    silent = min(max(round((1.0 - coding_level) * current.size), 1), current.size - 1)
    return float(np.partition(current, silent - 1, axis=None)[silent - 1])


def _read(active: Floats, target: Floats, train: int, readout: str, ridge: float | None, task: Task) -> Floats:
    """What the readout says of every presentation."""
    if task == "regression":
        kernel = product(active.T, active[:, :train])
        return predicted(kernel, train, target[:train], RIDGE if ridge is None else ridge)
    centred = active - active[:, :train].mean(axis=1, keepdims=True)
    kernel = product(centred.T, centred[:, :train])
    if readout == "hebbian":
        return np.asarray((kernel * target[:train]).sum(axis=1))
    return predicted(kernel, train, target[:train], CATEGORISATION_RIDGE if ridge is None else ridge)
