"""The record that stands beside every measure: what it needs, what it does not see, what it is for, and what bounds it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from allometry.errors import ComparisonError

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Scale:
    """Which way a score is good, and what difference of it does not matter.

    Parameters
    ----------
    larger : bool
        Whether a larger score is better; of a distance a smaller one is.
    margin : float
        An advantage over a baseline up to this does not matter, in units of the score: a verdict of *no better* says that
        the advantage is at most that.
    descriptive : bool
        The score describes, and is neither good nor bad: verdicts are read as *more than* and *less than*.
    """

    larger: bool
    margin: float
    descriptive: bool = False


# Shares, areas, accuracies and correlations: two hundredths. Others have units, or a range, of their own.
SHARE = Scale(True, 0.02)
DISTANCE = Scale(False, 0.02)


@dataclass(frozen=True)
class Measure:
    """One measure of the suite.

    Parameters
    ----------
    name, version : str
        Name in configurations and `Scores`; the version changes when its numbers do.
    function : callable
        Public function that computes it.
    module : str
        Dotted name of the module that holds the record.
    inputs : str
        What it takes, with shapes.
    invariances : str
        Changes of the data that leave it as it is.
    use : str
        The question it is meant to answer.
    ceiling : str
        Rule of `statistics.ceiled`: reliability, correlation, ratio, auc or none.
    reference : str
        Paper that defines it.
    scale : Scale or None
        Which way the score is good, for verdicts; None of a measure that is not the score of a result.
    """

    name: str
    version: str
    function: Callable[..., Any]
    module: str
    inputs: str
    invariances: str
    use: str
    ceiling: str
    reference: str
    scale: Scale | None

    @property
    def family(self) -> str:
        """Room of `compare.measures`, module of `compare.inference`, kind of comparison, or package that it belongs to."""
        parts = self.function.__module__.split(".")
        return parts[3] if parts[:2] == ["allometry", "compare"] else parts[0]


RECORDS: dict[str, Measure] = {}
"""Measures of the modules that are imported, by name; `compare.registry` knows the others too."""


def measure(
    *,
    name: str,
    version: str,
    inputs: str,
    invariances: str,
    use: str,
    reference: str,
    ceiling: str = "none",
    scale: Scale | None = None,
    module: str = "",
) -> Callable[[Function], Function]:
    """Decorator that gives a function its record; several stand above one another where it is several measures.

    Parameters
    ----------
    name, version, inputs, invariances, use, reference, ceiling, scale
        See `Measure`.
    module : str
        Dotted name of the module that holds the record; empty: that of the function.

    Returns
    -------
    callable
        Gives the function back as it is.

    Raises
    ------
    ComparisonError
        Another function has a measure of this name, or a field is empty.
    """

    def register(function: Function) -> Function:
        home = module or function.__module__
        record = Measure(name, version, function, home, inputs, invariances, use, ceiling, reference, scale)
        where = f"{home}.{function.__name__}"
        if empty := [field for field in TEXTS if not getattr(record, field)]:
            raise ComparisonError(f"the record of a measure has no {', '.join(empty)}", where=where, expected="text")
        other = RECORDS.get(name, record)
        if (other.module, other.function.__qualname__) != (home, function.__qualname__):
            raise ComparisonError(
                f"there is a measure called {name!r} already",
                where=where,
                expected=f"another name than that of {other.module}.{other.function.__name__}",
                do="rename the measure",
            )
        RECORDS[name] = record
        return function

    return register


TEXTS = ("name", "version", "inputs", "invariances", "use", "ceiling", "reference")
"""Fields of a record that nobody may leave empty."""
