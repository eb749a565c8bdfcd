"""The picture of the package can be read: a box per room, nothing over anything else, arrows that end at boxes."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from allometry.generate.architecture import STAGES, documentation, drawing
from allometry.generate.picture import FILE, NAME, NOTE, TITLE
from allometry.generate.rooms import import_graph, plan

SVG = "{http://www.w3.org/2000/svg}"
LETTERS = {"name": NAME, "file": FILE, "note": NOTE, "title": TITLE}
Rectangle = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def picture(root: Path) -> ET.Element:
    return ET.fromstring(drawing(root))


@pytest.fixture(scope="module")
def names(root: Path) -> list[str]:
    graph = import_graph(root / "allometry", root / "scripts")
    return [room.name for room in plan(root / "allometry", graph, root / "scripts").walk()]


def _rectangles(picture: ET.Element) -> list[Rectangle]:
    """Left, upper, right and lower edge of every box; the first, the paper, is left out."""
    found = []
    for one in picture.findall(f"{SVG}rect")[1:]:
        x, y, width, height = (float(one.attrib[key]) for key in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


def _texts(picture: ET.Element) -> list[Rectangle]:
    found = []
    for one in picture.findall(f"{SVG}text"):
        width = LETTERS[one.attrib["class"]] * len(one.text or "")
        x, y = float(one.attrib["x"]), float(one.attrib["y"])
        left = x - width if one.attrib.get("text-anchor") == "end" else x
        found.append((left, y - 9.0, left + width, y + 2.0))
    return found


def _inside(one: Rectangle, other: Rectangle) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one[2] <= other[2] and one[3] <= other[3]


def _apart(one: Rectangle, other: Rectangle) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def _points(way: str) -> list[tuple[float, float]]:
    """Points along an arrow, a pixel or so apart."""
    x = y = 0.0
    found = []
    for command, text in re.findall(r"([MVC])([^MVC]*)", way):
        numbers = [float(number) for number in text.split()]
        if command == "V":
            found += [(x, y + (numbers[0] - y) * i / 100) for i in range(101)]
            y = numbers[0]
        elif command == "C":
            (a, b, c, d, e, f), old = numbers, (x, y)
            for i in range(101):
                t = i / 100
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                found.append(
                    tuple(sum(w * v for w, v in zip(weights, line)) for line in ((old[0], a, c, e), (old[1], b, d, f)))
                )
            x, y = e, f
        else:
            x, y = numbers
    return found


def test_every_room_has_its_box(picture: ET.Element, names: list[str]) -> None:
    shown = [one.text for one in picture.findall(f"{SVG}text")]
    assert len(_rectangles(picture)) == len(names) - 1  # the package itself is the paper
    for name in names[1:]:
        assert name.rpartition("/")[2] in shown or name.rpartition("(")[2].removesuffix(")") in shown


def test_boxes_lie_within_one_another_or_apart(picture: ET.Element) -> None:
    boxes = _rectangles(picture)
    width, height = float(picture.attrib["width"]), float(picture.attrib["height"])
    assert all(_inside(box, (0.0, 0.0, width, height)) for box in boxes)
    assert all(_apart(a, b) or _inside(a, b) or _inside(b, a) for i, a in enumerate(boxes) for b in boxes[:i])


def test_no_text_overlaps_another_or_leaves_its_box(picture: ET.Element) -> None:
    texts, boxes = _texts(picture), _rectangles(picture)
    assert all(_apart(a, b) for i, a in enumerate(texts) for b in texts[:i])
    for text in texts:
        around = [box for box in boxes if not _apart(text, box)]
        assert around
        assert all(_inside(text, box) for box in around), text


def test_no_arrow_runs_through_a_box_or_a_text(picture: ET.Element) -> None:
    boxes = _rectangles(picture)
    leaves = [box for box in boxes if not any(other != box and _inside(other, box) for other in boxes)]
    left, top, right, low = np.array([*leaves, *_texts(picture)]).T
    arrows = [one.attrib["d"] for one in picture.findall(f"{SVG}path") if one.attrib["class"].startswith("arrow")]
    assert len(arrows) > len(STAGES)
    for way in arrows:
        points = _points(way)
        assert all(later[1] >= earlier[1] - 1e-6 for earlier, later in pairwise(points)), way
        x, y = np.array(points)[:, :, None].transpose(1, 0, 2)
        assert not ((left < x) & (x < right) & (top + 0.1 < y) & (y < low - 0.1)).any(), way


def test_arrows_start_and_end_at_boxes(picture: ET.Element) -> None:
    boxes = _rectangles(picture)
    for one in picture.findall(f"{SVG}path"):
        if one.attrib["class"].startswith("arrow"):
            (x, y), (u, v) = _points(one.attrib["d"])[0], _points(one.attrib["d"])[-1]
            assert any(abs(box[3] - y) < 0.11 and box[0] < x < box[2] for box in boxes)
            # the head is 8 high and covers the end of the line
            assert any(0 < box[1] - v < 8 and box[0] < u < box[2] for box in boxes)


def test_picture_asks_nothing_of_the_network_and_knows_dark_pages(root: Path) -> None:
    text = drawing(root)
    assert re.findall(r"(?:https?:|url\(|@import|href|<script)[^\s\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in text


def test_stages_stand_side_by_side_in_the_order_of_the_workflow(picture: ET.Element) -> None:
    at = {one.text: (float(one.attrib["x"]), float(one.attrib["y"])) for one in picture.findall(f"{SVG}text")}
    places = [at[stage] for stage in STAGES]
    assert places == sorted(places)
    assert len({y for _, y in places}) == 1


def test_table_has_every_room_with_what_it_holds(root: Path, names: list[str]) -> None:
    rows = [line.strip("| ").split(" | ") for line in documentation(root).splitlines() if line.startswith("| `")]
    assert {row[0].strip("`") for row in rows} == set(names[1:])
    for name, holds, *_ in rows:
        # the first line of a docstring is a sentence
        assert holds.endswith((".", "?", "`")), name


def test_table_has_the_arrows_that_the_picture_leaves_out(root: Path) -> None:
    rows = {
        line.split(" | ")[0].strip("| `"): line for line in documentation(root).splitlines() if line.startswith("| `")
    }
    for room, imported in {
        "compare/kinds": "compare/measures/spikes",
        "compare/measures/graphs": "errors",
        "simulate/build": "network",
        "homogenize": "stores",
    }.items():
        assert f"`{imported}`" in rows[room].split(" | ")[-1]
