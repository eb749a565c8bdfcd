"""How long this machine takes for the package's own work, relative to the one on which the time budgets were set.

Two parts, since machines differ in both: the step loop of a network whose synapses are larger than the caches (bound by
memory, on all cores, as a simulation is), and tables, arrays, compression, text and a drawing (bound by the processor,
once per core side by side, as the jobs of the other stages are). A few seconds in all; compilation is not counted.
"""

import json
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

# Seconds on the machine of benchmarks/README.md with nothing else running, on REFERENCE_CORES cores.
REFERENCE_S = {"network": 0.35, "tables": 0.45}
REFERENCE_CORES = 2
REPEATS = 3  # the fastest counts: whatever else runs makes a repeat slower, never faster
NODES, EDGES, POINTS = 300, 10_000, 800


def cores() -> int:
    """Cores that the work is given: as many as the budgets are for, where the machine has them."""
    return min(REFERENCE_CORES, os.cpu_count() or 1)


def network_s() -> float:
    """Seconds of 800 ms of a quarter of the microcircuit (19 million synapses) on all cores."""
    from allometry.models import microcircuit
    from allometry.simulate.build.partition import Partition
    from allometry.simulate.build.plan.network import compile_network

    plan = compile_network(microcircuit(0.25), 1, "fast")
    with Partition(plan, 0, 1, cores()) as partition:
        partition.build()
        last = 1_000
        partition.window(last)  # compiled by now, and past the synchronous first spikes
        took = []
        for _ in range(REPEATS):
            last += 8_000
            started = time.perf_counter()
            partition.window(last)
            took.append(time.perf_counter() - started)
    return min(took)


def tables() -> None:
    """Do in small what jobs of the other stages do: read and write a table and a store, permute, correlate, draw."""
    import pandas as pd
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    from allometry import stores

    rng = np.random.default_rng(1)
    names = np.array([f"N{i:03d}" for i in range(NODES)])
    source, target = np.divmod(rng.permutation(NODES * NODES)[:EDGES], NODES)
    edges = pd.DataFrame({"source": names[source], "target": names[target]})
    edges["weight"], edges["synapse"] = rng.integers(1, 20, EDGES).astype(float), "chemical"
    attrs: dict[str, Any] = {"title": "calibration", "species": "none", "citation": "none", "licence": "BSD-3-Clause"}
    attrs |= {"source": {}, "parameters": {}, "derived": {}}
    with tempfile.TemporaryDirectory(prefix="speed_") as folder:
        edges.to_csv(Path(folder) / "edges.csv", index=False)
        read = pd.read_csv(Path(folder) / "edges.csv")
        store = stores.connectome(pd.DataFrame(index=list(names)), read, attrs=attrs)
        stores.write(store, Path(folder) / "edges.zarr")
        json.loads(json.dumps(read.to_dict("records")))
        matrix = np.zeros((NODES, NODES))
        matrix[source, target] = edges["weight"]
        for _ in range(15):
            order = rng.permutation(NODES)
            np.corrcoef(matrix[order])
            np.argsort(matrix[np.ix_(order, order)], axis=None)
        figure = Figure()
        FigureCanvasSVG(figure)
        figure.subplots().scatter(source[:POINTS], target[:POINTS], s=edges["weight"][:POINTS])
        figure.savefig(Path(folder) / "edges.svg")


def _tables_s(_: int) -> float:
    tables()  # imports, and files that are in the cache from now on
    took = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        tables()
        took.append(time.perf_counter() - started)
    return min(took)


def tables_s() -> float:
    """Seconds of `tables` where every core does it at the same time, per two of them."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores(), mp_context=context) as pool:
        return max(pool.map(_tables_s, range(cores()))) * REFERENCE_CORES / cores()


def slowness() -> dict[str, float]:
    """How many times the reference's seconds each part takes here: 3 on a machine three times slower."""
    # libraries of every job of the workflow have one thread
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    return {"network": network_s() / REFERENCE_S["network"], "tables": tables_s() / REFERENCE_S["tables"]}


if __name__ == "__main__":
    print({part: round(seconds, 3) for part, seconds in (("network", network_s()), ("tables", tables_s()))})
