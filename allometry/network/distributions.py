"""Distributions of weights, delays and initial voltages."""

from dataclasses import dataclass

import numpy as np

from allometry.network.scalars import plain
from allometry.network.serialise import serialisable


@serialisable
@dataclass(frozen=True)
class Constant:
    """One value for all.

    Parameters
    ----------
    value : float
        The value, in the unit of what it stands for (weight, delay, voltage).
    """

    value: float


@serialisable
@dataclass(frozen=True)
class Normal:
    """Normal distribution.

    As a weight it is redrawn until it has the sign of its mean, as a delay until it is at least dt/2 (then rounded to
    whole steps, at least one); as an initial voltage it is not truncated.

    Parameters
    ----------
    mean, sd : float
        Mean and standard deviation before redrawing, in the unit of what is drawn.
    """

    mean: float
    sd: float


@serialisable
@dataclass(frozen=True)
class Lognormal:
    """Lognormal distribution by its own mean and standard deviation (not those of the logarithm).

    A negative mean mirrors it, so that inhibitory weights are written as they are. As a delay it is redrawn until it is
    at least dt/2, then rounded to whole steps.

    Parameters
    ----------
    mean, sd : float
        Mean (not 0) and standard deviation before redrawing, in the unit of what is drawn.
    """

    mean: float
    sd: float


@serialisable
@dataclass(frozen=True)
class Uniform:
    """Uniform distribution in [low, high).

    As a delay it is rounded to whole steps, halves up: from (k - 1/2) dt to (m + 1/2) dt, the steps k to m are equally
    likely. It begins at dt/2 or later.

    Parameters
    ----------
    low, high : float
        Bounds, in the unit of what is drawn.
    """

    low: float
    high: float


@serialisable
@dataclass(frozen=True, eq=False)
class Values:
    """One given value per neuron.

    Parameters
    ----------
    values : np.ndarray
        float [neuron], in the unit of what they stand for.
    """

    values: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values, dtype=np.float64))


Distribution = Constant | Normal | Lognormal | Uniform | Values


def as_distribution(value: "Distribution | float | np.ndarray | list[float] | None") -> "Distribution | None":
    """Read a bare number as `Constant`, an array as `Values`."""
    value = plain(value)
    if value is None or isinstance(value, Constant | Normal | Lognormal | Uniform | Values):
        return value
    if isinstance(value, int | float):
        return Constant(float(value))
    return Values(np.asarray(value))


def moments(value: Distribution) -> np.ndarray:
    """Means of the powers 0 to 3 of what is drawn, float64 [power]; redrawing of a wrong sign is left out.

    NaN of `Values`, which are those of single neurons.
    """
    if isinstance(value, Constant):
        return np.power(value.value, np.arange(4.0))
    if isinstance(value, Normal):
        mean, sd = value.mean, value.sd
        return np.array([1.0, mean, mean**2 + sd**2, mean**3 + 3 * mean * sd**2])
    if isinstance(value, Lognormal):
        spread = 1.0 + (value.sd / value.mean) ** 2
        return np.array([1.0, value.mean, value.mean**2 * spread, value.mean**3 * spread**3])
    if isinstance(value, Uniform):
        a, b = value.low, value.high
        return np.array([1.0, (a + b) / 2, (a**2 + a * b + b**2) / 3, (a + b) * (a**2 + b**2) / 4])
    return np.array([1.0, np.nan, np.nan, np.nan])
