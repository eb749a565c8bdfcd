"""Figures of comparisons: each draws the curves and rows that its Scores store holds."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import xarray as xr

from allometry import stores
from allometry.report.comparisons import dynamics, human, mouse, reservoirs, spikes, worm
from allometry.report.comparisons.recovery import recovery
from allometry.report.drawing.figure_file import Figure
from allometry.report.drawing.forest import forest
from allometry.report.drawing.parts import rows_of

Drawing = Callable[[pd.DataFrame, Mapping[str, xr.Dataset], str | Path], str]
# By a curve or measure that tells the kind of comparison
DRAWINGS: dict[str, Drawing] = {
    "influence_auc_by_weight": worm.propagation,
    "influence_roc": worm.structure_function,
    "agreement": worm.agreement,
    "structure_bold_matrix": human.structure_bold,
    "recovery": recovery,
    "tuning_null": mouse.population_code,
    "representational_dissimilarity": mouse.representation_similarity,
    "motif_rank": dynamics.dynamic_connectome,
    "manifold_procrustes": dynamics.activity_manifolds,
    "reservoir_nulls": reservoirs.reservoirs,
    "spike_distributions": spikes.spike_statistics,
}


def draw(paths: Mapping[str, str], image: str | Path) -> None:
    """Figure of one comparison.

    Parameters
    ----------
    paths : mapping of str to str
        One Scores store by name.
    image : path
        PNG file to write; its description is written beside it.
    """
    (name, path), *_ = paths.items()
    tree = stores.open(path)
    assert isinstance(tree, xr.DataTree)
    rows = rows_of(tree)
    curves = (
        {key: node.to_dataset() for key, node in tree["curves"].children.items()} if "curves" in tree.children else {}
    )
    for needed, drawing in DRAWINGS.items():
        if needed in curves or needed in set(rows["measure"]):
            caption = drawing(rows, curves, image)
            break
    else:
        caption = forest(rows, image)
    Figure(f"{tree.attrs['title']} ({name})", caption, (path,)).save(image)
