"""Plugins: readers, neuron and network models, measures and kinds of comparison that users add without editing the package.

A plugin is a folder, a module, or an installed package. It is named under `plugins` in a configuration, or says itself that it
is one, by an entry point of the group `allometry.plugins`. It is imported once per process; what it defines with the
decorators of the stages is in their registers then. A process that another one starts (a job, a Dask worker) finds the
plugins of that one in the environment variable `ALLOMETRY_PLUGINS`, and imports them when it first looks something up.

This module imports no stage: the registers of the stages import it.
"""

import importlib
import importlib.metadata
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from allometry.errors import AllometryError, PluginError
from allometry.hints import hint
from allometry.module_places import files_of, import_from, line_of, place_of
from allometry.pathnames import EXPECTED, is_name, nearest_name

GROUP = "allometry.plugins"
VARIABLE = "ALLOMETRY_PLUGINS"
"""Of every plugin its name, and the folder or file that it is (empty: installed), as JSON."""

Part = TypeVar("Part")


@dataclass(frozen=True)
class Plugin:
    """A plugin that is imported.

    Parameters
    ----------
    name : str
        As in the configuration, without folder and `.py`.
    module : str
        Dotted name that it is imported by.
    place : Path or None
        Folder or file named in the configuration; None of an installed package.
    """

    name: str
    module: str
    place: Path | None

    @property
    def parts(self) -> list[tuple[str, str]]:
        """What it has registered: sort and name, sorted."""
        return sorted(
            (register.sort, name)
            for register in _REGISTERS
            for name, module in register.modules.items()
            if _root(module) == _root(self.module)
        )

    def files(self) -> list[Path]:
        """Source and data files, sorted; hidden ones and caches left out."""
        return files_of(self.place or place_of(sys.modules[self.module]))


PLUGINS: dict[str, Plugin] = {}
"""Plugins that are imported, by name."""
_REGISTERS: list["Register[object]"] = []
_LOCK = threading.RLock()
IMPORTING: list[str] = []  # names of the plugins that are being imported


class Register(Mapping[str, Part], Generic[Part]):
    """Parts of one sort by name: those of the package that are imported, and those of plugins.

    Parameters
    ----------
    sort : str
        What they are, for messages: ``measure``.
    own : callable
        Names of all that the package has, imported or not.
    """

    def __init__(self, sort: str, own: Callable[[], Iterable[str]] = tuple) -> None:
        self.sort, self.own = sort, own
        self.parts: dict[str, Part] = {}
        self.modules: dict[str, str] = {}
        _REGISTERS.append(self)  # type: ignore[arg-type]

    def add(self, name: str, part: Part, module: str) -> None:
        """Register a part.

        Parameters
        ----------
        name : str
            Its name.
        part : object
            The part.
        module : str
            Dotted name of the module that defines it.

        Raises
        ------
        PluginError
            The name is no name, or taken.
        """
        if not is_name(name):
            raise PluginError(
                f"{name!r} is no name of a {self.sort}",
                where=module,
                expected=EXPECTED,
                do=f"write for example {nearest_name(name)!r}",
            )
        holder = self.modules.get(name)
        if holder is None and _root(module) != __package__ and name in set(self.own()):
            holder = "allometry"
        twice = holder == module and bool(IMPORTING) and _root(module) != __package__
        if twice or holder not in (None, module):
            raise PluginError(
                f"there is a {self.sort} called {name!r} already",
                where=module,
                expected=f"another name than that of {holder}",
                do="rename it",
            )
        self.parts[name], self.modules[name] = part, module

    def plugged(self) -> dict[str, Part]:
        """Parts of plugins alone, which are imported where they are not yet."""
        load()
        return {name: part for name, part in self.parts.items() if _root(self.modules[name]) != __package__}

    def __getitem__(self, name: str) -> Part:
        if name not in self.parts:
            load()
        return self.parts[name]

    def __iter__(self) -> Iterator[str]:
        load()
        return iter(list(self.parts))

    def __len__(self) -> int:
        load()
        return len(self.parts)


DRAWINGS: Register[Callable[..., Any]] = Register("drawing of a comparison")
"""`draw(rows, curves)` by kind of comparison: the compare stage registers it with the kind, the report draws with it."""


def use(names: Sequence[str], folders: Sequence[str | Path] = (".",)) -> None:
    """Import plugins, here and in every process that this one starts.

    Parameters
    ----------
    names : sequence of str
        Folders, modules (`.py`) or installed packages.
    folders : sequence of path
        Where folders and modules are looked for: beside the configuration files.

    Raises
    ------
    PluginError
        A plugin is not there, does not import, registers nothing or a taken name.
    """
    named = places()
    adopt(dict(_find(entry, [Path(folder) for folder in folders], named) for entry in names))


def places() -> dict[str, str]:
    """Folder or file of every plugin that a configuration of this process named; empty of an installed package.

    Returns
    -------
    dict of str to str
        Path by name of the plugin.
    """
    return dict(json.loads(os.environ.get(VARIABLE, "{}")))


def adopt(named: Mapping[str, str]) -> None:
    """Import the plugins of another process; a PluginError is raised as by `use`.

    Parameters
    ----------
    named : mapping of str to str
        What `places` gives there: folder or file of every plugin, empty of an installed package.
    """
    if merged := {**places(), **named}:
        os.environ[VARIABLE] = json.dumps(merged, sort_keys=True)
    load()


def load() -> None:
    """Import the plugins that the environment and entry points name, and that are not imported yet.

    Raises
    ------
    PluginError
        See `use`.
    """
    with _LOCK:
        if IMPORTING:
            return
        for name, module in _entry_points().items():
            if name not in PLUGINS:
                _load(Plugin(name, module, None))
        for name, place in places().items():
            if name not in PLUGINS:
                _load(Plugin(name, name, Path(place) if place else None))


def of(module: str) -> Plugin | None:
    """The plugin that a module belongs to.

    Parameters
    ----------
    module : str
        Dotted name.

    Returns
    -------
    Plugin or None
        None of a module of the package.
    """
    return next((plugin for plugin in PLUGINS.values() if _root(plugin.module) == _root(module)), None)


def forget() -> None:
    """Drop all plugins, with what they have registered; for tests, and to import an edited plugin anew."""
    with _LOCK:
        for plugin in PLUGINS.values():
            _drop(plugin, True)
        PLUGINS.clear()
        os.environ.pop(VARIABLE, None)
        _entry_points.cache_clear()


def _root(module: str) -> str:
    return module.partition(".")[0]


@cache
def _entry_points() -> dict[str, str]:
    return {point.name: point.module for point in importlib.metadata.entry_points(group=GROUP)}


def _find(entry: str, folders: Sequence[Path], named: Mapping[str, str]) -> tuple[str, str]:
    """Name of a plugin, and the folder or file that it is; empty of an installed package."""
    name = Path(entry).name.removesuffix(".py")
    if not name.isidentifier():
        raise PluginError(
            f"{name!r} is no name of a plugin",
            where="plugins",
            expected="letters, digits and _, as of a Python module",
            do="rename the folder",
        )
    for folder in folders:
        for place in (folder / entry, folder / f"{entry}.py"):
            if place.is_dir() or (place.is_file() and place.suffix == ".py"):
                return name, str(place.resolve())
    if name in named or name in _entry_points():
        return name, named.get(name, "")
    try:
        if importlib.util.find_spec(name) is not None and name == entry:
            return name, ""
    except (ImportError, ValueError):
        pass
    tried = " or ".join(str((folder / entry).absolute()) for folder in folders)
    raise PluginError(
        f"there is no plugin {entry!r}",
        where="plugins",
        expected=f"the folder {tried}, or an installed package of this name",
        do=hint(
            entry, [path.name for folder in folders for path in folder.glob("*/")], "make the folder, or install it"
        ),
    )


def _load(plugin: Plugin) -> None:
    """Import a plugin; nothing of it is left where that fails."""
    IMPORTING.append(plugin.name)
    try:
        if plugin.place is None:
            importlib.import_module(plugin.module)
        else:
            import_from(plugin.name, plugin.place)
        if not plugin.parts:
            raise PluginError(
                "it registers nothing",
                expected="a reader, a neuron, network or feature model, a measure or a kind of comparison, each with its decorator",
                do="see docs/plugins.md for one example of each",
            )
    except AllometryError as error:
        _drop(plugin, plugin.place is not None)
        where = ", ".join(filter(None, (str(plugin.place or ""), error.where)))
        raise PluginError(
            f"the plugin {plugin.name!r} cannot be used: {error.what}", where, error.expected, error.do
        ) from error
    except (Exception, SystemExit) as error:
        _drop(plugin, plugin.place is not None)
        raise PluginError(
            f"the plugin {plugin.name!r} does not import: {type(error).__name__}: {error}",
            where=line_of(error, plugin.place) or str(plugin.place or plugin.module),
            do="correct it, or remove it from `plugins`",
        ) from error
    finally:
        IMPORTING.pop()
    PLUGINS[plugin.name] = plugin


def _drop(plugin: Plugin, modules: bool) -> None:
    """Undo what a plugin has registered, and the import of its modules; an installed package of its name stays."""
    root = _root(plugin.module)
    for register in _REGISTERS:
        for name in [name for name, module in register.modules.items() if _root(module) == root]:
            del register.parts[name], register.modules[name]
    for name, module in list(sys.modules.items()) if modules else ():
        if _root(name) == root and (not plugin.place or place_of(module).is_relative_to(plugin.place)):
            del sys.modules[name]
