"""What a source file defines, and what each definition uses: read from the syntax, nothing is imported."""

import ast
import contextlib
import gc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from allometry.code.definition_cache import Described, Import, Known, Outline, known

_HELP = ("description", "help")
"""Keywords whose text only tells people something."""


class _Text:
    """A source file, parsed when something is asked of it that is not known."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")

    @cached_property
    def body(self) -> list[ast.stmt]:
        """Its statements."""
        return ast.parse(self.text, filename=str(self.path)).body


class Definition:
    """One statement of a module: a function, a class, an assignment, or what runs when the module is imported.

    Parameters
    ----------
    text : _Text
        Source that it stands in.
    number : int
        Number of the statement.
    kept : Known
        What is known of the source.
    """

    def __init__(self, text: _Text, number: int, kept: Known) -> None:
        self._text, self._number, self._kept = text, number, kept

    @cached_property
    def _described(self) -> Described:
        found = self._kept.described(self._number)
        if found is None:
            found = _describe(self._text.body[self._number])
            self._kept.keep(self._number, found)
        return found

    @property
    def text(self) -> str:
        """Its source without comments, docstrings, layout and help texts."""
        return self._described.text

    @property
    def uses(self) -> frozenset[tuple[str, ...]]:
        """Names of the module that it uses, each with the attributes that are asked of it: ``("stores", "write")``."""
        return self._described.uses

    @property
    def words(self) -> frozenset[str]:
        """Texts in it."""
        return self._described.words

    @property
    def record_names(self) -> frozenset[str]:
        """Names under which decorators `@measure(name=...)` register it."""
        return self._described.record_names

    @property
    def inner_imports(self) -> tuple[Import, ...]:
        """Imports within it."""
        return self._described.imports


@dataclass
class Source:
    """A module: its definitions by name, its imports, and what runs when it is imported.

    Parameters
    ----------
    named : dict of str to list of Definition
        Definitions that bind a name; several where a name is bound more than once.
    imports : tuple of Import
        Import statements of the module itself, in order.
    effects : list of Definition
        Statements that bind nothing, or that bind under a condition: they count whenever the module is imported.
    """

    named: dict[str, list[Definition]] = field(default_factory=dict)
    imports: tuple[Import, ...] = ()
    effects: list[Definition] = field(default_factory=list)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Read many sources without a look for circles among the objects: trees have none, and it takes half of the time."""
    looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looking:
            gc.enable()


def read(path: Path) -> Source:
    """Definitions and imports of a source file.

    Parameters
    ----------
    path : path
        Python source, or a stub (`.pyi`).

    Returns
    -------
    Source
        Nothing in it was run.
    """
    text = _Text(path)
    kept = known(text.text)
    outline = kept.outline()
    if outline is None:
        outline = _outline(text.body)
        kept.keep_outline(outline)
    found = Source(imports=outline.imports)
    for number, names, effect in outline.statements:
        definition = Definition(text, number, kept)
        for name in names:
            found.named.setdefault(name, []).append(definition)
        if effect:
            found.effects.append(definition)
    return found


def _outline(body: Iterable[ast.stmt]) -> Outline:
    """What the statements of a module bind and import."""
    imports: list[Import] = []
    statements: list[tuple[int, tuple[str, ...], bool]] = []
    for number, node in enumerate(body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(_import(node))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            pass  # a docstring
        elif isinstance(node, ast.If) and _chain(node.test) in (("TYPE_CHECKING",), ("typing", "TYPE_CHECKING")):
            imports += [_import(part) for part in node.body if isinstance(part, ast.Import | ast.ImportFrom)]
        elif names := tuple(_bound(node)):
            statements.append((number, names, False))
        else:
            # within `try` and `if`: bound for all of the module
            imports += _within(node)[1]
            statements.append((number, tuple(sorted(_stored(node))), True))
    return Outline(tuple(imports), tuple(statements))


def _describe(node: ast.stmt) -> Described:
    """What there is to know of a statement."""
    calls = (part for part in getattr(node, "decorator_list", ()) if isinstance(part, ast.Call))
    named = (word.value for call in calls for word in call.keywords if word.arg == "name")
    records = frozenset(str(value.value) for value in named if isinstance(value, ast.Constant))
    bare = _Bare().visit(node)
    uses: set[tuple[str, ...]] = set()
    _collect(bare, frozenset(), uses)
    words, imports = _within(bare)
    return Described(ast.unparse(bare), frozenset(uses), words, records, imports)


def _within(node: ast.AST) -> tuple[frozenset[str], tuple[Import, ...]]:
    """Texts and imports in a statement, in one walk."""
    words: set[str] = set()
    imported: list[Import] = []
    pending: list[ast.AST] = [node]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                words.add(node.value)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported.append(_import(node))
        for value in vars(node).values():
            if isinstance(value, ast.AST):
                pending.append(value)
            elif isinstance(value, list):
                pending += [part for part in value if isinstance(part, ast.AST)]
    return frozenset(words), tuple(imported)


def _import(node: ast.Import | ast.ImportFrom) -> Import:
    names = tuple((alias.name, alias.asname or "") for alias in node.names)
    if isinstance(node, ast.Import):
        return Import(names)
    return Import(names, taken=True, module=node.module or "", level=node.level)


def _bound(node: ast.stmt) -> Iterator[str]:
    """Names that a plain definition binds; none for a statement that does something."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        targets = [part for target in node.targets for part in _parts(target)]
        if all(isinstance(target, ast.Name) for target in targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _parts(target: ast.expr) -> Iterable[ast.expr]:
    return target.elts if isinstance(target, ast.Tuple | ast.List) else [target]


def _stored(node: ast.stmt) -> set[str]:
    """Names that are bound anywhere in a statement."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return found | {n.name for n in ast.walk(node) if isinstance(n, defined)}


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _collect(node: ast.AST, local: frozenset[str], found: set[tuple[str, ...]]) -> None:
    """Add the names that a node takes from the module: those that no function around it binds itself."""
    if (chain := _chain(node)) is not None:
        if chain[0] not in local:
            found.add(chain)
        return
    inside = local
    if isinstance(node, _FUNCTIONS):
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        inside = local | {argument.arg for argument in named if argument is not None} | _assigned(body)
        outer = [*getattr(node, "decorator_list", ()), *arguments.defaults, *filter(None, arguments.kw_defaults)]
        outer += [argument.annotation for argument in named if argument is not None and argument.annotation is not None]
        outer += [part for part in (getattr(node, "returns", None),) if part is not None]
        for part in outer:
            _collect(part, local, found)
        for part in body:
            _collect(part, inside, found)
        return
    if isinstance(node, _COMPREHENSIONS):
        inside = local | {name for part in node.generators for name in _assigned([part.target])}
    for child in ast.iter_child_nodes(node):
        _collect(child, inside, found)


def _assigned(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that statements bind, without those of functions and comprehensions within them, and without imports."""
    found: set[str] = set()
    declared: set[str] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Global):
            declared.update(node.names)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif not isinstance(node, (ast.Lambda, *_COMPREHENSIONS)):
            pending.extend(ast.iter_child_nodes(node))
    return found - declared


def _chain(node: ast.AST) -> tuple[str, ...] | None:
    """A name with its attributes, `a.b.c`; None of anything else."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, *reversed(attributes)) if isinstance(node, ast.Name) else None


class _Bare(ast.NodeTransformer):
    """Leaves out docstrings and help texts."""

    def visit_Expr(self, node: ast.Expr) -> ast.stmt | None:
        """A text that stands alone says something to people."""
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """A call without its help texts."""
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in _HELP]
        self.generic_visit(node)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """What is left; a body that held nothing else passes."""
        super().generic_visit(node)
        if getattr(node, "body", None) == []:
            node.body = [ast.Pass()]  # type: ignore[attr-defined]
        return node


def imports(path: Path, package: Path) -> tuple[str, ...]:
    """Modules of a package that a source file imports, wherever in it: within functions and under TYPE_CHECKING too.

    Parameters
    ----------
    path : path
        Source file, inside the package or in a folder beside it.
    package : path
        Folder of the package.

    Returns
    -------
    tuple of str
        Dotted names, sorted. ``from allometry.stores import schema, write`` imports ``allometry.stores.schema`` and, for
        the function, ``allometry.stores``. The package itself is left out: its `__init__` only holds the version.
    """
    inside = path.relative_to(package.parent).parent.parts
    found: set[str] = set()
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        found.update(name for name in _names(node, inside, package) if "." in name and _is_module(name, package))
    return tuple(sorted(found))


def _statements(tree: ast.Module) -> Iterable[ast.AST]:
    """All statements of a file: imports are among them, and expressions, most of the tree, need no look."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            pending += getattr(node, part, ())


def _is_module(name: str, package: Path) -> bool:
    """Whether a dotted name is a module or a folder of the package."""
    root, *parts = name.split(".")
    target = package.joinpath(*parts)
    return root == package.name and (target.with_suffix(".py").is_file() or target.is_dir())


def _names(node: ast.AST, inside: tuple[str, ...], package: Path) -> Iterable[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = inside[: len(inside) - node.level + 1] if node.level else ()
        module = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            name = f"{module}.{alias.name}"
            # `from allometry.stores import write`: the last part is an attribute of the module before it
            yield name if _is_module(name, package) else module
