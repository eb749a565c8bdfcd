"""Figure of connectomes as reservoirs: memory and timing against null wiring."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.parts import styles
from allometry.report.drawing.style import COLOURS, drawn_on, panels

NULLS = {"degree_preserving": COLOURS[1], "spatial": COLOURS[2], "random": COLOURS[3]}
MEASURES = {"memory_capacity": "Memory capacity (steps)", "timing_score": "Timing score (1: perfect)"}


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """Both measures of every connectome beside its nulls, and memory by delay."""
    null, decay = curves["reservoir_nulls"], curves["memory_by_delay"]
    names = decay["candidate"].values.astype(object).tolist()
    drawn = [kind for kind in NULLS if kind in null["null"].values.tolist()]
    axes = panels(3, 3, max(3.2, 1.6 + 0.3 * len(names) * (len(drawn) + 1)))
    ax_memory, ax_timing, ax_decay = axes
    for ax, (measure, title) in zip((ax_memory, ax_timing), MEASURES.items()):
        _against(ax, rows[rows["measure"] == measure], null, measure, names, drawn)
        ax.set(title=title)
    ax_timing.tick_params(labelleft=False)
    for (colour, line), name, r2 in zip(styles(len(names)), names, decay["r2"].values):
        ax_decay.plot(decay["delay"], r2, color=colour, ls=line, label=name)
    reach = np.nanmax(np.where(decay["r2"].values > 0.02, decay["delay"].values, 0))
    ax_decay.set(
        title="Memory by delay", xlabel="delay (steps)", ylabel="r2 of the readout", xlim=(0, max(5, 1.3 * reach))
    )
    drawn_on(axes).legend(*_unique(ax_memory), loc="outside lower left", ncols=4)
    drawn_on(axes).legend(*ax_decay.get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return Drawing(drawn_on(axes), _caption(rows, names, drawn))


def _unique(ax: Axes) -> tuple[list, list[str]]:
    handles, labels = ax.get_legend_handles_labels()
    found = dict(zip(labels, handles))
    return list(found.values()), list(found)


def _against(ax: Axes, rows: pd.DataFrame, null: xr.Dataset, measure: str, names: list[str], drawn: list[str]) -> None:
    """Null networks as points below the line of their connectome."""
    step = 1 / (len(drawn) + 1.5)
    rng = np.random.default_rng(0)
    candidates, kinds = null["candidate"].values.tolist(), null["null"].values.tolist()
    for y, name in enumerate(names):
        own = rows[(rows["candidate"] == name) & (rows["group"] == "connectome")]["score"].iloc[0]
        ax.plot([own, own], [y - 0.5 * step, y + 1 - step], color=COLOURS[0], lw=2, label="connectome")
        for k, kind in enumerate(drawn, start=1):
            index = [i for i, pair in enumerate(zip(candidates, kinds)) if pair == (name, kind)]
            if not index:
                continue
            values = null[measure].values[index[0]]
            jitter = (k - 0.5) * step + 0.12 * rng.uniform(-1, 1, values.size)
            label = kind.replace("_", " ")
            ax.plot(values, y + jitter, "o", ms=2.5, alpha=0.6, color=NULLS[kind], label=label)
    ax.set_yticks(np.arange(len(names)) + 0.4, names, fontsize=8)
    ax.set_ylim(len(names), -0.3)


def _caption(rows: pd.DataFrame, names: list[str], drawn: list[str]) -> str:
    said = []
    for name in names:
        mine = rows[(rows["measure"] == "memory_capacity") & (rows["candidate"] == name)].set_index("group")
        own = mine.loc["connectome"]
        parts = [f"{mine.loc[kind]['score']:.2f} {kind.replace('_', ' ')}" for kind in drawn if kind in mine.index]
        said.append(
            f"{name} {own['score']:.2f} (mean of nulls: {', '.join(parts)}; p {own['p']:.2g} against the first)"
        )
    missing = [name for name in names if "spatial" not in set(rows[rows["candidate"] == name]["group"])]
    without = f" No positions, hence no spatial null: {', '.join(missing)}." if missing else ""
    return (
        "Line: the connectome; dots: null networks of the same spectral radius and readout. Memory capacity: "
        f"{'; '.join(said)}. Spatial nulls keep the degrees and the length class of every edge.{without}"
    )
