"""What compiles and advances a network: that of spiking neurons, or that of rate units."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from allometry.network import Network
from allometry.network.rate_unit import is_rate
from allometry.network.recording import Record
from allometry.simulate.build import partition as spiking
from allometry.simulate.build.fixedpoint import GivenEdges, given_edges
from allometry.simulate.build.plan.network import Plan, compile_network
from allometry.simulate.build.rates import partition as rates
from allometry.simulate.build.rates.plan import RatePlan, compile_rates, one_connectivity
from allometry.simulate.build.rates.recording import chosen
from allometry.simulate.kernels.loop.wire import Mail

AnyPlan: TypeAlias = Plan | RatePlan
AnyPartition: TypeAlias = spiking.Partition | rates.RatePartition
MOST_TOGETHER = 64
"""Conditions of rate units that advance together at most."""


def known_edges(net: Network) -> GivenEdges:
    """Return what the plans of all conditions of a network share of its listed edges."""
    return {} if is_rate(net) else given_edges(net)


def compiled(
    net: Network, seed: int, precision: str, drive_seed: int | None = None, known: GivenEdges | None = None
) -> AnyPlan:
    """Turn a validated network into numbers; see `compile_network` and `compile_rates`."""
    if is_rate(net):
        return compile_rates(net, seed, precision, drive_seed)
    return compile_network(net, seed, precision, drive_seed, known)


def together(plans: Sequence[tuple[AnyPlan, np.ndarray]]) -> list[int]:
    """Return how many conditions advance together, group after group in their order.

    Spiking neurons are in one condition at a time; rate units in all that share a connectivity and silence the same units.
    """
    counts: list[int] = []
    for number, (plan, silenced) in enumerate(plans):
        if counts and isinstance(plan, RatePlan) and counts[-1] < MOST_TOGETHER:
            first, quiet = plans[number - counts[-1]]
            if isinstance(first, RatePlan) and one_connectivity([first, plan]) and np.array_equal(quiet, silenced):
                counts[-1] += 1
                continue
        counts.append(1)
    return counts


def room(plan: AnyPlan, count: int, threads: int, conditions: int) -> int:
    """Return the most words that one of `count` partitions sends at once."""
    if isinstance(plan, RatePlan):
        return rates.message_room(plan, count, conditions)
    return spiking.message_room(plan, count, threads)


def partition_of(
    plans: Sequence[AnyPlan],
    silenced: np.ndarray,
    number: int,
    count: int,
    threads: int,
    record: Record,
    mail: Mail,
    crowded: bool,
) -> AnyPartition:
    """Return partition `number` of `count` for conditions that advance together."""
    own: list[Any] = list(plans)
    if isinstance(own[0], RatePlan):
        asked = chosen(own[0].network, record)
        return rates.RatePartition(own, number, count, threads, asked, mail, crowded, silenced)
    return spiking.Partition(own[0], number, count, threads, record.probes, mail, crowded, silenced, record.weights)


def begin(partition: AnyPartition, plans: Sequence[AnyPlan], silenced: np.ndarray) -> None:
    """Bring a partition to time 0 of conditions that advance together; the first time it is built."""
    own: list[Any] = list(plans)
    if not partition.shards:
        partition.build()
    elif isinstance(partition, rates.RatePartition):
        partition.begin(own, silenced)
    else:
        partition.begin(own[0], silenced)
