"""Tuning indices against closed forms."""

import numpy as np
import pytest

from allometry.compare.measures.populations import tuning
from allometry.errors import ComparisonError

ANGLES = np.deg2rad(np.arange(0, 360, 30))


def test_osi_of_a_cosine_is_half_its_amplitude():
    amplitude = np.array([0.0, 0.3, 1.0])
    preferred = np.array([0.0, 1.1, 2.5])
    rates = 1 + amplitude * np.cos(2 * (ANGLES[:, None] - preferred))
    # exact for equally spaced angles: rounding
    assert tuning.osi(rates, ANGLES) == pytest.approx(amplitude / 2, abs=1e-12)
    assert tuning.osi(rates[:, 1], ANGLES) == pytest.approx(0.15, abs=1e-12)
    assert tuning.circular_variance(rates, ANGLES) == pytest.approx(1 - amplitude / 2, abs=1e-12)
    assert tuning.dsi(rates, ANGLES) == pytest.approx(np.zeros(3), abs=1e-12)
    found = tuning.preferred(rates, ANGLES)
    assert found.orientation[1:] == pytest.approx(preferred[1:])
    assert np.isnan(found.orientation[0])
    assert np.isnan(found.direction).all()


def test_dsi_of_a_cosine_and_of_one_direction_only():
    rates = 1 + 0.6 * np.cos(ANGLES - 4.0)
    assert tuning.dsi(rates, ANGLES) == pytest.approx(0.3)
    assert tuning.preferred(rates, ANGLES).direction[0] == pytest.approx(4.0)
    one = np.zeros(12)
    one[7] = 5
    assert tuning.dsi(one, ANGLES) == pytest.approx(1)
    assert tuning.osi(one, ANGLES) == pytest.approx(1)
    assert np.isnan(tuning.osi(np.zeros(12), ANGLES))


def test_signal_to_noise_is_unbiased():
    rng = np.random.default_rng(0)
    tuned = rng.normal(0, 2, size=(30, 1, 2000))
    x = tuned + rng.normal(0, 1, size=(30, 5, 2000))
    # 2000 units with a spread of about 1.1 and .07: standard errors .025 and .002
    assert tuning.signal_to_noise(x).mean() == pytest.approx(4, abs=0.12)
    assert tuning.signal_to_noise(x - tuned).mean() == pytest.approx(0, abs=0.01)
    x[::2, 3:] = np.nan
    assert tuning.signal_to_noise(x).mean() == pytest.approx(4, abs=0.15)


def test_split_half_reliability_is_signal_variance_over_total_variance_of_a_half():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 1, 30)) + rng.normal(0, 2, size=(200, 8, 30))
    expected = 1 / (1 + 4 / 4)  # s^2 / (s^2 + n^2 / (T/2)): COMPARE.md, before Spearman-Brown
    assert tuning.reliability(x, splits=20).mean() == pytest.approx(expected, abs=0.03)
    x[:100, 6:] = np.nan
    assert tuning.reliability(x, splits=20).mean() == pytest.approx(1 / (1 + (4 / 4 + 4 / 3) / 2), abs=0.03)
    assert np.isnan(tuning.reliability(np.ones((5, 4, 1)))).all()


def test_reliability_of_a_real_recording(mirror):
    from scipy.io import loadmat

    path = mirror / "mouse_v1_mcateer" / "DFF.mat"
    if not path.exists():
        pytest.skip("no mouse_v1_mcateer in the mirror")
    dff = next(v for k, v in loadmat(path).items() if not k.startswith("_"))
    x = dff.reshape(73, 6, 12, 40)[:, :, :, 20:40].mean(axis=3).transpose(2, 1, 0)
    # data/README.md: median split-half tuning r .36, two printed digits
    assert np.median(tuning.reliability(x, splits="odd_even")) == pytest.approx(0.36, abs=0.005)


@pytest.mark.parametrize(
    "call",
    [
        lambda: tuning.osi(np.ones(5), ANGLES),
        lambda: tuning.osi(-np.ones(12), ANGLES),
        lambda: tuning.osi(np.full(12, np.nan), ANGLES),
        lambda: tuning.osi(np.ones(12), np.arange(0, 360, 30)),  # degrees
        lambda: tuning.osi(np.ones(3), [0, 1, 3]),
        lambda: tuning.osi(np.ones(3), [0, 1, 1]),
        lambda: tuning.dsi(np.ones(6), ANGLES[:6]),
        lambda: tuning.reliability(np.ones((4, 1, 3))),
        lambda: tuning.reliability(np.ones((2, 4, 3))),
        lambda: tuning.reliability(np.ones((5, 4, 3)), splits=0),
        lambda: tuning.signal_to_noise(np.full((4, 3, 2), np.nan)),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()


@pytest.mark.parametrize(
    "angles", [np.arange(3) * np.pi / 8, np.arange(4) * np.pi / 2 / 3, np.linspace(0, 2 * np.pi, 8)[:-2]]
)
def test_an_arc_is_refused_whose_flat_rates_would_look_tuned(angles):
    with pytest.raises(ComparisonError, match="half a circle or a whole one"):
        tuning.osi(np.ones(angles.size), angles)


@pytest.mark.parametrize("n", [2, 4, 7])
def test_flat_rates_over_half_a_circle_are_untuned(n):
    assert tuning.osi(np.ones(n), np.arange(n) * np.pi / n) == pytest.approx(0, abs=1e-12)
