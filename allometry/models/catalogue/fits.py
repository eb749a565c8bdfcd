"""What a model is fitted to before it runs: numbers that an iteration finds, and what it leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Fit:
    """Result of fitting a model.

    Parameters
    ----------
    arrays : mapping of str to ndarray of float64
        What was found, by name.
    residual : float
        What is left, in the unit of `tolerance`.
    tolerance : float
        Largest residual of a fit that has converged.
    iterations : int
        Iterations that were made.
    residual_is : str
        What the residual is, in words.
    history : sequence of float
        Residual after each iteration that was looked at.
    """

    arrays: Mapping[str, NDArray[np.float64]]
    residual: float
    tolerance: float
    iterations: int
    residual_is: str
    history: Sequence[float] = field(default=())

    @property
    def converged(self) -> bool:
        """Whether no more is left than the tolerance allows."""
        return bool(self.residual <= self.tolerance)

    @property
    def summary(self) -> dict[str, Any]:
        """All but the arrays and the history, as plain values."""
        return {
            "converged": self.converged,
            "residual": float(self.residual),
            "tolerance": float(self.tolerance),
            "iterations": int(self.iterations),
            "residual_is": self.residual_is,
        }

    def __str__(self) -> str:
        said = "converged" if self.converged else "did NOT converge"
        return (
            f"the fit {said}: {self.residual_is} {self.residual:.4g} after {self.iterations} iterations, "
            f"tolerance {self.tolerance:g}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, of which JSON gives back every bit."""
        arrays = {
            name: {"shape": list(values.shape), "values": np.asarray(values, np.float64).ravel().tolist()}
            for name, values in self.arrays.items()
        }
        return {**self.summary, "history": [float(value) for value in self.history], "arrays": arrays}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Fit":
        """The fit that `as_dict` gave these values of."""
        arrays = {
            name: np.array(entry["values"], np.float64).reshape(entry["shape"])
            for name, entry in values["arrays"].items()
        }
        kept = {key: values[key] for key in ("residual", "tolerance", "iterations", "residual_is", "history")}
        return cls(arrays, **kept)
