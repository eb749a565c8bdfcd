"""Dynamics and training of sparse recurrent rate networks on many patterns at a time, sums in a fixed order.

x_{t+1} = x_t + dt (-x_t + J r_t + s) while the pattern s is shown, and without s after it; r = (tanh([x]_+ - 1/2) + tanh 1/2) /
(1 + tanh 1/2), which is 0 for x below 0. Arrays are [neuron, pattern]; synapses are sorted by target.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

import numpy as np
from numba import njit
from numpy.typing import NDArray

from allometry.models.features.elementary import tanh

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DT = 0.1
INPUT_STEPS, TRAINED_STEPS = 10, 20
HIGH, LOW = 0.6, 0.4
"""What the readout of either class has to exceed, or fall short of."""
_HALF = 0.4621171572600098  # tanh(1 / 2)
_LANES = 8


@njit(cache=True, nogil=True)
def _rates(x, r):
    for i in range(x.shape[0]):
        for p in range(x.shape[1]):
            r[i, p] = (tanh(x[i, p] - 0.5) + _HALF) / (1.0 + _HALF) if x[i, p] > 0.0 else 0.0


@njit(cache=True, nogil=True)
def _forward(weight, source, target, shown, x, r):
    """Fill x and r [step, neuron, pattern] from step 0 on."""
    x[0] = 0.0
    r[0] = 0.0
    for t in range(x.shape[0] - 1):
        now, then = x[t], x[t + 1]
        for i in range(now.shape[0]):
            for p in range(now.shape[1]):
                then[i, p] = -now[i, p] + (shown[i, p] if t < INPUT_STEPS else 0.0)
        for k in range(weight.size):
            w, into, out = weight[k], then[target[k]], r[t, source[k]]
            for p in range(into.size):
                into[p] += w * out[p]
        for i in range(now.shape[0]):
            for p in range(now.shape[1]):
                then[i, p] = now[i, p] + DT * then[i, p]
        _rates(then, r[t + 1])


@njit(cache=True, nogil=True)
def _mean(r, read, y):
    """Mean rate of the read neurons, [step, pattern]."""
    for t in range(y.shape[0]):
        for p in range(y.shape[1]):
            y[t, p] = 0.0
        for i in read:
            for p in range(y.shape[1]):
                y[t, p] += r[t, i, p]
        for p in range(y.shape[1]):
            y[t, p] /= read.size


@njit(cache=True, nogil=True)
def _backward(weight, source, target, label, is_read, x, r, y, gradient):
    """Gradient of the loss in the weights, back through time; patterns are padded to whole lanes with label 0."""
    steps, neurons, patterns = x.shape
    share = 1.0 / is_read.sum()
    later = np.zeros((neurons, patterns))
    here = np.zeros((neurons, patterns))
    gradient[:] = 0.0
    for t in range(steps - 1, 0, -1):
        here[:] = 0.0
        if t < steps - 1:
            for k in range(weight.size):
                w = DT * weight[k]
                into, out = here[source[k]], later[target[k]]
                for p in range(patterns):
                    into[p] += w * out[p]
        for i in range(neurons):
            for p in range(patterns):
                total = here[i, p]
                if is_read[i] and t > INPUT_STEPS:
                    if label[p] > 0.0 and y[t, p] < HIGH:
                        total -= share
                    elif label[p] < 0.0 and y[t, p] > LOW:
                        total += share
                flat = r[t, i, p] * (1.0 + _HALF) - _HALF
                slope = (1.0 - flat * flat) / (1.0 + _HALF) if x[t, i, p] > 0.0 else 0.0
                here[i, p] = slope * total + (1.0 - DT) * later[i, p]
        for k in range(weight.size):
            a, b = here[target[k]], r[t - 1, source[k]]
            lanes = np.zeros(_LANES)
            for p in range(0, patterns, _LANES):
                for lane in range(_LANES):
                    lanes[lane] += a[p + lane] * b[p + lane]
            total = 0.0
            for lane in range(_LANES):
                total += lanes[lane]
            gradient[k] += DT * total
        later, here = here, later


def rates(weight: Floats, source: Ints, target: Ints, shown: Floats, steps: int) -> Floats:
    """Rates after each step, [step, neuron, pattern].

    Parameters
    ----------
    weight, source, target : ndarray [synapse]
        Synapses.
    shown : ndarray [neuron, pattern]
        Patterns.
    steps : int
        Steps of a tenth of the time constant.
    """
    x = np.empty((steps + 1, *shown.shape))
    r = np.empty_like(x)
    _forward(weight, source, target, np.ascontiguousarray(shown), x, r)
    return r[1:]


def readout(weight: Floats, source: Ints, target: Ints, shown: Floats, read: Ints, steps: int) -> Floats:
    """Mean rate of some neurons after each step, [step, pattern]; arguments as of `rates`, `read` lists the neurons."""
    r = rates(weight, source, target, shown, steps)
    y = np.empty((steps, shown.shape[1]))
    _mean(r, read, y)
    return y


def loss(said: Floats, label: Floats) -> float:
    """Sum over patterns and steps after the input of what the readout is short of its side, or beyond it.

    Parameters
    ----------
    said : ndarray [step, pattern]
        Readout after each step.
    label : ndarray [pattern]
        -1 or 1.
    """
    late = said[INPUT_STEPS:]
    return float(np.where(label > 0, np.maximum(HIGH - late, 0.0), np.maximum(late - LOW, 0.0)).sum())


def gradient_of(
    weight: Floats, source: Ints, target: Ints, shown: Floats, label: Floats, read: Ints
) -> tuple[Floats, Floats]:
    """Gradient of the loss in the weights, [synapse], and the readout after each step, [step, pattern].

    Parameters
    ----------
    weight, source, target, shown, read
        As of `readout`.
    label : ndarray [pattern]
        -1 or 1.
    """
    patterns = shown.shape[1]
    whole = -(-patterns // _LANES) * _LANES
    padded = np.zeros((len(shown), whole))
    padded[:, :patterns] = shown
    labels = np.zeros(whole)
    labels[:patterns] = label
    x = np.empty((TRAINED_STEPS + 1, *padded.shape))
    r = np.empty_like(x)
    _forward(weight, source, target, padded, x, r)
    y = np.empty((len(x), whole))
    _mean(r, read, y)
    gradient = np.empty(weight.size)
    is_read = np.zeros(len(shown), np.bool_)
    is_read[read] = True
    _backward(weight, source, target, labels, is_read, x, r, y, gradient)
    return gradient, y[1:, :patterns]


def descend(
    weight: Floats, source: Ints, target: Ints, shown: Floats, label: Floats, read: Ints, rate: float, epochs: int, enough: float
) -> tuple[Floats, list[float]]:  # fmt: skip
    """Descend the loss, all patterns at once; weights of the best accuracy, and the accuracy before every step and at the end.

    Parameters
    ----------
    weight, source, target, shown, label, read
        As of `gradient_of`; the weights are not changed.
    rate : float
        Step per gradient.
    epochs : int
        Most steps.
    enough : float
        Accuracy that ends the training: that of the best step after the input, of a boundary of one half.
    """
    now, best, history = weight.copy(), weight.copy(), []
    for epoch in range(epochs + 1):
        gradient, said = gradient_of(now, source, target, shown, label, read)
        right = ((said[INPUT_STEPS:] > (HIGH + LOW) / 2) == (label > 0)).mean(axis=1)
        history.append(float(right.max()))
        if history[-1] == max(history):
            best[:] = now
        if history[-1] >= enough or epoch == epochs:
            break
        now -= rate * gradient
    return best, history
