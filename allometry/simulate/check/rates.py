"""Refusal of impossible networks of rate units, and of records that they cannot have."""

import math
from typing import Any

import numpy as np

from allometry.network import (
    DCInput,
    Dense,
    ExplicitEdges,
    LowRank,
    Network,
    PatternInput,
    Periodic,
    Piecewise,
    Projection,
    ProjectionGain,
    RateUnit,
    Sampled,
    StateReset,
    TaskSignal,
)
from allometry.network.recording import Record, grouped
from allometry.simulate.build.checks import finite, indices, known, real, require
from allometry.simulate.build.plan.neurons import check_initial, check_model

VARIABLES = ("rate", "x")
"""What of a rate unit can be recorded."""


def check_rates(net: Network) -> None:
    """Check that a network of rate units can be built and simulated.

    Raises
    ------
    SimulationError
        For the first thing that is impossible.
    """
    spiking = [p.name for p in net.populations if not isinstance(p.neuron, RateUnit)]
    require(
        not spiking,
        f"rate units and spiking neurons ({', '.join(spiking)}) are in one network",
        "network",
        "a network of one kind",
    )
    for p in net.populations:
        where = f"population {p.name}"
        require(p.size >= 1, f"size is {p.size}", where, "at least one unit")
        check_model(p, net.dt_ms)
        check_initial(p)
        require(p.positions is None, "positions are given", where, "none: weights of rate units are given, not drawn")
        if p.labels is not None:
            require(len(p.labels) == p.size, f"{len(p.labels)} labels for {p.size} units", where)
    ways = {p.neuron.integration for p in net.populations if isinstance(p.neuron, RateUnit)}
    require(
        "exact" not in ways or len(ways) == 1,
        f"populations are integrated as {', '.join(sorted(ways))}",
        "network",
        "exact for all populations, or for none",
    )
    require(not net.gap_junctions, "gap junctions join rate units", "gap junctions", "spiking neurons")
    for number, projection in enumerate(net.projections):
        _check_projection(net, projection, number)
    names = [p.name for p in net.projections if p.name is not None]
    _unique(names, "projections")
    for number, x in enumerate(net.inputs):
        _check_input(net, x, number)
    _unique([x.projection for x in net.inputs if isinstance(x, ProjectionGain)], "gains of projections")
    _unique([x.name for x in net.inputs if x.name is not None], "inputs")
    _unique([readout.name for readout in net.readouts], "readouts")
    for readout in net.readouts:
        where = f"readout {readout.name}"
        p = known(net, readout.population, where)
        _shape(readout.weight, (p.size, None), "weight", where)
        require(
            readout.variable in VARIABLES,
            f"a rate unit has no variable {readout.variable!r}",
            where,
            f"one of {', '.join(VARIABLES)}",
        )


def _unique(names: list[str], what: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    require(not twice, f"several {what} are named {', '.join(twice)}", "network", "a name each")


def _shape(values: np.ndarray, wanted: tuple[int | None, ...], name: str, where: str) -> None:
    """Refuse an array of another shape, None standing for any length above 0, and one that is not finite."""
    fits = values.ndim == len(wanted) and all(n > 0 if w is None else n == w for n, w in zip(values.shape, wanted))
    words = " x ".join("any" if w is None else str(w) for w in wanted)
    require(fits, f"{name} has shape {' x '.join(map(str, values.shape)) or 'of a number'}", where, words)
    finite(values, name, where)


def _check_projection(net: Network, projection: Projection, number: int) -> None:
    where = f"projection {number} ({projection.source} -> {projection.target})"
    source, target = known(net, projection.source, where), known(net, projection.target, where)
    rule = projection.rule
    given = [
        name
        for name in ("weight", "delay", "receptor", "plasticity", "repeat_delay", "indegree_norm")
        if getattr(projection, name) is not None
    ] + ["redrawn"] * bool(projection.redrawn)
    require(not given, f"{', '.join(given)} is given", where, "None between rate units: the rule has the weights")
    if isinstance(rule, Dense):
        _shape(rule.weight, (target.size, source.size), "weight", where)
    elif isinstance(rule, LowRank):
        _shape(rule.m, (target.size, None), "m", where)
        _shape(rule.n, (source.size, None), "n", where)
        require(
            rule.m.shape[1] == rule.n.shape[1], f"m has rank {rule.m.shape[1]}, n {rule.n.shape[1]}", where, "one rank"
        )
        most = min(source.size, target.size)
        require(
            rule.rank <= most,
            f"the rank {rule.rank} is above the size",
            where,
            f"at most {most}, the smaller of both populations",
            "lower the rank, or give the weights as Dense",
        )
    elif isinstance(rule, ExplicitEdges):
        lengths = {rule.source.size, rule.target.size, rule.weight.size}
        require(len(lengths) == 1, "source, target and weight differ in length", where)
        indices(rule.source, source.size, "source", where)
        indices(rule.target, target.size, "target", where)
        finite(rule.weight, "weight", where)
        require(not np.any(rule.delay), "edges have delays", where, "0: rate units act without delay")
    else:
        require(
            False, f"{type(rule).__name__} draws synapses of spiking neurons", where, "Dense, LowRank or ExplicitEdges"
        )


def _check_input(net: Network, x: object, number: int) -> None:
    where = f"input {number} ({type(x).__name__})"
    require(
        isinstance(x, DCInput | PatternInput | StateReset | ProjectionGain | TaskSignal),
        f"rate units have no {type(x).__name__}",
        where,
        "DCInput, PatternInput, StateReset, ProjectionGain or TaskSignal",
    )
    if isinstance(x, TaskSignal):
        require(isinstance(x.name, str) and bool(x.name), "the signal has no name", where, "a name")
        _check_course(x.signal, _width(x.signal), "signal", net.dt_ms, where)
        return
    if isinstance(x, ProjectionGain):
        _check_gain(net, x, where)
        return
    assert isinstance(x, DCInput | PatternInput | StateReset)
    p = known(net, x.population, where)
    if isinstance(x, StateReset):
        times = x.times_ms
        finite(times, "times_ms", where)
        rising = bool((times >= 0).all() and (np.diff(times) > 0).all())
        require(rising, "the times do not rise, or begin before 0", where, "rising times, ms")
        fits = x.values.shape in ((), (p.size,), (times.size, p.size))
        require(fits, f"values have shape {x.values.shape}", where, f"one number, {p.size}, or {times.size} x {p.size}")
        finite(x.values, "values", where)
        return
    for name in ("start_ms", "stop_ms"):
        real(getattr(x, name), name, where)
    require(x.start_ms >= 0 and x.stop_ms >= x.start_ms, "stop_ms is before start_ms, or start_ms below 0", where)
    if isinstance(x, PatternInput):
        _shape(x.pattern, (p.size, None), "pattern", where)
        _check_course(x.signal, x.pattern.shape[1], "signal", net.dt_ms, where)
        return
    require(
        not isinstance(x.amplitude, Periodic),
        "rate units have no current in waves",
        where,
        "a number, an array, Piecewise or Sampled",
        "give the wave as Sampled, or as the signal of a PatternInput",
    )
    _check_course(x.amplitude, p.size, "amplitude", net.dt_ms, where)  # type: ignore[arg-type]


def _width(given: Any) -> int:
    """Number of channels of a signal."""
    values = given.values if isinstance(given, Piecewise | Sampled) else np.asarray(given)[None]
    return int(values.shape[1]) if values.ndim == 2 else 1


def _check_gain(net: Network, x: ProjectionGain, where: str) -> None:
    found = [p for p in net.projections if p.name is not None and p.name == x.projection]
    names = [p.name for p in net.projections if p.name is not None]
    require(
        len(found) > 0,
        f"no projection is named {x.projection!r}",
        where,
        f"one of {', '.join(names)}" if names else "a projection with a name",
    )
    rule = found[0].rule
    _check_course(x.gain, rule.rank if isinstance(rule, LowRank) else 1, "gain", net.dt_ms, where)


def _check_course(
    given: float | np.ndarray | Piecewise | Sampled, width: int, name: str, dt: float, where: str
) -> None:
    """Refuse what is no course of one or `width` numbers."""
    if isinstance(given, Sampled):
        require(
            given.step_ms >= dt * (1 - 1e-9),
            f"the profile has a step of {given.step_ms:g} ms, below the time step",
            where,
            f"at least dt = {dt:g} ms",
            "average the samples, or shorten dt_ms",
        )
    profile = isinstance(given, Piecewise | Sampled)
    values = np.asarray(given.values if isinstance(given, Piecewise | Sampled) else given, np.float64)
    finite(values, name, where)
    shape = values.shape[1:] if profile else values.shape
    each = f"{'[time] or [time, ' if profile else 'one number, or ['}{width}]"
    require(shape in ((), (width,)), f"{name} has shape {values.shape}", where, each)


def check_rate_record(net: Network, record: Record) -> None:
    """Check what a run of rate units records."""
    where = "record"
    asked = [
        name for name, value in (("counts_ms", record.counts_ms is not None), ("spikes_of", record.spikes_of),
                                 ("weights", record.weights)) if value
    ]  # fmt: skip
    require(not asked, f"{', '.join(asked)} is asked for", where, "probes: rate units have no spikes")
    if record.sample_ms is not None:
        require(not record.probes, "sample_ms is given beside probes", where, "one of both: probes have an interval")
        _steps(record.sample_ms, "sample_ms", net.dt_ms, where)
    for number, probe in enumerate(record.probes):
        place = f"probe {number} ({probe.variable} of {probe.population})"
        p = known(net, probe.population, place)
        indices(probe.neurons, p.size, "unit", place)
        _steps(probe.interval_ms, "interval_ms", net.dt_ms, place)
        require(
            probe.variable in VARIABLES,
            f"a rate unit has no variable {probe.variable!r}",
            place,
            f"one of {', '.join(VARIABLES)}",
        )
    groups = grouped(record.probes, net.dt_ms)
    said = ", ".join(f"{variable} every {every * net.dt_ms:g} ms" for variable, every in groups)
    require(
        len(groups) <= 1,
        f"the probes record {said}",
        where,
        "one variable at one interval, as a store of traces has it",
    )
    for members in groups.values():
        units = np.concatenate([net.offsets[p.population] + p.neurons for p in members])
        require(len(np.unique(units)) == len(units), "a unit is probed twice", where)


def _steps(value: object, name: str, dt: float, where: str) -> None:
    steps = real(value, name, where) / dt
    good = math.isfinite(steps) and steps > 0.5 and abs(steps - round(steps)) < 1e-6 * max(1.0, steps)
    require(good, f"{name} is {value}", where, f"whole steps of {dt:g} ms")
