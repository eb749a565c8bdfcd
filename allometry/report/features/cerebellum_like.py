"""Figure of the cerebellum-like layer: activity, how it separates patterns, and what the readout learned."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.areas import areas_of, parameter, response_of
from allometry.report.drawing.style import COLOURS, NEUTRAL, SEQUENTIAL, panels

COLUMNS = 4
CELLS, PATTERNS, PAIRS = 80, 60, 3000


def draw(points: Mapping[str, xr.Dataset]) -> tuple[list[Axes], str]:
    """Draw a row per point; returns the panels and the caption."""
    notes = []
    read = any("purkinje" in areas_of(store) for store in points.values())
    columns = COLUMNS if read else COLUMNS - 1
    axes = panels(columns * len(points), columns, 2.8)
    for row, (point, store) in enumerate(points.items()):
        a, b, c, *rest = axes[columns * row : columns * (row + 1)]
        mossy, granule = response_of(store, "mossy"), response_of(store, "granule")
        _activity(a, granule, point)
        _levels(b, granule, float(parameter(store, "coding_level")))
        _separation(c, mossy, granule)
        notes += [f"{point}: {_readout(d, store)}" for d in rest]
    return axes, (
        "A row per point. From the left: activity of granule cells, sampled evenly; share of patterns that a cell is active in, and "
        "its coding level; correlation of two patterns in the granule cells against that in the inputs (pairs sampled evenly)"
        + (f"; what the readout says of test patterns. {'; '.join(notes)}." if read else ".")
    )


def _even(n: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))


def _activity(ax: Axes, granule: np.ndarray, point: str) -> None:
    chosen = granule[np.ix_(_even(granule.shape[0], CELLS), _even(granule.shape[1], PATTERNS))]
    ax.imshow(chosen, aspect="auto", cmap=SEQUENTIAL, interpolation="nearest")
    ax.set(xlabel="pattern (sampled)", ylabel="granule cell (sampled)")
    ax.set_title(point, fontsize=8)


def _levels(ax: Axes, granule: np.ndarray, level: float) -> None:
    share = (granule > 0).mean(axis=1)
    ax.hist(share, 30, color=COLOURS[0])
    ax.axvline(level, color=COLOURS[1], label="coding level")
    ax.set(xlabel="share of patterns", ylabel="granule cells", xlim=(0, None))
    ax.set_title(f"Active cells, {100 * (granule > 0).mean():.1f} %", fontsize=8)
    ax.legend(fontsize=7)


def _separation(ax: Axes, mossy: np.ndarray, granule: np.ndarray) -> None:
    kept = _even(mossy.shape[1], 150)
    pairs = np.stack(np.triu_indices(kept.size, 1), axis=1)
    a, b = pairs[_even(len(pairs), PAIRS)].T
    before, after = (_correlations(x[:, kept], a, b) for x in (mossy, granule))
    ax.plot(before, after, ".", ms=2, color=COLOURS[0], alpha=0.4)
    ax.plot([-1, 1], [-1, 1], ":", color=NEUTRAL)
    ax.set(xlabel="correlation of inputs", ylabel="of granule cells", xlim=(-1, 1), ylim=(-1, 1))
    ax.set_title("Separation of patterns", fontsize=8)


def _correlations(x: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=0)
    norm = np.sqrt((centred**2).sum(axis=0))
    unit = np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 0)
    return np.asarray((unit[:, a] * unit[:, b]).sum(axis=0))


def _readout(ax: Axes, store: xr.Dataset) -> str:
    if "purkinje" not in areas_of(store):
        ax.text(0.5, 0.5, "no readout", ha="center", va="center", transform=ax.transAxes, color=NEUTRAL)
        return "no readout"
    test = store["stimulus"].values.astype(object) == "test"
    said = response_of(store, "purkinje")[0, test]
    if "target" in store:
        target = store["target"].values[test]
        error = float(((target - said) ** 2).sum() / (target**2).sum())
        ax.plot(target, said, ".", ms=3, color=COLOURS[0])
        ax.plot([target.min(), target.max()], [target.min(), target.max()], ":", color=NEUTRAL)
        ax.set(xlabel="target", ylabel="readout")
        ax.set_title(f"Function, relative error {error:.3g}", fontsize=8)
        return f"relative error {error:.3g}"
    label = store["category"].values[test]
    wrong = float(((said > 0) != (label > 0)).mean())
    bins = np.linspace(said.min(), said.max(), 41).tolist()
    for k, value in enumerate((1.0, -1.0)):
        ax.hist(said[label == value], bins, color=COLOURS[k], alpha=0.6, label=f"label {value:g}")
    ax.axvline(0, color=NEUTRAL, lw=0.8)
    ax.set(xlabel="readout", ylabel="test patterns")
    ax.set_title(f"Categories, error {wrong:.3f}", fontsize=8)
    ax.legend(fontsize=7)
    return f"share of wrong categories {wrong:.3f}"
