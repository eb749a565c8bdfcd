"""V2 as a sum of V1 against what was measured independently of the same choices (issue 20)."""

from typing import Any

import numpy as np
import pytest
from scipy import fft

from allometry.compare import osi
from allometry.errors import SimulationError
from allometry.models import features
from allometry.models.features import v2_feedforward as v2
from allometry.models.features.contours import contour_images

ANGLES = np.arange(36) * 5.0
BROAD: dict[str, Any] = {"bias": 0.75, "concentration": 2.0, "along_deg": 0.5, "across_deg": 0.1, "phases": "locked"}
ROUND = {"along_deg": 0.4, "across_deg": 0.4}
# what is changed of the broad bias: selectivity, elongation, median error of the preference; tolerance of the elongation
ROWS = (
    ({}, 0.401, 1.59, 4.6, 0.1),
    ({"phases": "centre"}, 0.492, 2.51, 4.6, 0.2),
    (ROUND, 0.499, 0.77, 2.9, 0.1),
    ({**ROUND, "phases": "centre"}, 0.296, 1.03, 7.3, 0.2),
    ({**ROUND, "phases": "random"}, 0.287, 1.01, 10.4, 0.4),
    ({"phases": "random"}, 0.276, 2.47, 10.9, 0.4),
    ({"bias": 0.0}, 0.190, 0.60, 79.0, 0.1),
    ({"bias": 1.0, "concentration": 8.0}, 0.868, 1.92, 0.9, 0.1),
)


def selectivity(response: np.ndarray, angles: np.ndarray) -> np.ndarray:
    return np.asarray(osi(response.T, np.deg2rad(angles)))


def test_preferences_of_inputs() -> None:
    found = v2.preferences(np.random.default_rng(1), (200_000,), 0.75, 2.0)
    near = [np.mean(np.abs(found) < limit) for limit in (15, 30, 45)]
    assert near == pytest.approx([0.414, 0.682, 0.820], abs=0.005)
    # bias times I1 / I0 of the concentration
    assert np.abs(np.exp(2j * np.deg2rad(found)).mean()) == pytest.approx(0.523, abs=0.005)
    uniform = v2.preferences(np.random.default_rng(1), (200_000,), 0.0, 2.0)
    assert [np.mean(np.abs(uniform) < limit) for limit in (15, 30, 45)] == pytest.approx(
        [1 / 6, 1 / 3, 1 / 2], abs=0.005
    )


def test_the_v1_filter() -> None:
    for angle in (0.0, 30.0, 90.0):
        one = v2.gabors(np.array([angle]), np.zeros(1), np.zeros(1), np.zeros(1))
        assert one.mean() == pytest.approx(0, abs=1e-12)
        assert (one**2).sum() == pytest.approx(1)
        tuned = v2.amplitudes(one, ANGLES)
        assert selectivity(tuned, ANGLES) == pytest.approx([0.820], abs=0.005)
        # trap 1: an angle is that of the bars
        assert (v2.preferred_orientation(tuned, ANGLES) - angle + 90) % 180 - 90 == pytest.approx([0.0], abs=0.5)
        assert v2.elongation(one, np.array([angle])) == pytest.approx([1.49], abs=0.1)


def test_all_locked_carriers_agree_at_the_centre() -> None:
    made = v2.fields(1, 1, 200, **BROAD)
    # the carrier of every input at the centre of the site
    angle = np.deg2rad(made.preferred_deg)
    across = made.x_deg * np.sin(angle) - made.y_deg * np.cos(angle)
    carrier = (2 * np.pi * 2.0 * across + made.phase + np.pi) % (2 * np.pi) - np.pi
    assert carrier.std() == pytest.approx(0.3, rel=0.2)


def check_row(changed: dict[str, Any], selective: float, elongated: float, error: float, tolerance: float) -> None:
    made = v2.fields(1, 30, 60, **{**BROAD, **changed})
    tuned = v2.amplitudes(made.v2, ANGLES)
    preferred = v2.preferred_orientation(tuned, ANGLES)
    assert selectivity(tuned, ANGLES).mean() == pytest.approx(selective, abs=0.05)
    assert v2.elongation(made.v2, preferred).mean() == pytest.approx(elongated, abs=tolerance)
    # a median of 30 errors: its standard error is a quarter of it
    assert np.median(np.abs(preferred)) == pytest.approx(error, rel=0.6)


def test_a_broad_bias_gives_the_preference_but_not_the_selectivity() -> None:
    check_row(*ROWS[0])


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS)
def test_fields_over_biases_places_and_phases(row: Any) -> None:
    check_row(*row)


def test_noise_of_equal_amplitude_spectrum() -> None:
    made = contour_images(1, 3, 5, 0.9, 0.15, 64, 0.05)
    spectra = np.abs(fft.rfft2(made))
    np.testing.assert_allclose(spectra[:3], spectra[3:], rtol=1e-6, atol=1e-6 * spectra.max())
    kurtosis = (made**4).mean(axis=(1, 2)) / (made**2).mean(axis=(1, 2)) ** 2
    assert (kurtosis[:3] > kurtosis[3:]).all()


def index(values: np.ndarray, images: int) -> np.ndarray:
    """(T - N) / (T + N) of mean responses to contours and to noise, per unit."""
    shown, noise = values[:, :images].mean(axis=1), values[:, images:].mean(axis=1)
    return np.asarray((shown - noise) / (shown + noise))


def test_the_mean_square_does_not_tell_contours_from_noise() -> None:
    images = fft.rfft2(contour_images(2, 6, 10, 0.9, 0.15, v2.PIXELS, v2.DEGREES_PER_PIXEL))
    made = v2.fields(1, 2, 10, **BROAD)
    squares = np.array([v2.above(response, 6, 1.0)[1] for response in v2.filtered(made.v2, images)])
    assert np.abs(index(squares, 6)).max() < 1e-9


def test_a_filter_at_its_own_place_is_an_inner_product() -> None:
    image = contour_images(3, 1, 5, 0.9, 0.0, v2.PIXELS, v2.DEGREES_PER_PIXEL)[:1]
    one = v2.gabors(np.array([20.0]), np.array([0.3]), np.array([-0.2]), np.array([0.4]))
    (response,) = v2.filtered(one, fft.rfft2(image))
    middle = v2.PIXELS // 2
    assert response[0, middle, middle] == pytest.approx(float((image[0] * one[0]).sum()), abs=1e-9)


# contour length and curvature: index of V1, linear V2 and V2 of rectified V1 at levels 1 and 2, of the broad bias
TEXTURES = {
    (0.3, 0.0): ((0.042, 0.036, 0.496), (0.604, 0.605, 0.662)),
    (0.9, 0.15): ((0.039, 0.046, 0.439), (0.527, 0.504, 0.602)),
    (3.0, 0.0): ((0.043, 0.046, 0.362), (0.400, 0.428, 0.512)),
}


def texture_index(length: float, curvature: float, level: float, **more: Any) -> dict[str, float]:
    asked = {"stimulus": "contours", "contour_length_deg": length, "curvature": curvature, "level": level, **more}
    made = features.build("v2_feedforward", asked, seed=1)
    area, images = np.asarray(made.units["area"]), made.response.shape[1] // 2
    return {name: float(index(made.response[area == name], images).mean()) for name in dict.fromkeys(area.tolist())}


def test_rectified_inputs_make_v2_sensitive_to_contours() -> None:
    found = texture_index(0.9, 0.15, 1.0, cells=1, images=8, inputs=20)
    assert found["V2 of rectified V1"] > found["V2"] + 0.2
    assert abs(found["V2"] - found["V1"]) < 0.06


@pytest.mark.slow
@pytest.mark.parametrize(("family", "expected"), TEXTURES.items())
def test_texture_index_over_contours(family: Any, expected: Any) -> None:
    for level, values in zip((1.0, 2.0), expected):
        found = texture_index(*family, level, cells=6)
        assert list(found.values()) == pytest.approx(values, abs=0.03)


@pytest.mark.slow
def test_a_linear_sum_gains_only_from_contours_longer_than_the_v1_field() -> None:
    strong = {"bias": 1.0, "concentration": 8.0, "cells": 6}
    short, long = (texture_index(length, 0.0, 2.0, **strong) for length in (0.3, 3.0))
    assert (short["V2"], long["V2"]) == pytest.approx((0.578, 0.460), abs=0.03)
    assert long["V2"] > long["V1"] + 0.02
    assert short["V2"] < short["V1"]


def test_drifting_gratings_move_across_their_bars() -> None:
    made = features.build(
        "v2_feedforward",
        {"cells": 2, "inputs": 10, "stimulus": "drifting_gratings", "angles": 8, "repeats": 3, "noise": 0.1},
        1,
    )
    direction = np.asarray(made.presentations["direction"])
    area = np.asarray(made.units["area"])
    mean = made.response[area == "V2"].mean(axis=0)
    best = direction[np.argsort(mean)[-6:]]
    # bars of 0 degrees move up and down
    assert set(best.tolist()) == {90.0, 270.0}
    trials = made.response.reshape(len(area), 8, 3)
    spread = trials.std(axis=2, ddof=1).mean(axis=1) / trials.mean(axis=(1, 2))
    assert spread.mean() == pytest.approx(0.1 * 0.886, rel=0.2)  # three trials: the mean of a chi distribution


@pytest.mark.parametrize(
    ("parameters", "said"),
    [({"inputs": 0}, "1 or above"), ({"bias": 1.2}, "0 to 1"), ({"contour_length_deg": 0.0}, "0 or above")],
)
def test_mistakes_are_explained(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        features.build("v2_feedforward", parameters)
