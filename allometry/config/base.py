"""The one message a user sees for an invalid configuration, and the models that an annotation mentions."""

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from allometry.config.problems import describe
from allometry.errors import ConfigError
from allometry.settings import Model

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
