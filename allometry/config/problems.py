"""What a user reads of an invalid configuration: the key as written in the file, what is expected there, what was found."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from allometry.config.text import as_yaml_number
from allometry.hints import nearest
from allometry.retrieve.credentials import redacted

_SCALARS = ("bool", "int", "float", "str", "none")
#: pydantic's words where they mean little to somebody who writes YAML
_EXPECTED = {
    "bool_type": "true or false expected",
    "int_type": "a whole number expected",
    "float_type": "a number expected",
    "string_type": "text expected",
    "finite_number": "a finite number expected",
    "list_type": "a list expected",
    "dict_type": "keys with values expected",
    "model_type": "keys with values expected",
    "model_attributes_type": "keys with values expected",
    "too_short": "at least {min_length} {entries} expected",
    "greater_than": "a number above {gt:g} expected",
    "greater_than_equal": "a number of at least {ge:g} expected",
    "less_than": "a number below {lt:g} expected",
    "less_than_equal": "a number up to {le:g} expected",
    "literal_error": "{expected} expected",
}


def describe(model: type[BaseModel], error: ValidationError) -> list[str]:
    """One line per key that is wrong.

    Parameters
    ----------
    model : type of BaseModel
        Model of the whole document.
    error : ValidationError
        What pydantic found.
    """
    by_place: dict[tuple[str | int, ...], list[Any]] = {}
    for problem in error.errors():
        location = tuple(problem["loc"])
        # one value that fits none of several types is one problem
        if location and (location[-1] in _SCALARS or str(location[-1]).startswith(("list[", "constrained"))):
            location = location[:-1]
        by_place.setdefault(location, []).append(problem)
    lines = []
    for location, problems in by_place.items():
        key = _key(model, location)
        telling = [problem for problem in problems if not problem["type"].endswith("_type")]
        if len(problems) == 1 or len(telling) == 1:
            lines.append(_line(model, key, location, (telling or problems)[0]))
        else:
            lines.append(f"{key}: a number, text, true or false, or a list of them expected{_found(problems[0])}")
    return lines


def _line(model: type[BaseModel], key: str, location: Sequence[str | int], problem: Any) -> str:
    kind, given, context = problem["type"], problem["input"], problem.get("ctx") or {}
    if kind == "extra_forbidden":
        valid = _fields_at(model, location[:-1])
        near = nearest(str(location[-1]), valid)
        hint = f"; did you mean {near[0]!r}?" if near else f"; valid keys here: {', '.join(sorted(valid))}"
        return f"{key}: unknown key{hint}"
    if kind == "missing":
        return f"{key}: missing, and required"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tags = _tags_at(model, location)
        if kind == "union_tag_not_found":
            return f"{key}.kind: missing, and required; one of {', '.join(tags)}"
        near = nearest(str(context["tag"]), tags)
        hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(tags)}"
        return f"{key}.kind: unknown kind {context['tag']!r}; {hint}"
    entries = "entry" if context.get("min_length") == 1 else "entries"
    said = problem["msg"].removeprefix("Value error, ")
    if kind in _EXPECTED:
        said = _EXPECTED[kind].format(**{"entries": entries, **context})
    # what was found where several keys together are wrong is the whole section
    found = "" if kind == "value_error" and isinstance(given, Mapping) else _found(problem)
    return f"{key}: {said}{found}{_hint(kind, given)}"


def _found(problem: Any) -> str:
    given = problem["input"]
    if given is None:
        return " (it is empty)"
    text = repr(given)
    text = redacted(text)
    return f" (found {text if len(text) <= 80 else text[:77] + '...'})"


def _hint(kind: str, given: Any) -> str:
    number = as_yaml_number(given) if isinstance(given, str) else None
    if kind in ("float_type", "int_type") and number:
        return f"; this is text to YAML: write {number.removesuffix('.0')} without quotes"
    if kind == "string_type" and isinstance(given, bool | int | float):
        return "; YAML takes this for no text: put it in quotes"
    if kind == "list_type" and isinstance(given, str | int | float):
        return f"; write [{given}]"
    if kind in ("dict_type", "model_type", "model_attributes_type") and given is None:
        return "; remove the key, or write something below it"
    return ""


def _key(model: type[BaseModel], location: Sequence[str | int]) -> str:
    """The location as a path of keys, without the tags that pydantic adds for the member of a union."""
    candidates: list[Any] = [model]
    key = ""
    for part in location:
        candidates, is_tag = _descend(candidates, part)
        if not is_tag:
            key += f"[{part}]" if isinstance(part, int) else f"{'.' if key else ''}{part}"
    return key or "configuration"


def _fields_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Names of the fields that the models reachable at `location` accept."""
    return sorted({name for kind in _models_at(model, location) for name in kind.model_fields})


def _tags_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Kinds that the union at `location` knows."""
    return [tag for kind in _models_at(model, location) if (tag := _tag(kind))]


def _models_at(model: type[BaseModel], location: Sequence[str | int]) -> list[type[BaseModel]]:
    candidates: list[Any] = [model]
    for part in location:
        candidates, _ = _descend(candidates, part)
    return [kind for candidate in candidates for kind in _models_in(candidate)]


def _descend(candidates: list[Any], part: str | int) -> tuple[list[Any], bool]:
    """Annotations below `part`, and whether it is no key but the tag of a member of a union."""
    inner = [entry for candidate in candidates for entry in _values_of(candidate)]
    if inner:
        return inner, False
    kinds = [kind for candidate in candidates for kind in _models_in(candidate)]
    if fields := [kind.model_fields[str(part)].annotation for kind in kinds if part in kind.model_fields]:
        return fields, False
    members = [kind for kind in kinds if part in (_tag(kind), kind.__name__)]
    return members or candidates, bool(members)


def _values_of(annotation: Any) -> list[Any]:
    """What a dictionary or list holds; empty for all else."""
    if get_origin(annotation) in (dict, list, tuple):
        return list(get_args(annotation)[-1:])
    if isinstance(annotation, type):
        return []
    return [value for argument in get_args(annotation) for value in _values_of(argument)]


def _tag(kind: type[BaseModel]) -> str | None:
    """Value of a model's discriminating `kind` field, where it has one."""
    field = kind.model_fields.get("kind")
    values = get_args(field.annotation) if field else ()
    return str(values[0]) if len(values) == 1 else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for argument in get_args(annotation) for kind in _models_in(argument)]
