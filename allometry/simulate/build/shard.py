"""The neurons of one thread: where they are, their initial state and their inputs."""

from dataclasses import dataclass

import numpy as np

from allometry.network import Constant, DCInput, Normal, SpikeListInput, Uniform, Values
from allometry.network.recording import VoltageProbe
from allometry.simulate.build.cut import Segment, segments
from allometry.simulate.build.fixedpoint import round_to
from allometry.simulate.build.plan import CONNECTOME, Plan
from allometry.simulate.build.timing import boundary_step, event_steps
from allometry.simulate.kernels.advance import (
    D_COUNT,
    D_FROM,
    D_LIST,
    D_LIST_END,
    D_OFFSET,
    D_PAIR,
    D_ROW,
    D_ROW_END,
    D_SLOT,
    D_TO,
    D_WEIGHT,
    Cells,
)
from allometry.simulate.kernels.rng import normal_draws, uniform_draws


@dataclass
class Layout:
    """Where the neurons of a part are, and where their input is added."""

    segments: list[Segment]
    slot: list[int]
    slot_in: list[int]
    neurons: int
    slots: int

    @property
    def slot_bits(self) -> int:
        """Bits that hold any slot."""
        return max(1, int(self.slots - 1).bit_length())


def layout(plan: Plan, part: int, parts: int) -> Layout:
    """Lay out the slots of a part: one per neuron, or two where two kinds of input are summed separately."""
    pieces = segments(plan, part, parts)
    slot, slot_in, total = [], [], 0
    for s in pieces:
        slot.append(total)
        total += s.count
        if plan.neurons[s.population].slots == 2:
            slot_in.append(total)
            total += s.count
        else:
            slot_in.append(slot[-1])
    return Layout(pieces, slot, slot_in, sum(s.count for s in pieces), total)


def initial_voltage(plan: Plan, segment: Segment) -> np.ndarray:
    """Return the voltages at time 0 of a segment, float64 mV relative to E_L."""
    neurons = plan.neurons[segment.population]
    wanted = plan.network.populations[segment.population].initial_v
    out = np.full(segment.count, neurons.rest)
    if isinstance(wanted, Constant):
        out[:] = wanted.value
    elif isinstance(wanted, Values):
        out[:] = wanted.values[segment.low : segment.high]
    elif isinstance(wanted, Normal):
        normal_draws(neurons.initial_key, segment.low, wanted.mean, wanted.sd, out)
    elif isinstance(wanted, Uniform):
        uniform_draws(neurons.initial_key, segment.low, wanted.low, wanted.high - wanted.low, out)
    return out - neurons.rest


def build_cells(plan: Plan, where: Layout, probes: tuple[VoltageProbe, ...]) -> Cells:
    """Allocate the state of a part's neurons at time 0 and its inputs."""
    real, whole = plan.float_type, plan.sum_type
    v = np.zeros(where.neurons, real)
    ref_steps = np.zeros(where.neurons, np.int16)
    table = np.zeros((len(where.segments), 8), np.int64)
    parameters = np.zeros((len(where.segments), 9), real)
    for row, s in enumerate(where.segments):
        n = plan.neurons[s.population]
        v[s.start : s.start + s.count] = initial_voltage(plan, s)
        steps = n.ref_steps if isinstance(n.ref_steps, int) else n.ref_steps[s.low : s.high]
        ref_steps[s.start : s.start + s.count] = steps
        scalar = steps if isinstance(steps, int) else 0
        table[row] = [n.model, s.start, s.count, n.first + s.low, where.slot[row], where.slot_in[row], scalar, 1]
        parameters[row] = n.parameters
    two = any(plan.neurons[s.population].model in (1, CONNECTOME) for s in where.segments)
    y = np.zeros(where.neurons if two else 0, real)
    for s in where.segments:
        if plan.neurons[s.population].model == CONNECTOME:
            y[s.start : s.start + s.count] = v[s.start : s.start + s.count]
    drives, keys, rows, members, member_slots = _drives(plan, where)
    event_step, event_slot, event_weight = _events(plan, where)
    gap_limits, gap_source, gap_weight = _gaps(plan, where)
    local = np.concatenate(
        [np.empty(0, np.int64), *(chosen - s.low + s.start for s, chosen in probed(plan, where, probes))]
    )
    return Cells(
        v=v,
        x=np.zeros(where.neurons, real),
        y=y,
        ref=np.zeros(where.neurons, np.int16),
        ref_steps=ref_steps,
        dc=np.zeros(where.neurons, real),
        gap=np.zeros(where.neurons if two else 0, real),
        arrived=np.zeros(where.slots, whole),
        segments=table,
        parameters=parameters,
        drives=drives,
        drive_keys=keys,
        thresholds=rows,
        members=members,
        member_slots=member_slots,
        event_step=event_step,
        event_slot=event_slot,
        event_weight=event_weight,
        probes=local,
        samples=np.zeros((0, len(local)), np.float32),
        gap_limits=gap_limits,
        gap_source=gap_source,
        gap_weight=gap_weight.astype(real),
    )


def probed(plan: Plan, where: Layout, probes: tuple[VoltageProbe, ...]) -> list[tuple[Segment, np.ndarray]]:
    """Return which neurons of which segments are recorded, by index within the population."""
    return [
        (s, np.asarray(p.neurons)[(p.neurons >= s.low) & (p.neurons < s.high)])
        for p in probes
        for s in where.segments
        if plan.neurons[s.population].name == p.population
    ]


def set_currents(plan: Plan, where: Layout, cells: Cells, step: int) -> None:
    """Write the constant current of every neuron that holds from `step` on into `cells.dc`, in place."""
    dt = plan.network.dt_ms
    for row, s in enumerate(where.segments):
        neurons = plan.neurons[s.population]
        total = np.full(s.count, neurons.constant_current)
        same = True
        for x in plan.network.inputs:
            if not isinstance(x, DCInput) or x.population != neurons.name:
                continue
            if boundary_step(x.start_ms, dt) <= step < boundary_step(x.stop_ms, dt):
                several = isinstance(x.amplitude, np.ndarray)
                same &= not several
                total += x.amplitude[s.low : s.high] if several else x.amplitude  # type: ignore[index]
        cells.dc[s.start : s.start + s.count] = total
        cells.segments[row, 7] = int(same)


def current_changes(plan: Plan) -> list[int]:
    """Return the steps at which a constant current starts or stops, sorted."""
    dt = plan.network.dt_ms
    times = [t for x in plan.network.inputs if isinstance(x, DCInput) for t in (x.start_ms, x.stop_ms)]
    return sorted({boundary_step(t, dt) for t in times if 0 < t < float("inf")})


def _drive_slots(plan: Plan, where: Layout, row: int, weight: int) -> int:
    kicked = plan.neurons[where.segments[row].population].model == CONNECTOME
    return where.slot_in[row] if kicked or weight < 0 else where.slot[row]


def _drives(plan: Plan, where: Layout) -> tuple[np.ndarray, ...]:
    table: list[list[int]] = []
    keys, rows, members, member_slots = [], [], [], []
    used = listed = 0
    for x in plan.poisson:
        rows.append(x.row)
        for number, s in enumerate(where.segments):
            if s.population != x.target or x.weight == 0:
                continue
            slot = _drive_slots(plan, where, number, x.weight)
            line = [0] * 11
            line[D_SLOT], line[D_COUNT], line[D_PAIR] = slot, s.count, s.low // 2
            line[D_WEIGHT], line[D_OFFSET] = x.weight, x.offset
            line[D_ROW], line[D_ROW_END] = used, used + len(x.row)
            line[D_FROM], line[D_TO] = x.start, x.stop
            line[D_LIST] = line[D_LIST_END] = -1
            if x.neurons is not None:
                here = x.neurons[(x.neurons >= s.low) & (x.neurons < s.high)]
                members.append(here)
                member_slots.append(here - s.low + slot)
                line[D_LIST], line[D_LIST_END] = listed, listed + len(here)
                listed += len(here)
            table.append(line)
            keys.append(x.key)
        used += len(x.row)
    return (
        np.array(table, np.int64).reshape(-1, 11),
        np.array(keys, np.uint64),
        np.concatenate([*rows, np.empty(0, np.uint32)]).astype(np.uint32),
        np.concatenate([*members, np.empty(0, np.int64)]).astype(np.int64),
        np.concatenate([*member_slots, np.empty(0, np.int64)]).astype(np.int64),
    )


def _events(plan: Plan, where: Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    steps, slots, weights = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for x in plan.network.inputs:
        if not isinstance(x, SpikeListInput):
            continue
        for row, s in enumerate(where.segments):
            neurons = plan.neurons[s.population]
            if neurons.name != x.population:
                continue
            here = (x.neurons >= s.low) & (x.neurons < s.high)
            weight = round_to(np.broadcast_to(x.weight, x.neurons.shape)[here], neurons.quantum.value).astype(np.int64)
            kicked = neurons.model == CONNECTOME
            base = np.where(kicked | (weight < 0), where.slot_in[row], where.slot[row])
            steps.append(event_steps(x.times_ms[here], plan.network.dt_ms))
            slots.append(base + x.neurons[here] - s.low)
            weights.append(weight)
    step, slot, weight = np.concatenate(steps), np.concatenate(slots), np.concatenate(weights)
    order = np.argsort(step, kind="stable")
    return step[order], slot[order], weight[order]


def _gaps(plan: Plan, where: Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    targets, sources, weights = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for gap in plan.network.gap_junctions:
        for s in where.segments:
            neurons = plan.neurons[s.population]
            if neurons.name == gap.population:
                here = (gap.target >= s.low) & (gap.target < s.high)
                targets.append(gap.target[here] - s.low + s.start)
                sources.append(gap.source[here] + neurons.first)
                weights.append(gap.weight[here])
    target, source, weight = np.concatenate(targets), np.concatenate(sources), np.concatenate(weights)
    order = np.lexsort((source, target))
    limits = np.concatenate([[0], np.cumsum(np.bincount(target, minlength=where.neurons))]).astype(np.int64)
    return limits, source[order], weight[order]
