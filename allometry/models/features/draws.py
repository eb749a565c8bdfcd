"""Random numbers of feature models: a stream of its own for every purpose, the same bits on every CPU.

What libm has a part in (the tails of normal deviates) is rounded to twelve decimals: its last bits differ between machines.
"""

import numpy as np
from numpy.typing import NDArray

from allometry.models.features.elementary import exp

Floats = NDArray[np.float64]

_DECIMALS = 12


def generator(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The stream of a purpose: what else a model draws does not change it.

    Parameters
    ----------
    seed : int
        Of the model.
    purpose : str
        What is drawn; at most 8 letters tell purposes apart.
    index : int
        Tells several streams of one purpose apart.
    """
    return np.random.default_rng([seed, int.from_bytes(purpose.encode()[:8], "little"), index])


def settled(values: Floats) -> Floats:
    """Values rounded to twelve decimals."""
    return np.round(values, _DECIMALS)


def normal(rng: np.random.Generator, shape: int | tuple[int, ...]) -> Floats:
    """Standard normal deviates.

    Parameters
    ----------
    rng : Generator
        Where they are drawn from.
    shape : int or tuple of int
        Their shape.
    """
    return settled(rng.standard_normal(shape))


def lognormal(rng: np.random.Generator, sigma: float, shape: int | tuple[int, ...]) -> Floats:
    """Log-normal deviates of median 1.

    Parameters
    ----------
    rng : Generator
        Where they are drawn from.
    sigma : float
        Standard deviation of the logarithm.
    shape : int or tuple of int
        Their shape.
    """
    return np.asarray(exp(sigma * normal(rng, shape)))
