"""The microcircuit in NEST, timed; run in NEST's own environment (envs/bench-nest.txt) from the root of the checkout.

python -m benchmarks.nest_microcircuit --scale 0.1 --threads 2 --duration-ms 1000 --json OUT
"""

import nest
import numpy as np

from benchmarks import measure
from benchmarks import microcircuit_definition as d

DT_MS = 0.1


def build(scale: float, seed: int, threads: int) -> tuple[list, list]:
    """Create the microcircuit with Poisson input in NEST's kernel; returns populations and spike recorders."""
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.SetKernelStatus(
        {"resolution": DT_MS, "local_num_threads": threads, "rng_seed": seed, "keep_source_table": False}
    )
    net = d.scaled(scale)
    populations, recorders = [], []
    for p, n in enumerate(net["sizes"]):
        population = nest.Create("iaf_psc_exp", int(n), params={**d.NEURON, "I_e": float(net["dc"][p])})
        population.V_m = nest.random.normal(float(d.V0_MEAN_MV[p]), float(d.V0_SD_MV[p]))
        populations.append(population)
    # A compact synapse where the target index fits 16 bits; one copy per block, because NEST counts at most 2^27
    # connections per synapse model and thread.
    model = "static_synapse_hpc" if net["sizes"].sum() / threads < 60_000 else "static_synapse"
    for t in range(8):
        for s in range(8):
            if not net["synapses"][t, s]:
                continue
            nest.CopyModel(model, f"block_{t}_{s}")
            w, kind = float(net["weight"][t, s]), s % 2
            low, high = (0.0, np.inf) if w > 0 else (-np.inf, 0.0)
            delay = nest.random.normal(float(d.DELAY_MS[kind]), float(d.DELAY_SD_MS[kind]))
            nest.Connect(
                populations[s],
                populations[t],
                {"rule": "fixed_total_number", "N": int(net["synapses"][t, s])},
                {
                    "synapse_model": f"block_{t}_{s}",
                    "weight": nest.math.redraw(nest.random.normal(w, abs(w) * d.WEIGHT_CV), min=low, max=high),
                    "delay": nest.math.redraw(delay, min=DT_MS / 2, max=np.inf),
                },
            )
    for p, population in enumerate(populations):
        background = nest.Create("poisson_generator", params={"rate": d.BACKGROUND_HZ * float(net["k_ext"][p])})
        nest.Connect(background, population, "all_to_all", {"weight": float(net["weight_ext"]), "delay": 1.5})
        recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
        nest.Connect(population, recorder)
        recorders.append(recorder)
    return populations, recorders


def main() -> None:
    """Build, run and report."""
    args = measure.arguments(__doc__).parse_args()
    with measure.Stopwatch() as built:
        populations, recorders = build(args.scale, args.seed, args.threads)
        nest.Prepare()
        # The first step sorts connections and sets up the communication buffers.
        nest.Run(DT_MS)
    before = [r.n_events for r in recorders]
    with measure.Stopwatch() as simulated:
        nest.Run(args.duration_ms)
    nest.Cleanup()
    spikes = [r.n_events - b for r, b in zip(recorders, before)]
    sizes = [len(p) for p in populations]
    out_degree = d.scaled(args.scale)["synapses"].sum(axis=0) / np.array(sizes)
    measure.report(
        program=f"NEST {nest.__version__}",
        network="microcircuit",
        args=args,
        build=built,
        sim_s=simulated.wall_s,
        others_share=simulated.others_share,
        rss_gib=measure.peak_rss_gib(),
        spikes=dict(zip(d.NAMES, spikes)),
        sizes=dict(zip(d.NAMES, sizes)),
        synaptic_events=int(np.dot(out_degree, spikes)),
        synapses=int(d.scaled(args.scale)["synapses"].sum()),
    )


if __name__ == "__main__":
    main()
