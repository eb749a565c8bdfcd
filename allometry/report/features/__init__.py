"""Figures of runs of feature models: one module per model, named as the model.

Its function `draw(stores)` gets the Responses stores of a run by point, and returns the figure and its caption. Models without one
are drawn as responses to presentations.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

import xarray as xr

from allometry import stores
from allometry.report.drawing.drawing import Drawing
from allometry.report.drawing.names import readable
from allometry.report.drawing.style import drawn_on
from allometry.report.features.any_model import draw as draw_any

MODELS: tuple[str, ...] = tuple(
    sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "any_model")
)


def draw(opened: Mapping[str, xr.Dataset], run: str) -> Drawing:
    """Figure of a run.

    Parameters
    ----------
    opened : mapping of str to Dataset
        Responses stores of a feature model by point.
    run : str
        Name of the run.
    """
    first = next(iter(opened.values()))
    model = str(stores.attribute(first, "parameters", {}).get("model", ""))
    drawing = importlib.import_module(f"{__name__}.{model}").draw if model in MODELS else draw_any
    named = titles(opened)
    axes, caption = drawing({named[point]: store for point, store in opened.items()})
    said = f"{caption} {_settled(opened)}".strip()
    return Drawing(drawn_on(axes), said, f"Responses of {model}: {readable(run)}", core=axes[0])


def titles(opened: Mapping[str, xr.Dataset]) -> dict[str, str]:
    """Title of every point: the parameters in which they differ, and the seed where it does or nothing else does.

    Names of points have all parameters of a run, which no panel holds.

    Parameters
    ----------
    opened : mapping of str to Dataset
        As of `draw`.

    Returns
    -------
    dict of str to str
        By point; the readable name of the point where the stores do not tell points apart.
    """
    given = {
        point: {**stores.attribute(store, "parameters", {}).get("parameters", {}), "seed": store.attrs.get("seed")}
        for point, store in opened.items()
    }
    keys = list(dict.fromkeys(key for one in given.values() for key in one))
    differing = [key for key in keys if len({repr(one.get(key)) for one in given.values()}) > 1] or ["seed"]
    found = {
        point: ", ".join(f"{key.replace('_', ' ')} {_value(one.get(key))}" for key in differing)
        for point, one in given.items()
    }
    return found if len(set(found.values())) == len(found) else {point: readable(point) for point in opened}


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | int) and not isinstance(value, bool) else readable(str(value))


def _settled(opened: Mapping[str, xr.Dataset]) -> str:
    """What is to be said of fits that did not converge."""
    named = titles(opened)
    failed = [
        f"{named[point]} (residual {fit['residual']:.3g}, tolerance {fit['tolerance']:g})"
        for point, store in opened.items()
        if (fit := stores.attribute(store, "fit", None)) is not None and not fit["converged"]
    ]
    return f"FITS DID NOT CONVERGE: {', '.join(failed)}." if failed else ""
