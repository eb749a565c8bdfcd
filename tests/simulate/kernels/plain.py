"""splitmix64 in Python's integers, its inverse, and the two passes of a connection kernel read back from its words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from allometry.simulate.kernels.wiring.connect import rewind, starts

MASK, GOLDEN = 2**64 - 1, 0x9E3779B97F4A7C15
_FIRST, _BITS = 2, 10  # rows of other populations before these; bits of a slot

Synapse = tuple[int, int, int]
"""Source, target within the part, 64 bits."""


def mix(x: int) -> int:
    """The finaliser of splitmix64, after Vigna's reference code."""
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def unmix(x: int) -> int:
    """The number that `mix` turns into `x`."""
    x ^= (x >> 31) ^ (x >> 62)
    x = x * pow(0x94D049BB133111EB, -1, 2**64) & MASK
    x ^= (x >> 27) ^ (x >> 54)
    x = x * pow(0xBF58476D1CE4E5B9, -1, 2**64) & MASK
    return x ^ (x >> 30) ^ (x >> 60)


def draw(key: int, index: int) -> int:
    return mix((key + index * GOLDEN) & MASK)


def key_of(bits: int, index: int = 0) -> int:
    """The key whose draw `index` is `bits`."""
    return (unmix(bits) - index * GOLDEN) & MASK


def uniform(bits: int) -> float:
    return min(((bits >> 11) + 0.5) / 2**53, 1 - 2.0**-53)


@dataclass
class Tables:
    """Weights and delays by the bits of a synapse; a size is a power of two."""

    weights: np.ndarray
    delays: np.ndarray

    def weight(self, bits: int) -> int:
        """Through as many tables of 65536 as the last 16 values of each ask for."""
        pick = bits & (min(len(self.weights), 65536) - 1)
        while pick % 65536 >= 65520 and pick // 65536 < len(self.weights) // 65536 - 1:
            bits = mix((bits + GOLDEN) & MASK)
            pick = (pick // 65536 + 1) * 65536 + (bits & 0xFFFF)
        return int(self.weights[pick])

    def delay(self, bits: int) -> int:
        return int(self.delays[(bits >> 16) & (len(self.delays) - 1)])


def assert_draws(
    kernel: Callable[..., Any], *head: Any, n_source: int, n_target: int, tables: Tables, wanted: list[Synapse]
) -> None:
    """Both passes write the wanted synapses: each in the row of its source and delay, with its weight, slot and sum."""
    rows = [(source, tables.delay(bits), t, tables.weight(bits)) for source, t, bits in wanted]
    assert written(kernel, *head, n_source=n_source, n_target=n_target, tables=tables) == sorted(rows)


def written(
    kernel: Callable[..., Any], *head: Any, n_source: int, n_target: int, tables: Tables
) -> list[tuple[int, int, int, int]]:
    """What both passes write, sorted: source, delay, target within the part, weight."""
    shortest, span = int(tables.delays.min()), int(np.ptp(tables.delays)) + 1
    cursor = np.zeros(_FIRST + n_source * span + 1, np.uint32)
    sums = np.zeros((2, n_target + 2), np.int64)
    slots = np.array([3, 3 + n_target], np.int64)

    def run(fill: bool, words: np.ndarray) -> None:
        place = shortest, span, _FIRST, cursor, words, slots, _BITS, sums[:, 1:-1]
        kernel(fill, *head, tables.weights, tables.delays, *place)

    run(False, np.empty(0, np.uint64))
    counts = cursor.astype(np.int64)
    assert counts[:_FIRST].sum() == counts[-1] == sums.sum() == 0
    words = np.zeros(starts(cursor), np.uint64)
    run(True, words)
    rewind(cursor)
    assert np.diff(cursor.astype(np.int64), append=0)[:-1].tolist() == counts[:-1].tolist()
    out, found = [], np.zeros_like(sums)
    for row in range(_FIRST, len(cursor) - 1):
        source, delay = divmod(row - _FIRST, span)
        for word in words[cursor[row] : cursor[row + 1]].view(np.int64).tolist():
            weight, slot = word >> _BITS, word & (2**_BITS - 1)
            t = slot - int(slots[int(weight < 0)])
            assert 0 <= t < n_target
            found[int(weight < 0), 1 + t] += abs(weight)
            out.append((source, delay + shortest, t, weight))
    np.testing.assert_array_equal(sums, found)
    return sorted(out)
