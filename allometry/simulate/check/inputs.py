"""Refusal of impossible inputs: rates, currents, waves, gates."""

from typing import Any

import numpy as np

from allometry.network import (
    CorrelatedInput,
    DCInput,
    Gate,
    Network,
    Periodic,
    Piecewise,
    PoissonInput,
    Rhythm,
    Sampled,
    SpikeListInput,
)
from allometry.network.neuron_model import CURRENT, arguments, receptor_called
from allometry.simulate.build.checks import finite, indices, known, real, require

_MOST_PASSES = 64
_MOST_SPARSE = 100.0


def _per_neuron(value: Any, size: int, name: str, where: str) -> np.ndarray:
    """Return numbers that are 0 or above: one, or one per neuron."""
    values = np.asarray(value if isinstance(value, np.ndarray) else real(value, name, where))
    require(values.shape in ((), (size,)), f"{name} has shape {values.shape}", where, f"one number, or {size}")
    finite(values, name, where)
    require(bool((values >= 0).all()), f"{name} is negative", where, f"{name} >= 0")
    return values


def _check_rhythm(rhythm: Any, where: str) -> None:
    require(isinstance(rhythm, Rhythm), f"a {type(rhythm).__name__} is no rhythm", where, "a Rhythm")
    for name in ("frequency_hz", "depth", "diffusion"):
        value = real(getattr(rhythm, name), name, where)
        finite(value, name, where)
        require(value >= 0, f"{name} of the rhythm is {value:g}", where, f"{name} >= 0")


def _check_wave(wave: Periodic, size: int, where: str) -> None:
    for name in ("amplitude", "phase"):
        value = np.asarray(getattr(wave, name))
        require(value.shape in ((), (size,)), f"{name} has shape {value.shape}", where, f"one number, or {size}")
        finite(value, name, where)


def check_gates(net: Network) -> None:
    """Refuse two gates of one population."""
    gated = [x.population for x in net.inputs if isinstance(x, Gate)]
    twice = sorted({name for name in gated if gated.count(name) > 1})
    require(not twice, f"several gates of {', '.join(twice)}", "inputs", "one Gate per population")


def _profile(value: Any, dt: float, where: str) -> Any:
    """Return the values of a profile, or what is given in place of one."""
    if isinstance(value, Sampled):
        require(
            value.step_ms >= dt * (1 - 1e-9),
            f"the profile has a step of {value.step_ms:g} ms, below the time step",
            where,
            f"at least dt = {dt:g} ms",
            "average the samples, or shorten dt_ms",
        )
    return value.values if isinstance(value, Piecewise | Sampled | Periodic) else value


def check_input(net: Network, x: Any, number: int) -> None:
    """Check input `number` of a network."""
    where = f"input {number} ({type(x).__name__} of {getattr(x, 'population', '?')})"
    require(
        isinstance(x, PoissonInput | CorrelatedInput | DCInput | SpikeListInput | Gate),
        f"{type(x).__name__} is not an input",
        where,
    )
    p = known(net, x.population, where)
    if isinstance(x, Gate):
        passes = _per_neuron(x.p, p.size, "p", where)
        require(
            float(passes.max(initial=0.0)) <= _MOST_PASSES, "a spike passes too often", where, f"p <= {_MOST_PASSES}"
        )
        return
    if getattr(x, "receptor", None) is not None:
        receptor_called(p.neuron.form("exact"), x.receptor, where)
    if isinstance(x, SpikeListInput):
        require(x.neurons.size == x.times_ms.size, "neurons and times_ms differ in length", where)
        weight = np.asarray(x.weight)
        require(weight.ndim == 0 or weight.size == x.neurons.size, "weight differs in length from neurons", where)
        indices(x.neurons, p.size, "neuron", where)
        finite(x.times_ms, "times_ms", where)
        finite(weight, "weight", where)
        require(bool((x.times_ms >= 0).all()), "an event is before time 0", where, "times >= 0 ms")
        return
    for name in ("start_ms", "stop_ms"):
        real(getattr(x, name), name, where)
    require(x.start_ms >= 0 and x.stop_ms >= x.start_ms, "stop_ms is before start_ms, or start_ms below 0", where)
    if isinstance(x, DCInput):
        if isinstance(x.amplitude, Periodic):
            _check_wave(x.amplitude, p.size, where)
        amplitude = np.asarray(_profile(x.amplitude, net.dt_ms, where))
        finite(amplitude, "amplitude", where)
        # Of a profile in time the first axis is time.
        shape = amplitude.shape[1:] if isinstance(x.amplitude, Piecewise | Sampled | Periodic) else amplitude.shape
        require(
            shape in ((), (p.size,)), f"amplitude differs in length from population: {shape}, not ({p.size},)", where
        )
        model = type(p.neuron)
        require(CURRENT in arguments(model), f"{model.__name__} has no current input", where, "kicks of V")
        return
    real(x.weight, "weight", where)
    rhythm = getattr(x, "rhythm", None)
    require(
        not isinstance(x.rate_hz, Periodic) and not (rhythm and isinstance(x.rate_hz, Piecewise | Sampled)),
        "rates cannot follow this profile" if rhythm is None else "the rates have a profile in time, and a rhythm",
        where,
        "a number, one per neuron, Piecewise or Sampled; with a rhythm the first two",
    )
    if rhythm is not None:
        _check_rhythm(rhythm, where)
    if isinstance(x.rate_hz, np.ndarray):
        rates = _per_neuron(x.rate_hz, p.size, "rate_hz", where)
    elif isinstance(x.rate_hz, Piecewise | Sampled):
        rates = _profile(x.rate_hz, net.dt_ms, where)
        require(
            rates.ndim == 1, f"a profile of rates has shape {rates.shape}", where, "one rate per time, for all neurons"
        )
    else:
        rates = np.array([real(x.rate_hz, "rate_hz", where)])
    bad = rates[~(np.isfinite(rates) & (rates >= 0))]
    require(not bad.size, f"the rate is {bad[:1].sum()} Hz", where, "rate >= 0")
    if isinstance(x, CorrelatedInput):
        c = real(x.correlation, "correlation", where)
        do = "" if c else "use a PoissonInput, whose trains are independent"
        require(0 < c <= 1, f"the correlation is {c:g}", where, "above 0, at most 1", do)
        rates = rates / c
    mean = float(rates.max()) * net.dt_ms * 1e-3 * (1.0 + rhythm.depth if rhythm else 1.0)
    if getattr(x, "sparse", False):
        require(
            mean <= _MOST_SPARSE, f"{mean:g} events per step and neuron", where, f"at most {_MOST_SPARSE:g} at rates per neuron",
            "drive such neurons by inputs with one rate each (neurons=...)",
        )  # fmt: skip
    require(mean <= 1000, f"{mean:g} events per step", where, "at most 1000", "use a current, or a shorter dt_ms")
    finite(x.weight, "weight", where)
    if x.neurons is not None:
        indices(x.neurons, p.size, "neuron", where)
        require(len(np.unique(x.neurons)) == x.neurons.size, "a neuron is listed twice", where)
