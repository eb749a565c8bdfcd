"""Statistics of a scaling study by name: what is taken of every simulation, each with its unit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from allometry.errors import PluginError, require_record
from allometry.plugins import Register

Function = TypeVar("Function", bound=Callable[..., Any])
Of = Literal["spikes", "responses"]


@dataclass(frozen=True)
class Statistic:
    """One statistic.

    Parameters
    ----------
    name, unit, description : str
        Name in configurations and stores; unit; one line.
    function : callable
        `function(recorded, population)` gives its value, NaN where it is undefined; `recorded` is what the study reads of a
        simulation, or a mapping of them by condition where `across`.
    across : bool
        Whether it is one number of all conditions of a job together, as a selectivity is.
    grows : str
        Why it changes with size by itself, and what it is normalised to: no verdict and no law is sought of it. Empty of
        all others.
    of : {"spikes", "responses"}
        Of networks, whose `recorded` is a `scale.recorded.Recorded`, or of feature models, whose it is a
        `scale.features.responded.Responded`.
    theme : str
        Of the figure that shows it in a study of many statistics.
    itself : bool
        Whether its law is sought of the value itself, which vanishes in large networks, instead of the deviation.
    """

    name: str
    unit: str
    description: str
    function: Callable[..., float]
    across: bool = False
    grows: str = ""
    of: Of = "spikes"
    theme: str = "other"
    itself: bool = False


MANY = 8
"""Statistics of a study that one figure shows; of more, each theme has its own."""

STATISTICS: Register[Statistic] = Register("statistic")
"""Statistics by name."""


def themes(names: Sequence[str]) -> dict[str, list[str]]:
    """Statistics of a study by the figure that shows them: few are all in one, without a name."""
    if len(names) <= MANY:
        return {"": list(names)}
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(STATISTICS[name].theme, []).append(name)
    return found


def statistic(
    above: object = None,
    /,
    *,
    unit: str = "",
    description: str = "",
    name: str = "",
    across: bool = False,
    grows: str = "",
    of: Of = "spikes",
    theme: str = "other",
    itself: bool = False,
) -> Callable[[Function], Function]:
    """Decorator that makes a function a statistic that a study may name.

    Parameters
    ----------
    above : None
        What a decorator without its record would get.
    unit : str
        Of what it returns; `1` of a pure number.
    description : str
        One line.
    name : str
        Its name; empty: that of the function.
    across : bool
        Whether it takes all conditions of a job.
    grows : str
        As in `Statistic`.
    of : {"spikes", "responses"}
        Of what models it is taken.
    theme : str
        As in `Statistic`; a word for the name of a file.
    itself : bool
        As in `Statistic`.

    Returns
    -------
    callable
        Gives the function back as it is.

    Raises
    ------
    PluginError
        Unit or description is missing, or the name is taken.
    """
    require_record(above, "statistic")

    def register(function: Function) -> Function:
        title = name or function.__name__
        if not unit or not description:
            raise PluginError(
                f"the statistic {title!r} has no {'unit' if not unit else 'description'}",
                where=function.__module__,
                expected="a unit (1 of a pure number) and a description",
                do="state them in @statistic(...) above the function",
            )
        entry = Statistic(title, unit, description, function, across, grows, of, theme, itself)
        STATISTICS.add(title, entry, function.__module__)
        return function

    return register
