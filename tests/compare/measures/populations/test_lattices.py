"""Correlations on a lattice against numpy's over all pairs, one by one."""

import numpy as np
import pytest

from allometry.compare import lattice_correlation
from allometry.errors import ComparisonError

ROWS, COLUMNS, BINS = 5, 8, 30
EDGES = np.array([0.0, 0.13, 0.25, 0.4, 0.7])


def counts() -> np.ndarray:
    """Poisson counts with a shared part that varies over the sheet; unit 7 is silent."""
    rng = np.random.default_rng(4)
    shared = rng.normal(size=(BINS, 1)) * np.cos(2 * np.pi * (np.arange(ROWS * COLUMNS) % COLUMNS) / COLUMNS)
    x = rng.poisson(np.exp(1 + 0.5 * shared))
    x[:, 7] = 0
    return x


@pytest.mark.parametrize("some", [False, True])
def test_every_pair_is_that_of_numpy(some: bool) -> None:
    x = counts()
    include = np.random.default_rng(5).random(x.shape[1]) < 0.7 if some else np.ones(x.shape[1], bool)
    used = np.flatnonzero(include & (x.std(axis=0) > 0))
    r = np.corrcoef(x[:, used].T)
    sums, number = np.zeros((ROWS, COLUMNS)), np.zeros((ROWS, COLUMNS), int)
    values, far = [], []
    for a, i in enumerate(used):
        for b, j in enumerate(used):
            if i == j:
                continue
            dy, dx = (j // COLUMNS - i // COLUMNS) % ROWS, (j - i) % COLUMNS
            sums[dy, dx] += r[a, b]
            number[dy, dx] += 1
            if i < j:
                values.append(r[a, b])
                far.append(np.hypot(min(dy, ROWS - dy) / ROWS, min(dx, COLUMNS - dx) / COLUMNS))
    found = lattice_correlation(x, COLUMNS, EDGES, include if some else None)
    np.testing.assert_array_equal(found.displacement_pairs, number)
    there = number > 0
    np.testing.assert_allclose(found.displacement_mean[there], sums[there] / number[there], rtol=0, atol=1e-10)
    assert np.isnan(found.displacement_mean[~there]).all()
    bins = np.digitize(far, EDGES) - 1
    for k in range(len(EDGES) - 1):
        mine = bins == k
        assert found.n_pairs[k] == mine.sum() > 0
        assert found.mean[k] == pytest.approx(np.mean(np.array(values)[mine]), abs=1e-10)
        assert found.distance[k] == pytest.approx(np.mean(np.array(far)[mine]), abs=1e-12)
    assert found.mean_of_all == pytest.approx(np.mean(values), abs=1e-10)
    assert found.n_units == used.size
    assert found.mean[0] > 0.02 > found.mean[3]


def test_bins_without_pairs_and_the_upper_edge() -> None:
    x = np.random.default_rng(6).normal(size=(20, 16))
    found = lattice_correlation(x, 4, [0.0, 0.1, 0.25, 0.3])
    assert found.n_pairs.tolist() == [0, 0, 32]  # neighbours are at 0.25, which begins the last bin
    assert np.isnan(found.mean[:2]).all()
    assert lattice_correlation(x, 4, [0.0, 0.25]).n_pairs.tolist() == [32]  # and ends this one
    silent = lattice_correlation(np.ones((20, 16)), 4, [0.0, 1.0])
    assert silent.n_units == 0
    assert np.isnan(silent.mean_of_all)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((5, 10)), 4, [0, 1]), "10 units do not fill rows of 4"),
        ((np.ones((1, 16)), 4, [0, 1]), "counts"),
        ((np.ones((5, 16)), 4, [1, 0]), "edges do not ascend"),
        ((np.ones((5, 16)), 0, [0, 1]), "columns"),
        ((np.ones((5, 16)), 4, [0, 1], np.ones(16)), "include is float64"),
        ((np.full((5, 16), np.nan), 4, [0, 1]), "counts"),
    ],
)
def test_bad_arguments_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ComparisonError, match=message):
        lattice_correlation(*arguments)
