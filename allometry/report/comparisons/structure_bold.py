"""Figure of structural connectivity against BOLD."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.parts import estimate
from allometry.report.drawing.style import BAND, COLOURS, SEQUENTIAL, drawn_on, panels
from allometry.report.drawing.verdicts import sentence


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """Subjects against the ceiling, whose structure tells whose function, BOLD by weight."""
    scores = rows[rows["measure"] == "structure_bold_correlation"]
    own = scores[scores["group"] == "own"].reset_index(drop=True)
    matrix, by_weight = curves["structure_bold_matrix"], curves["bold_by_weight"]
    axes = panels(3, 3, 4.3)
    ax_own, ax_matrix, ax_weight = axes
    y = np.arange(len(own))
    low, high = own[["ceiling_low", "ceiling_high"]].to_numpy().T
    ax_own.barh(y, high - low, 0.8, left=low, color=BAND, edgecolor="#bbbbbb", label="noise ceiling")
    error = np.abs(own[["ci_low", "ci_high"]].to_numpy().T - own["score"].to_numpy())
    ax_own.errorbar(own["score"], y, xerr=error, fmt="o", ms=4, lw=1, color=COLOURS[0], label="own structure")
    for group, colour in zip(("other_subjects", "fibre_path", "strength", "fibre_length"), COLOURS[1:]):
        part = scores[scores["group"] == group]
        if part.empty:  # no fibre lengths
            continue
        ax_own.plot(part["score"], y, "|", ms=9, mew=1.6, color=colour, label=group.replace("_", " "))
    ax_own.set_yticks(y, [readable(name) for name in own["candidate"]])
    ax_own.invert_yaxis()
    ax_own.set(title="Structure against BOLD", xlabel="rank correlation")
    drawn_on(axes).legend(*ax_own.get_legend_handles_labels(), loc="outside lower left", ncols=6)
    drawn = ax_matrix.imshow(matrix["correlation"].values, cmap=SEQUENTIAL)
    for set_ticks, names in ((ax_matrix.set_yticks, matrix["structure"]), (ax_matrix.set_xticks, matrix["function"])):
        set_ticks(range(names.size), names.values.tolist(), fontsize=7.5)
    ax_matrix.tick_params(axis="x", rotation=90)
    ax_matrix.set(title="Whose structure, whose function", xlabel="function of", ylabel="structure of")
    drawn_on(axes).colorbar(drawn, ax=ax_matrix, shrink=0.6, label="rank correlation")
    spread = by_weight["sd"].values
    ax_weight.errorbar(by_weight["weight"], by_weight["correlation"], yerr=spread, fmt="o-", ms=4, lw=1)
    positive = by_weight["weight"].values[by_weight["weight"].values > 0]
    ax_weight.set_xscale("symlog", linthresh=max(1e-9, float(np.min(positive))))
    ax_weight.set(
        title="BOLD by structural weight", xlabel="structural weight", ylabel="correlation of BOLD (mean, SD)"
    )
    mean = scores[scores["group"] == "mean"].iloc[0]
    told = f" ({worth})" if (worth := sentence(mean)) else ""
    caption = (
        f"Rank correlation over all pairs of regions; mean over subjects {estimate(mean)}{told}, noise ceiling "
        f"{mean['ceiling_low']:.3f} to {mean['ceiling_high']:.3f} (how well other subjects' BOLD predicts a subject's)."
    )
    return Drawing(drawn_on(axes), caption)
