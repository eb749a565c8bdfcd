"""Refusal of impossible plasticity before anything is built."""

import math

import numpy as np

from allometry.network import STDP, Constant, ExplicitEdges, Projection, ShortTermPlasticity, Uniform
from allometry.simulate.build.checks import real, require


def check_plasticity(projection: Projection, where: str) -> None:
    """Check the parameters of a projection's plasticity, and that its weights are within their bounds."""
    p = projection.plasticity
    if p is None:
        return
    require(
        isinstance(p, ShortTermPlasticity | STDP),
        f"a {type(p).__name__} is no plasticity",
        where,
        "ShortTermPlasticity or STDP",
    )
    positive = {"tau_rec", "tau_plus", "tau_minus", "Wmax", "U"}
    for name, given in vars(p).items():
        value = real(given, name, where)
        ok = math.isfinite(value) and (value > 0 if name in positive else value >= 0)
        require(ok, f"{name} is {value:g}", where, f"{name} {'> 0' if name in positive else '>= 0'}")
    if isinstance(p, ShortTermPlasticity):
        require(p.U <= 1, f"U is {p.U:g}", where, "0 < U <= 1")
        return
    for value in _bounds(projection):
        require(
            0 <= value <= p.Wmax, f"a weight of {value:g} is outside [0, Wmax]", where, f"weights from 0 to {p.Wmax:g}"
        )


def _bounds(projection: Projection) -> list[float]:
    """Return the smallest and largest weight; of a distribution with tails its mean."""
    weight = projection.weight
    if isinstance(projection.rule, ExplicitEdges):
        given = projection.rule.weight
        return [float(np.min(given)), float(np.max(given))] if given.size else []
    if isinstance(weight, Uniform):
        return [weight.low, weight.high]
    return [weight.value if isinstance(weight, Constant) else weight.mean]
