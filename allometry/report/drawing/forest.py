"""Figure of any Scores store: one line per row, one panel per measure."""

from pathlib import Path

import pandas as pd

from allometry.report.drawing.parts import intervals
from allometry.report.drawing.style import figure, hide_unused

# A forest of more rows than this is not readable; the table below the figures has them all.
MOST_ROWS = 40


def forest(rows: pd.DataFrame, image: str | Path) -> str:
    """One panel per measure, one line per row; returns the caption."""
    measures = list(dict.fromkeys(rows["measure"]))
    columns = min(2, len(measures))
    tallest = min(MOST_ROWS, int(rows.groupby("measure").size().max()))
    with figure(image, columns, -(-len(measures) // columns), (5.2, max(2.4, 0.24 * tallest))) as axes:
        for ax, measure in zip(axes, measures):
            intervals(ax, rows[rows["measure"] == measure].head(MOST_ROWS), measure.replace("_", " "))
        hide_unused(axes, len(measures))
    longest = int(rows.groupby("measure").size().max())
    cut = (
        f" The first {MOST_ROWS} of up to {longest} rows per measure; the table has all." if longest > MOST_ROWS else ""
    )
    return "Scores with their 95 % intervals; the grey band is the noise ceiling where there is one." + cut
