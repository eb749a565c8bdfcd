"""Spikes of NEST 3.10 for the neurons and networks of `driven_neurons.py`.

Run from the root of the checkout in NEST's own environment (envs/bench-nest.txt):

    python -m tests.reference.nest_neurons --out tests/data

writes nest_neurons.npz: per case the spikes of the single neurons, sorted by step and unit: `{case}_difference` (uint16,
differences of the updates in which they crossed the threshold) and `{case}_unit`; and of every neuron of the recurrent
network `{case}_count` (uint16) and `{case}_cv` (float32, of its interspike intervals; NaN below 5 spikes).
"""

import argparse
from pathlib import Path

import nest
import numpy as np

from tests.reference import driven_neurons as d


def _begin(case: d.Case, count: int) -> nest.NodeCollection:
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.SetKernelStatus({"resolution": d.DT_MS})
    return nest.Create(case.model, count, params={**case.parameters, **case.extra})


def _spikes(neurons: nest.NodeCollection) -> tuple[np.ndarray, np.ndarray]:
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(neurons, recorder)
    nest.Simulate(d.DURATION_MS)
    step = np.asarray(recorder.events["times"], np.int64) - 1
    unit = np.asarray(recorder.events["senders"], np.int64) - neurons[0].global_id
    order = np.lexsort((unit, step))
    return step[order].astype(np.int32), unit[order].astype(np.int16)


def single(case: d.Case) -> tuple[np.ndarray, np.ndarray]:
    """Spikes of the single neurons."""
    neurons = _begin(case, d.CONSTANT + d.GIVEN)
    neurons.I_e = list(d.currents(case))
    neuron, step, weight = d.given_spikes(case)
    for k in range(d.CONSTANT, d.CONSTANT + d.GIVEN):
        mine = neuron == k
        for sign in (1, -1):
            chosen = mine & (np.sign(weight) == sign)
            generator = nest.Create(
                "spike_generator",
                params={"spike_times": np.round(step[chosen] * d.DT_MS, 1), "spike_weights": weight[chosen]},
            )
            # Stamped at the start of a step, with a delay of one step: it arrives in the slot of that step.
            nest.Connect(generator, neurons[k], syn_spec={"delay": d.DT_MS})
    return _spikes(neurons)


def recurrent(case: d.Case) -> tuple[np.ndarray, np.ndarray]:
    """Spikes of the recurrent network."""
    neurons = _begin(case, d.N)
    edges = d.network(case)
    neurons.I_e, neurons.V_m = list(edges["current_pa"]), list(edges["v0_mv"])
    first = neurons[0].global_id
    nest.Connect(
        edges["source"] + first,
        edges["target"] + first,
        "one_to_one",
        {"synapse_model": "static_synapse", "weight": edges["weight"], "delay": edges["delay_steps"] * d.DT_MS},
    )
    return _spikes(neurons)


def main() -> None:
    """Write the fixture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    arrays = {"nest": np.array(nest.__version__)}
    for name, case in d.CASES.items():
        step, arrays[f"{name}_unit"] = single(case)
        arrays[f"{name}_difference"] = np.diff(step, prepend=0).astype(np.uint16)
        count, cv = d.statistics(*recurrent(case))
        arrays[f"{name}_count"], arrays[f"{name}_cv"] = count.astype(np.uint16), cv.astype(np.float32)
        print(
            f"{name}: {len(step)} spikes of single neurons, {count.mean() / d.DURATION_MS * 1e3:.1f} Hz in the network"
        )
    np.savez_compressed(args.out / "nest_neurons.npz", **arrays)


if __name__ == "__main__":
    main()
