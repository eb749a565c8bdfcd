"""Oracles: the Fourier transform of a Gabor function, quadrature, scipy's correlation."""

import numpy as np
import pytest
from scipy.signal import correlate2d

from allometry.compare.kinds.representation_similarity import model_bank
from allometry.compare.kinds.representation_similarity.model_bank import (
    bank,
    energy,
    envelope_sd,
    filtered,
    gabors,
    motion_energy,
    simple,
)
from allometry.compare.kinds.representation_similarity.stimuli import Screen, grating
from allometry.errors import ComparisonError

SCREEN = Screen(field_deg=96.0, pixels=64, rate_hz=40.0, movie_s=1.0)
FREQUENCY = 0.06


@pytest.fixture(scope="module")
def filters() -> model_bank.Gabors:
    return gabors(SCREEN, FREQUENCY, orientations=6)


def _middle(filters: model_bank.Gabors, orientation: float) -> int:
    distance = np.hypot(*filters.centre.T) + 1e6 * (filters.orientation != orientation)
    return int(distance.argmin())


def test_amplitude_is_the_transform_of_the_filter(filters: model_bank.Gabors) -> None:
    unit = _middle(filters, 30.0)
    sd = envelope_sd(FREQUENCY)

    def vector(degrees: float, frequency: float) -> np.ndarray:
        return frequency * np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))])

    for degrees, frequency in ((30, 0.06), (210, 0.06), (45, 0.06), (60, 0.06), (30, 0.04), (30, 0.09)):
        amplitude = np.sqrt(energy(*filtered(grating(SCREEN, degrees, frequency), filters))[unit])
        distance = min(((vector(degrees + turn, frequency) - vector(30, FREQUENCY)) ** 2).sum() for turn in (0, 180))
        assert amplitude == pytest.approx(np.exp(-2 * np.pi**2 * sd**2 * distance), abs=2e-3)


def test_matched_orientation_and_frequency_are_liked_best(filters: model_bank.Gabors) -> None:
    unit = _middle(filters, 60.0)
    by_angle = [energy(*filtered(grating(SCREEN, d, FREQUENCY), filters))[unit] for d in range(0, 180, 10)]
    by_frequency = [energy(*filtered(grating(SCREEN, 60, f), filters))[unit] for f in (0.02, 0.04, 0.06, 0.08, 0.12)]
    assert (int(np.argmax(by_angle)) * 10, int(np.argmax(by_frequency))) == (60, 2)
    # of all filters, those of the matched orientation respond most
    every = energy(*filtered(grating(SCREEN, 120, FREQUENCY), filters))
    assert filters.orientation[every.argmax()] == 120


def test_energy_does_not_see_phase_and_simple_cells_do(filters: model_bank.Gabors) -> None:
    unit = _middle(filters, 0.0)
    phases = [filtered(grating(SCREEN, 0, FREQUENCY, phase=p), filters) for p in np.arange(0, 1, 0.1)]
    complex_cell = np.array([energy(*pair)[unit] for pair in phases])
    simple_cell = np.array([simple(*pair)[unit] for pair in phases])
    assert np.ptp(complex_cell) < 1e-3 * complex_cell.mean()
    assert simple_cell.min() == 0
    assert simple_cell.max() > 0.9


def test_motion_energy_tells_opposite_directions_apart(filters: model_bank.Gabors) -> None:
    unit = _middle(filters, 90.0)
    responses = {}
    for direction in (90.0, 270.0):
        movie = grating(SCREEN, direction, FREQUENCY, 4.0)
        found = motion_energy(*filtered(movie, filters), SCREEN.rate_hz, [1.0, 4.0])
        responses[direction] = found.reshape(2, 2, -1)[:, :, unit]
        # the sum over all frequencies of the power is the energy
        assert energy(*filtered(movie, filters))[unit] == pytest.approx(1.0, abs=5e-3)
    assert responses[90.0][0, 1] == pytest.approx(1.0, abs=5e-3)
    assert responses[90.0][1].max() < 1e-4
    np.testing.assert_allclose(responses[270.0], responses[90.0][::-1], atol=1e-4)
    assert responses[90.0][0, 0] == pytest.approx(np.exp(-(2**2) / (2 * model_bank.TEMPORAL_OCTAVES**2)), abs=1e-3)


def test_convolution_equals_scipy() -> None:
    rng = np.random.default_rng(4)
    images = rng.normal(size=(2, 3, 12, 12)).astype(np.float32)
    kernel = rng.normal(size=(4, 3, 5, 5)).astype(np.float32)
    found = model_bank.convolved(images, kernel)
    assert found.shape == (2, 4, 6, 6)
    expected = sum(correlate2d(images[1, c], kernel[2, c], mode="same") for c in range(3))
    pooled = np.maximum(expected, 0).reshape(6, 2, 6, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(found[1, 2], pooled, atol=1e-4)


def test_random_features_are_seeded_and_averaged_over_frames() -> None:
    movie = grating(Screen(40, 16, 20, 1), 30, 0.06, 2.0)
    kernels = model_bank.random_kernels((4, 6), seed=3)
    whole = model_bank.random_features(movie, kernels)
    frames = [model_bank.random_features(frame[None], kernels) for frame in movie]
    for level in range(2):
        np.testing.assert_allclose(whole[level], np.mean([f[level] for f in frames], axis=0), atol=1e-5)
    assert not np.array_equal(kernels[0], model_bank.random_kernels((4, 6), seed=4)[0])
    assert [k.shape for k in kernels] == [(4, 1, 5, 5), (6, 4, 5, 5)]
    assert np.var(kernels[1]) == pytest.approx(2 / (4 * 25), rel=0.15)


def test_grey_gives_nothing_and_the_bank_has_every_layer() -> None:
    screen = Screen(60, 32, 20, 0.5)
    movies = [grating(screen, d, 0.06, 2.0) for d in (0, 90)] + [np.full((10, 32, 32), 0.5, np.float32)]
    layers = list(bank(movies, screen, frequencies=(0.08, 0.04), orientations=4, channels=(4, 8)))
    assert {layer.model for layer in layers} == set(model_bank.MODELS)
    assert [(x.name, x.depth) for x in layers if x.model == "gabor_complex"] == [
        ("0.04 cycles/degree", 0),
        ("0.08 cycles/degree", 1),
    ]
    assert [x.depth for x in layers if x.model == "random_convolution"] == [0, 1]
    for layer in layers:
        assert layer.responses.shape[0] == 3
        assert not layer.responses[2].any(), layer.name
        assert layer.responses[0].any(), layer.name
    still = list(bank([movie[:1] for movie in movies], screen, frequencies=(0.04,), channels=(4,)))
    assert "motion_energy" not in {layer.model for layer in still}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["alexnet"]}, "no model 'alexnet'"),
        ({"frequencies": [0.3]}, "0.3 cycles/degree"),
        ({"channels": (4,) * 6}, "32 pixels for 6 layers"),
    ],
)
def test_what_a_bank_cannot_hold_is_refused(options: dict[str, object], message: str) -> None:
    screen = Screen(60, 32, 20, 0.5)
    with pytest.raises(ComparisonError, match=message):
        list(bank([grating(screen, 0, 0.06)] * 2, screen, **options))  # type: ignore[arg-type]
