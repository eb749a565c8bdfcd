"""Oracles: uniformity over all graphs of a small degree sequence; graphs that cannot change; exact degrees."""

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from allometry.errors import AllometryError
from allometry.numerics.rewiring import rewire


def test_rewiring_is_uniform_over_all_graphs_of_the_degree_sequence() -> None:
    out_degree, in_degree = (2, 1, 1, 1), (1, 2, 1, 1)
    pairs = [(a, b) for a in range(4) for b in range(4) if a != b]
    possible = set()
    for edges in itertools.combinations(pairs, 5):
        if (
            tuple(sum(a == n for a, _ in edges) for n in range(4)) == out_degree
            and tuple(sum(b == n for _, b in edges) for n in range(4)) == in_degree
        ):
            possible.add(frozenset(edges))
    start = sorted(next(iter(possible)))
    source, target = np.array(start).T
    found = Counter(
        frozenset(zip(*(part.tolist() for part in rewire(source, target, 4, seed=seed, swaps=40))))
        for seed in range(4000)
    )
    assert set(found) == possible
    assert stats.chisquare(list(found.values())).pvalue > 1e-3


def test_a_complete_graph_cannot_change() -> None:
    source, target = np.nonzero(1 - np.eye(5))
    found = rewire(source, target, 5, seed=0)
    assert np.array_equal(found, (source, target))


def test_undirected_rewiring_keeps_every_degree_and_the_seed_decides() -> None:
    a, b = np.nonzero(np.triu(np.random.default_rng(0).random((40, 40)) < 0.2, 1))
    found = [rewire(a, b, 40, seed=seed, directed=False) for seed in (1, 1, 2)]
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    degree = np.bincount(np.concatenate([a, b]), minlength=40)
    assert np.array_equal(np.bincount(np.concatenate(found[0]), minlength=40), degree)
    assert len({frozenset(pair) for pair in zip(*(part.tolist() for part in found[0]))}) == len(a)


def test_repeated_edges_self_loops_and_huge_graphs_are_refused() -> None:
    with pytest.raises(AllometryError, match="repeated edges"):
        rewire([0, 0], [1, 1], 3, seed=0)
    with pytest.raises(AllometryError, match="self-loops"):
        rewire([0, 1], [0, 2], 3, seed=0)
    with pytest.raises(AllometryError, match="GiB"):
        rewire([0], [1], 10**6, seed=0)
