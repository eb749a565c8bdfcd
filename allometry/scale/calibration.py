"""Calibration of free factors of a model to target rates: damped Gauss-Newton in their logarithms, with few evaluations.

Every evaluation is a simulation, so that the Jacobian is taken once, by forward differences, and then updated from the steps
themselves (Broyden 1965, Math. Comput. 19:577, the first of his methods). Damping as Levenberg 1944, Q. Appl. Math. 2:164.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allometry.errors import SimulationError
from allometry.numerics.rounding import significant

Floats = NDArray[np.float64]

SILENT = 1e-3
"""Rate over target that a silent population counts as: its logarithm must be a number."""


@dataclass(frozen=True)
class Settings:
    """How a calibration goes.

    Parameters
    ----------
    step : float
        Of the forward differences, in the logarithm of a factor.
    cap : float
        Largest change of any factor in one iteration, in its logarithm.
    damping : float
        Levenberg's: how far a direction that changes no rate is held back.
    ridge : float
        Pull towards factors of 1, for directions that the rates do not determine.
    tolerance : float
        Largest |log(rate / target)| of a calibration that has converged.
    iterations : int
        Most iterations.
    """

    step: float = 0.1
    cap: float = 0.25
    damping: float = 0.15
    ridge: float = 0.003
    tolerance: float = 0.04
    iterations: int = 8


@dataclass(frozen=True)
class Calibration:
    """What a calibration found.

    Parameters
    ----------
    factors : dict of str to float
        Those with the smallest residual of all that were tried.
    residual : float
        Largest |log(rate / target)| with them.
    converged : bool
        Whether that is within the tolerance.
    iterations : int
        Iterations that were made.
    history : tuple of dict
        Every evaluation: `factors` and `log_ratios`, one per target.
    """

    factors: dict[str, float]
    residual: float
    converged: bool
    iterations: int
    history: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return {**vars(self), "history": list(self.history)}


def calibrate(
    rates: Callable[[Mapping[str, float]], ArrayLike],
    targets: ArrayLike,
    names: Sequence[str],
    settings: Settings | None = None,
    *,
    start: Mapping[str, float] | None = None,
) -> Calibration:
    """Find factors at which a model has the target rates.

    Parameters
    ----------
    rates : callable
        Rates for factors by name, in the order of the targets; the same factors give the same rates.
    targets : array [target]
        Positive rates, in the unit of `rates`.
    names : sequence of str
        Factors; at most as many as there are targets determine one another.
    settings : Settings, optional
        How it goes.
    start : mapping, optional
        Factors to begin with; default 1.

    Returns
    -------
    Calibration
        Also where it does not converge: `converged` says so.

    Raises
    ------
    SimulationError
        A target is not positive, there are no factors, or `rates` returns another number of them.
    """
    settings = settings or Settings()
    wanted = np.asarray(targets, np.float64)
    if not names or not wanted.size or not (np.isfinite(wanted) & (wanted > 0)).all():
        raise SimulationError(
            "there is nothing to calibrate" if not names or not wanted.size else "a target rate is not positive",
            where="calibration",
            expected="one or more factors, and positive target rates",
            do="leave populations that are silent at full size out of the targets",
        )
    history: list[dict[str, Any]] = []

    def log_ratios(x: Floats) -> Floats:
        factors = _factors(names, x)
        found = np.asarray(rates(factors), np.float64)
        if found.shape != wanted.shape:
            raise SimulationError(
                f"{found.size} rates were measured", where="calibration", expected=f"{wanted.size}, one per target"
            )
        y = np.log(np.maximum(found / wanted, SILENT))
        history.append({"factors": factors, "log_ratios": y.tolist()})
        return y

    x = np.log([float((start or {}).get(name, 1.0)) for name in names])
    y = log_ratios(x)
    jacobian = np.zeros((wanted.size, len(names)))
    best, fewest, iterations, damping = (x, y), _residual(y), 0, settings.damping
    if fewest >= settings.tolerance:
        for k in range(len(names)):
            ahead = x.copy()
            ahead[k] += settings.step
            jacobian[:, k] = (log_ratios(ahead) - y) / settings.step
    while fewest >= settings.tolerance and iterations < settings.iterations:
        change = _change(jacobian, x, y, damping, settings)
        if not np.abs(change).max() > 1e-9:
            break
        moved = log_ratios(x + change)
        jacobian += np.outer(moved - y - jacobian @ change, change) / (change @ change)
        iterations += 1
        if moved @ moved < y @ y:
            x, y, damping = x + change, moved, settings.damping
        else:
            # a step that made it worse has taught the Jacobian something; the next is shorter
            damping *= 4
        if _residual(moved) < fewest:
            best, fewest = (x, y) if moved is y else (x + change, moved), _residual(moved)
    return Calibration(_factors(names, best[0]), fewest, fewest < settings.tolerance, iterations, tuple(history))


def _factors(names: Sequence[str], x: Floats) -> dict[str, float]:
    """Factors of ten digits: exp and linear algebra leave last bits that depend on the CPU, and simulations follow them."""
    return {name: significant(value) for name, value in zip(names, np.exp(x).tolist())}


def _residual(y: Floats) -> float:
    return float(np.abs(y).max())


def _change(jacobian: Floats, x: Floats, y: Floats, damping: float, settings: Settings) -> Floats:
    normal = jacobian.T @ jacobian + (damping + settings.ridge) * np.eye(x.size)
    change = np.linalg.solve(normal, -(jacobian.T @ y + settings.ridge * x))
    longest = np.abs(change).max()
    return np.asarray(change * min(1.0, settings.cap / longest) if longest > 0 else change)
