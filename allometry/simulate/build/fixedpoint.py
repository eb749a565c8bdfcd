"""Weights and delays as integers: the quantum of each population's input, and tables of drawn values.

Integer weights make every sum of synaptic input exact in any order, hence equal for any partition of the network.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from allometry.errors import SimulationError
from allometry.network import Constant, Distribution, ExplicitEdges, Lognormal, Network, Normal, Uniform
from allometry.simulate.build.timing import delay_steps
from allometry.simulate.kernels.rng import (
    ln,
    lognormal_values,
    normal_cdf,
    normal_quantile,
    normal_table,
    upper_normal_table,
)
from allometry.simulate.kernels.wiring.connect import TABLE, TAIL

MAX_SUM = 2**31 - 1
"""Largest sum of integer weights in `fast`."""
EXACT_QUANTUM = {"pA": 2.0**-10, "mV": 2.0**-20, "nS": 2.0**-20, "1": 2.0**-20}
EXACT_ERROR = 1e-3
"""Largest rounding of a weight in `exact`, relative to the mean |weight| of its projection or input."""

_FAST_RANGE = 2**15 - 1
_WIDE_RANGE = 2**30
_EXACT_RANGE = 2**31
_RESOLUTION = 512
# Where the quantum of `exact` has to shrink: the smallest mean |weight| in units of it, if the largest weight lets it.
_EXACT_RESOLUTION = 2**20
# Tables of a lognormal weight: one more where those there are leave out more than this share of the second moment.
_SHARE_LEFT_OUT = 1e-3
_MOST_TABLES = 3
_SD_ERROR = 1e-2


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of one projection or input, float64: one per edge, or where `drawn` the tables of `weight_table`.

    What is computed of them is kept: the conditions of a batch compile the same weights again and again.
    """

    values: np.ndarray
    drawn: bool = False

    @property
    def tailed(self) -> bool:
        """Whether there is more than one table."""
        return self.drawn and len(self.values) > TABLE

    @functools.cached_property
    def mean(self) -> float:
        """Mean |weight| of those that are not 0."""
        size = np.abs(self.values)
        if self.drawn:
            return table_mean(size)
        return float(size.sum() / max(1, np.count_nonzero(size)))

    @property
    def body(self) -> np.ndarray:
        """Sizes of the weights that are not 0, float64; of tables the first."""
        size = np.abs(self.values[:TABLE] if self.drawn else self.values)
        return size[size != 0.0]

    @functools.cached_property
    def largest(self) -> float:
        """Largest |weight|; not finite where one is not."""
        return float(np.abs(self.values).max(initial=0.0))

    @functools.cached_property
    def common(self) -> float:
        """Largest |weight|, of tables that of the first."""
        return float(self.body.max())

    @functools.cached_property
    def typical(self) -> float:
        """Median |weight|; of a heavy tail the mean, which is far above the median, and its many weights near 0 do not matter."""
        return self.mean if self.tailed else float(np.median(self.body))

    @functools.cached_property
    def smallest(self) -> float:
        """Weight that one in a thousand is below."""
        return float(np.quantile(self.body, 0.001, method="lower"))

    @functools.cached_property
    def _errors(self) -> dict[float, float]:
        return {}

    def rounding(self, unit: float) -> float:
        """Return the largest change of a weight by rounding to multiples of `unit`."""
        if unit not in self._errors:
            self._errors[unit] = float(np.max(np.abs(np.rint(self.values / unit) * unit - self.values)))
        return self._errors[unit]

    @functools.cached_property
    def _rounded(self) -> dict[float, np.ndarray]:
        return {}

    def rounded(self, unit: float) -> np.ndarray:
        """Return the weights as multiples of `unit`, int32; not to be written to."""
        found = self._rounded.get(unit)
        if found is None:
            self._rounded.clear()
            found = self._rounded[unit] = round_to(self.values, unit)
        return found


def drawn_weights(weight: Distribution, where: str) -> Weights:
    """Return the weights that a distribution gives, the same object for the same distribution.

    Raises
    ------
    SimulationError
        If a weight cannot be of this kind, or its tail is too heavy.
    """
    try:
        return _drawn(weight)
    except SimulationError as error:
        raise SimulationError(error.what, where=where, expected=error.expected, do=error.do) from None


@functools.lru_cache(maxsize=64)
def _drawn(weight: Distribution) -> Weights:
    return Weights(weight_table(weight, ""), True)


GivenEdges = Mapping[int, tuple[Weights, np.ndarray]]
"""Weights, and delays in steps, of `ExplicitEdges` by their id."""


def given_edges(net: Network) -> GivenEdges:
    """Return what is computed of a network's lists of edges, for its conditions to be compiled without doing it again."""
    rules = [p.rule for p in net.projections if isinstance(p.rule, ExplicitEdges)]
    return {id(rule): (Weights(rule.weight), delay_steps(rule.delay, net.dt_ms, "edges")) for rule in rules}


def weight_table(weight: Distribution, where: str) -> np.ndarray:
    """Return the values that a weight takes, float64 [1] or [tables * TABLE], before rounding.

    One table holds equiprobable values. The last `TAIL` of them stand for the whole of a further table, if there is one,
    and so on: a lognormal weight has its variance in values rarer than one in 65536.
    """
    if isinstance(weight, Constant):
        return np.array([weight.value])
    if isinstance(weight, Normal):
        if weight.sd == 0.0:
            return np.array([weight.mean])
        sign = -1.0 if weight.mean < 0 else 1.0
        mean = abs(weight.mean)
        return sign * (mean + weight.sd * normal_table(TABLE, -mean / weight.sd))
    if isinstance(weight, Lognormal):
        if weight.sd == 0.0:
            return np.array([weight.mean])
        return _lognormal_tables(weight, where)
    if isinstance(weight, Uniform):
        return _uniform_table(weight) if weight.high > weight.low else np.array([weight.low])
    raise SimulationError(
        f"a weight cannot be {type(weight).__name__}",
        where=where,
        expected="a number, Normal, Lognormal, Uniform or per edge",
    )


def _uniform_table(uniform: Uniform) -> np.ndarray:
    """Return the midpoints of `TABLE` equal parts of a uniform distribution."""
    return uniform.low + (uniform.high - uniform.low) * ((np.arange(TABLE) + 0.5) / TABLE)


def _lognormal_tables(weight: Lognormal, where: str) -> np.ndarray:
    mu, sigma = _logarithmic(weight)
    z = [normal_table(TABLE, -math.inf)]
    share = 1.0
    while len(z) < 2 or (len(z) < _MOST_TABLES and _beyond(sigma, share / TABLE) > _SHARE_LEFT_OUT):
        share *= TAIL / TABLE
        z.append(upper_normal_table(TABLE, share))
    out = lognormal_values(np.concatenate(z), mu, sigma)
    mean = table_mean(out)
    sd = math.sqrt(max(0.0, table_mean(out**2) - mean**2))
    if abs(sd / weight.sd - 1.0) > _SD_ERROR:
        raise SimulationError(
            f"the tail of a lognormal weight with a standard deviation of {weight.sd / abs(weight.mean):g} times its mean is "
            "too heavy to be drawn",
            where=where,
            expected="a standard deviation of at most about 25 times the mean",
            do="list such weights by ExplicitEdges",
        )
    return -out if weight.mean < 0 else out


def _beyond(sigma: float, probability: float) -> float:
    """Return the share of a lognormal's second moment in values rarer than `probability`."""
    return float(normal_cdf(2.0 * sigma + normal_quantile(probability)))


def table_mean(values: np.ndarray) -> float:
    """Return the mean of the values that the tables of `weight_table` stand for."""
    if len(values) <= TABLE:
        return float(np.mean(values))
    inner = table_mean(values[TABLE:])
    return float(values[: TABLE - TAIL].sum() + TAIL * inner) / TABLE


def delay_table(delay: Distribution, dt_ms: float, where: str) -> np.ndarray:
    """Return the delays that a synapse takes, uint16 steps [1] or [TABLE]; not to be written to."""
    try:
        return _delay_table(delay, dt_ms)
    except SimulationError as error:
        raise SimulationError(error.what, where=where, expected=error.expected, do=error.do) from None


@functools.lru_cache(maxsize=64)
def _delay_table(delay: Distribution, dt_ms: float, where: str = "") -> np.ndarray:
    if isinstance(delay, Constant):
        return delay_steps(np.array([delay.value]), dt_ms, where)
    if isinstance(delay, Normal):
        if delay.sd == 0.0:
            return delay_steps(np.array([delay.mean]), dt_ms, where)
        z = normal_table(TABLE, (dt_ms / 2.0 - delay.mean) / delay.sd)
        return delay_steps(np.maximum(delay.mean + delay.sd * z, dt_ms), dt_ms, where)
    if isinstance(delay, Lognormal):
        if delay.sd == 0.0:
            return delay_steps(np.array([delay.mean]), dt_ms, where)
        mu, sigma = _logarithmic(delay)
        z = normal_table(TABLE, (float(ln(dt_ms / 2.0)) - mu) / sigma)
        return delay_steps(np.maximum(lognormal_values(z, mu, sigma), dt_ms), dt_ms, where)
    if isinstance(delay, Uniform):
        spread = _uniform_table(delay) if delay.high > delay.low else np.array([delay.low])
        return delay_steps(np.maximum(spread, dt_ms), dt_ms, where)
    raise SimulationError(
        f"a delay cannot be {type(delay).__name__}",
        where=where,
        expected="a number, Normal, Lognormal, Uniform or per edge",
    )


def _logarithmic(lognormal: Lognormal) -> tuple[float, float]:
    """Return mean and standard deviation of the logarithm of |x|."""
    variance = float(ln(1.0 + (lognormal.sd / lognormal.mean) ** 2))
    return float(ln(abs(lognormal.mean))) - variance / 2.0, math.sqrt(variance)


@dataclass(frozen=True)
class Quantum:
    """The unit of the integer weights into one population, and the largest rounding error it caused.

    `relative` is the largest error over the mean |weight| of the projection or input that it belongs to.
    """

    value: float
    error: float
    relative: float


def _power_of_two(x: float, up: bool) -> float:
    mantissa, exponent = math.frexp(x)
    if up:
        return math.ldexp(1.0, exponent - 1 if mantissa == 0.5 else exponent)
    return math.ldexp(1.0, exponent - 1)


def quantum(weights: list[Weights], unit: str, precision: str, where: str) -> Quantum:
    """Choose the quantum of the weights into one population.

    `exact` uses 2^-10 pA or 2^-20 mV where that rounds no weight by more than 1e-3 of the mean |weight| of its projection
    or input, and a finer power of two elsewhere. `fast` uses the power of two that lets the largest weight fit 16 bits, or
    a finer one where that would resolve the smallest group of weights to less than 1/512, or round weights to 0; either
    depends on the network only, never on its partition.

    Parameters
    ----------
    weights : list of Weights
        One per projection or input.

    Raises
    ------
    SimulationError
        If weights are not finite, overflow the fixed-point range, or are too different to be held in one unit.
    """
    sets = [w for w in weights if w.largest != 0.0]
    if not all(math.isfinite(w.largest) for w in sets):
        raise SimulationError("a weight is not finite", where=where, expected="finite weights")
    largest = max((w.largest for w in sets), default=0.0)
    if largest == 0.0:
        return Quantum(EXACT_QUANTUM[unit], 0.0, 0.0)
    if precision == "exact":
        value, limit = _exact_quantum(sets, EXACT_QUANTUM[unit], largest), _EXACT_RANGE
    else:
        value, limit = _fast_quantum(sets, largest), _WIDE_RANGE
    if np.rint(largest / value) >= limit:
        raise SimulationError(
            f"the weights overflow the fixed-point range: {largest:g} {unit} in units of {value:g} {unit}",
            where=where,
            expected=f"weights up to {limit * value:g} {unit}",
            do="use weights within a factor of 10^6 of each other, or precision='exact'"
            if precision == "fast"
            else "use smaller weights",
        )
    errors = [w.rounding(value) for w in sets]
    relative = max(error / w.mean for error, w in zip(errors, sets))
    if precision == "exact" and relative > EXACT_ERROR:
        raise SimulationError(
            f"rounding to {value:g} {unit} changes weights by up to {relative:.2g} of the mean |weight| of their projection",
            where=where,
            expected=f"at most {EXACT_ERROR:g}: weights within a factor of some 10^6 of each other",
            do="split the population, or leave out the weakest weights",
        )
    return Quantum(value, max(errors), relative)


def _exact_quantum(sets: list[Weights], usual: float, largest: float) -> float:
    finest = _power_of_two(largest / (_EXACT_RANGE - 1), up=True)
    if all(w.rounding(usual) <= EXACT_ERROR * w.mean for w in sets):
        # Only the rarest values of a heavy tail may ask for a coarser unit; other weights are refused as too large.
        common = max(w.common for w in sets)
        return max(usual, finest) if np.rint(common / usual) < _EXACT_RANGE else usual
    return min(usual, max(finest, _power_of_two(min(w.mean for w in sets) / _EXACT_RESOLUTION, up=False)))


def _fast_quantum(sets: list[Weights], largest: float) -> float:
    typical = min(w.typical for w in sets)
    value = _power_of_two(largest / _FAST_RANGE, up=True)
    if value > typical / _RESOLUTION:
        value = _power_of_two(typical / _RESOLUTION, up=False)
    smallest = min((w.smallest for w in sets if not w.tailed), default=math.inf)
    return value if value <= smallest else _power_of_two(smallest, up=False)


def round_to(weights: np.ndarray, value: float) -> np.ndarray:
    """Round weights to integer multiples of `value`, int32 (half to even)."""
    return np.rint(np.asarray(weights, np.float64) / value).astype(np.int32)


def overflow(population: str) -> SimulationError:
    """Return the error of a population whose summed input does not fit the integers of `fast`."""
    return SimulationError(
        "the summed weights of a neuron's inputs overflow 32 bits",
        where=f"population {population}, precision 'fast'",
        expected="weights whose sum over all synapses and inputs is below 2^31 times the resolution of the smallest",
        do="use precision='exact'",
    )
