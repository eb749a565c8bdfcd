"""Base of all configuration models, and the one message a user sees for an invalid configuration."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from allometry.errors import ConfigError


class Model(BaseModel):
    """A part of the configuration: unknown keys are refused, and values do not change once validated."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


AnyModel = TypeVar("AnyModel", bound=Model)


def parse(model: type[AnyModel], values: Mapping[str, Any], where: str) -> AnyModel:
    """Validate `values` against `model`.

    Parameters
    ----------
    model : type of Model
        The model of the whole document.
    values : mapping
        Parsed YAML.
    where : str
        Name of the document for the message, e.g. ``config.yaml``.

    Raises
    ------
    ConfigError
        Names every invalid key, what is expected there, and for an unknown key the nearest valid one.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [_describe(model, problem) for problem in error.errors()]
        raise ConfigError(
            what=f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the configuration\n    "
            + "\n    ".join(problems),
            where=where,
            do="correct the keys named above; docs/configuration.md describes every key",
        ) from None


def _describe(model: type[Model], problem: Any) -> str:
    location: Sequence[str | int] = problem["loc"]
    key = ".".join(str(part) for part in location)
    if problem["type"] == "extra_forbidden":
        valid = _fields_at(model, location[:-1])
        near = difflib.get_close_matches(str(location[-1]), valid, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else f"; valid keys here: {', '.join(sorted(valid))}"
        return f"{key}: unknown key{hint}"
    if problem["type"] == "missing":
        return f"{key}: missing, and required"
    return f"{key}: {problem['msg']} (found {problem['input']!r})"


def _fields_at(model: type[Model], location: Sequence[str | int]) -> list[str]:
    """Names of the fields that the models reachable at `location` accept."""
    candidates: list[Any] = [model]
    for part in location:
        following: list[Any] = []
        for candidate in candidates:
            for kind in models_in(candidate):
                if part in kind.model_fields:
                    following.append(kind.model_fields[str(part)].annotation)
                elif kind.__name__ == part or _tag(kind) == part:
                    following.append(kind)
            for argument in get_args(candidate):
                # a dictionary's key or a list's index: descend into the value type
                following.append(argument)
        candidates = following or candidates
    names = {name for candidate in candidates for kind in models_in(candidate) for name in kind.model_fields}
    return sorted(names)


def _tag(kind: type[Model]) -> str | None:
    """Value of a model's discriminating `kind` field, where it has one."""
    field = kind.model_fields.get("kind")
    values = get_args(field.annotation) if field else ()
    return str(values[0]) if len(values) == 1 else None


def models_in(annotation: Any) -> list[type[Model]]:
    """Every configuration model that an annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return [annotation]
    return [kind for argument in get_args(annotation) for kind in models_in(argument)]
