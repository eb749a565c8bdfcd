"""Base of all configuration models, and the one message a user sees for an invalid configuration."""

from collections.abc import Mapping
from typing import Any, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from allometry.config.problems import describe
from allometry.errors import ConfigError


class Model(BaseModel):
    """A part of the configuration: unknown keys are refused, and values do not change once validated.

    No list may hold an entry twice: each stands for a job, a store or a row of its own, which would be one and the same.
    Types are strict: YAML tells numbers from text and from true and false, and a mix-up of them is a mistake.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), strict=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            lists = {name: value}
            # what an option of a reader means is the reader's affair
            if isinstance(value, dict) and Any not in get_args(field.annotation):
                lists = {f"{name}.{key}": entry for key, entry in value.items()}
            for key, entries in lists.items():
                if not isinstance(entries, list):
                    continue
                if repeated := [entry for place, entry in enumerate(entries) if entry in entries[:place]]:
                    listed = ", ".join(dict.fromkeys(map(str, repeated)))
                    raise ValueError(f"{key} lists {listed} more than once; remove the repeats")
        return self


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
        problems = describe(model, error)
        raise ConfigError(
            what=f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the configuration\n    "
            + "\n    ".join(problems),
            where=where,
            do="correct the keys named above; docs/configuration.md describes every key",
        ) from None


def models_in(annotation: Any) -> list[type[Model]]:
    """Every configuration model that an annotation mentions."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return [annotation]
    return [kind for argument in get_args(annotation) for kind in models_in(argument)]
