"""Plots of single stores: what each kind of store can be drawn as, by the functions that draw the report."""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from allometry import stores
from allometry.errors import ReportError
from allometry.files import writing
from allometry.hints import hint
from allometry.report import comparisons, connectomes, recordings, responses, simulations, stacks
from allometry.report.drawing.figure_file import Figure
from allometry.report.drawing.forest import forest
from allometry.report.drawing.parts import rows_of
from allometry.report.drawing.style import FORMATS
from allometry.report.scaling import overview

Draw = Callable[[str, str, str], None]
WINDOW_MS, UNITS = 500.0, 200


def _forest(path: str, name: str, image: str) -> None:
    tree = stores.open(path)
    Figure(str(tree.attrs["title"]), forest(rows_of(tree), image), (path,)).save(image)  # type: ignore[arg-type]


#: By kind of store, the plots by name; the first is drawn where none is asked for.
PLOTS: Mapping[str, Mapping[str, Draw]] = {
    "activity": {
        "correlations": lambda path, name, image: recordings.draw_correlations(path, name, image),
        "coverage": lambda path, name, image: recordings.draw_coverage({name: path}, image),
    },
    "connectome": {"matrix": lambda path, name, image: connectomes.draw({name: path}, image, {}, name)},
    "responses": {"conditions": responses.draw},
    "spikes": {
        "raster": lambda path, name, image: simulations.draw(
            {name: path}, image, name, window_ms=WINDOW_MS, units=UNITS, axes={}
        )
    },
    "scores": {
        "comparison": lambda path, name, image: comparisons.draw({name: path}, image),
        "forest": _forest,
    },
    "scaling": {"study": lambda path, name, image: overview.draw({name: path}, image)},
    "stack": {"matrices": stacks.draw},
}


def plot(store: str | Path, out: str | Path, name: str | None = None, *, overwrite: bool = False) -> str:
    """Draw one store.

    Parameters
    ----------
    store : path
        A store of any kind.
    out : path
        Image to write: PNG, SVG or PDF, as its name ends.
    name : str, optional
        Name of the plot; by default the first of the kind.
    overwrite : bool
        Whether a file that is there may be replaced.

    Returns
    -------
    str
        What is shown, in words.

    Raises
    ------
    ReportError
        The kind has no such plot, the name of the file says no format, or the file is there already.
    StoreError
        The store cannot be opened.
    """
    store, out = Path(store), Path(out)
    kind = str(stores.open(store).attrs["schema"]).lower()
    plots = PLOTS[kind]
    chosen = name or next(iter(plots))
    if chosen not in plots:
        raise ReportError(
            f"a store of kind {kind} has no plot {chosen!r}",
            where=str(store),
            expected=f"one of {', '.join(plots)}",
            do=hint(chosen, plots),
        )
    if out.suffix.lower() not in FORMATS:
        raise ReportError(
            "the name of the image says no format that can be drawn",
            where=str(out),
            expected=f"a name that ends in {', '.join(FORMATS)}",
            do=f"for example {out.with_suffix('.png')}",
        )
    if out.exists() and not overwrite:
        raise ReportError(
            "the image is there already", where=str(out), do="name another one with --out, or add --overwrite"
        )
    with writing(out, ReportError):
        out.parent.mkdir(parents=True, exist_ok=True)
        # the description goes to the screen, not beside the image
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".plot-") as folder:
            image = Path(folder) / out.name
            plots[chosen](str(store), store.name.removesuffix(".zarr"), str(image))
            described = Figure.load(image)
            os.replace(image, out)
    return f"{described.title}: {described.caption}"
