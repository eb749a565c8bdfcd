"""Figure of model recovery: what each measure sees, what it tells from chance, and its confusion matrix."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.parts import write_shares
from allometry.report.drawing.style import NEUTRAL, SEQUENTIAL, drawn_on, panels

SUMMARIES = {
    "recovery_hit_rate": "Attributed to its own relation",
    "recovery_sees_change": "Scored below: {closest}",
    "recovery_tells_from_unrelated": "Scored above: {none}",
}


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """Summary of every measure and relation, then the confusion matrix of each measure."""
    shown = curves["recovery"]
    measures, truths = shown["measure"].values.tolist(), shown["truth"].values.tolist()
    results = rows[rows["role"] == "result"]
    columns = 3
    axes = panels(columns + len(measures), columns, 3.6)
    for ax, (measure, title) in zip(axes, SUMMARIES.items()):
        table = results[results["measure"] == measure].pivot(index="candidate", columns="reference", values="score")
        _matrix(
            ax,
            table.reindex(index=measures, columns=truths).to_numpy(),
            measures,
            truths,
            title.format(closest=truths[0], none=truths[-1]),
        )
    for ax, measure in zip(axes[columns:], measures):
        confusion = shown["confusion"].sel(measure=measure).values
        _matrix(ax, confusion, truths, truths, f"Confusion: {measure.replace('_', ' ')}", zeros=False)
        ax.set(xlabel="attributed to", ylabel="relation of the pair")
    overall = results[(results["measure"] == "recovery_hit_rate") & (results["reference"] == "all relations")]
    worst, best = (overall.sort_values("score", kind="stable").iloc[end] for end in (0, -1))
    draws = shown.sizes["draw"]
    caption = (
        f"{draws} generated pairs of each relation, scored by every measure. First row: share of pairs attributed to their own "
        f"relation by the nearest mean score (chance {1 / len(truths):.2f}); probability of a lower score than a pair that is {truths[0]} "
        f"(.5: the measure does not see the change), and of a higher score than a pair that is {truths[-1]}. Below: confusion matrices; "
        "relations that share their pairs cannot be told apart. "
        f"Over all relations {best['candidate']} attributes most pairs rightly, {_share(best)}, {worst['candidate']} fewest, "
        f"{_share(worst)}."
    )
    return Drawing(drawn_on(axes), caption)


def _matrix(ax: Axes, values: np.ndarray, rows: list[str], columns: list[str], title: str, zeros: bool = True) -> None:
    ax.imshow(values, vmin=0, vmax=1, cmap=SEQUENTIAL, aspect="auto")
    ax.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor", fontsize=7.5)
    ax.set_yticks(range(len(rows)), [name.replace("_", " ") for name in rows], fontsize=7.5)
    ax.set_title(title, fontsize=9.5)
    for row, column in np.argwhere(~np.isfinite(values)):
        ax.text(column, row, "–", ha="center", va="center", fontsize=7, color=NEUTRAL)
    # the zeros of a confusion matrix need no ink
    write_shares(ax, values if zeros else np.where(values < 0.005, np.nan, values), 7)


def _share(row: pd.Series) -> str:
    return f"{row['score']:.2f} [{row['ci_low']:.2f}, {row['ci_high']:.2f}]"
