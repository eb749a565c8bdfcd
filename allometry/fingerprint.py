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
    relative = path.relative_to(PACKAGE.parent).with_suffix("")
    package = relative.parts[:-1] if path.name != "__init__.py" else relative.parent.parts
    found: list[Path] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        for name in _names(node, package):
            if name == "allometry" or not name.startswith("allometry."):
                continue
            try:
                found.extend(_resolve(name, whole_package=False))
            except ModuleNotFoundError:
                # `from allometry.stores import write`: the last part is an attribute of the module before it
                continue
    return tuple(found)


def _names(node: ast.AST, package: tuple[str, ...]) -> Iterable[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else ()
        module = ".".join([*base, *([node.module] if node.module else [])])
        yield module
        yield from (f"{module}.{alias.name}" for alias in node.names)
