"""Figures of comparisons: one module per kind, named as the kind.

Its function `draw(rows, curves, image)` draws what the Scores store of a comparison of this kind holds, and returns the
caption.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import xarray as xr

from allometry import stores
from allometry.report.drawing import verdicts
from allometry.report.drawing.figure_file import Figure
from allometry.report.drawing.forest import forest
from allometry.report.drawing.parts import rows_of

Drawing = Callable[[pd.DataFrame, Mapping[str, xr.Dataset], str | Path], str]

KINDS: tuple[str, ...] = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


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
    kind = stores.attribute(tree, "parameters", {}).get("kind")
    if kind in KINDS:
        drawing: Drawing = importlib.import_module(f"{__name__}.{kind}").draw
        curves = tree["curves"].children if "curves" in tree.children else {}
        caption = drawing(rows, {key: node.to_dataset() for key, node in curves.items()}, image)
    else:
        caption = forest(rows, image)
    caption = " ".join(part for part in (caption, verdicts.summary(rows)) if part)
    Figure(f"{tree.attrs['title']} ({name})", caption, (path,)).save(image)
