"""What a run says about itself: unit table, attributes, measurements, and its memory held against what is free."""

import logging
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from allometry.network import Condition, Network
from allometry.network.neuron_model import unit_of
from allometry.network.rate_unit import INTEGRATIONS
from allometry.network.recording import Record
from allometry.network.serialise import to_dict
from allometry.simulate.build.engine import AnyPlan
from allometry.simulate.build.estimate import Estimate, check_fits, duration
from allometry.simulate.build.fixedpoint import EXACT_QUANTUM
from allometry.simulate.build.memory import free_memory
from allometry.simulate.build.plan.network import LONGEST_SINGLE, Plan
from allometry.simulate.build.rates.plan import RatePlan
from allometry.simulate.build.timing import rounded_times
from allometry.simulate.distribute.clusters.placement import Placement, workers
from allometry.simulate.distribute.setting import Setting

_LOG = logging.getLogger("allometry")


def unit_table(net: Network, record: Record | None = None) -> pd.DataFrame:
    """Return the table of units of a network: label, population, and where only some spikes are recorded whose."""
    labels: list[str] = []
    populations: list[str] = []
    for p in net.populations:
        labels += p.labels or [f"{p.name}_{i}" for i in range(p.size)]
        populations += [p.name] * p.size
    if len(set(labels)) < len(labels):
        labels = [f"{p}:{label}" for p, label in zip(populations, labels)]
    table = pd.DataFrame({"population": populations}, index=pd.Index(labels, name="unit"))
    if record is not None and record.spikes_of:
        table["recorded"] = record.recorded(net)
    return table


def attributes(
    plan: AnyPlan,
    described: Mapping[str, Any],
    setting: Setting,
    condition: Condition | None,
    extra: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the root attributes of the store: all that determines the spikes, nothing about how they were computed.

    `described` is the network without the condition, as `to_dict(digest=True)` gives it.
    """
    net = plan.network
    varied: dict[str, Any] = {} if condition is None else {"condition": to_dict(condition, digest=True)}
    if setting.first:
        varied["continues"] = {"content_sha256": setting.origin, "from_ms": setting.first * net.dt_ms}
    return {
        "title": net.title,
        "species": "none (model)",
        "citation": "none",
        "licence": "none",
        "source": {},
        "seed": plan.seed,
        "parameters": {
            **net.parameters,
            "precision": plan.precision,
            "record": to_dict(setting.record, digest=True),
            "network": dict(described),
            **varied,
        },
        "derived": _derived(plan),
        **(extra or {}),
    }


def _derived(plan: AnyPlan) -> dict[str, Any]:
    if isinstance(plan, RatePlan):
        times = rounded_times(plan.network)
        return {
            "state": "float64, whichever the precision",
            "time": "beginning of the step",
            "integration": {u.name: INTEGRATIONS[u.model.integration] for u in plan.units},
            **({"times_rounded": times} if times else {}),
        }
    return {
        "weight_quantum": {n.name: n.quantum.value for n in plan.neurons},
        "weight_rounding_error": plan.rounding_error,
        "spike_step": "end of the step in which the threshold was crossed",
        **_unusual(plan),
    }


def _unusual(plan: Plan) -> dict[str, Any]:
    """Return what is to be known of a run, and does not hold for most."""
    out: dict[str, Any] = {}
    units = {p.name: unit_of(p.neuron) for p in plan.network.populations}
    finer = {
        n.name: f"2^{math.log2(n.quantum.value):.0f} {units[n.name]}; weights change by up to {n.quantum.relative:.2g} of the "
        "mean |weight| of their projection"
        for n in plan.neurons
        if plan.precision == "exact" and n.quantum.value != EXACT_QUANTUM[units[n.name]]
    }
    if finer:
        out["weights_rounded_to"] = finer
    if plan.precision == "fast" and plan.slow:
        out["state"] = f"float64: a time constant of population {plan.slow} is longer than {LONGEST_SINGLE} steps"
    if times := rounded_times(plan.network):
        out["times_rounded"] = times
    return out


def check_memory(client: Any, placed: Placement, need: Estimate, limit_gib: float | None) -> None:
    """Refuse a run that does not fit into what is free on its hosts, or into `limit_gib`."""
    used = sorted(set(placed.workers))
    free = client.run(free_memory, workers=used)
    info = workers(client)
    hosts = {address: str(info[address]["host"]) for address in used}
    available: dict[str, int] = {}
    counts: dict[str, int] = {}
    for address in placed.workers:
        host = hosts[address]
        available[host] = min(available.get(host, free[address]), free[address])
        counts[host] = 1 if placed.in_process else counts.get(host, 0) + 1
    if limit_gib is not None:
        available = {host: min(free_bytes, int(limit_gib * 2**30)) for host, free_bytes in available.items()}
    check_fits(need, available, counts)


def measurements(measured: list[dict[str, float]], threads: int, wall_s: float) -> dict[str, Any]:
    """Return what the partitions measured, for the provenance of the store."""
    processes = {m["process"]: m["peak_rss_bytes"] for m in measured}
    return {
        "partitions": len(measured),
        "threads": threads,
        "synapses": int(sum(m["synapses"] for m in measured)),
        "synaptic_events": int(sum(m["events"] for m in measured)),
        "compile_s": max(m["compile_s"] for m in measured),
        "build_s": max(m["build_s"] for m in measured),
        "sim_s": max(m["sim_s"] for m in measured),
        "recording_s": max(m["recording_s"] for m in measured),
        "checkpoint_s": max(m["checkpoint_s"] for m in measured),
        "checkpoints": int(max(m["checkpoints"] for m in measured)),
        "steps": int(max(m["steps"] for m in measured)),
        "wall_s": wall_s,
        "peak_rss_bytes": int(sum(processes.values())),
    }


def report(name: str, measured: list[dict[str, float]], duration_ms: float, made: str) -> None:
    """Log what was done, `made` in words, and how long it took."""
    sim = max(m["sim_s"] for m in measured)
    _LOG.info(
        "%s%s; compilation %s, build %s, simulation %s (%.2f s per simulated s)",
        name,
        made,
        duration(max(m["compile_s"] for m in measured)),
        duration(max(m["build_s"] for m in measured)),
        duration(sim),
        sim / (duration_ms * 1e-3),
    )
