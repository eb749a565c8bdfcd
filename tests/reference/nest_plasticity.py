"""Weights of NEST 3.10's `stdp_synapse` and `tsodyks2_synapse` at every presynaptic spike, and voltages behind them.

Run from the root of the checkout in NEST's own environment (envs/bench-nest.txt):

    python -m tests.reference.nest_plasticity --out tests/data/nest_plasticity.npz
"""

import argparse
from pathlib import Path

import nest
import numpy as np

from tests.reference import plastic_network as r


def weights(kind: str, parameters: dict[str, float]) -> dict[str, np.ndarray]:
    """Stamp (steps), source, target and weight of every event, sorted; the voltage of target 0 at every millisecond."""
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = r.DT_MS
    given = r.given()
    sources = nest.Create("parrot_neuron", r.SOURCES)
    tau_minus = {"tau_minus": parameters["tau_minus"]} if "tau_minus" in parameters else {}
    targets = nest.Create("iaf_psc_delta", r.TARGETS, params={**r.NEURON, "V_m": 0.0, **tau_minus})
    for population, spikes, weight in ((sources, given["pre"], 1.0), (targets, given["post"], r.FORCE_MV)):
        for neuron, steps in zip(population, spikes):
            # What arrives in step k was sent a step of delay before, stamped k.
            generator = nest.Create("spike_generator", params={"spike_times": np.round(steps * r.DT_MS, 6)})
            nest.Connect(generator, neuron, syn_spec={"weight": weight, "delay": r.DT_MS})
    recorder = nest.Create("weight_recorder")
    own = {name: value for name, value in parameters.items() if name != "tau_minus"}
    if kind == "tsodyks2_synapse":
        own["u"] = own["U"]
    nest.CopyModel(kind, "plastic", {**own, "weight_recorder": recorder})
    nest.Connect(
        given["source"] + sources[0].global_id,
        given["target"] + targets[0].global_id,
        "one_to_one",
        {"synapse_model": "plastic", "weight": given["weight"], "delay": given["delay_steps"] * r.DT_MS},
    )
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": 1.0})
    nest.Connect(meter, targets[0])
    nest.Simulate(r.DURATION_MS)
    events = recorder.events
    stamp = np.rint(np.asarray(events["times"]) / r.DT_MS).astype(np.int64)
    source, target = events["senders"] - sources[0].global_id, events["targets"] - targets[0].global_id
    order = np.lexsort((target, source, stamp))
    columns = {"stamp": stamp, "source": source, "target": target, "weight": np.asarray(events["weights"])}
    out = {name: np.asarray(values)[order] for name, values in columns.items()}
    return {**out, "v": np.asarray(meter.events["V_m"])}


def main() -> None:
    """Write the fixture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = {}
    for kind, cases in (("stdp_synapse", r.STDP), ("tsodyks2_synapse", r.SHORT_TERM)):
        for name, parameters in cases.items():
            found = weights(kind, parameters)
            out |= {f"{name}_{column}": values for column, values in found.items() if column != "v"}
            out[f"{name}_v"] = found["v"]
            print(name, len(found["weight"]), found["weight"].min(), found["weight"].max())
    np.savez_compressed(parser.parse_args().out, nest=np.array(nest.__version__), **out)


if __name__ == "__main__":
    main()
