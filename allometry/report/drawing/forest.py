"""Figure of any Scores store: one line per row, one panel per measure."""

import pandas as pd

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.parts import intervals
from allometry.report.drawing.style import drawn_on, panels

# A forest of more rows than this is not readable; the table below the figures has them all.
MOST_ROWS = 40


def forest(rows: pd.DataFrame) -> Drawing:
    """One panel per measure, one line per row."""
    measures = list(dict.fromkeys(rows["measure"]))
    tallest = min(MOST_ROWS, int(rows.groupby("measure").size().max()))
    axes = panels(len(measures), min(2, len(measures)), max(2.4, 0.9 + 0.19 * tallest))
    for ax, measure in zip(axes, measures):
        intervals(ax, rows[rows["measure"] == measure].head(MOST_ROWS), measure.replace("_", " "))
    longest = int(rows.groupby("measure").size().max())
    cut = (
        f" The first {MOST_ROWS} of up to {longest} rows per measure; the table has all." if longest > MOST_ROWS else ""
    )
    caption = "Scores with their 95 % intervals; the grey band is the noise ceiling where there is one." + cut
    return Drawing(drawn_on(axes), caption)
