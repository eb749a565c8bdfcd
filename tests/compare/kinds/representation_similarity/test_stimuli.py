"""Oracles: the formula of a drifting sinusoid, evaluated point by point; symmetries of motion."""

import numpy as np
import pytest
import xarray as xr

from allometry.compare.kinds.representation_similarity import stimuli
from allometry.compare.kinds.representation_similarity.stimuli import Screen, grating, render
from allometry.errors import ComparisonError
from tests.compare.responses import directions, population

SCREEN = Screen(field_deg=40.0, pixels=32, rate_hz=30.0, movie_s=0.5)
VALUES = np.random.default_rng(2).normal(size=(4, 2, 5))


def test_frames_equal_the_analytic_sine() -> None:
    frames = grating(SCREEN, 30.0, 0.07, 3.0, 0.6, 0.15)
    assert frames.shape == (15, 32, 32)
    rng = np.random.default_rng(0)
    for _ in range(40):
        t, row, column = rng.integers(0, 15), rng.integers(0, 32), rng.integers(0, 32)
        x, y = (column - 15.5) * 1.25, (15.5 - row) * 1.25
        along = 0.07 * (x * np.cos(np.pi / 6) + y * np.sin(np.pi / 6))
        expected = 0.5 + 0.3 * np.sin(2 * np.pi * (along - 3.0 * t / 30 + 0.15))
        assert frames[t, row, column] == pytest.approx(expected, abs=1e-6)


def test_a_grating_moves_towards_its_direction() -> None:
    # one pixel (1.25 degrees) per frame at 30 frames/s: 37.5 degrees/s = F / f
    right = grating(SCREEN, 0.0, 0.08, 3.0)
    np.testing.assert_allclose(right[1][:, 1:], right[0][:, :-1], atol=1e-5)
    up = grating(SCREEN, 90.0, 0.08, 3.0)
    np.testing.assert_allclose(up[1][:-1], up[0][1:], atol=1e-5)  # row 0 is at the top
    back = grating(SCREEN, 180.0, 0.08, 3.0, phase=0.5)
    np.testing.assert_allclose(back[:10], right[-np.arange(10) % 10], atol=1e-5)  # a period is 10 frames


def test_an_aperture_has_its_diameter_and_grey_around_it() -> None:
    frame = grating(SCREEN, 0.0, 0.08, 0.0, phase=0.25, size=20.0, centre=(5.0, -5.0))[0]
    x, y = SCREEN.axes()
    inside = np.hypot(x - 5, y + 5) <= 10
    assert (frame[~inside] == 0.5).all()
    assert inside.sum() * SCREEN.degrees_per_pixel**2 == pytest.approx(np.pi * 100, rel=0.05)
    np.testing.assert_array_equal(frame[inside], grating(SCREEN, 0.0, 0.08, 0.0, phase=0.25)[0][inside])


def test_what_a_table_does_not_say_is_assumed_and_said() -> None:
    shown = population(VALUES, {"direction": directions(4), "temporal_frequency": [1.0, 2, 4, 8]})
    movies, assumed = render(shown, SCREEN, defaults={"contrast": 0.5})
    assert assumed == {"spatial_frequency": "0.04", "contrast": "0.5", "phase": "0"}
    np.testing.assert_array_equal(movies[2], grating(SCREEN, 180.0, 0.04, 4.0, 0.5))
    static = population(VALUES, {"direction": directions(4), "size": [10.0, 20, 250, 250]})
    movies, _ = render(static, SCREEN)
    assert movies[0][0, 0, 0] == 0.5
    np.testing.assert_array_equal(movies[3], grating(SCREEN, 270.0, 0.04, 2.0, 0.8))  # larger than the screen


def test_blanks_are_grey_movies_of_equal_length() -> None:
    store_values = np.concatenate([VALUES, VALUES[:1]])
    shown = population(store_values, {"direction": [*directions(4), 0.0]}, blanks=True)
    shown.stimuli.loc[4, "blank"] = True
    movies, assumed = render(shown, SCREEN)
    assert {movie.shape for movie in movies} == {(15, 32, 32)}
    assert (movies[4] == stimuli.GREY).all()
    assert assumed["blank"] == "grey"


def test_images_come_from_the_store_or_are_refused() -> None:
    shown = population(VALUES, {"frame": [0.0, 1, 2, 3]})
    shown.stimuli["kind"] = "natural_scenes"
    with pytest.raises(ComparisonError, match="cannot be rendered") as error:
        render(shown, SCREEN)
    assert "pixels(image, y, x)" in str(error.value)
    images = np.random.default_rng(3).integers(0, 256, (4, 32, 40), dtype=np.uint8)
    store = xr.Dataset({"pixels": (("image", "y", "x"), images)}, coords={"image": [0, 1, 2, 3]})
    movies, _ = render(shown, SCREEN, store=store)
    np.testing.assert_allclose(movies[1][0], images[1][:, 4:36] / 255, atol=1e-6)
    with pytest.raises(ComparisonError, match="image 3 has no pixels"):
        render(shown, SCREEN, store=store.isel(image=slice(3)))
    with pytest.raises(ComparisonError, match="outside 0 to 1"):
        render(shown, SCREEN, store=store.astype(float))


@pytest.mark.parametrize(
    ("values", "message"),
    [((0, 0.5), "cycles/degree"), ((0, 0.05, 15.0), "15 Hz"), ((0, 0.05, 1.0, 1.5), "contrast 1.5")],
)
def test_what_a_screen_cannot_show_is_refused(values: tuple[float, ...], message: str) -> None:
    with pytest.raises(ComparisonError, match=message):
        grating(SCREEN, *values)


def test_directions_that_were_pooled_cannot_be_rendered() -> None:
    shown = population(
        np.concatenate([VALUES, VALUES]),
        {"direction": directions(8), "temporal_frequency": [1.0, 2, 4, 8] * 2},
        by=["temporal_frequency"],
    )
    with pytest.raises(ComparisonError, match="has no direction"):
        render(shown, SCREEN)
