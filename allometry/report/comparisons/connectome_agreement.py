"""Figure of annotations of one nervous system: how far their connections agree."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import xarray as xr

from allometry.report.drawing.parts import write_shares
from allometry.report.drawing.style import figure


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset], image: str | Path) -> str:
    """Matrix of each measure and kind of synapse; returns the caption."""
    shown = curves["agreement"]
    measures = [name for name in ("edge_recall", "edge_jaccard", "weight_rank_correlation") if name in shown]
    kinds = shown["synapse"].values.tolist()
    labels = shown["candidate"].values.tolist()
    with figure(image, len(measures), len(kinds), (5.0, 4.6)) as axes:
        for ax, (kind, measure) in zip(axes, [(kind, measure) for kind in kinds for measure in measures]):
            matrix = shown[measure].values[kinds.index(kind)]
            drawn = ax.imshow(matrix, vmin=0, vmax=1, cmap="viridis")
            ax.set_xticks(range(len(labels)), labels, rotation=90, fontsize=6.5)
            ax.set_yticks(range(len(labels)), labels, fontsize=6.5)
            ax.set_title(f"{measure.replace('_', ' ')}, {kind}", fontsize=9)
            plt.colorbar(drawn, ax=ax, shrink=0.75)
            if len(labels) <= 16:
                write_shares(ax, matrix, 5)
    return (
        "Row: candidate, column: reference, on the neurons that both hold. Recall: share of the reference's edges that the "
        "candidate has. The stages Witvliet 1 to 8 are ordered by age."
    )
