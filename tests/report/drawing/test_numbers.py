"""Numbers of a figure: whatever is drawn is in the table, with the names that stand beside it, and as CSV."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from allometry.report.drawing import csv_text, numbers
from allometry.report.drawing.alternative import alternative_text
from allometry.report.drawing.numbers import name_entries, unlisted


@pytest.fixture
def figure() -> Figure:
    return Figure(figsize=(8, 6))


def test_curves_points_and_lines_across(figure: Figure) -> None:
    ax = figure.subplots()
    ax.plot([1, 2, 3], [4.0, np.nan, 6.0], label="a curve")
    ax.plot([5], [6], "o", label=unlisted("a point, not in the legend"))
    ax.axhline(0.5, label=unlisted("chance"))
    ax.axvline(7.0)
    ax.set(title="A panel,\nof two lines", xlabel="time (s)", ylabel="rate")
    table = numbers.table(figure)
    assert set(table["panel"]) == {"A panel,, of two lines"}
    curve = table[table["series"] == "a curve"]
    assert curve["mark"].tolist() == ["line"] * 3
    np.testing.assert_array_equal(curve[["x", "y"]], [[1, 4], [2, np.nan], [3, 6]])
    assert set(curve["x_is"]) == {"time (s)"}
    assert table[table["series"] == "a point, not in the legend"][["mark", "x", "y"]].to_numpy().tolist() == [
        ["point", 5, 6]
    ]
    assert table[table["mark"] == "level"][["series", "y"]].to_numpy().tolist() == [["chance", 0.5]]
    assert table[table["mark"] == "position"]["x"].tolist() == [7.0]
    assert list(ax.get_legend_handles_labels()[1]) == ["a curve"]


def test_intervals_bars_histograms_and_bands(figure: Figure) -> None:
    first, second = figure.subplots(1, 2)
    first.errorbar([1.0, 2.0], [0, 1], xerr=[[0.5, 0.25], [1.0, 0.75]], fmt="o", label="scores")
    first.set_yticks([0, 1], ["own", "other"])
    second.bar(["x", "y"], [3.0, 4.0], bottom=[1.0, 0.0], label="bars")
    second.stairs([5.0, 6.0], [0, 1, 3], label="histogram")
    second.axhspan(2, 3, label=unlisted("tolerance"))
    second.fill_between([0, 1, 2], [1, 2, 3], [4, 5, 7], label="range")
    table = numbers.table(figure).set_index("series")
    scores = table.loc["scores"]
    assert scores["mark"].tolist() == ["point with interval"] * 2
    assert scores[["x", "x_low", "x_high"]].to_numpy().tolist() == [[1.0, 0.5, 2.0], [2.0, 1.75, 2.75]]
    assert scores["y_name"].tolist() == ["own", "other"]
    bars = table.loc["bars"]
    assert bars[["x_name", "y_low", "y_high"]].to_numpy().tolist() == [["x", 1.0, 4.0], ["y", 0.0, 4.0]]
    steps = table.loc["histogram"]
    assert steps[["x_low", "x_high", "y"]].to_numpy().tolist() == [[0, 1, 5], [1, 3, 6]]
    assert table.loc["tolerance", ["y_low", "y_high"]].tolist() == [2, 3]
    assert table.loc["range", ["x", "y_low", "y_high"]].to_numpy().tolist() == [[0, 1, 4], [1, 2, 5], [2, 3, 7]]


def test_matrices_with_names_and_of_symmetric_ones_half(figure: Figure) -> None:
    first, second = figure.subplots(1, 2)
    values = np.array([[1.0, 2.0, np.nan], [3.0, 4.0, 5.0]])
    name_entries(first.imshow(values), ["r0", "r1"], ["c0", "c1", "c2"])
    symmetric = np.array([[1.0, 0.25], [0.25, 1.0]])
    name_entries(second.imshow(symmetric), ["a", "b"], ["a", "b"])
    first.set_title("one")
    second.set_title("other")
    table = numbers.table(figure)
    one = table[table["panel"] == "one"]
    found = {(row["y_name"], row["x_name"]): row["value"] for row in one.to_dict("records")}
    assert found == {("r0", "c0"): 1, ("r0", "c1"): 2, ("r1", "c0"): 3, ("r1", "c1"): 4, ("r1", "c2"): 5}
    other = table[table["panel"] == "other"]
    assert other["mark"].unique().tolist() == ["matrix, upper half"]
    assert other["value"].tolist() == [1, 0.25, 1]


def test_categories_are_names(figure: Figure) -> None:
    ax = figure.subplots()
    ax.plot(["1", "2", "none"], [0.5, 0.25, 0.125], "o-")
    table = numbers.table(figure)
    assert table[["x_name", "y"]].to_numpy().tolist() == [["1", 0.5], ["2", 0.25], ["none", 0.125]]


def test_names_are_those_of_ticks_and_not_of_neighbours(figure: Figure) -> None:
    ax = figure.subplots()
    ax.plot(np.arange(6), np.arange(6), "o")
    ax.set_yticks([0, 3], ["first", "fourth"])
    assert numbers.table(figure)["y_name"].tolist() == ["first", "", "", "fourth", "", ""]


def test_csv_is_the_table(figure: Figure) -> None:
    ax = figure.subplots()
    ax.plot([1, 2], [1 / 3, np.nan], label='said "so", twice')
    ax.scatter([1, 2], [3, 4], c=[0.5, 0.75])
    table = numbers.table(figure)
    read = pd.read_csv(io.StringIO(csv_text.as_csv(figure)), keep_default_na=True)
    assert list(read.columns) == list(table.columns)
    assert read["series"].fillna("").tolist() == table["series"].tolist()
    np.testing.assert_allclose(read["y"], table["y"], rtol=1e-5)
    np.testing.assert_allclose(read["value"], table["value"])


def test_large_matrices_are_rows_of_the_csv(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "LISTED", 5)
    ax = figure.subplots()
    values = np.arange(12.0).reshape(3, 4)
    values[1, 2] = np.nan
    name_entries(ax.imshow(values), list("abc"), list("wxyz"))
    ax.plot([0, 1], [1, 2], label="a line")
    read = pd.read_csv(io.StringIO(csv_text.as_csv(figure)))
    assert read[read["mark"] == "line"][["x", "y"]].to_numpy().tolist() == [[0, 1], [1, 2]]
    (columns,) = read.loc[read["mark"] == "columns", "values"]
    assert columns.split(";") == list("wxyz")
    rows = read[read["mark"] == "row of a matrix"].set_index("y_name")["values"]
    found = [[float(cell) if cell else np.nan for cell in rows[name].split(";")] for name in "abc"]
    np.testing.assert_array_equal(found, values)
    assert len(numbers.table(figure)) == 11 + 2  # in a notebook all entries are listed


def test_words_for_those_who_do_not_see(figure: Figure) -> None:
    first, second = figure.subplots(1, 2)
    first.errorbar([0.5, 0.75], [0, 1], xerr=0.1, fmt="o", label="scores")
    first.set_yticks([0, 1], ["own", "other"])
    first.set(title="AUC", xlabel="AUC")
    second.imshow(np.array([[0.25, 1.0, -0.5]]))
    second.set_title("Correlations")
    said = alternative_text(numbers.pieces(figure))
    assert said == (
        "2 panels. AUC: 2 points with intervals (scores), AUC from 0.5 to 0.85. Correlations: a matrix of 1 by 3, from −0.5 to 1."
    )
