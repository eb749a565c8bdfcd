"""Ticks of figures: the same marks and labels as matplotlib's, found once for all files of a figure."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from allometry.report.drawing import style, ticks
from allometry.report.drawing.drawing import Drawing, laid_out
from tests.report.looks import problems


def figure_of(scale: str = "log") -> Figure:
    """Two panels with a legend, a colour bar, names and two scales."""
    with style.context():
        figure = Figure(figsize=(9, 4), layout="constrained")
        first, second = figure.subplots(1, 2)
        first.plot([1, 20, 3000], [0.002, 0.1, 7], label="a law")
        first.set(xscale=scale, yscale=scale, title="A title", xlabel="size", ylabel="cost (s)")
        first.legend()
        image = second.imshow(np.arange(1.0, 10).reshape(3, 3), norm="log" if scale == "log" else None)
        figure.colorbar(image, ax=second, label="weight")
        second.set_yticks(range(3), ["one", "two", "three"])
        ticks.plain(figure)
    return figure


def svg(figure: Figure) -> str:
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def pixels(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).astype(int)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_found_once_is_what_is_found_at_every_look(scale: str) -> None:
    figure = figure_of(scale)
    with style.context():
        figure.get_layout_engine().execute(figure)  # type: ignore[union-attr]
        figure.set_layout_engine(None)
        expected = svg(figure), pixels(figure)
        with ticks.found_once(figure):
            # the files of one figure have renderers of their own, and come in any order
            for _ in range(2):
                assert svg(figure) == expected[0]
                np.testing.assert_array_equal(pixels(figure), expected[1])


def test_minor_ticks_are_drawn_as_those_of_matplotlib() -> None:
    figure = figure_of()
    with style.context():
        figure.get_layout_engine().execute(figure)  # type: ignore[union-attr]
        figure.set_layout_engine(None)
        expected = pixels(figure)
        for ax in figure.axes:
            ax.minorticks_off()
        without = pixels(figure)
        again = figure_of()
        again.get_layout_engine().execute(again)  # type: ignore[union-attr]
        again.set_layout_engine(None)
        with ticks.light(again):
            found = pixels(again)
    assert (without != expected).any(axis=2).sum() > 200
    np.testing.assert_array_equal(found, expected)


def test_where_they_have_labels_they_stay() -> None:
    with style.context():
        figure = Figure(figsize=(5, 3))
        ax = figure.subplots()
        ax.plot([2, 8], [1, 1e4])
        ax.set(xscale="log", yscale="log")
        ticks.plain(figure)
        with ticks.light(figure):
            assert isinstance(ax.xaxis.get_minor_locator(), LogLocator)
            assert not isinstance(ax.yaxis.get_minor_locator(), LogLocator)
            pixels(figure)
            assert [label.get_text() for label in ax.get_xticklabels(minor=True) if label.get_text()] == list("2357")
        assert isinstance(ax.yaxis.get_minor_locator(), LogLocator)


def test_a_figure_is_drawn_once_per_file_and_its_ticks_are_found_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = figure_of()
    engine, dpi, artists = figure.get_layout_engine(), figure.get_dpi(), len(figure.axes[0].get_children())
    drawn, looked = [], []
    draw, find = Figure.draw, Axis._update_ticks  # type: ignore[attr-defined]
    monkeypatch.setattr(Figure, "draw", lambda self, renderer: (drawn.append(renderer), draw(self, renderer))[1])
    monkeypatch.setattr(Axis, "_update_ticks", lambda self: (looked.append(self), find(self))[1])
    with style.context(), laid_out(figure):
        laid = len(looked)
    looked.clear()
    Drawing(figure, "A caption.").save(tmp_path / "a", (".png", ".svg", ".csv", ".json"))
    assert len(drawn) == 2
    assert len(looked) - laid == 2 * len(figure.axes)
    # and the figure is the user's as before
    assert figure.get_layout_engine() is engine
    assert figure.get_dpi() == dpi
    assert len(figure.axes[0].get_children()) == artists
    assert not any("_update_ticks" in vars(axis) for ax in figure.axes for axis in (ax.xaxis, ax.yaxis))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.0, 40.0], ["0", "20", "40"]), ([0.0, 4e6], ["0", "2·10⁶", "4·10⁶"]), ([-4e-7, 0.0], ["−4·10⁻⁷", "0"])],
)
def test_large_numbers_of_a_linear_axis_leave_the_place_of_the_title(values: list[float], expected: list[Any]) -> None:
    with style.context():
        figure = Figure(figsize=(4, 3), layout="constrained")
        ax = figure.subplots()
        ax.plot([0, 1], values)
        ax.set(title="A title", xlabel="time (s)", ylabel="number")
        assert problems(figure) == []
        shown = [label.get_text() for label in ax.get_yticklabels()]
        assert set(expected) <= set(shown)
        assert ax.yaxis.get_offset_text().get_text() == ""


def test_what_is_laid_out_is_laid_out_for_the_pixels_of_the_image() -> None:
    """Labels that fit at another resolution were cut at the edge."""
    with style.context():
        figure = Figure(figsize=(4, 5), layout="constrained", dpi=72)
        ax = figure.subplots()
        ax.imshow(np.zeros((20, 2)), aspect="auto")
        ax.set_yticks(range(20), [f"illiterate lilies {k}" for k in range(20)], fontsize=6.5)
        with laid_out(figure):
            pixels(figure)
            renderer = FigureCanvasAgg(figure).get_renderer()
            assert figure.get_dpi() == 140
            assert min(label.get_window_extent(renderer).x0 for label in ax.get_yticklabels()) > 0
        assert figure.get_dpi() == 72
