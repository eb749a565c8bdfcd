"""Poisson input alone: thresholds to the last cell, and every neuron's count from its half of a hash."""

from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest

from allometry.simulate.kernels.inputs.drive import (
    ROW,
    copied_block,
    copied_some,
    poisson_block,
    poisson_some,
    poisson_thresholds,
)
from tests.simulate.kernels.plain import draw, uniform

KEY = 0xFEEDFACECAFEBEEF


def half(member: int) -> int:
    """32 bits of a member of the population: two share a hash."""
    bits = draw(KEY, member // 2)
    return bits >> 32 if member % 2 else bits & 0xFFFFFFFF


@pytest.mark.parametrize("mean", [0.0, 1e-9, 0.015, 1.28, 9.0, 12.5, 40.0, 300.0])
def test_thresholds_in_decimal_arithmetic(mean: float) -> None:
    cells, row, offset = 2**32, [], 0
    with localcontext() as context:
        context.prec = 50
        below, mass = Decimal(0), (-Decimal(mean)).exp()
        for k in range(int(mean + 12 * mean**0.5 + 60)):
            below += mass
            mass = mass * Decimal(mean) / (k + 1)
            threshold = int((below * cells).to_integral_value()) - 1
            offset += threshold < 0
            row += [threshold] if 0 <= threshold < cells - 1 else []
    found = poisson_thresholds(mean)
    assert found[0] == offset
    assert found[1].dtype == np.uint32
    assert found[1].tolist() == row + [cells - 1] * (12 - len(row))


@pytest.mark.parametrize("dtype", [np.int32, np.float64])
@pytest.mark.parametrize("rare", [0, 1, 6])
@pytest.mark.parametrize("members", [1, 38, 39])
def test_counts_of_a_block(dtype: Any, rare: int, members: int) -> None:
    """Thresholds are numbers that some neurons drew, which do not exceed them; `rare` of them are beyond the registers."""
    pair, offset, weight = 21, 3, dtype(5)
    u = np.array([half(2 * pair + i) for i in range(members)], np.uint32)
    ranks = np.sort(np.array([half(2 * pair + i) for i in range(39)], np.uint32))
    row = np.concatenate([ranks[[0, 2, 5, 8, 11, 14, 17, 20, 23, 26, 28]], ranks[38 - rare :]])
    assert len(row) == ROW + rare
    scratch = np.zeros(32, np.uint64)
    arrived = np.arange(members).astype(dtype)
    poisson_block(scratch, scratch.view(np.uint32), np.uint64(KEY), pair, row, offset, weight, arrived)
    counts = offset + (u[:, None] > row).sum(axis=1)
    assert arrived.tolist() == (np.arange(members) + 5 * counts).tolist()
    assert arrived.dtype == dtype
    # the same, listed: of any members, to any places
    chosen, slots = np.arange(members)[::-3], np.arange(members)[::-3] // 3
    listed = np.full(members, 100).astype(dtype)
    poisson_some(np.uint64(KEY), 2 * pair + chosen, slots, row, offset, weight, listed)
    wanted = np.full(members, 100)
    wanted[slots] += 5 * counts[chosen]
    assert listed.tolist() == wanted.tolist()


def test_one_rare_count_is_enough() -> None:
    """Of all neurons a single one exceeds all twelve registers."""
    u = np.array([half(i) for i in range(9)], np.uint32)
    row = np.full(13, np.sort(u)[-2])
    scratch, arrived = np.zeros(5, np.uint64), np.zeros(9, np.int32)
    poisson_block(scratch, scratch.view(np.uint32), np.uint64(KEY), 0, row, 0, np.int32(1), arrived)
    assert arrived.tolist() == (13 * (u == u.max())).tolist()


@pytest.mark.parametrize("offset", [0, 2])
def test_copies_of_common_events(offset: int) -> None:
    first, count, weight = 17, 30, np.int32(-4)
    common = draw(KEY, 0) & 0xFFFFFFFF
    row = np.array([common // 2, common - 1, common, 2**32 - 1], np.uint32)
    events = offset + 2  # thresholds below the draw; one equals it
    deviates = np.array([[uniform(draw(draw(KEY, k + 1), i)) for i in range(first + count)] for k in range(events)])
    probability = float(np.sort(deviates[:, first:].ravel())[20])  # a deviate, which is not below itself
    copies = (deviates < probability).sum(axis=0)
    assert copies[first:].sum() == 20
    arrived = np.arange(count).astype(np.int32)
    copied_block(np.uint64(KEY), first, row, offset, probability, weight, arrived)
    assert arrived.tolist() == (np.arange(count) - 4 * copies[first:]).tolist()
    members, slots = np.array([40, 0, 17, 46, 3]), np.array([1, 4, 0, 2, 3])
    listed = np.arange(6).astype(np.int32)
    copied_some(np.uint64(KEY), members, slots, row, offset, probability, weight, listed)
    wanted = np.arange(6)
    wanted[slots] -= 4 * copies[members]
    assert listed.tolist() == wanted.tolist()
