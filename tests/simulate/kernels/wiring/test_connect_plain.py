"""Synapses drawn in plain Python, one hash at a time, beside the kernels: every bit of source, delay and weight."""

import math

import numpy as np
import pytest

from allometry.network import (
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    IafPscExp,
    Lognormal,
    Network,
    Normal,
    OneToOne,
    PairwiseBernoulli,
    Population,
    Projection,
    Uniform,
)
from allometry.simulate.build.plan.network import Plan, compile_network
from allometry.simulate.build.plan.projections import Synapses
from allometry.simulate.kernels import rng
from tests.simulate import engine

GOLDEN, MASK = int(rng.GOLDEN), 2**64 - 1
SOURCES, TARGETS = 30, 23


def hashed(key: int, index: int) -> int:
    return rng._mix_int((key + index * GOLDEN) & MASK)


def weight_of(bits: int, weights: np.ndarray) -> int:
    """The weight of a synapse, through as many tables as its tail asks for."""
    pick = bits & (min(len(weights), 65536) - 1)
    while pick % 65536 >= 65520 and pick // 65536 < len(weights) // 65536 - 1:
        bits = rng._mix_int((bits + GOLDEN) & MASK)
        pick = (pick // 65536 + 1) * 65536 + (bits & 0xFFFF)
    return int(weights[pick])


def chosen(base: int, n: int, own: int, pool: int, multapses: bool) -> list[tuple[int, int]]:
    """The neurons and hashes of `n` draws from a pool, without neuron `own` where that is not -1."""
    out, taken = [], set()
    pool -= own >= 0
    for index in range(n):
        bits = hashed(base, index)
        limit = pool if multapses else pool - n + index + 1
        pick = ((bits >> 32) * limit) >> 32
        if not multapses:
            pick = limit - 1 if pick in taken else pick
            taken.add(pick)
        out.append((pick + (0 <= own <= pick), bits))
    return out


def listed(plan: Plan, rule: object) -> np.ndarray:
    s = plan.synapses[0]
    same = s.source == s.target
    rows = []
    if isinstance(rule, FixedOutdegree):
        for source in range(SOURCES):
            own = -1 if s.autapses else source
            picks = chosen(hashed(int(s.key), source), rule.n, own, SOURCES if same else TARGETS, rule.multapses)
            rows += [(source, target, bits) for target, bits in picks]
        return tabled(rows, s, same)
    for target in range(TARGETS if not same else SOURCES):
        base = hashed(int(s.key), target)
        if isinstance(rule, PairwiseBernoulli):
            source, index = -1, 0
            while True:
                u = (hashed(base, index) >> 11) + 0.5
                source += 1 + int(math.log(u / 2**53) / math.log(1 - rule.p))
                index += 1
                if source >= SOURCES:
                    break
                if source != target or s.autapses:
                    rows.append((source, target, hashed(rng._mix_int(base), source)))
            continue
        if isinstance(rule, OneToOne):
            rows.append((target, target, base))
            continue
        if not getattr(rule, "multapses", True):
            picks = chosen(base, rule.n, -1 if s.autapses else target, SOURCES, False)
            rows += [(source, target, bits) for source, bits in picks]
            continue
        degree = np.full(1, getattr(rule, "n", 1), np.int64)
        if isinstance(rule, FixedTotalNumber):
            rng.multinomial_indegrees(rule.n, TARGETS, target, target + 1, s.degree_key, degree)
        for index in range(degree[0]):
            bits = hashed(base, index)
            source = ((bits >> 32) * (SOURCES if s.autapses else SOURCES - 1)) >> 32
            rows.append((source + (not s.autapses and source >= target), target, bits))
    return tabled(rows, s, same)


def tabled(rows: list[tuple[int, int, int]], s: Synapses, same: bool) -> np.ndarray:
    table = np.array(
        [
            (a, b + (0 if same else SOURCES), s.delays[(bits >> 16) & (len(s.delays) - 1)], weight_of(bits, s.weights))
            for a, b, bits in rows
        ]
    )
    return table[np.lexsort(table.T[::-1])]


@pytest.mark.parametrize(
    ("rule", "target"),
    [
        (FixedTotalNumber(3000), "B"),
        (FixedIndegree(7), "B"),
        (FixedIndegree(300), "B"),
        (FixedIndegree(40, autapses=False), "A"),
        (FixedIndegree(9, multapses=False), "B"),
        (FixedIndegree(30, multapses=False), "B"),
        (FixedIndegree(25, autapses=False, multapses=False), "A"),
        (FixedOutdegree(12), "B"),
        (FixedOutdegree(400, autapses=False), "A"),
        (FixedOutdegree(23, multapses=False), "B"),
        (FixedOutdegree(11, autapses=False, multapses=False), "A"),
        (OneToOne(), "A"),
        (PairwiseBernoulli(0.37), "B"),
        (PairwiseBernoulli(0.6, autapses=False), "A"),
    ],
)
@pytest.mark.parametrize(
    ("weight", "delay"),
    [
        (Normal(-50.0, 30.0), Normal(1.5, 0.75)),
        (Lognormal(50.0, 250.0), 0.7),
        (Uniform(-3.0, 20.0), Normal(0.5, 0.1)),
        (20.0, Uniform(0.5, 2.0)),
    ],
)
def test_synapses_are_those_of_plain_draws(rule: object, target: str, weight: object, delay: object) -> None:
    populations = (Population("A", SOURCES, IafPscExp()), Population("B", TARGETS, IafPscExp()))
    plan = compile_network(Network(populations, (Projection("A", target, rule, weight, delay),)), 5, "exact")  # type: ignore[arg-type]
    np.testing.assert_array_equal(engine.edges(plan), listed(plan, rule))
    pieces = np.concatenate([engine.edges(plan, part, 3) for part in range(3)])
    np.testing.assert_array_equal(pieces[np.lexsort(pieces.T[::-1])], listed(plan, rule))


def test_a_weight_of_the_tail_goes_through_every_table() -> None:
    """The picks of the last 16 values are rare: a table whose every value is a tail's would be no test of the others."""
    from allometry.simulate.kernels.wiring.connect import from_tail

    size, found = 3 * 65536, set()
    for start in range(300):
        bits = rng._mix_int(start)
        for pick in (0, 65519, 65520, 65535):
            got = int(from_tail(pick, np.uint64(bits), size))
            wanted, current = pick, bits
            while wanted % 65536 >= 65520 and wanted // 65536 < 2:
                current = rng._mix_int((current + GOLDEN) & MASK)
                wanted = (wanted // 65536 + 1) * 65536 + (current & 0xFFFF)
            assert got == wanted
            assert int(from_tail(pick, np.uint64(bits), 65536)) == pick
            found.add(got // 65536)
    assert found == {0, 1}
    # A hash whose next 16 bits are of the tail again
    deep = next(b for b in range(10**6) if rng._mix_int((b + GOLDEN) & MASK) & 0xFFFF >= 65520)
    assert int(from_tail(65535, np.uint64(deep), size)) >= 2 * 65536
    assert int(from_tail(65535, np.uint64(deep), 2 * 65536)) < 2 * 65536
