"""Figures of comparisons: one module per kind, named as the kind.

Its function `draw(rows, curves, image)` draws what the Scores store of a comparison of this kind holds, and returns the
caption. A kind of comparison of a plugin brings its own.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import xarray as xr

from allometry import stores
from allometry.plugins import DRAWINGS
from allometry.report.drawing import verdicts
from allometry.report.drawing.figure_file import Figure
from allometry.report.drawing.forest import forest
from allometry.report.drawing.parts import rows_of

Drawing = Callable[[pd.DataFrame, Mapping[str, xr.Dataset], str | Path], str]

KINDS: tuple[str, ...] = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def drawing_of(kind: str) -> Drawing | None:
    """The drawing of a kind of comparison, of the package or of a plugin; None where it has none."""
    if kind in KINDS:
        drawing: Drawing = importlib.import_module(f"{__name__}.{kind}").draw
        return drawing
    return DRAWINGS.get(kind)


def draw(paths: Mapping[str, str], image: str | Path) -> None:
    """Figure of one comparison, as its kind is drawn; a forest plot where the store names no kind that has a drawing.

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
    drawing = drawing_of(str(stores.attribute(tree, "parameters", {}).get("kind", "")))
    if drawing is not None:
        curves = tree["curves"].children if "curves" in tree.children else {}
        caption = drawing(rows, {key: node.to_dataset() for key, node in curves.items()}, image)
    else:
        caption = forest(rows, image)
    caption = " ".join(part for part in (caption, verdicts.summary(rows)) if part)
    Figure(f"{tree.attrs['title']} ({name})", caption, (path,)).save(image)
