"""The permutation test of RSA against permuting and recomputing, and its behaviour under the null."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import kstest

from allometry.compare.measures.representations.mantel import rsa_permutation
from allometry.compare.measures.representations.rdm import rsa
from allometry.errors import ComparisonError


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_equals_permuting_and_recomputing(method):
    rng = np.random.default_rng(0)
    a, b = rng.random(45), rng.integers(0, 5, 45).astype(float)
    result = rsa_permutation(a, b, method, n=20, seed=3)
    assert result.observed == pytest.approx(rsa(a, b, method), abs=1e-12)
    again = np.random.default_rng(3)
    for value in result.null:
        order = again.permutation(10)
        shuffled = squareform(squareform(a)[np.ix_(order, order)])
        assert value == pytest.approx(rsa(shuffled, b, method), abs=1e-12)


def test_p_is_uniform_without_and_minimal_with_a_relation():
    rng = np.random.default_rng(1)
    p = [rsa_permutation(pdist(rng.normal(size=(8, 3))), pdist(rng.normal(size=(8, 3))), n=99).p for _ in range(150)]
    assert kstest(p, "uniform").pvalue > 0.001
    x = rng.normal(size=(20, 4))
    assert rsa_permutation(pdist(x), pdist(x), n=199).p == pytest.approx(1 / 200)


@pytest.mark.parametrize(
    "call",
    [
        lambda: rsa_permutation(np.ones(45), np.arange(45.0)),
        lambda: rsa_permutation(np.arange(45.0), np.arange(36.0)),
        lambda: rsa_permutation(np.arange(3.0), np.arange(3.0)),
        lambda: rsa_permutation(np.full(45, np.nan), np.arange(45.0)),
        lambda: rsa_permutation(np.arange(45.0), np.arange(45.0), "kendall"),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()
