"""What `allometry.compare` offers is what its registry describes, and no measure is there for its tests alone."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from allometry.compare.registry import MEASURES
from allometry.generate import measures

HELPERS = {name for names in measures.HELPERS.values() for name in names}
ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "allometry.compare"


def name_of(path: Path) -> str:
    """Dotted name of a module of the checkout."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def modules() -> dict[str, ast.Module]:
    """Syntax trees of everything that may use a measure and is no test, by dotted name."""
    files = [path for folder in ("allometry", "benchmarks", "scripts") for path in (ROOT / folder).rglob("*.py")]
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in files}
    return {name: ast.parse(text) for name, text in texts.items() if PACKAGE in text or name.startswith(PACKAGE)}


@cache
def offered() -> dict[str, str]:
    """Public names of `allometry.compare`, each with the module that it comes from."""
    tree = ast.parse((ROOT / "allometry/compare/__init__.pyi").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(tree.body)
    return {alias.name: f"{PACKAGE}.{node.module}" for node in imports for alias in node.names}


def bound(tree: ast.Module) -> dict[str, str]:
    """Dotted name of what every imported name of a module stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
            names |= {alias.name.split(".")[0]: alias.name.split(".")[0] for alias in node.names if not alias.asname}
    return names


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a chain of attributes, "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    inner = dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if inner and isinstance(node, ast.Attribute) else ""


def uses(name: str, tree: ast.Module) -> Iterator[str]:
    """Dotted names that a module uses; an import alone is no use, nor is a function that calls itself."""
    names = bound(tree)
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        own = f"{name}.{statement.name}" if isinstance(statement, ast.FunctionDef | ast.ClassDef) else ""
        for node in ast.walk(statement):
            first, _, rest = dotted(node).partition(".")
            if first:
                found = ".".join(filter(None, [names.get(first, f"{name}.{first}"), rest]))
                short = found.removeprefix(f"{PACKAGE}.")
                found = f"{offered()[short]}.{short}" if short in offered() else found
                if found != own:
                    yield found


@cache
def used() -> frozenset[str]:
    return frozenset(found for name, tree in modules().items() for found in uses(name, tree))


def public_measures() -> list[str]:
    return [
        f"{name}.{statement.name}"
        for name, tree in modules().items()
        if name.startswith(f"{PACKAGE}.measures.")
        for statement in tree.body
        if isinstance(statement, ast.FunctionDef) and not statement.name.startswith("_")
    ]


def test_public_names_are_the_registered_measures_and_a_few_helpers() -> None:
    functions = (entry.function for entry in MEASURES.values())
    registered = {one.__name__ for one in functions if not one.__module__.startswith(f"{PACKAGE}.kinds.")}
    assert not registered & HELPERS
    assert set(offered()) == registered | HELPERS


@pytest.mark.parametrize("name", [n for n, entry in MEASURES.items() if ".kinds." not in entry.function.__module__])
def test_a_measure_is_offered_from_where_it_is_registered(name: str) -> None:
    function = MEASURES[name].function
    assert offered()[function.__name__] == function.__module__


def test_public_names_can_be_imported() -> None:
    package = importlib.import_module(PACKAGE)
    assert sorted(package.__all__) == sorted(offered())
    for name, module in offered().items():
        assert getattr(package, name) is getattr(importlib.import_module(module), name)


def test_no_public_measure_is_used_by_tests_only() -> None:
    registered = {f"{one.function.__module__}.{one.function.__name__}" for one in MEASURES.values()}
    listed = registered | {f"{offered()[name]}.{name}" for name in HELPERS}
    names = public_measures()
    assert len(names) > 100
    assert not sorted(set(names) - listed - used())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from allometry.compare.measures.spikes import bursts\nx = bursts.runs(1)", True),
        ("from allometry.compare.measures.spikes.bursts import runs as r\nx = [r]", True),
        ("import allometry.compare.measures.spikes.bursts as b\ndef f(): return b.runs", True),
        ("from allometry.compare.measures.spikes.bursts import runs", False),
        ("runs = 1\nx = runs", False),
        ("from allometry.compare import cv\nx = cv", False),
    ],
)
def test_a_use_is_told_from_a_mention(text: str, found: bool) -> None:
    names = set(uses("somewhere", ast.parse(text)))
    assert (f"{PACKAGE}.measures.spikes.bursts.runs" in names) == found
    if "cv" in text:
        assert f"{PACKAGE}.measures.spikes.train_statistics.cv" in names
