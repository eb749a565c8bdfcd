"""Small stores to draw, and a look at what was drawn."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from allometry import stores
from allometry.compare.result import Result
from allometry.report import figures

ATTRS = {
    "title": "A <store>",
    "species": "Caenorhabditis elegans",
    "citation": "none",
    "licence": "none",
    "source": {},
    "parameters": {},
    "derived": {},
}


def connectome_store(path: Path) -> str:
    nodes = pd.DataFrame({"type": ["inter", "motor", "muscle"]}, index=["AVAL", "VB2", "BWM-DL01"])
    edges = pd.DataFrame(
        {"source": ["AVAL", "VB2"], "target": ["VB2", "BWM-DL01"], "weight": [3.0, 1.0], "synapse": ["chemical"] * 2}
    )
    attrs = {**ATTRS, "absent_means": {"chemical": "zero"}}
    stores.write(stores.connectome(nodes, edges, attrs=attrs), path)
    return str(path)


def spikes_store(path: Path) -> str:
    units = pd.DataFrame({"population": ["E"] * 8 + ["I"] * 2})
    rng = np.random.default_rng(1)
    step, unit = np.divmod(np.sort(rng.choice(10_000, 200, replace=False)), 10)
    ds = stores.spikes_simulated(step + 1, unit, dt_ms=0.1, units=units, duration_ms=100.0, attrs={**ATTRS, "seed": 1})
    stores.write(ds, path)
    return str(path)


def draw_result(kind: str, result: Result, folder: Path) -> str:
    """Write the Scores store of a comparison, draw it as the workflow does, and give the caption."""
    attrs = {**ATTRS, "title": result.title, "parameters": {"kind": kind}, "derived": result.derived, "seed": 1}
    path = stores.write(stores.scores(result.rows, result.curves, attrs=attrs), folder / "x.zarr")
    drawing = figures.comparison(path)
    drawing.save(folder / "x.png")
    assert (folder / "x.png").stat().st_size > 8_000
    return drawing.caption


def title(ax: Axes) -> str:
    """Title of a panel, where figures of the report have it."""
    return ax.get_title(loc="left")
