"""A connectome as reservoir: memory capacity and a timing task.

The reservoir is x(t) = (1 - leak) x(t-1) + leak f(W x(t-1) + w_in u(t) + noise), its readout a ridge regression; W is scaled
to a spectral radius, so that networks are compared by their wiring and not by their gain.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, matrix, vector
from allometry.compare.inference.blockwise import Estimate, afford, memory_limit
from allometry.compare.inference.progress import steps, whole
from allometry.compare.records.measures import SHARE, Scale, measure
from allometry.errors import ComparisonError

LARGE = 500  # units from which on the leading eigenvalue is iterated, and sparse weights are treated as such
AT_ONCE = 256  # steps whose input and noise are made together
SPARSE = 0.1  # share of non-zero weights below which they are sparse


@dataclass(frozen=True)
class MemoryCapacity:
    """Total memory capacity MC, the squared correlation of every delay, and the number of reservoir units (the bound)."""

    capacity: float
    r2: FloatArray
    n_units: int


@dataclass(frozen=True)
class TimingTask:
    """Normalised error of a ramp-and-fire response after each interval (0 perfect, 1 the mean), and the mean score 1 - error."""

    error: FloatArray
    score: float


def spectral_scale(weights: npt.ArrayLike, radius: float) -> FloatArray:
    """Weights scaled to a spectral radius.

    Parameters
    ----------
    weights : array_like, shape (units, units), [source, target]
    radius : float
        > 0.

    Raises
    ------
    ComparisonError
        If the network has no cycle: its spectral radius is 0 and cannot be scaled.
    """
    w = matrix(weights, "weights", rows=2, columns=2)
    if w.shape[0] != w.shape[1]:
        raise ComparisonError(f"weights have shape {w.shape}", where="weights", expected="[units, units]")
    if not radius > 0:
        raise ComparisonError(f"radius={radius}", where="radius", expected="a spectral radius > 0")
    with whole(
        f"spectral radius of {len(w):,} units",
        (1e-8 if len(w) <= LARGE else 1e-9) * len(w) ** (3 if len(w) <= LARGE else 2),
    ):
        current = _radius(w)
    if current <= 1e-9 * np.abs(w).max(initial=0) or current == 0:
        raise ComparisonError(
            "the network has no cycle, hence a spectral radius of 0",
            where="weights",
            expected="a recurrent network",
            do="pass radius=None to use the weights as they are",
        )
    return w * (radius / current)


def _radius(w: FloatArray) -> float:
    if w.shape[0] > LARGE:
        few = np.count_nonzero(w) < SPARSE * w.size
        try:
            # A fixed start makes the last digits reproducible.
            return float(
                np.abs(
                    scipy.sparse.linalg.eigs(
                        scipy.sparse.csr_array(w) if few else w, k=1, return_eigenvectors=False, v0=np.ones(w.shape[0])
                    )
                ).max()
            )
        except scipy.sparse.linalg.ArpackError:
            pass  # clustered leading eigenvalues: the dense solver has no such trouble
    return float(np.abs(np.linalg.eigvals(w)).max())


def states(
    weights: npt.ArrayLike,
    drive: npt.ArrayLike,
    input_weights: npt.ArrayLike,
    radius: float | None = 0.9,
    leak: float = 1.0,
    activation: str = "tanh",
    noise: float = 0.0,
    seed: int = 0,
) -> FloatArray:
    """States of the reservoir under an input.

    Parameters
    ----------
    weights : array_like, shape (units, units), [source, target]
    drive : array_like, shape (time,)
    input_weights : array_like, shape (units,)
    radius : float, optional
        Spectral radius that the weights are scaled to; None: as they are.
    leak : float
        In (0, 1].
    activation : str
        "tanh" or "linear".
    noise : float
        Sd of Gaussian noise inside the activation.
    seed : int

    Returns
    -------
    ndarray, shape (time, units)

    References
    ----------
    Jaeger 2001, GMD Report 148; Suarez, Richards, Lajoie & Misic 2021, Nat. Mach. Intell. 3:771.
    """
    w = matrix(weights, "weights") if radius is None else spectral_scale(weights, radius)
    u, v = vector(drive, "drive"), vector(input_weights, "input_weights")
    if w.shape[0] != w.shape[1] or v.size != w.shape[0]:
        raise ComparisonError(
            f"weights {w.shape}, input_weights {v.shape}", where="weights, input_weights", expected="[n, n] and [n]"
        )
    if not 0 < leak <= 1 or activation not in ("tanh", "linear"):
        raise ComparisonError(
            f"leak={leak}, activation={activation!r}",
            where="leak, activation",
            expected='a leak in (0, 1], "tanh" or "linear"',
        )
    n = w.shape[0]
    need = Estimate(f"states of {n:,} units", 8 * (u.size * n + 3 * n**2), 8 * u.size * n, 2.0 * u.size * n**2)
    afford(need, f"at most {_fitting(u.size):,} units at {u.size:,} steps, or fewer steps")
    rng = np.random.default_rng(seed)
    out = np.empty((u.size, n))
    x = np.zeros(w.shape[0])
    # A large connectome has few of the possible edges.
    few = w.shape[0] >= LARGE and np.count_nonzero(w) < SPARSE * w.size
    transposed = scipy.sparse.csr_array(w.T) if few else np.ascontiguousarray(w.T)
    with np.errstate(over="ignore", invalid="ignore"):
        for t in steps(range(u.size), "reservoir, time steps"):
            place = t % AT_ONCE
            if place == 0:
                # Drawn one by one, they would take as long as a step of a small network does.
                given = np.outer(u[t : t + AT_ONCE], v)
                drawn = noise * rng.normal(size=given.shape) if noise else None
            total = transposed @ x
            total += given[place]
            if drawn is not None:
                total += drawn[place]
            if activation == "tanh":
                np.tanh(total, out=total)
            x = total if leak == 1 else (1 - leak) * x + leak * total
            out[t] = x
    if not np.isfinite(out[-1]).all() or np.abs(out[-1]).max() > 1e100:
        raise ComparisonError("the reservoir diverges", where="weights", expected="a radius below 1", do="lower radius")
    return out


def _ridge(x: FloatArray, y: FloatArray, ridge: float) -> FloatArray:
    """Weights [units + 1, targets] of a ridge regression with a free offset (last row)."""
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    centred = x - mean_x
    with whole(f"readout of {x.shape[1]:,} units", 1e-10 * x.size * (x.shape[1] + y.shape[1])):
        return _solved(centred, y - mean_y, ridge, mean_x, mean_y)


def _solved(centred: FloatArray, y: FloatArray, ridge: float, mean_x: FloatArray, mean_y: FloatArray) -> FloatArray:
    gram = centred.T @ centred
    gram[np.diag_indices_from(gram)] += max(ridge, 1e-14) * max(np.trace(gram) / len(gram), 1e-300)
    try:
        beta = scipy.linalg.cho_solve(scipy.linalg.cho_factor(gram), centred.T @ y)
    except scipy.linalg.LinAlgError:
        raise ComparisonError(
            "the states are degenerate", where="ridge", expected="a larger ridge", do="raise ridge"
        ) from None
    return np.vstack([beta, mean_y - mean_x @ beta])


def _fitting(steps: int) -> int:
    """Units whose states of so many steps are within the limit of memory, to two digits."""
    room = memory_limit() / 8
    n = int((math.sqrt(steps**2 + 12 * room) - steps) / 6)
    step = 10 ** max(len(str(n)) - 2, 0)
    return n // step * step


def _input_weights(n: int, inputs: npt.ArrayLike | None, scale: float, rng: np.random.Generator) -> FloatArray:
    v = np.zeros(n)
    chosen = np.arange(n) if inputs is None else np.asarray(inputs, dtype=np.int64)
    if chosen.size == 0 or chosen.min() < 0 or chosen.max() >= n:
        raise ComparisonError("no valid input units", where="inputs", expected=f"indices of units, 0 to {n - 1}")
    v[chosen] = scale * rng.uniform(-1, 1, chosen.size)
    return v


@measure(
    name="memory_capacity",
    version="1",
    inputs="weights [nodes, nodes], input",
    invariances="order of nodes",
    use="how long does a connectome remember its input?",
    reference="Jaeger 2001, GMD Report 152; Suárez et al. 2021, Nat. Mach. Intell. 3:771",
    scale=Scale(True, 0.2),
    cost="memory",
)
def memory_capacity(
    weights: npt.ArrayLike,
    inputs: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    max_delay: int | None = None,
    radius: float | None = 0.9,
    steps: int = 4000,
    washout: int = 200,
    ridge: float = 1e-9,
    activation: str = "tanh",
    input_scale: float = 0.1,
    noise: float = 0.0,
    seed: int = 0,
) -> MemoryCapacity:
    """Linear memory capacity MC = sum over delays k of r^2(u(t - k), readout): how long the input is remembered.

    Parameters
    ----------
    weights : array_like, shape (units, units), [source, target]
    inputs : array_like of int [inputs], optional
        Units that receive the input (sensory neurons); default: all.
    outputs : array_like of int [outputs], optional
        Units the readout sees; default: all.
    max_delay : int, optional
        Default: 1.5 x outputs + 10, at most a quarter of the steps.
    radius, activation, noise
        As in `states`.
    steps : int
        Steps used, half to train the readout and half to test it; several times the number of units.
    washout : int
        Steps dropped before.
    ridge : float
        Relative to the mean variance of the states.
    input_scale : float
        Input weights are uniform in +-input_scale (input uniform in [-1, 1]); small values keep tanh linear.
    seed : int

    Returns
    -------
    MemoryCapacity
        Delays k = 0, 1, ...; MC <= number of outputs, N for a delay line of length N.

    References
    ----------
    Jaeger 2002, GMD Report 152, definition 1.
    """
    w = matrix(weights, "weights", rows=1)
    n = w.shape[0]
    rng = np.random.default_rng(seed)
    seen = np.arange(n) if outputs is None else np.asarray(outputs, dtype=np.int64)
    if seen.size == 0 or seen.min() < 0 or seen.max() >= n:
        raise ComparisonError("no valid output units", where="outputs", expected=f"indices of units, 0 to {n - 1}")
    longest = min(int(1.5 * seen.size) + 10, steps // 4) if max_delay is None else max_delay
    if not 0 <= longest <= steps // 2 or steps < 4 * seen.size:
        raise ComparisonError(
            f"steps={steps}, max_delay={longest}, {seen.size} outputs",
            where="steps, max_delay",
            expected="steps of at least four times the outputs and twice the longest delay",
        )
    start = washout + longest
    u = rng.uniform(-1, 1, start + steps)
    v = _input_weights(n, inputs, input_scale, rng)
    x = states(w, u, v, radius, 1.0, activation, noise, seed)[start:, seen]
    targets = np.column_stack([u[start - k : start - k + steps] for k in range(longest + 1)])
    half = steps // 2
    beta = _ridge(x[:half], targets[:half], ridge)
    predicted = x[half:] @ beta[:-1] + beta[-1]
    actual = targets[half:] - targets[half:].mean(axis=0)
    centred = predicted - predicted.mean(axis=0)
    power = (centred**2).sum(axis=0)
    r2 = np.divide(
        (centred * actual).sum(axis=0) ** 2, power * (actual**2).sum(axis=0), out=np.zeros(longest + 1), where=power > 0
    )
    # Independent signals have r^2 of 1/T on average, which many delays would add up to.
    r2 = np.maximum(r2 - 1 / half, 0) / (1 - 1 / half)
    return MemoryCapacity(float(r2.sum()), r2, n)


@measure(
    name="timing_score",
    version="1",
    inputs="weights [nodes, nodes], intervals",
    invariances="order of nodes",
    use="can a readout of a connectome tell time?",
    reference="Buonomano & Maass 2009, Nat. Rev. Neurosci. 10:113",
    scale=SHARE,
    cost="memory",
)
def timing_task(
    weights: npt.ArrayLike,
    intervals: Sequence[int] = (5, 10, 20, 40),
    inputs: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    radius: float | None = 0.9,
    trials: int = 60,
    ridge: float = 1e-6,
    noise: float = 0.001,
    seed: int = 0,
) -> TimingTask:
    """Timing: after a pulse, the readout must answer with a bump centred `interval` steps later.

    Parameters
    ----------
    weights : array_like, shape (units, units), [source, target]
    intervals : sequence of int
        Intervals in steps; one readout each.
    inputs, outputs, radius, noise, seed
        As in `memory_capacity`.
    trials : int
        Pulses at random times (half to train, half to test), each followed by twice the longest interval.
    ridge : float

    Returns
    -------
    TimingTask

    References
    ----------
    The delayed response of Buonomano & Maass 2009, Nat. Rev. Neurosci. 10:113, box 2.
    """
    w = matrix(weights, "weights")
    wanted = np.asarray(intervals, dtype=np.int64)
    if wanted.size == 0 or wanted.min() < 1 or trials < 4:
        raise ComparisonError(
            f"intervals={list(intervals)}, trials={trials}", where="intervals", expected="steps >= 1, trials >= 4"
        )
    rng = np.random.default_rng(seed)
    length = 2 * int(wanted.max()) + 10
    onset = np.arange(trials) * length + rng.integers(0, 5, trials)
    u = np.zeros(trials * length)
    u[onset] = 1.0
    seen = np.arange(w.shape[0]) if outputs is None else np.asarray(outputs, dtype=np.int64)
    x = states(w, u, _input_weights(w.shape[0], inputs, 1.0, rng), radius, 1.0, "tanh", noise, seed)[:, seen]
    time = np.arange(u.size)
    since = time - onset[np.clip(np.searchsorted(onset, time, side="right") - 1, 0, None)]
    targets = np.exp(-((since[:, None] - wanted) ** 2) / (2 * np.maximum(0.1 * wanted, 1.0) ** 2))
    half = (trials // 2) * length
    beta = _ridge(x[:half], targets[:half], ridge)
    residual = targets[half:] - x[half:] @ beta[:-1] - beta[-1]
    error = (residual**2).sum(axis=0) / ((targets[half:] - targets[half:].mean(axis=0)) ** 2).sum(axis=0)
    return TimingTask(error, float(np.mean(1 - np.minimum(error, 1))))
