"""The record of a kind of comparison: its options, and what computes it from them."""

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args, get_origin

from pydantic import Field

from allometry.errors import ComparisonError, PluginError, require_record
from allometry.hints import hint
from allometry.plugins import DRAWINGS, Register
from allometry.settings import Model

Inputs = Mapping[str, Any]
"""Opened stores by name."""


class Options(Model):
    """Options of a kind of comparison, as a configuration states them.

    A subclass has the literal `kind`, a field with description for every option, and says which stores it reads.

    Parameters
    ----------
    kind : str
        Kind of comparison.
    seed : int
        Seed of every resample, permutation and rewiring; at least 0.
    """

    run_kind: ClassVar[str] = "propagation"
    """Kind of simulation run that it reads, if any."""
    run_key: ClassVar[str] = "run"
    """Key that names the runs."""

    kind: str = Field(description="Kind of comparison.")
    seed: int = Field(1, ge=0, description="Seed of every resample, permutation and rewiring.")

    reads_responses: ClassVar[bool] = False
    """Whether it reads the responses of a run, in place of its points."""

    def stores(self) -> list[tuple[str, str]]:
        """Kind and name of every homogenized store that is read."""
        return []

    def runs(self) -> list[str]:
        """Names of the simulation runs that are read."""
        return []


class Kind:
    """A kind of comparison; called with the stores and its options as keywords, it computes a `Result`.

    Parameters
    ----------
    name : str
        Name in configurations.
    options : type of Options
        What it takes.
    compute : callable
        `compute(inputs, options)`: opened stores by name and options, to a `Result`.
    """

    def __init__(self, name: str, options: type[Options], compute: Callable[[Any, Any], Any]) -> None:
        functools.update_wrapper(self, compute)
        self.name, self.options, self.compute = name, options, compute
        self.estimates: Callable[[Any, Any], Iterable[Any]] | None = None
        listed = "".join(f"\n{key}\n    {field.description}" for key, field in _fields(options).items())
        self.__doc__ = f"{compute.__doc__ or ''}\n\nOptions\n-------{listed}\n"

    def __call__(self, inputs: Inputs, /, **given: Any) -> Any:
        """Compute a comparison.

        Parameters
        ----------
        inputs : mapping
            Opened stores by name.
        **given
            Options; those that are not given have their defaults. Their ranges are those of the configuration, where they
            are checked.

        Returns
        -------
        Result

        Raises
        ------
        ComparisonError
            There is no option of that name, or one is missing.
        """
        return self.compute(inputs, self.given(given))

    def given(self, given: Mapping[str, Any]) -> Options:
        """Options with defaults for what is not given."""
        fields = _fields(self.options)
        if unknown := [name for name in given if name not in fields]:
            raise ComparisonError(
                f"{self.name} has no option {unknown[0]!r}",
                where=unknown[0],
                expected="one of " + ", ".join(fields),
                do=hint(unknown[0], fields),
            )
        if missing := [name for name, field in fields.items() if field.is_required() and name not in given]:
            raise ComparisonError(
                f"{self.name} is not told {', '.join(missing)}", expected=fields[missing[0]].description
            )
        return self.options.model_construct(**{"kind": self.name, **given})

    def estimate(self, function: Callable[[Any, Any], Iterable[Any]]) -> Callable[..., Iterable[Any]]:
        """Decorator of `estimates(inputs, options)`, an iterable of `inference.blockwise.Estimate`.

        The runner logs them before anything is computed, and refuses what does not fit. Like the kind itself, it is called with
        options as keywords.
        """
        self.estimates = function

        @functools.wraps(function)
        def called(inputs: Inputs, /, **given: Any) -> Iterable[Any]:
            return function(inputs, self.given(given))

        return called

    def drawing(self, function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Decorator of `draw(rows, curves)`, which the report draws the comparison with.

        It gets the rows of the Scores as a DataFrame and its curves by name as Datasets, and returns an
        `allometry.report.drawing.drawing.Drawing`: a figure and its caption. Without one the report draws a forest plot.
        """
        DRAWINGS.add(self.name, function, function.__module__)
        return function


def _fields(options: type[Options]) -> dict[str, Any]:
    return {name: field for name, field in options.model_fields.items() if name != "kind"}


@functools.cache
def own() -> tuple[str, ...]:
    """Kinds of the package."""
    folder = Path(__file__).parents[1] / "options"
    return tuple(sorted(module.name for module in pkgutil.iter_modules([str(folder)])))


KINDS: Register[Kind] = Register("kind of comparison", own)
"""Kinds that are imported, by name."""


def kind_of(options: type[Options]) -> str:
    """The kind that options belong to; empty where they do not say it."""
    annotation = options.model_fields["kind"].annotation
    values = get_args(annotation) if get_origin(annotation) is Literal else ()
    return str(values[0]) if len(values) == 1 else ""


def options_of(kind: str) -> type[Options]:
    """Options of a kind of the package, without an import of what computes it."""
    module = importlib.import_module(f"allometry.compare.options.{kind}")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Options) and kind_of(value) == kind
    )
    return found


def all_options() -> dict[str, type[Options]]:
    """Options of every kind of the package and of plugins, by kind."""
    return {kind: options_of(kind) for kind in own()} | {name: kind.options for name, kind in KINDS.plugged().items()}


def comparison(options: type[Options]) -> Callable[[Callable[[Any, Any], Any]], Kind]:
    """Decorator that makes a function a kind of comparison.

    Parameters
    ----------
    options : type of Options
        What it takes; its literal `kind` is the name of the kind.

    Returns
    -------
    callable
        Gives the `Kind`, which is called as `kind(inputs, option=..., ...)`.

    Raises
    ------
    PluginError
        There are no options, or they do not say the kind, an option has no description, or the name is taken.
    """
    if not (isinstance(options, type) and issubclass(options, Options)):
        require_record(options, "comparison")

    def register(compute: Callable[[Any, Any], Any]) -> Kind:
        where = f"{options.__module__}.{options.__name__}"
        name = kind_of(options)
        if not name or not options.model_fields["kind"].description:
            raise PluginError(
                f"the options of {compute.__name__!r} do not say which kind of comparison they belong to",
                where=where,
                expected="a field like `kind: Literal['my_kind'] = Field(description='...')`",
            )
        if bare := [key for key, field in _fields(options).items() if not field.description]:
            raise PluginError(
                f"the kind of comparison {name!r} has no description of {', '.join(bare)}",
                where=where,
                expected="Field(..., description='...') for every option",
            )
        kind = Kind(name, options, compute)
        KINDS.add(name, kind, compute.__module__)
        return kind

    return register
