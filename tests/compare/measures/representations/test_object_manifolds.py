"""Manifold geometry against replica theory and direct simulation of few-shot learning."""

import numpy as np
import pytest
from scipy.stats import chi2, norm

from allometry.compare.measures.representations import object_manifolds as mf
from allometry.errors import ComparisonError


def sphere(dimension, radius, n, rng):
    z = rng.normal(size=(n, dimension))
    return np.column_stack([radius * z / np.linalg.norm(z, axis=1, keepdims=True), np.ones(n)])


def sphere_capacity(radius, dimension, kappa=0.0):
    """Capacity of spheres of a radius, in units of the centre's norm (Chung et al. 2016, Phys. Rev. E 93:060301, equation 5).

    1/alpha = E over t0 ~ N(0, 1), t ~ chi_D of (kappa + R t - t0)^2 / (1 + R^2) where t0 lies between kappa - t / R and
    kappa + R t, and of (kappa - t0)^2 + t^2 below.
    """
    nodes, weights = np.polynomial.legendre.leggauss(400)
    t = np.sqrt(chi2.ppf(np.clip((nodes + 1) / 2, 1e-15, 1 - 1e-15), dimension))
    lower, upper = kappa - t / radius, kappa + radius * t

    def moment(bound, about):
        """Integral of (about - t0)^2 over t0 < bound."""
        return (about**2 + 1) * norm.cdf(bound) + (2 * about - bound) * norm.pdf(bound)

    side = (moment(upper, upper) - moment(lower, upper)) / (1 + radius**2)
    apex = moment(lower, np.full_like(t, kappa)) + t**2 * norm.cdf(lower)
    return 1 / (weights / 2 @ (side + apex))


def test_capacity_of_points_is_that_of_the_perceptron():
    # COMPARE.md (Gardner 1988): 2, .9612, .5196 at kappa 0, .5, 1; standard error of 1/alpha at 20,000 directions .8 %
    for kappa, alpha in ((0, 2.0), (0.5, 0.9612), (1.0, 0.5196)):
        found = mf.manifold_capacity(np.ones((1, 1)), kappa, n_t=20_000, seed=1)
        assert found.alpha == pytest.approx(alpha, rel=0.025)
        assert found.radius[0] == 0


def test_theory_of_spheres_has_its_known_values():
    for d in (1, 2, 5, 20):
        assert sphere_capacity(1, d) == pytest.approx(2 / (d + 1), rel=1e-5)  # quadrature
    assert sphere_capacity(0.5, 5) == pytest.approx(0.57651, abs=1e-5)
    assert sphere_capacity(2, 10) == pytest.approx(0.12162, abs=1e-5)
    assert sphere_capacity(1e-9, 3) == pytest.approx(2, rel=1e-4)
    assert sphere_capacity(1e-9, 3, 0.5) == pytest.approx(0.9612, rel=1e-3)


@pytest.mark.parametrize(("radius", "dimension", "kappa"), [(1, 1, 0), (1, 2, 0), (0.5, 3, 0), (0.5, 2, 0.4)])
def test_capacity_of_sampled_spheres_equals_the_theory(radius, dimension, kappa):
    rng = np.random.default_rng(2)
    found = mf.manifold_capacity(sphere(dimension, radius, 400, rng), kappa, n_t=1500)
    # 3 to 4 % from 1500 directions, 2 to 3 % (upwards) from a hull of 400 points in 3 dimensions
    assert found.alpha == pytest.approx(sphere_capacity(radius, dimension, kappa), rel=0.08)
    # anchors of manifolds that support fully lie inside: radius and dimension are a little below those of the sphere
    assert 0.85 * radius < found.radius[0] < 1.0001 * radius
    assert 0.85 * dimension < found.dimension[0] < 1.1 * dimension


def test_capacity_of_a_population_falls_with_the_spread_of_its_manifolds():
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(12, 300))
    axes = rng.normal(size=(12, 2, 300)) / np.sqrt(300)
    alphas = []
    for spread in (0.1, 1.0):
        scale = spread * np.linalg.norm(centres[0])
        clouds = [c + scale * (sphere(2, 1, 60, rng)[:, :2] @ a) for c, a in zip(centres, axes)]
        found = mf.capacity(clouds, n_t=300)
        assert found.radius.mean() == pytest.approx(spread, rel=0.15)  # axes are orthonormal up to 1/sqrt(300)
        assert found.alpha == pytest.approx(sphere_capacity(spread, 2), rel=0.15)
        assert found.alpha == pytest.approx(1 / np.mean(1 / found.alpha_each))
        alphas.append(found.alpha)
    assert alphas[0] > 2 * alphas[1]


def test_few_shot_formula_predicts_the_accuracy_of_prototype_learning():
    rng = np.random.default_rng(4)
    units = 200
    scale_a = 1 / np.arange(1, units + 1) ** 0.3
    scale_b = 1.01 * rng.permutation(scale_a)
    shift = 0.12 * rng.normal(size=units)
    for m in (1, 5):
        a = rng.normal(size=(2000, units)) * scale_a + shift
        b = rng.normal(size=(2000, units)) * scale_b
        train_a = (rng.normal(size=(2000, m, units)) * scale_a + shift).mean(axis=1)
        train_b = (rng.normal(size=(2000, m, units)) * scale_b).mean(axis=1)
        correct = (((a - train_b) ** 2).sum(axis=1) > ((a - train_a) ** 2).sum(axis=1)).mean()
        found = mf.few_shot_snr(a, b, m)
        # equation 3 leaves out the noise of order 1/(D m) from prototype b: .045 too accurate at m = 1
        assert found.accuracy == pytest.approx(correct, abs=0.06)
    assert mf.few_shot_snr(a, b, 5).snr > mf.few_shot_snr(a, b, 1).snr


def test_few_shot_snr_of_isotropic_clouds_by_hand():
    rng = np.random.default_rng(5)
    d = 50
    a = rng.normal(size=(20_000, d))
    b = a + np.eye(d)[0] * 3
    found = mf.few_shot_snr(a, b, 2)
    signal = 9 / d
    expected = 0.5 * signal / np.sqrt(1 / (2 * d) + 1.5 * signal / d)
    assert found.dimension == pytest.approx(d, rel=0.01)
    assert found.bias == pytest.approx(0, abs=1e-12)
    assert found.snr == pytest.approx(expected, rel=0.02)  # axes and radii from 20,000 examples


@pytest.mark.parametrize(
    "call",
    [
        lambda: mf.capacity([np.ones((3, 4))]),
        lambda: mf.capacity([np.ones((3, 4)), np.ones((3, 5))]),
        lambda: mf.capacity([np.ones((3, 4)), np.ones((3, 4))]),
        lambda: mf.capacity([np.eye(3), -np.eye(3)], kappa=-1),
        lambda: mf.manifold_capacity([[np.nan, 1.0]]),
        lambda: mf.manifold_capacity([[1.0, 2.0]]),
        lambda: mf.few_shot_snr(np.ones((4, 3)), np.eye(3), 1),
        lambda: mf.few_shot_snr(np.eye(3), np.eye(4), 1),
        lambda: mf.few_shot_snr(np.eye(3), np.eye(3), 0),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()
