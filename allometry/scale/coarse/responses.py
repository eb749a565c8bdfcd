"""Response tables: how often cells of a pixel fire, by their class, what the LGN gives them, and their inputs."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import minimize

from allometry import files
from allometry.errors import SimulationError
from allometry.scale.coarse.pixels import CLASSES, INPUTS, OWN
from allometry.stores.schema import TEXT

FloatArray = NDArray[np.float64]
MARGIN = 0.1
"""Share of the range of each input that was seen, by which the table is good beyond it: other networks are as noisy."""
_RIDGE = 1.0
"""Prior spikes per squared unit of a coefficient: classes of few cells and flat inputs decide nothing."""


@dataclass(frozen=True, eq=False)
class Table:
    """Response of one population at one contrast: rate = exp(bias + own . x + gain . u).

    Parameters
    ----------
    bias : np.ndarray
        float [class], logarithm of spikes/s.
    own : np.ndarray
        float [class, `OWN`], by what the cell itself has.
    gain : np.ndarray
        float [`INPUTS`], by inputs as deviations from `centre` in units of it.
    centre : np.ndarray
        float [`INPUTS`], mean inputs, per s.
    low, high : np.ndarray
        float [`INPUTS`], range that the table covers, per s.
    """

    bias: FloatArray
    own: FloatArray
    gain: FloatArray
    centre: FloatArray
    low: FloatArray
    high: FloatArray

    def cell_factor(self, lgn_inputs: np.ndarray, own: FloatArray) -> FloatArray:
        """Rate of cells at mean inputs, float [cell], spikes/s; of classes int [cell] and `own` [cell, `OWN`]."""
        return np.asarray(np.exp(self.bias[lgn_inputs] + (self.own[lgn_inputs] * own).sum(axis=1)))

    def pixel_factor(self, inputs: FloatArray, *, clip: bool = False) -> FloatArray:
        """How much inputs [pixel, `INPUTS`] multiply the rate, float [pixel].

        Parameters
        ----------
        clip : bool
            Take inputs outside the table at its edge: on the way to a fixed point, never for a result.

        Raises
        ------
        SimulationError
            An input is outside the table.
        """
        if clip:
            inputs = np.clip(inputs, self.low, self.high)
        else:
            self.require(inputs)
        return np.asarray(np.exp(((inputs - self.centre) / np.where(self.centre > 0, self.centre, 1.0)) @ self.gain))

    def require(self, inputs: FloatArray) -> None:
        """Refuse inputs [pixel, `INPUTS`] that the table does not cover."""
        outside = ~((inputs >= self.low - 1e-9) & (inputs <= self.high + 1e-9))
        if outside.any():
            pixel, which = np.argwhere(outside)[0]
            raise SimulationError(
                f"the response table does not reach {INPUTS[which]} = {inputs[pixel, which]:.4g} per s "
                f"({int(outside.any(axis=1).sum())} of {len(inputs)} pixels are outside)",
                where=f"pixel {pixel}",
                expected=f"{self.low[which]:.4g} to {self.high[which]:.4g} per s",
                do="build the tables from stimuli, or on networks, that reach as far; they are never extrapolated",
            )


def fit_table(
    spikes: np.ndarray,
    lgn_inputs: np.ndarray,
    own: FloatArray,
    inputs: FloatArray,
    pixel: np.ndarray,
    duration_s: float,
    network: bool = True,
    effect: FloatArray | None = None,
) -> Table:
    """Poisson regression of the spikes of cells on what they have and what their pixels are given.

    Parameters
    ----------
    spikes : np.ndarray
        int [cell], counted over `duration_s`; cells of several simulations one after another.
    lgn_inputs : np.ndarray
        int [cell], class.
    own : np.ndarray
        float [cell, `OWN`].
    inputs : np.ndarray
        float [place, `INPUTS`], per s, of every pixel in every simulation.
    pixel : np.ndarray
        int [cell], its place.
    duration_s : float
        Seconds that were counted.
    network : bool
        Whether the inputs of the pixel are used; without them it is the baseline that knows the LGN alone.
    effect : np.ndarray, optional
        float [`INPUTS`], what an event per s of each input does to the membrane: only one gain of their sum is then free.
        None: a gain of each, which fluctuations that inputs and spikes share make wrong.

    Raises
    ------
    SimulationError
        There are no spikes, or the regression does not converge.
    """
    if not spikes.any():
        raise SimulationError("no cell fired", where="coarse", do="simulate for longer")
    centre = inputs.mean(axis=0)
    spread = np.ptp(inputs, axis=0) * MARGIN
    low, high = np.maximum(inputs.min(axis=0) - spread, 0.0), inputs.max(axis=0) + spread
    u = ((inputs - centre) / np.where(centre > 0, centre, 1.0))[pixel]
    scale = np.maximum(np.abs(own).max(axis=0), 1e-12)
    x = own / scale
    parts_of = np.eye(len(INPUTS))
    if effect is not None:
        parts_of = (effect * centre / np.abs(effect * centre).sum())[:, None]
    u = u @ parts_of
    n_gain = u.shape[1] if network else 0
    cut = CLASSES, CLASSES * (1 + len(OWN))

    def negative(p: FloatArray) -> tuple[float, FloatArray]:
        bias, slope, gain = p[: cut[0]], p[cut[0] : cut[1]].reshape(CLASSES, len(OWN)), p[cut[1] :]
        eta = bias[lgn_inputs] + (slope[lgn_inputs] * x).sum(axis=1)
        if n_gain:
            eta += u @ gain
        expected = duration_s * np.exp(np.minimum(eta, 20.0))
        error = expected - spikes
        weight = np.full(p.size, _RIDGE)
        weight[: cut[0]] = 1e-3
        value = float(expected.sum() - (spikes * eta).sum() + 0.5 * (weight * p**2).sum())
        by_class = [np.bincount(lgn_inputs, error * column, CLASSES) for column in x.T]
        parts = [np.bincount(lgn_inputs, error, CLASSES), np.stack(by_class, axis=1).ravel()]
        if n_gain:
            parts.append(error @ u)
        return value / spikes.sum(), (np.concatenate(parts) + weight * p) / spikes.sum()

    start = np.zeros(cut[1] + n_gain)
    start[: cut[0]] = np.log(spikes.sum() / (len(spikes) * duration_s))
    found = minimize(negative, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "gtol": 1e-6})
    if not found.success:
        raise SimulationError(f"the regression of the responses does not converge: {found.message}", where="coarse")
    p = found.x
    gain = parts_of @ p[cut[1] :] if network else np.zeros(len(INPUTS))
    return Table(p[: cut[0]], p[cut[0] : cut[1]].reshape(CLASSES, len(OWN)) / scale, gain, centre, low, high)


Tables = Mapping[str, Mapping[str, Table]]
"""By condition of contrast (`background`, `driven`) and population."""


def write_tables(tables: Tables, path: str | Path, attrs: Mapping[str, object]) -> None:
    """Write tables as a Zarr store with named axes and units, which appears when it is complete."""
    contrasts = list(tables)
    populations = list(tables[contrasts[0]])

    def stacked(key: str) -> np.ndarray:
        return np.array([[getattr(tables[c][p], key) for p in populations] for c in contrasts])

    on = ("contrast", "population")
    found = xr.Dataset(
        {
            "bias": ((*on, "lgn_inputs"), stacked("bias"), {"units": "log(spikes/s)"}),
            "own": ((*on, "lgn_inputs", "own_input"), stacked("own"), {"units": "1"}),
            "gain": ((*on, "input"), stacked("gain"), {"units": "1"}),
            **{
                key: ((*on, "input"), stacked(key), {"units": "1/s"}) for key in ("centre", "low", "high")
            },
        },
        coords={
            "contrast": np.array(contrasts, TEXT),
            "population": np.array(populations, TEXT),
            "lgn_inputs": np.arange(CLASSES),
            "own_input": np.array(OWN, TEXT),
            "input": np.array(INPUTS, TEXT),
        },
        attrs=dict(attrs),
    )  # fmt: skip
    place = Path(path)
    with files.writing(place, SimulationError):
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = files.beside(place)
        found.to_zarr(partial, mode="w", consolidated=False, zarr_format=3)
        if place.exists():
            shutil.rmtree(place)
        partial.rename(place)


def read_tables(path: str | Path) -> dict[str, dict[str, Table]]:
    """Tables that `write_tables` wrote."""
    with xr.open_zarr(path, consolidated=False) as found:
        keys = ("bias", "own", "gain", "centre", "low", "high")
        return {
            str(c): {
                str(p): Table(*(found[key].sel(contrast=c, population=p).values for key in keys))
                for p in found["population"].values
            }
            for c in found["contrast"].values
        }
