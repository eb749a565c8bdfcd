"""Modules by the folder or file that they are, wherever it lies: importing one by a name, and finding its files and lines."""

import importlib
import importlib.util
import sys
import traceback
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from allometry.errors import PluginError


def import_from(name: str, place: Path) -> None:
    """Import a folder with all its modules, or a file, by a name; what is imported from there already stays.

    Parameters
    ----------
    name : str
        Name of the package or module.
    place : path
        The folder or file.

    Raises
    ------
    PluginError
        Nothing is there, or the name is that of an installed package.
    """
    if not place.exists():
        raise PluginError("it is not there any more", expected="the folder that the configuration names")
    present = sys.modules.get(name)
    if present is None or place_of(present).resolve() != place.resolve():
        found = importlib.util.find_spec(name) if present is None else present.__spec__
        if found is not None and place.resolve() not in [Path(part).resolve() for part in _locations(found)]:
            raise PluginError(
                f"a package called {name} is installed already",
                expected="a name of its own",
                do="rename the plugin",
            )
        _execute(name, place)
    for module in _modules(name, place):
        importlib.import_module(module)


def _execute(name: str, place: Path) -> None:
    """Import a folder or a file by a name, wherever it lies."""
    inner = [str(place)] if place.is_dir() else None
    start = place / "__init__.py" if place.is_dir() else place
    spec: ModuleSpec | None = ModuleSpec(name, None, is_package=True)
    if start.exists():
        spec = importlib.util.spec_from_file_location(name, start, submodule_search_locations=inner)
    assert spec is not None
    if inner:
        spec.submodule_search_locations = inner
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if start.exists() and spec.loader is not None:
        spec.loader.exec_module(module)


def _modules(name: str, place: Path) -> list[str]:
    """Dotted names of the modules of a folder; what begins with `_`, `.` or `test` is left out."""
    found = []
    for path in sorted(place.rglob("*.py")) if place.is_dir() else ():
        parts = path.relative_to(place).with_suffix("").parts
        if all(part.isidentifier() and not part.startswith(("_", "test")) for part in parts):
            found.append(".".join((name, *parts)))
    return found


def place_of(module: ModuleType) -> Path:
    """Folder of a package, file of a module.

    Parameters
    ----------
    module : module
        It is imported.
    """
    inner = list(getattr(module, "__path__", ()))
    return Path(inner[0]) if inner else Path(str(module.__file__))


def _locations(spec: ModuleSpec | None) -> list[str]:
    if spec is None:
        return []
    return [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.origin else [])]


def files_of(place: Path) -> list[Path]:
    """Source and data files of a folder, or the one file, sorted; hidden ones and caches left out.

    Parameters
    ----------
    place : path
        The folder or file.
    """
    if place.is_file():
        return [place]
    found = (path for path in place.rglob("*") if path.is_file())
    return sorted(path for path in found if not _hidden(path.relative_to(place)))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def line_of(error: BaseException, place: Path | None) -> str:
    """File and line that an error comes from; empty where it is not known.

    Parameters
    ----------
    error : exception
        As it was raised.
    place : path or None
        Folder or file whose lines are looked for; None: the innermost line of all.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    lines = [
        f"{frame.filename}, line {frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if place is None or Path(frame.filename).is_relative_to(place)
    ]
    return lines[-1] if lines else ""
