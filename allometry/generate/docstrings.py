"""Rule for docstrings: what a package exports says what it takes and what it gives, in numpy style.

`python -m allometry.generate.docstrings` (part of `make lint`) names every exported function and class whose docstring is not
complete. Complete is: a sentence, an entry with a type for every argument (or "As in" and the name of what describes it), and
an entry for every result that is not None; an array has its shape, such as ``array [units, bins]``. Whether units are right
only a reader sees.
"""

import enum
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

EXPORTING = ("compare", "simulate", "network", "stores", "homogenize", "models", "retrieve", "report", "plugins")
"""Packages and modules below `allometry` whose names users import."""

_ARRAY = re.compile(r"\b(nd)?arrays?\b|\barray_like\b|\bArrayLike\b|\bNDArray\b|\b(sparse )?matri(x|ces)\b")
_SHAPE = re.compile(r"\[[^\]]+\]|\(\w+, \w+[^)]*\)|\bshape\b|\bscalars?\b")
_ELSEWHERE = re.compile(r"As\b.*`")
_STARS = "*\\"
_STARRED = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}


@dataclass(frozen=True)
class Problem:
    """What a docstring lacks.

    Parameters
    ----------
    place : str
        File and line of the definition, such as ``allometry/plugins.py:12``.
    name : str
        Name that it is exported by.
    what : str
        What is missing.
    do : str
        What to write.
    """

    place: str
    name: str
    what: str
    do: str

    def __str__(self) -> str:
        return f"{self.place}: {self.name}: {self.what}; {self.do}"


def exported(module: ModuleType) -> dict[str, Any]:
    """Functions and classes that a module exports and that are the package's own; errors that add nothing are left out.

    Parameters
    ----------
    module : module
        With `__all__`, or with the public names that are defined in it or below it.

    Returns
    -------
    dict of str to function or class
        By name, sorted.
    """
    listed = getattr(module, "__all__", None)
    home = module.__name__
    found = {}
    for name in sorted(listed if listed is not None else vars(module)):
        thing = getattr(module, name)
        if name.startswith("_") or not (inspect.isclass(thing) or inspect.isroutine(thing)):
            continue
        place = getattr(thing, "__module__", "") or ""
        around = home if listed is None else home.split(".")[0]
        if place != around and not place.startswith(f"{around}."):
            continue
        if inspect.isclass(thing) and issubclass(thing, Exception) and "__init__" not in vars(thing):
            continue
        found[name] = thing
    return found


def sections(docstring: str) -> dict[str, dict[str, str]]:
    """Sections of a numpy docstring: for each the entries by head, with what stands indented below.

    Parameters
    ----------
    docstring : str
        As `inspect.getdoc` cleans it.

    Returns
    -------
    dict of str to dict of str to str
        By title: head of each entry (``a, b : array [units]``) and its description.
    """
    lines = docstring.splitlines()
    found: dict[str, dict[str, str]] = {}
    title = head = ""
    for i, line in enumerate(lines):
        below = lines[i + 1].strip() if i + 1 < len(lines) else ""
        if len(below) >= 3 and set(below) == {"-"}:
            title, head = line.strip(), ""
            found[title] = {}
        elif not title or not line.strip() or set(line.strip()) == {"-"}:
            continue
        elif not line.startswith(" "):
            head = line.strip()
            found[title][head] = ""
        elif head:
            found[title][head] += line.strip() + " "
    return found


def check(thing: Any, name: str) -> list[Problem]:
    """What the docstring of a function or a class lacks.

    Parameters
    ----------
    thing : function or class
        A class documents its own arguments; those that it inherits may stand with its base.
    name : str
        Name that it is exported by.

    Returns
    -------
    list of Problem
        Empty if nothing is missing.
    """
    place = _place(thing)
    own = inspect.getdoc(thing) if not inspect.isclass(thing) else _of_class(thing)
    if not own:
        return [Problem(place, name, "no docstring", "say in one sentence what it is or does")]
    if inspect.isclass(thing) and issubclass(thing, enum.Enum):
        return []
    found = []
    entries = _arguments(thing)
    for argument in _signature(thing).parameters.values():
        if argument.name in ("self", "cls"):
            continue
        stars = _STARRED.get(argument.kind.name, "")
        example = f'write "{stars}{argument.name} : type, shape [a, b] if it is an array, unit" under Parameters'
        if argument.name not in entries:
            found.append(Problem(place, name, f"argument {argument.name} has no entry", example))
            continue
        kind, text = entries[argument.name]
        if not kind and not stars and not _ELSEWHERE.match(text):
            found.append(Problem(place, name, f"argument {argument.name} has no type", example))
        elif _ARRAY.search(kind) and not _SHAPE.search(f"{kind} {text}"):
            found.append(Problem(place, name, f"array {argument.name} has no shape", example))
    if not inspect.isclass(thing):
        found += _result(thing, place, name, sections(own))
    return found


def _result(function: Any, place: str, name: str, parts: dict[str, dict[str, str]]) -> Iterator[Problem]:
    """What is said too little of the result."""
    if _signature(function).return_annotation in (None, "None"):
        return
    example = 'write "type, shape [a, b] if it is an array, unit" under Returns, and below what it is'
    given = parts.get("Returns") or parts.get("Yields")
    if not given:
        yield Problem(place, name, "the result has no entry", example)
        return
    for head, text in given.items():
        if _ARRAY.search(head) and not _SHAPE.search(f"{head} {text}"):
            yield Problem(place, name, f"array in the result has no shape ({head})", example)


def _of_class(thing: type) -> str:
    """Docstring of the class itself: `dataclass` makes one of the signature where there is none."""
    text = inspect.cleandoc(vars(thing).get("__doc__") or "")
    return "" if text.startswith(f"{thing.__name__}(") else text


def _arguments(thing: Any) -> dict[str, tuple[str, str]]:
    """Type and description by argument, as documented with a function or with a class and its bases."""
    texts = (
        [_of_class(base) for base in thing.__mro__[:-1]] if inspect.isclass(thing) else [inspect.getdoc(thing) or ""]
    )
    entries: dict[str, tuple[str, str]] = {}
    for field, info in getattr(thing, "model_fields", {}).items():
        if info.description:  # a part of the configuration describes its fields where it defines them
            entries[field] = str(info.annotation), info.description
    for text in texts:
        parts = sections(text)
        for title in ("Parameters", "Other Parameters", "Attributes"):
            for head, description in parts.get(title, {}).items():
                names, _, kind = head.partition(" :")
                for name in names.split(","):
                    entries.setdefault(name.strip().lstrip(_STARS), (kind.strip(), description))
    return entries


def _signature(thing: Any) -> inspect.Signature:
    """Signature; that of an object without one (a protocol, a type of the interpreter) takes nothing."""
    try:
        return inspect.signature(thing)
    except ValueError:
        return inspect.Signature(return_annotation=None)


def _place(thing: Any) -> str:
    """File, from the folder that holds the package, and line."""
    thing = inspect.unwrap(thing)
    file = Path(inspect.getsourcefile(thing) or "?")
    depth = len(thing.__module__.split(".")) + (file.name == "__init__.py")
    return f"{'/'.join(file.parts[-depth:])}:{inspect.getsourcelines(thing)[1]}"


def problems(modules: tuple[str, ...] = EXPORTING) -> list[Problem]:
    """What the docstrings of everything lack that the package exports.

    Parameters
    ----------
    modules : tuple of str
        Names below `allometry`.

    Returns
    -------
    list of Problem
        Sorted as the modules and their names are.
    """
    found = []
    for part in modules:
        module = importlib.import_module(f"allometry.{part}")
        for name, thing in exported(module).items():
            found += check(thing, f"{module.__name__}.{name}")
    return found


def main() -> int:
    """Print every problem; return the exit status."""
    found = problems()
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        print(f"{len(found)} entries are missing in docstrings of exported names", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
