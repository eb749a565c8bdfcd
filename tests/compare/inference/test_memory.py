"""Every measure says what it needs and what would fit, before it takes the memory: tiny limits instead of huge arrays."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

from allometry.compare import cka, clustering, graphlets, kernel_analysis, match_units, pairwise, rv
from allometry.compare.inference import blockwise
from allometry.compare.measures.populations.correlations import noise_correlation, signal_correlation
from allometry.compare.measures.populations.decoding import decode_within
from allometry.compare.measures.representations.topology import geodesic, persistence
from allometry.errors import ComparisonError

RNG = np.random.default_rng(0)
MANY = RNG.normal(size=(6, 400))
TRIALS = RNG.normal(size=(4, 3, 300))
RDM = RNG.random(400 * 399 // 2)
RING = sparse.csr_array(sparse.diags([1.0, 1.0], [1, -1], shape=(3000, 3000)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: pairwise(MANY),
        lambda: match_units(MANY, MANY),
        lambda: signal_correlation(TRIALS),
        lambda: noise_correlation(TRIALS),
        lambda: decode_within(TRIALS, "lda"),
        lambda: kernel_analysis(RNG.normal(size=(300, 4)), np.arange(300) % 2),
        lambda: geodesic(RDM),
        lambda: persistence(RDM),
        lambda: graphlets(RING),
        lambda: cka(RNG.normal(size=(300, 400)), RNG.normal(size=(300, 400))),
    ],
    ids=["pairwise", "matching", "signal", "noise", "lda", "kernel", "geodesic", "persistence", "dense graph", "cka"],
)
def test_what_does_not_fit_is_refused_with_what_would(
    call: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(blockwise.MEMORY_VARIABLE, "300kB")
    with pytest.raises(ComparisonError, match="of memory") as refused:
        call()
    assert any(character.isdigit() for character in refused.value.do)
    assert "ALLOMETRY_MEMORY" in refused.value.expected


@pytest.mark.parametrize(
    ("given", "size"), [("8GB", 8e9), ("500 MB", 5e8), ("1e9", 1e9), ("12kB", 12e3), ("2GiB", 2e9)]
)
def test_the_limit_is_a_number_of_bytes(given: str, size: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(blockwise.MEMORY_VARIABLE, given)
    assert blockwise.memory_limit() == size
    n = blockwise.fitting(24, 2)
    assert 24 * n**2 <= size < 24 * (1.2 * n + 1) ** 2


@pytest.mark.parametrize("given", ["lots", "0", "-3GB"])
def test_what_is_no_amount_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(blockwise.MEMORY_VARIABLE, given)
    with pytest.raises(ComparisonError, match="no amount of memory"):
        blockwise.memory_limit()


def test_alignment_of_few_units_needs_no_matrix_of_stimuli(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = RNG.normal(size=(60, 7)), RNG.normal(size=(60, 5))
    y[:, 0] += x[:, 1]
    wide = [
        np.hstack([z, np.zeros((60, 60))]) for z in (x, y)
    ]  # silent units change nothing but the way it is computed
    for debiased in (True, False):
        assert cka(x, y, debiased) == pytest.approx(cka(*wide, debiased), rel=1e-10)
    assert rv(x, y) == pytest.approx(rv(*wide), rel=1e-10)
    monkeypatch.setenv(blockwise.MEMORY_VARIABLE, "5MB")
    assert cka(RNG.normal(size=(5000, 3)), RNG.normal(size=(5000, 4))) == pytest.approx(0, abs=0.01)


def test_clustering_of_a_sparse_graph_stays_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = (RNG.random((60, 60)) < 0.2).astype(float)
    np.fill_diagonal(dense, 1.0)  # loops count nowhere
    assert clustering(sparse.csr_array(dense)) == pytest.approx(clustering(dense))
    monkeypatch.setenv(blockwise.MEMORY_VARIABLE, "1MB")
    assert clustering(RING) == 0
