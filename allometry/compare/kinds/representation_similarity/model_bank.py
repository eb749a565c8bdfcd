"""A bank of model representations of movies: pixels, Gabor wavelets, motion energy, random convolutions.

Every layer maps a movie [frame, y, x] (luminance, grey 0.5) to one number per unit: the mean over the frames, as a
recording's response is the mean over the presentation. Pixels alone keep time (the mean of a drifting grating is grey).
Only `pixels` and `motion_energy` see the direction of motion: to the others a grating that drifts the other way is the
same. No model is fitted to anything.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.kinds.representation_similarity.stimuli import GREY, Frames, Screen
from allometry.compare.options import representation_similarity as options
from allometry.errors import ComparisonError

MODELS: tuple[str, ...] = get_args(options.Model)
TEMPORAL_FREQUENCIES = (1.0, 2.0, 4.0, 8.0, 15.0)
CHANNELS = (16, 32, 64, 64)
KERNEL = 5
MOST_POSITIONS = 8  # of Gabor filters along an axis
BANDWIDTH_OCTAVES = 1.0
TEMPORAL_OCTAVES = 0.5  # standard deviation of temporal tuning


@dataclass(frozen=True)
class Layer:
    """Responses [stimuli, units] of one layer; `depth` counts the layers of its model from 0."""

    model: str
    name: str
    depth: int
    responses: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Gabors:
    """Gabor filters of one spatial frequency: `even`, `odd` [filters, pixels], with `orientation` (degrees) of each.

    Orientation is that of the gradient: the direction of motion, modulo 180 degrees, of the grating it likes best.
    """

    frequency: float
    orientation: FloatArray
    centre: FloatArray
    even: Frames
    odd: Frames


def envelope_sd(frequency: float, octaves: float = BANDWIDTH_OCTAVES) -> float:
    """Standard deviation (degrees) of a round Gaussian envelope whose filter is `octaves` wide at half height."""
    ratio = (2**octaves + 1) / (2**octaves - 1)
    return float(np.sqrt(np.log(2) / 2) / np.pi / frequency * ratio)


def gabors(screen: Screen, frequency: float, orientations: int = 8) -> Gabors:
    """Quadrature pairs on a grid of positions two envelope deviations apart, orientations equally spaced over 180 degrees.

    The mean of a filter is 0, so that grey gives 0, and a grating of full contrast, of the filter's frequency and
    orientation, gives an amplitude of 1 where the envelope lies within the screen. The amplitude for another grating is
    exp(-2 pi^2 s^2 |k - k0|^2), with s of `envelope_sd` and the wave vectors k (cycles/degree).

    Raises
    ------
    ComparisonError
        A frequency that the pixels of the screen cannot carry.
    """
    if not 0 < frequency * 2**BANDWIDTH_OCTAVES**0.5 <= 0.75 / screen.degrees_per_pixel:
        raise ComparisonError(
            f"Gabor filters of {frequency:g} cycles/degree",
            where="gabor_frequencies",
            expected=f"at most {0.375 / screen.degrees_per_pixel:.3g} on pixels of {screen.degrees_per_pixel:.3g} degrees",
            do="use more pixels or a smaller field",
        )
    sd = envelope_sd(frequency)
    count = int(np.clip(round(screen.field_deg / (2 * sd)), 1, MOST_POSITIONS))
    places = (np.arange(count) - (count - 1) / 2) * (screen.field_deg / count)
    x, y = screen.axes()
    even, odd, angle, centre = [], [], [], []
    for degrees in 180.0 * np.arange(orientations) / orientations:
        theta = np.deg2rad(degrees)
        for cy in places:
            for cx in places:
                envelope = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * sd**2))
                phase = 2 * np.pi * frequency * ((x - cx) * np.cos(theta) + (y - cy) * np.sin(theta))
                # Response to a grating of amplitude 1/2 (luminance) is then 1.
                scale = 4 * screen.degrees_per_pixel**2 / (2 * np.pi * sd**2)
                waves = [envelope * np.cos(phase), envelope * np.sin(phase)]
                waves = [wave - envelope * (wave.sum() / envelope.sum()) for wave in waves]
                even.append(scale * waves[0].ravel())
                odd.append(scale * waves[1].ravel())
                angle.append(degrees)
                centre.append((cx, cy))
    return Gabors(
        frequency,
        np.array(angle),
        np.array(centre),
        np.array(even, dtype=np.float32),
        np.array(odd, dtype=np.float32),
    )


def filtered(movie: Frames, filters: Gabors) -> tuple[Frames, Frames]:
    """Responses of the even and odd filters in each frame, [frames, filters]."""
    flat = np.asarray(movie - np.float32(GREY), np.float32).reshape(len(movie), -1)
    return np.asarray(flat @ filters.even.T, np.float32), np.asarray(flat @ filters.odd.T, np.float32)


def simple(even: Frames, odd: Frames) -> Frames:
    """Simple cells: four half-rectified phases of each filter, mean over frames [4 filters]."""
    return np.concatenate([np.maximum(v, 0).mean(axis=0) for v in (even, odd, -even, -odd)])


def energy(even: Frames, odd: Frames) -> Frames:
    """Complex cells: even^2 + odd^2, mean over frames [filters] (Adelson & Bergen 1985)."""
    return np.asarray((even**2 + odd**2).mean(axis=0))


def motion_energy(even: Frames, odd: Frames, rate_hz: float, frequencies: Sequence[float]) -> Frames:
    """Spatiotemporal energy [2 directions x temporal frequencies x filters].

    The power of the complex response even + i odd at positive temporal frequencies is that of motion along the filter's
    orientation, at negative ones of motion against it (Adelson & Bergen 1985); a unit pools it with a Gaussian of log
    frequency around its own.
    """
    power = np.abs(np.fft.fft(even + 1j * odd, axis=0) / len(even)) ** 2
    frequency = np.fft.fftfreq(len(even), 1 / rate_hz)
    found = []
    for sign in (1, -1):
        speed = np.maximum(sign * frequency, 1e-12)
        for preferred in frequencies:
            tuning = np.exp(-(np.log2(speed / preferred) ** 2) / (2 * TEMPORAL_OCTAVES**2))
            found.append(np.where(sign * frequency > 0, tuning, 0) @ power)
    return np.concatenate(found).astype(np.float32)


def random_kernels(channels: Sequence[int], seed: int) -> list[Frames]:
    """Gaussian kernels [out, in, y, x] of each layer, variance 2 / fan-in (He et al. 2015)."""
    rng = np.random.default_rng(seed)
    inputs = (1, *channels[:-1])
    return [
        (rng.standard_normal((out, n, KERNEL, KERNEL)) * np.sqrt(2 / (n * KERNEL**2))).astype(np.float32)
        for n, out in zip(inputs, channels)
    ]


def convolved(images: Frames, kernel: Frames) -> Frames:
    """Rectified convolution [image, channel, y, x] with zeros around, then means of 2 x 2."""
    edge = KERNEL // 2
    padded = np.pad(images, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (KERNEL, KERNEL), axis=(2, 3))
    out = np.maximum(np.tensordot(windows, kernel, axes=((1, 4, 5), (1, 2, 3))), 0)
    n, height, width = (length - length % 2 if i else length for i, length in enumerate(out.shape[:3]))
    pooled = out[:, :height, :width].reshape(n, height // 2, 2, width // 2, 2, -1).mean(axis=(2, 4))
    return np.ascontiguousarray(pooled.transpose(0, 3, 1, 2))


def random_features(movie: Frames, kernels: Sequence[Frames], at_once: int = 10) -> list[Frames]:
    """Mean over frames of every layer of a random convolutional network, each [channels x places]."""
    totals: list[Frames] = []
    for start in range(0, len(movie), at_once):
        images = (movie[start : start + at_once] - np.float32(GREY))[:, None]
        for level, kernel in enumerate(kernels):
            images = convolved(images, kernel)
            added = images.reshape(len(images), -1).sum(axis=0)
            if start == 0:
                totals.append(added)
            else:
                totals[level] = totals[level] + added
    return [total / np.float32(len(movie)) for total in totals]


def bank(
    movies: Sequence[Frames],
    screen: Screen,
    models: Sequence[str] = MODELS,
    *,
    frequencies: Sequence[float] = options.GABOR_FREQUENCIES,
    orientations: int = 8,
    temporal_frequencies: Sequence[float] = TEMPORAL_FREQUENCIES,
    channels: Sequence[int] = CHANNELS,
    seed: int = 1,
) -> Iterator[Layer]:
    """Layers of the models, one after the other (a pyramid is made scale by scale, since its filters are large).

    Parameters
    ----------
    movies : sequence of ndarray, each of shape (frames, pixels, pixels)
        One per stimulus, of equal length.
    models : sequence of str
        Names of `MODELS`. The levels of Gabor models go from coarse to fine; `motion_energy` needs movies that move.
    frequencies : sequence of float
        Spatial frequencies of the Gabor filters, cycles/degree.
    orientations : int
        Orientations of the Gabor filters.
    temporal_frequencies : sequence of float
        Of `motion_energy`, Hz.
    channels : sequence of int
        Channels of each layer of `random_convolution`.

    Raises
    ------
    ComparisonError
        An unknown model, movies of different length, or a screen too small for the layers.
    """
    unknown = [name for name in models if name not in MODELS]
    if unknown:
        raise ComparisonError(
            f"there is no model {unknown[0]!r}", where="models", expected="some of " + ", ".join(MODELS)
        )
    if len({movie.shape for movie in movies}) != 1:
        raise ComparisonError("movies differ in shape", where="movies", expected="one shape for all stimuli")
    if screen.pixels < 2 ** len(channels) and "random_convolution" in models:
        raise ComparisonError(
            f"{screen.pixels} pixels for {len(channels)} layers",
            where="pixels",
            expected=f"at least {2 ** len(channels)}",
        )
    if "pixels" in models:
        flat = np.array([movie.ravel() for movie in movies]) - np.float32(GREY)
        yield Layer("pixels", "pixels", 0, flat)
    wavelets = [name for name in ("gabor_simple", "gabor_complex", "motion_energy") if name in models]
    if len(movies[0]) == 1 and "motion_energy" in wavelets:
        wavelets.remove("motion_energy")
    for depth, frequency in enumerate(sorted(set(frequencies)) if wavelets else ()):
        filters = gabors(screen, frequency, orientations)
        parts: dict[str, list[Frames]] = {name: [] for name in wavelets}
        for movie in movies:
            even, odd = filtered(movie, filters)
            if "gabor_simple" in parts:
                parts["gabor_simple"].append(simple(even, odd))
            if "gabor_complex" in parts:
                parts["gabor_complex"].append(energy(even, odd))
            if "motion_energy" in parts:
                parts["motion_energy"].append(motion_energy(even, odd, screen.rate_hz, temporal_frequencies))
        for name, responses in parts.items():
            yield Layer(name, f"{frequency:g} cycles/degree", depth, np.array(responses))
    if "random_convolution" in models:
        kernels = random_kernels(channels, seed)
        features = [random_features(movie, kernels) for movie in movies]
        for depth in range(len(kernels)):
            yield Layer("random_convolution", f"layer {depth + 1}", depth, np.array([f[depth] for f in features]))
