"""Queues of spikes: nothing is lost where they grow, and every weight arrives at its step, at its neuron."""

import numpy as np
import pytest

from allometry.simulate.kernels.synapses.deliver import deliver_narrow, deliver_wide, enqueue, grown

BITS = 7


def test_a_grown_queue_keeps_every_entry() -> None:
    for room in (1, 2, 7, 264):
        queue = np.arange(1, 3 * room + 1, dtype=np.uint64).reshape(3, room)
        longer = grown(queue)
        assert longer.shape == (3, 2 * room + 8)
        np.testing.assert_array_equal(longer[:, :room], queue)


@pytest.mark.parametrize("room", [1, 3, 64])
@pytest.mark.parametrize("wide", [False, True])
def test_every_weight_arrives_at_its_step_whatever_the_room(room: int, wide: bool) -> None:
    """Two populations with other ranges of delays; rows are empty, short and longer than what is prefetched at once."""
    random = np.random.default_rng(room)
    population = np.repeat(np.array([0, 1], np.uint16), [5, 4])
    shortest, spans, steps = np.array([2, 1]), np.array([3, 4]), 6
    lengths = random.choice([0, 1, 3, 90], 5 * 3 + 4 * 4)
    first_row = np.concatenate([np.arange(5) * 3, 15 + np.arange(4) * 4])
    limits = np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint32)
    # A neuron without synapses here: its rows are nobody's.
    first_row[3] = -1
    slot, weight = random.integers(0, 100, limits[-1]), random.integers(-1000, 1000, limits[-1])
    if wide:
        words = ((weight.astype(np.int64) << 32) | slot).view(np.uint64)
    else:
        words = ((weight << BITS) | slot).astype(np.int32).view(np.uint32)
    queue, filled = np.zeros((steps, room), np.uint64), np.zeros(steps, np.int64)
    spikes = np.array([(4 << 32) | neuron for neuron in (8, 0, 3, 4, 1, 7, 5, 2, 6)])
    queue = enqueue(spikes, len(spikes), queue, filled, first_row, population, shortest, spans, limits)
    expected, events = np.zeros((steps, 100), np.int64), np.zeros(steps, np.int64)
    for neuron in (0, 1, 2, 4, 5, 6, 7, 8):
        for d in range(spans[population[neuron]]):
            row = slice(limits[first_row[neuron] + d], limits[first_row[neuron] + d + 1])
            due = (4 + shortest[population[neuron]] + d) % steps
            np.add.at(expected[due], slot[row], weight[row])
            events[due] += row.stop - row.start
    for due in range(steps):
        arrived = np.zeros(100, np.int64 if wide else np.int32)
        entries = queue[due]
        count = (
            deliver_wide(entries, filled[due], words, arrived)
            if wide
            else deliver_narrow(entries, filled[due], words, BITS, arrived)
        )
        assert count == events[due]
        np.testing.assert_array_equal(arrived, expected[due])
    assert events.sum() > 200


def test_only_the_spikes_that_count_are_queued() -> None:
    queue, filled = np.zeros((3, 8), np.uint64), np.zeros(3, np.int64)
    limits = np.array([0, 2, 5], np.uint32)
    rows = np.array([0, 1]), np.zeros(2, np.uint16), np.array([1]), np.array([1]), limits
    spikes = np.array([(1 << 32) | 1, 1 << 32])
    queue = enqueue(spikes, 1, queue, filled, *rows)
    assert filled.tolist() == [0, 0, 1]
    assert queue[2, 0] == (2 << 32) | 5


def test_a_queue_grows_as_often_as_it_must_and_holds_no_empty_rows() -> None:
    """From room for 1 to 10, 28 and 64; every third neuron has no synapse."""
    lengths = np.arange(60) % 3
    limits = np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint32)
    queue, filled = np.zeros((2, 1), np.uint64), np.zeros(2, np.int64)
    rows = np.arange(60), np.zeros(60, np.uint16), np.array([1]), np.array([1]), limits
    queue = enqueue(np.arange(60), 60, queue, filled, *rows)
    assert queue.shape == (2, 64)
    assert filled.tolist() == [0, 40]
    wanted = [(int(limits[n]) << 32) | int(limits[n + 1]) for n in range(60) if lengths[n]]
    assert queue[1, :40].tolist() == wanted
