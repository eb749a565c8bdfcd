"""Figure of activity against structure: correlations by kind of synapse, beside baselines and controls."""

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.forest import forest


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset]) -> Drawing:
    """One panel per measure, one line per row."""
    return forest(rows)
