"""Refusal of impossible networks before anything is built: every check names the population, projection or input."""

import dataclasses
import math
from typing import Any

import numpy as np

from allometry.errors import SimulationError
from allometry.network import (
    STDP,
    Condition,
    Network,
    Population,
)
from allometry.network.neuron_model import GAP, arguments, is_distribution
from allometry.network.rate_unit import is_rate
from allometry.network.recording import Probe, Record, grouped
from allometry.simulate.build.checks import finite, indices, known, real, require, whole
from allometry.simulate.build.plan.neurons import check_initial, check_model
from allometry.simulate.check.inputs import check_gates, check_input
from allometry.simulate.check.projections import check_projection, check_space
from allometry.simulate.check.rates import check_rate_record, check_rates

MAX_NEURONS = 2**31 - 1


def check_network(net: Network) -> None:
    """Check that a network can be built and simulated.

    Raises
    ------
    SimulationError
        For the first thing that is impossible.
    """
    dt = real(net.dt_ms, "dt_ms", "network")
    require(dt > 0 and math.isfinite(dt), f"dt_ms is {net.dt_ms}", "network", "a positive time step")
    require(len(net.populations) > 0, "the network has no populations", "network")
    names = [p.name for p in net.populations]
    twice = sorted({n for n in names if names.count(n) > 1})
    require(not twice, f"population names are not unique: {', '.join(twice)}", "network")
    for p in net.populations:
        whole(p.size, "size", f"population {p.name}")
    require(net.size <= MAX_NEURONS, f"{net.size} neurons", "network", f"at most {MAX_NEURONS}")
    if is_rate(net):
        check_rates(net)
        return
    require(not net.readouts, "spiking neurons have readouts", "readouts", "rate units")
    for p in net.populations:
        _check_population(p, net.dt_ms)
    check_space(net)
    for number, projection in enumerate(net.projections):
        check_projection(net, projection, number)
    for number, x in enumerate(net.inputs):
        check_input(net, x, number)
    check_gates(net)
    for number, gap in enumerate(net.gap_junctions):
        where = f"gap junctions {number} ({gap.population})"
        p = known(net, gap.population, where)
        joined = GAP in arguments(type(p.neuron))
        require(joined, f"gap junctions cannot join {type(p.neuron).__name__} neurons", where, "ConnectomeLif neurons")
        require(
            gap.source.size == gap.target.size == gap.weight.size, "source, target and weight differ in length", where
        )
        indices(gap.source, p.size, "source", where)
        indices(gap.target, p.size, "target", where)
        finite(gap.weight, "weight", where)
        require(bool((gap.weight >= 0).all()), "a gap junction weight is negative", where, "weights >= 0")
        if gap.target.size:
            total = float(np.bincount(gap.target, gap.weight).max())
            tau = float(np.min(p.neuron.tau_m))  # type: ignore[attr-defined]
            require(
                net.dt_ms * (1 + total) / tau < 1,
                f"gap junctions of total weight {total:g} onto one neuron are unstable at dt {net.dt_ms:g} ms",
                where,
                f"total weight below {tau / net.dt_ms - 1:g}",
                "shorten dt_ms or weaken the gap junctions",
            )


def _check_population(p: Population, dt: float) -> None:
    where = f"population {p.name}"
    require(p.size >= 1, f"size is {p.size}", where, "at least one neuron")
    check_model(p, dt)
    check_initial(p)
    if p.labels is not None:
        require(len(p.labels) == p.size, f"{len(p.labels)} labels for {p.size} neurons", where)


def check_seed(seed: int, precision: str, where: str) -> None:
    """Check the seed and the precision that something is drawn with."""
    require(0 <= whole(seed, "seed", where) < 2**63, f"seed is {seed}", where, "0 to 2^63 - 1")
    require(precision in ("fast", "exact"), f"precision is {precision!r}", where, "fast or exact")


def _check_single(p: Population) -> None:
    m: Any = p.neuron
    if not all(hasattr(m, name) for name in ("V_reset", "V_th", "E_L")):
        return
    if any(is_distribution(getattr(m, name)) for name in ("V_reset", "V_th", "E_L")):
        return
    reset, threshold = np.float32(m.V_reset - m.E_L), np.float32(m.V_th - m.E_L)
    require(
        bool((reset < threshold).all()),
        f"V_reset {m.V_reset!r} and V_th {m.V_th!r} mV are the same number in single precision",
        f"population {p.name}",
        "a difference that float32 resolves",
        "use precision='exact'",
    )


def check_condition(net: Network, condition: Condition) -> None:
    """Check what a condition makes of a network that is itself in order.

    Raises
    ------
    SimulationError
        Naming the condition.
    """
    applied = condition.applied(net)
    changed = tuple(p for p, q in zip(applied.projections, net.projections) if p is not q)
    try:
        # gains of rate units name projections, changed or not
        check_network(applied if is_rate(net) else dataclasses.replace(applied, projections=changed, gap_junctions=()))
    except SimulationError as error:
        where = f"condition {condition.name}: {error.where}"
        raise SimulationError(error.what, where=where, expected=error.expected, do=error.do) from None


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
    steps = real(duration_ms, "duration_ms", where) / net.dt_ms
    require(
        math.isfinite(steps) and 0.5 <= steps < 2**31 - 1,
        f"duration_ms is {duration_ms}",
        where,
        f"at least one step of {net.dt_ms:g} ms",
    )
    require(
        abs(steps - round(steps)) < 1e-6 * max(1.0, steps),
        f"duration_ms is {duration_ms}",
        where,
        f"whole steps of {net.dt_ms:g} ms",
        f"use {round(steps) * net.dt_ms:g}",
    )
    check_seed(seed, precision, where)
    require(
        partitions <= net.size,
        f"partitions is {partitions}",
        where,
        f"at most one per neuron: {net.size}",
        "as many partitions as the run has workers are enough",
    )
    if is_rate(net):
        check_rate_record(net, record)
        return
    require(record.sample_ms is None, f"sample_ms is {record.sample_ms}", where, "None: only rate units have it")
    if precision == "fast":
        for p in net.populations:
            _check_single(p)
    if net.gap_junctions:
        require(partitions == 1, "gap junctions join voltages at every step", where, "partitions=1", "use threads")
    if record.counts_ms is not None:
        bins = real(record.counts_ms, "counts_ms", where) / net.dt_ms
        require(
            math.isfinite(bins) and bins > 0.5 and abs(bins - round(bins)) < 1e-6,
            f"counts_ms is {record.counts_ms}",
            where,
            "whole steps",
        )
    for name, chosen in record.spikes_of.items():
        place = f"spikes_of[{name!r}]"
        p = known(net, name, place)
        if isinstance(chosen, float):
            require(0 <= chosen <= 1, f"the fraction is {chosen:g}", place, "0 to 1; several neurons as a list")
        else:
            indices(chosen, p.size, "neuron", place)
    _check_weights(net, record)
    for number, probe in enumerate(record.probes):
        _check_probe(net, probe, precision, f"probe {number} ({probe.variable} of {probe.population})")
    for (variable, every), members in grouped(record.probes, net.dt_ms).items():
        units = np.concatenate([net.offsets[p.population] + p.neurons for p in members])
        twice = len(np.unique(units)) < len(units)
        require(not twice, "a neuron is probed twice", f"probes of {variable}, every {every * net.dt_ms:g} ms")


def _check_weights(net: Network, record: Record) -> None:
    for number, probe in enumerate(record.weights):
        where = f"weight probe {number}"
        k = whole(probe.projection, "projection", where)
        require(
            0 <= k < len(net.projections), f"projection {k} does not exist", where, f"0 to {len(net.projections) - 1}"
        )
        learns = isinstance(net.projections[k].plasticity, STDP)
        require(learns, f"the weights of projection {k} do not change", where, "a projection with STDP")
        steps = real(probe.interval_ms, "interval_ms", where) / net.dt_ms
        good = math.isfinite(steps) and steps > 0.5 and abs(steps - round(steps)) < 1e-6
        require(good, f"interval_ms is {probe.interval_ms}", where, f"whole steps of {net.dt_ms:g} ms")
    chosen = [probe.projection for probe in record.weights]
    require(len(set(chosen)) == len(chosen), "a projection is recorded twice", "weight probes")


def _check_probe(net: Network, probe: Probe, precision: str, where: str) -> None:
    p = known(net, probe.population, where)
    indices(probe.neurons, p.size, "neuron", where)
    steps = real(probe.interval_ms, "interval_ms", where) / net.dt_ms
    whole_steps = math.isfinite(steps) and steps > 0.5 and abs(steps - round(steps)) < 1e-6
    require(whole_steps, f"interval_ms is {probe.interval_ms}", where, f"whole steps of {net.dt_ms:g} ms")
    names = [s.name for s in p.neuron.form(precision).states]
    require(
        probe.variable in names,
        f"{type(p.neuron).__name__} has no state variable {probe.variable!r} in precision {precision!r}",
        where,
        f"one of {', '.join(names)}",
    )
