"""Figures of responses: what each unit does in each condition, and how much of it comes back."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry import stores
from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import name_entries, unlisted
from allometry.report.drawing.style import COLOURS, NEUTRAL, SEQUENTIAL, drawn_on, panels

MOST_LABELS = 24


def draw(ds: xr.Dataset, name: str) -> Drawing:
    """Mean response of every unit to every condition, and the correlation of each unit's responses between repeats.

    Parameters
    ----------
    ds : Dataset
        Responses store; of responses with lags the mean over them is drawn.
    name : str
        Its name.
    """
    trials = stores.to_trials(ds)
    if "lag" in trials.dims:
        trials = trials.mean("lag", skipna=True)
    axes = panels(2, 2, 4.6)
    _means(axes[0], trials, str(ds["response"].attrs["units"]))
    median = _repeats(axes[1], trials)
    conditions, repeats, units = trials.shape
    said = "" if median is None else f" The median over units is {median:.2f}."
    caption = (
        f"Left: mean response of {units:,} units to {conditions:,} conditions over up to {repeats} repeats; white: missing. Right: "
        f"correlation over conditions between the means of odd and of even repeats, of each unit.{said}"
    )
    return Drawing(drawn_on(axes), caption, f"Responses: {readable(name)}", core=axes[0])


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean of what is not missing; NaN where everything is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _means(ax: Axes, trials: xr.DataArray, units: str) -> None:
    mean = _mean(trials.values.astype(np.float64), 1)
    shown = ax.imshow(mean.T, aspect="auto", cmap=SEQUENTIAL, interpolation="nearest")
    conditions = [str(name) for name in trials["condition"].values.tolist()]
    name_entries(shown, [str(name) for name in trials["unit"].values.tolist()], conditions)
    if len(conditions) <= MOST_LABELS:
        ax.set_xticks(range(len(conditions)), conditions, rotation=90, fontsize=7)
    ax.set(xlabel="condition", ylabel="unit", title="Mean response")
    ax.figure.colorbar(shown, ax=ax, shrink=0.8, label="response" if units == "1" else f"response ({units})")


def _repeats(ax: Axes, trials: xr.DataArray) -> float | None:
    values = trials.values.astype(np.float64)
    odd, even = _mean(values[:, 0::2], 1), _mean(values[:, 1::2], 1)
    found = [_correlation(odd[:, unit], even[:, unit]) for unit in range(values.shape[2])]
    known = np.array([one for one in found if np.isfinite(one)])
    ax.set(xlabel="correlation between repeats", ylabel="units", title="How much comes back", xlim=(-1, 1))
    if not known.size:
        ax.text(
            0.5,
            0.5,
            "fewer than two repeats\nof three conditions",
            ha="center",
            va="center",
            transform=ax.transAxes,
            color=NEUTRAL,
        )
        return None
    ax.hist(known, bins=np.linspace(-1, 1, 41).tolist(), color=COLOURS[0])
    median = float(np.median(known))
    ax.axvline(median, color=COLOURS[1], label=unlisted("median"))
    return median


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 3 or np.ptp(a[both]) == 0 or np.ptp(b[both]) == 0:
        return float("nan")
    return float(np.corrcoef(a[both], b[both])[0, 1])
