"""`allometry simulate`: one simulation without Snakemake, with the result of the rule for the same parameters."""

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

from allometry.errors import SimulationError, log_to


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `allometry simulate`."""
    parser.add_argument("model", help="microcircuit, brunel, connectome_lif, or a feature model as cerebellum_like")
    parser.add_argument("--scale", type=float, help="number of neurons relative to the full model")
    parser.add_argument("--k-scale", type=float, help="in-degrees relative to the full model (default: as --scale)")
    parser.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other parameter of the model; repeatable",
    )
    parser.add_argument("--connectome", type=Path, help="Connectome store, for connectome_lif")
    parser.add_argument("--duration-ms", type=float, help="simulated time of a network, ms")
    parser.add_argument("--seed", type=int, default=1, help="seed (default 1)")
    parser.add_argument("--precision", choices=("fast", "exact"), default="fast", help="float32 or float64 state")
    parser.add_argument("--counts-ms", type=float, help="also record spike counts in bins of this width")
    parser.add_argument("--out", type=Path, help="store to write (default: MODEL_seedSEED.zarr)")
    parser.add_argument("--overwrite", action="store_true", help="replace a store that is there already")
    parser.add_argument("--partitions", type=int, default=1, help="Dask tasks (default 1)")
    parser.add_argument("--threads", type=int, help="threads of each (default: all cores)")
    parser.add_argument(
        "--checkpoint",
        type=_interval,
        default="auto",
        metavar="auto|off|SECONDS",
        help="checkpoints, from which a rerun continues: in runs of more than five minutes (default), none, or how often",
    )
    parser.add_argument("--checkpoint-folder", type=Path, help="folder for checkpoints (default: beside the store)")
    parser.add_argument(
        "--wall-time",
        type=float,
        metavar="SECONDS",
        help="end after this time with a last checkpoint and status 75 (default: what is left of the SLURM job)",
    )
    parser.add_argument("--cluster", help="local, allocation, or the address of a Dask scheduler")
    parser.add_argument(
        "--exchange",
        choices=["auto", "mpi", "socket", "memory"],
        default="auto",
        help="how partitions exchange spikes (default auto: by MPI between its ranks, else in memory on one host)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the simulation; return the exit status."""
    from allometry.models.features import FEATURE_MODELS
    from allometry.simulate.distribute.execution import Execution
    from allometry.simulate.features import run_feature
    from allometry.simulate.point import run_point
    from allometry.stores.storage.publication import require_free

    parameters = dict(_pair(text) for text in arguments.parameter)
    for name in ("scale", "k_scale"):
        if getattr(arguments, name) is not None:
            parameters[name] = getattr(arguments, name)
    store = arguments.out or Path(f"{arguments.model}_seed{arguments.seed}.zarr")
    if store.exists() and not arguments.overwrite:
        require_free(store, overwrite=True)  # what is no store of ours is not replaced either way, so no advice to
        raise SimulationError(
            "the store exists", where=str(store), expected="a new name", do="choose another --out, or add --overwrite"
        )
    if arguments.model in FEATURE_MODELS:
        with log_to(logging.StreamHandler(sys.stderr)):
            given = {"model": arguments.model, "parameters": parameters, "seed": arguments.seed}
            run_feature(given, store, overwrite=arguments.overwrite)
        print(store)
        return 0
    if arguments.duration_ms is None:
        raise SimulationError("no simulated time is given", where="--duration-ms", expected="a number of ms")
    with log_to(logging.StreamHandler(sys.stderr)):
        run_point(
            {
                "kind": "network",
                "model": arguments.model,
                "duration_ms": arguments.duration_ms,
                "precision": arguments.precision,
                "record": {"spikes": True, "counts_bin_ms": arguments.counts_ms, "voltage": {}},
                "parameters": parameters,
                "seed": arguments.seed,
            },
            store,
            arguments.connectome,
            Execution(
                partitions=arguments.partitions,
                threads=arguments.threads,
                cluster=_cluster(arguments.cluster, arguments.exchange),
                checkpoint=arguments.checkpoint,
                checkpoint_folder=arguments.checkpoint_folder,
                wall_time_s=arguments.wall_time,
            ),
            overwrite=arguments.overwrite,
        )
    print(store)
    return 0


def _cluster(cluster: str | None, exchange: str) -> Any:
    """Return where to run and how to exchange spikes, as `Execution` takes it."""
    if exchange == "auto":
        return cluster
    if cluster and "://" in cluster:
        return {"kind": "address", "address": cluster, "exchange": exchange}
    return {"kind": cluster or "local", "exchange": exchange}


def _interval(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SimulationError(f"{text!r} is no parameter", where="-p/--parameter", expected="NAME=VALUE")
    for convert in (int, float):
        try:
            return name, convert(value)
        except ValueError:
            continue
    return name, {"true": True, "false": False, "null": None}.get(value.lower(), value)
