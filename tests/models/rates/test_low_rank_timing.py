"""The timing network against its mean field, and the mean field against its published and measured numbers.

Measured once with independent programs (numpy): `T_MEAN_FIELD`, `T_NETWORKS`. Tolerances: the mean field is an ordinary
differential equation, 0.5 % covers the quadrature and the digits of the parameters. A calibrated network of 1500 units has the field on a grid and an
error between its points, which changes each interval by less than 1 %; its latent variables are off by less than .003.
"""

import numpy as np
import pytest

from allometry import models, simulate
from allometry.errors import SimulationError
from allometry.models.rates.low_rank_field import GHOST, crossing, gain
from allometry.models.rates.timing_fit import BEGIN, TARGETS_MS, TRAINED_CUES, Timing, fit_field, intervals, loadings
from allometry.network import Condition, Dense, LowRank
from tests.models.rates.timing import intervals_of, latent_error, participation, run_cues

PUBLISHED = np.array([0.313, 0.6591, 0.4978, 0.0984])
T_MEAN_FIELD = {
    0.0: 821.0, 0.0417: 920.9, 0.0833: 1037.4, 0.125: 1164.2, 0.1667: 1296.5, 0.2083: 1432.8, 0.25: 1573.4, 0.3333: 1877.5,
    0.4167: 2242.0, 0.5: 2742.1,
}  # fmt: skip
CUES = [k / 12 for k in range(7)]
T_AT_5_MS = [813.2, 1030.0, 1291.9, 1571.0, 1876.4, 2241.4, 2741.3]


def test_mean_slope_of_tanh() -> None:
    np.testing.assert_allclose(
        gain([0.0, 0.25, 0.5, 1.0, 2.0, 4.0]), [1.0, 0.826484, 0.726324, 0.605706, 0.480022, 0.364615], atol=1e-6
    )


def test_passage_through_the_ghost_of_a_saddle_node() -> None:
    """Rank one: times at u = 1.02 to 3 times the critical input, and the square-root law with its analytic limit."""
    critical = 0.380354
    kappa = np.linspace(-1.6, 0.0, 20001)[:, None]

    def largest(u: float) -> float:
        inside = (kappa[:, 0] > -1.2) & (kappa[:, 0] < -0.2)
        return float(GHOST.slope(kappa[inside], np.full(inside.sum(), u)).max())

    # the two lower fixed points meet: the slope between them touches 0 from below
    low = GHOST.slope(kappa, np.full(len(kappa), critical))[:, 0]
    between = (kappa[:, 0] > -1.2) & (kappa[:, 0] < -0.2)
    assert abs(low[between].min()) * 100 < 1e-5
    assert abs(kappa[between][low[between].argmin(), 0] + 0.6905) < 1e-3
    assert largest(critical) > 0
    factors = np.array([1.02, 1.05, 1.1, 1.2, 1.5, 2.0, 3.0])
    u = critical * factors
    path = GHOST.trajectory(np.full((7, 1), -1.337105), u, 1.0, 4500)
    time = crossing(path[:, :, 0], 0.9, 1.0)
    np.testing.assert_allclose(time, [4352, 2681, 1841, 1251, 742, 506, 370], rtol=0.003)
    scaled = time * np.sqrt(u - critical)
    # the law holds near the bifurcation, which it comes from: pi tau / sqrt(F_u F_kk / 2) = 396.4 ms in the limit
    np.testing.assert_allclose(scaled[:3], [379.6, 369.7, 359.0], rtol=0.003)
    nearer = np.array([1.001, 1.005, 1.02])
    path = GHOST.trajectory(np.full((3, 1), -1.337105), critical * nearer, 1.0, 21000)
    limit = crossing(path[:, :, 0], 0.9, 1.0) * np.sqrt(critical * (nearer - 1.0))
    assert (np.diff(limit) < 0).all()
    assert 0 < 396.4 - limit[0] < 5


def test_intervals_of_the_mean_field() -> None:
    found = intervals(PUBLISHED[None], list(T_MEAN_FIELD), 1.0)[0]
    np.testing.assert_allclose(found, list(T_MEAN_FIELD.values()), rtol=0.005)
    np.testing.assert_allclose(intervals(PUBLISHED[None], CUES, 5.0)[0], T_AT_5_MS, rtol=0.005)
    # a cue without overlap with n would change the radius and not the speed: the slowing is of the overlap
    assert (np.diff(found) > 0).all()


def test_the_fit_finds_the_numbers() -> None:
    found = fit_field()
    assert found.converged
    assert found.residual**2 < 2.15e-4
    timing = Timing(*found.arrays["timing"].tolist())
    np.testing.assert_allclose(
        [timing.d, timing.h0, timing.c, timing.k10, timing.scale], [*PUBLISHED, 0.7632], atol=0.01
    )
    np.testing.assert_allclose(intervals(np.array([timing[:4]]), CUES[:4], 5.0)[0], T_AT_5_MS[:4], rtol=0.005)
    assert np.abs(np.log(intervals(np.array([BEGIN]), TRAINED_CUES, 5.0)[0] / TARGETS_MS)).max() > 0.1


def test_matched_loadings_have_exact_second_moments() -> None:
    for construction in ("matched", "calibrated"):
        found = loadings(3, 200, construction)
        np.testing.assert_allclose(found.T @ found / 200, np.eye(5), atol=1e-12)
        np.testing.assert_array_equal(found.mean(axis=0).round(12), 0)
        # odd moments are 0 of pairs alone
        assert (np.abs((found**3).mean(axis=0)).max() < 1e-12) == (construction == "matched")
    plain = loadings(3, 200, "gauss")
    assert 0.01 < np.abs(plain.T @ plain / 200 - np.eye(5)).max() < 0.5
    assert not np.array_equal(found, loadings(4, 200, construction))


def test_a_calibrated_network_has_the_intervals_of_the_mean_field(client: object, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """One network of each size in the fast suite; the full number in `test_low_rank_timing_networks`."""
    stores = run_cues("calibrated", 500, 1, tmp_path, client, CUES[:4:3])
    found = intervals_of(stores)
    # at 500 units the standard deviation over networks is 0.5 % (8 networks): 4 of them
    np.testing.assert_allclose(found, [T_AT_5_MS[0], T_AT_5_MS[3]], rtol=0.02)
    assert latent_error(stores, CUES[:4:3]) < 0.008
    assert abs(participation(stores) - 1.11) < 0.08


def test_the_mean_field_as_a_network_of_nodes(client: object, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Its latent variables are those of the differential equation: what a comparison holds networks against."""
    stores = run_cues("mean_field", 10, 1, tmp_path, client, [0.25])
    np.testing.assert_allclose(intervals_of(stores), [T_AT_5_MS[3]], rtol=0.002)
    assert latent_error(stores, [0.25]) < 5e-4


def test_a_cue_is_a_condition_and_changes_named_inputs_alone() -> None:
    fitted = models.fit("low_rank_timing", {"n": 100, "construction": "matched"})
    a, b = (
        models.build("low_rank_timing", {"n": 100, "construction": "matched", "cue": cue}, fitted=fitted)
        for cue in (0.0, 0.5)
    )
    changed = Condition("slow", replaced={x.name: x for x in b.inputs if x.name is not None}).applied(a)
    assert {**changed.to_dict(), "parameters": {}} == {**b.to_dict(), "parameters": {}}
    assert isinstance(a.projections[0].rule, LowRank)
    noisy = models.build("low_rank_timing", {"n": 100, "construction": "gauss", "random_gain": 0.5}, fitted=fitted)
    rule = noisy.projections[1].rule
    assert isinstance(rule, Dense)
    assert abs(rule.weight.std() / (0.5 / 10) - 1) < 0.03


@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        ({"n": 11}, "n is 11"),
        ({"n": 4}, "n is 4"),
        ({"noise": -1.0}, "noise is -1.0"),
        ({"cue": 3.0}, "cue is 3.0"),
        ({"construction": "sampled"}, "'sampled' is no value of construction"),
    ],
)
def test_impossible_values_are_refused(parameters: dict, what: str) -> None:
    with pytest.raises(SimulationError, match=what):
        models.build("low_rank_timing", parameters, fit_first=False)


def test_a_model_without_a_fit_has_none() -> None:
    with pytest.raises(SimulationError, match="brunel is not fitted"):
        models.fit("brunel")
    assert simulate.Record().sample_ms is None
