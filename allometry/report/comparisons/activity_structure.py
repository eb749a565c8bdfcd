"""Figure of activity against structure: correlations by kind of synapse, beside baselines and controls."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import xarray as xr

from allometry.report.drawing.forest import forest


def draw(rows: pd.DataFrame, curves: Mapping[str, xr.Dataset], image: str | Path) -> str:
    """One panel per measure, one line per row; returns the caption."""
    return forest(rows, image)
