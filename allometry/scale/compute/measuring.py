"""Measuring the points of a study of compute scaling: simulations in turn, each in a process of its own, and exchanges alone."""

import multiprocessing
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from allometry import stores
from allometry.network import FixedTotalNumber, IafPscExp, Network, Population, Projection
from allometry.scale.compute.amounts import SPIKE_BYTES, Amounts
from allometry.scale.jobs import network
from allometry.simulate import Execution, run
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.distribute.clusters.placement import cores
from allometry.simulate.distribute.exchange.timing import time_exchange
from allometry.simulate.kernels.loop.advance import queue_spikes
from allometry.simulate.kernels.loop.cells import Wiring

PASSED_NEURONS, PASSED_SPIKES = 4_000_000, 200_000
_LOOK_S = 0.2


@dataclass(frozen=True)
class Point:
    """A simulation of the study: `experiment`, size of the model in a scheme (0: four silent neurons), partitions and threads."""

    experiment: str
    size: float
    scheme: str
    partitions: int
    threads: int


def points(study: Mapping[str, Any]) -> list[Point]:
    """All simulations of a study, once each."""
    scheme, sizes = study["scheme"], sorted(study["sizes"])
    found = [Point("silent", 0.0, "", 1, threads) for threads in study["threads"]]
    for size in sizes:
        found += [Point("strong", size, scheme, 1, threads) for threads in study["threads"]]
        found += [Point("strong", size, scheme, count, 1) for count in study["partitions"]]
    found += [Point("strong", sizes[0], scheme, count, 1) for count in study["held_out"]]
    found += [
        Point("weak", study["weak_size"] * workers, study["weak_scheme"], 1, workers)
        for workers in study["weak_workers"]
    ]
    return list(dict.fromkeys(found))


def network_of(study: Mapping[str, Any], point: Point) -> Network:
    """The network of a point.

    Raises
    ------
    SimulationError
        The model has no such size or scheme.
    """
    if point.size == 0:
        # one synapse's delay is one step, so that its threads meet after every step
        loop = Projection("few", "few", FixedTotalNumber(1), 1.0, 0.1)
        return Network((Population("few", 4, IafPscExp()),), (loop,), title="Four silent neurons")
    return network(study, point.size, point.scheme)


def measure_simulations(study: Mapping[str, Any]) -> dict[str, Any]:
    """Simulate all points in turn, `repeats` times; the fastest run of each counts.

    Returns
    -------
    dict
        For JSON: `points` with `amounts`, `sim_s` and, in it, `recording_s`, `build_s`, `memory_gib`; `others`, the largest share
        of the machine that was in use before a run; `cores`.
    """
    best: dict[Point, dict[str, Any]] = {}
    others = 0.0
    every = points(study)
    for _ in range(study["repeats"]):
        for point in every:
            others = max(others, busy_share())
            # of its own: the peak of memory is that of one run
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                found = pool.submit(_simulated, dict(study), point).result()
            if point not in best or found["sim_s"] < best[point]["sim_s"]:
                best[point] = found
    return {
        "points": [{**asdict(point), **best[point]} for point in every],
        "others": others,
        "cores": cores(),
    }


def _simulated(study: Mapping[str, Any], point: Point) -> dict[str, Any]:
    net = network_of(study, point)
    with tempfile.TemporaryDirectory(prefix="compute_") as folder:
        path = Path(folder) / "spikes.zarr"
        execution = Execution(
            partitions=point.partitions, threads=point.threads, cores=cores(), checkpoint="off", progress=False
        )
        spikes = run(net, study["duration_ms"], study["seed"], path, execution=execution)
        took = stores.read_manifest(path)["provenance"]["simulation"]
        unit = spikes["spike_unit"].values
    return {
        "amounts": asdict(_amounts(net, study["duration_ms"], took, unit)),
        "sim_s": took["sim_s"],
        "recording_s": took["recording_s"],
        "build_s": took["build_s"],
        "memory_gib": took["peak_rss_bytes"] / 2**30,
    }


def _amounts(net: Network, duration_ms: float, took: Mapping[str, Any], unit: np.ndarray) -> Amounts:
    plan = compile_network(net, 1, "fast")
    first = np.array([*net.offsets.values(), net.size])
    by_population = np.diff(np.searchsorted(np.sort(unit), first))
    steps = duration_ms / net.dt_ms
    delays = float(by_population @ np.asarray(plan.spans, float) / len(unit)) if len(unit) else 1.0
    return Amounts(net.size, took["synapses"], steps, steps / plan.interval, len(unit), took["synaptic_events"], delays)


def measure_exchange(study: Mapping[str, Any]) -> dict[str, Any]:
    """Time rounds of the exchange alone, and spikes that have no synapse onto a worker.

    Returns
    -------
    dict
        For JSON: `points` with `partitions`, `message_bytes` and `round_s`; `passed_s`; `others`; `cores`.
    """
    others, found = busy_share(), []
    spikes: Sequence[int] = study["exchange_spikes"]
    for partitions in sorted(study["held_out"]):
        others = max(others, busy_share())
        for size, us in zip(spikes, time_exchange(partitions, spikes, "memory"), strict=True):
            found.append({"partitions": partitions, "message_bytes": SPIKE_BYTES * size, "round_s": 1e-6 * us})
    return {"points": found, "passed_s": passed_s(), "others": others, "cores": cores()}


def passed_s(neurons: int = PASSED_NEURONS, spikes: int = PASSED_SPIKES) -> float:
    """Seconds that a worker spends on a spike of a neuron without a synapse here, in a network of so many neurons."""
    sent = np.random.default_rng(1).integers(0, neurons, spikes)
    nobody, one, row = np.full(neurons, -1, np.int64), np.ones(1, np.int64), np.zeros(2, np.uint32)
    wiring = Wiring(
        np.zeros(neurons, np.uint16), one, one, nobody, row, row[:0], nobody[:0], row[:1], np.zeros(0, np.uint64)
    )
    queues = (np.zeros((2, 8), np.uint64), np.zeros(2, np.int64), np.zeros((2, 8), np.uint64), np.zeros(2, np.int64))
    taken = []
    for number in range(4):
        started = time.perf_counter()
        queue_spikes(sent, wiring, *queues)
        # the first one compiles
        taken += [time.perf_counter() - started] if number else []
    return min(taken) / spikes


def busy_share() -> float:
    """Share of the machine that is in use now, while this process waits; nan where the system does not say."""
    before = _busy()
    time.sleep(_LOOK_S)
    after = _busy()
    if before is None or after is None or after[1] == before[1]:
        return float("nan")
    return (after[0] - before[0]) / (after[1] - before[1])


def _busy() -> tuple[int, int] | None:
    try:
        fields = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    return sum(fields) - fields[3] - fields[4], sum(fields)
