"""Oracles: the functions on arrays that the matrices stand for; Spearman-Brown; counting of orders."""

import math

import numpy as np
import pytest

from allometry.compare.measures.representations import crossnobis as crossnobis_
from allometry.compare.measures.representations import geometry, rdm, similarity
from allometry.compare.measures.representations.geometry import agreement, matrix_of
from allometry.errors import ComparisonError

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(10, 30)), RNG.normal(size=(10, 20))
Y[:, :10] += X[:, :10]


def test_agreements_equal_those_of_arrays() -> None:
    pairs = {measure: (matrix_of(measure, X), matrix_of(measure, Y)) for measure in geometry.MEASURES}
    assert agreement("ssm", *pairs["ssm"]) == pytest.approx(rdm.ssm(X, Y), abs=1e-6)
    assert agreement("cka", *pairs["cka"]) == pytest.approx(similarity.cka(X, Y), abs=1e-9)
    rdms = [rdm.rdm(v, "sqeuclidean") for v in (X, Y)]
    assert agreement("rsa", *pairs["rsa"]) == pytest.approx(rdm.rsa(*rdms, "rho_a"), abs=1e-6)
    assert all(agreement(m, pairs[m][0], pairs[m][0]) == pytest.approx(1) for m in geometry.MEASURES)
    repeated = X[:, None] + RNG.normal(size=(10, 4, 30))
    crossnobis = crossnobis_.crossnobis(repeated, whiten="diagonal")
    np.testing.assert_allclose(matrix_of("rsa", repeated)[np.triu_indices(10, 1)], crossnobis)
    np.testing.assert_allclose(matrix_of("ssm", repeated), matrix_of("ssm", repeated.mean(axis=1)), atol=1e-6)


def test_svcca_of_few_directions_equals_that_of_arrays() -> None:
    rng = np.random.default_rng(11)
    latent = rng.normal(size=(20, 4)) * [3.0, 2.0, 2.0, 1.0]
    x, y = latent[:, :3] @ rng.normal(size=(3, 30)), latent[:, 1:] @ rng.normal(size=(3, 40))
    found = agreement("svcca", matrix_of("svcca", x), matrix_of("svcca", y))
    assert found == pytest.approx(similarity.svcca(x, y), abs=1e-9)
    assert 0.6 < found < 0.99
    # a part of the stimuli is centred anew
    kept = np.arange(3, 20)
    part = [matrix_of("svcca", system)[np.ix_(kept, kept)] for system in (x, y)]
    assert agreement("svcca", *part) == pytest.approx(similarity.svcca(x[kept], y[kept]), abs=1e-9)


@pytest.mark.parametrize("degrees", [0.0, 30.0, 60.0, 90.0])
def test_svcca_of_planes_at_a_known_angle(degrees: float) -> None:
    """Two planes share one direction, and the others stand at an angle: (1 + its cosine) / 2; any number of units, and turned."""
    rng = np.random.default_rng(13)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(12), rng.normal(size=(12, 3))]))
    _, shared, first, second = basis.T  # all orthogonal to a constant
    angle = np.deg2rad(degrees)
    turned = np.cos(angle) * first + np.sin(angle) * second
    x = np.column_stack([3 * shared, first]) @ rng.normal(size=(2, 20)) + 7
    y = np.column_stack([shared, 2 * turned]) @ rng.normal(size=(2, 9))
    expected = (1 + np.cos(angle)) / 2
    assert similarity.svcca(x, y) == pytest.approx(expected, abs=1e-9)
    assert agreement("svcca", matrix_of("svcca", x), matrix_of("svcca", y)) == pytest.approx(expected, abs=1e-7)


def test_svcca_of_systems_that_share_nothing_is_its_chance_level() -> None:
    """Eight stimuli: two directions each, which are random planes in the seven dimensions of centred stimuli.

    The cosines s and t of their angles have the density |s^2 - t^2| (1 - s^2) (1 - t^2) on the unit square (Jacobi ensemble;
    Absil, Edelman & Koev 2006, Linear Algebra Appl. 414:288), whose mean is 86 / 189.
    """
    grid = (np.arange(400) + 0.5) / 400
    s, t = np.meshgrid(grid, grid)
    density = np.abs(s**2 - t**2) * (1 - s**2) * (1 - t**2)
    assert (density * (s + t) / 2).sum() / density.sum() == pytest.approx(86 / 189, abs=1e-5)
    rng = np.random.default_rng(14)
    scores = np.array(
        [agreement("svcca", *(matrix_of("svcca", rng.normal(size=(8, 12))) for _ in range(2))) for _ in range(600)]
    )
    assert scores.mean() == pytest.approx(86 / 189, abs=4 * scores.std() / np.sqrt(600))


def test_svcca_has_no_interval_and_no_jackknife() -> None:
    """Neither would hold the mean over other stimuli as often as it says (`tests.compare.calibration`)."""
    a, b = matrix_of("svcca", X), matrix_of("svcca", Y)
    draws = geometry.replicates("svcca", a, b, 50, 1)
    found = geometry.agreement_interval("svcca", a, b, draws)
    assert draws.size == 0
    assert found.estimate == agreement("svcca", a, b)
    assert np.isnan([found.low, found.high]).all()
    assert np.isnan(geometry.left_out("svcca", a, b)).all()


def test_svcca_does_not_take_every_direction_of_few_stimuli() -> None:
    rng = np.random.default_rng(12)
    scores = []
    for _ in range(20):
        x, y = rng.normal(size=(40, 200)), rng.normal(size=(40, 200))
        scores.append(agreement("svcca", matrix_of("svcca", x), matrix_of("svcca", y)))
        assert geometry.directions(matrix_of("svcca", x)).shape == (40, 10)
    # all 39 directions would give 1; random subspaces of 10 in 39 dimensions share 10/39 of the squared correlations
    assert np.mean(scores) == pytest.approx(0.45, abs=0.06)


def test_what_differs_by_rounding_is_a_tie() -> None:
    angles = 2 * np.pi * np.arange(6) / 6
    model = np.array([np.cos(angles - a) for a in angles])  # a circulant geometry: three distances
    found = matrix_of("rsa", model + 1e-12 * RNG.normal(size=model.shape))
    assert len(np.unique(found[np.triu_indices(6, 1)])) == 3


def test_resamples_leave_out_copies() -> None:
    a = matrix_of("ssm", X)
    index = np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    drawn = geometry.drawn(a, index)
    assert np.isnan(drawn[0, 1])
    assert np.isfinite(drawn[np.triu_indices(10, 1)]).sum() == 44
    # a system against itself is 1 in every resample; copies that counted would not change that, others would
    assert geometry.replicates("ssm", a, a, 50, 1) == pytest.approx(np.ones(50))
    b = matrix_of("ssm", Y)
    estimate = geometry.agreement_interval("ssm", a, b, geometry.replicates("ssm", a, b, 300, 1))
    assert estimate.low < estimate.estimate < estimate.high


def test_intervals_cover_the_agreement_of_many_stimuli() -> None:
    rng = np.random.default_rng(8)

    def systems(stimuli: int) -> tuple[np.ndarray, np.ndarray]:
        latent = rng.normal(size=(stimuli, 5))
        weights = np.random.default_rng(9)
        u, v = latent @ weights.normal(size=(5, 40)), latent @ weights.normal(size=(5, 30))
        return u + rng.normal(size=u.shape), v + rng.normal(size=v.shape)

    for measure in ("ssm", "cka"):
        large = systems(400)
        truth = agreement(measure, *(matrix_of(measure, v) for v in large))
        covered = 0
        for _ in range(20):
            a, b = (matrix_of(measure, v) for v in systems(24))
            found = geometry.agreement_interval(measure, a, b, geometry.replicates(measure, a, b, 150, 1))
            covered += found.low <= truth <= found.high
        assert covered >= 16, measure


def test_few_stimuli_have_no_interval_and_all_orders() -> None:
    a, b = (matrix_of("ssm", v[:4]) for v in (X, Y))
    found = geometry.agreement_interval("ssm", a, b, geometry.replicates("ssm", a, b, 100, 1))
    assert np.isnan([found.low, found.high]).all()
    assert np.isfinite(found.estimate)
    orders = geometry.orders(4, 1000, 1)
    assert orders.shape == (math.factorial(4) - 1, 4)
    assert not (orders == np.arange(4)).all(axis=1).any()
    assert geometry.orders(10, 50, 1).shape == (50, 10)
    with pytest.raises(ComparisonError, match="3 stimuli"):
        agreement("cka", matrix_of("cka", X[:3]), matrix_of("cka", Y[:3]))


@pytest.mark.parametrize("measure", geometry.MEASURES)
def test_nulls_equal_agreements_of_reordered_stimuli(measure: str) -> None:
    a, b = matrix_of(measure, X), matrix_of(measure, Y)
    orders = geometry.orders(10, 20, 3)
    expected = [agreement(measure, a, matrix_of(measure, Y[order])) for order in orders]
    np.testing.assert_allclose(geometry.null(measure, a, b, orders), expected, atol=1e-6)
    if measure not in geometry.GRAMS:
        b[0, 1] = b[1, 0] = np.nan
        found = geometry.null(measure, a, b, orders[:3])
        again = [agreement(measure, a, b[np.ix_(order, order)]) for order in orders[:3]]
        np.testing.assert_allclose(found, again)


def test_constant_matrices_have_no_agreement() -> None:
    assert np.isnan(agreement("ssm", matrix_of("ssm", X), np.ones((10, 10))))
    assert np.isnan(geometry.null("ssm", matrix_of("ssm", X), np.ones((10, 10)), geometry.orders(10, 3, 1))).all()


def test_halves_split_every_stimulus() -> None:
    values = RNG.normal(size=(5, 6, 3))
    values[2, 3:] = np.nan
    a, b = geometry.halves(values, np.random.default_rng(1))
    both = np.concatenate([a, b], axis=1)
    for s in range(5):
        known = both[s][np.isfinite(both[s, :, 0])]
        expected = values[s][np.isfinite(values[s, :, 0])]
        assert sorted(known[:, 0]) == sorted(expected[:, 0])
    sizes = [int(np.isfinite(half[2, :, 0]).sum()) for half in (a, b)]
    assert sorted(sizes) == [1, 2]


def test_ceiling_is_what_the_truth_reaches() -> None:
    rng = np.random.default_rng(6)
    truth = rng.normal(size=(12, 60))
    low, high, reached = [], [], []
    for _ in range(15):
        data = truth[:, None] + rng.normal(size=(12, 6, 60))
        ceiling = geometry.ceiling(geometry.split_half("ssm", data, splits=15, seed=1))
        low.append(ceiling[0])
        high.append(ceiling[1])
        reached.append(agreement("ssm", matrix_of("ssm", data), matrix_of("ssm", truth)))
    assert np.mean(low) < np.mean(reached)
    assert np.mean(high) == pytest.approx(np.mean(reached), abs=0.03)
    assert geometry.ceiling(np.array([0.5, 0.5])) == pytest.approx((0.5, np.sqrt(2 / 3)))
    assert np.isnan(geometry.ceiling(geometry.split_half("rsa", data[:, :3], splits=5, seed=1))).all()


def test_turning_directions_keeps_what_does_not_depend_on_them() -> None:
    angles = [0.0, 90, 180, 270] * 2
    others = [1.0] * 4 + [2.0] * 4
    turned = geometry.rotations(angles, others)
    assert turned.tolist()[0] == [1, 2, 3, 0, 5, 6, 7, 4]
    assert turned.shape == (3, 8)
    ring = np.deg2rad(angles[:4])
    circulant = matrix_of("rsa", np.array([np.cos(ring), np.sin(ring)]).T)
    single = geometry.rotations(angles[:4], others[:4])
    assert geometry.null("rsa", circulant, circulant, single) == pytest.approx(
        np.full(3, agreement("rsa", circulant, circulant))
    )
    assert not len(geometry.rotations(angles[:7], others[:7]))  # a direction is missing
    assert not len(geometry.rotations([0.0, 90, 180, 200], [1.0] * 4))
