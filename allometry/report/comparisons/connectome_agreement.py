"""Figure of annotations of one nervous system: how far their connections agree."""

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.parts import write_shares
from allometry.report.drawing.style import SEQUENTIAL, drawn_on, panels


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """Matrix of each measure and kind of synapse."""
    shown = curves["agreement"]
    measures = [name for name in ("edge_recall", "edge_jaccard", "weight_rank_correlation") if name in shown]
    kinds = shown["synapse"].values.tolist()
    labels = [readable(name) for name in shown["candidate"].values.tolist()]
    axes = panels(len(measures) * len(kinds), len(measures), 3.9)
    places = [(kind, measure) for kind in kinds for measure in measures]
    for place, (ax, (kind, measure)) in enumerate(zip(axes, places)):
        matrix = shown[measure].values[kinds.index(kind)]
        drawn = ax.imshow(matrix, vmin=0, vmax=1, cmap=SEQUENTIAL)
        ax.set_xticks(range(len(labels)), labels, rotation=90, fontsize=6.5)
        ax.set_yticks(range(len(labels)), labels, fontsize=6.5)
        # all have the same names: at the left and below they stand once
        ax.tick_params(labelleft=place % len(measures) == 0, labelbottom=place >= len(measures) * (len(kinds) - 1))
        ax.set_title(f"{measure.replace('_', ' ')}, {kind}", fontsize=9)
        if len(labels) <= 16:
            write_shares(ax, matrix, 5.5)
    drawn_on(axes).colorbar(drawn, ax=axes, shrink=0.5, aspect=30)
    caption = (
        "Row: candidate, column: reference, on the neurons that both hold. Recall: share of the reference's edges that the "
        "candidate has. The stages Witvliet 1 to 8 are ordered by age."
    )
    return Drawing(drawn_on(axes), caption)
