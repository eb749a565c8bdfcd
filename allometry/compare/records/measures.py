"""The record that stands beside every measure: what it needs, what it does not see, what it is for, and what bounds it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from allometry.errors import PluginError, require_record
from allometry.plugins import Register

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


COSTS = {
    "linear": "time and memory grow as the data do",
    "time": "memory grows as the data do, time faster: what takes more than ten seconds shows its progress",
    "memory": "memory grows faster than the data: what does not fit is refused before it starts, with what would fit",
}
"""What a measure may cost, and what follows from that (`inference.blockwise.afford`, `inference.progress`)."""


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
        Rule of `ceilings.ceiled`: reliability, correlation, ratio, auc or none.
    reference : str
        Paper that defines it.
    scale : Scale or None
        Which way the score is good, for verdicts; None of a measure that is not the score of a result.
    cost : str
        A key of `COSTS`: how time and memory grow with the data.
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
    cost: str = "linear"

    @property
    def family(self) -> str:
        """Room of `compare.measures`, module of `compare.inference`, kind of comparison, or package that it belongs to."""
        parts = self.function.__module__.split(".")
        return parts[3] if parts[:2] == ["allometry", "compare"] else parts[0]


@cache
def index() -> dict[str, str]:
    """Module below `allometry.compare` by measure of the package, as generated from the records."""
    text = Path(__file__).with_name("index.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


RECORDS: Register[Measure] = Register("measure", lambda: index())
"""Measures of the modules that are imported, by name; `compare.registry` knows the others too."""


def measure(
    above: object = None,
    /,
    *,
    name: str = "",
    version: str = "",
    inputs: str = "",
    invariances: str = "",
    use: str = "",
    reference: str = "",
    ceiling: str = "none",
    scale: Scale | None = None,
    cost: str = "linear",
    module: str = "",
) -> Callable[[Function], Function]:
    """Decorator that gives a function its record; several stand above one another where it is several measures.

    Parameters
    ----------
    above : None
        What a decorator without its record would get.
    name, version, inputs, invariances, use, reference, ceiling, cost : str
        As in `Measure`.
    scale : Scale, optional
        As in `Measure`.
    module : str
        Dotted name of the module that holds the record; empty: that of the function.

    Returns
    -------
    callable
        Gives the function back as it is.

    Raises
    ------
    PluginError
        There is no record, a field is empty, the cost is none of `COSTS`, or the name is taken.
    """
    require_record(above, "measure")

    def register(function: Function) -> Function:
        home = module or function.__module__
        record = Measure(name, version, function, home, inputs, invariances, use, ceiling, reference, scale, cost)
        if empty := [field for field in TEXTS if not getattr(record, field)]:
            raise PluginError(
                f"the record of the measure {name or function.__name__!r} has no {', '.join(empty)}",
                where=home,
                expected=f"text for each of {', '.join(TEXTS)}",
                do="state them in @measure(...) above the function",
            )
        if cost not in COSTS:
            raise PluginError(
                f"the cost of the measure {name!r} is {cost!r}",
                where=home,
                expected=f"one of {', '.join(COSTS)}",
                do="state in @measure(...) how its time and memory grow with the data",
            )
        RECORDS.add(name, record, home)
        return function

    return register


TEXTS = ("name", "version", "inputs", "invariances", "use", "ceiling", "reference")
"""Fields of a record that nobody may leave empty."""
