"""Plots of stores for the command line: what each kind can be drawn as, by the functions of `figures`."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from allometry import stores
from allometry.errors import ReportError
from allometry.files import writing
from allometry.hints import hint
from allometry.report import figures
from allometry.report.drawing.drawing import FORMATS, Drawing

#: By kind of store, the plots; the first is drawn where none is asked for.
PLOTS: Mapping[str, tuple[str, ...]] = {
    "activity": ("recordings", "coverage"),
    "connectome": ("connectome", "connectomes", "propagation"),
    "responses": ("responses", "tuning", "features"),
    "spikes": ("spikes",),
    "scores": ("comparison", "forest", "coarse"),
    "scaling": ("study", "statistics", "conditions", "distance", "laws"),
    "compute": ("compute",),
    "stack": ("stack",),
    "clamp": ("clamp",),
}


def drawing(paths: Sequence[str | Path], name: str | None = None, options: Mapping[str, Any] | None = None) -> Drawing:
    """Draw stores of one kind.

    Parameters
    ----------
    paths : sequence of path
        The stores; a plot that takes one store takes the first, and what it draws beside it.
    name : str, optional
        Name of the plot; by default the first of the kind of the first store.
    options : mapping, optional
        Options of the function in `figures`.

    Returns
    -------
    Drawing

    Raises
    ------
    ReportError
        The kind has no such plot, the plot has no such option, or takes one store and got several.
    StoreError
        A store cannot be opened.
    """
    kind = str(stores.open(paths[0]).attrs["schema"]).lower()
    plots = PLOTS[kind]
    chosen = name or plots[0]
    if chosen not in plots:
        raise ReportError(
            f"a store of kind {kind} has no plot {chosen!r}",
            where=str(paths[0]),
            expected=f"one of {', '.join(plots)}",
            do=hint(chosen, plots),
        )
    function: Callable[..., Drawing] = getattr(figures, chosen)
    first, *more = inspect.signature(function).parameters.values()
    known = [one.name for one in more if one.name != "spikes"]
    if unknown := [key for key in options or {} if key not in known]:
        raise ReportError(
            f"the plot {chosen} has no option {unknown[0]!r}",
            where="--set",
            expected=f"one of {', '.join(known)}" if known else "no option",
            do=hint(unknown[0], known),
        )
    if first.annotation is figures.Stores:
        return function(list(paths), **(options or {}))
    given = {"spikes": list(paths[1:])} if "spikes" in inspect.signature(function).parameters else {}
    if len(paths) > 1 and not given:
        several = [
            plot
            for plot in plots
            if inspect.signature(getattr(figures, plot)).parameters["store"].annotation is figures.Stores
        ]
        raise ReportError(
            f"the plot {chosen} draws one store, and {len(paths)} are given",
            where=str(paths[1]),
            expected="one store",
            do=f"draw them one by one{f', or all of them with --plot {several[0]}' if several else ''}",
        )
    return function(paths[0], **given, **(options or {}))


def plot(
    paths: str | Path | Sequence[str | Path],
    out: str | Path,
    name: str | None = None,
    *,
    overwrite: bool = False,
    options: Mapping[str, Any] | None = None,
) -> str:
    """Draw stores to a file.

    Parameters
    ----------
    paths : path or sequence of path
        One or several stores of a kind.
    out : path
        File to write: PNG, SVG or PDF, or the numbers as CSV, as its name ends.
    name : str, optional
        Name of the plot; by default the first of the kind.
    overwrite : bool
        Whether a file that is there may be replaced.
    options : mapping, optional
        Options of the plot.

    Returns
    -------
    str
        What is shown, in words.

    Raises
    ------
    ReportError
        As `drawing`; the name of the file says no format, or the file is there already.
    StoreError
        A store cannot be opened.
    """
    out = Path(out)
    given = [paths] if isinstance(paths, str | Path) else list(paths)
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
    found = drawing(given, name, options)
    with writing(out, ReportError):
        out.parent.mkdir(parents=True, exist_ok=True)
        found.save(out)
    return f"{found.title}: {found.caption}"


def option(text: str) -> tuple[str, Any]:
    """Name and value of `NAME=VALUE`; the value is read as JSON, and as text where it is none.

    Raises
    ------
    ReportError
        There is no `=`.
    """
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise ReportError(
            f"{text!r} sets nothing", where="--set", expected="NAME=VALUE", do="for example window_ms=500"
        )
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
