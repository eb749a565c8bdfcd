"""Conditions: what may differ between runs on one connectivity."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from allometry.errors import SimulationError
from allometry.network.distributions import Constant, Lognormal, Normal, Uniform, Values
from allometry.network.indices import whole_numbers
from allometry.network.inputs import DCInput, Gate, Input, ProjectionGain, StateReset, TaskSignal, acts_on, replaceable
from allometry.network.network import Network, Projection
from allometry.network.rules import Dense, ExplicitEdges, LowRank
from allometry.network.scalars import plain
from allometry.network.serialise import OPTIONAL, serialisable

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_ARROW = re.compile(r"\s*->\s*")


@serialisable
@dataclass(frozen=True, eq=False)
class Condition:
    """What one run of a batch changes of the network; who is connected to whom, and after what delay, stays.

    Parameters
    ----------
    name : str
        Letters, digits, `_`, `.` and `-`; the stem of the condition's store.
    seed : int, optional
        Seed of the drive and of initial voltages; connections and drawn parameters of neurons keep the seed of the run.
        Default the same.
    rate_factors : mapping of str to float
        By population: factor on the rate of each of its Poisson inputs.
    weight_factors : mapping of str to float
        By projection, `"source -> target"`: factor on the weights of every projection between the two; 0 cuts it.
    silenced : mapping of str to int array [neurons]
        By population: indices of neurons that emit no spike: one that would reaches nobody and is not recorded. They
        integrate their input and are reset as ever.
    inputs : sequence of Input
        Further inputs, beside those of the network: given spikes, currents, Poisson input.
    replaced : mapping of str to Input
        Inputs in place of those of the network that have these names: another stimulus, another gate.

    Raises
    ------
    SimulationError
        For a name that cannot be that of a store, or values that cannot be factors, a seed, or indices.
    """

    name: str
    seed: int | None = None
    rate_factors: Mapping[str, float] = field(default_factory=dict)
    weight_factors: Mapping[str, float] = field(default_factory=dict)
    silenced: Mapping[str, Any] = field(default_factory=dict)
    inputs: Sequence[Input] = ()
    replaced: Mapping[str, Input] = field(default_factory=dict, metadata=OPTIONAL)

    def __post_init__(self) -> None:
        where = f"condition {self.name}"
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise SimulationError(
                f"{self.name!r} is no name of a condition",
                where="Condition",
                expected="up to 80 letters, digits, _, . and -, the first a letter or digit",
                do="choose another name: it becomes that of a store",
            )
        if self.seed is not None and not (type(self.seed) is int and 0 <= self.seed < 2**63):
            raise SimulationError(f"seed is {self.seed!r}", where=where, expected="a whole number, 0 to 2^63 - 1")
        for name in ("rate_factors", "weight_factors"):
            factors = {
                str(key): _factor(value, f"{name}[{key!r}]", where) for key, value in getattr(self, name).items()
            }
            object.__setattr__(self, name, factors)
        weights = {" -> ".join(_ARROW.split(key.strip())): value for key, value in self.weight_factors.items()}
        object.__setattr__(self, "weight_factors", weights)
        chosen = {str(key): np.unique(whole_numbers(value, f"silenced {key}")) for key, value in self.silenced.items()}
        object.__setattr__(self, "silenced", chosen)
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "replaced", {str(key): value for key, value in self.replaced.items()})

    def applied(self, net: Network) -> Network:
        """Return the network under this condition; `seed` and `silenced` are no part of a network.

        Projections and inputs that the condition does not touch are the same objects.

        Raises
        ------
        SimulationError
            If the network lacks a population, projection or Poisson input that the condition names.
        """
        where = f"condition {self.name}"
        self.silenced_units(net)
        pairs = {f"{p.source} -> {p.target}" for p in net.projections}
        for pair in self.weight_factors:
            if pair not in pairs:
                raise SimulationError(f"unknown projection {pair!r}", where=where, expected=_listed(sorted(pairs)))
        for x in self.inputs:
            if isinstance(x, Gate):
                raise SimulationError(
                    f"the condition adds a gate of {x.population}",
                    where=where,
                    expected="a gate among the network's inputs, with a name",
                    do="give the network a Gate of 1, and replace it",
                )
        named = self._in_place(net, where)
        driven = {acts_on(x) for x in named if hasattr(x, "rate_hz")}
        for name in self.rate_factors:
            if name not in driven:
                raise SimulationError(
                    f"population {name!r} has no Poisson input whose rate could change",
                    where=where,
                    expected=_listed(sorted(driven)),
                    do="add a PoissonInput to the condition's inputs",
                )
        projections = tuple(
            _scaled(p, self.weight_factors.get(f"{p.source} -> {p.target}", 1.0), where) for p in net.projections
        )
        inputs = tuple(_at_rate(x, self.rate_factors.get(acts_on(x), 1.0)) for x in named)
        return dataclasses.replace(net, projections=projections, inputs=(*inputs, *self.inputs))

    def _in_place(self, net: Network, where: str) -> tuple[Input, ...]:
        """Return the inputs of a network, those that are replaced by others of their kind or population in their places."""
        names = [x.name for x in net.inputs if x.name is not None]
        for name, other in self.replaced.items():
            if names.count(name) != 1:
                raise SimulationError(
                    f"{names.count(name) or 'no'} inputs are named {name!r}",
                    where=where,
                    expected=_listed(sorted(names)),
                )
            (old,) = (x for x in net.inputs if x.name == name)
            if not replaceable(old, other):
                kind = (
                    type(old).__name__ if isinstance(old, Gate | ProjectionGain | StateReset | TaskSignal) else "input"
                )
                raise SimulationError(
                    f"input {name!r} cannot become a {type(other).__name__} of {acts_on(other)}",
                    where=where,
                    expected=f"{'an' if kind == 'input' else 'a'} {kind} of {acts_on(old)}",
                )
        return tuple(x if x.name is None else self.replaced.get(x.name, x) for x in net.inputs)

    def silenced_units(self, net: Network) -> np.ndarray:
        """Return the network-wide numbers of the silenced neurons, sorted int64.

        Raises
        ------
        SimulationError
            For an unknown population, or an index outside of it.
        """
        where = f"condition {self.name}"
        found = [np.empty(0, np.int64)]
        for name, indices in self.silenced.items():
            if name not in net.offsets:
                raise SimulationError(f"unknown population {name!r}", where=where, expected=_listed(list(net.offsets)))
            size = net.population(name).size
            if indices.size and not 0 <= indices[0] <= indices[-1] < size:
                bad = indices[0] if indices[0] < 0 else indices[-1]
                raise SimulationError(
                    f"neuron {bad} of population {name!r} cannot be silenced: there is none",
                    where=where,
                    expected=f"0 to {size - 1}",
                )
            found.append(indices + net.offsets[name])
        return np.sort(np.concatenate(found))


def condition_of(name: str, settings: Mapping[str, Any], replaced: Mapping[str, Input] | None = None) -> Condition:
    """Build a condition from an entry of a configuration.

    Parameters
    ----------
    name : str
        Its name.
    settings : mapping
        `seed`, `rate_factors` and `weight_factors` as those of `Condition`; `silenced`: by population, a number of neurons,
        the first ones, or their indices; `currents_pa`: by population, a constant current into every neuron, pA.
    replaced : mapping of str to Input, optional
        Inputs in place of those of the network that have these names.
    """
    silenced = {
        population: np.arange(chosen) if isinstance(chosen, int) else chosen
        for population, chosen in (settings.get("silenced") or {}).items()
    }
    return Condition(
        name,
        seed=settings.get("seed"),
        rate_factors=settings.get("rate_factors") or {},
        weight_factors=settings.get("weight_factors") or {},
        silenced=silenced,
        inputs=[DCInput(population, current) for population, current in (settings.get("currents_pa") or {}).items()],
        replaced=replaced or {},
    )


def _factor(value: Any, name: str, where: str) -> float:
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < float("inf"):
        raise SimulationError(f"{name} is {value!r}", where=where, expected="one number, 0 or more")
    return float(number)


def _listed(names: Sequence[str]) -> str:
    return f"one of {', '.join(names)}" if names else "none: the network has none"


def _scaled(projection: Projection, factor: float, where: str) -> Projection:
    if factor == 1.0:
        return projection
    rule, weight = projection.rule, projection.weight
    if isinstance(rule, ExplicitEdges):
        return dataclasses.replace(projection, rule=dataclasses.replace(rule, weight=rule.weight * factor))
    if isinstance(rule, Dense | LowRank):
        return dataclasses.replace(projection, rule=rule.scaled(factor))
    if factor == 0.0:
        # A distribution around 0 has no sign; who is connected does not depend on the weights.
        return dataclasses.replace(projection, weight=Constant(0.0))
    if not isinstance(weight, Constant | Normal | Lognormal | Uniform | Values):
        raise SimulationError(
            f"a weight that is {type(weight).__name__} cannot be scaled",
            where=f"{where}: projection {projection.source} -> {projection.target}",
            expected="a number, a distribution or weights per edge",
        )
    scaled = {f.name: getattr(weight, f.name) * factor for f in dataclasses.fields(weight)}
    return dataclasses.replace(projection, weight=type(weight)(**scaled))


def _at_rate(x: Any, factor: float) -> Any:
    if factor == 1.0 or not hasattr(x, "rate_hz"):
        return x
    return dataclasses.replace(x, rate_hz=x.rate_hz * factor)
