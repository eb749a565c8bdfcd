"""The compiled step loop of one thread: deliver what is due, drive, update, exchange spikes every interval.

All threads of all partitions run the same loop on their own shard of neurons. No Python object is touched and the GIL
is not held. Threads of a partition meet through flags, partitions over shared memory or sockets (`wire`); between saying that an interval is
done and waiting for the others, a thread queues its own spikes and prepares the next step.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type,var-annotated"

import numpy as np
from numba import int64, njit

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.inputs.drive import copied_block, copied_some, poisson_block, poisson_some
from allometry.simulate.kernels.inputs.signals import sparse_events, waves
from allometry.simulate.kernels.intrinsics import arrive, await_all, borrowed
from allometry.simulate.kernels.loop.cells import (
    BLOCK_AT,
    CONSTANTS,
    COUNT,
    D_COPIED,
    D_COUNT,
    D_FIRST,
    D_FROM,
    D_LIST,
    D_LIST_END,
    D_OFFSET,
    D_PAIR,
    D_PIECE,
    D_PIECE_END,
    D_ROW,
    D_ROW_END,
    D_SLOT,
    D_TO,
    D_WEIGHT,
    DOUBLE,
    FIRST,
    SEEN,
    SLOT,
    START,
    STATE,
    STEPS,
    STRIDE,
    VARIED,
    VARIED_STEPS,
    VOLTAGE,
    WHOLE,
)  # fmt: skip
from allometry.simulate.kernels.loop.wire import HEAD, collect, post
from allometry.simulate.kernels.neurons.update import TILE, call_block, cast
from allometry.simulate.kernels.rng import draw
from allometry.simulate.kernels.synapses.deliver import deliver_narrow, deliver_wide, enqueue
from allometry.simulate.kernels.synapses.plastic import listen, receive, send
from allometry.simulate.kernels.synapses.release import due_events, release

BLOCK = 2048
OVERRUN = 4
"""Status beside those of `wire`: a neuron spiked sooner after a spike than its model says."""


@njit(nogil=True)
def _copy(source, begin, target, at, count):
    # Assigning slices instead would compile numba's broadcasting and error messages: a quarter of the compilation.
    for i in range(count):
        target[at + i] = source[begin + i]


@njit(nogil=True)
def _emit_some(flag, low, high, first, stamp, log, logged):
    for i in range(low, high):
        if flag[i] != 0:
            log[logged] = stamp | (first + i)
            logged += 1
    return logged


@njit(nogil=True)
def _emit(flag, count, first, step, log, logged):
    """Append step << 32 | neuron for every flagged neuron; most are not, and are passed over eight at a time."""
    stamp = int64(step) << int64(32)
    eights = flag.view(np.uint64)
    for eight in range(count >> 3):
        if eights[eight] != 0:
            logged = _emit_some(flag, 8 * eight, 8 * eight + 8, first, stamp, log, logged)
    return _emit_some(flag, count & ~7, count, first, stamp, log, logged)


@njit(nogil=True)
def _wake(awake):
    for tile in range(len(awake)):
        awake[tile] = 1


@njit(nogil=True)
def _update(cells, flag, awake, step, log, logged):
    for k in range(cells.segments.shape[0]):
        s = cells.segments[k]
        for a in range(0, s[COUNT], BLOCK):
            n = min(BLOCK, s[COUNT] - a)
            fired = call_block(
                s[BLOCK_AT], cells.state, s[STATE] + a, cells.double, s[DOUBLE] + a, cells.whole, s[WHOLE] + a,
                cells.current, cells.gap, s[START] + a, cells.arrived, s[SLOT] + a, cells.constants, s[CONSTANTS],
                cells.steps, s[STEPS], cells.varied, s[VARIED] + a, cells.varied_steps, s[VARIED_STEPS] + a, flag,
                awake, s[START] // TILE + k + a // TILE, s[STRIDE], s[COUNT], n,
            )  # fmt: skip
            if fired > 0:
                logged = _emit(flag, n, s[FIRST] + a, step, log, logged)
    return logged


@njit(nogil=True)
def _piece(pieces, low, high, step):
    """Return the last of the pieces [low, high) that begins at `step` or before."""
    while high - low > 1:
        middle = (low + high) >> 1
        if pieces[middle, 0] <= step:
            low = middle
        else:
            high = middle
    return low


@njit(nogil=True)
def _drive(cells, scratch, lanes, step):
    for d in range(cells.drives.shape[0]):
        row = cells.drives[d]
        if step < row[D_FROM] or step >= row[D_TO]:
            continue
        base = draw(cells.drive_keys[d], step)
        offset, begin, end = row[D_OFFSET], row[D_ROW], row[D_ROW_END]
        if row[D_PIECE] >= 0:
            piece = cells.pieces[_piece(cells.pieces, row[D_PIECE], row[D_PIECE_END], step)]
            offset, begin, end = piece[1], piece[2], piece[3]
        limits = cells.thresholds[begin:end]
        weight = cast(row[D_WEIGHT], cells.arrived)
        if row[D_LIST] >= 0:
            members = cells.members[row[D_LIST] : row[D_LIST_END]]
            slots = cells.member_slots[row[D_LIST] : row[D_LIST_END]]
            if row[D_COPIED] != 0:
                copied_some(base, members, slots, limits, offset, cells.copies[d], weight, cells.arrived)
            else:
                poisson_some(base, members, slots, limits, offset, weight, cells.arrived)
            continue
        if row[D_COPIED] != 0:
            target = cells.arrived[row[D_SLOT] : row[D_SLOT] + row[D_COUNT]]
            copied_block(base, row[D_FIRST], limits, offset, cells.copies[d], weight, target)
            continue
        for a in range(0, row[D_COUNT], BLOCK):
            b = min(a + BLOCK, row[D_COUNT])
            target = cells.arrived[row[D_SLOT] + a : row[D_SLOT] + b]
            poisson_block(scratch, lanes, base, row[D_PAIR] + a // 2, limits, offset, weight, target)


@njit(nogil=True)
def _inputs(cells, signals, scratch, lanes, step):
    """Add all inputs of a step to `arrived`, and write the currents that change at every step."""
    _drive(cells, scratch, lanes, step)
    if signals is not None:
        sparse_events(signals, step, cells.arrived)
        waves(signals, step, cells.current)


@njit(nogil=True)
def _gap_currents(cells, voltage):
    """Write into `gap` the sum of weight (V_source - V) over gap junctions, from the voltages at the start of the step."""
    for k in range(cells.segments.shape[0]):
        s = cells.segments[k]
        if s[SEEN] < 0:
            continue
        for i in range(s[COUNT]):
            mine = cells.state[s[VOLTAGE] + i]
            total = cast(0, cells.state)
            for e in range(cells.gap_limits[s[START] + i], cells.gap_limits[s[START] + i + 1]):
                total += cells.gap_weight[e] * (voltage[cells.gap_source[e]] - mine)
            cells.gap[s[START] + i] = total


@njit(nogil=True)
def _share_voltage(cells, voltage):
    for k in range(cells.segments.shape[0]):
        s = cells.segments[k]
        if s[SEEN] >= 0:
            _copy(cells.state, s[SEEN], voltage, s[FIRST], s[COUNT])


@njit(nogil=True)
def _sample(cells, group, row):
    """Write sample number `row` of a group of probes in this window."""
    begin, end, at = cells.groups[group, 1], cells.groups[group, 2], cells.groups[group, 3]
    at += row * (end - begin)
    for p in range(begin, end):
        element, width = cells.probes[p, 0], cells.probes[p, 1]
        if width == 0:
            cells.samples[at] = cells.state[element]
        elif width == 1:
            cells.samples[at] = cells.double[element]
        else:
            cells.samples[at] = cells.whole[element]
        at += 1


@njit(nogil=True)
def _queue(spikes, count, wiring, narrow, narrow_filled, wide, wide_filled):
    w = wiring
    if len(w.narrow_limits) > 1:
        narrow = enqueue(
            spikes, count, narrow, narrow_filled, w.narrow_row, w.population, w.shortest, w.spans, w.narrow_limits
        )
    if len(w.wide_limits) > 1:
        wide = enqueue(spikes, count, wide, wide_filled, w.wide_row, w.population, w.shortest, w.spans, w.wide_limits)
    return narrow, wide


@njit(nogil=True)
def _received(
    spikes, count, wiring, released, held, plastic, arrived, narrow, narrow_filled, wide, wide_filled, events
):  # fmt: skip
    """Send spikes over all synapses of a thread; returns events and what may have grown."""
    if plastic is not None:
        events += send(plastic, spikes, count)
    if released is not None:
        more, held = release(released, held, spikes, count, 0, arrived)
        events += more
    narrow, wide = _queue(spikes, count, wiring, narrow, narrow_filled, wide, wide_filled)
    return events, held, narrow, wide


@compiled
def queue_spikes(spikes, wiring, narrow, narrow_filled, wide, wide_filled):
    """Queue spikes that are still under way, after a restart; returns the two queues."""
    return _queue(spikes, len(spikes), wiring, narrow, narrow_filled, wide, wide_filled)


@njit(nogil=True)
def _advance(
    cells, signals, wiring, released, held, meeting, me, threads, first, last, interval, generation, slot_bits, plastic,
    narrow, narrow_filled, wide, wide_filled,
):  # fmt: skip
    neurons = len(cells.current)
    scratch = np.empty(BLOCK // 2, np.uint64)
    lanes = scratch.view(np.uint32)
    flag = np.zeros(BLOCK, np.uint8)
    # Other currents, or a state that was read back, may have come since the last window: everybody is awake.
    awake = np.ones(neurons // TILE + cells.segments.shape[0] + 1, np.uint8)
    log = np.empty(neurons + 1024, np.int64)
    logged = 0
    events = 0
    event = 0
    while event < len(cells.event_step) and cells.event_step[event] < first:
        event += 1
    steps = narrow.shape[0]
    mail = meeting.mail
    peers = len(mail.sockets)
    patience = meeting.patience[0]
    prepared = -1
    step = first
    while step < last:
        stop = min(step + interval, last)
        opened = logged
        for now in range(step, stop):
            due = now % steps
            # What arrived by the last exchange; all of it, where the step was not prepared.
            events += deliver_narrow(borrowed(narrow)[due], narrow_filled[due], wiring.narrow, slot_bits, cells.arrived)
            narrow_filled[due] = 0
            if wide_filled[due] > 0:
                events += deliver_wide(borrowed(wide)[due], wide_filled[due], wiring.wide, cells.arrived)
                wide_filled[due] = 0
            while event < len(cells.event_step) and cells.event_step[event] == now:
                cells.arrived[cells.event_slot[event]] += cast(cells.event_weight[event], cells.arrived)
                event += 1
            if plastic is not None:
                receive(plastic, now, cells.arrived)
            if released is not None:
                due_events(held, now, cells.arrived)
            if now != prepared:
                _inputs(cells, signals, borrowed(scratch), borrowed(lanes), now)
            if len(cells.gap_source) > 0:
                _gap_currents(cells, meeting.voltage[now & 1])
            if logged + neurons > len(log):
                longer = np.empty(2 * len(log) + neurons, np.int64)
                _copy(log, 0, longer, 0, logged)
                log = longer
            if signals is not None or len(cells.gap_source) > 0:
                _wake(borrowed(awake))
            logged = _update(cells, borrowed(flag), borrowed(awake), now, borrowed(log), logged)
            if meeting.voltage.shape[1] > 0:
                _share_voltage(cells, meeting.voltage[(now + 1) & 1])
            for g in range(cells.groups.shape[0]):
                if (now + 1) % cells.groups[g, 0] == 0:
                    _sample(cells, g, (now + 1) // cells.groups[g, 0] - first // cells.groups[g, 0] - 1)
        generation += 1
        parity = generation & 1
        count = logged - opened
        if count > meeting.box_start[me + 1] - meeting.box_start[me]:
            return OVERRUN, generation, logged, log, events, narrow, wide, held
        _copy(borrowed(log), opened, meeting.box[parity], meeting.box_start[me], count)
        meeting.box_count[parity, 8 * me] = count
        arrive(meeting.flags, me, 2 * generation)
        if peers > 0:
            if not await_all(meeting.flags, threads, 2 * generation, meeting.abort, patience):
                return 1, generation, logged, log, events, narrow, wide, held
            if me == 0:
                outgoing = mail.outgoing[parity]
                total = HEAD + 2
                for other in range(threads):
                    n = meeting.box_count[parity, 8 * other]
                    _copy(meeting.box[parity], meeting.box_start[other], outgoing, total, n)
                    total += n
                outgoing[HEAD] = step
                outgoing[HEAD + 1] = total - HEAD - 2
                post(mail, generation)
        if plastic is not None:
            listen(plastic, borrowed(log)[opened:], count)
        # While the others finish their interval and messages travel: what this thread already knows of the next step.
        # Sums are exact, so that their order does not matter. A window ends unprepared, for its state to be saved.
        events, held, narrow, wide = _received(
            borrowed(log)[opened:], count, wiring, released, held, plastic, cells.arrived, narrow, narrow_filled, wide,
            wide_filled, events,
        )  # fmt: skip
        if stop < last:
            due = stop % steps
            events += deliver_narrow(borrowed(narrow)[due], narrow_filled[due], wiring.narrow, slot_bits, cells.arrived)
            narrow_filled[due] = 0
            if wide_filled[due] > 0:
                events += deliver_wide(borrowed(wide)[due], wide_filled[due], wiring.wide, cells.arrived)
                wide_filled[due] = 0
            _inputs(cells, signals, borrowed(scratch), borrowed(lanes), stop)
            prepared = stop
        if peers == 0:
            if not await_all(meeting.flags, threads, 2 * generation, meeting.abort, patience):
                return 1, generation, logged, log, events, narrow, wide, held
        elif me == 0:
            status = collect(mail, generation, step, meeting.abort, patience)
            if status != 0:
                return status, generation, logged, log, events, narrow, wide, held
        for other in range(threads):
            if other != me:
                begin = meeting.box_start[other]
                events, held, narrow, wide = _received(
                    meeting.box[parity, begin:], meeting.box_count[parity, 8 * other], wiring, released, held, plastic,
                    cells.arrived, narrow, narrow_filled, wide, wide_filled, events,
                )  # fmt: skip
        if peers > 0:
            arrive(meeting.flags, me, 2 * generation + 1)
            if not await_all(meeting.flags, threads, 2 * generation + 1, meeting.abort, patience):
                return 1, generation, logged, log, events, narrow, wide, held
            for p in range(peers):
                events, held, narrow, wide = _received(
                    mail.incoming[parity, p, 2:], mail.incoming[parity, p, 1], wiring, released, held, plastic,
                    cells.arrived, narrow, narrow_filled, wide, wide_filled, events,
                )  # fmt: skip
        step = stop
    return 0, generation, logged, log, events, narrow, wide, held


@compiled
def advance(
    cells, signals, wiring, released, held, meeting, me, threads, first, last, interval, generation, slot_bits, plastic,
    narrow, narrow_filled, wide, wide_filled,
):  # fmt: skip
    """Run steps [first, last) of one thread's neurons.

    `signals`, `released` with `held`, and `plastic` are None in a network that has nothing of them: their code is left out.

    Returns
    -------
    tuple
        status (0, a code of `wire`, or `OVERRUN`; 1 also where another thread raised `abort`), generation, number of logged
        spikes, the log (int64, step << 32 | neuron, unordered within a step), synaptic events, and the two queues and
        the events that wait, which may have grown.
    """
    return _advance(
        borrowed(cells), borrowed(signals), borrowed(wiring), borrowed(released), held, borrowed(meeting), me, threads,
        first, last, interval, generation, slot_bits, borrowed(plastic), narrow, borrowed(narrow_filled), wide,
        borrowed(wide_filled),
    )  # fmt: skip
