"""Figures of responses: what each unit does in each condition, and how much of it comes back."""

from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry import stores
from allometry.report.drawing.figure_file import Figure
from allometry.report.drawing.style import COLOURS, SEQUENTIAL, figure

MOST_LABELS = 24


def draw(path: str | Path, name: str, image: str | Path) -> None:
    """Mean response of every unit to every condition, and the correlation of each unit's responses between repeats.

    Parameters
    ----------
    path : path
        Responses store; of responses with lags the mean over them is drawn.
    name : str
        Of the store.
    image : path
        File to write; its description is written beside it.
    """
    ds = stores.open(path)
    assert isinstance(ds, xr.Dataset)
    trials = stores.to_trials(ds)
    if "lag" in trials.dims:
        trials = trials.mean("lag", skipna=True)
    with figure(image, 2, 1, (5.2, 4.2)) as axes:
        _means(axes[0], trials, str(ds["response"].attrs["units"]))
        median = _repeats(axes[1], trials)
    conditions, repeats, units = trials.shape
    said = "" if median is None else f" The median over units is {median:.2f}."
    caption = (
        f"Left: mean response of {units:,} units to {conditions:,} conditions over up to {repeats} repeats; white: missing. Right: "
        f"correlation over conditions between the means of odd and of even repeats, of each unit.{said}"
    )
    Figure(f"Responses: {name}", caption, (str(path),)).save(image)


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean of what is not missing; NaN where everything is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _means(ax: Axes, trials: xr.DataArray, units: str) -> None:
    mean = _mean(trials.values.astype(np.float64), 1)
    shown = ax.imshow(mean.T, aspect="auto", cmap=SEQUENTIAL, interpolation="nearest")
    conditions = trials["condition"].values.tolist()
    if len(conditions) <= MOST_LABELS:
        ax.set_xticks(range(len(conditions)), [str(name)[:18] for name in conditions], rotation=90, fontsize=7)
    ax.set(xlabel="condition", ylabel="unit", title="mean response")
    ax.figure.colorbar(shown, ax=ax, shrink=0.8, label="response" if units == "1" else f"response ({units})")


def _repeats(ax: Axes, trials: xr.DataArray) -> float | None:
    values = trials.values.astype(np.float64)
    odd, even = _mean(values[:, 0::2], 1), _mean(values[:, 1::2], 1)
    found = [_correlation(odd[:, unit], even[:, unit]) for unit in range(values.shape[2])]
    known = np.array([one for one in found if np.isfinite(one)])
    ax.set(xlabel="correlation between repeats", ylabel="units", title="how much comes back", xlim=(-1, 1))
    if not known.size:
        ax.text(
            0.5, 0.5, "fewer than two repeats\nof three conditions", ha="center", va="center", transform=ax.transAxes
        )
        return None
    ax.hist(known, bins=np.linspace(-1, 1, 41).tolist(), color=COLOURS[0])
    median = float(np.median(known))
    ax.axvline(median, color=COLOURS[1])
    return median


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 3 or np.ptp(a[both]) == 0 or np.ptp(b[both]) == 0:
        return float("nan")
    return float(np.corrcoef(a[both], b[both])[0, 1])
