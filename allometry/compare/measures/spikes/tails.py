"""Where the tail of a power law starts: candidates are tried one by one, so that a long search can say how far it is."""

import contextlib
import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from allometry.compare.inference.arrays import FloatArray
from allometry.compare.inference.progress import steps

MOST_STARTS = 500  # of a tail of continuous values, tried for the start
FEWEST_IN_TAIL = 50
STEEPEST = 30.0  # largest exponent of a power law that is looked for
_STARTS_AT_ONCE = 16
# powerlaw 2 would otherwise search exponents up to 3 only, and return 3 for whatever is steeper.
OPTIONS: dict[str, Any] = {"parameter_ranges": {"alpha": [0, STEEPEST]}, "verbose": False}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of fits that fail."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def continuous_start(x: FloatArray) -> float:
    """Start of the tail of ascending values, among `MOST_STARTS` of them that are equally spaced in rank.

    Every start costs a pass over the tail: all of 10^5 distinct ones would take hours.
    """
    best = (np.inf, float(x[0]))
    starts = np.unique(np.linspace(0, x.size - FEWEST_IN_TAIL, MOST_STARTS).astype(int))
    for first in steps(starts, "starts of the tail"):
        tail = x[first:]
        logs = np.log(tail / tail[0])
        if not logs[-1] > 0:
            continue
        exceeding = np.exp(-tail.size / logs.sum() * logs)
        rank = np.arange(tail.size) / tail.size
        distance = np.abs(1 - exceeding - rank).max()
        if distance < best[0]:
            best = (float(distance), float(tail[0]))
    return best[1]


def discrete_start(x: FloatArray) -> float | None:
    """Start of the tail that `powerlaw` finds among all values, asked for some of them at a time, so that it can say how far it is.

    None where there are too few values to choose from.
    """
    import powerlaw

    values = np.unique(x)
    best: tuple[bool, float, float | None] = (True, np.inf, None)
    # As powerlaw does, the two largest are no starts; the last of a range is none either, and a range needs two.
    edges = [*range(0, max(values.size - 3, 0), _STARTS_AT_ONCE), values.size - 2]
    for first, last in steps(list(itertools.pairwise(edges)), f"starts of the tail, {_STARTS_AT_ONCE} at a time"):
        fit = powerlaw.Fit(x, discrete=True, xmin=(values[first], values[last + 1]), **OPTIONS)
        # A start at which the fit is in range goes before any at which it is not.
        if (bool(fit.noise_flag), fit.D) < best[:2]:
            best = (bool(fit.noise_flag), float(fit.D), float(fit.xmin))
    return best[2]
