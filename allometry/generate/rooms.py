"""Rooms of the package and the arrows between them, as its imports have them.

A room is a folder. Where a folder has rooms in it, the modules that lie beside them are two rooms more: those that the rooms
import, directly or through others, are its *floor*, and the others are its *entrance*.
"""

import graphlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from allometry.code.definitions import imports, uncollected

Graph = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Room:
    """A folder, or the modules that lie beside the rooms of one.

    Parameters
    ----------
    name : str
        Path from the package, such as ``compare/kinds``; with ``(entrance)`` or ``(floor)`` for modules beside rooms.
    modules : tuple of str
        Dotted names of the modules that lie in it directly, without its `__init__`.
    init : str
        Dotted name of the `__init__` that belongs to it; empty if none does.
    rooms : tuple of Room
        Rooms within it; such a room has no modules of its own, its entrance and its floor have them.
    """

    name: str
    modules: tuple[str, ...] = ()
    init: str = ""
    rooms: tuple["Room", ...] = ()

    @property
    def size(self) -> int:
        """Number of modules, with those of the rooms within."""
        return len(self.modules) + sum(room.size for room in self.rooms)

    @property
    def beside(self) -> bool:
        """Whether it is an entrance or a floor."""
        return self.name.endswith(")")

    def walk(self) -> Iterator["Room"]:
        """The room and all rooms within, from the outermost."""
        yield self
        for room in self.rooms:
            yield from room.walk()


def import_graph(package: Path, *beside: Path) -> dict[str, frozenset[str]]:
    """Modules that each module of the package imports; imports within functions and under TYPE_CHECKING count.

    What a stub (`__init__.pyi`) lists for import on first use counts for its module. What is imported by a name that is
    only known when it runs (readers, kinds of comparison) is no import here.

    Parameters
    ----------
    package : path
        Folder of the package.
    *beside : path
        Folders of scripts that import the package and lie beside it.
    """
    graph: dict[str, frozenset[str]] = {}
    with uncollected():
        for folder in (package, *beside):
            for path in sorted(folder.rglob("*.py")):
                stub = path.with_suffix(".pyi")
                found = [*imports(path, package), *(imports(stub, package) if stub.exists() else ())]
                graph[_dotted(path, package)] = frozenset(found) - {_dotted(path, package)}
    return graph


def plan(package: Path, graph: Graph, *beside: Path) -> Room:
    """The package as a room with all its rooms.

    Parameters
    ----------
    package, graph, *beside
        The folders, and the import graph of the same folders.
    """
    scripts = tuple(Room(folder.name, tuple(_dotted(path, package) for path in _files(folder))) for folder in beside)
    whole = _room(package, package, graph, scripts)
    return Room(whole.name, rooms=(*scripts, *whole.rooms))


def _room(folder: Path, package: Path, graph: Graph, scripts: Sequence[Room] = ()) -> Room:
    name = folder.relative_to(package).as_posix() if folder != package else package.name
    init = _dotted(folder / "__init__.py", package)
    own = tuple(_dotted(path, package) for path in _files(folder))
    within = tuple(
        _room(path, package, graph)
        for path in sorted(folder.iterdir())
        if path.is_dir() and (path / "__init__.py").exists()
    )
    if not within:
        return Room(name, own, init)
    reached = _reached(graph, (module for room in (*scripts, *within) for module in _modules(room)))
    sides = []
    for side, below in (("entrance", False), ("floor", True)):
        modules = tuple(module for module in own if (module in reached) is below)
        holds_init = (init in reached) is below and bool(graph[init])
        sides.append(Room(f"{name} ({side})", modules, init if holds_init else ""))
    entrance, floor = ((side,) if side.modules or side.init else () for side in sides)
    return Room(name, rooms=(*entrance, *within, *floor))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")


def _dotted(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _modules(room: Room) -> Iterator[str]:
    for one in room.walk():
        yield from (*one.modules, *([one.init] if one.init else []))


def _reached(graph: Graph, start: Iterable[str]) -> set[str]:
    found: set[str] = set()
    pending = list(start)
    while pending:
        module = pending.pop()
        if module not in found:
            found.add(module)
            pending += graph.get(module, ())
    return found


def arrows(whole: Room, graph: Graph) -> dict[str, set[str]]:
    """Rooms without rooms within, and those of them that each imports."""
    home = _homes(whole)
    found: dict[str, set[str]] = {room.name: set() for room in whole.walk() if not room.rooms}
    for module, imported in graph.items():
        for other in imported:
            if module in home and other in home and home[module] != home[other]:
                found[home[module][-1]].add(home[other][-1])
    return found


def inner_arrows(whole: Room, between: Mapping[str, set[str]]) -> dict[str, dict[str, set[str]]]:
    """For each room with rooms: the arrows between these, each standing for all that lies within.

    Parameters
    ----------
    whole : Room
        The package.
    between : mapping of str to set of str
        Arrows between rooms without rooms (`arrows`).
    """
    ways = {way[-1]: way for way in _homes(whole).values()}
    found: dict[str, dict[str, set[str]]] = {
        room.name: {inner.name: set() for inner in room.rooms} for room in whole.walk() if room.rooms
    }
    for name, others in between.items():
        for other in others:
            depth = next(i for i, (a, b) in enumerate(zip(ways[name], ways[other])) if a != b)
            found[ways[name][depth - 1]][ways[name][depth]].add(ways[other][depth])
    return found


def targets(whole: Room, graph: Graph) -> dict[str, list[str]]:
    """What each room imports from outside itself: names of rooms, and of modules where these lie beside rooms."""
    homes = _homes(whole)
    beside = {room.name for room in whole.walk() if room.beside}
    found: dict[str, set[str]] = {room.name: set() for room in whole.walk()}
    for module, way in homes.items():
        for other in graph[module]:
            there = homes.get(other, ())
            shown = other.partition(".")[2].replace(".", "/") if there and there[-1] in beside else "".join(there[-1:])
            for name in way:
                if there and name not in there:
                    found[name].add(shown)
    return {name: sorted(shown) for name, shown in found.items()}


def _homes(whole: Room) -> dict[str, tuple[str, ...]]:
    """Names of the rooms that lead to each module, from the outermost."""
    found: dict[str, tuple[str, ...]] = {}

    def enter(room: Room, way: tuple[str, ...]) -> None:
        found.update(dict.fromkeys((*room.modules, *([room.init] if room.init else [])), (*way, room.name)))
        for inner in room.rooms:
            enter(inner, (*way, room.name))

    enter(whole, ())
    return found


def circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Names along one circle of imports, the first again at the end; empty if there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(reversed(error.args[1]))
    return []


def without_shortcuts(between: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Arrows without those that a longer way along others replaces."""
    return {
        name: {other for other in others if other not in _reached_through(between, others - {other})}
        for name, others in between.items()
    }


def _reached_through(between: Mapping[str, set[str]], start: set[str]) -> set[str]:
    return _reached({name: frozenset(others) for name, others in between.items()}, start)
