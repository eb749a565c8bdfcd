"""Where the time of the microcircuit goes: update, input, delivery, meeting of the threads, exchange, recording.

    python -m benchmarks.breakdown --scale 1.0 --threads 2 --duration-ms 1000 --json benchmarks/results/breakdown_1.json

Parts of the network are left out one after the other and the differences are taken, through the same entry point as
every run: neurons alone, with Poisson input, with synapses, and all of it without recording. What one meeting of the
threads per step costs is timed on four neurons, and so is an exchange between two partitions in processes of their own,
through shared memory and over TCP. The fastest of `--repeats` interleaved runs counts.
"""

import dataclasses
import json
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

from allometry import models, simulate, stores
from allometry.network import FixedTotalNumber, IafPscExp, Network, PoissonInput, Population, Projection
from allometry.simulate.build.partition import Partition, message_room
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.distribute.exchange import rendezvous
from allometry.simulate.distribute.exchange.mailbox import open_mail
from benchmarks import measure

EXCHANGES = 20_000
OUT_OF_REACH_MV = 1e4


def four_neurons(dt_ms: float) -> Network:
    """Four silent neurons that meet after every step, as the full network does: one synapse's delay is one step."""
    loop = Projection("few", "few", FixedTotalNumber(1), 1.0, dt_ms)
    return Network((Population("few", 4, IafPscExp()),), (loop,), title="four neurons")


def _partner(number: int, pipe: Any, share: bool, dt_ms: float) -> None:
    pipe.send(rendezvous.listen("breakdown", number))
    sockets = rendezvous.connect("breakdown", number, pipe.recv(), b"breakdown")
    plan = compile_network(four_neurons(dt_ms), 1, "fast")
    with (
        open_mail(sockets, message_room(plan, 2, 1), share=share) as mail,
        Partition(plan, number, 2, 1, mail=mail) as partition,
    ):
        partition.build()
        partition.window(100)
        started = time.perf_counter()
        partition.window(100 + EXCHANGES)
        pipe.send(time.perf_counter() - started)
    sockets[0].close()


def exchange_us(share: bool, dt_ms: float) -> float:
    """Microseconds of one exchange between two partitions in two processes, through shared memory or over TCP."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for number in range(2):
        ours, theirs = context.Pipe()
        process = context.Process(target=_partner, args=(number, theirs, share, dt_ms), daemon=True)
        process.start()
        pipes.append(ours)
        processes.append(process)
    addresses = [pipe.recv() for pipe in pipes]
    for pipe in pipes:
        pipe.send(addresses)
    seconds = max(pipe.recv() for pipe in pipes)
    for process in processes:
        process.join()
    return 1e6 * seconds / EXCHANGES


def variants(scale: float) -> dict[str, tuple[Network, bool]]:
    """Network and whether spikes are recorded, by what it is called in the result."""
    full = models.microcircuit(scale)
    direct = tuple(i for i in full.inputs if not isinstance(i, PoissonInput))
    # Without inhibition the input alone would make them fire a hundred times as often: the same steps, out of reach.
    silent = tuple(
        dataclasses.replace(p, neuron=dataclasses.replace(p.neuron, V_th=OUT_OF_REACH_MV)) for p in full.populations
    )
    alone = dataclasses.replace(full, populations=silent, projections=())
    return {
        "meeting": (four_neurons(full.dt_ms), True),
        "neurons": (dataclasses.replace(alone, inputs=direct), True),
        "neurons_input": (alone, True),
        "full": (full, True),
        "full_unrecorded": (full, False),
    }


def once(net: Network, record: bool, duration_ms: float, threads: int) -> dict[str, Any]:
    """Run one variant; what its manifest says, wall time of the whole run, and the share of other processes."""
    with tempfile.TemporaryDirectory(prefix="breakdown_") as folder:
        path = Path(folder) / "spikes.zarr"
        with measure.Stopwatch() as whole:
            simulate.run(
                net,
                duration_ms,
                1,
                path,
                record=simulate.Record(spikes=record),
                execution=simulate.Execution(threads=threads),
            )
        took = stores.read_manifest(path)["provenance"]["simulation"]
    return {**took, "others_share": whole.others_share}


def parts(best: dict[str, dict[str, Any]], neurons: int, steps: int) -> dict[str, Any]:
    """Seconds per part, and what one neuron update, one Poisson draw and one synaptic event cost all threads together."""
    seconds = {
        "meeting": best["meeting"]["sim_s"],
        "update": best["neurons"]["sim_s"],
        "input": best["neurons_input"]["sim_s"] - best["neurons"]["sim_s"],
        "delivery": best["full_unrecorded"]["sim_s"]
        - best["full_unrecorded"]["recording_s"]
        - best["neurons_input"]["sim_s"]
        - best["meeting"]["sim_s"],
        # What partitions hand over, and what writing the store beside them costs.
        "recording": best["full"]["recording_s"] + max(0.0, best["full"]["sim_s"] - best["full_unrecorded"]["sim_s"]),
    }
    return {
        "seconds": {name: round(s, 4) for name, s in seconds.items()},
        "total_s": round(best["full"]["sim_s"], 4),
        "ns_per_update": round(1e9 * seconds["update"] / (neurons * steps), 3),
        "ns_per_input": round(1e9 * seconds["input"] / (neurons * steps), 3),
        "ns_per_event": round(1e9 * seconds["delivery"] / max(1, best["full"]["synaptic_events"]), 3),
        "us_per_meeting": round(1e6 * seconds["meeting"] / steps, 3),
        "synaptic_events": best["full"]["synaptic_events"],
    }


def main() -> None:
    """Interleave the variants, take differences of the fastest, write the result."""
    parser = measure.arguments(__doc__, scale=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    runs: dict[str, list[dict[str, Any]]] = {}
    networks = variants(args.scale)
    exchanges: dict[str, list[float]] = {}
    for _ in range(args.repeats):
        for name, (net, record) in networks.items():
            runs.setdefault(name, []).append(once(net, record, args.duration_ms, args.threads))
        for link in ("memory", "tcp"):
            exchanges.setdefault(link, []).append(exchange_us(link == "memory", networks["full"][0].dt_ms))
    best = {name: min(some, key=lambda r: r["sim_s"]) for name, some in runs.items()}
    net = networks["full"][0]
    result = {
        "scale": args.scale,
        "threads": args.threads,
        "duration_ms": args.duration_ms,
        **parts(best, net.size, round(args.duration_ms / net.dt_ms)),
        "us_per_exchange": {link: round(min(some), 3) for link, some in exchanges.items()},
        "others_share": round(max(r["others_share"] for r in best.values()), 4),
        "machine": measure.machine(),
    }
    text = json.dumps(result, indent=1)
    print(text)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
