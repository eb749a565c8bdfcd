"""Response tables: how often a cell fires, by its class, what the LGN gives it, and what excites and inhibits it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from allometry import stores
from allometry.errors import SimulationError
from allometry.models import MODELS
from allometry.scale.coarse.pixels import CLASSES, INPUTS, OWN
from allometry.stores.schema import TEXT

FloatArray = NDArray[np.float64]
MARGIN = 0.25
"""Share of the range of each input that was seen, by which the table is good beyond it: other networks are as noisy."""
DRIVES = ("excitation", "inhibition")
"""What the network gives a cell: weights of the events that reach it, summed over a second."""
_LARGEST = 30.0
"""Exponents above it are those of an iteration that runs away."""


@dataclass(frozen=True, eq=False)
class Table:
    """Response of one population at one contrast: rate = A log(1 + exp(u) / A), u = bias + own . x + gain . (drive - centre).

    Rare spikes are exponential in the drive, frequent ones linear.

    Parameters
    ----------
    bias : np.ndarray
        float [class], logarithm of spikes/s.
    own : np.ndarray
        float [class, `OWN`], by what the cell itself has.
    gain : np.ndarray
        float [class, `DRIVES`], by summed weight per s; that of inhibition is negative.
    centre : np.ndarray
        float [class, `DRIVES`], mean drives, per s.
    saturation : float
        A, spikes/s.
    low, high : np.ndarray
        float [`INPUTS`], range of the inputs of pixels that the table covers, per s.
    """

    bias: FloatArray
    own: FloatArray
    gain: FloatArray
    centre: FloatArray
    saturation: float
    low: FloatArray = field(default_factory=lambda: np.zeros(len(INPUTS)))
    high: FloatArray = field(default_factory=lambda: np.full(len(INPUTS), np.inf))

    def own_drive(self, lgn_inputs: np.ndarray, own: FloatArray) -> FloatArray:
        """u of cells at the mean drives, float [cell]; of classes int [cell] and `own` [cell, `OWN`]."""
        return np.asarray(self.bias[lgn_inputs] + (self.own[lgn_inputs] * own).sum(axis=1))

    def network_drive(self, lgn_inputs: np.ndarray, drives: FloatArray) -> FloatArray:
        """What drives [cell, `DRIVES`] add to u, float [cell]."""
        return np.asarray((self.gain[lgn_inputs] * (drives - self.centre[lgn_inputs])).sum(axis=1))

    def rate(self, u: FloatArray) -> FloatArray:
        """Spikes/s."""
        return np.asarray(self.saturation * np.log1p(np.exp(np.minimum(u, _LARGEST)) / self.saturation))

    def slope(self, u: FloatArray) -> FloatArray:
        """Change of the rate with u, spikes/s."""
        grown = np.exp(np.minimum(u, _LARGEST))
        return np.asarray(grown / (1.0 + grown / self.saturation))

    def require(self, inputs: FloatArray) -> None:
        """Refuse inputs of pixels [pixel, `INPUTS`] that the table does not cover.

        Raises
        ------
        SimulationError
            An input is outside the table.
        """
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


def covered(inputs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest inputs that a table covers, float [`INPUTS`] each, of those seen [pixel, `INPUTS`]."""
    spread = np.ptp(inputs, axis=0) * MARGIN
    return np.maximum(inputs.min(axis=0) - spread, 0.0), inputs.max(axis=0) + spread


Tables = Mapping[str, Mapping[str, Mapping[str, Table]]]
"""By what is known of the network (`estimation.KNOWN`), contrast (`background`, `driven`) and population."""


def as_dataset(tables: Tables) -> xr.Dataset:
    """Tables as one data set with named axes and units."""
    known = list(tables)
    contrasts = list(tables[known[0]])
    populations = list(tables[known[0]][contrasts[0]])

    def stacked(key: str) -> np.ndarray:
        return np.array([[[getattr(tables[k][c][p], key) for p in populations] for c in contrasts] for k in known])

    on = ("known", "contrast", "population")
    of_class = (*on, "lgn_inputs")
    of_input = (*on, "input")
    return xr.Dataset(
        {
            "bias": (of_class, stacked("bias"), {"units": "log(spikes/s)"}),
            "own": ((*of_class, "own_input"), stacked("own"), {"units": "1"}),
            "gain": ((*of_class, "drive"), stacked("gain"), {"units": "s"}),
            "centre": ((*of_class, "drive"), stacked("centre"), {"units": "1/s"}),
            "saturation": (on, stacked("saturation"), {"units": "spikes/s"}),
            "low": (of_input, stacked("low"), {"units": "1/s"}),
            "high": (of_input, stacked("high"), {"units": "1/s"}),
        },
        coords={
            "known": np.array(known, TEXT),
            "contrast": np.array(contrasts, TEXT),
            "population": np.array(populations, TEXT),
            "lgn_inputs": np.arange(CLASSES),
            "own_input": np.array(OWN, TEXT),
            "drive": np.array(DRIVES, TEXT),
            "input": np.array(INPUTS, TEXT),
        },
    )


def write_tables(
    tables: Tables, path: str | Path, attrs: Mapping[str, object], provenance: Mapping[str, object] | None = None
) -> None:
    """Write tables as a Scores store, which has them under `curves/tables`, and saturations and mean gains as its rows."""
    rows = [
        {"measure": measure, "candidate": population, "group": contrast, "score": value, "role": "result"}
        for contrast, of in tables["drawn"].items()
        for population, table in of.items()
        for measure, value in (
            ("saturation", table.saturation),
            *((f"{drive}_gain", float(table.gain[:, k].mean())) for k, drive in enumerate(DRIVES)),
        )
    ]
    given = {
        "title": "Responses of the cells of V1", "species": "none (model)", "licence": "none", "source": {"model": "v1"},
        "citation": MODELS["v1"].source, "parameters": {}, "derived": {},
        **attrs,
    }  # fmt: skip
    stores.write(
        stores.scores(rows, {"tables": as_dataset(tables)}, attrs=given),
        path,
        overwrite=True,
        provenance=dict(provenance or {}),
    )


def read_tables(path: str | Path) -> dict[str, dict[str, dict[str, Table]]]:
    """Tables that `write_tables` wrote."""
    keys = ("bias", "own", "gain", "centre", "saturation", "low", "high")
    tree = stores.open(path)
    assert isinstance(tree, xr.DataTree)
    found = tree["curves/tables"].to_dataset().load()

    def table(k: str, c: str, p: str) -> Table:
        bias, own, gain, centre, saturation, low, high = (
            found[key].sel(known=k, contrast=c, population=p).values for key in keys
        )
        return Table(bias, own, gain, centre, float(saturation), low, high)

    return {
        str(k): {str(c): {str(p): table(k, c, p) for p in found["population"].values} for c in found["contrast"].values}
        for k in found["known"].values
    }
