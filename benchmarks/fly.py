"""A whole fly, timed: leaky integrate-and-fire neurons on a generated connectome of the adult brain's size.

    python -m benchmarks.fly --threads 2 --duration-ms 1000 --json OUT

The table is generated: 139,255 neurons in 78 neuropils of unequal size, 15 M connections with mean 3.6 synapses, three
quarters within a neuropil, degrees log-normal, three neurons in ten inhibitory. Twenty-one neurons of one neuropil are
kicked at 150 Hz, as the sugar-sensing neurons of the published feeding experiment (Shiu et al. 2024). `benchmarks/README.md`
has what it took; `docs/own-connectome.md` says how the genuine connectome is run.
"""

import numpy as np

from allometry.models import connectome_lif
from allometry.models.graph import Graph
from allometry.network import ConnectomeLif, Network
from benchmarks import ours

NEURONS, CONNECTIONS, NEUROPILS = 139_255, 15_000_000, 78
DRIVEN = 21
DRIVE_HZ = 150.0
_WITHIN = 0.75
_INHIBITORY = 0.3
#: Exponent of the tail of synapse counts, which are cut at 200: the mean is 3.6.
_TAIL = 1.28


def table(neurons: int = NEURONS, connections: int = CONNECTIONS, neuropils: int = NEUROPILS, seed: int = 1) -> Graph:
    """Generate a connectome.

    Parameters
    ----------
    neurons, connections, neuropils : int
        How many; connections are distinct pairs, up to one in a thousand fewer than asked for.
    seed : int
        Of the generator.

    Returns
    -------
    Graph
        Nodes in random order, as the identifiers of a release are.
    """
    rng = np.random.default_rng(seed)
    share = rng.lognormal(0.0, 0.8, neuropils)
    home = np.sort(rng.choice(neuropils, neurons, p=share / share.sum()))
    begin = np.searchsorted(home, np.arange(neuropils + 1))
    out, into = (np.concatenate([[0.0], np.cumsum(rng.lognormal(0.0, 0.8, neurons))]) for _ in range(2))
    drawn = int(1.15 * connections) + 100
    source = np.searchsorted(out, rng.random(drawn) * out[-1], side="right") - 1
    own = home[source]
    low, high = np.where(rng.random(drawn) < _WITHIN, (into[begin[own]], into[begin[own + 1]]), ([0.0], [into[-1]]))
    target = np.searchsorted(into, low + rng.random(drawn) * (high - low), side="right") - 1
    pairs = np.unique(source * np.int64(neurons) + np.minimum(target, neurons - 1))
    pairs = pairs[np.sort(rng.permutation(len(pairs))[:connections])]
    count = np.minimum(np.floor(1.0 + rng.pareto(_TAIL, len(pairs))), 200.0)
    name = rng.permutation(neurons)
    source, target = name[pairs // neurons], name[pairs % neurons]
    order = np.argsort(source * np.int64(neurons) + target)
    sign = np.where(rng.random(neurons) < _INHIBITORY, -1.0, 1.0)
    labels = np.empty(neurons, object)
    # A label says where the neuron is: `pil7_1234`.
    labels[name] = [f"pil{h}_{i}" for i, h in enumerate(home)]
    return Graph(tuple(labels), source[order], target[order], count[order], sign, signs_from="generated")


def driven(graph: Graph, count: int = DRIVEN, neuropil: int = 0) -> list[str]:
    """Labels of the first neurons of a neuropil that excite others."""
    excites = (label for label, sign in zip(graph.labels, graph.sign) if sign > 0)
    mine = sorted(label for label in excites if label.startswith(f"pil{neuropil}_"))
    return mine[:count]


def network(graph: Graph, order: str = "store") -> Network:
    """The model on the generated connectome, driven."""
    return connectome_lif(graph, driven=driven(graph), drive_hz=DRIVE_HZ, order=order)


def main() -> None:
    """Generate, run and report."""
    parser = ours.parser(__doc__, scale=1.0)
    parser.add_argument("--order", choices=("store", "reach"), default="store")
    parser.add_argument("--rests", action="store_true", help="pass over neurons at rest")
    args = parser.parse_args()
    ConnectomeLif.rests = args.rests
    ours.timed_run(network(table(round(NEURONS * args.scale), round(CONNECTIONS * args.scale)), args.order), args)


if __name__ == "__main__":
    main()
