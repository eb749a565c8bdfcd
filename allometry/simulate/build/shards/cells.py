"""The neurons and incoming synapses of one thread: allocation, initial state, and the build of the synapses."""

from collections.abc import Sequence

import numpy as np

from allometry.network import SpikeListInput
from allometry.network.recording import Probe, grouped
from allometry.simulate.build.fixedpoint import round_to
from allometry.simulate.build.plan.network import (
    Plan,
)
from allometry.simulate.build.shards.cut import Segment
from allometry.simulate.build.shards.state import (
    WIDTHS,
    Layout,
    initial_values,
    pass_constants,
    per_neuron,
    place,
    slot_of,
    stride,
    variables,
)
from allometry.simulate.build.timing import NEVER, event_steps
from allometry.simulate.kernels.loop import cells as loop_cells
from allometry.simulate.kernels.loop.cells import SEEN, VOLTAGE, Cells


def build_cells(plan: Plan, where: Layout, probes: tuple[Probe, ...]) -> Cells:
    """Allocate the state of a part's neurons at time 0 and its inputs."""
    real, whole = plan.float_type, plan.sum_type
    starts = {width: variables(plan, where, width) for width in WIDTHS}
    types = {"real": real, "double": np.float64, "count": np.int16}
    state: dict[str, np.ndarray] = {width: np.zeros(starts[width][-1], types[width]) for width in WIDTHS}
    given: dict[tuple[bool, bool], list[np.ndarray]] = {(w, v): [] for w in (False, True) for v in (False, True)}
    table = np.full((len(where.segments), SEEN + 1), -1, np.int64)
    for row, s in enumerate(where.segments):
        n = plan.neurons[s.population]
        for name, values in initial_values(plan, s).items():
            width, at = place(plan, where, row, name)
            state[width][at : at + s.count] = values - per_neuron(n.offset(name), s)
        here = [sum(map(len, given[key])) for key in ((False, False), (True, False), (False, True), (True, True))]
        table[row, :VOLTAGE] = [
            n.block(real, whole), s.start, s.count, n.first + s.low, where.slot[row], stride(s),
            *(starts[width][row] for width in WIDTHS), *here,
        ]  # fmt: skip
        table[row, VOLTAGE] = place(plan, where, row, "V_m")[1]
        if n.takes_gap:
            table[row, SEEN] = place(plan, where, row, n.form.gap_voltage)[1]  # type: ignore[attr-defined]
        pass_constants(n, s, given)
    drives, keys, rows, members, member_slots, pieces, copies = _drives(plan, where)
    event_step, event_slot, event_weight = _events(plan, where)
    gap_limits, gap_source, gap_weight = _gaps(plan, where)
    groups, places = _probes(plan, where, probes)
    return Cells(
        state=state["real"],
        double=state["double"],
        whole=state["count"],
        constants=np.concatenate([*given[False, False], np.empty(0)]).astype(real),
        steps=np.concatenate([*given[True, False], np.empty(0)]).astype(np.int16),
        varied=np.concatenate([*given[False, True], np.empty(0)]).astype(real),
        varied_steps=np.concatenate([*given[True, True], np.empty(0)]).astype(np.int16),
        current=np.zeros(where.neurons, real),
        gap=np.zeros(where.neurons if any(plan.neurons[s.population].takes_gap for s in where.segments) else 0, real),
        arrived=np.zeros(where.slots, whole),
        segments=table,
        drives=drives,
        drive_keys=keys,
        thresholds=rows,
        members=members,
        member_slots=member_slots,
        pieces=pieces,
        copies=copies,
        event_step=event_step,
        event_slot=event_slot,
        event_weight=event_weight,
        groups=groups,
        probes=places,
        samples=np.zeros(0, np.float32),
        gap_limits=gap_limits,
        gap_source=gap_source,
        gap_weight=gap_weight.astype(real),
    )


def _probes(plan: Plan, where: Layout, probes: tuple[Probe, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the groups of probes, and of every probe the element that it reads."""
    groups, places = [], [np.empty((0, 2), np.int64)]
    count = 0
    for (variable, every), members in grouped(probes, plan.dt_ms).items():
        begin = count
        for row, s, chosen in probed(plan, where, members):
            width, at = place(plan, where, row, variable)
            places.append(np.column_stack([at + chosen - s.low, np.full(len(chosen), WIDTHS.index(width))]))
            count += len(chosen)
        groups.append([every, begin, count, 0])
    return np.array(groups, np.int64).reshape(-1, 4), np.concatenate(places).astype(np.int64)


def probed(plan: Plan, where: Layout, probes: Sequence[Probe]) -> list[tuple[int, Segment, np.ndarray]]:
    """Return which neurons of which segments are recorded: number, segment, indices within the population."""
    return [
        (row, s, np.asarray(p.neurons)[(p.neurons >= s.low) & (p.neurons < s.high)])
        for p in probes
        for row, s in enumerate(where.segments)
        if plan.neurons[s.population].name == p.population
    ]


def set_currents(plan: Plan, where: Layout, cells: Cells, step: int) -> None:
    """Write the current of every neuron that holds from `step` on into `cells.current`, in place."""
    for s in where.segments:
        neurons = plan.neurons[s.population]
        total = np.array(per_neuron(neurons.current, s), np.float64)
        for current in plan.currents:
            if current.population == neurons.name:
                total += per_neuron(current.at(step), s)
        cells.current[s.start : s.start + s.count] = total


def current_changes(plan: Plan) -> list[int]:
    """Return the steps at which a current starts, changes or stops, sorted."""
    steps = [step for current in plan.currents for step in current.steps.tolist()]
    return sorted({step for step in steps if 0 < step < NEVER})


def _drives(plan: Plan, where: Layout) -> tuple[np.ndarray, ...]:
    table: list[list[int]] = []
    keys, rows, members, member_slots, copies = [], [], [], [], []
    pieces = [np.empty((0, 4), np.int64)]
    used = listed = cut = 0
    for x in plan.poisson:
        rows.append(x.rates.rows)
        lines = x.rates.table + np.array([0, used, used])
        varies = len(lines) > 1
        if varies:
            pieces.append(np.column_stack([x.rates.steps, lines]))
        for number, s in enumerate(where.segments):
            if s.population != x.target or x.weight == 0:
                continue
            slot = slot_of(plan, where, number, x.weight < 0, "inputs", x.receptor, "inputs")
            line = [0] * 15
            line[loop_cells.D_SLOT], line[loop_cells.D_COUNT], line[loop_cells.D_PAIR] = slot, s.count, s.low // 2
            line[loop_cells.D_WEIGHT] = x.weight
            line[loop_cells.D_OFFSET], line[loop_cells.D_ROW], line[loop_cells.D_ROW_END] = lines[0].tolist()
            line[loop_cells.D_PIECE], line[loop_cells.D_PIECE_END] = (cut, cut + len(lines)) if varies else (-1, -1)
            line[loop_cells.D_COPIED], line[loop_cells.D_FIRST] = int(x.copied > 0), s.low
            line[loop_cells.D_FROM], line[loop_cells.D_TO] = x.start, x.stop
            line[loop_cells.D_LIST] = line[loop_cells.D_LIST_END] = -1
            if x.neurons is not None:
                here = x.neurons[(x.neurons >= s.low) & (x.neurons < s.high)]
                members.append(here)
                member_slots.append(here - s.low + slot)
                line[loop_cells.D_LIST], line[loop_cells.D_LIST_END] = listed, listed + len(here)
                listed += len(here)
            table.append(line)
            keys.append(x.key)
            copies.append(x.copied)
        used += len(x.rates.rows)
        cut += len(lines) if varies else 0
    return (
        np.array(table, np.int64).reshape(-1, 15),
        np.array(keys, np.uint64),
        np.concatenate([*rows, np.empty(0, np.uint32)]).astype(np.uint32),
        np.concatenate([*members, np.empty(0, np.int64)]).astype(np.int64),
        np.concatenate([*member_slots, np.empty(0, np.int64)]).astype(np.int64),
        np.concatenate(pieces),
        np.array(copies, np.float64),
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
            base = np.where(
                weight < 0,
                *(slot_of(plan, where, row, negative, "inputs", x.receptor, "inputs") for negative in (True, False)),
            )
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
