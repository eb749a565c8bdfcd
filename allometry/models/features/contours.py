"""Images of contours, and noise of the same amplitude spectrum."""

import math

import numpy as np
import scipy
from numpy.typing import NDArray

from allometry.models.features.draws import generator, normal, settled

Floats = NDArray[np.float64]

WIDTH_DEG = 0.12
"""Standard deviation of the Gaussian profile across a contour, degrees of visual field."""


def contour_images(
    seed: int, images: int, contours: int, length_deg: float, curvature: float, pixels: int, degrees_per_pixel: float
) -> Floats:
    """Images of Gaussian ridges of random sign, place, orientation and curvature, then as many of noise.

    Every image has mean 0 and standard deviation 1. A noise image has the amplitude spectrum of the contour image of its
    number and random phases: what depends on the spectrum alone, as the mean square of a linear filter, is the same for both.

    Parameters
    ----------
    seed : int
        Of all that is drawn.
    images : int
        Images of contours.
    contours : int
        Contours of each.
    length_deg : float
        Standard deviation along a contour, degrees of visual field.
    curvature : float
        Standard deviation of the curvature, per degree.
    pixels : int
        Of a side.
    degrees_per_pixel : float
        Degrees of visual field per pixel.

    Returns
    -------
    ndarray [2 * images, pixel, pixel]
    """
    rng = generator(seed, "contours")
    at = (np.arange(pixels) - pixels // 2) * degrees_per_pixel
    half = pixels * degrees_per_pixel / 2
    made = np.empty((images, pixels, pixels))
    for k in range(images):
        sign = np.where(rng.random(contours) < 0.5, -1.0, 1.0)
        x, y = (
            ((2 * rng.random(contours) - 1) * half)[:, None, None],
            ((2 * rng.random(contours) - 1) * half)[:, None, None],
        )
        angle = (rng.random(contours) * math.pi)[:, None, None]
        bend = curvature * normal(rng, contours)[:, None, None] / 2
        dx, dy = at[None, None, :] - x, at[None, :, None] - y
        along = dx * np.cos(angle) + dy * np.sin(angle)
        across = dy * np.cos(angle) - dx * np.sin(angle) - bend * along**2
        ridge = np.exp(-(along**2) / (2 * length_deg**2) - across**2 / (2 * WIDTH_DEG**2))
        made[k] = (sign[:, None, None] * settled(ridge)).sum(axis=0)
    made = _standardised(made)
    phases = scipy.fft.rfft2(normal(generator(seed, "scramble"), made.shape))
    scrambled = scipy.fft.irfft2(np.abs(scipy.fft.rfft2(made)) * phases / np.abs(phases), s=(pixels, pixels))
    return np.concatenate([made, _standardised(scrambled)])


def _standardised(images: Floats) -> Floats:
    centred = images - images.mean(axis=(1, 2), keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(axis=(1, 2), keepdims=True)))
