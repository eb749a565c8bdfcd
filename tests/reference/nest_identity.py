"""Spikes of NEST 3.10 on the random networks of `random_network.py`, for the spike-for-spike comparison.

Run from the root of the checkout in NEST's own environment (envs/bench-nest.txt):

    python -m tests.reference.nest_identity --out tests/data

writes nest_identity_{model}.npz for every model of `random_network`: `stamp` (NEST's spike time in steps: a
threshold crossing in the update from k h to (k + 1) h is stamped k + 1; stored as differences, `stamp_difference`) and
`unit`, sorted by (stamp, unit), and `sha256` of the two as little-endian int64 arrays, one after the other.
"""

import argparse
import hashlib
from pathlib import Path

import nest
import numpy as np

from tests.reference import random_network as r


def spikes(model: str, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """(stamp, unit) of all spikes, sorted."""
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.SetKernelStatus({"resolution": r.DT_MS, "local_num_threads": threads})
    edges = r.network(model)
    neurons = nest.Create(model, r.N, params=r.PARAMETERS[model])
    neurons.V_m = list(edges["v0_mv"])
    neurons[: r.N_EXCITATORY].I_e, neurons[r.N_EXCITATORY :].I_e = r.I_E_PA[model]
    first = neurons[0].global_id
    nest.Connect(
        edges["source"] + first,
        edges["target"] + first,
        "one_to_one",
        {
            "synapse_model": "static_synapse",
            "weight": edges["weight"],
            "delay": edges["delay_steps"] * r.DT_MS,
        },
    )
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(neurons, recorder)
    nest.Simulate(r.DURATION_MS)
    events = recorder.events
    stamp, unit = np.asarray(events["times"], np.int64), np.asarray(events["senders"], np.int64) - first
    order = np.lexsort((unit, stamp))
    return stamp[order], unit[order]


def digest(stamp: np.ndarray, unit: np.ndarray) -> str:
    """sha256 of both arrays as little-endian int64."""
    return hashlib.sha256(stamp.astype("<i8").tobytes() + unit.astype("<i8").tobytes()).hexdigest()


def main() -> None:
    """Write the fixtures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    for model in r.PARAMETERS:
        stamp, unit = spikes(model, args.threads)
        np.savez_compressed(
            args.out / f"nest_identity_{model}.npz",
            stamp_difference=np.diff(stamp, prepend=0).astype(np.uint16),
            unit=unit.astype(np.uint16),
            sha256=np.array(digest(stamp, unit)),
            nest=np.array(nest.__version__),
        )
        rate = len(stamp) / r.N / r.DURATION_MS * 1000
        print(f"{model}: {len(stamp)} spikes, {rate:.2f} Hz, {len(np.unique(unit))} units, {digest(stamp, unit)}")


if __name__ == "__main__":
    main()
