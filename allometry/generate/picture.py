"""The rooms of the package as a picture: an SVG file, the same text for the same imports."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

from allometry.generate.layers import Layout, Run, flow, layers, place
from allometry.generate.rooms import Room

MARGIN = 16.0
PADDING = 12.0
HEADING = 28.0
ROW = 26.0
LINE = 14.0
# Widest row of boxes that no arrow orders, and of names of files
WIDEST, WIDEST_FILES, FEW_LINES = 320.0, 150.0, 4
# Width of a letter in pixels; generous, because the font is whatever the reader's machine has
NAME, FILE, NOTE, TITLE = 7.5, 6.6, 6.0, 8.4
# For a light and a dark page
HUES = {
    "retrieve": ("#a16207", "#facc15"),
    "homogenize": ("#15803d", "#4ade80"),
    "simulate": ("#1d4ed8", "#7aa7ff"),
    "compare": ("#7e22ce", "#c89bff"),
    "report": ("#be123c", "#fb7f97"),
    "other": ("#475569", "#a3b1c4"),
}
PAPER, INK, FAINT = ("#ffffff", "#171c1f"), ("#1b2330", "#e6ebf2"), ("#5b6675", "#a3b1c4")

FONTS = """\
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.file { font-size: 10.5px; }
.title { font-size: 13px; font-weight: bold; }
.note { font: 10.5px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
rect { stroke-width: 1.2; }
.beside { stroke-dasharray: 4 3; }
.arrow { fill: none; stroke-width: 1.5; }
.halo { fill: none; stroke-width: 5; }
"""


@dataclass(frozen=True)
class _Box:
    """A room with the extent that its contents need."""

    room: Room
    width: float
    height: float
    files: tuple[str, ...] = ()
    layout: Layout | None = None
    inner: Mapping[str, "_Box"] = field(default_factory=dict)


def svg(whole: Room, within: Mapping[str, Mapping[str, set[str]]], level: Sequence[Sequence[str]]) -> str:
    """Text of the picture.

    Parameters
    ----------
    whole : Room
        The package. Its floor is drawn below all else, without arrows.
    within : mapping of str to mapping of str to set of str
        Arrows to draw, by the room that they are in (`rooms.inner_arrows`).
    level : sequence of sequence of str
        Rooms to draw in one layer, from left to right.
    """
    floor = f"{whole.name} (floor)"
    upper = Room(whole.name, rooms=tuple(room for room in whole.rooms if room.name != floor))
    shown = {
        name: {box: others - {floor} for box, others in arrows.items() if box != floor}
        for name, arrows in within.items()
    }
    box = _measured(upper, shown, level)
    assert box.layout is not None
    lines = _contents(box, MARGIN, MARGIN)
    width, height = box.layout.width + 2 * MARGIN, box.layout.height + 2 * MARGIN
    for room in whole.rooms:
        if room.name == floor:
            slab = _beside(room, box.layout.width)
            lines += _drawn(slab, MARGIN, height + PADDING, box.layout.width, slab.height)
            lines.append(
                f'<text class="note" x="{_n(MARGIN + box.layout.width - PADDING)}" y="{_n(height + PADDING + 18 + LINE)}" '
                'text-anchor="end">imported from everywhere: arrows to it are left out</text>'
            )
            height += PADDING + slab.height + MARGIN
    size = f"{_n(width)} {_n(height)}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{_n(width)}" height="{_n(height)}" '
            'role="img">',
            "<title>The rooms of the package and the imports between them</title>",
            f"<style>\n{_style()}</style>",
            f'<rect class="paper" width="{_n(width)}" height="{_n(height)}" rx="8"/>',
            *lines,
            "</svg>\n",
        ]
    )


def _measured(
    room: Room,
    within: Mapping[str, Mapping[str, set[str]]],
    level: Sequence[Sequence[str]] = (),
    *,
    tall: float = 0.0,
    files: float = WIDEST_FILES,
) -> _Box:
    """A room with the place of everything in it, at least as tall as given if arrows order it."""
    if room.beside:
        return _beside(room, files)
    if not room.rooms:
        return _Box(room, NAME * len(_label(room)) + NOTE * len(_count(room)) + 2.5 * PADDING, ROW)
    arrows = within[room.name]
    files = WIDEST_FILES if any(arrows.values()) else WIDEST
    inner = {one.name: _measured(one, within, files=files) for one in room.rooms}
    if not any(arrows.values()):
        return _framed(room, flow(_sizes(inner), WIDEST, PADDING), inner)
    rows = layers(arrows, level)
    for group in level:
        tallest = max(inner[name].height for name in group)
        inner |= {one.name: _measured(one, within, tall=tallest) for one in room.rooms if one.name in group}
    keep = [name for group in level for name in group]
    return _framed(room, place(_sizes(inner), arrows, rows, keep=keep, tall=tall - HEADING - PADDING), inner)


def _framed(room: Room, layout: Layout, inner: Mapping[str, _Box]) -> _Box:
    heading = TITLE * len(_label(room)) + NOTE * len(_count(room)) + PADDING
    width, height = max(layout.width, heading) + 2 * PADDING, layout.height + HEADING + PADDING
    return _Box(room, width, height, layout=layout, inner=inner)


def _sizes(boxes: Mapping[str, _Box]) -> dict[str, tuple[float, float]]:
    return {name: (box.width, box.height) for name, box in boxes.items()}


def _beside(room: Room, widest: float) -> _Box:
    """Box of modules beside rooms, which are named in lines as wide as given, or wider where they would be many."""
    names = [module.rpartition(".")[2] for module in room.modules] or ["__init__"]
    title, text = f"{_label(room)} 10", ", ".join(names)
    letters = max(len(title), int((widest - 2 * PADDING) / FILE), len(text) // FEW_LINES)
    lines = textwrap.wrap(text, letters, break_long_words=False)
    longest = max(len(line) for line in [*lines, title])
    return _Box(room, FILE * longest + 2 * PADDING, ROW + LINE * len(lines) + 2.0, tuple(lines))


def _drawn(box: _Box, x: float, y: float, width: float, height: float) -> list[str]:
    room, hue = box.room, _hue(box.room.name)
    shape = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="5"'
    kind, font = ("paper beside", "note") if room.beside else ("paper", "name")
    if box.layout is not None:
        kind, font = f"frame-{hue}", "title"
    out = [
        f'<rect class="{kind} s-{hue}" {shape}/>',
        f'<text class="{font}" x="{_n(x + PADDING)}" y="{_n(y + 17)}">{escape(_label(room))}</text>',
        f'<text class="note" x="{_n(x + width - PADDING)}" y="{_n(y + 17)}" text-anchor="end">{_count(room)}</text>',
    ]
    out += [
        f'<text class="file" x="{_n(x + PADDING)}" y="{_n(y + 18 + LINE * i)}">{escape(line)}</text>'
        for i, line in enumerate(box.files, 1)
    ]
    if box.layout is not None:
        out += _contents(box, x + (width - box.layout.width) / 2, y + HEADING)
    return out


def _contents(box: _Box, x: float, y: float) -> list[str]:
    """The arrows within a room, and its rooms over them."""
    assert box.layout is not None
    out = []
    for (source, target), runs in box.layout.runs.items():
        hue = _hue(source) if _hue(source) != "other" else _hue(target)
        out += _arrow([(x + at, y + top, y + low) for at, top, low in runs], hue)
    for name, (left, top, width, height) in box.layout.boxes.items():
        out += _drawn(box.inner[name], x + left, y + top, width, height)
    return out


def _arrow(runs: Sequence[Run], hue: str) -> list[str]:
    x, top, low = runs[0]
    way = f"M{_n(x)} {_n(top)}V{_n(low)}"
    for before, after in pairwise(runs):
        end = after[1] - (6.0 if after is runs[-1] else 0.0)
        bend = (end - before[2]) / 2
        way += f"C{_n(before[0])} {_n(before[2] + bend)} {_n(after[0])} {_n(end - bend)} {_n(after[0])} {_n(end)}"
        way += f"V{_n(after[2])}" if after is not runs[-1] else ""
    x, tip, _ = runs[-1]
    return [
        f'<path class="halo" d="{way}"/>',
        f'<path class="arrow s-{hue}" d="{way}"/>',
        f'<path class="f-{hue}" d="M{_n(x - 4)} {_n(tip - 8)}h8l-4 8z"/>',
    ]


def _style() -> str:
    light, dark = (
        "\n".join(
            [
                f"text {{ fill: {INK[tone]}; }}",
                f".note {{ fill: {FAINT[tone]}; }}",
                f".paper {{ fill: {PAPER[tone]}; }}",
                f".halo {{ stroke: {PAPER[tone]}; }}",
                *(
                    f".s-{hue} {{ stroke: {pair[tone]}; }} .f-{hue} {{ fill: {pair[tone]}; }} "
                    f".frame-{hue} {{ fill: {pair[tone]}; fill-opacity: 0.07; }}"
                    for hue, pair in HUES.items()
                ),
            ]
        )
        for tone in (0, 1)
    )
    return f"{FONTS}{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _label(room: Room) -> str:
    """Name as it is shown: without the rooms around it; what lies beside these in no frame keeps the package's name."""
    if room.beside and not room.name.startswith("allometry "):
        return room.name.rpartition("(")[2].removesuffix(")")
    return room.name.rpartition("/")[2]


def _count(room: Room) -> str:
    return f"{room.size} modules" if room.rooms else str(room.size or "")


def _hue(name: str) -> str:
    stage = name.replace(" ", "/").partition("/")[0]
    return stage if stage in HUES else "other"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
