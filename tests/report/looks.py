"""A look at figures as a reader has it: text that is cut off or written over, panels that are half empty, ticks that are cut."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

from allometry.report.drawing import style
from allometry.report.drawing.drawing import laid_out

SLACK = 1.5
"""Pixels that a text may lie beyond an edge: its box is a little larger than its letters."""
LEAST_INK = 3e-4
"""Of the pixels of half a panel, or of a quarter of a figure, that are not white."""


@dataclass(frozen=True)
class Box:
    """A text where it stands: its letters, the panel it belongs to, and a rectangle that may be turned (pixels, degrees)."""

    text: str
    owner: Axes | None
    centre: tuple[float, float]
    half: tuple[float, float]
    angle: float

    @property
    def corners(self) -> np.ndarray:
        """The four corners, shape (4, 2)."""
        angle = np.deg2rad(self.angle)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        return np.array(self.centre) + (signs * self.half) @ turn.T


def problems(figure: Figure) -> list[str]:
    """What is wrong with the look of a figure, a line for each fault."""
    with style.context(), laid_out(figure):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = list(_texts(figure, canvas))
        return [
            *_clipped(figure, boxes),
            *_overlapping(boxes),
            *_into_panels(figure, boxes),
            *_covering_legends(figure),
            *_empty(figure, np.asarray(canvas.buffer_rgba())[:, :, :3]),
        ]


def _texts(figure: Figure, canvas: FigureCanvasAgg) -> Iterator[Box]:
    renderer = canvas.get_renderer()
    for owner, text in _drawn(figure):
        if not text.get_visible() or not text.get_text().strip():
            continue
        outer = text.get_window_extent(renderer)
        angle = text.get_rotation()
        text.set_rotation(0)
        inner = text.get_window_extent(renderer)
        text.set_rotation(angle)
        centre = ((outer.x0 + outer.x1) / 2, (outer.y0 + outer.y1) / 2)
        yield Box(text.get_text(), owner, centre, (inner.width / 2, inner.height / 2), angle)


def _drawn(figure: Figure) -> Iterator[tuple[Axes | None, Text]]:
    for ax in figure.axes:
        if not ax.get_visible():
            continue
        for text in (ax.title, ax._left_title, ax._right_title, *ax.texts):  # type: ignore[attr-defined]
            yield ax, text
        if ax.axison:
            for axis in (ax.xaxis, ax.yaxis):
                yield ax, axis.label
                yield ax, axis.get_offset_text()
                for tick in axis._update_ticks():  # type: ignore[attr-defined]
                    yield ax, tick.label1
                    yield ax, tick.label2
        for legend in _legends(ax):
            for text in legend.get_texts():
                yield ax, text
    for part in (figure, *figure.subfigs):
        for legend in part.legends:
            for text in legend.get_texts():
                yield None, text
        for text in part.texts:
            yield None, text


def _legends(ax: Axes) -> list[Legend]:
    legend = ax.get_legend()
    return [legend] if legend is not None and legend.get_visible() else []


def _clipped(figure: Figure, boxes: list[Box]) -> Iterator[str]:
    width, height = figure.bbox.width, figure.bbox.height
    for box in boxes:
        low, high = box.corners.min(axis=0), box.corners.max(axis=0)
        if low.min() < -SLACK or high[0] > width + SLACK or high[1] > height + SLACK:
            yield f"cut off: {box.text!r}"
        if "…" in box.text or box.text.endswith("..."):
            yield f"shortened: {box.text!r}"


def _overlapping(boxes: list[Box]) -> Iterator[str]:
    # letters fill less than their boxes
    inner = [Box(b.text, b.owner, b.centre, (max(b.half[0] - 1, 0.5), 0.74 * b.half[1]), b.angle) for b in boxes]
    if not inner:
        return
    corners = np.array([box.corners for box in inner])
    low, high = corners.min(axis=1), corners.max(axis=1)
    near = (low[:, None] < high[None]).all(axis=2) & (low[None] < high[:, None]).all(axis=2)
    for i, j in zip(*np.nonzero(np.triu(near, 1))):
        if _meet(corners[i], corners[j]):
            yield f"overlap: {inner[i].text!r} and {inner[j].text!r}"


def _meet(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two rectangles overlap: no side of either separates them."""
    for corners in (a, b):
        for side in (corners[1] - corners[0], corners[3] - corners[0]):
            one, other = a @ side, b @ side
            if one.max() <= other.min() or other.max() <= one.min():
                return False
    return True


def _panels(figure: Figure) -> list[Axes]:
    return [ax for ax in figure.axes if ax.get_visible() and ax.axison and ax.get_label() != "<colorbar>"]


def _into_panels(figure: Figure, boxes: list[Box]) -> Iterator[str]:
    """Text of one panel that stands in another."""
    for ax in figure.axes:
        place = ax.get_window_extent().padded(-2)
        rectangle = np.array([[place.x0, place.y0], [place.x1, place.y0], [place.x1, place.y1], [place.x0, place.y1]])
        for box in boxes:
            shared = box.owner is not None and box.owner.bbox.bounds == ax.bbox.bounds
            inner = Box(box.text, box.owner, box.centre, (box.half[0], 0.74 * box.half[1]), box.angle)
            if box.owner is not ax and not shared and _meet(inner.corners, rectangle):
                yield f"runs into the panel {_name(ax)!r}: {box.text!r}"


def _covering_legends(figure: Figure) -> Iterator[str]:
    """Legends inside a panel that lie on what is drawn there."""
    for ax in _panels(figure):
        for legend in _legends(ax):
            box = legend.get_window_extent().padded(-2)
            for line in ax.lines:
                of_x, of_y = line.get_transform().contains_branch_seperately(ax.transData)
                if not (of_x and of_y) or not len(np.asarray(line.get_xdata())):
                    continue
                points = line.get_transform().transform(np.column_stack(line.get_data(orig=False)).astype(float))
                dense = _dense(points) if line.get_linestyle() not in ("None", "none", "", " ") else points
                inside = (dense >= box.min).all(axis=1) & (dense <= box.max).all(axis=1)
                if inside.any():
                    yield f"the legend of {_name(ax)!r} covers {line.get_label()!r}"
                    break


def _dense(points: np.ndarray) -> np.ndarray:
    """Points along a line, close enough to meet a box of some pixels."""
    known = points[np.isfinite(points).all(axis=1)]
    if len(known) < 2:
        return known
    share = np.linspace(0, 1, 40)[:, None, None]
    return (known[:-1] + share * (known[1:] - known[:-1])).reshape(-1, 2)


def _empty(figure: Figure, pixels: np.ndarray) -> Iterator[str]:
    ink = (pixels < 246).any(axis=2)
    height, width = ink.shape
    scale = width / figure.bbox.width
    for ax in _panels(figure):
        if not (ax.lines or ax.patches or ax.collections or ax.images):
            continue
        place = ax.get_window_extent().padded(-3)
        x0, x1 = (round(value * scale) for value in (place.x0, place.x1))
        y0, y1 = (round(height - value * scale) for value in (place.y1, place.y0))
        part = ink[max(y0, 0) : y1, max(x0, 0) : x1]
        rows, columns = part.shape
        halves = {
            "left": part[:, : columns // 2],
            "right": part[:, columns // 2 :],
            "upper": part[: rows // 2],
            "lower": part[rows // 2 :],
        }
        yield from (f"empty {name} half: {_name(ax)!r}" for name, half in halves.items() if half.mean() < LEAST_INK)
    for name, quarter in {
        "upper left": ink[: height // 2, : width // 2],
        "upper right": ink[: height // 2, width // 2 :],
        "lower left": ink[height // 2 :, : width // 2],
        "lower right": ink[height // 2 :, width // 2 :],
    }.items():
        if quarter.mean() < 10 * LEAST_INK:
            yield f"empty {name} quarter of the figure"


def _name(ax: Axes) -> str:
    return ax.get_title(loc="left") or ax.get_title() or ax.get_ylabel() or str(ax.get_label())
