"""Where the neurons of a part have their state: slots of their input, variables by width, constants, initial values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from allometry.errors import SimulationError
from allometry.network import Constant, Values
from allometry.network.neuron_model import State, receptor_called, receptor_of
from allometry.simulate.build.plan.network import Plan
from allometry.simulate.build.plan.neurons import Neurons, draws
from allometry.simulate.build.shards.cut import Segment, segments
from allometry.simulate.kernels.loop.cells import Cells

WIDTHS = ("real", "double", "count")
# Variables of a segment start at whole cache lines.
_LINE = 64


@dataclass
class Layout:
    """Where the neurons of a part are, and where their input is added: `slot` is that of the first receptor.

    Words of synapses count slots from `zero`, and have the bits for so many as are `addressed` (all, where that is 0).
    """

    segments: list[Segment]
    slot: list[int]
    neurons: int
    slots: int
    zero: int = 0
    addressed: int = 0

    @property
    def slot_bits(self) -> int:
        """Bits that hold any slot."""
        return max(1, int((self.addressed or self.slots) - 1).bit_length())


def layout(plan: Plan, part: int, parts: int) -> Layout:
    """Lay out the slots of a part: one per neuron and receptor, receptor after receptor."""
    pieces = segments(plan, part, parts)
    slot, total = [], 0
    for s in pieces:
        slot.append(total)
        total += s.count * len(plan.neurons[s.population].form.receptors)
    return Layout(pieces, slot, sum(s.count for s in pieces), total)


def stride(s: Segment) -> int:
    """Return the elements between two variables of a segment."""
    return -(-s.count // _LINE) * _LINE


def variables(plan: Plan, where: Layout, width: str) -> list[int]:
    """Return where the state variables of a width start, by segment, and the length of their array."""
    starts = [0]
    for s in where.segments:
        starts.append(starts[-1] + stride(s) * len(plan.neurons[s.population].widths(width)))
    return starts


def place(plan: Plan, where: Layout, row: int, variable: str) -> tuple[str, int]:
    """Return the width of a state variable and the element that its value of the segment's first neuron is."""
    s = where.segments[row]
    neurons = plan.neurons[s.population]
    for width in WIDTHS:
        names = neurons.widths(width)
        if variable in names:
            return width, variables(plan, where, width)[row] + names.index(variable) * stride(s)
    raise SimulationError(
        f"{type(neurons.model).__name__} has no state variable {variable}",
        where=f"population {neurons.name}",
        expected=", ".join(x.name for x in neurons.form.states),
    )


def slot_of(
    plan: Plan, where: Layout, row: int, negative: bool, source: str, named: str | None = None, of: str = ""
) -> int:
    """Return the slot of a segment's first neuron that takes weights of a sign from `synapses` or `inputs`.

    `named` is the receptor where `of`, an input, names one.
    """
    s = where.segments[row]
    if named is not None:
        return where.slot[row] + receptor_called(plan.neurons[s.population].form, named, of) * s.count
    return where.slot[row] + receptor_of(plan.neurons[s.population].form, negative, source) * s.count


def synapse_slots(plan: Plan, where: Layout, row: int, projection: int) -> tuple[int, int]:
    """Return the slots of a segment's first neuron that take a projection's weights >= 0 and < 0."""
    named = plan.network.projections[projection].receptor
    if named is None:
        return slot_of(plan, where, row, False, "synapses"), slot_of(plan, where, row, True, "synapses")
    s = where.segments[row]
    slot = (
        where.slot[row] + receptor_called(plan.neurons[s.population].form, named, f"projection {projection}") * s.count
    )
    return slot, slot


def initial_values(plan: Plan, segment: Segment) -> dict[str, np.ndarray]:
    """Return the state at time 0 of a segment, float64 in units of the recordings, by variable."""
    neurons = plan.neurons[segment.population]
    out: dict[str, np.ndarray] = {}
    for s in neurons.form.states:
        if s.name == "V_m" and plan.network.populations[segment.population].initial_v is not None:
            out[s.name] = initial_voltage(plan, segment)
        else:
            out[s.name] = np.array(_initial(s, neurons, segment, out))
    return out


def _initial(s: State, neurons: Neurons, segment: Segment, known: dict[str, np.ndarray]) -> np.ndarray:
    if not isinstance(s.initial, str):
        return np.full(segment.count, float(s.initial))
    return known[s.initial] if s.initial in known else per_neuron(getattr(neurons.model, s.initial), segment)


def per_neuron(value: Any, segment: Segment) -> np.ndarray:
    """Return one value per neuron of a segment, of a number or one per neuron of its population."""
    return value[segment.low : segment.high] if np.ndim(value) else np.full(segment.count, value)


def initial_voltage(plan: Plan, segment: Segment) -> np.ndarray:
    """Return the voltages at time 0 of a segment where the population gives them, float64 mV."""
    wanted = plan.network.populations[segment.population].initial_v
    out = np.empty(segment.count)
    if isinstance(wanted, Constant):
        out[:] = wanted.value
    elif isinstance(wanted, Values):
        out[:] = wanted.values[segment.low : segment.high]
    else:
        draws(wanted, plan.neurons[segment.population].initial_key, segment.low, out)
    return out


def pass_constants(n: Neurons, s: Segment, given: dict[tuple[bool, bool], list[np.ndarray]]) -> None:
    """Append a segment's constants in the order in which its block takes them; the first is the unit of its weights."""
    given[False, False].append(np.array([n.quantum.value]))
    for whole in (False, True):
        for name in n.listed(whole, varied=False):
            given[whole, False].append(np.array([n.constants[name]]))
        for name in n.listed(whole, varied=True):
            values = np.zeros(stride(s))
            values[: s.count] = n.constants[name][s.low : s.high]
            given[whole, True].append(values)


def gathered(plan: Plan, where: Layout, cells: Cells) -> dict[str, np.ndarray]:
    """Return copies of the state of a part's neurons, [neuron] by width and number of the variable."""
    out = {}
    for name, array, places in _columns(plan, where, cells):
        out[name] = np.zeros(where.neurons, array.dtype)
        for s, at in places:
            out[name][s.start : s.start + s.count] = array[at : at + s.count]
    return out


def scattered(plan: Plan, where: Layout, cells: Cells, state: Mapping[str, np.ndarray]) -> None:
    """Write what `gathered` returned into the arrays of a part."""
    for name, array, places in _columns(plan, where, cells):
        for s, at in places:
            array[at : at + s.count] = state[name][s.start : s.start + s.count]


def _columns(plan: Plan, where: Layout, cells: Cells) -> Iterator[tuple[str, np.ndarray, list[tuple[Segment, int]]]]:
    for width, array in zip(WIDTHS, (cells.state, cells.double, cells.whole)):
        starts = variables(plan, where, width)
        for k in range(max(len(n.widths(width)) for n in plan.neurons)):
            has = [
                (row, s) for row, s in enumerate(where.segments) if k < len(plan.neurons[s.population].widths(width))
            ]
            yield f"{width}{k}", array, [(s, starts[row] + k * stride(s)) for row, s in has]
