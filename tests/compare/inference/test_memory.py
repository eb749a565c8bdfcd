"""Every measure says what it needs and what would fit, before it takes the memory: tiny limits instead of huge arrays."""

import tracemalloc
from collections.abc import Callable

import dask.array as da
import networkx as nx
import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import pdist

from allometry.compare import (
    agreement,
    characteristic_path_length,
    cka,
    clustering,
    crossnobis,
    find_communities,
    graphlets,
    kernel_analysis,
    match_units,
    mds,
    modularity,
    motifs,
    pairwise,
    rdm,
    rich_club,
    rv,
    small_world,
)
from allometry.compare.inference import arrays, blockwise
from allometry.compare.measures.graphs import matrices
from allometry.compare.measures.graphs.matrices import as_matrix, path_lengths, rewired_edges
from allometry.compare.measures.graphs.spatial_null import distances
from allometry.compare.measures.populations.correlations import noise_correlation, signal_correlation
from allometry.compare.measures.populations.decoding import decode_within
from allometry.compare.measures.representations import mantel
from allometry.compare.measures.representations.mantel import rsa_permutation
from allometry.compare.measures.representations.topology import geodesic, persistence
from allometry.compare.measures.representations.unit_matching import many_to_many
from allometry.compare.measures.tensors.affinity import affinities
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
        lambda: as_matrix(RING),
        lambda: next(rewired_edges(RING, 1, seed=0)),
        lambda: rdm(MANY),
        lambda: crossnobis(TRIALS, whiten=False),
        lambda: mds(RDM),
        lambda: rsa_permutation(RDM, RDM, n=10),
        lambda: many_to_many(MANY[:, :100], MANY[:, 100:200], 2),
        lambda: affinities(MANY),
        lambda: distances(RNG.normal(size=(300, 3))),
        lambda: cka(RNG.normal(size=(300, 400)), RNG.normal(size=(300, 400))),
    ],
    ids=[
        "pairwise",
        "matching",
        "signal",
        "noise",
        "lda",
        "kernel",
        "geodesic",
        "persistence",
        "dense graph",
        "rewiring",
        "rdm",
        "crossnobis",
        "mds",
        "mantel",
        "clusters",
        "affinities",
        "positions",
        "cka",
    ],
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


DENSE = (RNG.random((40, 40)) < 0.15) * RNG.random((40, 40))


@pytest.mark.parametrize(
    "measure",
    [
        lambda g: characteristic_path_length(g),
        lambda g: small_world(g, nulls=2).sigma,
        lambda g: rich_club(g, nulls=2).phi,
        lambda g: motifs(g, nulls=2).count,
        lambda g: list(graphlets(g).values()),
        lambda g: modularity(g),
        lambda g: modularity(g, np.arange(g.shape[0]) % 3),
        lambda g: find_communities(g),
        lambda g: (agreement(g, g[::-1, ::-1]).jaccard, agreement(g, g.T).weight_rank_correlation),
    ],
    ids=["path", "small world", "rich club", "motifs", "graphlets", "leiden", "given", "communities", "agreement"],
)
def test_a_sparse_graph_gives_what_the_dense_one_gives_without_a_dense_matrix(
    measure: Callable[[object], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    np.testing.assert_allclose(measure(sparse.csr_array(DENSE)), measure(DENSE), rtol=1e-12)

    def dense(graph: object) -> None:
        raise AssertionError("a dense matrix of a sparse graph")

    monkeypatch.setattr(matrices, "as_matrix", dense)
    measure(sparse.coo_array(DENSE).tocsr())


def test_a_sparse_graph_of_many_nodes_is_described_in_the_memory_of_its_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dense matrix of these 50,000 nodes is 20 GB, a table of rewired pairs 2.5 GB."""
    n = 50_000
    monkeypatch.setenv(blockwise.MEMORY_VARIABLE, "20MB")
    chains = sparse.csr_array(sparse.diags([np.tile([1.0, 1.0, 0.0], n // 3 + 1)[: n - 1]], [1], shape=(n, n)))
    tracemalloc.start()
    assert characteristic_path_length(chains) == pytest.approx(4 / 3, rel=1e-4)  # paths a-b-c: 1, 1 and 2
    assert motifs(chains, nulls=0).count[1:].sum() > 0
    assert modularity(chains, np.arange(n) // 3) > 0.999
    assert rich_club(chains, nulls=0).phi.size == 2
    assert agreement(chains, chains).jaccard == 1
    assert small_world(chains, nulls=0).clustering == 0
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    for measure in (small_world, rich_club, motifs):
        with pytest.raises(ComparisonError, match=r"rewiring 50,000 nodes needs about 2\.5 GB") as refused:
            measure(chains, nulls=1)
        assert "nulls=0" in refused.value.do


def test_path_lengths_by_search_are_those_of_the_matrix() -> None:
    lengths = path_lengths(np.maximum(DENSE, DENSE.T))
    connected = np.isfinite(lengths) & (lengths > 0)
    assert characteristic_path_length(DENSE) == pytest.approx(lengths[connected].mean(), rel=1e-14)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_sparse_graph_with_nan_is_refused_as_a_dense_one(bad: float) -> None:
    graph = sparse.csr_array(np.array([[0.0, bad], [1.0, 0.0]]))
    with pytest.raises(ComparisonError, match="NaN or infinite"):
        clustering(graph)
    with pytest.raises(ComparisonError, match="square"):
        modularity(sparse.csr_array(np.ones((2, 3))))


def test_permutations_of_many_stimuli_take_fewer_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 permutations of 5,000 stimuli at a time would take 19 GB (three arrays of 64 x 12.5 million pairs)."""
    noisy = RDM[:4950] + RNG.random(4950)
    expected = rsa_permutation(RDM[:4950], noisy, n=100).null
    monkeypatch.setattr(mantel, "BLOCK_BYTES", 3 * 8 * 4950)
    np.testing.assert_allclose(rsa_permutation(RDM[:4950], noisy, n=100).null, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("work", [1e9, 20_000.0])
def test_distances_by_blocks_are_those_of_scipy(work: float, monkeypatch: pytest.MonkeyPatch) -> None:
    x = RNG.normal(size=(70, 9))
    x[3] = x[60]
    monkeypatch.setattr(blockwise, "BLOCK_WORK", work)
    np.testing.assert_array_equal(blockwise.euclidean(x), pdist(x))


def test_triangles_by_blocks_are_those_of_the_whole_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = np.maximum(DENSE, DENSE.T) > 0
    hub[0, 1:] = hub[1:, 0] = True
    hub[7] = hub[:, 7] = False
    expected = nx.average_clustering(nx.Graph(hub.astype(int)))
    for size in (16, 1600, 10**6):
        monkeypatch.setattr("allometry.compare.measures.graphs.small_world.BLOCK_BYTES", size)
        assert clustering(hub.astype(float)) == pytest.approx(expected, rel=1e-12)
    assert clustering(np.zeros((4, 4))) == 0


def test_a_graph_with_a_hub_is_clustered_in_blocks_of_its_paths() -> None:
    """A star of 4,000 nodes has 16 million paths of two edges, which took 300 MB at once."""
    star = sparse.lil_array((4001, 4001))
    star[0, 1:] = 1.0
    star[1, 2] = 1.0
    graph = sparse.csr_array(star)
    clustering(graph)
    tracemalloc.start()
    assert clustering(graph) == pytest.approx((2 + 2 / (4000 * 3999)) / 4001)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_estimates_are_the_bytes_of_the_arrays_that_are_held() -> None:
    n, repeats, units = 10, 3, 7
    plain = blockwise.estimate("crossnobis", stimuli=n, repeats=repeats, units=units).peak_bytes
    whitened = blockwise.estimate("crossnobis", stimuli=n, repeats=repeats, units=units, whiten=1).peak_bytes
    assert plain == 3 * blockwise.BLOCK_BYTES + 24 * n * n
    assert whitened - plain == 8 * (2 * 30 * 7 + 2 * 7 * 7)


def test_blocks_are_as_wide_as_their_bytes_and_chunks_are_read_whole_up_to_four_times_that() -> None:
    plain = RNG.normal(size=(5, 40))
    assert [part.stop - part.start for part, _ in blockwise.axis_blocks(plain, 1, block_bytes=8 * 5 * 16)] == [
        16,
        16,
        8,
    ]
    for chunk, parts in ((32, [32, 8]), (40, [40])):
        lazy = da.from_array(plain, chunks=(5, chunk))
        assert [p.stop - p.start for p, _ in blockwise.axis_blocks(lazy, 1, block_bytes=8 * 5 * 10)] == parts
    halves = da.from_array(plain, chunks=(5, 40))
    assert [p.stop - p.start for p, _ in blockwise.axis_blocks(halves, 1, block_bytes=8 * 5 * 9)] == [9, 9, 9, 9, 4]


def test_vectors_and_rows_that_cannot_correspond_are_refused() -> None:
    with pytest.raises(ComparisonError, match="x and y have 2 and 3 rows"):
        arrays.same_rows(np.ones((2, 4)), np.ones((3, 4)))
    with pytest.raises(ComparisonError, match="a and b have shapes"):
        arrays.same_length(np.ones(3), np.ones(4), "a and b")
    with pytest.raises(ComparisonError):
        arrays.condensed([1.0, np.nan, 2.0])
    assert np.isnan(arrays.condensed([1.0, np.nan, 2.0], finite=False)[1])
