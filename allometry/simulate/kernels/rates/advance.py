"""The steps of rate units: rates, sums, exchange, new states. Several conditions on one connectivity advance together.

A thread owns a range of units. In every step it writes their rates and the partial sums of its blocks where all threads
read them, waits for the others, and moves its states on. What is written alternates between two buffers, so that one
meeting per step is enough; partitions send each other what their threads wrote (`loop.wire`).
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type,index"

from typing import NamedTuple

import numpy as np
from numba import njit, uint64

from allometry.simulate.kernels.compiled import compiled
from allometry.simulate.kernels.intrinsics import arrive, await_all, borrowed
from allometry.simulate.kernels.loop.wire import HEAD, Mail, collect, post
from allometry.simulate.kernels.rates.nonlinearities import rates
from allometry.simulate.kernels.rates.sums import BLOCK, TILE, add_edges, add_rows
from allometry.simulate.kernels.rng import draw, normal_quantile, uniform

DENSE, SPARSE, LOW_RANK = range(3)
"""Kinds of projections."""
U_START, U_COUNT, U_FIRST, U_KIND, U_KEY, U_SIZE, U_WITHIN = range(7)
"""Columns of `Units.parts`: first unit in the shard, units, first unit in the network, nonlinearity, number of the population,
its size, first unit within the population."""
S_START, S_COUNT, S_RANK, S_AT, S_PARTIAL, S_BLOCK, S_BLOCKS, S_COLUMN, S_GAIN, S_STATE = range(10)
"""Columns of `Units.sums`: source units in the shard, columns, where their factors begin, where the partial sums of the first
block of the population are, first block in the shard, blocks of the population, first column, first gain or -1, whether
states are summed in place of rates."""
P_KIND, P_START, P_COUNT, P_SOURCE, P_SOURCES, P_AT, P_COLUMN, P_GAIN = range(8)
"""Columns of `Units.projections`: kind, target units in the shard, first source in the network and their number, where the
weights begin (of `SPARSE` the limits), first latent variable and gain."""


class Units(NamedTuple):
    """The units of one thread with what they receive and what is summed over them; the same for all conditions.

    parts : int64 [part, 7]; keep, into, noise : float64 [unit], x becomes keep x + into input + noise xi. sums : int64 [sum, 10],
    over low-rank projections and readouts, with factors : float64 [source unit x column]. projections : int64 [projection,
    8], with weights : float64, dense as [source, target], of low rank as [rank, target]; limits, sources : int64, edge_weights :
    float64, sparse. exact : float64 [setting, source, target], propagators, or none; patterns : float64 [setting, channel,
    target]. probes : int64 [probe], units that are recorded, and of what (0: x, 1: rate) in recorded : int64 [1].
    """

    parts: np.ndarray
    keep: np.ndarray
    into: np.ndarray
    noise: np.ndarray
    sums: np.ndarray
    factors: np.ndarray
    projections: np.ndarray
    weights: np.ndarray
    limits: np.ndarray
    sources: np.ndarray
    edge_weights: np.ndarray
    exact: np.ndarray
    patterns: np.ndarray
    probes: np.ndarray
    recorded: np.ndarray


class Course(NamedTuple):
    """What changes in time, in the steps of a window.

    signal, gain, setting : int64 [condition, step], rows of signals : float64 [row, channel] and gains : float64 [row, gain],
    and number of the propagator. resets : int64 [event, 5], step, condition, first unit in the shard, units, where in
    values : float64. keys : uint64 [condition, population], of the noise.
    """

    signal: np.ndarray
    gain: np.ndarray
    setting: np.ndarray
    signals: np.ndarray
    gains: np.ndarray
    resets: np.ndarray
    values: np.ndarray
    keys: np.ndarray


class Meeting(NamedTuple):
    """What the threads of a partition share.

    shared : float64 [2, condition, unit of the network], rates; partial : float64 [2, condition, partial sum]. flags, abort,
    patience : int64, as for spikes. outgoing, incoming : float64, the words of `mail` as numbers. ranges : int64 [partition,
    2], units; blocks : int64 [partition, sum, 2], partial sums of each partition, this one first. sends : int64 [1], whether
    rates are sent beside partial sums.
    """

    shared: np.ndarray
    partial: np.ndarray
    flags: np.ndarray
    abort: np.ndarray
    patience: np.ndarray
    mail: Mail
    outgoing: np.ndarray
    incoming: np.ndarray
    ranges: np.ndarray
    blocks: np.ndarray
    sends: np.ndarray


@njit(nogil=True, error_model="numpy")
def _rates(units, x, shared, partial):
    """Write the rates of one condition's units, and the partial sums over their blocks."""
    for p in range(units.parts.shape[0]):
        part = units.parts[p]
        for a in range(0, part[U_COUNT], BLOCK):
            begin = part[U_START] + a
            first = part[U_FIRST] + a
            n = min(BLOCK, part[U_COUNT] - a)
            rates(part[U_KIND], x[begin : begin + n], shared[first : first + n])
            for s in range(units.sums.shape[0]):
                row = units.sums[s]
                rank = row[S_RANK]
                if begin < row[S_START] or begin >= row[S_START] + row[S_COUNT]:
                    continue
                within = begin - row[S_START]
                at = row[S_AT] + within * rank
                factors = units.factors[at : at + n * rank].reshape((n, rank))
                to = row[S_PARTIAL] + (row[S_BLOCK] + within // BLOCK) * rank
                for c in range(to, to + rank):
                    partial[c] = 0.0
                if row[S_STATE] != 0:
                    add_rows(factors, 0, n, x, begin, partial[to : to + rank], 0, rank)
                else:
                    add_rows(factors, 0, n, shared, first, partial[to : to + rank], 0, rank)


@njit(nogil=True, error_model="numpy")
def _sums(units, partial, gains, out):
    """Write all sums of one condition, those of low-rank projections times their gains."""
    for s in range(units.sums.shape[0]):
        row = units.sums[s]
        rank, column = row[S_RANK], row[S_COLUMN]
        for c in range(rank):
            out[column + c] = 0.0
        for k in range(row[S_BLOCKS]):
            at = row[S_PARTIAL] + k * rank
            for c in range(rank):
                out[column + c] += partial[at + c]
        if row[S_GAIN] >= 0:
            for c in range(rank):
                out[column + c] *= gains[row[S_GAIN] + c]


@njit(nogil=True, error_model="numpy")
def _drive(patterns, signals, drive):
    """Write the input of one condition's units: the patterns of all channels times their signals."""
    n = drive.shape[0]
    for i in range(n):
        drive[i] = 0.0
    for c in range(signals.shape[0]):
        factor, pattern = signals[c], patterns[c]
        if factor != 0.0:
            for i in range(n):
                drive[i] += factor * pattern[i]


@njit(nogil=True, error_model="numpy")
def _received(units, p, shared, sums, gain_rows, gains, scratch, total):
    """Add what arrives over one projection to the input of the units, of all conditions."""
    row = units.projections[p]
    start, count = row[P_START], row[P_COUNT]
    conditions = total.shape[0]
    if count == 0:
        return
    if row[P_KIND] == LOW_RANK:
        rank = row[P_SOURCES]
        m = units.weights[row[P_AT] : row[P_AT] + rank * count].reshape((rank, count))
        for low in range(0, count, TILE):
            high = min(low + TILE, count)
            for b in range(conditions):
                add_rows(m, 0, rank, sums[b], row[P_COLUMN], total[b, start : start + count], low, high)
        return
    for b in range(conditions):
        for i in range(count):
            scratch[b, i] = 0.0
    if row[P_KIND] == DENSE:
        sources = row[P_SOURCES]
        matrix = units.weights[row[P_AT] : row[P_AT] + sources * count].reshape((sources, count))
        for low in range(0, count, TILE):
            high = min(low + TILE, count)
            for b in range(conditions):
                if gains[gain_rows[b], row[P_GAIN]] != 0.0:
                    add_rows(matrix, 0, sources, shared[b], row[P_SOURCE], scratch[b], low, high)
    else:
        limits = units.limits[row[P_AT] : row[P_AT] + count + 1]
        for b in range(conditions):
            if gains[gain_rows[b], row[P_GAIN]] != 0.0:
                add_edges(limits, units.sources, units.edge_weights, shared[b], scratch[b], 0, count)
    for b in range(conditions):
        gain = gains[gain_rows[b], row[P_GAIN]]
        if gain != 0.0:
            for i in range(count):
                total[b, start + i] += gain * scratch[b, i]


@njit(nogil=True, error_model="numpy")
def _noise(units, keys, step, x):
    """Add the noise of one step to the states of one condition."""
    for p in range(units.parts.shape[0]):
        part = units.parts[p]
        key = keys[part[U_KEY]]
        base = uint64(step) * uint64(part[U_SIZE]) + uint64(part[U_WITHIN])
        for i in range(part[U_COUNT]):
            size = units.noise[part[U_START] + i]
            if size > 0.0:
                x[part[U_START] + i] += size * normal_quantile(uniform(draw(key, base + uint64(i))))


@njit(nogil=True)
def _pack(meeting, parity, message):
    """Write what the threads of this partition made of a step behind the head of a message; returns its words."""
    at = HEAD + 2
    low, high = meeting.ranges[0, 0], meeting.ranges[0, 1]
    for b in range(meeting.shared.shape[1]):
        if meeting.sends[0] != 0:
            for i in range(low, high):
                message[at] = meeting.shared[parity, b, i]
                at += 1
        for s in range(meeting.blocks.shape[1]):
            for i in range(meeting.blocks[0, s, 0], meeting.blocks[0, s, 1]):
                message[at] = meeting.partial[parity, b, i]
                at += 1
    return at - HEAD - 2


@njit(nogil=True)
def _unpack(meeting, parity, peer):
    """Put what a peer made of a step where the threads of this partition read it."""
    at = 2
    message = meeting.incoming[parity, peer]
    low, high = meeting.ranges[peer + 1, 0], meeting.ranges[peer + 1, 1]
    for b in range(meeting.shared.shape[1]):
        if meeting.sends[0] != 0:
            for i in range(low, high):
                meeting.shared[parity, b, i] = message[at]
                at += 1
        for s in range(meeting.blocks.shape[1]):
            for i in range(meeting.blocks[peer + 1, s, 0], meeting.blocks[peer + 1, s, 1]):
                meeting.partial[parity, b, i] = message[at]
                at += 1


@njit(nogil=True)
def _advance(units, course, meeting, me, threads, first, last, every, generation, x, samples, sums_out):
    conditions, n = x.shape
    columns = 0
    for s in range(units.sums.shape[0]):
        columns = max(columns, units.sums[s, S_COLUMN] + units.sums[s, S_RANK])
    sums = np.zeros((conditions, columns))
    drive = np.zeros((conditions, n))
    total = np.zeros((conditions, n))
    scratch = np.zeros((conditions, n))
    noisy = False
    for i in range(n):
        noisy = noisy or units.noise[i] > 0.0
    exact = units.exact.shape[0] > 0
    everyone = meeting.shared.shape[2]
    mail = meeting.mail
    peers = len(mail.sockets)
    patience = meeting.patience[0]
    event, row = 0, 0
    while event < course.resets.shape[0] and course.resets[event, 0] < first:
        event += 1
    for step in range(first, last):
        k = step - first
        while event < course.resets.shape[0] and course.resets[event, 0] == step:
            reset = course.resets[event]
            for i in range(reset[3]):
                x[reset[1], reset[2] + i] = course.values[reset[4] + i]
            event += 1
        generation += 1
        parity = generation & 1
        shared, partial = meeting.shared[parity], meeting.partial[parity]
        for b in range(conditions):
            _rates(units, x[b], shared[b], partial[b])
        arrive(meeting.flags, me, 2 * generation)
        if not await_all(meeting.flags, threads, 2 * generation, meeting.abort, patience):
            return 1, generation
        if peers > 0:
            if me == 0:
                words = _pack(meeting, parity, meeting.outgoing[parity])
                mail.outgoing[parity, HEAD] = step
                mail.outgoing[parity, HEAD + 1] = words
                post(mail, generation)
                status = collect(mail, generation, step, meeting.abort, patience)
                if status != 0:
                    return status, generation
                for p in range(peers):
                    _unpack(meeting, parity, p)
            arrive(meeting.flags, me, 2 * generation + 1)
            if not await_all(meeting.flags, threads, 2 * generation + 1, meeting.abort, patience):
                return 1, generation
        gain_rows = course.gain[:, k]
        for b in range(conditions):
            _sums(units, partial[b], course.gains[gain_rows[b]], sums[b])
        if step % every == 0:
            for b in range(conditions):
                for i in range(samples.shape[2]):
                    at = units.probes[i]
                    if units.recorded[0] == 0:
                        samples[b, row, i] = x[b, at]
                    else:
                        for p in range(units.parts.shape[0]):
                            part = units.parts[p]
                            if part[U_START] <= at < part[U_START] + part[U_COUNT]:
                                samples[b, row, i] = shared[b, part[U_FIRST] + at - part[U_START]]
                for c in range(sums_out.shape[2]):
                    sums_out[b, row, c] = sums[b, c]
            row += 1
        for b in range(conditions):
            setting = course.setting[b, k]
            if k == 0 or course.signal[b, k] != course.signal[b, k - 1] or setting != course.setting[b, k - 1]:
                _drive(units.patterns[setting], course.signals[course.signal[b, k]], drive[b])
            for i in range(n):
                total[b, i] = drive[b, i]
        if exact:
            for low in range(0, n, TILE):
                high = min(low + TILE, n)
                for b in range(conditions):
                    add_rows(units.exact[course.setting[b, k]], 0, everyone, shared[b], 0, total[b], low, high)
            for b in range(conditions):
                for i in range(n):
                    x[b, i] = total[b, i]
            continue
        for p in range(units.projections.shape[0]):
            _received(units, p, shared, sums, gain_rows, course.gains, scratch, total)
        for b in range(conditions):
            for i in range(n):
                x[b, i] = units.keep[i] * x[b, i] + units.into[i] * total[b, i]
            if noisy:
                _noise(units, course.keys[b], step, x[b])
    return 0, generation


@compiled
def advance_rates(units, course, meeting, me, threads, first, last, every, generation, x, samples, sums_out):
    """Run steps [first, last) of one thread's units.

    x : float64 [condition, unit], the states, which move on. samples : float32 [condition, sample, probe] and sums_out : float64
    [condition, sample, sum], empty of a thread that does not record them, of the steps that `every` divides, at their
    beginning.

    Returns
    -------
    tuple
        status (0, a code of `wire`, or 1 where another thread raised `abort`) and generation.
    """
    return _advance(
        borrowed(units), borrowed(course), borrowed(meeting), me, threads, first, last, every, generation, borrowed(x),
        borrowed(samples), borrowed(sums_out),
    )  # fmt: skip
