"""Sparse recurrent classifier: patterns of one class are amplified, and any few neurons tell the class by their mean.

Turcu & Abbott 2022, PLoS Comput Biol 18:e1010759; the settings are those of the authors' public code. Rates are between 0 and
1, and time is in units of the time constant.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.models.catalogue.fits import Fit
from allometry.models.features import sparse_training
from allometry.models.features.draws import generator, normal
from allometry.models.features.records import Features, feature_model
from allometry.models.features.sparse_training import DT, INPUT_STEPS, TRAINED_STEPS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Training = Literal["gradient", "hebbian", "none"]

TAU_S = 0.01
"""Time constant that times in stores are written with, s: the model has none of its own."""
ENOUGH = 0.99
BOUNDARY = 0.5
SHOT_BOUNDARY, SHOT_STEP = 0.0334, 0.03
STEP_PER_PATTERN = 20.0
_DECIMALS = 12
SCHEMES = {"load": "patterns per synapse, and synapses per neuron"}


def mask(seed: int, neurons: int, degree: float) -> tuple[Ints, Ints]:
    """Sources and targets of the synapses, at places drawn without replacement from all pairs, sorted by target.

    Parameters
    ----------
    seed, neurons, degree
        As of `sparse_rnn_classifier`: there are neurons * degree synapses, and a neuron may have none.
    """
    count = round(neurons * degree)
    place = np.sort(generator(seed, "mask").choice(neurons * neurons, count, replace=False))
    target, source = np.divmod(place, neurons)
    return source.astype(np.int64), target.astype(np.int64)


def patterns_of(seed: int, neurons: int, patterns: int) -> tuple[Floats, Floats]:
    """Patterns [neuron, pattern], uniform in -1 to 1, and their labels, -1 or 1 [pattern]."""
    shown = 2 * generator(seed, "pattern").random((patterns, neurons)) - 1
    label = np.where(generator(seed, "label").random(patterns) < 0.5, -1.0, 1.0)
    return np.ascontiguousarray(shown.T), label


def number_of_patterns(neurons: int, degree: float, load: float) -> int:
    """Patterns of a load per synapse."""
    return round(load * round(neurons * degree))


def gain(neurons: int, patterns: int, degree: float) -> float:
    """Scale of the starting weights: 10 * 0.1^(1/4) / sqrt(N P sqrt(f)) with f the share of pairs that have a synapse."""
    share = round(neurons * degree) / neurons**2
    return float(np.round(10 * 0.1**0.25 / np.sqrt(neurons * patterns * np.sqrt(share)), _DECIMALS))


def starting_weights(
    seed: int, shown: Floats, label: Floats, source: Ints, target: Ints, degree: float, which: str
) -> Floats:
    """Starting weights [synapse]: covariance of patterns with their labels, or Gaussian."""
    g = gain(len(shown), shown.shape[1], degree)
    if which == "random":
        return g * normal(generator(seed, "start"), source.size)
    return np.asarray(g * (shown[target] * label * shown[source]).sum(axis=1))


def readout_neurons(seed: int, neurons: int, readout_share: float) -> Ints:
    """Neurons whose mean is read out, sorted; at least one."""
    count = max(1, int(neurons * readout_share))
    return np.sort(generator(seed, "readout").choice(neurons, count, replace=False)).astype(np.int64)


def accuracy(said: Floats, label: Floats, boundary: float = BOUNDARY) -> Floats:
    """Share of patterns on the right side of a boundary at every step, [step].

    Parameters
    ----------
    said : ndarray [step, pattern]
        Readout.
    label : ndarray [pattern]
        -1 or 1.
    boundary : float
        Above it is 1.
    """
    return np.asarray(((said > boundary) == (label > 0)).mean(axis=1))


def by_quantile(said: Floats, label: Floats) -> Floats:
    """The same with the boundary of every step such that as many patterns are above it as have the label 1."""
    share = float((label < 0).mean())
    return np.array([accuracy(row[None], label, float(np.quantile(row, share)))[0] for row in said])


def check(
    neurons: int, degree: float, load: float, readout_share: float, training: str, start: str,
    learning_rate: float | None, epochs: int, duration_tau: float, record_tau: float, pattern_seed: int | None,
) -> None:  # fmt: skip
    """Refuse parameters that the model cannot have."""

    def refuse(what: str, expected: str) -> None:
        raise SimulationError(what, where="sparse_rnn_classifier", expected=expected)

    if neurons < 2 or not 0 < degree <= neurons:
        refuse(
            f"{neurons} neurons have {degree:g} synapses each", "2 neurons or more, and synapses from 0 to all pairs"
        )
    if number_of_patterns(neurons, degree, load) < 2:
        refuse(f"a load of {load:g} gives fewer than two patterns", "a load of two patterns or more")
    if not 0 < readout_share <= 1:
        refuse(f"readout_share is {readout_share:g}", "a share of the neurons, above 0 to 1")
    if (learning_rate is not None and learning_rate <= 0) or epochs < 1:
        refuse(f"learning_rate is {learning_rate}, epochs {epochs}", "a positive rate, and an epoch or more")
    if not DT <= record_tau <= duration_tau:
        refuse(
            f"every {record_tau:g} of {duration_tau:g} time constants is recorded",
            f"{DT:g} or more, up to the duration",
        )
    if training == "hebbian" and start == "random":
        refuse("the Hebbian rule starts from random weights", "start: covariance")


def size(neurons: int, degree: float, **_: object) -> tuple[int, float]:
    """Number of neurons and of synapses."""
    return neurons, float(round(neurons * degree))


def reduced(size: float, scheme: str) -> dict[str, int]:
    """Arguments of a size, which is the number of neurons."""
    neurons = round(size)
    if neurons < 20:
        raise SimulationError(
            f"there are {neurons} neurons", where="sparse_rnn_classifier", expected="a size of 20 or more"
        )
    return {"neurons": neurons}


def fit(
    seed: int, neurons: int, degree: float, load: float, readout_share: float, training: Training, start: str,
    learning_rate: float | None, epochs: int, pattern_seed: int | None,
) -> Fit:  # fmt: skip
    """Train the weights of the synapses; parameters as of `sparse_rnn_classifier`."""
    source, target = mask(seed, neurons, degree)
    count = number_of_patterns(neurons, degree, load)
    shown, label = patterns_of(seed if pattern_seed is None else pattern_seed, neurons, count)
    weight = starting_weights(seed, shown, label, source, target, degree, start)
    read = readout_neurons(seed, neurons, readout_share)
    if training == "hebbian":
        weight, history = _hebbian(weight, source, target, shown, label, read, gain(neurons, count, degree), epochs)
    else:
        rate = STEP_PER_PATTERN / count if learning_rate is None else learning_rate
        weight, history = sparse_training.descend(
            weight, source, target, shown, label, read, rate, 0 if training == "none" else epochs, ENOUGH
        )
        if training == "none":
            said = sparse_training.readout(weight, source, target, shown, read, TRAINED_STEPS)
            history = [float(by_quantile(said[-1:], label)[0])]
    wrong = [1.0 - right for right in history]
    return Fit(
        {"weight": weight, "accuracy": np.array(history)},
        min(wrong),
        1.0 - ENOUGH,
        len(history) - (training == "none"),
        "share of patterns on the wrong side",
        wrong,
    )


def _hebbian(
    weight: Floats, source: Ints, target: Ints, shown: Floats, label: Floats, read: Ints, g: float, epochs: int
) -> tuple[Floats, list[float]]:
    """For each misclassified pattern its own covariance is added; the best epoch is kept."""
    best, history = weight.copy(), []
    for _ in range(epochs):
        said = sparse_training.readout(weight, source, target, shown, read, TRAINED_STEPS)[-1]
        right = (said > SHOT_BOUNDARY) == (label > 0)
        history.append(float(right.mean()))
        if history[-1] == max(history):
            best = weight.copy()
        if right.all():
            break
        for p in range(label.size):
            alone = sparse_training.readout(weight, source, target, shown[:, p : p + 1], read, TRAINED_STEPS)
            if (alone[-1, 0] > SHOT_BOUNDARY) != (label[p] > 0):
                weight = weight + SHOT_STEP * g * label[p] * shown[target, p] * shown[source, p]
    return best, history


@feature_model(
    description="Sparse recurrent rate network that tells two classes of random patterns by amplifying one of them.",
    source="Turcu & Abbott 2022, PLoS Comput Biol 18:e1010759",
    check=check,
    fit=fit,
    stimulus=("load", "neurons", "degree", "duration_tau", "record_tau", "pattern_seed"),
    size=size,
    reduce=reduced,
    schemes=SCHEMES,
)
def sparse_rnn_classifier(
    seed: int,
    fitted: Fit,
    neurons: int = 100,
    degree: float = 5.0,
    load: float = 0.5,
    readout_share: float = 0.05,
    training: Training = "gradient",
    start: Literal["covariance", "random"] = "covariance",
    learning_rate: float | None = None,
    epochs: int = 300,
    duration_tau: float = 10.0,
    record_tau: float = 0.5,
    pattern_seed: int | None = None,
) -> Features:
    """Rates of all neurons while every pattern is shown and after it.

    Parameters
    ----------
    seed : int
        Of the synapses, and of the patterns where they have no seed of their own.
    fitted : Fit
        Trained weights.
    neurons : int
        Neurons N.
    degree : float
        Synapses per neuron K, on average: N K synapses at places drawn from all pairs.
    load : float
        Patterns per synapse.
    readout_share : float
        Share of neurons whose mean is read out.
    training : {"gradient", "hebbian", "none"}
        Descent through time on the synapses there are; the one-shot rule with corrections; or the starting weights alone.
    start : {"covariance", "random"}
        Starting weights: of patterns with their labels, or Gaussian of the same scale.
    learning_rate : float or None
        Step of the descent; null: 20 over the number of patterns, since the loss is their sum.
    epochs : int
        Most steps of the descent; it stops where 99 % of the patterns are on their side.
    duration_tau : float
        Time that is computed, time constants; the pattern is shown during the first, and the network is trained to the second.
    record_tau : float
        Time between recorded rates, time constants.
    pattern_seed : int or None
        Seed of patterns and labels; null: that of the model.
    """
    source, target = mask(seed, neurons, degree)
    drawn = seed if pattern_seed is None else pattern_seed
    count = number_of_patterns(neurons, degree, load)
    shown, label = patterns_of(drawn, neurons, count)
    every, steps = max(1, round(record_tau / DT)), round(duration_tau / DT)
    rate = sparse_training.rates(fitted.arrays["weight"], source, target, shown, steps)[every - 1 :: every]
    read = readout_neurons(seed, neurons, readout_share)
    said = rate[:, read].mean(axis=1)
    response = np.concatenate([rate.transpose(1, 2, 0), said.T[None]])
    return Features(
        response,
        {
            "stimulus": ["patterns"] * count,
            "condition": [f"pattern {k} of {drawn}" for k in range(count)],
            "repeat": np.zeros(count, np.int64),
            "duration": np.full(count, TRAINED_STEPS * DT * TAU_S),
            "category": label,
        },
        {
            "area": ["network"] * neurons + ["readout"],
            "read_out": np.append(np.isin(np.arange(neurons), read), False),
            "inputs": np.append(np.bincount(target, minlength=neurons), read.size),
        },
        lag_s=np.arange(every, steps + 1, every, dtype=np.float64) * DT * TAU_S,
        derived={
            "lag": f"time from the onset of the pattern, with a time constant of {1000 * TAU_S:g} ms, which is ours; it is shown for "
            f"{INPUT_STEPS * DT:g} and trained to {TRAINED_STEPS * DT:g} time constants",
            "readout": f"mean of {read.size} of the neurons; the class is whether it exceeds {BOUNDARY:g}",
        },
    )
