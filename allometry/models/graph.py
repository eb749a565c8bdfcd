"""The part of a connectome that a network of identical neurons needs: signed chemical and unsigned electrical edges."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from allometry.errors import SimulationError

_GROUP = 256
"""Neurons of a group that stay together: as many as the simulator lets fall asleep together."""
_HOPS = 4
_FIRES = 0.5
"""Mean depolarisation, over the distance to the threshold, from which a neuron counts as firing."""


def _empty_int() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


def _empty_float() -> NDArray[np.float64]:
    return np.empty(0, np.float64)


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes with signs, chemical edges with synapse counts, gap junctions in both directions.

    Parameters
    ----------
    labels : tuple of str
        Node names.
    source, target : int arrays, shape (edge,)
        Chemical edges by node number.
    count : float array, shape (edge,)
        Synapses of each edge, positive.
    sign : array, shape (node,)
        +1, −1, or 0 for neurons without a fast effect.
    gap_source, gap_target, gap_count : arrays, shape (gap,)
        Directed electrical edges (each junction appears in both directions).
    signs_from : str
        Where `sign` comes from, for the record.
    """

    labels: tuple[str, ...]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    count: NDArray[np.float64]
    sign: NDArray[np.float64]
    gap_source: NDArray[np.int64] = field(default_factory=_empty_int)
    gap_target: NDArray[np.int64] = field(default_factory=_empty_int)
    gap_count: NDArray[np.float64] = field(default_factory=_empty_float)
    signs_from: str = "given"

    def __repr__(self) -> str:
        edges = f"{np.size(self.source)} chemical edges, {np.size(self.gap_source)} electrical ones"
        return f"Graph({len(self.labels)} nodes, {edges})"

    def __post_init__(self) -> None:
        n = len(self.labels)
        if len(self.sign) != n:
            raise SimulationError(
                f"{len(self.sign)} signs for {n} nodes", where="connectome", expected="one sign per node"
            )
        if not np.isin(self.sign, (-1, 0, 1)).all():
            raise SimulationError("a sign is not −1, 0 or +1", where="connectome", expected="−1, 0 or +1 per node")
        for name in ("source", "target", "gap_source", "gap_target"):
            index = getattr(self, name)
            if len(index) and not (index.min() >= 0 and index.max() < n):
                raise SimulationError(
                    f"{name} refers to a node that does not exist", where="connectome", expected=f"0 to {n - 1}"
                )

    def index(self, names: Iterable[str]) -> NDArray[np.int64]:
        """Node numbers of `names`, in that order.

        Raises
        ------
        SimulationError
            If a name is not a node.
        """
        position = {label: i for i, label in enumerate(self.labels)}
        wanted = list(names)
        unknown = [name for name in wanted if name not in position]
        if unknown:
            raise SimulationError(
                f"unknown neurons {', '.join(unknown[:5])}",
                where="connectome",
                expected=f"labels such as {', '.join(self.labels[:3])}",
                do="use the names of the store's node coordinate",
            )
        return np.array([position[name] for name in wanted], np.int64)

    @classmethod
    def from_store(
        cls, connectome: xr.Dataset, neurons: str | Sequence[str] = "sources", unknown_sign: float = 1.0
    ) -> "Graph":
        """Read the graph from a Connectome store.

        Parameters
        ----------
        connectome : Dataset
            A Connectome with chemical (and perhaps electrical) edges. Signs are its node variable `sign`; without it
            −1 for GABA and +1 for every other `neurotransmitter`; without both, none is known.
        neurons : {"sources", "all"} or sequence of str
            Nodes to keep: those with an outgoing chemical edge (which leaves out muscles and other targets), all, or
            the named ones. They are sorted by name unless all are kept, which leaves the order of the store.
        unknown_sign : {+1, 0, -1}
            Sign of the neurons whose sign is not known (0 or NaN in the store); 0 leaves their edges without effect.

        Raises
        ------
        SimulationError
            If the store has no chemical edges among the kept nodes, or a name is not a node.
        """
        if connectome.attrs.get("schema", "Connectome") != "Connectome":
            raise SimulationError(
                f"this is a store of kind {connectome.attrs['schema']}",
                where=str(connectome.attrs.get("title", "connectome")),
                expected="a Connectome store",
                do="choose another store",
            )
        labels = _text(connectome["node"])
        kind = _text(connectome["synapse"])
        source, target = (connectome[name].values.astype(np.int64) for name in ("source", "target"))
        weight = connectome["weight"].values.astype(np.float64)
        sign, signs_from = _signs(connectome, unknown_sign)
        everything = cls(
            tuple(labels),
            *_kind(kind == "chemical", source, target, weight),
            sign,
            *_kind(kind == "electrical", source, target, weight),
            signs_from=signs_from,
        )
        if isinstance(neurons, str):
            if neurons not in ("sources", "all"):
                raise SimulationError(
                    f"unknown choice {neurons!r}", where="neurons", expected="sources, all or a list of labels"
                )
            if neurons == "all":
                chosen = np.arange(len(labels))
            else:
                sources = np.unique(everything.source)
                chosen = sources[np.argsort(labels[sources], kind="stable")]
        else:
            chosen = everything.index(sorted(neurons))
        graph = everything.subgraph(chosen)
        if not len(graph.source):
            raise SimulationError(
                "no chemical synapses among the chosen neurons",
                where=str(connectome.attrs.get("title", "connectome")),
                expected="a Connectome with edges of synapse kind 'chemical'",
                do="choose an anatomical connectome",
            )
        return graph

    def subgraph(self, chosen: NDArray[np.int64]) -> "Graph":
        """The graph on the nodes `chosen`, renumbered in that order; edges sorted by (source, target)."""
        new = np.full(len(self.labels), -1)
        new[chosen] = np.arange(len(chosen))

        def keep(source: NDArray, target: NDArray, count: NDArray) -> tuple[NDArray, NDArray, NDArray]:
            s, t = new[source], new[target]
            inside = np.flatnonzero((s >= 0) & (t >= 0))
            inside = inside[np.lexsort((t[inside], s[inside]))]
            return s[inside], t[inside], count[inside]

        return Graph(
            tuple(self.labels[i] for i in chosen),
            *keep(self.source, self.target, self.count),
            self.sign[chosen],
            *keep(self.gap_source, self.gap_target, self.gap_count),
            signs_from=self.signs_from,
        )

    def reached_first(self, driven: NDArray[np.int64], mv_per_synapse: float) -> "Graph":
        """The graph with the neurons that a drive reaches beside each other, so that those at rest lie together too.

        A neuron counts as far as neurons that probably fire have synapses on it. Groups of neurons alike in this are dealt over
        the whole range: every part of the range has its share of the work.

        Parameters
        ----------
        driven : int array
            Nodes that fire.
        mv_per_synapse : float
            Mean depolarisation of a neuron by one synapse of a node of `driven`, over the distance to the threshold.

        Returns
        -------
        Graph
            The same neurons, labels and edges, renumbered.
        """
        n = len(self.labels)
        firing = np.zeros(n)
        firing[driven] = 1.0
        for _ in range(_HOPS):
            weight = mv_per_synapse * self.sign[self.source] * self.count
            mean = np.asarray(np.bincount(self.target, weight * firing[self.source], minlength=n), np.float64)
            # Little input fires nobody: what is far below the threshold would spread over the whole graph.
            firing = np.where(mean >= _FIRES, np.minimum(mean, 1.0), 0.0)
            firing[driven] = 1.0
        reached = np.bincount(self.target, firing[self.source], minlength=n) + firing
        ranked = np.argsort(-reached, kind="stable")
        whole = n // _GROUP
        # Multiples of the golden section, modulo 1, fill the range evenly however many there are.
        dealt = np.argsort((np.arange(whole) * 0.6180339887498949) % 1.0, kind="stable")
        groups = ranked[: whole * _GROUP].reshape(whole, _GROUP)[dealt]
        return self.subgraph(np.concatenate([groups.ravel(), ranked[whole * _GROUP :]]))

    def without_output(self, silenced: NDArray[np.int64]) -> "Graph":
        """The graph with all outgoing edges (chemical and electrical) of `silenced` removed."""
        chemical = ~np.isin(self.source, silenced)
        electrical = ~np.isin(self.gap_source, silenced)
        return Graph(
            self.labels,
            self.source[chemical],
            self.target[chemical],
            self.count[chemical],
            self.sign,
            self.gap_source[electrical],
            self.gap_target[electrical],
            self.gap_count[electrical],
            signs_from=self.signs_from,
        )


def _text(variable: xr.DataArray) -> NDArray[np.str_]:
    # Variable-length strings of a store have no cast to fixed-length ones.
    return np.array(variable.values.tolist(), dtype=np.str_)


def _kind(
    mask: NDArray[np.bool_], source: NDArray, target: NDArray, weight: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    return source[mask], target[mask], weight[mask]


def _signs(connectome: xr.Dataset, unknown: float) -> tuple[NDArray[np.float64], str]:
    if unknown not in (-1, 0, 1):
        raise SimulationError(f"unknown_sign is {unknown}", where="connectome", expected="+1, 0 or −1")
    given = "0" if unknown == 0 else f"{unknown:+g}".replace("-", "−")
    if "sign" in connectome:
        sign = connectome["sign"].values.astype(np.float64)
        known = np.isfinite(sign) & (sign != 0)
        return np.where(known, sign, unknown), f"node variable sign, {given} where it is unknown"
    if "neurotransmitter" in connectome:
        transmitter = np.char.lower(_text(connectome["neurotransmitter"]))
        sign = np.where(transmitter == "gaba", -1.0, np.where(transmitter == "", unknown, 1.0))
        return sign, f"neurotransmitter: −1 for GABA, +1 otherwise, {given} without one"
    count = connectome.sizes["node"]
    return np.full(count, float(unknown)), f"all {given}: the connectome has neither sign nor neurotransmitter"
