"""Fingerprint of the code that a rule runs, so that Snakemake reruns what an edit affects and nothing else."""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def fingerprint(*names: str) -> str:
    """Sha256 over the modules named and everything they import inside `allometry`, transitively.

    Parameters
    ----------
    *names : str
        Dotted names of modules or packages, such as ``allometry.homogenize``; a package stands for all its modules.

    Returns
    -------
    str
        16 hex digits. The same for the same sources on any machine; comments count, file times do not.

    Raises
    ------
    ModuleNotFoundError
        A name is no module or package of `allometry`.
    """
    digest = hashlib.sha256()
    for path in modules(*names):
        relative = path.relative_to(PACKAGE).as_posix()
        digest.update(f"{relative}\0{_sha256(path)}\n".encode())
    return digest.hexdigest()[:16]


def modules(*names: str) -> list[Path]:
    """Source files that the modules named consist of and import inside `allometry`, sorted."""
    found: set[Path] = set()
    pending = [path for name in names for path in _resolve(name, whole_package=True)]
    while pending:
        path = pending.pop()
        if path not in found:
            found.add(path)
            if path.suffix == ".py":
                pending.extend(_imports(path))
    return sorted(found)


@cache
def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _resolve(name: str, *, whole_package: bool) -> list[Path]:
    """Files of a dotted name; for a package all its modules and data files, or only what importing it runs."""
    parts = name.split(".")
    target = PACKAGE.joinpath(*parts[1:])
    # importing a.b.c runs a/__init__ and a/b/__init__ too; the root only holds the version
    parents = [PACKAGE.joinpath(*parts[1:depth], "__init__.py") for depth in range(2, len(parts))]
    if target.with_suffix(".py").is_file():
        return [*parents, target.with_suffix(".py")]
    if target.is_dir():
        if whole_package:
            files = (path for path in sorted(target.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
            return [*parents, *files]
        return [*parents, target / "__init__.py"]
    raise ModuleNotFoundError(f"{name} is no module of allometry")


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    return tuple(file for name in imports(path, PACKAGE) for file in _resolve(name, whole_package=False))


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
