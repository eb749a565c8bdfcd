"""The rate models at the size they were measured with, over networks: slow.

Measured once with independent programs in numpy, over networks of their own; the numbers of networks there and here, and what their
standard deviations allow, give the tolerances.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov

from allometry import models, simulate
from allometry.models import features
from allometry.models.rates import motor_loops as loops
from allometry.models.rates.timing_fit import intervals
from allometry.simulate.features import responses_of
from tests.models.rates.test_low_rank_timing import CUES, T_AT_5_MS
from tests.models.rates.timing import intervals_of, latent_error, participation, run_cues

pytestmark = pytest.mark.slow


def test_calibrated_networks_of_1500_units(client: Any, tmp_path: Path) -> None:
    """Standard deviation over 8 networks: .9, 1.4 and 9 ms at 813, 1570 and 2740 ms; latent error .0009."""
    fit = models.fit("low_rank_timing", {"construction": "matched"})
    wanted = intervals(fit.arrays["timing"][None, :4], CUES, 5.0)[0]
    np.testing.assert_allclose(wanted, T_AT_5_MS, rtol=0.001)
    made = [run_cues("calibrated", 1500, seed, tmp_path, client, CUES) for seed in (1, 2, 3, 4)]
    found = np.array([intervals_of(stores) for stores in made])
    # intervals of the trained cues one by one; those beyond, which pass ever nearer a saddle, over networks
    np.testing.assert_allclose(found[:, :4], np.broadcast_to(wanted[:4], (4, 4)), rtol=0.01)
    np.testing.assert_allclose(found.mean(axis=0), wanted, rtol=0.01)
    for stores in made:
        assert latent_error(stores[:4], CUES[:4]) < 0.003
        assert participation(stores) == pytest.approx(1.12, abs=0.04)


def test_sampled_networks_are_further_from_the_mean_field(client: Any, tmp_path: Path) -> None:
    """Latent errors .133 (matched) and .41 (gauss) at 1500 units, 8 networks; intervals 793 (106) and 1006 (423) ms at no cue."""
    errors, first = {}, {}
    for construction in ("matched", "gauss"):
        made = [run_cues(construction, 1500, seed, tmp_path, client, CUES[:4]) for seed in range(1, 7)]
        errors[construction] = np.array([latent_error(stores, CUES[:4]) for stores in made])
        first[construction] = np.array([intervals_of(stores)[0] for stores in made])
    assert 0.05 < errors["matched"].mean() < 0.3
    assert errors["gauss"].mean() > 1.5 * errors["matched"].mean()
    # the mean of six differs from the measured one of eight by no more than three standard errors
    assert abs(first["matched"].mean() - 793) < 3 * 106 * np.sqrt(1 / 6 + 1 / 8)
    assert first["gauss"].std() > first["matched"].std()


def test_noise_changes_intervals_as_measured(client: Any, tmp_path: Path) -> None:
    """Calibrated, noise .1, 1500 units, 4 networks: 824 and 1573 ms, latent error .019.

    Four networks tell a standard deviation only to 40 %, theirs were 9 and 31 ms: that of twelve here gives the tolerance. A state
    along m1 is off by .1 / sqrt(1500) or somewhat more where K10 = .098 begins to grow at .16 / tau: 20 to 40 ms are expected.
    """
    found = [run_cues("calibrated", 1500, seed, tmp_path, client, CUES[:4:3], noise=0.1) for seed in range(1, 13)]
    times = np.array([intervals_of(stores) for stores in found])
    spread = times.std(axis=0, ddof=1)
    assert 15 < spread[0] < 60
    assert (np.abs(times.mean(axis=0) - [824, 1573]) < 3 * spread * np.sqrt(1 / 12 + 1 / 4)).all()
    assert np.mean([latent_error(stores, CUES[:4:3]) for stores in found]) == pytest.approx(0.019, rel=0.5)


@pytest.fixture(scope="module")
def fitted() -> loops.Motifs:
    return loops.design(loops.cortex(1, 200), 10, 1)


def test_motifs_of_200_units(fitted: Any) -> None:
    """Condition numbers 44 to 87, readout noise .13 to .49 of the best direction and .57 to 1.27 of the middle one."""
    cortex = loops.cortex(1, 200)
    assert 20 < fitted.condition < 300
    for u, v in zip(fitted.u, fitted.v):
        found = np.linalg.eigvals(cortex.weight + np.outer(u, v))
        assert max(np.abs(found - z).min() for z in 1.0 + loops.modes()) < 1e-9
    assert 0.01 < np.median(fitted.left) < 0.06
    assert 0.1 < np.median(fitted.noise) < 0.5
    assert 0.4 < np.median(fitted.noise_median) < 1.6
    # Monte Carlo: readout of noise in the initial state
    k, rng = 0, np.random.default_rng(1)
    a = cortex.weight + np.outer(fitted.u[k], fitted.v[k]) - np.eye(200)
    step, w, rows = expm(a * loops.STEP), cortex.readout.copy(), []
    for _ in loops.times():
        rows.append(w)
        w = step.T @ w
    noise = 0.05 * np.linalg.norm(fitted.start[k]) / np.sqrt(200) * rng.normal(size=(200, 2000))
    measured = np.sqrt(np.mean((np.array(rows) @ noise) ** 2))
    assert measured == pytest.approx(fitted.noise[k], rel=0.08)


@pytest.mark.parametrize(("rank", "loss", "decay"), [(6, 0.937, None), (20, 0.63, (5.0, 8.0)), (60, 0.42, (2.8, 4.35))])
def test_preparing_loops_of_200_units(rank: int, loss: float, decay: tuple[float, float] | None) -> None:
    """Three cortices: losses .915 to .965, .625 to .634 and .420 to .423; decay times within 5 %."""
    weight = loops.cortex(1, 200).weight
    found = loops.prepare(weight, rank)
    assert found.loss == pytest.approx(loss, abs={6: 0.06, 20: 0.02, 60: 0.01}[rank])
    a = weight + found.u @ found.v - np.eye(200)
    x = solve_continuous_lyapunov(a, -np.eye(200))
    assert np.trace(x) / 200 == pytest.approx(found.loss, rel=1e-8)
    if decay is not None:
        assert loops.decay_time(a, 0.05) == pytest.approx(decay[0], rel=0.05)
        assert loops.decay_time(a, 0.01) == pytest.approx(decay[1], rel=0.05)


def test_transitions_between_ten_motifs(client: Any, tmp_path: Path) -> None:
    """Three cortices: 2.6 to 3.7 without a preparation, .040 to .051 after 10 tau of a loop of rank 20; .45 after 5 tau."""
    fit = features.fit("thalamocortical_motifs", {}, 1)
    execution = simulate.Execution(threads=1, cluster=client, checkpoint="off", progress=False)
    median: dict[Any, float] = {}
    for tau in (0.0, 5.0, 10.0, 20.0):
        made = responses_of(
            features.build("thalamocortical_motifs", {"preparation_tau": tau}, 1, fit), 1, tmp_path, execution
        )
        error, kind = (np.asarray(made.presentations[name]) for name in ("error", "stimulus"))
        median[tau] = float(np.median(error[kind == "transition"]))
        median["first"] = float(np.median(error[kind == "first"]))
    assert 2.0 < median[0.0] < 5.0
    assert 0.2 < median[5.0] < 0.8
    assert median[10.0] < 0.06
    assert median[0.0] / median[10.0] > 50
    assert median[20.0] < 1.15 * median["first"]
