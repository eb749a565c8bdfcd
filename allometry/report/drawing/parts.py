"""What the figures of several comparisons share: styles, points with intervals, legends, rows and numbers as text."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.names import readable
from allometry.report.drawing.numbers import unlisted
from allometry.report.drawing.style import BAND, COLOURS, NEUTRAL

TEXT = ("measure", "candidate", "reference", "group")
LINES = ("-", "--", "-.", ":")
# Populations that have panels of their own and labels of two lines; of more, the others are in the table.
SHOWN_POPULATIONS = 2


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
    labels = [" ".join(readable(part) for part in parts if part) for parts in named]
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
                color=BAND,
                edgecolor="#bbbbbb",
                label=unlisted("noise ceiling"),
            )
    ax.errorbar(score, y, xerr=error, fmt="o", color=COLOURS[0], ms=4, lw=1)
    if chance is not None:
        ax.axvline(chance, ls=":", color=NEUTRAL)
    ax.set_yticks(y, labels, fontsize=7)
    ax.invert_yaxis()
    ax.set_title(title)


def write_shares(ax: Axes, values: np.ndarray, size: float) -> None:
    """Write each share [row, column] of an image into its pixel, light on dark; NaN stays empty."""
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            # two decimals and no leading zero, since pixels are small
            text = "1" if value >= 0.995 else f"{value:.2f}".replace("0.", ".")
            colour = "white" if value < 0.6 else "black"
            written = ax.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)
            written.set_in_layout(False)  # inside its panel it needs no room


def legend_below(ax: Axes, y: float = -0.2, columns: int = 2) -> None:
    """Legend below the axes, where it covers no data."""
    ax.legend(fontsize=6.5, loc="upper left", bbox_to_anchor=(0.0, y), ncols=columns, borderaxespad=0)


def one_row(rows: pd.DataFrame, **values: str) -> pd.Series:
    """The one row that has these values in these columns."""
    for column, value in values.items():
        rows = rows[rows[column] == value]
    return rows.iloc[0]


def estimate(row: pd.Series) -> str:
    """Score with its interval, where there is one."""
    if not np.isfinite(row["ci_low"]):
        return f"{row['score']:.3f}"
    return f"{row['score']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]"
