"""What the step loop of a thread works on: the state and input of its neurons, its synapses, and what threads share."""

from typing import NamedTuple

import numpy as np

from allometry.simulate.kernels.loop.wire import Mail

# Columns of `Cells.segments`: address of the block; local index of the first neuron, how many there are, network-wide number
# of the first; slot of the first receptor; elements between two variables; where the segment's part of each array starts;
# where its voltages are, and those that gap junctions see (-1: none).
BLOCK_AT, START, COUNT, FIRST, SLOT, STRIDE, STATE, DOUBLE, WHOLE = range(9)
CONSTANTS, STEPS, VARIED, VARIED_STEPS, VOLTAGE, SEEN = range(9, 15)
# Columns of `Cells.drives`.
(
    D_SLOT, D_COUNT, D_PAIR, D_WEIGHT, D_OFFSET, D_ROW, D_ROW_END, D_FROM, D_TO, D_LIST, D_LIST_END, D_PIECE, D_PIECE_END,
    D_COPIED, D_FIRST,
) = range(15)  # fmt: skip


class Cells(NamedTuple):
    """State and input of the neurons of one thread (`float` is float32 or float64, `sum` int32 or int64).

    Every segment, which is what a thread has of one population, owns a part of each array of variables: variable after
    variable, `STRIDE` elements each.

    state : float, double : float64, whole : int16, state variables by width (`network.State`).
    constants : float, steps : int16, what a step takes, where all neurons have the same; varied : float, varied_steps :
    int16, where each neuron has its own.
    current, gap : float [neuron]; the current that flows in, and what gap junctions add to it.
    arrived : sum [slot]. segments : int64 [segment, 15].
    drives : int64 [Poisson input, 15], drive_keys : uint64, thresholds : uint32, members, member_slots : int64.
    pieces : int64 [piece, 4], first step, offset, begin and end of the thresholds, where a rate varies in time;
    copies : float64 [Poisson input], probability of a copy of a common process.
    event_step, event_slot, event_weight : int64 [given event], sorted by step.
    groups : int64 [group of probes, 4], steps between samples, first probe and end, where its samples begin; probes : int64
    [probe, 2], element of `state` (0), `double` (1) or `whole` (2), and which of them; samples : float32.
    gap_limits : int64 [neuron + 1], gap_source : int64, gap_weight : float.
    """

    state: np.ndarray
    double: np.ndarray
    whole: np.ndarray
    constants: np.ndarray
    steps: np.ndarray
    varied: np.ndarray
    varied_steps: np.ndarray
    current: np.ndarray
    gap: np.ndarray
    arrived: np.ndarray
    segments: np.ndarray
    drives: np.ndarray
    drive_keys: np.ndarray
    thresholds: np.ndarray
    members: np.ndarray
    member_slots: np.ndarray
    pieces: np.ndarray
    copies: np.ndarray
    event_step: np.ndarray
    event_slot: np.ndarray
    event_weight: np.ndarray
    groups: np.ndarray
    probes: np.ndarray
    samples: np.ndarray
    gap_limits: np.ndarray
    gap_source: np.ndarray
    gap_weight: np.ndarray


class Wiring(NamedTuple):
    """Incoming synapses of one thread: rows of 32-bit (narrow) and 64-bit (wide) words.

    first_row : int64 [neuron of the network], -1 where it has none; population : uint16 [neuron of the network];
    shortest, spans : int64 [population]; limits : uint32 [row + 1].
    """

    population: np.ndarray
    shortest: np.ndarray
    spans: np.ndarray
    narrow_row: np.ndarray
    narrow_limits: np.ndarray
    narrow: np.ndarray
    wide_row: np.ndarray
    wide_limits: np.ndarray
    wide: np.ndarray


class Meeting(NamedTuple):
    """What the threads of a partition share.

    box : int64 [2, room], spikes of an interval, one region per thread starting at box_start; box_count : int64
    [2, 8 thread]; flags : int64 [8 thread]; abort : int64 [8]; voltage : float [2, neuron of the network];
    mail : what is exchanged with other partitions; patience : int64 [1].
    """

    box: np.ndarray
    box_start: np.ndarray
    box_count: np.ndarray
    flags: np.ndarray
    abort: np.ndarray
    voltage: np.ndarray
    mail: Mail
    patience: np.ndarray
