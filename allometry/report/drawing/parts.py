"""What the figures of several comparisons share: styles, points with intervals, numbers as text."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.style import COLOURS, NEUTRAL

TEXT = ("measure", "candidate", "reference", "group")
LINES = ("-", "--", "-.", ":")


def styles(count: int) -> Iterator[tuple[str, str]]:
    """Colour and line of each of `count` curves: all colours with whole lines first, then again with broken ones."""
    for index in range(count):
        line, colour = divmod(index, len(COLOURS))
        yield COLOURS[colour], LINES[line % len(LINES)]


def rows_of(tree: xr.DataTree) -> pd.DataFrame:
    """Rows of a Scores store, names as str."""
    table = tree.to_dataset().reset_coords().to_dataframe().reset_index(drop=True)
    return table.astype(dict.fromkeys(TEXT, str))


def intervals(ax: Axes, table: pd.DataFrame, title: str, chance: float | None = None) -> None:
    """Points with intervals, one line per row; the ceiling as a band."""
    named = table[["candidate", "reference", "group"]].astype(str).to_numpy().tolist()
    labels = [" ".join(part for part in parts if part) for parts in named]
    y = np.arange(len(table))
    score = table["score"].to_numpy()
    error = np.nan_to_num(np.abs(table[["ci_low", "ci_high"]].to_numpy().T - score))
    for position, (low, high) in zip(y, table[["ceiling_low", "ceiling_high"]].to_numpy()):
        if np.isfinite(low):
            ax.barh(
                position,
                (high if np.isfinite(high) else low) - low,
                0.8,
                left=low,
                color="#dddddd",
                edgecolor="#bbbbbb",
            )
    ax.errorbar(score, y, xerr=error, fmt="o", color=COLOURS[0], ms=4, lw=1)
    if chance is not None:
        ax.axvline(chance, ls=":", color=NEUTRAL)
    ax.set_yticks(y, labels, fontsize=7)
    ax.invert_yaxis()
    ax.set_title(title)


def grouped(ax: Axes, table: pd.DataFrame, title: str, chance: float) -> None:
    """Points with intervals, one line per candidate, one colour per group."""
    candidates = list(dict.fromkeys(table["candidate"]))
    groups = list(dict.fromkeys(table["group"]))
    for shift, group, (colour, _) in zip(np.linspace(-0.25, 0.25, len(groups)), groups, styles(len(groups))):
        part = table[table["group"] == group]
        y = np.array([candidates.index(name) for name in part["candidate"]]) + shift
        score = part["score"].to_numpy()
        error = np.nan_to_num(np.abs(part[["ci_low", "ci_high"]].to_numpy().T - score))
        ax.errorbar(score, y, xerr=error, fmt="o", ms=4, lw=1, color=colour, label=group.replace("_", " ") or "score")
    ax.axvline(chance, ls=":", color=NEUTRAL)
    ax.set_yticks(range(len(candidates)), candidates, fontsize=7)
    ax.invert_yaxis()
    ax.set_title(title)
    ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def short_share(value: float) -> str:
    """A share with two decimals and without the leading zero."""
    return "1" if value >= 0.995 else f"{value:.2f}".replace("0.", ".")


def estimate(row: pd.Series) -> str:
    """Score with its interval, where there is one."""
    if not np.isfinite(row["ci_low"]):
        return f"{row['score']:.3f}"
    return f"{row['score']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]"
