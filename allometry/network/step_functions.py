"""Functions that a neuron's step may call: the engine has a compiled form of each that runs for many neurons at once."""

import math
from typing import Any

import numpy as np


def exp(x: Any) -> Any:
    """Return the exponential of `x`.

    In the engine it is a polynomial of its own, in the width of `x`, within 2 units of the last place
    (`allometry.simulate.kernels.neurons.exponential`); libm differs between machines.
    """
    return math.exp(x)


def rested(refractory: Any, fired: Any, ref_steps: Any) -> Any:
    """Return the refractory steps that are left: all of them after a spike, one fewer than before otherwise."""
    return ref_steps if fired else (np.int16(refractory - np.int16(1)) if refractory > 0 else np.int16(0))
