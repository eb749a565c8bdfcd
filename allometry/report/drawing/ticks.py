"""Ticks of figures: plain labels of logarithmic axes, and ticks that are found once for all files of a figure.

Of the time of drawing, matplotlib spends two thirds on ticks: it finds them anew at every look at an axis, four times for each
file, and makes five artists for each short mark between two powers of ten.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axis import Axis, Tick
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT, TICKRIGHT, TICKUP
from matplotlib.ticker import Formatter, LogFormatterMathtext, LogLocator, NullLocator, ScalarFormatter
from matplotlib.transforms import Bbox

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
# Sides of a panel that ticks may stand on: the place across the axis, and the mark.
_SIDES: dict[str, tuple[float, Any]] = {
    "bottom": (0.0, TICKDOWN),
    "top": (1.0, TICKUP),
    "left": (0.0, TICKLEFT),
    "right": (1.0, TICKRIGHT),
}


class PlainLog(Formatter):
    """Labels of a logarithmic axis as plain text, `0.01`, `100`, `10⁵`: to lay out formulas takes as long as all the rest.

    Where less than two powers of ten are in view, some of the values between them are labelled.
    """

    def __call__(self, value: float, pos: int | None = None) -> str:
        """Label of a tick; empty where it has none."""
        if value <= 0:
            return plain_number(value)
        powers = _powers(self.axis)
        factor = value / 10.0 ** math.floor(math.log10(value) + 1e-9)
        shown = (1,) if powers > 1 else (1, 2, 5) if powers == 1 else (1, 2, 3, 5, 7)
        return plain_number(value) if any(abs(factor - one) < 1e-6 for one in shown) else ""


class PlainLinear(ScalarFormatter):
    """Labels of a linear axis without a factor above it, where the title of the panel stands."""

    def __init__(self) -> None:
        super().__init__(useOffset=False)

    def __call__(self, value: float, pos: int | None = None) -> str:
        """Label of a tick."""
        return plain_number(value) if super().get_offset() else super().__call__(value, pos)

    def get_offset(self) -> str:
        """What stands above the axis: nothing."""
        return ""


class MinorTicks(Artist):
    """The ticks between the powers of ten of a logarithmic axis, all as one mark of many places."""

    def __init__(self, axis: Axis) -> None:
        super().__init__()
        self._axis = axis
        self._locator = axis.get_minor_locator()
        self.set_zorder(axis.get_zorder())
        self.set_in_layout(False)
        axis.axes.add_artist(self)
        self._drawn_on: Any = axis.axes.get_figure(root=False)
        self.set_clip_path(None)

    def draw(self, renderer: RendererBase) -> None:
        """Draw them on each side that has ticks."""
        name = self._axis.axis_name  # type: ignore[attr-defined]
        low, high = sorted(self._axis.get_view_interval())
        places = np.asarray(self._locator(), float)
        places = places[(places >= low) & (places <= high)]
        shown = self._axis.get_tick_params(which="minor")
        usual: Any = matplotlib.rcParams
        for side in ("bottom", "top") if name == "x" else ("left", "right"):
            if not shown.get(side):
                continue
            across, mark = _SIDES[side]
            there = np.full(len(places), across)
            line = Line2D(
                *((places, there) if name == "x" else (there, places)),
                linestyle="none",
                marker=mark,
                markersize=shown.get("length", usual[f"{name}tick.minor.size"]),
                markeredgewidth=shown.get("width", usual[f"{name}tick.minor.width"]),
                color=shown.get("color", usual[f"{name}tick.color"]),
                transform=getattr(self._axis.axes, f"get_{name}axis_transform")(),
            )
            line.set_figure(self._drawn_on)
            line.draw(renderer)


def plain_number(value: float) -> str:
    """A number as a tick has it: powers of ten beyond four digits with their exponent raised."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:g}".replace("-", "−")
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    factor = value / 10.0**exponent
    power = "10" + str(exponent).translate(_RAISED)
    return power if abs(factor - 1) < 1e-6 else f"{factor:.3g}·{power}".replace("-", "−")


def plain(figure: Figure) -> None:
    """Give axes the labels of `PlainLog` and `PlainLinear`, where they have those of matplotlib."""
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if isinstance(axis.get_major_formatter(), LogFormatterMathtext):
                axis.set_major_formatter(PlainLog())
            if isinstance(axis.get_minor_formatter(), LogFormatterMathtext):
                axis.set_minor_formatter(PlainLog())
        if type(ax.yaxis.get_major_formatter()) is ScalarFormatter:
            ax.yaxis.set_major_formatter(PlainLinear())


@contextmanager
def light(figure: Figure) -> Iterator[None]:
    """Draw the ticks between powers of ten as one mark, for the time in which a figure is laid out and drawn.

    Where less than two powers are in view, they have labels, and stay as they are.
    """
    chosen = [
        axis
        for axis in _drawn(figure)
        if isinstance(axis.get_minor_locator(), LogLocator) and axis.get_scale() == "log" and _powers(axis) > 1
    ]
    marks = [(axis, axis.get_minor_locator(), MinorTicks(axis)) for axis in chosen]
    for axis in chosen:
        axis.set_minor_locator(NullLocator())
    try:
        yield
    finally:
        for axis, locator, mark in marks:
            mark.remove()
            axis.set_minor_locator(locator)


@contextmanager
def found_once(figure: Figure) -> Iterator[None]:
    """Keep ticks where they are, for the time in which a figure that is laid out is drawn to several files.

    matplotlib has no public way to this: the methods by which an axis finds its ticks and the boxes of their labels are
    replaced by what they gave.
    """
    axes = _drawn(figure)
    for axis in axes:
        vars(axis).update(_update_ticks=_Kept(axis), _get_ticklabel_bboxes=_KeptBoxes(axis))
    try:
        yield
    finally:
        for axis in axes:
            for name in ("_update_ticks", "_get_ticklabel_bboxes"):
                del vars(axis)[name]


class _Kept:
    """Ticks of an axis, found when they are first asked for."""

    def __init__(self, axis: Any) -> None:
        self._find = axis._update_ticks
        self._found: list[Tick] | None = None

    def __call__(self) -> list[Tick]:
        if self._found is None:
            self._found = self._find()
        return self._found


class _KeptBoxes:
    """Boxes of the labels of an axis, for the renderer that they were last asked for."""

    def __init__(self, axis: Any) -> None:
        self._find = axis._get_ticklabel_bboxes
        self._of: RendererBase | None = None
        self._found: tuple[list[Bbox], list[Bbox]] = ([], [])

    def __call__(self, ticks: Sequence[Tick], renderer: RendererBase) -> tuple[list[Bbox], list[Bbox]]:
        if renderer is not self._of:
            self._of, self._found = renderer, self._find(ticks, renderer)
        return self._found


def _drawn(figure: Figure) -> list[Axis]:
    return [axis for ax in figure.axes if ax.get_visible() and ax.axison for axis in (ax.xaxis, ax.yaxis)]


def _powers(axis: Any) -> int:
    """Powers of ten in view."""
    low, high = sorted(axis.get_view_interval())
    if high <= 0:
        return 0
    return math.floor(math.log10(high) + 1e-9) - math.ceil(math.log10(max(low, 1e-300)) - 1e-9) + 1
