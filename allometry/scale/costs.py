"""What the simulations of a study cost: wall time and memory, from the manifests of their stores.

Costs differ from one run to the next, so that they are no part of a store's content: they lie beside it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from allometry import stores
from allometry.scale.laws import Law, cost_law

UNITS = {
    "simulation_s": "wall s per biological s",
    "build_s": "wall s",
    "memory_gib": "GiB",
}
"""Costs and their units: time to simulate a second, time to build the network, peak memory of the processes."""


def cost_of(places: Sequence[str | Path]) -> dict[str, Any]:
    """Costs of one job: the mean over its conditions per simulated second, what is built once, and the peak.

    Parameters
    ----------
    places : sequence of path
        Its Spikes stores.

    Returns
    -------
    dict
        `UNITS`, and `threads`, `host`; empty where a manifest tells none of it.
    """
    found, seconds = [], []
    for path in places:
        manifest = stores.read_manifest(path)["provenance"]
        if "simulation" in manifest:
            found.append({**manifest["simulation"], "host": manifest["host"]})
            seconds.append(float(stores.open(path, check="none").attrs["duration_ms"]) / 1000)
    if not found:
        return {}
    return {
        "simulation_s": float(np.mean([one["sim_s"] / length for one, length in zip(found, seconds)])),
        "build_s": float(max(one["build_s"] for one in found)),
        "memory_gib": float(max(one["peak_rss_bytes"] for one in found) / 2**30),
        "threads": int(found[0]["partitions"] * found[0]["threads"]),
        "host": found[0]["host"],
    }


def cost_table(
    costs: Mapping[tuple[float, str], Sequence[Mapping[str, Any]]],
    neurons: Mapping[tuple[float, str], int],
    schemes: Sequence[str],
    reference: float,
) -> dict[str, Any]:
    """Costs of a study by scheme and size, each with its law.

    Parameters
    ----------
    costs : mapping of (size, scheme) to sequence of mapping
        One `cost_of` per seed.
    neurons : mapping of (size, scheme) to int
        Number of neurons.
    schemes : sequence of str
        Their order.
    reference : float
        Size whose number of neurons is the unit of the laws.

    Returns
    -------
    dict
        For JSON: `units`; `values` by scheme, cost and size, per seed; `laws` by scheme and cost; `machines` (host and
        threads); values of several machines or numbers of threads are not fitted together.
    """
    machines = sorted({(one["host"], one["threads"]) for by_seed in costs.values() for one in by_seed if one})
    values: dict[str, Any] = {}
    laws: dict[str, Any] = {}
    for scheme in schemes:
        sizes = [size for size, of in costs if of == scheme]
        values[scheme], laws[scheme] = {}, {}
        for cost in UNITS:
            by_size = {size: [one[cost] for one in costs[size, scheme] if one] for size in sizes}
            values[scheme][cost] = {f"{size:g}": found for size, found in by_size.items()}
            counts = [neurons[size, scheme] for size in sizes]
            if len(machines) > 1:
                law = Law("undetermined", reason="simulated on several machines or numbers of threads")
            else:
                law = cost_law(counts, list(by_size.values()), sizes.index(reference))
            laws[scheme][cost] = law.as_dict()
    return {
        "units": UNITS,
        "values": values,
        "laws": laws,
        "machines": [{"host": host, "threads": threads} for host, threads in machines],
    }
