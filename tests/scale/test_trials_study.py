"""Statistics of trials of rate units: of stores with known answers, and a small study from fits to its store."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allometry import config
from allometry.errors import ConfigError
from allometry.models import features
from allometry.models.rates.timing_fit import Timing
from allometry.models.rates.timing_trials import mean_field_trials
from allometry.scale.features import trials
from allometry.scale.features.responded import Responded
from allometry.workflow.checks.names import check_names
from tests.scale.test_feature_study import made

TIMING = Timing(0.313, 0.6591, 0.4978, 0.0984, 0.7632)
CUES = np.array([0.0, 0.25, 0.5])


def responded(turned: float = 0.0, slower: float = 1.0, shift: float = 0.0, missing: bool = False) -> Responded:
    """The mean field under three cues, beside itself turned by an angle, moved, and with other intervals."""
    kappa, interval = mean_field_trials(TIMING, CUES, 50.0, 80)
    turn = np.array([[np.cos(turned), -np.sin(turned)], [np.sin(turned), np.cos(turned)]])
    theory = kappa.transpose(2, 1, 0)
    network = np.einsum("ab,bcd->acd", turn, theory) + np.array([shift, 0.0])[:, None, None]
    produced = interval / 1000 * slower
    if missing:
        produced[2] = np.nan
    return Responded(
        np.concatenate([network, theory, np.zeros((1, 3, 80))]).astype(np.float32),
        pd.DataFrame({"area": ["latent"] * 2 + ["mean field"] * 2 + ["output"]}),
        pd.DataFrame(
            {
                "stimulus": ["cue_set_go"] * 3, "trained": CUES <= 0.25, "target_interval": 0.8 + 3.0 * CUES,
                "interval": produced, "mean_field_interval": interval / 1000,
            }
        ),
        "low_rank_timing", {}, 1, {}, np.arange(80) * 0.05,
    )  # fmt: skip


def test_intervals_are_held_against_the_mean_field_and_the_target() -> None:
    one = responded(slower=1.1, missing=True)
    assert trials.interval_error(one, "output") == pytest.approx(0.1)
    assert trials.interval_failures(one, "output") == pytest.approx(1 / 3)
    assert np.isnan(trials.extrapolation_error(one, "output"))
    # measured once: 2742 ms at the largest cue, where the line asks for 2300
    assert trials.extrapolation_error(responded(), "output") == pytest.approx(2742.1 / 2300 - 1, abs=0.06)
    assert np.isnan(trials.interval_error(one, "latent"))


def test_latent_variables_are_held_against_the_mean_field() -> None:
    assert trials.latent_error(responded(), "latent") == 0
    assert trials.latent_error(responded(shift=0.3), "latent") == pytest.approx(0.3, rel=1e-5)
    assert trials.latent_error(responded(turned=np.pi), "latent") > 1
    assert trials.other_way(responded(shift=0.3), "latent") == 0
    assert np.isnan(trials.other_way(responded(), "output"))
    # two trials of three go round the mirror image of their course: second latent and interval are right, the first is not
    mirrored = responded()
    mirrored.response[0, :2] *= -1
    assert trials.other_way(mirrored, "latent") == pytest.approx(2 / 3)
    assert trials.latent_error(mirrored, "latent") > 1
    assert trials.procrustes_angle(mirrored, "latent") > 0.1
    # a turn is no difference of shapes
    assert trials.procrustes_angle(responded(turned=1.0), "latent") == pytest.approx(0, abs=2e-3)
    assert trials.procrustes_angle(responded(shift=0.3), "latent") == pytest.approx(0, abs=2e-3)
    wrong = responded()
    wrong.response[:2] = np.random.default_rng(1).normal(size=wrong.response[:2].shape)
    assert trials.procrustes_angle(wrong, "latent") > 0.7
    assert np.isnan(trials.procrustes_angle(wrong, "output"))


def test_dimension_of_the_course() -> None:
    one = responded()
    rng = np.random.default_rng(1)
    wide = Responded(
        rng.normal(size=(2, 3, 4000)).astype(np.float32), pd.DataFrame({"area": ["cortex"] * 2}), pd.DataFrame({"stimulus": list("aaa")}),
        "m", {}, 1, {}, np.arange(4000) * 0.1,
    )  # fmt: skip
    assert trials.course_dimension(wide, "cortex") == pytest.approx(2.0, abs=0.01)
    assert 1.0 < trials.course_dimension(one, "mean field") < 1.5
    assert np.isnan(trials.course_dimension(one, "output"))


def test_errors_of_motifs() -> None:
    one = Responded(
        np.zeros((1, 4, 2), np.float32), pd.DataFrame({"area": ["output"]}),
        pd.DataFrame({"stimulus": ["first", "transition", "first", "transition"], "error": [0.1, 2.0, 0.3, 4.0]}), "m", {}, 1, {},
    )  # fmt: skip
    assert trials.transition_error(one, "output") == 3.0
    assert trials.motif_error(one, "output") == pytest.approx(0.2)
    assert np.isnan(trials.motif_error(one, "cortex"))


def test_a_study_of_rate_units(tmp_path: Path) -> None:
    """Fits are shared by conditions; loadings with exact moments are nearer the mean field than plain samples."""
    study: dict[str, Any] = {
        "model": "low_rank_timing",
        "parameters": {"cues": 2, "longest_cue": 0.25, "recorded": 20, "duration_ms": 2500.0},
        "sizes": [400],
        "schemes": ["calibrated", "gauss"],
        "seeds": [1],
        "populations": ["cortex", "latent", "output"],
        "statistics": ["interval_error", "latent_error", "procrustes_angle", "course_dimension"],
    }
    root = made(study, tmp_path).to_dataset()
    error = root["value"].sel(statistic="latent_error", population="latent").values.ravel()
    assert error[0] < 0.01 < 0.05 < error[1]
    assert (root["calibration"].values == "converged").all()
    dimension = root["value"].sel(statistic="course_dimension", population="cortex").values.ravel()
    assert ((dimension > 1) & (dimension < 2)).all()


def test_a_network_of_rate_units_is_run_as_trials() -> None:
    run = {"kind": "network", "model": "low_rank_timing", "duration_ms": 100.0}
    cfg = config.validate({"simulate": {"runs": {"mine": run}}})
    with pytest.raises(ConfigError, match="low_rank_timing is a network of rate units"):
        check_names(cfg, {})
    assert "low_rank_timing" in features.FEATURE_MODELS
