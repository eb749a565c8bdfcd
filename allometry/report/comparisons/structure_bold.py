"""Figure of structural connectivity against BOLD."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr

from allometry.report.drawing.parts import estimate
from allometry.report.drawing.style import COLOURS, figure
from allometry.report.drawing.verdicts import sentence


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset], image: str | Path) -> str:
    """Subjects against the ceiling, whose structure tells whose function, BOLD by weight; returns the caption."""
    scores = rows[rows["measure"] == "structure_bold_correlation"]
    own = scores[scores["group"] == "own"].reset_index(drop=True)
    matrix, by_weight = curves["structure_bold_matrix"], curves["bold_by_weight"]
    with figure(image, 3, 1, (4.6, 3.8)) as (ax_own, ax_matrix, ax_weight):
        y = np.arange(len(own))
        for position, (low, high) in zip(y, own[["ceiling_low", "ceiling_high"]].to_numpy()):
            ax_own.barh(position, high - low, 0.8, left=low, color="#dddddd", edgecolor="#bbbbbb")
        error = np.abs(own[["ci_low", "ci_high"]].to_numpy().T - own["score"].to_numpy())
        ax_own.errorbar(own["score"], y, xerr=error, fmt="o", ms=4, lw=1, color=COLOURS[0], label="own structure")
        for group, colour in zip(("other_subjects", "fibre_path", "strength", "fibre_length"), COLOURS[1:]):
            part = scores[scores["group"] == group]
            if part.empty:  # no fibre lengths
                continue
            ax_own.plot(part["score"], y, "|", ms=9, mew=1.6, color=colour, label=group.replace("_", " "))
        ax_own.set_yticks(y, own["candidate"], fontsize=7)
        ax_own.invert_yaxis()
        ax_own.set(title="Structure against BOLD", xlabel="rank correlation (band: noise ceiling)")
        ax_own.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
        drawn = ax_matrix.imshow(matrix["correlation"].values, cmap="viridis")
        for set_ticks, names in (
            (ax_matrix.set_yticks, matrix["structure"]),
            (ax_matrix.set_xticks, matrix["function"]),
        ):
            set_ticks(range(names.size), names.values.tolist(), fontsize=6.5)
        ax_matrix.tick_params(axis="x", rotation=90)
        ax_matrix.set(title="Whose structure, whose function", xlabel="function of", ylabel="structure of")
        plt.colorbar(drawn, ax=ax_matrix, shrink=0.8)
        spread = by_weight["sd"].values
        ax_weight.errorbar(by_weight["weight"], by_weight["correlation"], yerr=spread, fmt="o-", ms=4, lw=1)
        ax_weight.set_xscale(
            "symlog", linthresh=max(1e-9, float(np.min(by_weight["weight"].values[by_weight["weight"].values > 0])))
        )
        ax_weight.set(
            title="BOLD by structural weight", xlabel="structural weight", ylabel="correlation of BOLD (mean, SD)"
        )
    mean = scores[scores["group"] == "mean"].iloc[0]
    told = f" ({worth})" if (worth := sentence(mean)) else ""
    return (
        f"Rank correlation over all pairs of regions; mean over subjects {estimate(mean)}{told}, noise ceiling "
        f"{mean['ceiling_low']:.3f} to {mean['ceiling_high']:.3f} (how well other subjects' BOLD predicts a subject's)."
    )
