"""Rates and currents that vary in time: constant between given times, or sampled at steps of their own."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from allometry.errors import SimulationError
from allometry.network.scalars import as_written
from allometry.network.serialise import serialisable


class _Scaled:
    """What both kinds share: a profile times a number is a profile."""

    values: np.ndarray

    def __mul__(self, factor: float) -> Self:
        return replace(self, values=self.values * factor)  # type: ignore[type-var]

    __rmul__ = __mul__


@serialisable
@dataclass(frozen=True, eq=False)
class Piecewise(_Scaled):
    """Value k from times_ms[k] until times_ms[k + 1], the last one for ever; 0 before the first.

    Parameters
    ----------
    times_ms : np.ndarray
        float [piece], rising, from 0 on; taken to the nearest step.
    values : np.ndarray
        float [piece], in the unit of the input; of a current also [piece, neuron].

    Raises
    ------
    SimulationError
        If the lengths differ, or the times do not rise.
    """

    times_ms: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        times = as_written(self.times_ms).ravel()
        object.__setattr__(self, "times_ms", times)
        object.__setattr__(self, "values", _values(self.values, "Piecewise"))
        if len(times) != len(self.values):
            raise SimulationError(
                f"{len(times)} times for {len(self.values)} values", where="Piecewise", expected="as many of both"
            )
        if not np.isfinite(times).all() or (np.diff(times) <= 0).any() or times[0] < 0:
            raise SimulationError(
                "the times of a profile do not rise, or begin before 0", where="Piecewise", expected="rising times, ms"
            )


@serialisable
@dataclass(frozen=True, eq=False)
class Sampled(_Scaled):
    """Value k from start_ms + k step_ms on, for one step of the array; 0 before the first and after the last.

    Parameters
    ----------
    values : np.ndarray
        float [sample], in the unit of the input; of a current also [sample, neuron].
    step_ms : float
        Step of the array, ms: at least the time step of the network; edges are taken to its nearest step.
    start_ms : float
        Beginning of the first sample, ms.

    Raises
    ------
    SimulationError
        If there are no values, or the step is not positive.
    """

    values: np.ndarray
    step_ms: float
    start_ms: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _values(self.values, "Sampled"))
        for name, low in (("step_ms", 0.0), ("start_ms", None)):
            value = getattr(self, name)
            ok = isinstance(value, int | float) and np.isfinite(value) and (value >= 0 if low is None else value > low)
            if not ok:
                raise SimulationError(f"{name} is {value!r}", where="Sampled", expected="a time in ms")

    @property
    def times_ms(self) -> np.ndarray:
        """Edges of the samples, float64 [sample + 1], ms."""
        return self.start_ms + np.arange(len(self.values) + 1) * self.step_ms


@serialisable
@dataclass(frozen=True, eq=False)
class Periodic(_Scaled):
    """A wave of any form, repeated for ever, for currents: every neuron has an amplitude and a phase of its own.

    At time t (the beginning of a step) the value is amplitude * wave((t * frequency + phase) mod 1), where the wave goes
    through `values` at 0, 1 / n, 2 / n, ... of its period, linearly in between.

    Parameters
    ----------
    values : np.ndarray
        float [sample], one period of the wave, in the unit of the input.
    frequency_hz : float
        Periods per second, 0 or above.
    amplitude : float or np.ndarray
        Factor on the wave: one number, or float [neuron].
    phase : float or np.ndarray
        Where in its period the wave is at time 0, in periods: one number, or float [neuron].

    Raises
    ------
    SimulationError
        If there are no values, or the frequency is negative.
    """

    values: np.ndarray
    frequency_hz: float
    amplitude: float | np.ndarray = 1.0
    phase: float | np.ndarray = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _values(self.values, "Periodic"))
        if self.values.ndim != 1:
            raise SimulationError("a wave has one value per time", where="Periodic", expected="values: float [sample]")
        if not (isinstance(self.frequency_hz, int | float) and 0 <= self.frequency_hz < float("inf")):
            raise SimulationError(f"frequency_hz is {self.frequency_hz!r}", where="Periodic", expected="0 Hz or above")
        for name in ("amplitude", "phase"):
            if not isinstance(getattr(self, name), int | float):
                object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))


Profile = Piecewise | Sampled


def _values(values: np.ndarray, where: str) -> np.ndarray:
    out = np.asarray(values, dtype=np.float64)
    if out.ndim not in (1, 2) or not out.size:
        raise SimulationError(
            f"the values of a profile have shape {out.shape}", where=where, expected="[time], or [time, neuron]"
        )
    return out
