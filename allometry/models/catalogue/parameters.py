"""Parameters of the builder of a model: what its signature and its docstring say of them."""

import inspect
import math
import re
from collections.abc import Callable, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_WORDS: dict[Any, str] = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "text",
    NoneType: "null",
}


def annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """Annotation of every parameter, also where a module postpones their evaluation."""
    found = get_type_hints(function)
    found.pop("return", None)
    return found


def descriptions(function: Callable[..., Any]) -> dict[str, str]:
    """Descriptions of parameters in a docstring of numpy style, each on one line."""
    text = inspect.getdoc(function) or ""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^[^\n]+\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.group(1).splitlines() if section else ():
        if line and not line[0].isspace():
            names = [part.strip() for part in line.partition(":")[0].split(",")]
        elif line.strip():
            found |= {name: f"{found.get(name, '')} {line.strip()}".strip() for name in names}
    return found


def fits(annotation: Any, value: Any) -> bool:
    """Whether a value is one that the annotation allows; a number is no truth value, and is finite."""
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if get_origin(annotation) is Literal:
        return value in get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        return any(fits(one, value) for one in get_args(annotation))
    if get_origin(annotation) is Sequence:
        return isinstance(value, list | tuple) and all(fits(get_args(annotation)[0], one) for one in value)
    return isinstance(value, annotation)


def words(annotation: Any) -> str:
    """What an annotation allows, in words; empty where a configuration cannot say it."""
    if get_origin(annotation) is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if get_origin(annotation) in (Union, UnionType):
        parts = [words(one) for one in get_args(annotation)]
        return " or ".join(parts) if all(parts) else ""
    if get_origin(annotation) is Sequence:
        inner = words(get_args(annotation)[0])
        return f"a list of {inner}" if inner else ""
    return _WORDS.get(annotation, "")
