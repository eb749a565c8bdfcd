"""RDMs, RSA, noise ceilings, CCA, CKA, Procrustes, kernel analysis, unit matching: invariances and other implementations."""

import dask.array as da
import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import ortho_group, spearmanr

from allometry.compare.measures.representations import kernel_analysis, similarity, unit_matching
from allometry.compare.measures.representations import rdm as rep
from allometry.errors import ComparisonError


def orthogonal(n, seed=0):
    return ortho_group.rvs(n, random_state=seed)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(5, 1, size=(40, 12)) * np.linspace(0.5, 2, 12)


@pytest.mark.parametrize("metric", ["correlation", "cosine", "euclidean"])
def test_rdm_equals_scipy(x, metric):
    # rounding of sums of products around the first block's mean
    np.testing.assert_allclose(rep.rdm(x, metric), pdist(x, metric), atol=1e-9)
    lazy = da.from_array(x + 1000, chunks=(40, 5))
    np.testing.assert_allclose(rep.rdm(lazy, metric), pdist(x + 1000, metric), atol=1e-9)


def test_mahalanobis_rdm_equals_scipy(x):
    c = np.cov(np.random.default_rng(1).normal(size=(12, 50)))
    expected = pdist(x, "mahalanobis", VI=np.linalg.inv(c))
    np.testing.assert_allclose(rep.rdm(x, "mahalanobis", c), expected, rtol=1e-8)


def test_rdm_of_many_units_in_blocks_and_constant_stimuli():
    y = np.random.default_rng(2).normal(size=(6, 30_000))
    y[2] = 1.0
    d = rep.rdm(da.from_array(y, chunks=(6, 4000)))
    assert np.isnan(squareform(d)[2, [0, 1, 3, 4, 5]]).all()
    np.testing.assert_allclose(rep.rdm(y, "sqeuclidean"), pdist(y, "sqeuclidean") / 30_000, rtol=1e-10)


def test_rsa_equals_rsatoolbox_with_ties_and_without():
    rsatoolbox = pytest.importorskip("rsatoolbox")
    rng = np.random.default_rng(3)
    a, b = rng.random(45), rng.integers(0, 4, 45).astype(float)
    for ours, theirs in (("spearman", "spearman"), ("pearson", "corr"), ("kendall", "tau-a"), ("rho_a", "rho-a")):
        for other in (b, a + rng.normal(0, 0.3, 45)):
            expected = rsatoolbox.rdm.compare(
                rsatoolbox.rdm.RDMs(a[None]), rsatoolbox.rdm.RDMs(other[None].copy()), method=theirs
            )[0, 0]
            assert rep.rsa(a, other, ours) == pytest.approx(expected, abs=1e-12)


def test_rho_a_is_the_mean_over_random_breaking_of_ties():
    rng = np.random.default_rng(4)
    a, b = rng.random(28), rng.integers(0, 3, 28).astype(float)
    broken = [spearmanr(a, b + rng.random(28) * 1e-6).statistic for _ in range(4000)]
    # standard error of the mean of 4000 draws is about .001
    assert rep.rsa(a, b, "rho_a") == pytest.approx(np.mean(broken), abs=0.006)


def test_nan_pairs_are_left_out():
    a = np.random.default_rng(5).random(21)
    b = a.copy()
    b[3] = np.nan
    assert rep.rsa(a, b) == pytest.approx(1)


@pytest.mark.parametrize(("ours", "theirs"), [("spearman", "spearman"), ("pearson", "corr"), ("rho_a", "rho-a")])
def test_noise_ceiling_equals_rsatoolbox(ours, theirs):
    rsatoolbox = pytest.importorskip("rsatoolbox")
    rng = np.random.default_rng(6)
    rdms = rng.random(55) + rng.normal(0, 0.2, (5, 55))
    expected = rsatoolbox.inference.boot_noise_ceiling(rsatoolbox.rdm.RDMs(rdms.copy()), method=theirs)
    low, high = rep.noise_ceiling(rdms, ours)
    assert (low, high) == (pytest.approx(expected[0], abs=1e-10), pytest.approx(expected[1], abs=1e-10))
    assert low < high <= 1


def test_ssm_is_rsa_of_correlation_rdms_and_finds_the_matching_layer(x):
    y = x @ orthogonal(12)
    y_like = np.random.default_rng(7).normal(size=(40, 30))
    expected = spearmanr(np.corrcoef(x)[np.triu_indices(40, 1)], np.corrcoef(y_like)[np.triu_indices(40, 1)]).statistic
    assert rep.ssm(x, y_like) == pytest.approx(expected, abs=1e-10)
    centred = x - x.mean(axis=1, keepdims=True)
    depth, scores = rep.pseudo_depth([y_like, centred, y], x)
    assert depth == 1
    assert scores[1] == pytest.approx(1)


def test_cca_family_is_invariant_to_invertible_maps(x):
    rng = np.random.default_rng(8)
    other = rng.normal(size=(40, 9))
    a, b = rng.normal(size=(12, 12)), rng.normal(size=(9, 9))
    # identical subspaces: 1 up to rounding of the SVD
    assert similarity.cca(x, x @ a) == pytest.approx(np.ones(12), abs=1e-7)
    assert similarity.pwcca(x, x @ a) == pytest.approx(1, abs=1e-7)
    assert similarity.svcca(x, 3 * x @ orthogonal(12)) == pytest.approx(1, abs=1e-7)
    assert similarity.cca(x @ a, other @ b) == pytest.approx(similarity.cca(x, other), abs=1e-8)
    assert similarity.pwcca(x, other @ b) == pytest.approx(similarity.pwcca(x, other), abs=1e-8)
    assert 0 < similarity.pwcca(x, other) < 1
    assert similarity.svcca(x, other, variance=0.5) != pytest.approx(similarity.svcca(x, other))


def test_canonical_correlations_equal_scikit_learn(x):
    from sklearn.cross_decomposition import CCA

    other = np.random.default_rng(9).normal(size=(40, 3)) + x[:, :3]
    u, v = CCA(3, max_iter=20_000, tol=1e-10).fit_transform(x, other)
    expected = [np.corrcoef(u[:, k], v[:, k])[0, 1] for k in range(3)]
    assert similarity.cca(x, other) == pytest.approx(expected, abs=1e-5)  # the iteration's tolerance


def test_too_few_stimuli_for_cca_are_announced():
    rng = np.random.default_rng(10)
    with pytest.warns(RuntimeWarning, match="whatever the data"):
        assert similarity.cca_mean(rng.normal(size=(10, 30)), rng.normal(size=(10, 30))) == pytest.approx(1)


def test_cka_is_one_for_rotated_scaled_copies_and_zero_for_noise(x):
    q = orthogonal(12)
    for debiased in (True, False):
        assert similarity.cka(x, 3 * x @ q, debiased=debiased) == pytest.approx(1, abs=1e-12)
    rng = np.random.default_rng(11)
    n = 118
    for p, biased in ((1000, 0.894), (5000, 0.977)):
        a, b = rng.normal(size=(n, p)), rng.normal(size=(n, p))
        assert similarity.cka(a, b, debiased=False) == pytest.approx(biased, abs=0.003)  # spread over seeds .0005
        assert biased == pytest.approx(p / (p + n - 1), abs=0.002)  # "about"
        # sd over seeds about 1/n
        assert similarity.cka(a, b) == pytest.approx(0, abs=0.04)
    assert similarity.rv(a, b) == pytest.approx(similarity.cka(a, b, debiased=False))
    # leaving the diagonals out leaves the mean -p/(n-1) that centring gave the rest
    assert similarity.rv(a, b, modified=True) == pytest.approx(5000 / (5000 + (n - 1) ** 2), abs=0.03)
    lazy = da.from_array(a, chunks=(n, 700))
    assert similarity.cka(lazy, b) == pytest.approx(similarity.cka(a, b), abs=1e-10)


def test_debiased_cka_is_unbiased_for_partly_shared_representations():
    rng = np.random.default_rng(12)
    latent = rng.normal(size=(3000, 5))
    few = rng.choice(3000, 60, replace=False)
    a = latent @ rng.normal(size=(5, 400)) + 10 * rng.normal(size=(3000, 400))
    b = latent @ rng.normal(size=(5, 400)) + 10 * rng.normal(size=(3000, 400))
    truth = similarity.cka(a, b, debiased=False)  # 3000 stimuli: nearly the limit
    assert similarity.cka(a[few], b[few]) == pytest.approx(truth, abs=0.1)
    assert similarity.cka(a[few], b[few], debiased=False) > truth + 0.05


def test_procrustes_equals_scipy_and_ignores_rotation_scale_and_padding(x):
    from scipy.spatial import procrustes

    y = np.random.default_rng(13).normal(size=(40, 12))
    assert 1 - similarity.procrustes(x, y) ** 2 == pytest.approx(procrustes(x, y)[2], abs=1e-12)
    assert similarity.procrustes(x, -2 * x @ orthogonal(12) + 7) == pytest.approx(1, abs=1e-12)
    wide = np.random.default_rng(14).normal(size=(20, 300))
    assert similarity.procrustes(wide, wide @ orthogonal(300)) == pytest.approx(1, abs=1e-10)
    assert similarity.procrustes(x, np.hstack([x, np.ones((40, 3))])) == pytest.approx(1, abs=1e-12)


def test_kernel_analysis_separates_classes_and_not_random_labels():
    rng = np.random.default_rng(15)
    labels = np.repeat(np.arange(4), 50)
    separable = rng.normal(size=(4, 10))[labels] * 20 + rng.normal(size=(200, 10))
    assert kernel_analysis.kernel_analysis(separable, labels).score > 0.98
    one_hot = np.eye(4)[labels]
    assert kernel_analysis.kernel_analysis(separable, one_hot).score == pytest.approx(
        kernel_analysis.kernel_analysis(separable, labels).score
    )
    result = kernel_analysis.kernel_analysis(rng.normal(size=(200, 10)), rng.integers(0, 2, 200), quantiles=(0.5,))
    d = np.arange(200)
    assert result.error[0] == 1
    assert np.abs(result.error - (1 - d / 199)).max() < 0.12  # a Brownian bridge of sd up to .05
    assert result.score == pytest.approx(0.5, abs=0.06)


def test_matching_finds_the_permutation_of_a_rescaled_copy_and_fails_on_a_rotated_one(x):
    rng = np.random.default_rng(17)
    order = rng.permutation(12)
    copy = x[:, order] * rng.uniform(0.5, 3, 12)
    index, r = unit_matching.match_units(x, copy)
    np.testing.assert_array_equal(order[index], np.arange(12))
    np.testing.assert_allclose(r, 1, atol=1e-12)
    np.testing.assert_array_equal(unit_matching.match_units(x, copy, "semi")[0], index)
    big = rng.normal(size=(300, 60))
    rotated = big @ orthogonal(60)
    assert unit_matching.match_units(big, rotated)[1].mean() < 0.5
    assert similarity.cka(big, rotated) == pytest.approx(1)


def test_matching_leaves_out_constant_and_surplus_units(x):
    y = x[:, :5].copy()
    y[:, 2] = 1
    index, r = unit_matching.match_units(x, y)
    assert (index >= 0).sum() == 4
    assert np.isnan(r[index < 0]).all()
    assert 2 not in index


def test_sparse_prediction_uses_the_units_that_drive_a_unit():
    rng = np.random.default_rng(18)
    a = rng.normal(size=(400, 10))
    b = np.column_stack([a[:, 3] + a[:, 5], rng.normal(size=400), np.ones(400)])
    r2, used = unit_matching.sparse_prediction(a, b)
    assert r2[0] > 0.95
    assert used[0] == 2
    assert r2[1] < 0.05
    assert np.isnan(r2[2])


def test_many_to_many_finds_shared_groups_of_units():
    rng = np.random.default_rng(19)
    sources = rng.normal(size=(500, 3))
    groups_x, groups_y = rng.integers(0, 3, 20), rng.integers(0, 3, 30)
    a = sources[:, groups_x] + 0.5 * rng.normal(size=(500, 20))
    b = sources[:, groups_y] + 0.5 * rng.normal(size=(500, 30))
    labels_x, labels_y = unit_matching.many_to_many(a, b, 3)
    joint, truth = np.concatenate([labels_x, labels_y]), np.concatenate([groups_x, groups_y])
    assert ((joint[:, None] == joint) == (truth[:, None] == truth)).all()


RNG = np.random.default_rng(20)
GOOD = RNG.normal(size=(8, 5))


@pytest.mark.parametrize(
    "call",
    [
        lambda: rep.rdm(GOOD[:1]),
        lambda: rep.rdm(GOOD, "manhattan"),
        lambda: rep.rdm(np.where(GOOD > 1, np.nan, GOOD)),
        lambda: rep.rdm(GOOD, "mahalanobis"),
        lambda: rep.rdm(GOOD, "mahalanobis", np.ones((5, 5))),
        lambda: rep.rdm(GOOD, "mahalanobis", np.eye(4)),
        lambda: rep.rsa(np.ones(6), np.ones(10)),
        lambda: rep.rsa(np.ones(7), np.ones(7)),
        lambda: rep.rsa(np.ones(6), np.arange(6.0)),
        lambda: rep.rsa(np.full(6, np.nan), np.arange(6.0)),
        lambda: rep.rsa(np.arange(6.0), np.arange(6.0), "cosine"),
        lambda: rep.noise_ceiling(np.arange(6.0)[None]),
        lambda: rep.noise_ceiling([[np.nan] * 6, [1.0] * 6]),
        lambda: rep.ssm(GOOD, GOOD[:6]),
        lambda: similarity.cka(GOOD, GOOD[:6]),
        lambda: similarity.cka(GOOD[:3], GOOD[:3]),
        lambda: similarity.cka(np.ones((8, 5)), GOOD),
        lambda: similarity.svcca(GOOD, GOOD, variance=0),
        lambda: similarity.pwcca(np.ones((8, 5)), GOOD),
        lambda: similarity.procrustes(GOOD, GOOD[:4]),
        lambda: similarity.rv(np.ones((8, 5)), GOOD, modified=True),
        lambda: kernel_analysis.kernel_analysis(GOOD, np.zeros(8)),
        lambda: kernel_analysis.kernel_analysis(GOOD, np.arange(7)),
        lambda: kernel_analysis.kernel_analysis(np.ones((8, 5)), np.arange(8)),
        lambda: unit_matching.match_units(GOOD, GOOD, "many"),
        lambda: unit_matching.match_units(GOOD, np.ones((8, 3))),
        lambda: unit_matching.sparse_prediction(GOOD, GOOD, folds=1),
        lambda: unit_matching.many_to_many(GOOD, GOOD, 1),
        lambda: rep.pseudo_depth([], GOOD),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()


@pytest.mark.parametrize(
    "bad", [[[1, 2], [3]], np.array([["a", "b"]] * 6), np.ones((6, 3)) + 1j, np.ones((6, 3)) * 1e200]
)
def test_ragged_text_complex_and_overflowing_responses_are_refused(bad):
    good = np.random.default_rng(0).normal(size=(6, 3))
    for function in (similarity.cka, rep.ssm, similarity.procrustes, unit_matching.match_units):
        with pytest.raises(ComparisonError):
            function(bad, good)
    with pytest.raises(ComparisonError):
        rep.rdm(bad)
    with pytest.raises(ComparisonError):
        kernel_analysis.kernel_analysis(bad, [0, 1] * 3)


def test_a_noise_covariance_that_is_not_symmetric_is_refused():
    skew = np.eye(5) + np.triu(np.ones((5, 5)), 1) / 9
    with pytest.raises(ComparisonError, match="symmetric"):
        rep.rdm(np.random.default_rng(0).normal(size=(6, 5)), "mahalanobis", skew)
