"""Figures of comparisons: one module per kind, named as the kind.

Its function `draw(rows, curves)` gives a `Drawing` of what the Scores store of a comparison of this kind holds. A kind of
comparison of a plugin brings its own.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd
import xarray as xr

from allometry import stores
from allometry.plugins import DRAWINGS
from allometry.report.drawing import verdicts
from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.forest import forest
from allometry.report.drawing.names import readable
from allometry.report.drawing.parts import rows_of

Draw = Callable[[pd.DataFrame, Mapping[str, xr.Dataset]], Drawing]

KINDS: tuple[str, ...] = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def drawing_of(kind: str) -> Draw | None:
    """The drawing of a kind of comparison, of the package or of a plugin; None where it has none."""
    if kind in KINDS:
        drawing: Draw = importlib.import_module(f"{__name__}.{kind}").draw
        return drawing
    return DRAWINGS.get(kind)


def draw(tree: xr.DataTree, name: str) -> Drawing:
    """Figure of one comparison, as its kind is drawn; a forest plot where the store names no kind that has a drawing.

    Parameters
    ----------
    tree : DataTree
        Scores store.
    name : str
        Its name.
    """
    rows = rows_of(tree)
    drawing = drawing_of(str(stores.attribute(tree, "parameters", {}).get("kind", "")))
    if drawing is not None:
        curves = tree["curves"].children if "curves" in tree.children else {}
        drawn = drawing(rows, {key: node.to_dataset() for key, node in curves.items()})
    else:
        drawn = forest(rows)
    caption = " ".join(filter(None, [drawn.caption, verdicts.summary(rows)]))
    return replace(drawn, caption=caption, title=drawn.title or f"{tree.attrs['title']} ({readable(name)})")
