"""Fingerprint of the code that a job runs, so that Snakemake reruns what an edit affects, and nothing else.

It covers the definitions that the code reaches, not the modules they stand in: a function that is added to a module, a new
module, comments, layout, docstrings and help texts change no fingerprint. What is only found by its name while the code
runs (a reader, a model, a kind of comparison) is named by the rule, which knows which one it is.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path

from allometry.code import definition_cache, definitions
from allometry.code.definition_cache import Import
from allometry.code.definitions import Definition, Source

PACKAGE = Path(__file__).resolve().parents[1]
OUTSIDE = ("__init__", "config", "plugins", "fingerprint", "definitions", "definition_cache", "generate")
"""Modules that count nowhere: what a configuration says reaches a job as parameters."""

INDEX = "compare/records/index.json"
"""Says in which module the record of a measure is: the records count, the list does not."""

Chain = tuple[str, ...]


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
    with definitions.uncollected():
        reach = _Reach(_package(PACKAGE), roots)
    return sorted({module.path for module, _ in reach.counted} | reach.data)


def imported(*roots: str | Path) -> list[Path]:
    """Files of the package that run when some code is imported, sorted; those that count nowhere are left out.

    Parameters
    ----------
    *roots : str or path
        See `fingerprint`.
    """
    with definitions.uncollected():
        return sorted(module.path for module in _Reach(_package(PACKAGE), roots).touched)


def counts(path: Path) -> bool:
    """Whether a file of the package counts in fingerprints of code that reaches it.

    Parameters
    ----------
    path : path
        Of a module.
    """
    return not _package(PACKAGE).at(path).outside


def forget() -> None:
    """Read all sources anew, with nothing kept of what this process found out: for tests that edit them."""
    _digest.cache_clear()
    _package.cache_clear()
    definition_cache.forget()


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
        self._at: dict[str, _Module] = {}
        self._named: dict[str, _Module | None] = {}

    @cached_property
    def data(self) -> dict[str, Path]:
        """Data files by name."""
        found = (path for path in sorted(self.folder.rglob("*.*")) if path.suffix not in (".py", ".pyi", ".pyc"))
        return {path.name: path for path in found if path.is_file() and path != self.folder / INDEX}

    @cached_property
    def records(self) -> dict[str, "_Module"]:
        """Module of the record of each measure."""
        index = self.folder / INDEX
        listed = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
        found = {name: self.module(f"{self.folder.name}.compare.{module}") for name, module in listed.items()}
        return {name: module for name, module in found.items() if module is not None}

    @cached_property
    def root(self) -> "_Module":
        """The `__init__` of the package itself."""
        return self.at(self.folder / "__init__.py")

    def at(self, path: Path) -> "_Module":
        """The module of a file."""
        key = str(path)
        if key not in self._at:
            self._at[key] = _Module(self, path)
        return self._at[key]

    def name(self, path: Path) -> str:
        """Place in the package; of a file outside its name."""
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else path.name

    def module(self, name: str) -> "_Module | None":
        """A module by its dotted name; None of anything that is not of the package."""
        if name not in self._named:
            root, *parts = name.split(".")
            self._named[name] = self.file(self.folder.joinpath(*parts)) if root == self.folder.name else None
        return self._named[name]

    def file(self, place: Path) -> "_Module | None":
        """A module by the path of its file without ending."""
        for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if path.is_file():
                return self.at(path)
        return None


class _Module:
    """A source file of a package, or one beside it: what it defines, and what of the package it imports."""

    def __init__(self, package: _Package, path: Path) -> None:
        self.package, self.path = package, path
        self.inside = path.is_relative_to(package.folder)
        self.name = package.name(path)
        # counts nowhere
        self.outside = self.inside and self.name.partition("/")[0].removesuffix(".py") in OUTSIDE
        self.is_init = path.name == "__init__.py"
        self._imported: dict[Import, tuple[tuple[_Module, Chain, str], ...]] = {}

    @cached_property
    def source(self) -> Source:
        """Its definitions."""
        return definitions.read(self.path)

    @cached_property
    def around(self) -> "tuple[_Module, ...]":
        """The packages around it, which are imported before it."""
        folders = self.path.relative_to(self.package.folder).parents if self.inside else ()
        places = (self.package.folder / folder / "__init__.py" for folder in folders)
        return tuple(self.package.at(place) for place in places if place.is_file())

    def imported(self, statement: Import) -> "tuple[tuple[_Module, Chain, str], ...]":
        """Modules of the package that an import runs, attributes that it takes of each, and the name that it binds."""
        if statement not in self._imported:
            self._imported[statement] = tuple(self._found(statement))
        return self._imported[statement]

    def _found(self, statement: Import) -> "Iterator[tuple[_Module, Chain, str]]":
        if not statement.taken:
            for name, bound in statement.names:
                if (module := self.package.module(name)) is not None:
                    yield module, (), bound
            return
        base = statement.module
        if statement.level and self.inside:
            inside = self.path.relative_to(self.package.folder.parent).parent.parts
            base = ".".join([*inside[: len(inside) - statement.level + 1], *filter(None, [statement.module])])
        for name, alias in statement.names:
            if (module := self.package.module(f"{base}.{name}")) is not None:
                yield module, (), alias or name
            elif (module := self.package.module(base)) is not None:
                yield module, (name,), alias or name

    @cached_property
    def bindings(self) -> "dict[str, list[tuple[_Module, Chain]]]":
        """Module and attributes that its imported names stand for."""
        # `import allometry.stores` binds the package
        found: dict[str, list[tuple[_Module, Chain]]] = {self.package.folder.name: [(self.package.root, ())]}
        for statement in self.source.imports:
            for module, chain, bound in self.imported(statement):
                if bound:
                    found.setdefault(bound, []).append((module, chain))
        return found

    def inner(self, name: str) -> "_Module | None":
        """A module in the package that this is the `__init__` of."""
        return self.package.file(self.path.parent / name)

    @cached_property
    def stub(self) -> "_Module | None":
        """What it offers on demand."""
        path = self.path.with_suffix(".pyi")
        return self.package.at(path) if path.is_file() else None


class _Reach:
    """The definitions that are reached from some roots."""

    def __init__(self, package: _Package, roots: Iterable[str | Path]) -> None:
        self.package = package
        self.counted: dict[tuple[_Module, Definition], None] = {}
        self.data: set[Path] = set()
        self.touched: set[_Module] = set()
        self._seen: set[tuple[_Module, Chain]] = set()
        self._pending: list[tuple[_Module, Definition]] = []
        self._named: set[str] = set()
        for root in roots:
            for path in [root] if isinstance(root, Path) else self._files(root):
                if path.suffix == ".py":
                    self._whole(package.at(path))
                else:
                    self.data.add(path)
        while self._pending:
            self._follow(*self._pending.pop())
            if not self._pending:
                self._records()

    def texts(self) -> list[str]:
        """What is counted, sorted: for each its place and its text."""
        found = [f"{module.name}\0{definition.text}" for module, definition in self.counted]
        found += [f"{self.package.name(path)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in self.data]
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

    def _whole(self, module: _Module) -> None:
        """All of a module, with what it hands on."""
        if module.outside or (module, ()) in self._seen:
            return
        self._seen.add((module, ()))
        self._touch(module)
        for found in module.source.named.values():
            self._count(module, found)
        for name, bound in module.bindings.items():
            if name != self.package.folder.name:
                for other, chain in bound:
                    if chain:
                        self._attribute(other, chain)

    def _touch(self, module: _Module) -> None:
        """What runs when a module is imported: in it, in the packages around it, and in what it imports."""
        if module in self.touched or module.outside:
            return
        self.touched.add(module)
        for init in module.around:
            self._touch(init)
        self._count(module, module.source.effects)
        for statement in module.source.imports:
            for other, _, _ in module.imported(statement):
                self._touch(other)

    def _count(self, module: _Module, found: Iterable[Definition]) -> None:
        for definition in found:
            if (module, definition) not in self.counted:
                self.counted[module, definition] = None
                self._pending.append((module, definition))

    def _follow(self, module: _Module, definition: Definition) -> None:
        """What a definition uses, and the data files and measures that it names."""
        inner: dict[str, list[tuple[_Module, Chain]]] = {}
        for statement in definition.inner_imports:
            for other, chain, bound in module.imported(statement):
                self._touch(other)
                inner.setdefault(bound, []).append((other, chain))
        for chain in definition.uses:
            for other, taken in inner.get(chain[0], ()):
                self._attribute(other, (*taken, *chain[1:]))
            self._reach(module, chain)
        for word in definition.words:
            if (data := self.package.data.get(word.rsplit("/", 1)[-1])) is not None:
                self.data.add(data)
            if word in self.package.records:
                self._named.add(word)

    def _records(self) -> None:
        """Records of the measures that are named, where the modules that hold them are imported."""
        for word in sorted(self._named):
            home = self.package.records[word]
            if home in self.touched:
                named = home.source.named.values()
                self._count(home, [one for found in named for one in found if word in one.record_names])

    def _reach(self, module: _Module, chain: Chain) -> None:
        """A name of a module, with the attributes that are asked of it."""
        if (module, chain) in self._seen:
            return
        self._seen.add((module, chain))
        name, rest = chain[0], chain[1:]
        defined = module.source.named.get(name, [])
        bound = module.bindings.get(name, [])
        self._count(module, defined)
        for other, taken in bound:
            self._attribute(other, (*taken, *rest))
        if defined or bound or not module.is_init:
            return
        if (inner := module.inner(name)) is not None:
            self._attribute(inner, rest)
        elif module.stub is not None:
            for other, taken in module.stub.bindings.get(name, []):
                self._attribute(other, (*taken, *rest))

    def _attribute(self, module: _Module, chain: Chain) -> None:
        """An attribute of a module; all of the module where it is handed on itself."""
        # the root counts nowhere, but leads to what is in it
        if chain and (module is self.package.root or not module.outside):
            self._touch(module)
            self._reach(module, chain)
        elif not chain:
            self._whole(module)
