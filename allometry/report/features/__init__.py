"""Figures of runs of feature models: one module per model, named as the model.

Its function `draw(stores)` gets the Responses stores of a run by point, and returns the figure and its caption. Models without one
are drawn as responses to presentations.
"""

import importlib
import pkgutil
from collections.abc import Mapping

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
    axes, caption = drawing({readable(point): store for point, store in opened.items()})
    said = f"{caption} {_settled(opened)}".strip()
    return Drawing(drawn_on(axes), said, f"Responses of {model}: {readable(run)}", core=axes[0])


def _settled(opened: Mapping[str, xr.Dataset]) -> str:
    """What is to be said of fits that did not converge."""
    failed = [
        f"{readable(point)} (residual {fit['residual']:.3g}, tolerance {fit['tolerance']:g})"
        for point, store in opened.items()
        if (fit := stores.attribute(store, "fit", None)) is not None and not fit["converged"]
    ]
    return f"FITS DID NOT CONVERGE: {', '.join(failed)}." if failed else ""
