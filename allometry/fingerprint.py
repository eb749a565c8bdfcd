"""Fingerprint of the code that a job runs, so that Snakemake reruns what an edit affects, and nothing else.

It covers the definitions that the code reaches, not the modules they stand in: a function that is added to a module, a new
module, comments, layout, docstrings and help texts change no fingerprint. What is only found by its name while the code
runs (a reader, a model, a kind of comparison) is named by the rule, which knows which one it is.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path

from allometry import definitions
from allometry.definitions import Definition, Source

PACKAGE = Path(__file__).resolve().parent
OUTSIDE = ("__init__", "config", "plugins", "fingerprint", "definitions", "generate")
"""Modules that count nowhere: what a configuration says reaches a job as parameters."""

INDEX = "compare/records/index.json"
"""Says in which module the record of a measure is: the records count, the list does not."""

Chain = tuple[str, ...]
Import = ast.Import | ast.ImportFrom


def fingerprint(*roots: str | Path) -> str:
    """Sha256 over what some code consists of and reaches inside `allometry`, transitively.

    Parameters
    ----------
    *roots : str or path
        Dotted names of modules, which count as a whole, or of packages, with all their modules and data files; paths of
        scripts, and of the files of a plugin.

    Returns
    -------
    str
        16 hex digits. The same for the same sources on any machine.

    Raises
    ------
    ModuleNotFoundError
        A name is no module or package of `allometry`.
    """
    return _digest(PACKAGE, roots)


def modules(*roots: str | Path) -> list[Path]:
    """Files of which something counts in a fingerprint, sorted.

    Parameters
    ----------
    *roots : str or path
        See `fingerprint`.
    """
    reach = _Reach(_package(PACKAGE), roots)
    return sorted({path for path, _ in reach.counted} | reach.data)


def forget() -> None:
    """Read all sources anew: for tests that edit them."""
    _digest.cache_clear()
    _package.cache_clear()


@cache
def _digest(folder: Path, roots: tuple[str | Path, ...]) -> str:
    with definitions.uncollected():
        reach = _Reach(_package(folder), roots)
        return hashlib.sha256("\0".join(reach.texts()).encode()).hexdigest()[:16]


@cache
def _package(folder: Path) -> "_Package":
    return _Package(folder)


class _Package:
    """Sources of a package, each read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sources: dict[Path, Source] = {}
        self._bindings: dict[Path, dict[str, list[tuple[Path, Chain]]]] = {}

    @cached_property
    def data(self) -> dict[str, Path]:
        """Data files by name."""
        found = (path for path in sorted(self.folder.rglob("*.*")) if path.suffix not in (".py", ".pyi", ".pyc"))
        return {path.name: path for path in found if path.is_file() and path != self.folder / INDEX}

    @cached_property
    def records(self) -> dict[str, Path]:
        """Module of the record of each measure."""
        index = self.folder / INDEX
        listed = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
        found = {name: self.module(f"{self.folder.name}.compare.{module}") for name, module in listed.items()}
        return {name: path for name, path in found.items() if path is not None}

    def source(self, path: Path) -> Source:
        """Definitions of a file."""
        if path not in self._sources:
            self._sources[path] = definitions.read(path)
        return self._sources[path]

    def name(self, path: Path) -> str:
        """Place in the package; of a file outside its name."""
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else path.name

    def outside(self, path: Path) -> bool:
        """Whether a module counts nowhere."""
        return self.name(path).partition("/")[0].removesuffix(".py") in OUTSIDE and path.is_relative_to(self.folder)

    def module(self, name: str) -> Path | None:
        """File of a module by its dotted name; None of anything that is not of the package."""
        root, *parts = name.split(".")
        return self.file(self.folder.joinpath(*parts)) if root == self.folder.name else None

    @staticmethod
    def file(place: Path) -> Path | None:
        """File of a module by its path without ending."""
        for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if path.is_file():
                return path
        return None

    def imported(self, path: Path, statement: Import) -> Iterator[tuple[Path, Chain, str]]:
        """Module of the package that an import runs, attributes that it takes of it, and name that it binds."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if (module := self.module(alias.name)) is not None:
                    yield module, (), alias.asname or ""
            return
        base = statement.module or ""
        if statement.level and path.is_relative_to(self.folder):
            inside = path.relative_to(self.folder.parent).parent.parts
            base = ".".join([*inside[: len(inside) - statement.level + 1], *filter(None, [statement.module])])
        for alias in statement.names:
            bound = alias.asname or alias.name
            if (module := self.module(f"{base}.{alias.name}")) is not None:
                yield module, (), bound
            elif (module := self.module(base)) is not None:
                yield module, (alias.name,), bound

    def bindings(self, path: Path) -> dict[str, list[tuple[Path, Chain]]]:
        """Module and attributes that the imported names of a module stand for."""
        if path not in self._bindings:
            # `import allometry.stores` binds the package
            found: dict[str, list[tuple[Path, Chain]]] = {self.folder.name: [(self.folder / "__init__.py", ())]}
            for statement in self.source(path).imports:
                for module, chain, bound in self.imported(path, statement):
                    if bound:
                        found.setdefault(bound, []).append((module, chain))
            self._bindings[path] = found
        return self._bindings[path]


class _Reach:
    """The definitions that are reached from some roots."""

    def __init__(self, package: _Package, roots: Iterable[str | Path]) -> None:
        self.package = package
        self.counted: dict[tuple[Path, Definition], None] = {}
        self.data: set[Path] = set()
        self._touched: set[Path] = set()
        self._seen: set[tuple[Path, Chain]] = set()
        self._pending: list[tuple[Path, Definition]] = []
        self._named: set[str] = set()
        for root in roots:
            for path in [root] if isinstance(root, Path) else self._files(root):
                if path.suffix == ".py":
                    self._whole(path)
                else:
                    self.data.add(path)
        while self._pending:
            self._follow(*self._pending.pop())
            if not self._pending:
                self._records()

    def texts(self) -> list[str]:
        """What is counted, sorted: for each its place and its text."""
        name = self.package.name
        found = [f"{name(path)}\0{definition.text}" for path, definition in self.counted]
        found += [f"{name(path)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in self.data]
        return sorted(found)

    def _files(self, root: str) -> list[Path]:
        """Files of a module, or of a package with its data."""
        target = self.package.folder.joinpath(*root.split(".")[1:])
        if target.with_name(f"{target.name}.py").is_file():
            return [target.with_name(f"{target.name}.py")]
        if not target.is_dir():
            raise ModuleNotFoundError(f"{root} is no module of allometry")
        found = (path for path in target.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".pyi"))
        return sorted(path for path in found if path != self.package.folder / INDEX)

    def _whole(self, path: Path) -> None:
        """All of a module, with what it hands on."""
        if self.package.outside(path) or (path, ()) in self._seen:
            return
        self._seen.add((path, ()))
        self._touch(path)
        for found in self.package.source(path).named.values():
            self._count(path, found)
        for name, bound in self.package.bindings(path).items():
            if name != self.package.folder.name:
                for module, chain in bound:
                    if chain:
                        self._attribute(module, chain)

    def _touch(self, path: Path) -> None:
        """What runs when a module is imported: in it, in the packages around it, and in what it imports."""
        if path in self._touched or self.package.outside(path):
            return
        self._touched.add(path)
        if path.is_relative_to(self.package.folder):
            for folder in path.relative_to(self.package.folder).parents:
                if (init := self.package.folder / folder / "__init__.py").is_file():
                    self._touch(init)
        source = self.package.source(path)
        self._count(path, source.effects)
        for statement in source.imports:
            for module, _, _ in self.package.imported(path, statement):
                self._touch(module)

    def _count(self, path: Path, found: Iterable[Definition]) -> None:
        for definition in found:
            if (path, definition) not in self.counted:
                self.counted[path, definition] = None
                self._pending.append((path, definition))

    def _follow(self, path: Path, definition: Definition) -> None:
        """What a definition uses, and the data files and measures that it names."""
        inner: dict[str, list[tuple[Path, Chain]]] = {}
        for statement in definition.inner_imports:
            for module, chain, bound in self.package.imported(path, statement):
                self._touch(module)
                inner.setdefault(bound, []).append((module, chain))
        for chain in definition.uses:
            for module, taken in inner.get(chain[0], ()):
                self._attribute(module, (*taken, *chain[1:]))
            self._reach(path, chain)
        for word in definition.words:
            if (data := self.package.data.get(word.rsplit("/", 1)[-1])) is not None:
                self.data.add(data)
            if word in self.package.records:
                self._named.add(word)

    def _records(self) -> None:
        """Records of the measures that are named, where the modules that hold them are imported."""
        for word in sorted(self._named):
            home = self.package.records[word]
            if home in self._touched:
                named = self.package.source(home).named.values()
                self._count(home, [one for found in named for one in found if word in one.record_names])

    def _reach(self, path: Path, chain: Chain) -> None:
        """A name of a module, with the attributes that are asked of it."""
        if (path, chain) in self._seen:
            return
        self._seen.add((path, chain))
        name, rest = chain[0], chain[1:]
        defined = self.package.source(path).named.get(name, [])
        bound = self.package.bindings(path).get(name, [])
        self._count(path, defined)
        for module, taken in bound:
            self._attribute(module, (*taken, *rest))
        if defined or bound or path.name != "__init__.py":
            return
        if (inner := self.package.file(path.parent / name)) is not None:
            self._attribute(inner, rest)
        elif (stub := path.with_suffix(".pyi")).is_file():
            for module, taken in self.package.bindings(stub).get(name, []):
                self._attribute(module, (*taken, *rest))

    def _attribute(self, module: Path, chain: Chain) -> None:
        """An attribute of a module; all of the module where it is handed on itself."""
        # the root counts nowhere, but leads to what is in it
        if chain and (module == self.package.folder / "__init__.py" or not self.package.outside(module)):
            self._touch(module)
            self._reach(module, chain)
        elif not chain:
            self._whole(module)
