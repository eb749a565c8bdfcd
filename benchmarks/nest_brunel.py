"""The delta-synapse network in NEST, timed; run in NEST's own environment (envs/bench-nest.txt) from the root.

    python -m benchmarks.nest_brunel --threads 2 --duration-ms 1000 --json OUT

Delays are homogeneous (1.5 ms), so that NEST exchanges spikes every 15 steps.
"""

import nest

from benchmarks import measure

DT_MS, WARM_UP_MS = 0.1, 300.0
NEURON = {"C_m": 1.0, "tau_m": 20.0, "E_L": 0.0, "V_reset": 10.0, "V_th": 20.0, "t_ref": 2.0, "V_m": 0.0}
J_MV, G, EXTERNAL_HZ, DELAY_MS = 0.1, 5.0, 20_000.0, 1.5


def build(scale: float, seed: int, threads: int) -> tuple[dict, dict]:
    """Create the network (sizes and in-degrees times `scale`, weights over √scale); populations and recorders."""
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.SetKernelStatus(
        {"resolution": DT_MS, "local_num_threads": threads, "rng_seed": seed, "keep_source_table": False}
    )
    j = J_MV / scale**0.5
    sizes = {"E": round(10_000 * scale), "I": round(2_500 * scale)}
    populations = {name: nest.Create("iaf_psc_delta", n, params=NEURON) for name, n in sizes.items()}
    everyone = populations["E"] + populations["I"]
    for name, n, weight in (("E", 1000, j), ("I", 250, -G * j)):
        nest.CopyModel("static_synapse_hom_w", f"from_{name}", {"weight": weight, "delay": DELAY_MS})
        rule = {"rule": "fixed_indegree", "indegree": round(n * scale)}
        nest.Connect(populations[name], everyone, rule, {"synapse_model": f"from_{name}"})
    background = nest.Create("poisson_generator", params={"rate": EXTERNAL_HZ * scale})
    nest.Connect(background, everyone, "all_to_all", {"weight": j, "delay": DELAY_MS})
    recorders = {}
    for name, population in populations.items():
        recorders[name] = nest.Create("spike_recorder")
        nest.Connect(population, recorders[name], syn_spec={"delay": DELAY_MS})
    return populations, recorders


def main() -> None:
    """Build, warm up, run and report."""
    args = measure.arguments(__doc__, scale=1.0).parse_args()
    if args.scale != 1:
        raise SystemExit("the peers run this network at scale 1 only")
    with measure.Stopwatch() as built:
        populations, recorders = build(args.scale, args.seed, args.threads)
        nest.Prepare()
        nest.Run(DELAY_MS)
    nest.Run(WARM_UP_MS)
    before = {name: r.n_events for name, r in recorders.items()}
    with measure.Stopwatch() as simulated:
        nest.Run(args.duration_ms)
    nest.Cleanup()
    spikes = {name: r.n_events - before[name] for name, r in recorders.items()}
    measure.report(
        program=f"NEST {nest.__version__}",
        network="brunel",
        args=args,
        build=built,
        sim_s=simulated.wall_s,
        others_share=simulated.others_share,
        rss_gib=measure.peak_rss_gib(),
        spikes=spikes,
        sizes={name: len(p) for name, p in populations.items()},
        synaptic_events=1250 * sum(spikes.values()),
        synapses=15_625_000,
    )


if __name__ == "__main__":
    main()
