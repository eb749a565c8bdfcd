"""Refusal of impossible networks before anything is built: every check names the population, projection or input."""

import math
from typing import Any

import numpy as np

from allometry.errors import SimulationError
from allometry.network import (
    ConnectomeLif,
    Constant,
    DCInput,
    ExplicitEdges,
    FixedIndegree,
    FixedTotalNumber,
    IafPscDelta,
    IafPscExp,
    Lognormal,
    Network,
    Normal,
    PairwiseBernoulli,
    PoissonInput,
    Population,
    Projection,
    SpikeListInput,
    Uniform,
    Values,
)
from allometry.network.recording import Record
from allometry.simulate.build.timing import delay_steps

MAX_NEURONS = 2**31 - 1
MAX_REF_STEPS = 2**15 - 1
# exp(dt / tau) has to be a number, and is one far beyond any use.
MAX_STEPS_PER_TAU = 200.0
MAX_SPREAD = 1e6


def _require(ok: bool, what: str, where: str, expected: str = "", do: str = "") -> None:
    if not ok:
        raise SimulationError(what, where=where, expected=expected, do=do)


def _number(value: Any, name: str, where: str) -> float:
    ok = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    _require(ok, f"{name} is {value!r}", where, "a number")
    return float(value)


def _whole(value: Any, name: str, where: str) -> int:
    ok = isinstance(value, int | np.integer) and not isinstance(value, bool)
    _require(ok, f"{name} is {value!r}", where, "a whole number")
    return int(value)


def _finite(value: Any, name: str, where: str) -> None:
    _require(bool(np.isfinite(np.asarray(value, np.float64)).all()), f"{name} is not finite", where)


def check_network(net: Network) -> None:
    """Check that a network can be built and simulated.

    Raises
    ------
    SimulationError
        For the first thing that is impossible.
    """
    dt = _number(net.dt_ms, "dt_ms", "network")
    _require(dt > 0 and math.isfinite(dt), f"dt_ms is {net.dt_ms}", "network", "a positive time step")
    _require(len(net.populations) > 0, "the network has no populations", "network")
    names = [p.name for p in net.populations]
    twice = sorted({n for n in names if names.count(n) > 1})
    _require(not twice, f"population names are not unique: {', '.join(twice)}", "network")
    for p in net.populations:
        _whole(p.size, "size", f"population {p.name}")
    _require(net.size <= MAX_NEURONS, f"{net.size} neurons", "network", f"at most {MAX_NEURONS}")
    for p in net.populations:
        _check_population(p, net.dt_ms)
    for number, projection in enumerate(net.projections):
        _check_projection(net, projection, number)
    for number, x in enumerate(net.inputs):
        _check_input(net, x, number)
    for number, gap in enumerate(net.gap_junctions):
        where = f"gap junctions {number} ({gap.population})"
        p = _known(net, gap.population, where)
        _require(isinstance(p.neuron, ConnectomeLif), "gap junctions join ConnectomeLif neurons only", where)
        _require(
            gap.source.size == gap.target.size == gap.weight.size, "source, target and weight differ in length", where
        )
        _indices(gap.source, p.size, "source", where)
        _indices(gap.target, p.size, "target", where)
        _finite(gap.weight, "weight", where)
        _require(bool((gap.weight >= 0).all()), "a gap junction weight is negative", where, "weights >= 0")
        if gap.target.size:
            total = float(np.bincount(gap.target, gap.weight).max())
            tau = p.neuron.tau_m
            _require(
                net.dt_ms * (1 + total) / tau < 1,
                f"gap junctions of total weight {total:g} onto one neuron are unstable at dt {net.dt_ms:g} ms",
                where,
                f"total weight below {tau / net.dt_ms - 1:g}",
                "shorten dt_ms or weaken the gap junctions",
            )


def _known(net: Network, name: str, where: str) -> Population:
    names = [p.name for p in net.populations]
    _require(name in names, f"unknown population {name!r}", where, f"one of {', '.join(names)}")
    return net.population(name)


def _check_population(p: Population, dt: float) -> None:
    where = f"population {p.name}"
    _require(p.size >= 1, f"size is {p.size}", where, "at least one neuron")
    m = p.neuron
    _require(isinstance(m, IafPscExp | IafPscDelta | ConnectomeLif), f"{type(m).__name__} is not a neuron model", where)
    positive = ["tau_m"] + (["C_m"] if not isinstance(m, ConnectomeLif) else ["tau_syn"])
    if isinstance(m, IafPscExp):
        positive += ["tau_syn_ex", "tau_syn_in"]
    for name in positive:
        value = _number(getattr(m, name), name, where)
        _require(value > 0 and math.isfinite(value), f"{name} is {value:g}", where, "a positive number")
        _require(
            name == "C_m" or dt <= MAX_STEPS_PER_TAU * value,
            f"{name} is {value:g} ms, far below the time step of {dt:g} ms",
            where,
            f"at least {dt / MAX_STEPS_PER_TAU:g} ms",
            "lengthen it, use IafPscDelta, or shorten dt_ms",
        )
    for name in ("E_L", "V_reset", "V_th", *([] if isinstance(m, ConnectomeLif) else ["I_e"])):
        _finite(_number(getattr(m, name), name, where), name, where)
    _require(m.V_reset < m.V_th, f"V_reset {m.V_reset:g} is not below V_th {m.V_th:g} mV", where)
    _require(
        np.ndim(m.t_ref) == 0 or isinstance(m, ConnectomeLif),
        "t_ref is an array",
        where,
        "one number; only ConnectomeLif takes one per neuron",
        "split the population",
    )
    t_ref = np.asarray(m.t_ref if np.ndim(m.t_ref) else _number(m.t_ref, "t_ref", where), np.float64)
    _finite(t_ref, "t_ref", where)
    _require(bool((t_ref >= 0).all()), "t_ref is negative", where, "t_ref >= 0 ms")
    _require(t_ref.ndim == 0 or t_ref.shape == (p.size,), "t_ref differs in length from the population", where)
    limit = MAX_REF_STEPS * dt
    _require(bool((t_ref <= limit).all()), f"t_ref is above {MAX_REF_STEPS} steps", where, f"at most {limit:g} ms")
    v = p.initial_v
    if isinstance(v, Values):
        _require(v.values.shape == (p.size,), "initial_v differs in length from the population", where)
        _finite(v.values, "initial_v", where)
    elif v is not None:
        _require(
            not isinstance(v, Lognormal), "initial_v cannot be lognormal", where, "a number, Normal, Uniform, array"
        )
        for value in vars(v).values():
            _finite(_number(value, "initial_v", where), "initial_v", where)
        if isinstance(v, Normal):
            _require(v.sd >= 0, f"the standard deviation of initial_v is {v.sd:g}", where, "sd >= 0")
        if isinstance(v, Uniform):
            _require(v.low <= v.high, f"initial_v is uniform from {v.low:g} to {v.high:g}", where, "low <= high")
    if p.labels is not None:
        _require(len(p.labels) == p.size, f"{len(p.labels)} labels for {p.size} neurons", where)


def _check_projection(net: Network, projection: Projection, number: int) -> None:
    where = f"projection {number} ({projection.source} -> {projection.target})"
    source, target = _known(net, projection.source, where), _known(net, projection.target, where)
    rule = projection.rule
    if isinstance(rule, ExplicitEdges):
        _require(
            projection.weight is None and projection.delay is None,
            "weight and delay are given twice",
            where,
            "None beside ExplicitEdges",
        )
        lengths = {rule.source.size, rule.target.size, rule.weight.size, rule.delay.size}
        _require(len(lengths) == 1, "source, target, weight and delay differ in length", where)
        _indices(rule.source, source.size, "source", where)
        _indices(rule.target, target.size, "target", where)
        _finite(rule.weight, "weight", where)
        if rule.delay.size:
            delay_steps(rule.delay, net.dt_ms, where)
        return
    if isinstance(rule, FixedTotalNumber | FixedIndegree):
        _require(_whole(rule.n, "n", where) >= 0, f"n is {rule.n}", where, "n >= 0")
    elif isinstance(rule, PairwiseBernoulli):
        _require(
            0 <= _number(rule.p, "connection probability", where) <= 1,
            f"connection probability is {rule.p}",
            where,
            "0 <= p <= 1",
        )
    else:
        _require(False, f"{type(rule).__name__} is not a connection rule", where)
    if isinstance(rule, FixedIndegree) and not rule.autapses and projection.source == projection.target:
        _require(source.size > 1 or rule.n == 0, "one neuron has no other neuron to receive input from", where)
    _check_weight(projection.weight, where)
    _check_delay(projection.delay, net.dt_ms, where)


def _check_weight(weight: Any, where: str) -> None:
    _require(
        isinstance(weight, Constant | Normal | Lognormal),
        "no weight is given" if weight is None else f"a weight cannot be {type(weight).__name__}",
        where,
        "a number, Normal or Lognormal",
    )
    for value in vars(weight).values():
        _finite(_number(value, "weight", where), "weight", where)
    if not isinstance(weight, Constant):
        _require(weight.sd >= 0, f"the weight's standard deviation is {weight.sd:g}", where, "sd >= 0")
        _require(
            weight.mean != 0, "the mean weight is 0, so that its sign is not defined", where, "a mean that is not 0"
        )
        _require(
            weight.sd <= MAX_SPREAD * abs(weight.mean),
            f"the weight's standard deviation of {weight.sd:g} is out of proportion to its mean of {weight.mean:g}",
            where,
            f"at most {MAX_SPREAD:g} times the mean",
        )


def _check_delay(delay: Any, dt: float, where: str) -> None:
    _require(
        isinstance(delay, Constant | Normal),
        "no delay is given" if delay is None else f"a delay cannot be {type(delay).__name__}",
        where,
        "a number or Normal, ms",
    )
    for value in vars(delay).values():
        _finite(_number(value, "delay", where), "delay", where)
    if isinstance(delay, Constant):
        delay_steps(np.array([delay.value]), dt, where)
        return
    _require(delay.mean >= dt * (1 - 1e-9), f"the mean delay is {delay.mean:g} ms", where, f"at least dt = {dt:g} ms")
    _require(delay.sd >= 0, f"the delay's standard deviation is {delay.sd:g}", where, "sd >= 0")
    _require(delay.mean + 5 * delay.sd <= 65535 * dt, "delays exceed 65535 steps", where)


def _indices(values: np.ndarray, size: int, name: str, where: str) -> None:
    if values.size:
        low, high = int(values.min()), int(values.max())
        bad = low if low < 0 else high
        _require(low >= 0 and high < size, f"{name} index {bad} is outside the population", where, f"0 to {size - 1}")


def _check_input(net: Network, x: Any, number: int) -> None:
    where = f"input {number} ({type(x).__name__} of {getattr(x, 'population', '?')})"
    _require(isinstance(x, PoissonInput | DCInput | SpikeListInput), f"{type(x).__name__} is not an input", where)
    p = _known(net, x.population, where)
    if isinstance(x, SpikeListInput):
        _require(x.neurons.size == x.times_ms.size, "neurons and times_ms differ in length", where)
        weight = np.asarray(x.weight)
        _require(weight.ndim == 0 or weight.size == x.neurons.size, "weight differs in length from neurons", where)
        _indices(x.neurons, p.size, "neuron", where)
        _finite(x.times_ms, "times_ms", where)
        _finite(weight, "weight", where)
        _require(bool((x.times_ms >= 0).all()), "an event is before time 0", where, "times >= 0 ms")
        return
    for name in ("start_ms", "stop_ms"):
        _number(getattr(x, name), name, where)
    _require(x.start_ms >= 0 and x.stop_ms >= x.start_ms, "stop_ms is before start_ms, or start_ms below 0", where)
    if isinstance(x, DCInput):
        _finite(x.amplitude, "amplitude", where)
        amplitude = np.asarray(x.amplitude)
        _require(
            amplitude.ndim == 0 or amplitude.shape == (p.size,), "amplitude differs in length from population", where
        )
        _require(not isinstance(p.neuron, ConnectomeLif), "ConnectomeLif has no current input", where, "kicks of V")
        return
    _number(x.rate_hz, "rate_hz", where)
    _number(x.weight, "weight", where)
    _require(math.isfinite(x.rate_hz) and x.rate_hz >= 0, f"the rate is {x.rate_hz} Hz", where, "rate >= 0")
    mean = x.rate_hz * net.dt_ms * 1e-3
    _require(mean <= 1000, f"{mean:g} events per step", where, "at most 1000", "use a current, or a shorter dt_ms")
    _finite(x.weight, "weight", where)
    if x.neurons is not None:
        _indices(x.neurons, p.size, "neuron", where)
        _require(len(np.unique(x.neurons)) == x.neurons.size, "a neuron is listed twice", where)


def check_run(
    net: Network,
    duration_ms: float,
    partitions: int,
    precision: str,
    record: Record,
    *,
    seed: int = 0,
) -> None:
    """Check the arguments of a run against its network."""
    where = "simulate.run"
    steps = _number(duration_ms, "duration_ms", where) / net.dt_ms
    _require(
        math.isfinite(steps) and 0.5 <= steps < 2**31 - 1,
        f"duration_ms is {duration_ms}",
        where,
        f"at least one step of {net.dt_ms:g} ms",
    )
    _require(
        abs(steps - round(steps)) < 1e-6 * max(1.0, steps),
        f"duration_ms is {duration_ms}",
        where,
        f"whole steps of {net.dt_ms:g} ms",
        f"use {round(steps) * net.dt_ms:g}",
    )
    _require(0 <= _whole(seed, "seed", where) < 2**63, f"seed is {seed}", where, "0 to 2^63 - 1")
    _require(
        partitions <= net.size,
        f"partitions is {partitions}",
        where,
        f"at most one per neuron: {net.size}",
        "as many partitions as the run has workers are enough",
    )
    _require(precision in ("fast", "exact"), f"precision is {precision!r}", where, "fast or exact")
    if precision == "fast":
        for p in net.populations:
            m = p.neuron
            _require(
                bool(np.float32(m.V_reset - m.E_L) < np.float32(m.V_th - m.E_L)),
                f"V_reset {m.V_reset!r} and V_th {m.V_th!r} mV are the same number in single precision",
                f"population {p.name}",
                "a difference that float32 resolves",
                "use precision='exact'",
            )
    if net.gap_junctions:
        _require(partitions == 1, "gap junctions join voltages at every step", where, "partitions=1", "use threads")
    if record.counts_ms is not None:
        bins = _number(record.counts_ms, "counts_ms", where) / net.dt_ms
        _require(
            math.isfinite(bins) and bins > 0.5 and abs(bins - round(bins)) < 1e-6,
            f"counts_ms is {record.counts_ms}",
            where,
            "whole steps",
        )
    seen: set[int] = set()
    offsets = net.offsets
    for number, probe in enumerate(record.voltage):
        place = f"voltage probe {number} ({probe.population})"
        p = _known(net, probe.population, place)
        _indices(probe.neurons, p.size, "neuron", place)
        steps = _number(probe.interval_ms, "interval_ms", place) / net.dt_ms
        _require(
            math.isfinite(steps) and steps > 0.5 and abs(steps - round(steps)) < 1e-6,
            f"interval_ms is {probe.interval_ms}",
            place,
            "steps",
        )
        same = round(steps) == round(record.voltage[0].interval_ms / net.dt_ms)
        _require(same, "voltage probes have different intervals", place, "one interval for all probes of a run")
        units = {offsets[p.name] + int(i) for i in probe.neurons}
        _require(len(units) == probe.neurons.size and not units & seen, "a neuron is probed twice", place)
        seen |= units
