"""V2 as a sum of V1: cells whose inputs are V1 filters of preferences biased towards that of their site.

After Hassanpour, Merlin, Federer, Zaidi & Angelucci 2024 (bioRxiv 2024.03.22.586002), of which only the abstract could be read:
V1 cells that project to one V2 orientation column have a broad range of preferences, biased to that of the column, and a linear
model of them explains gratings and some of the selectivity for natural textures. Every number here is a choice of this
project. A field is 96 x 96 pixels of 0.05 degrees, its centre at pixel 48; orientations are those of bars.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.models.features.contours import contour_images
from allometry.models.features.draws import generator, normal, settled
from allometry.models.features.records import Features, feature_model
from allometry.models.features.trials import grating_table, noisy
from allometry.numerics.fixed_order import product

Floats = NDArray[np.float64]
Phases = Literal["locked", "centre", "random"]

PIXELS, DEGREES_PER_PIXEL = 96, 0.05
CYCLES_PER_DEGREE, SIGMA_DEG, ASPECT, PHASE_JITTER = 2.0, 0.18, 1.5, 0.3
RECTIFIED_ABOVE = 1.0
"""What of a V1 response reaches V2 where V1 is rectified: the part above so many standard deviations of noise images."""
SCHEMES = {"inputs": "all but the number of V1 inputs of a cell"}


@dataclass(frozen=True, eq=False)
class Fields:
    """Filters of V2 cells and of their V1 inputs.

    Parameters
    ----------
    v2 : ndarray [cell, pixel, pixel]
        Of unit norm.
    preferred_deg : ndarray [cell, input]
        Orientations of the inputs, degrees.
    x_deg, y_deg, phase : ndarray [cell, input]
        Their places, degrees of visual field from the centre of the site, and phases, radians.
    """

    v2: Floats
    preferred_deg: Floats
    x_deg: Floats
    y_deg: Floats
    phase: Floats

    def v1(self, cell: int) -> Floats:
        """Filters of the inputs of a cell, [input, pixel, pixel]."""
        return gabors(self.preferred_deg[cell], self.x_deg[cell], self.y_deg[cell], self.phase[cell])


def _grid() -> tuple[Floats, Floats]:
    at: Floats = (np.arange(PIXELS, dtype=np.float64) - PIXELS // 2) * DEGREES_PER_PIXEL
    return at[None, :], at[:, None]


def gabors(orientation_deg: Floats, x_deg: Floats, y_deg: Floats, phase: Floats) -> Floats:
    """Filters of V1 cells, [cell, pixel, pixel], of mean 0 and unit norm: the carrier varies across the bars.

    Parameters
    ----------
    orientation_deg, x_deg, y_deg, phase : ndarray [cell]
        Orientation of the bars, degrees; place, degrees of visual field; phase of the carrier at the place, radians.
    """
    x, y = _grid()
    angle = np.deg2rad(orientation_deg)[:, None, None]
    c, s = np.cos(angle), np.sin(angle)
    dx, dy = x - x_deg[:, None, None], y - y_deg[:, None, None]
    along, across = dx * c + dy * s, dy * c - dx * s
    envelope = np.exp(-((along / ASPECT) ** 2 + across**2) / (2 * SIGMA_DEG**2))
    made = settled(envelope * np.cos(2 * math.pi * CYCLES_PER_DEGREE * across + phase[:, None, None]))
    return _unit(made - made.mean(axis=(1, 2), keepdims=True))


def _unit(filters: Floats) -> Floats:
    return np.asarray(filters / np.sqrt((filters**2).sum(axis=(1, 2), keepdims=True)))


def preferences(rng: np.random.Generator, shape: tuple[int, ...], bias: float, concentration: float) -> Floats:
    """Preferred orientations of inputs relative to the site, degrees in [-90, 90).

    Parameters
    ----------
    rng : Generator
        Where they are drawn from.
    shape : tuple of int
        Their shape.
    bias : float
        Share of inputs that are drawn around the preference of the site; the others are uniform.
    concentration : float
        Of these, in twice the angle (von Mises).
    """
    around = rng.vonmises(0.0, concentration, shape) / 2 if concentration > 0 else np.zeros(shape)
    anywhere = rng.random(shape) * math.pi - math.pi / 2
    chosen = np.where(rng.random(shape) < bias, around, anywhere)
    return settled(np.rad2deg(chosen))


def fields(
    seed: int, cells: int, inputs: int, bias: float, concentration: float, along_deg: float, across_deg: float, phases: Phases
) -> Fields:  # fmt: skip
    """Filters of all cells; arguments as of `v2_feedforward`."""
    shape = (cells, inputs)
    preferred = preferences(generator(seed, "prefer"), shape, bias, concentration)
    place = generator(seed, "place")
    x, y = along_deg * normal(place, shape), across_deg * normal(place, shape)
    jitter = PHASE_JITTER * normal(generator(seed, "phase"), shape)
    angle = np.deg2rad(preferred)
    across = y * np.cos(angle) - x * np.sin(angle)
    phase = {
        # all carriers agree at the centre of the site
        "locked": 2 * math.pi * CYCLES_PER_DEGREE * across + jitter,
        "centre": jitter,
        "random": generator(seed, "anyphase").random(shape) * 2 * math.pi,
    }[phases]
    summed = np.stack([gabors(preferred[k], x[k], y[k], phase[k]).sum(axis=0) for k in range(cells)])
    return Fields(_unit(summed), preferred, x, y, settled(phase))


def amplitudes(filters: Floats, orientation_deg: Floats, cycles_per_degree: float = CYCLES_PER_DEGREE) -> Floats:
    """Amplitude of the response to drifting gratings with bars of given orientations, [filter, orientation].

    Parameters
    ----------
    filters : ndarray [filter, pixel, pixel]
        Receptive fields.
    orientation_deg : ndarray [orientation]
        Of the bars, degrees.
    cycles_per_degree : float
        Spatial frequency.
    """
    x, y = _grid()
    angle = np.deg2rad(orientation_deg + 90.0)[:, None, None]
    turn = 2 * math.pi * cycles_per_degree * (x * np.cos(angle) + y * np.sin(angle))
    waves = settled(np.concatenate([np.cos(turn), np.sin(turn)])).reshape(2 * orientation_deg.size, -1)
    both = product(filters.reshape(len(filters), -1), waves.T).reshape(len(filters), 2, -1)
    return np.asarray(np.sqrt((both**2).sum(axis=1)))


def elongation(filters: Floats, preferred_deg: Floats) -> Floats:
    """Width of the energy of filters along their preference over that across it, [filter].

    Parameters
    ----------
    filters : ndarray [filter, pixel, pixel]
        Receptive fields.
    preferred_deg : ndarray [filter]
        Their preferred orientations, degrees.
    """
    x, y = _grid()
    energy = filters**2 / (filters**2).sum(axis=(1, 2), keepdims=True)
    angle = np.deg2rad(preferred_deg)[:, None, None]
    widths = []
    for c, s in ((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))):
        along = x * c + y * s
        mean = (energy * along).sum(axis=(1, 2), keepdims=True)
        widths.append(np.sqrt((energy * (along - mean) ** 2).sum(axis=(1, 2))))
    return np.asarray(widths[0] / widths[1])


def preferred_orientation(response: Floats, orientation_deg: Floats) -> Floats:
    """Preferred orientation by the mean of doubled angles, degrees in [-90, 90), [unit].

    Parameters
    ----------
    response : ndarray [unit, orientation]
        Responses.
    orientation_deg : ndarray [orientation]
        Shown orientations, degrees.
    """
    twice = np.deg2rad(2 * orientation_deg)
    angle = np.arctan2((response * np.sin(twice)).sum(axis=1), (response * np.cos(twice)).sum(axis=1))
    return np.asarray((np.rad2deg(angle) / 2 + 90.0) % 180.0 - 90.0)


def above(responses: Floats, noise: int, level: float) -> tuple[Floats, Floats]:
    """Mean part of filtered images above a level, and mean square, [image], both in standard deviations of noise images.

    Parameters
    ----------
    responses : ndarray [image, pixel, pixel]
        A filter at every place of every image.
    noise : int
        Number of the first noise image; all from there on are noise.
    level : float
        Standard deviations.
    """
    z = responses / responses[noise:].std()
    return np.maximum(z - level, 0.0).mean(axis=(1, 2)), (z**2).mean(axis=(1, 2))


def filtered(filters: Floats, spectra: NDArray[np.complex128]) -> Iterator[Floats]:
    """Every filter at every place of every image, around the edges: an array [image, pixel, pixel] for each filter.

    Parameters
    ----------
    filters : ndarray [filter, pixel, pixel]
        Receptive fields.
    spectra : complex ndarray [image, pixel, pixel // 2 + 1]
        Fourier transforms of the images (`scipy.fft.rfft2`).
    """
    for one in filters:
        transfer = np.conj(scipy.fft.rfft2(scipy.fft.ifftshift(one)))
        yield scipy.fft.irfft2(spectra * transfer, s=(PIXELS, PIXELS))


def check(
    cells: int, inputs: int, bias: float, concentration: float, along_deg: float, across_deg: float, phases: str,
    stimulus: str, angles: int, repeats: int, noise: float, images: int, contours: int, contour_length_deg: float,
    curvature: float, level: float, pattern_seed: int | None,
) -> None:  # fmt: skip
    """Refuse parameters that the model cannot have."""
    counts = {
        "cells": cells,
        "inputs": inputs,
        "angles": angles,
        "repeats": repeats,
        "images": images,
        "contours": contours,
    }
    for name, count in counts.items():
        if count < 1:
            raise SimulationError(f"{name} is {count}", where="v2_feedforward", expected="a whole number, 1 or above")
    if not 0 <= bias <= 1:
        raise SimulationError(f"bias is {bias:g}", where="v2_feedforward", expected="a share of the inputs, 0 to 1")
    positive = {
        "concentration": concentration, "along_deg": along_deg, "across_deg": across_deg, "noise": noise,
        "contour_length_deg": contour_length_deg, "curvature": curvature, "level": level,
    }  # fmt: skip
    for name, value in positive.items():
        if value < 0 or (name == "contour_length_deg" and value == 0):
            raise SimulationError(f"{name} is {value:g}", where="v2_feedforward", expected="a number, 0 or above")


def size(cells: int, inputs: int, **_: object) -> tuple[int, float]:
    """Number of units, with the V1 inputs of every cell, and of synapses."""
    return cells * (1 + inputs), float(cells * inputs)


def reduced(size: float, scheme: str) -> dict[str, int]:
    """Arguments of a size, which is the number of V1 inputs of a cell."""
    inputs = round(size)
    if inputs < 2:
        raise SimulationError(f"a cell has {inputs} inputs", where="v2_feedforward", expected="a size of 2 or more")
    return {"inputs": inputs}


@feature_model(
    description="V2 cells that add V1 filters biased towards the orientation of their site.",
    source="after Hassanpour et al. 2024, bioRxiv 2024.03.22.586002 (abstract); all numbers are this project's",
    check=check,
    stimulus=(
        "stimulus", "angles", "repeats", "images", "contours", "contour_length_deg", "curvature", "level", "pattern_seed"
    ),
    size=size,
    reduce=reduced,
    schemes=SCHEMES,
)  # fmt: skip
def v2_feedforward(
    seed: int,
    cells: int = 30,
    inputs: int = 60,
    bias: float = 0.75,
    concentration: float = 2.0,
    along_deg: float = 0.5,
    across_deg: float = 0.1,
    phases: Phases = "locked",
    stimulus: Literal["static_gratings", "drifting_gratings", "contours"] = "static_gratings",
    angles: int = 36,
    repeats: int = 1,
    noise: float = 0.0,
    images: int = 60,
    contours: int = 10,
    contour_length_deg: float = 0.9,
    curvature: float = 0.15,
    level: float = 1.0,
    pattern_seed: int | None = None,
) -> Features:
    """Responses of V2 cells and of their V1 inputs.

    Parameters
    ----------
    seed : int
        Of the inputs, of trial noise, and of images where they have no seed of their own.
    cells : int
        V2 cells, all of one site: it prefers bars of 0 degrees.
    inputs : int
        V1 inputs of a cell.
    bias : float
        Share of inputs whose preference is drawn around that of the site; the others have any.
    concentration : float
        Of these preferences (von Mises in twice the angle).
    along_deg, across_deg : float
        Standard deviation of the places of inputs along the axis of the site and across it, degrees of visual field.
    phases : {"locked", "centre", "random"}
        Phases of inputs: such that carriers agree at the centre of the site, or each at its own centre, or any.
    stimulus : {"static_gratings", "drifting_gratings", "contours"}
        Gratings of 2 cycles per degree, the response being its amplitude over phases; or images of contours, each beside
        noise of the same amplitude spectrum, the response being its mean part above `level` at all places.
    angles : int
        Orientations of static gratings over 180 degrees, directions of drifting ones over 360.
    repeats : int
        Trials of each grating.
    noise : float
        Standard deviation of the noise of a trial, in mean responses of the unit.
    images : int
        Images of contours, and as many of noise.
    contours : int
        Contours of an image.
    contour_length_deg : float
        Standard deviation of their Gaussian length, degrees of visual field.
    curvature : float
        Standard deviation of their curvature, per degree; 0: straight.
    level : float
        What a response to an image must exceed, standard deviations of that to noise.
    pattern_seed : int or None
        Seed of images; null: that of the model.
    """
    made = fields(seed, cells, inputs, bias, concentration, along_deg, across_deg, phases)
    shown: Floats = np.arange(36, dtype=np.float64) * 5.0
    tuned = amplitudes(made.v2, shown)
    preferred = preferred_orientation(tuned, shown)
    units = {
        "area": ["V1"] * cells * inputs + ["V2"] * cells,
        "cell_type": ["Gabor"] * cells * inputs + ["linear sum"] * cells,
        "cell": np.concatenate([np.repeat(np.arange(cells), inputs), np.arange(cells)]),
        "x": np.concatenate([made.x_deg.ravel(), np.zeros(cells)]),
        "y": np.concatenate([made.y_deg.ravel(), np.zeros(cells)]),
        "preferred_orientation": np.concatenate([made.preferred_deg.ravel(), preferred]),
        "elongation": np.concatenate([np.full(cells * inputs, np.nan), elongation(made.v2, preferred)]),
    }
    column_units = {
        "x": "degree",
        "y": "degree",
        "preferred_orientation": "degree",
        "direction": "degree",
        "orientation": "degree",
    }
    if stimulus != "contours":
        table, bars = grating_table(stimulus, angles, repeats)
        response = np.concatenate([amplitudes(made.v1(k), bars) for k in range(cells)] + [amplitudes(made.v2, bars)])
        derived = {
            "response": "amplitude over the phases of a grating, with independent noise of every trial",
            "shown": f"of all gratings: {CYCLES_PER_DEGREE:g} cycles per degree",
        }
        return Features(noisy(response, repeats, noise, seed), table, units, column_units=column_units, derived=derived)
    drawn = contour_images(
        seed if pattern_seed is None else pattern_seed, images, contours, contour_length_deg, curvature, PIXELS,
        DEGREES_PER_PIXEL,
    )  # fmt: skip
    response = _to_images(made, scipy.fft.rfft2(drawn), images, level)
    rectified = {name: np.asarray(values)[-cells:] for name, values in units.items()}
    rectified["cell_type"] = np.array(["sum of rectified V1"] * cells)
    rectified["area"] = np.array(["V2 of rectified V1"] * cells)
    units = {name: np.concatenate([np.asarray(values), rectified[name]]) for name, values in units.items()}
    table = {
        "stimulus": ["contours"] * (2 * images),
        "condition": [f"{what} {k}" for what in ("contours", "noise") for k in range(images)],
        "repeat": np.zeros(2 * images, np.int64),
        "family": np.repeat([1.0, 0.0], images),
    }
    derived = {
        "response": f"mean over all places of the part above {level:g} standard deviations of the response to noise images",
        "family": "1 contours, 0 noise of the same amplitude spectrum",
    }
    return Features(response, table, units, column_units=column_units, derived=derived)


def _to_images(made: Fields, spectra: NDArray[np.complex128], noise: int, level: float) -> Floats:
    """Mean responses above the level, [unit, image]: V1 inputs of all cells, V2, and V2 of rectified V1."""
    v1, rectified = [], []
    for cell in range(len(made.v2)):
        total = np.zeros((len(spectra), PIXELS, PIXELS))
        for response in filtered(made.v1(cell), spectra):
            z = response / response[noise:].std()
            v1.append(np.maximum(z - level, 0.0).mean(axis=(1, 2)))
            total += np.maximum(z - RECTIFIED_ABOVE, 0.0)
        total -= total[noise:].mean()
        rectified.append(above(total, noise, level)[0])
    v2 = [above(response, noise, level)[0] for response in filtered(made.v2, spectra)]
    return np.array([*v1, *v2, *rectified])
