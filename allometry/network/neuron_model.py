"""What a neuron model is: parameters with units, state variables, receptors, and the step of one neuron.

A model is a class with the decorator `neuron_model`; nothing else is needed to simulate it. The engine compiles the loop
over neurons around its `step`.
"""

import dataclasses
import hashlib
import inspect
import pickle
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar, dataclass_transform

import cloudpickle
import numpy as np

from allometry import plugins
from allometry.errors import SimulationError
from allometry.network.code import digest
from allometry.network.distributions import Constant, Lognormal, Normal, Uniform, Values
from allometry.network.integration import refractory_steps
from allometry.network.scalars import as_written
from allometry.network.serialise import serialisable

Parameter: TypeAlias = Any
"""A number, an array with one value per neuron, or a distribution that values are drawn from."""

TIME_CONSTANT, REFRACTORY_TIME, CHOICE, PLAIN = "time constant", "refractory time", "choice", ""
UNITS = ("pA", "mV", "nS", "1")
WIDTHS = ("real", "double", "count")
SOURCES = ("any", "synapses", "inputs", "named")
CURRENT, GAP = "current", "gap"
"""Arguments that the engine gives to a step: the current that flows in (I_e and every direct current, pA), and the sum of
weight (V_source - V) over gap junctions, mV."""


@dataclass(frozen=True)
class State:
    """One state variable of a neuron.

    Parameters
    ----------
    name : str
        Name of the variable, and of the argument of `step`; that of the voltage is `V_m`.
    unit : str
        Unit, as recordings give it.
    initial : float or str
        Value at time 0: a number, or the name of a parameter or of a variable listed before.
    relative_to : str
        Parameter that the engine's value is relative to (`V_m - E_L` keeps digits); recordings add it again.
    width : {"real", "double", "count"}
        float32 in precision `fast` and float64 in `exact`; float64 in both; int16.
    """

    name: str
    unit: str = "mV"
    initial: float | str = 0.0
    relative_to: str = ""
    width: str = "real"


@dataclass(frozen=True)
class Receptor:
    """What sums the weights that arrive in a step, for `step` to take them at its end.

    Parameters
    ----------
    name : str
        Name of the argument of `step`.
    unit : str
        Unit of a weight; the same for all receptors of a model.
    sign : {0, 1, -1}
        Takes weights of both signs, those >= 0, or those < 0 (the sum is negative then).
    source : {"any", "synapses", "inputs", "named"}
        Takes what arrives over projections, or from Poisson inputs and spike lists, or both; `named` only projections that
        name it (`Projection.receptor`).
    """

    name: str
    unit: str
    sign: int = 0
    source: str = "any"


class Form(Protocol):
    """What the engine integrates: a model class is one, and may offer another (`NeuronModel.form`)."""

    states: ClassVar[tuple[State, ...]]
    receptors: ClassVar[tuple[Receptor, ...]]
    step: ClassVar[Callable[..., tuple[Any, ...]]]


def parameter(
    *, default: Parameter, unit: str, above: float | None = None, at_least: float | None = None, kind: str = PLAIN
) -> Any:
    """Declare a parameter of a neuron model.

    Parameters
    ----------
    default : float
        Default value.
    unit : str
        Unit.
    above, at_least : float, optional
        Values that are not above this, or below this, are refused.
    kind : str
        See `time_constant` and `refractory_time`.

    Returns
    -------
    dataclasses.Field
        For the body of the model's class.
    """
    return dataclasses.field(
        default=default, metadata={"unit": unit, "above": above, "at_least": at_least, "kind": kind}
    )


def time_constant(*, default: Parameter) -> Any:
    """Declare a time constant: it is positive, and a float32 state follows it up to some length only.

    Parameters
    ----------
    default : float
        Default value, ms.

    Returns
    -------
    dataclasses.Field
        As of `parameter`.
    """
    return parameter(default=default, unit="ms", above=0.0, kind=TIME_CONSTANT)


def refractory_time(*, default: Parameter) -> Any:
    """Declare the refractory time: for so many steps after a spike the model emits none.

    Parameters
    ----------
    default : float
        Default value, ms, 0 or above.

    Returns
    -------
    dataclasses.Field
        As of `parameter`.
    """
    return parameter(default=default, unit="ms", at_least=0.0, kind=REFRACTORY_TIME)


def choice(*, default: str, options: tuple[str, ...]) -> Any:
    """Declare a choice between named forms of a model, such as its integration: one for all neurons of a population.

    Parameters
    ----------
    default : str
        Default option.
    options : tuple of str
        All options.

    Returns
    -------
    dataclasses.Field
        As of `parameter`.
    """
    return dataclasses.field(default=default, metadata={"options": options, "kind": CHOICE})


class NeuronModel:
    """Base of all neuron models.

    A subclass declares its parameters (`parameter`, `time_constant`, `refractory_time`), `states`, `receptors`, `constants`
    and `step`. `step` is a static function of one neuron. It takes, by name and in any order, state variables, receptors,
    constants, `current` (pA) and `gap` (mV), and returns the new values of all state variables in the order of `states`, and
    whether the neuron spikes. It is compiled, and runs for many neurons at once where it has only arithmetic and selects
    (`x if condition else y`), no branch and no loop, and `exp` of `allometry.network.step_functions`.
    """

    states: ClassVar[tuple[State, ...]] = ()
    receptors: ClassVar[tuple[Receptor, ...]] = ()
    gap_voltage: ClassVar[str] = ""
    """Variable that gap junctions see, for a model whose step takes `gap`."""
    rests: ClassVar[bool] = False
    """Whether neurons that a step leaves as they were, bit by bit, are passed over until something arrives: the same spikes,
    sooner where most neurons receive nothing for long, later where every tile of 256 has one that does."""
    step: ClassVar[Callable[..., tuple[Any, ...]]]

    def __post_init__(self) -> None:
        for name in parameters(type(self)):
            value = getattr(self, name)
            if isinstance(value, Values):
                value = value.values
            elif isinstance(value, Constant):
                value = value.value
            if isinstance(value, list | tuple | np.ndarray):
                value = as_written(value)
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in kinds(type(self)))

    def __hash__(self) -> int:
        return hash((type(self), *(str(getattr(self, name)) for name in kinds(type(self)))))

    def __reduce__(self) -> tuple[Any, ...]:
        # A class that only a script, a notebook or a plugin knows travels with its instances to the workers of any cluster.
        values = {name: getattr(self, name) for name in kinds(type(self))}
        if not type(self).code():
            return rebuilt, (type(self), values)
        return received, (portable(type(self)), values)  # type: ignore[arg-type]

    @classmethod
    def code(cls) -> str:
        """Return a digest of a model that this package does not hold, empty of its own: a store and a checkpoint keep it."""
        if cls.__module__.split(".")[0] == __name__.split(".")[0]:
            return ""
        functions = (cls.step, cls.constants, cls.check, cls.form)
        declared = repr((cls.states, cls.receptors, cls.gap_voltage))
        return hashlib.sha256("\n".join([declared, *(digest(f) for f in functions)]).encode()).hexdigest()[:16]

    def constants(self, dt_ms: float) -> Mapping[str, Any]:
        """Return what `step` takes beside states and receptors, for steps of `dt_ms`.

        Parameters are numbers, or float64 arrays with one value per neuron; so are the constants. Those of whole numbers
        reach `step` as int16. Default: the parameters themselves, and `dt`.
        """
        return {"dt": dt_ms, **{name: getattr(self, name) for name in parameters(type(self))}}

    def check(self, dt_ms: float) -> str:
        """Return what is impossible in values that are each within their bounds; empty where nothing is.

        Default: that V_reset is not below V_th, of a model that has both.
        """
        return not_ascending(self, "V_reset", "V_th") if hasattr(self, "V_reset") and hasattr(self, "V_th") else ""

    def form(self, precision: str) -> Any:
        """Return what integrates the model: the class itself, or a shorter equivalent."""
        return type(self)

    def dead_steps(self, dt_ms: float) -> int:
        """Return for how many steps after a spike no neuron of the population emits one."""
        times = [getattr(self, name) for name, kind in kinds(type(self)).items() if kind == REFRACTORY_TIME]
        return max((int(np.min(refractory_steps(t, dt_ms))) for t in times), default=0)


def rebuilt(model: type[NeuronModel], values: dict[str, Any]) -> NeuronModel:
    """Return an instance of a model that every process can import."""
    return model(**values)


@cache
def portable(model: type[NeuronModel]) -> bytes:
    """Return a class with all that it uses of its own module or package, for a process that has neither."""
    package = sys.modules[model.__module__.split(".")[0]]
    if package.__name__ == "__main__":
        return cloudpickle.dumps(model)
    cloudpickle.register_pickle_by_value(package)
    try:
        return cloudpickle.dumps(model)
    finally:
        cloudpickle.unregister_pickle_by_value(package)


@cache
def _loaded(data: bytes) -> type[NeuronModel]:
    model: type[NeuronModel] = pickle.loads(data)
    MODELS.setdefault(model.__name__, model)
    return model


def received(data: bytes, values: dict[str, Any]) -> NeuronModel:
    """Return an instance of a model that another process has sent."""
    return _loaded(data)(**values)


M = TypeVar("M", bound=type[NeuronModel])

MODELS: dict[str, type[NeuronModel]] = {}
"""Every neuron model by the name of its class."""

PLUGGED: plugins.Register[type[NeuronModel]] = plugins.Register(
    "neuron model", lambda: [name.lower() for name, m in MODELS.items() if m.__module__.startswith("allometry.")]
)
"""Those of plugins, by the name of their class in lower case."""


def parameters(model: type[NeuronModel]) -> tuple[str, ...]:
    """Return the names of a model's parameters, in order, choices aside."""
    return tuple(name for name, kind in kinds(model).items() if kind != CHOICE)


def kinds(model: type[NeuronModel]) -> dict[str, str]:
    """Return what kind of parameter each one is: a time constant, a refractory time, a choice, or another."""
    return {f.name: f.metadata.get("kind", PLAIN) for f in dataclasses.fields(model)}  # type: ignore[arg-type]


@dataclass_transform(
    frozen_default=True, eq_default=False, field_specifiers=(parameter, time_constant, refractory_time, choice)
)
def neuron_model(cls: M) -> M:
    """Class decorator: make a subclass of `NeuronModel` a model that networks can use.

    Parameters
    ----------
    cls : type
        Subclass of `NeuronModel`.

    Returns
    -------
    type
        The class as a frozen dataclass, under its name among the models.

    Raises
    ------
    SimulationError
        If the declaration is incomplete.
    PluginError
        If it is a plugin's, and the name is taken.
    """
    made = dataclass(frozen=True, eq=False)(cls)
    made.__hash__, made.__eq__ = NeuronModel.__hash__, NeuronModel.__eq__  # type: ignore[method-assign]
    check_form(made, cls.__name__)
    if plugins.IMPORTING:
        PLUGGED.add(cls.__name__.lower(), made, cls.__module__)
    MODELS[cls.__name__] = made
    serialisable(made)
    return made  # type: ignore[return-value]


def not_ascending(model: NeuronModel, low: str, high: str) -> str:
    """Return what is wrong where one parameter is not below another, for `NeuronModel.check`; empty where it is."""
    a, b = (np.atleast_1d(x) for x in np.broadcast_arrays(getattr(model, low), getattr(model, high)))
    bad = ~(a < b)
    first = int(np.argmax(bad))
    return f"{low} {a[first]:g} is not below {high} {b[first]:g} mV" if bad.any() else ""


def arguments(form: type[Form]) -> tuple[str, ...]:
    """Return the names of what the step of a form takes."""
    return tuple(inspect.signature(form.step).parameters)


def check_form(form: type[Form], name: str) -> None:
    """Refuse a form whose states, receptors and step do not fit together."""

    def require(ok: bool, what: str, expected: str) -> None:
        if not ok:
            raise SimulationError(what, where=f"neuron model {name}", expected=expected)

    require(
        isinstance(inspect.getattr_static(form, "step", None), staticmethod), "there is no step", "a @staticmethod step"
    )
    names = [*(s.name for s in form.states), *(r.name for r in form.receptors)]
    require("V_m" in names, "no state variable is called V_m", "a voltage that can be recorded")
    require(len(set(names)) == len(names), "two states or receptors have one name", "a name each")
    require(all(s.width in WIDTHS for s in form.states), "a state has an unknown width", f"one of {', '.join(WIDTHS)}")
    require(len(form.receptors) > 0, "there is no receptor", "at least one")
    units = {r.unit for r in form.receptors}
    require(len(units) == 1, "receptors differ in unit", "one unit of weights")
    require(units <= set(UNITS), f"the unit of weights is {units.pop()!r}", f"one of {', '.join(UNITS)}")
    for source in ("synapses", "inputs"):
        for negative in (False, True):
            receptor_of(form, negative, source, name)


def receptor_of(form: type[Form], negative: bool, source: str, name: str = "") -> int:
    """Return the number of the receptor that takes weights of a sign from `synapses` or `inputs`."""
    for number, r in enumerate(form.receptors):
        if r.source in ("any", source) and r.sign in (0, -1 if negative else 1):
            return number
    raise SimulationError(
        f"no receptor takes {'negative' if negative else 'positive'} weights from {source}",
        where=f"neuron model {name or form.__name__}",
        expected="a receptor for every weight",
    )


def receptor_called(form: type[Form], receptor: str, where: str) -> int:
    """Return the number of the receptor that a projection names."""
    names = [r.name for r in form.receptors]
    if receptor not in names:
        raise SimulationError(f"unknown receptor {receptor!r}", where=where, expected=f"one of {', '.join(names)}")
    return names.index(receptor)


def unit_of(model: NeuronModel) -> str:
    """Return the unit of the weights into neurons of a model."""
    return type(model).receptors[0].unit


def is_distribution(value: Any) -> bool:
    """Whether a parameter is to be drawn."""
    return isinstance(value, Normal | Lognormal | Uniform)
