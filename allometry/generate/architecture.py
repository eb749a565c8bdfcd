"""The picture of the package and its page: rooms, what they hold, and what each imports."""

import ast
from functools import cache
from pathlib import Path

from allometry.generate import picture
from allometry.generate.rooms import Graph, Room, arrows, import_graph, inner_arrows, plan, targets, without_shortcuts

STAGES = ("retrieve", "homogenize", "simulate", "compare", "report")
USING_OTHERS = "scale"
"""The stage that stands above the others: it simulates, and measures as comparisons do."""
BELOW = ("models", "network", "stores")
SCRIPTS = "One script per rule: it unpacks `snakemake` and calls one function of a stage."

HEADER = """\
---
hide:
  - toc
---

# Architecture

Generated from the imports of the package by `python -m allometry.generate`: {modules} modules in {rooms} rooms.

[![Rooms of the package as boxes, imports between them as arrows that all point down](images/architecture.svg)](images/architecture.svg)

A box is a room: a folder of `allometry/`, with its number of modules. An arrow points at what is imported, and all arrows point
down. An arrow at the frame of a room stands for all that lies within. In the picture, not in the tables, an arrow is left out
where a longer way along others leads to the same room. Click the picture to see it at full size.

Modules that lie beside rooms are dashed: those that the rooms import, directly or through others, are the *floor*, the others
the *entrance*. Imports within functions and under `TYPE_CHECKING` count. What is imported by a name that is only known when it
runs (a reader, a kind of comparison, a measure of the registry) does not: that is done in an entrance, or in the room itself.

`tests/test_architecture.py` holds the package to this order: scripts use stages, stages use stores; `models` uses `network`, and
`simulate` both; no stage uses another, but `scale`, which simulates and takes measures of `compare`; there is no circle, neither of modules nor of rooms.
"""


def documentation(root: Path) -> str:
    """Page with the picture and a table of rooms for each stage.

    Parameters
    ----------
    root : path
        Root of the checkout.
    """
    whole, graph = _read(root)
    used = targets(whole, graph)
    by_name = {room.name: room for room in whole.rooms}
    elsewhere = (*STAGES, USING_OTHERS, *BELOW, f"{whole.name} (floor)")
    above = [inner for room in whole.rooms if room.name not in elsewhere for inner in room.walk()]
    below = [room for name in (*BELOW, f"{whole.name} (floor)") for room in by_name[name].walk()]
    out = [HEADER.format(modules=whole.size, rooms=sum(not room.rooms for room in whole.walk()))]
    sections = {
        "Above the stages": above,
        **{f"`{stage}`": list(by_name[stage].walk()) for stage in (USING_OTHERS, *STAGES)},
        "Below the stages": below,
    }
    for title, rooms in sections.items():
        out += [f"## {title}\n", "| room | what it holds | modules | imports from |", "|---|---|---|---|"]
        for room in rooms:
            others = ", ".join(f"`{other}`" for other in used[room.name])
            out.append(f"| `{room.name}` | {_holds(room, root / whole.name)} | {room.size} | {others} |")
        out.append("")
    return "\n".join(out)


def drawing(root: Path) -> str:
    """The picture, as text of an SVG file.

    Parameters
    ----------
    root : path
        Root of the checkout.
    """
    whole, graph = _read(root)
    within = inner_arrows(whole, arrows(whole, graph))
    shown = {name: without_shortcuts(inner) for name, inner in within.items()}
    return picture.svg(whole, shown, [STAGES, ("network", "stores")])


@cache
def _read(root: Path) -> tuple[Room, Graph]:
    graph = import_graph(root / "allometry", root / "scripts")
    return plan(root / "allometry", graph, root / "scripts"), graph


def _holds(room: Room, package: Path) -> str:
    if room.beside:
        return ", ".join(f"`{module.rpartition('.')[2]}`" for module in room.modules) or "`__init__`"
    init = package / room.name / "__init__.py"
    if not init.exists():
        return SCRIPTS
    return (ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or "").partition("\n")[0].replace("|", "\\|")
