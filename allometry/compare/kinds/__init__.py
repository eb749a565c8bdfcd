"""Kinds of comparison: one module or folder each, named as the kind; its function has the name of the kind too.

Where memory or work is a question, the module also has `estimates(inputs, **options)`, an iterable of
`inference.blockwise.Estimate`, which the runner logs before anything is computed. Nothing is imported here: every parse
of the workflow reads the list.
"""

import pkgutil

from allometry.errors import ComparisonError

KINDS: tuple[str, ...] = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def module_of(kind: str) -> str:
    """Dotted name of the module of a kind, for its fingerprint."""
    if kind not in KINDS:
        raise ComparisonError(f"unknown kind of comparison {kind!r}", expected="one of " + ", ".join(KINDS))
    return f"{__name__}.{kind}"
