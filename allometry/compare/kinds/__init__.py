"""Kinds of comparison: one module or folder each, named as the kind, which holds the kind under that name.

Nothing is imported here: every parse of the workflow reads the list.
"""

import importlib
import pkgutil

from allometry.compare.records import kinds
from allometry.compare.records.kinds import Kind
from allometry.errors import ComparisonError
from allometry.hints import hint

KINDS: tuple[str, ...] = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def find(name: str) -> Kind:
    """The kind of comparison of this name, of the package or of a plugin; its module is imported."""
    kind: Kind = getattr(importlib.import_module(module_of(name)), name) if name in KINDS else kinds.KINDS[_known(name)]
    return kind


def module_of(kind: str) -> str:
    """Dotted name of the module of a kind, for its fingerprint."""
    if kind in KINDS:
        return f"{__name__}.{kind}"
    return kinds.KINDS[_known(kind)].compute.__module__


def _known(kind: str) -> str:
    plugged = kinds.KINDS.plugged()
    if kind not in plugged:
        names = [*KINDS, *plugged]
        raise ComparisonError(
            f"unknown kind of comparison {kind!r}", expected="one of " + ", ".join(names), do=hint(kind, names)
        )
    return kind
