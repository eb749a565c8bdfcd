"""The delta-synapse network in Brian2 (C++ standalone, OpenMP), timed; envs/bench-brian2.txt, from the root.

python -m benchmarks.brian2_brunel --threads 2 --duration-ms 1000 --json OUT
"""

import brian2 as b
import numpy as np

from benchmarks import measure
from benchmarks.brian2_run import prepare, timed_run

DT_MS = 0.1
J_MV, G, EXTERNAL_HZ, DELAY_MS = 0.1, 5.0, 20_000.0, 1.5
N_E, N_I, C_E, C_I = 10_000, 2_500, 1000, 250


def main() -> None:
    """Build, compile, run and report."""
    args = measure.arguments(__doc__, scale=1.0).parse_args()
    if args.scale != 1:
        raise SystemExit("the peers run this network at scale 1 only")
    folder = prepare(args.threads, args.seed, DT_MS)
    rng = np.random.default_rng(args.seed)

    def define() -> tuple[b.Network, b.SpikeMonitor]:
        neurons = b.NeuronGroup(
            N_E + N_I,
            "dv/dt = -v / (20*ms) : volt (unless refractory)",
            threshold="v >= 20*mV",
            reset="v = 10*mV",
            refractory=2 * b.ms,
            method="exact",
        )
        objects = [neurons]
        for first, n, indegree, weight in ((0, N_E, C_E, J_MV), (N_E, N_I, C_I, -G * J_MV)):
            synapses = b.Synapses(
                neurons[first : first + n],
                neurons,
                on_pre=f"v_post += {weight}*mV * int(not_refractory_post)",
                delay=DELAY_MS * b.ms,
            )
            target = np.repeat(np.arange(N_E + N_I), indegree)
            synapses.connect(i=rng.integers(0, n, len(target)), j=target)
            objects.append(synapses)
        # 1000 sources of 20 Hz: the summed rate of 20,000 events/s per neuron, independent for every neuron.
        objects.append(b.PoissonInput(neurons, "v", C_E, EXTERNAL_HZ / C_E * b.Hz, weight=J_MV * b.mV))
        monitor = b.SpikeMonitor(neurons)
        return b.Network(*objects, monitor), monitor

    count, timing = timed_run(folder, define, args.duration_ms)
    spikes = {"E": int(count[:N_E].sum()), "I": int(count[N_E:].sum())}
    measure.report(
        program=f"Brian2 {b.__version__} C++",
        network="brunel",
        args=args,
        spikes=spikes,
        sizes={"E": N_E, "I": N_I},
        synaptic_events=(C_E + C_I) * sum(spikes.values()),
        synapses=(N_E + N_I) * (C_E + C_I),
        **timing,
    )


if __name__ == "__main__":
    main()
