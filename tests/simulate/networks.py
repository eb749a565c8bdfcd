"""Hypothesis strategies: small random networks of every rule, neuron model and input."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from allometry.network import (
    ConnectomeLif,
    CorrelatedInput,
    DCInput,
    ExplicitEdges,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    IafPscDelta,
    IafPscExp,
    Lognormal,
    Network,
    Normal,
    OneToOne,
    PairwiseBernoulli,
    Piecewise,
    PoissonInput,
    Population,
    Projection,
    Sampled,
    SpikeListInput,
    Uniform,
)

DT = 0.1
# Resting potential 0 throughout: the oracle keeps absolute voltages, whose rounding would differ otherwise.
NEURONS = [
    IafPscExp(C_m=250.0, tau_m=10.0, tau_syn_ex=0.5, tau_syn_in=0.5, E_L=0.0, V_reset=0.0, V_th=15.0, t_ref=2.0),
    IafPscExp(C_m=200.0, tau_m=12.0, tau_syn_ex=0.7, tau_syn_in=2.3, E_L=0.0, V_reset=-3.0, V_th=14.0, t_ref=0.0),
    IafPscDelta(C_m=250.0, tau_m=20.0, E_L=0.0, V_reset=5.0, V_th=20.0, t_ref=0.5),
    ConnectomeLif(tau_m=20.0, tau_syn=5.0, E_L=0.0, V_reset=0.0, V_th=7.0, t_ref=2.2),
]


def _scale(neuron: Any) -> float:
    """A weight that matters: pA, or mV."""
    return 300.0 if isinstance(neuron, IafPscExp) else 3.0


@st.composite
def _weight(draw: st.DrawFn, scale: float) -> Any:
    mean = draw(st.sampled_from([scale, -scale, 0.3 * scale]))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return mean
    if kind == 3:
        return Uniform(mean - scale, mean + 0.5 * scale)
    return Normal(mean, 0.4 * abs(mean)) if kind == 1 else Lognormal(mean, 0.3 * abs(mean))


@st.composite
def _projection(draw: st.DrawFn, source: Population, target: Population) -> Projection:
    scale = _scale(target.neuron)
    delay: Any = draw(st.sampled_from([0.1, 0.2, 1.5, 30.0, Normal(1.5, 0.75), Normal(0.3, 0.3)]))
    delay = draw(st.sampled_from([delay, Uniform(0.05, 2.0), Lognormal(1.2, 0.8)]))
    rule = draw(st.integers(0, 6))
    if rule == 3:
        count = draw(st.integers(0, 60))
        random = np.random.default_rng(draw(st.integers(0, 1000)))
        pairs = random.integers(0, source.size, count), random.integers(0, target.size, count)
        weight = random.normal(scale, scale, count)
        return Projection(source.name, target.name, ExplicitEdges(*pairs, weight, 0.1 * random.integers(1, 300, count)))
    if rule == 0:
        kind: Any = FixedTotalNumber(draw(st.integers(0, 400)))
    elif rule == 1:
        alone = source.name == target.name and source.size == 1
        kind = FixedIndegree(draw(st.integers(0, 12)), autapses=alone or draw(st.booleans()))
    elif rule == 4:
        kind = FixedOutdegree(draw(st.integers(0, min(12, target.size))), multapses=draw(st.booleans()))
    elif rule == 5:
        kind = FixedIndegree(draw(st.integers(0, min(12, source.size))), multapses=False)
    elif rule == 6 and source.size == target.size:
        kind = OneToOne()
    else:
        kind = PairwiseBernoulli(draw(st.sampled_from([0.0, 0.1, 0.6, 1.0])), autapses=draw(st.booleans()))
    return Projection(source.name, target.name, kind, draw(_weight(scale)), delay)


@st.composite
def _input(draw: st.DrawFn, population: Population) -> Any:
    scale, size = _scale(population.neuron), population.size
    kinds = ["poisson", "list"] + ([] if isinstance(population.neuron, ConnectomeLif) else ["dc"])
    kind = draw(st.sampled_from(kinds))
    start = draw(st.sampled_from([0.0, 3.0]))
    if kind == "dc":
        amplitude = draw(st.sampled_from([400.0, 2000.0]))
        several = draw(st.booleans())
        value = amplitude * np.linspace(0.5, 1.5, size) if several else amplitude
        if draw(st.booleans()):
            course = np.outer([1.0, 0.0, 1.2, -0.5], value) if several else np.array([1.0, 0.0, 1.2, -0.5]) * value
            value = draw(st.sampled_from([Piecewise([0.0, 2.0, 5.04, 20.0], course), Sampled(course, 1.3, 2.0)]))
        return DCInput(population.name, value, start, draw(st.sampled_from([12.0, float("inf")])))
    chosen = None if draw(st.booleans()) else np.arange(0, size, 2)
    if kind == "poisson":
        # From silent to saturated.
        rate: Any = draw(st.sampled_from([0.0, 100.0, 8000.0, 60000.0]))
        if draw(st.booleans()):
            values = np.array([0.0, rate, 2.0 * rate, 500.0, rate])
            rate = draw(
                st.sampled_from(
                    [Piecewise([0.5, 3.7, 6.0, 6.02, 14.0], values), Sampled(values, 0.3), Sampled(values, 2.5, 4.0)]
                )
            )
        if draw(st.booleans()):
            weight = draw(st.sampled_from([0.5, -0.5, 2.0])) * scale
            return CorrelatedInput(population.name, rate, draw(st.sampled_from([0.2, 1.0])), weight, chosen, start)
        return PoissonInput(population.name, rate, draw(st.sampled_from([0.5, -0.5, 2.0])) * scale, chosen, start)
    count = draw(st.integers(0, 40))
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    when = np.round(0.1 * random.integers(0, 300, count), 6)
    return SpikeListInput(population.name, random.integers(0, size, count), when, random.normal(scale, scale, count))


@st.composite
def networks(draw: st.DrawFn) -> Network:
    populations = []
    for name in "ABC"[: draw(st.integers(1, 3))]:
        size = draw(st.integers(1, 24))
        high = {0.0: 14.0}
        neuron = draw(st.sampled_from(NEURONS))
        low = 0.0
        populations.append(Population(name, size, neuron, np.linspace(low, min(high[0.0], neuron.V_th - 0.5), size)))
    pairs = [(a, b) for a in populations for b in populations]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=0, max_size=5))
    projections = [draw(_projection(a, b)) for a, b in chosen]
    driven = draw(st.lists(st.sampled_from(populations), min_size=1, max_size=3))
    return Network(tuple(populations), tuple(projections), tuple(draw(_input(p)) for p in driven), dt_ms=DT)
