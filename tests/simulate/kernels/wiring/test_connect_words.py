"""Connection kernels alone: words, rows and sums against a list drawn in Python's integers."""

import math

import numpy as np
import pytest

from allometry.simulate.kernels.wiring import connect, degrees
from allometry.simulate.kernels.wiring.connect import rewind, starts
from tests.simulate.kernels.plain import (
    GOLDEN,
    MASK,
    Synapse,
    Tables,
    assert_draws,
    draw,
    key_of,
    mix,
    uniform,
    unmix,
    written,
)

KEY, LOW = 0xDEADBEEF12345678, 4
SMALL = Tables(np.array([-1, 0, 3, 11], np.int64), np.array([2, 3, 3, 5, 2, 4, 5, 5], np.int64))
ONE = Tables(np.array([-40], np.int64), np.array([1], np.int64))


def indegrees(key: int, low: int, wanted: list[int], n_source: int, autapses: bool) -> list[Synapse]:
    out = []
    for t, degree in enumerate(wanted):
        for index in range(degree):
            bits = draw(draw(key, low + t), index)
            source = (bits >> 32) * (n_source if autapses else n_source - 1) >> 32
            out.append((source + (not autapses and source >= low + t), t, bits))
    return out


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("tables", [SMALL, ONE])
def test_fixed_indegrees(autapses: bool, tables: Tables) -> None:
    wanted = [0, 3, 600, 1, 256]  # batches are of 256
    assert_draws(
        connect.with_replacement, np.uint64(KEY), LOW, np.array(wanted), 9, autapses, n_source=9, n_target=5,
        tables=tables, wanted=indegrees(KEY, LOW, wanted, 9, autapses),
    )  # fmt: skip


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("pick", [65519, 65520, 65535])
def test_weights_of_the_tail_in_every_kernel(pick: int, deep: bool) -> None:
    """A hash that picks one of the last values; of two further tables the first or the second holds its weight."""
    tables = Tables(np.arange(3 * 65536), ONE.delays)
    high = next(
        h for h in range(10**6) if (mix(((h << 16 | pick) + GOLDEN) & MASK) & 0xFFFF >= 65520) == deep
    )  # fmt: skip
    bits = high << 16 | pick
    assert tables.weight(bits) // 65536 == (0 if pick == 65519 else 1 + deep)
    # of the target: its first draw; of source and target: their common hash
    base = key_of(bits)
    key = key_of(base, LOW)
    assert_draws(
        connect.with_replacement, np.uint64(key), LOW, np.array([1]), 9, True, n_source=9, n_target=1, tables=tables,
        wanted=[((bits >> 32) * 9 >> 32, 0, bits)],
    )  # fmt: skip
    assert_draws(
        degrees.one_to_one, np.uint64(key_of(bits, LOW)), LOW, 1, n_source=9, n_target=1, tables=tables,
        wanted=[(LOW, 0, bits)],
    )  # fmt: skip
    # the fifth draw of the second batch
    key = key_of(key_of(bits, 260), LOW)
    assert_draws(
        connect.with_replacement, np.uint64(key), LOW, np.array([261]), 9, True, n_source=9, n_target=1, tables=tables,
        wanted=indegrees(key, LOW, [261], 9, True),
    )  # fmt: skip
    key = key_of(unmix(key_of(bits, 3)), LOW)
    found = written(
        connect.bernoulli, np.uint64(key), LOW, 1, 9, 1.0, True, n_source=9, n_target=1, tables=tables
    )  # fmt: skip
    assert (3, 1, 0, tables.weight(bits)) in found


def bernoulli(key: int, low: int, n_target: int, n_source: int, p: float, autapses: bool) -> list[Synapse]:
    out = []
    for t in range(n_target):
        base = draw(key, low + t)
        source, index = -1, 0
        while True:
            skip = 0.0 if p >= 1 else math.log(uniform(draw(base, index))) / math.log1p(-p)
            source, index = source + 1 + int(min(skip, 1e9)), index + 1
            if source >= n_source:
                break
            if autapses or source != low + t:
                out.append((source, t, draw(mix(base), source)))
    return out


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("p", [1e-101, 0.02, 0.3, 0.9, 1.0])
def test_each_pair_with_its_probability(p: float, autapses: bool) -> None:
    wanted = bernoulli(KEY, LOW, 6, 40, p, autapses)
    assert_draws(
        connect.bernoulli, np.uint64(KEY), LOW, 6, 40, p, autapses, n_source=40, n_target=6, tables=SMALL, wanted=wanted
    )  # fmt: skip
    assert len(wanted) == 6 * (40 - (not autapses)) if p == 1 else len(wanted) < 6 * 40


def test_a_probability_that_one_minus_it_does_not_show() -> None:
    """The second largest draw is 1 - 2^-53, so that 2^-53 / p sources are skipped: 11 of them."""
    key = key_of(key_of(MASK), LOW)
    base = draw(key, LOW)
    assert uniform(draw(base, 0)) == 1 - 2.0**-53
    assert_draws(
        connect.bernoulli, np.uint64(key), LOW, 1, 12, 1e-17, True, n_source=12, n_target=1, tables=SMALL,
        wanted=[(11, 0, draw(mix(base), 11))],
    )  # fmt: skip
    assert not written(
        connect.bernoulli, np.uint64(key), LOW, 1, 11, 1e-17, True, n_source=11, n_target=1, tables=SMALL
    )


def test_listed_edges_of_this_part_only() -> None:
    source, target = np.array([5, 0, 2, 2, 5, 1]), np.array([4, 3, 7, 6, 4, 5])
    tables = Tables(np.array([-1, 100, 100, 0, 8, 9]), np.array([2, 9, 9, 4, 3, 2]))
    found = written(connect.explicit, LOW, 3, source, target, n_source=6, n_target=3, tables=tables)
    assert found == [(1, 2, 1, 9), (2, 4, 2, 0), (5, 2, 0, -1), (5, 3, 0, 8)]


def test_counts_become_starts_and_come_back() -> None:
    cursor = np.array([2, 0, 3, 4, 0], np.uint32)
    assert starts(cursor) == 9
    assert cursor.tolist() == [0, 2, 2, 5, 9]
    ends = np.array([2, 2, 5, 9, 9], np.uint32)
    rewind(ends)
    assert ends.tolist() == [0, 2, 2, 5, 9]
    assert starts(np.array([2**32 - 2, 1, 0], np.uint32)) == 2**32 - 1
    assert starts(np.array([2**32 - 2, 2, 0], np.uint32)) == -1


def distinct(base: int, n: int, pool: int, own: int) -> list[tuple[int, int]]:
    """Floyd's algorithm: the chosen of a pool without `own` (-1: nobody), each with its bits."""
    out: list[tuple[int, int]] = []
    taken: set[int] = set()
    for index in range(n):
        bits, limit = draw(base, index), pool - n + index
        pick = (bits >> 32) * (limit + 1) >> 32
        pick = limit if pick in taken else pick
        taken.add(pick)
        out.append((pick + (0 <= own <= pick), bits))
    return out


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("n", [1, 5, 8])
def test_different_sources(n: int, autapses: bool) -> None:
    pool = 9 if autapses else 8
    wanted = [
        (source, t, bits)
        for t in range(3)
        for source, bits in distinct(draw(KEY, LOW + t), n, pool, -1 if autapses else LOW + t)
    ]
    assert all(len({s for s, t, _ in wanted if t == target}) == n for target in range(3))
    assert_draws(
        degrees.without_replacement, np.uint64(KEY), LOW, 3, 9, n, autapses, n_source=9, n_target=3, tables=SMALL,
        wanted=wanted,
    )  # fmt: skip


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("multapses", [True, False])
def test_fixed_outdegrees_onto_a_part(autapses: bool, multapses: bool) -> None:
    size, n = 10, 9
    wanted = []
    for source in range(7):
        base, own = draw(KEY, source), -1 if autapses else source
        pool = size if autapses else size - 1
        picks = (
            [(p + (0 <= own <= p), b) for b in (draw(base, i) for i in range(n)) for p in [(b >> 32) * pool >> 32]]
            if multapses
            else distinct(base, n, pool, own)
        )
        wanted += [(source, target - LOW, bits) for target, bits in picks if LOW <= target < LOW + 4]
    assert {t for _, t, _ in wanted} == {0, 1, 2, 3}
    assert_draws(
        degrees.outdegree, np.uint64(KEY), LOW, 4, 7, size, n, autapses, multapses, n_source=7, n_target=4,
        tables=SMALL, wanted=wanted,
    )  # fmt: skip


def test_no_source_but_itself() -> None:
    """A pool of nobody."""
    for kernel, n in ((degrees.without_replacement, 0), (connect.bernoulli, 1.0)):
        assert not written(kernel, np.uint64(KEY), 0, 1, 1, n, False, n_source=1, n_target=1, tables=ONE)
