"""Drawings of the kinds of comparison that plugins add; the report draws those of the package itself."""

from collections.abc import Callable
from typing import Any

from allometry.plugins import Register

DRAWINGS: Register[Callable[[Any, Any, Any], str]] = Register("drawing of a comparison")
"""`draw(rows, curves, image)` by kind of comparison."""
