"""The look at figures finds what it is for: text that is cut off or written over, empty halves, legends on data."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.report.looks import problems


def good(count: int = 2) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = list(np.ravel(figure.subplots(1, count)))
    for ax in axes:
        ax.plot([0, 1, 2, 3], [0, 3, 1, 2], "o-", label="a line")
        ax.set(title="A title", xlabel="time (s)", ylabel="rate (spikes/s)")
    return figure, axes


def test_nothing_is_found_in_a_good_figure() -> None:
    assert problems(good()[0]) == []


def test_title_beyond_the_figure() -> None:
    figure, axes = good()
    axes[1].set_title("A title that is much longer than its panel and the margin of the figure together", loc="left")
    assert any(found.startswith("cut off: 'A title that is much longer") for found in problems(figure))


@pytest.mark.parametrize("rotation", [0, 30])
def test_labels_of_ticks_written_over_one_another(rotation: int) -> None:
    figure, axes = good()
    axes[0].set_xticks(np.linspace(0, 3, 30), [f"neuron {k}" for k in range(30)], rotation=rotation)
    assert any(found.startswith("overlap: 'neuron ") for found in problems(figure))


def test_turned_labels_with_room_are_no_fault() -> None:
    figure, axes = good()
    axes[0].set_xticks(
        range(4), [f"a long name of {k}" for k in range(4)], rotation=40, ha="right", rotation_mode="anchor"
    )
    assert problems(figure) == []


def test_title_that_runs_into_the_next_panel_or_title() -> None:
    figure, axes = good()
    axes[0].set_title("A title that is longer than its own panel", loc="left", fontsize=14)
    axes[1].set_title("")
    axes[0].annotate("from the left", (1.3, 0.5), xycoords="axes fraction", in_layout=False)
    found = problems(figure)
    assert any("runs into the panel" in one and "from the left" in one for one in found)


def test_shortened_name() -> None:
    figure, axes = good()
    axes[0].set_title("a very lo…")
    assert "shortened: 'a very lo…'" in problems(figure)


def test_empty_half_of_a_panel_and_of_a_figure() -> None:
    figure, axes = good()
    axes[1].set_xlim(0, 12)
    assert problems(figure) == ["empty right half: 'A title'"]
    figure, axes = good(3)
    axes[1].remove()
    axes[2].remove()
    assert "empty upper right quarter of the figure" in problems(figure)


def test_legend_on_data() -> None:
    figure, axes = good()
    axes[0].legend(loc="upper center")
    assert any(found.startswith("the legend of 'A title' covers 'a line'") for found in problems(figure))
    figure, axes = good()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center")
    assert problems(figure) == []
