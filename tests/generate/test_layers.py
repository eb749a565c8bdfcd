"""Layout in layers: arrows point down and pass boxes at their side, boxes keep apart, positions are the least squares."""

import graphlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from allometry.generate.layers import BETWEEN_BOXES, Layout, flow, layers, place, spread


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, set[str]]:
    names = [f"n{i}" for i in range(draw(st.integers(1, 9)))]
    return {
        name: draw(st.sets(st.sampled_from(names[i + 1 :]))) if names[i + 1 :] else set()
        for i, name in enumerate(names)
    }


def _sizes(graph: dict[str, set[str]]) -> dict[str, tuple[float, float]]:
    return {name: (60.0 + 25.0 * (i % 4), 20.0 + 15.0 * (i % 3)) for i, name in enumerate(graph)}


def _overlaps(layout: Layout) -> list[tuple[str, str]]:
    boxes = list(layout.boxes.items())
    return [
        (a, b)
        for i, (a, (x, y, w, h)) in enumerate(boxes)
        for b, (u, v, p, q) in boxes[:i]
        if x < u + p - 1e-6 and u < x + w - 1e-6 and y < v + q - 1e-6 and v < y + h - 1e-6
    ]


@given(graphs())
def test_every_arrow_points_at_a_lower_layer(graph: dict[str, set[str]]) -> None:
    rows = layers(graph)
    where = {name: i for i, row in enumerate(rows) for name in row}
    assert set(where) == set(graph)
    assert all(where[name] < where[other] for name in graph for other in graph[name])


@given(graphs(), st.sampled_from([0.0, 700.0]))
def test_boxes_keep_apart_and_arrows_go_down_beside_them(graph: dict[str, set[str]], tall: float) -> None:
    sizes = _sizes(graph)
    layout = place(sizes, graph, layers(graph), tall=tall)
    assert _overlaps(layout) == []
    assert set(layout.runs) == {(name, other) for name in graph for other in graph[name]}
    for x, y, width, height in layout.boxes.values():
        assert -1e-6 <= x <= x + width <= layout.width + 1e-6
        assert 0 <= y <= y + height <= layout.height + 1e-6
    for edge, runs in layout.runs.items():
        (source, target) = (layout.boxes[name] for name in edge)
        assert runs[0][1] == pytest.approx(source[1] + source[3])
        assert runs[-1][1] == pytest.approx(target[1])
        assert source[0] < runs[0][0] < source[0] + source[2]
        assert target[0] < runs[-1][0] < target[0] + target[2]
        ys = [y for _, top, low in runs for y in (top, low)]
        assert ys == sorted(ys)
        for x, top, low in runs:
            for left, upper, width, height in layout.boxes.values():
                assert not (left < x < left + width and top < upper + height - 1e-6 and upper + 1e-6 < low)
        # between its straight parts an arrow bends, and there no box is
        for (_, _, low), (_, top, _) in pairwise(runs):
            assert all(
                upper >= top - 1e-6 or upper + height <= low + 1e-6 for _, upper, _, height in layout.boxes.values()
            )


def test_layers_are_moved_apart_to_fill_a_height() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": set()}
    low, tall = (place(_sizes(graph), graph, layers(graph), tall=tall) for tall in (0.0, 500.0))
    assert low.height < tall.height == pytest.approx(500.0)


def test_boxes_kept_level_share_a_layer_in_their_order() -> None:
    graph = {"top": {"b", "a"}, "a": {"low"}, "b": set(), "low": set()}
    rows = layers(graph, [("b", "a")])
    assert rows == [["top"], ["a", "b"], ["low"]]
    boxes = place(_sizes(graph), graph, rows, keep=("b", "a")).boxes
    assert boxes["b"][0] + boxes["b"][2] + BETWEEN_BOXES <= boxes["a"][0] + 1e-6


def test_crossing_that_can_be_avoided_is_avoided() -> None:
    graph = {"a": {"d"}, "b": {"c"}, "c": set(), "d": set()}
    runs = place(_sizes(graph), graph, [["a", "b"], ["c", "d"]]).runs
    (a, *_, d), (b, *_, c) = runs["a", "d"], runs["b", "c"]
    assert (a[0] - b[0]) * (d[0] - c[0]) > 0


def test_circle_has_no_layers() -> None:
    with pytest.raises(graphlib.CycleError):
        layers({"a": {"b"}, "b": {"a"}})


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 5), st.floats(0, 30)), min_size=1, max_size=12))
def test_spread_is_isotonic_regression_without_the_distances(rows: list[tuple[float, float, float]]) -> None:
    wanted, weights, apart = np.array(rows).T
    offsets = np.concatenate([[0.0], np.cumsum(apart[1:])])
    expected = isotonic_regression(wanted - offsets, weights=weights).x + offsets
    np.testing.assert_allclose(spread(list(wanted), list(apart[1:]), list(weights)), expected, atol=1e-8)


def test_rows_without_arrows_are_as_wide_as_the_widest() -> None:
    layout = flow({"a": (50.0, 20.0), "b": (40.0, 30.0), "c": (70.0, 20.0), "d": (30.0, 20.0)}, widest=100.0, gap=10.0)
    assert _overlaps(layout) == []
    assert (layout.width, layout.height) == (100.0, 90.0)
    assert layout.boxes["b"] == (60.0, 0.0, 40.0, 30.0)
    assert layout.boxes["c"] == (0.0, 40.0, 100.0, 20.0)
    assert layout.boxes["d"] == (0.0, 70.0, 100.0, 20.0)
