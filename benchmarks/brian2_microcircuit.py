"""The microcircuit in Brian2 (C++ standalone, OpenMP), timed; envs/bench-brian2.txt, from the root of the checkout.

    python -m benchmarks.brian2_microcircuit --scale 0.1 --threads 2 --duration-ms 1000 --json OUT

All neurons are one group and all synapses one object, which is the fastest layout Brian2 offers for this network.
"""

import brian2 as b
import numpy as np

from benchmarks import measure
from benchmarks import microcircuit_definition as d
from benchmarks.brian2_run import prepare, timed_run

DT_MS = 0.1
EQUATIONS = """
dv/dt = (E_L - v) / tau_m + (i_syn + i_dc) / C_m : volt (unless refractory)
di_syn/dt = -i_syn / tau_s : amp
i_dc : amp (constant)
"""


def edges(net: dict, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Source, target (int32), weight (pA) and delay (ms) of all synapses, float32."""
    offset = np.concatenate([[0], np.cumsum(net["sizes"])])
    total = int(net["synapses"].sum())
    source, target = np.empty(total, np.int32), np.empty(total, np.int32)
    weight, delay = np.empty(total, np.float32), np.empty(total, np.float32)
    at = 0
    for t in range(8):
        for s in range(8):
            n = int(net["synapses"][t, s])
            part, kind = slice(at, at + n), s % 2
            source[part] = rng.integers(offset[s], offset[s + 1], n)
            target[part] = rng.integers(offset[t], offset[t + 1], n)
            mean = net["weight"][t, s]
            # At 10 % relative width no draw has the wrong sign.
            weight[part] = mean + abs(mean) * d.WEIGHT_CV * rng.standard_normal(n, np.float32)
            draw = d.DELAY_MS[kind] + d.DELAY_SD_MS[kind] * rng.standard_normal(n, np.float32)
            while (bad := np.flatnonzero(draw < DT_MS / 2)).size:
                draw[bad] = d.DELAY_MS[kind] + d.DELAY_SD_MS[kind] * rng.standard_normal(bad.size, np.float32)
            delay[part] = np.maximum(np.round(draw / DT_MS), 1) * DT_MS
            at += n
    return source, target, weight, delay


def main() -> None:
    """Build, compile, run and report."""
    args = measure.arguments(__doc__).parse_args()
    folder = prepare(args.threads, args.seed, DT_MS)
    rng = np.random.default_rng(args.seed)
    net = d.scaled(args.scale)
    offset = np.concatenate([[0], np.cumsum(net["sizes"])])
    constants = {
        "E_L": d.NEURON["E_L"] * b.mV,
        "tau_m": d.NEURON["tau_m"] * b.ms,
        "tau_s": d.NEURON["tau_syn_ex"] * b.ms,
        "C_m": d.NEURON["C_m"] * b.pF,
    }

    def define() -> tuple[b.Network, b.SpikeMonitor]:
        neurons = b.NeuronGroup(
            int(offset[-1]),
            EQUATIONS,
            threshold="v >= -50*mV",
            reset="v = -65*mV",
            refractory=d.NEURON["t_ref"] * b.ms,
            method="exact",
            namespace=constants,
        )
        neurons.i_dc = np.repeat(net["dc"], net["sizes"]) * b.pA
        mean, sd = np.repeat(d.V0_MEAN_MV, net["sizes"]), np.repeat(d.V0_SD_MV, net["sizes"])
        neurons.v = rng.normal(mean, sd) * b.mV
        source, target, weight, delay = edges(net, rng)
        synapses = b.Synapses(neurons, neurons, "w : amp (constant)", on_pre="i_syn_post += w")
        synapses.connect(i=source, j=target)
        synapses.w = weight * b.pA
        synapses.delay = delay * b.ms
        inputs = [
            b.PoissonInput(
                neurons[int(offset[p]) : int(offset[p + 1])],
                "i_syn",
                int(net["k_ext"][p]),
                d.BACKGROUND_HZ * b.Hz,
                weight=float(net["weight_ext"]) * b.pA,
            )
            for p in range(8)
        ]
        monitor = b.SpikeMonitor(neurons)
        return b.Network(neurons, synapses, *inputs, monitor), monitor

    count, timing = timed_run(folder, define, args.duration_ms)
    spikes = {name: int(count[offset[p] : offset[p + 1]].sum()) for p, name in enumerate(d.NAMES)}
    out_degree = net["synapses"].sum(axis=0) / net["sizes"]
    measure.report(
        program=f"Brian2 {b.__version__} C++",
        network="microcircuit",
        args=args,
        spikes=spikes,
        sizes=dict(zip(d.NAMES, map(int, net["sizes"]))),
        synaptic_events=int(np.dot(out_degree, list(spikes.values()))),
        synapses=int(net["synapses"].sum()),
        **timing,
    )


if __name__ == "__main__":
    main()
