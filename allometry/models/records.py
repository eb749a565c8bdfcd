"""The record that stands beside every network model, and the register of all models."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from allometry.errors import PluginError
from allometry.models.parameters import annotations, descriptions, words
from allometry.network import Network
from allometry.plugins import Register

Builder = TypeVar("Builder", bound=Callable[..., Network])

CONNECTOME = "connectome"
"""First parameter of the builder of a model that is built on a Connectome."""


@dataclass(frozen=True)
class Model:
    """A network model that can be named in a configuration.

    Parameters
    ----------
    name : str
        Its name.
    build : callable
        Builder of the `Network`; its first argument is a Connectome where `needs_connectome`.
    description : str
        One line.
    source : str
        Publication.
    parameters : mapping
        Keyword of the builder to description with unit.
    """

    name: str
    build: Callable[..., Network]
    description: str
    source: str
    parameters: Mapping[str, str]

    @property
    def needs_connectome(self) -> bool:
        """Whether a Connectome store must be given."""
        return next(iter(inspect.signature(self.build).parameters), "") == CONNECTOME


MODELS: Register[Model] = Register("model")
"""Models by name."""


def model(*, description: str = "", source: str = "", name: str = "") -> Callable[[Builder], Builder]:
    """Decorator that makes a builder a model that a configuration may name.

    The parameters of the model are those of the builder, with their annotations (float, int, bool, str, Literal, sequences
    and unions of them), defaults, and the descriptions in the section Parameters of its docstring. A first parameter
    `connectome` is the Connectome that the model is built on.

    Parameters
    ----------
    description : str
        One line.
    source : str
        Publication.
    name : str
        Name of the model; empty: that of the builder.

    Returns
    -------
    callable
        Gives the builder back as it is.

    Raises
    ------
    PluginError
        Something is missing, or the name is taken.
    """

    def register(builder: Builder) -> Builder:
        title = name or builder.__name__
        described, annotated = descriptions(builder), annotations(builder)
        own = {key: value for key, value in inspect.signature(builder).parameters.items() if key != CONNECTOME}
        missing = [field for field, text in (("description", description), ("source", source)) if not text]
        missing += [f"description of {key} in its docstring" for key in own if not described.get(key)]
        missing += [f"annotation of {key} that can be written in YAML" for key in own if not words(annotated.get(key))]
        missing += [f"default of {key}" for key, value in own.items() if value.default is value.empty]
        if missing:
            raise PluginError(
                f"the model {title!r} has no {', no '.join(missing)}",
                where=f"{builder.__module__}.{builder.__name__}",
                expected="a description, a source, and for every parameter an annotation, a default and a description",
                do="state them in @model(...), in the signature and under Parameters in the docstring",
            )
        parameters = {key: described[key] for key in own}
        MODELS.add(title, Model(title, builder, description, source, parameters), builder.__module__)
        return builder

    return register
