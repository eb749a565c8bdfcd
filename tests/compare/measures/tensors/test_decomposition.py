"""Tensor decompositions against constructed tensors, and in memory against out of core."""

import dask.array as da
import numpy as np
import pytest
import zarr
from sklearn.metrics import normalized_mutual_info_score

from allometry.compare.measures.tensors import affinity, decomposition, hals
from allometry.errors import ComparisonError


def low_rank(shape, rank, seed=0, non_negative=False, noise=0.0, weights=None):
    rng = np.random.default_rng(seed)
    modes = [rng.random((n, rank)) ** 3 if non_negative else rng.normal(size=(n, rank)) for n in shape]
    weights = np.arange(rank, 0, -1.0) if weights is None else weights
    norms = [np.linalg.norm(m, axis=0) for m in modes]
    truth = decomposition.Factors(weights, tuple(m / n for m, n in zip(modes, norms)), 0.0)
    x = decomposition.reconstruct(truth)
    x = x + noise * x.std() * rng.normal(size=shape)
    return (np.maximum(x, 0) if non_negative else x), truth


def test_reconstruction_is_the_sum_of_outer_products():
    x, truth = low_rank((3, 4, 5), 2)
    u, v, w = truth.modes
    expected = sum(truth.weights[r] * np.multiply.outer(np.outer(u[:, r], v[:, r]), w[:, r]) for r in range(2))
    np.testing.assert_allclose(x, expected)


def test_noise_free_factors_are_found():
    x, truth = low_rank((15, 12, 10), 4)
    found = decomposition.tca(x, 4)
    assert found.error < 1e-3
    # columns are defined up to a sign shared by pairs of modes; ALS stops at a change of 1e-8 per sweep
    cosines = np.prod([np.abs(a.T @ b) for a, b in zip(found.modes, truth.modes)], axis=0)
    assert cosines.max(axis=1) == pytest.approx(np.ones(4), abs=1e-3)
    assert sorted(found.weights) == pytest.approx([1, 2, 3, 4], abs=0.02)


def test_noise_free_non_negative_factors_are_found():
    x, truth = low_rank((20, 15, 12), 3, non_negative=True)
    found = decomposition.ntf(x, 3, max_iterations=1000, tolerance=1e-9)
    # HALS converges linearly: .99 after 1000 sweeps is the stated match of 1 to two digits
    assert decomposition.factor_similarity(found, truth) > 0.985
    assert found.error < 0.01
    assert min(m.min() for m in found.modes) >= 0


@pytest.mark.parametrize("non_negative", [False, True])
def test_rank_four_shows_as_elbow_of_the_error_and_drop_of_the_similarity(non_negative):
    noise = 0.0 if non_negative else 0.1
    x, _ = low_rank((20, 18, 16), 4, seed=1, non_negative=non_negative, noise=noise, weights=np.ones(4))
    scan = decomposition.rank_scan(x, (3, 4, 5), restarts=4, non_negative=non_negative)
    best = scan.error.min(axis=1)
    gain = -np.diff(best)
    assert gain[0] > 10 * gain[1]  # 3 -> 4 against 4 -> 5
    if not non_negative:
        assert best[1] == pytest.approx(0.1 / np.sqrt(1.01), rel=0.05)
    # median: a restart can end in a poor optimum
    alike = np.median(scan.similarity, axis=1)
    assert alike[1] > 0.98
    assert alike[2] < 0.95


def test_similarity_ignores_order_and_counts_missing_components():
    _, truth = low_rank((5, 6, 7), 3)
    order = [2, 0, 1]
    shuffled = decomposition.Factors(truth.weights[order], tuple(m[:, order] for m in truth.modes), 0.0)
    assert decomposition.factor_similarity(truth, shuffled) == pytest.approx(1)
    fewer = decomposition.Factors(truth.weights[:2], tuple(m[:, :2] for m in truth.modes), 0.0)
    assert decomposition.factor_similarity(truth, fewer) == pytest.approx(2 / 3)


def test_out_of_core_factorisation_equals_the_one_in_memory(tmp_path):
    x, truth = low_rank((30, 20, 25), 3, seed=2, non_negative=True)
    stored = zarr.create_array(tmp_path / "x.zarr", data=x, chunks=(7, 20, 25))
    weights, modes, error = hals.ntf_blockwise(stored, 3, seed=3, max_iterations=60, tolerance=0)
    model = np.einsum("ar,br,cr->abc", *modes)
    assert error == pytest.approx(np.linalg.norm(x - model) / np.linalg.norm(x), abs=1e-6)
    in_memory = hals.ntf_blockwise(x, 3, seed=3, max_iterations=60, tolerance=0)
    for a, b in zip(modes, in_memory[1]):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)  # another order of the same sums
    assert weights.tolist() == [1, 1, 1]
    lazy = decomposition.ntf(da.from_array(x, chunks=(11, 20, 25)), 3, max_iterations=400, tolerance=1e-8)
    assert decomposition.factor_similarity(lazy, truth) > 0.97
    assert decomposition.factor_similarity(lazy, decomposition.ntf(x, 3, max_iterations=1000, tolerance=1e-9)) > 0.97


def test_leiden_finds_planted_communities():
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1, 2], 40)
    i, j = np.triu_indices(120, 1)
    edges = (rng.random(i.size) < np.where(labels[i] == labels[j], 0.4, 0.05)).astype(float)
    found, modularity = affinity.communities(edges)
    assert normalized_mutual_info_score(labels, found) == pytest.approx(1)
    within, degree = edges[labels[i] == labels[j]].sum(), np.zeros(120)
    np.add.at(degree, i, edges)
    np.add.at(degree, j, edges)
    m = edges.sum()
    expected = within / m - sum((degree[labels == k].sum() / (2 * m)) ** 2 for k in range(3))
    assert modularity == pytest.approx(expected)


def test_neurons_without_affinity_belong_to_no_community():
    square = np.zeros((5, 5))
    square[0, 1] = square[1, 2] = square[0, 2] = 1
    label, _ = affinity.communities(square[np.triu_indices(5, 1)])
    assert label.tolist() == [0, 0, 0, -1, -1]
    assert (affinity.communities(np.zeros(6))[0] == -1).all()


def test_affinities_are_high_for_neurons_that_change_together():
    t = np.linspace(0, 8 * np.pi, 400)
    x = np.column_stack([np.sin(t), 3 * np.sin(t) + 5, -np.sin(t), np.full(400, np.nan), np.ones(400)])
    a = affinity.affinities(x)
    assert a.shape == (400, 10)
    assert a[:, 0].mean() > 0.5  # scale and offset do not matter
    assert a[:, 1].max() == pytest.approx(0, abs=1e-9)  # opposite
    assert (a[:, [2, 3, 5, 6, 7, 8, 9]] == 0).all()


def test_dynamic_connectome_recovers_when_who_and_in_which_animal():
    rng = np.random.default_rng(5)
    steps, neurons = 300, 18
    groups = np.repeat([0, 1], 9)
    traces = []
    for animal in range(4):
        x = 0.15 * np.cumsum(rng.normal(size=(steps, neurons)), axis=0) * 0.3
        for group, window in ((0, slice(20, 130)), (1, slice(170, 280))):
            if group == 1 and animal == 3:
                continue  # this animal lacks the second motif
            wave = 6 * np.sin(np.linspace(0, 12 * np.pi, 110))
            x[window, groups == group] += wave[:, None]
        traces.append(x)
    traces[0][:, 4] = np.nan
    found = affinity.dynamic_connectome(traces, rank=2, restarts=3)
    assert found.stability > 0.95
    early = int(found.time[20:130].sum(axis=0).argmax())
    late = 1 - early
    assert found.time[20:130, early].sum() > 5 * found.time[170:280, early].sum()
    assert found.time[170:280, late].sum() > 5 * found.time[20:130, late].sum()
    assert found.animal[3, late] < 0.2 * found.animal[0, late]
    for motif, group in ((early, 0), (late, 1)):
        label = found.community[motif]
        members = np.flatnonzero(groups == group)
        assert np.unique(label[members]).size == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: decomposition.tca(np.ones((4, 4)), 2),
        lambda: decomposition.tca(np.full((3, 3, 3), np.nan), 2),
        lambda: decomposition.tca(np.ones((3, 3, 3)), 0),
        lambda: decomposition.ntf(-np.ones((3, 3, 3)), 2),
        lambda: decomposition.ntf(np.zeros((3, 3, 3)), 2),
        lambda: hals.ntf_blockwise(np.ones((3, 3)), 2),
        lambda: hals.ntf_blockwise(-np.ones((3, 3, 3)), 2),
        lambda: hals.ntf_blockwise(np.zeros((3, 3, 3)), 2),
        lambda: decomposition.rank_scan(np.ones((3, 3, 3)), (1, 2), restarts=1),
        lambda: decomposition.factor_similarity(low_rank((3, 4, 5), 2)[1], low_rank((3, 4, 6), 2)[1]),
        lambda: affinity.communities(-np.ones(6)),
        lambda: affinity.affinities(np.ones((2, 4))),
        lambda: affinity.affinities(np.where(np.eye(5) > 0, np.nan, 1.0)),
        lambda: affinity.affinities(np.ones((5, 4)), scale=0),
        lambda: affinity.dynamic_connectome([np.ones((9, 3))], 2),
        lambda: affinity.dynamic_connectome([np.ones((9, 3)), np.ones((8, 3))], 2),
        lambda: affinity.dynamic_connectome([np.ones((9, 3)), np.ones((9, 3))], 2, restarts=0),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()


def test_rank_beyond_the_tensor_and_ranks_that_are_no_number_are_refused():
    with pytest.raises(ComparisonError, match="components"):
        decomposition.tca(np.ones((4, 5, 6)), 2)
    for function in (decomposition.tca, decomposition.ntf):
        with pytest.raises(ComparisonError, match="rank"):
            function(np.ones((4, 5, 6)), 1.5)
