"""Movies of the stimuli of a presentation table: luminance [frame, y, x] in [0, 1], grey is 0.5.

Directions are those of motion, counterclockwise in degrees, 0 to the right; x grows to the right and y upwards, 0 in the
centre of the screen. A grating of direction d is

    L(x, y, t) = (1 + c sin(2 pi (f (x cos d + y sin d) - F t + p))) / 2

with contrast c, spatial frequency f (cycles/degree), temporal frequency F (Hz) and phase p (cycles). Experiments differ in
what they call 0 degrees; a bank of models that has every orientation does not see that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy
import xarray as xr

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inputs.design import Population
from allometry.compare.options import representation_similarity as options
from allometry.errors import ComparisonError

Frames = npt.NDArray[np.float32]
GREY = 0.5
DEFAULTS: dict[str, float] = {
    "spatial_frequency": options.SPATIAL_FREQUENCY,
    "temporal_frequency": options.TEMPORAL_FREQUENCY,
    "contrast": options.CONTRAST,
    "phase": 0.0,
}
"""For what a table does not say: the values of the Allen Brain Observatory (de Vries et al. 2020)."""


@dataclass(frozen=True)
class Screen:
    """A square screen: `field_deg` wide in degrees of visual angle, `pixels` wide, `rate_hz` frames per second."""

    field_deg: float = 120.0
    pixels: int = 64
    rate_hz: float = 60.0
    movie_s: float = 1.0

    @property
    def degrees_per_pixel(self) -> float:
        """Width of a pixel, degrees."""
        return self.field_deg / self.pixels

    @property
    def frames(self) -> int:
        """Frames of a movie."""
        return max(1, round(self.rate_hz * self.movie_s))

    def axes(self) -> tuple[FloatArray, FloatArray]:
        """x [1, pixels] and y [pixels, 1] of the centres of the pixels, degrees from the centre of the screen."""
        at: FloatArray = np.asarray((np.arange(self.pixels) - (self.pixels - 1) / 2) * self.degrees_per_pixel, float)
        return at[None, :], -at[:, None]


def grating(
    screen: Screen,
    direction: float,
    spatial_frequency: float,
    temporal_frequency: float = 0.0,
    contrast: float = 1.0,
    phase: float = 0.0,
    size: float = np.nan,
    centre: tuple[float, float] = (0.0, 0.0),
) -> Frames:
    """Frames of a drifting (or, at 0 Hz, a static) sinusoidal grating.

    Parameters
    ----------
    direction : float
        Direction of motion, degrees counterclockwise from the right.
    spatial_frequency, temporal_frequency : float
        Cycles per degree, Hz.
    contrast, phase : float
        Michelson contrast in [0, 1]; cycles.
    size : float
        Diameter of a round aperture in degrees, grey around it; NaN for the whole screen.
    centre : (float, float)
        x and y of the aperture, degrees.

    Returns
    -------
    ndarray, shape (frames, pixels, pixels)
        One frame at 0 Hz.

    Raises
    ------
    ComparisonError
        A contrast outside 0 to 1, or a frequency that the pixels or the frames cannot show.
    """
    if not 0 <= contrast <= 1:
        raise ComparisonError(f"contrast {contrast:g}", where="contrast", expected="0 to 1")
    if not 0 < spatial_frequency < 0.5 / screen.degrees_per_pixel:
        raise ComparisonError(
            f"a grating of {spatial_frequency:g} cycles/degree",
            where="screen",
            expected=f"less than {0.5 / screen.degrees_per_pixel:.3g} (half a cycle per pixel)",
            do="use more pixels or a smaller field",
        )
    if not abs(temporal_frequency) < screen.rate_hz / 2:
        raise ComparisonError(
            f"a grating of {temporal_frequency:g} Hz", where="screen", expected=f"less than {screen.rate_hz / 2:g} Hz"
        )
    x, y = screen.axes()
    angle = np.deg2rad(direction)
    space = spatial_frequency * (x * np.cos(angle) + y * np.sin(angle)) + phase
    time = np.arange(screen.frames if temporal_frequency else 1) / screen.rate_hz
    wave = np.sin(2 * np.pi * (space[None] - temporal_frequency * time[:, None, None]))
    if np.isfinite(size):
        inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= (size / 2) ** 2
        wave = wave * inside
    return np.asarray(GREY * (1 + contrast * wave), dtype=np.float32)


def render(
    population: Population,
    screen: Screen,
    *,
    defaults: Mapping[str, float] | None = None,
    store: xr.Dataset | None = None,
) -> tuple[list[Frames], dict[str, str]]:
    """Movies of all stimuli of a population, and what was assumed.

    Parameters
    ----------
    population : Population
    screen : Screen
    defaults : mapping, optional
        Values for parameters that the table does not give, over `DEFAULTS`.
    store : Dataset, optional
        The store of the population; where it has `pixels(image, y, x)`, images are taken from there by their `frame`.

    Returns
    -------
    movies : list of ndarray, shape (frames, pixels, pixels)
        All movies have the same number of frames: those that stand still are repeated.
    assumed : dict
        Words for `derived`.

    Raises
    ------
    ComparisonError
        A stimulus that its table does not determine.
    """
    values = {**DEFAULTS, **(defaults or {})}
    assumed: dict[str, set[str]] = {}
    movies = [_movie(row, population.name, screen, values, store, assumed) for _, row in population.stimuli.iterrows()]
    longest = max(map(len, movies))
    movies = [np.repeat(movie, longest // len(movie), axis=0) if len(movie) == 1 else movie for movie in movies]
    return movies, {name: ", ".join(sorted(texts)) for name, texts in assumed.items()}


def _movie(
    row: pd.Series,
    name: str,
    screen: Screen,
    values: Mapping[str, float],
    store: xr.Dataset | None,
    assumed: dict[str, set[str]],
) -> Frames:
    kind = str(row["kind"])
    if row["blank"]:
        assumed.setdefault("blank", set()).add("grey")
        return np.full((1, screen.pixels, screen.pixels), GREY, np.float32)
    drifting = kind.startswith("drifting")
    angle = row.get("direction" if drifting else "orientation", np.nan)
    if not (drifting or kind.startswith("static")):
        return _image(row, name, screen, store)
    if not np.isfinite(angle):
        raise ComparisonError(
            f"stimulus {row['label']!r} of {name} has no {'direction' if drifting else 'orientation'}",
            where=name,
            expected="gratings of one direction each",
            do="do not pool presentations of different directions",
        )

    def parameter(key: str) -> float:
        value = float(row.get(key, np.nan))
        if np.isfinite(value):
            return value
        assumed.setdefault(key, set()).add(f"{values[key]:g}")
        return float(values[key])

    size = float(row.get("size", np.nan))
    x, y = (float(row.get(key, np.nan)) for key in ("x_position", "y_position"))
    return grating(
        screen,
        float(angle),
        parameter("spatial_frequency"),
        parameter("temporal_frequency") if drifting else 0.0,
        parameter("contrast"),
        parameter("phase"),
        # A stimulus that is as large as the screen has no edge.
        size if size < screen.field_deg else np.nan,
        (x if np.isfinite(x) else 0.0, y if np.isfinite(y) else 0.0),
    )


def _image(row: pd.Series, name: str, screen: Screen, store: xr.Dataset | None) -> Frames:
    """A stored image, centre cut to a square and resampled to the pixels of the screen."""
    number = float(row.get("frame", np.nan))
    if store is None or "pixels" not in store or not np.isfinite(number):
        raise ComparisonError(
            f"stimulus {row['kind']!r} of {name} cannot be rendered",
            where=name,
            expected="drifting or static gratings, blanks, or images in a variable pixels(image, y, x) of the store, "
            "numbered by the column `frame`",
            do="choose another `stimulus`, or leave `models` empty",
        )
    pixels = store["pixels"].transpose("image", "y", "x")
    numbers = pixels["image"].values if "image" in pixels.coords else np.arange(pixels.sizes["image"])
    if number not in numbers:
        raise ComparisonError(f"image {number:g} has no pixels", where=name, expected=f"{len(numbers)} images stored")
    stored = pixels.values[int(np.flatnonzero(numbers == number)[0])]
    image = stored.astype(float) / (255.0 if stored.dtype.kind in "iu" else 1.0)
    if not np.isfinite(image).all() or image.min() < 0 or image.max() > 1:
        raise ComparisonError("pixels lie outside 0 to 1", where=name, expected="luminance: 0 to 1, or 8-bit integers")
    side = min(image.shape)
    top, left = ((length - side) // 2 for length in image.shape)
    square = image[top : top + side, left : left + side]
    resampled = scipy.ndimage.zoom(
        scipy.ndimage.gaussian_filter(square, max(0.0, side / screen.pixels / 2 - 0.5)), screen.pixels / side, order=1
    )
    return np.clip(resampled, 0, 1)[None].astype(np.float32)
