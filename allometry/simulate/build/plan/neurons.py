"""The neurons of a population in numbers: parameters checked and drawn, constants of a step, and how they are passed."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from allometry.network import Constant, DCInput, Lognormal, Network, NeuronModel, Normal, Population, Uniform, Values
from allometry.network.neuron_model import (
    CHOICE,
    CURRENT,
    GAP,
    REFRACTORY_TIME,
    TIME_CONSTANT,
    Form,
    arguments,
    is_distribution,
    kinds,
    parameters,
)
from allometry.simulate.build.checks import finite, real, require
from allometry.simulate.build.fixedpoint import Quantum
from allometry.simulate.kernels.neurons.update import block_address
from allometry.simulate.kernels.rng import Purpose, key, ln, lognormal_values, normal_draws, uniform_draws

MAX_REF_STEPS = 2**15 - 1
# exp(dt / tau) has to be a number, and is one far beyond any use.
MAX_STEPS_PER_TAU = 200.0
_MOST_PARAMETERS = 1024


@dataclass(frozen=True, eq=False)
class Neurons:
    """One population in numbers.

    Parameters
    ----------
    name, size, first : str, int, int
        Of the population; number of its first neuron in the network.
    model : NeuronModel
        The model, with distributions drawn.
    form : class
        What integrates it.
    constants : dict
        What a step takes beside states and receptors: numbers, or float64 [neuron]; int or int64 [neuron] of whole ones.
    varied : tuple of str
        Those that differ between neurons; `current` too where a direct current does.
    current : float or np.ndarray
        Parameter I_e, where there is one.
    dead_steps : int
        Steps after a spike in which no neuron emits another.
    quantum : Quantum
        Unit of the integer weights.
    initial_key : uint64
        Of the draws of initial voltages.
    input_extent : int
        The most that Poisson and spike-list inputs add to a neuron in one step, in integer weights.
    """

    name: str
    size: int
    first: int
    model: NeuronModel
    form: type[Form]
    constants: Mapping[str, Any]
    varied: tuple[str, ...]
    current: Any
    dead_steps: int
    quantum: Quantum
    initial_key: np.uint64
    input_extent: int

    @property
    def whole(self) -> tuple[str, ...]:
        """Constants that are whole numbers."""
        return tuple(name for name, value in self.constants.items() if np.asarray(value).dtype.kind in "iu")

    def widths(self, width: str) -> tuple[str, ...]:
        """Return the state variables of a width, in order."""
        return tuple(s.name for s in self.form.states if s.width == width)

    def listed(self, whole: bool, varied: bool) -> tuple[str, ...]:
        """Return the constants of whole or other numbers, equal or different between neurons, in the order of passing."""
        return tuple(c for c in self.constants if (c in self.whole) == whole and (c in self.varied) == varied)

    def offset(self, variable: str) -> Any:
        """Return what recordings add to a state variable, a number or float64 [neuron]."""
        (state,) = (s for s in self.form.states if s.name == variable)
        return getattr(self.model, state.relative_to) if state.relative_to else 0.0

    @property
    def takes_gap(self) -> bool:
        """Whether gap junctions act on the model."""
        return GAP in arguments(self.form)

    def block(self, real: type, total: type) -> int:
        """Return the address of the compiled loop over its neurons."""
        return block_address(
            self.form, type(self.model).__name__, self.varied, self.whole, tuple(self.constants), real, total
        )


def compile_neurons(
    net: Network, i: int, first: int, scale: Quantum, seeds: tuple[int, int], precision: str, input_extent: int
) -> Neurons:
    """Turn population number `i` of a checked network into numbers; `seeds` are those of parameters and of initial voltages."""
    p = net.populations[i]
    model = drawn(p, i, seeds[0], net.dt_ms)
    form = model.form(precision)
    taken = arguments(form)
    constants = {c: _constant(v, p, c) for c, v in model.constants(net.dt_ms).items() if c in taken}
    known = {*constants, CURRENT, GAP, *(s.name for s in form.states), *(r.name for r in form.receptors)}
    unknown = [name for name in taken if name not in known]
    require(
        not unknown,
        f"step takes {', '.join(unknown)}, which is no state, receptor or constant",
        f"neuron model {type(model).__name__}",
        f"names among {', '.join(sorted(known))}",
    )
    current = getattr(model, "I_e", 0.0)
    several = np.ndim(current) > 0 or any(
        isinstance(x, DCInput) and x.population == p.name and x.differs for x in net.inputs
    )
    varied = tuple(c for c, v in constants.items() if np.ndim(v))
    return Neurons(
        name=p.name,
        size=p.size,
        first=first,
        model=model,
        form=form,
        constants=constants,
        varied=(*varied, CURRENT) if several and CURRENT in taken else varied,
        current=current,
        dead_steps=model.dead_steps(net.dt_ms),
        quantum=scale,
        initial_key=key(seeds[1], Purpose.INITIAL_V, i),
        input_extent=input_extent,
    )


def _constant(value: Any, p: Population, name: str) -> Any:
    array = np.asarray(value)
    where = f"population {p.name}"
    require(array.dtype.kind in "iuf", f"constant {name} is {value!r}", where, "numbers")
    require(
        array.shape in ((), (p.size,)), f"constant {name} has shape {array.shape}", where, f"one number, or {p.size}"
    )
    finite(array, f"constant {name}", where)
    return array.item() if array.ndim == 0 else array


def drawn(p: Population, number_: int, seed: int, dt: float) -> NeuronModel:
    """Return a population's model with every distribution replaced by one value per neuron, the same for any cut."""
    values = {}
    for k, name in enumerate(parameters(type(p.neuron))):
        given = getattr(p.neuron, name)
        if is_distribution(given):
            out = np.empty(p.size)
            draws(given, key(seed, Purpose.PARAMETER, number_ * _MOST_PARAMETERS + k), 0, out)
            values[name] = out
    if not values:
        return p.neuron
    model = dataclasses.replace(p.neuron, **values)  # type: ignore[type-var]
    check_values(model, p.size, dt, f"population {p.name}, with its drawn parameters")
    return model


def draws(distribution: Any, stream: np.uint64, low: int, out: np.ndarray) -> None:
    """Fill `out` with values number `low`, `low + 1`, ... of a distribution."""
    if isinstance(distribution, Normal):
        normal_draws(stream, low, distribution.mean, distribution.sd, out)
    elif isinstance(distribution, Uniform):
        uniform_draws(stream, low, distribution.low, distribution.high - distribution.low, out)
    elif isinstance(distribution, Lognormal):
        variance = float(ln(1.0 + (distribution.sd / distribution.mean) ** 2))
        normal_draws(stream, low, 0.0, 1.0, out)
        mu = float(ln(abs(distribution.mean))) - variance / 2.0
        out[:] = math.copysign(1.0, distribution.mean) * lognormal_values(out, mu, math.sqrt(variance))


def check_distribution(value: Any, name: str, where: str) -> None:
    """Refuse a distribution that nothing can be drawn from."""
    for given in vars(value).values():
        finite(real(given, name, where), name, where)
    if isinstance(value, Uniform):
        require(
            value.low <= value.high, f"{name} is uniform from {value.low:g} to {value.high:g}", where, "low <= high"
        )
        return
    require(value.sd >= 0, f"the standard deviation of {name} is {value.sd:g}", where, "sd >= 0")
    if isinstance(value, Lognormal):
        require(value.mean != 0, f"the mean of {name} is 0", where, "a mean that is not 0")


def check_model(p: Population, dt: float) -> None:
    """Refuse impossible parameters of a population; what is drawn is checked when it is."""
    where = f"population {p.name}"
    m = p.neuron
    require(isinstance(m, NeuronModel), f"{type(m).__name__} is not a neuron model", where)
    random = [name for name in parameters(type(m)) if is_distribution(getattr(m, name))]
    for name in random:
        check_distribution(getattr(m, name), name, where)
    check_values(m, p.size, dt, where, tuple(random))


def check_values(m: NeuronModel, size: int, dt: float, where: str, skip: tuple[str, ...] = ()) -> None:
    """Refuse parameters outside their bounds, or of the wrong length."""
    for field in dataclasses.fields(m):  # type: ignore[arg-type]
        name, value = field.name, getattr(m, field.name)
        if name in skip:
            continue
        if field.metadata.get("kind") == CHOICE:
            options = field.metadata["options"]
            require(value in options, f"{name} is {value!r}", where, f"one of {', '.join(options)}")
            continue
        if np.ndim(value) == 0:
            value = real(value, name, where)
        values = np.asarray(value)
        require(values.dtype.kind in "iuf", f"{name} holds {value!r}", where, "numbers")
        require(
            values.ndim == 0 or values.shape == (size,),
            f"{name} differs in length from the population: {values.size} values for {size} neurons"
            if values.ndim < 2
            else f"{name} is an array of shape {values.shape}",
            where,
            "one number, or one per neuron",
        )
        _check_bounds(values, name, field.metadata, dt, where)
    if not skip:
        wrong = m.check(dt)
        require(not wrong, wrong, where)


def _check_bounds(values: np.ndarray, name: str, declared: Mapping[str, Any], dt: float, where: str) -> None:
    above, at_least, kind = (declared.get(k) for k in ("above", "at_least", "kind"))
    low = float(np.min(values))
    if above is not None:
        first = low if low <= above else float(np.atleast_1d(values)[~np.atleast_1d(np.isfinite(values))][:1].sum())
        ok = bool((np.isfinite(values) & (values > above)).all())
        require(ok, f"{name} is {first:g}", where, "a positive number" if above == 0 else f"above {above:g}")
    finite(values, name, where)
    if at_least is not None:
        said = f"{name} is negative" if at_least == 0 else f"{name} is {low:g}"
        require(low >= at_least, said, where, f"{name} >= {at_least:g}")
    if kind == TIME_CONSTANT:
        require(
            dt <= MAX_STEPS_PER_TAU * low,
            f"{name} is {low:g} ms, far below the time step of {dt:g} ms",
            where,
            f"at least {dt / MAX_STEPS_PER_TAU:g} ms",
            "lengthen it, use a model without it (IafPscDelta), or shorten dt_ms",
        )
    if kind == REFRACTORY_TIME:
        limit = MAX_REF_STEPS * dt
        require(
            float(np.max(values)) <= limit, f"{name} is above {MAX_REF_STEPS} steps", where, f"at most {limit:g} ms"
        )


def check_initial(p: Population) -> None:
    """Refuse impossible initial voltages."""
    v, where = p.initial_v, f"population {p.name}"
    if isinstance(v, Values):
        require(v.values.shape == (p.size,), "initial_v differs in length from the population", where)
        finite(v.values, "initial_v", where)
    elif isinstance(v, Constant):
        finite(real(v.value, "initial_v", where), "initial_v", where)
    elif v is not None:
        check_distribution(v, "initial_v", where)


def longest_time_constant(model: NeuronModel) -> float:
    """Return the longest time constant of a model, ms; 0 where it has none."""
    values = [getattr(model, name) for name, kind in kinds(type(model)).items() if kind == TIME_CONSTANT]
    return max((_largest(v) for v in values), default=0.0)


def _largest(value: Any) -> float:
    """Largest value of a parameter; of a distribution one that few exceed, so that it does not depend on the seed."""
    if isinstance(value, Uniform):
        return value.high
    if isinstance(value, Normal | Lognormal):
        return value.mean + 3.0 * value.sd
    return float(np.max(value))
