"""Our simulator, timed through its public entry point: one or more partitions as Dask tasks, spikes into a store."""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import allometry
from allometry import simulate, stores
from allometry.network import Network
from benchmarks import measure


def parser(description: str | None, **defaults: float) -> argparse.ArgumentParser:
    """Command line of our timed runs: that of all, with partitions and precision."""
    found = measure.arguments(description, **defaults)
    found.add_argument("--partitions", type=int, default=1, help="Dask tasks, each with --threads threads")
    found.add_argument("--precision", choices=("fast", "exact"), default="fast")
    return found


def timed_run(net: Network, args: argparse.Namespace) -> dict[str, object]:
    """Run a network in a temporary store and report what its manifest says it took.

    Compilation (or loading the compiled code from numba's cache) comes before the build and is reported apart.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark_") as folder:
        path = Path(folder) / "spikes.zarr"
        with measure.Stopwatch() as whole:
            spikes = simulate.run(
                net,
                args.duration_ms,
                args.seed,
                path,
                precision=args.precision,
                execution=simulate.Execution(partitions=args.partitions, threads=args.threads),
            )
        took = stores.read_manifest(path)["provenance"]["simulation"]
        unit = spikes["spike_unit"].values
    first = np.array([*net.offsets.values(), net.size])
    counts = np.diff(np.searchsorted(np.sort(unit), first))
    build = measure.Stopwatch()
    build.wall_s = took["build_s"]
    return measure.report(
        program=f"Allometry {allometry.__version__}",
        network=str(net.parameters["model"]),
        args=args,
        build=build,
        sim_s=took["sim_s"],
        others_share=whole.others_share,
        rss_gib=took["peak_rss_bytes"] / 2**30,
        spikes={p.name: int(n) for p, n in zip(net.populations, counts)},
        sizes={p.name: p.size for p in net.populations},
        synaptic_events=took["synaptic_events"],
        compile_s=took["compile_s"],
        synapses=took["synapses"],
        precision=args.precision,
        whole_s=round(whole.wall_s, 3),
    )
