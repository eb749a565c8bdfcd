"""Measured signal propagation and an anatomical connectome on one node set: the pairs that can be compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from allometry import stores
from allometry.compare.inference.roc import auc
from allometry.compare.measures.graphs.matrices import Floats, Ints, as_matrix, path_lengths, summed_rewirings
from allometry.compare.measures.graphs.structure import matched
from allometry.errors import ComparisonError

ROC_GRID = np.linspace(0.0, 1.0, 201)


def weights(connectome: xr.Dataset, synapse: str) -> tuple[list[str], Floats]:
    """Labels and weights [source, target] of one kind of synapse, without self-loops; zeros where there is none."""
    stores.require_kind(connectome, "Connectome")
    if synapse not in stores.attribute(connectome, "absent_means"):
        size = connectome.sizes["node"]
        return connectome["node"].values.tolist(), np.zeros((size, size))
    labels, matrix = stores.to_dense(connectome, synapse)
    return labels.tolist(), as_matrix(matrix)


@dataclass(frozen=True)
class Atlas:
    """Functional connectome: `value` and `q` [stimulated, responding], NaN where not measured."""

    name: str
    labels: list[str]
    value: Floats
    q: Floats

    @classmethod
    def open(cls, name: str, store: xr.Dataset) -> "Atlas":
        """Read the functional edges of a store.

        Raises
        ------
        ComparisonError
            The store has no functional edges or no `q`.
        """
        if "functional" not in stores.attribute(store, "absent_means", {}) or "q" not in store:
            raise ComparisonError(
                "the reference has no measured functional edges",
                where=name,
                expected="a Connectome store with functional edges and their false discovery rate q",
                do="name a signal propagation atlas such as randi2023_wt under `function`",
            )
        labels, value = stores.to_dense(store, "functional")
        _, q = stores.to_dense(store, "functional", "q")
        return cls(name, labels.tolist(), value.astype(float), q.astype(float))

    def restrict(self, labels: Sequence[str]) -> "Atlas":
        """The same atlas for the nodes named, in that order; nodes it does not have were not measured."""
        index = {label: i for i, label in enumerate(self.labels)}
        rows = np.array([index.get(label, -1) for label in labels])
        known = np.ix_(rows >= 0, rows >= 0)
        size = len(labels)
        value, q = np.full((size, size), np.nan), np.full((size, size), np.nan)
        value[known] = self.value[np.ix_(rows[rows >= 0], rows[rows >= 0])]
        q[known] = self.q[np.ix_(rows[rows >= 0], rows[rows >= 0])]
        return Atlas(self.name, list(labels), value, q)


@dataclass(frozen=True)
class Pairs:
    """All measured ordered pairs of different nodes that an atlas and a connectome share.

    Attributes
    ----------
    labels : list of str
        The shared nodes.
    measured : bool [node, node]
        Which pairs the vectors below list, in row-major order.
    influence : bool [pair]
        q < alpha.
    value : array [pair]
        Measured response.
    source : int [pair]
        Stimulated node, the unit of resampling.
    """

    labels: list[str]
    measured: NDArray[np.bool_]
    influence: NDArray[np.bool_]
    value: Floats
    source: Ints
    q: Floats

    @classmethod
    def of(cls, atlas: Atlas, alpha: float) -> "Pairs":
        """Pairs of an atlas that is restricted to the shared nodes."""
        measured = np.isfinite(atlas.q) & ~np.eye(len(atlas.q), dtype=bool)
        influence = atlas.q[measured] < alpha
        if influence.all() or not influence.any():
            raise ComparisonError(
                f"{influence.sum()} of {influence.size} measured pairs have q < {alpha}",
                where=atlas.name,
                expected="pairs with and without influence among the shared nodes",
                do="use another alpha, or a connectome that shares more nodes with the atlas",
            )
        source = np.nonzero(measured)[0].astype(np.int64)
        return cls(atlas.labels, measured, influence, atlas.value[measured], source, atlas.q)

    def auc(self, matrix: Floats) -> float:
        """AUC of a score [node, node] for influence."""
        return auc(matrix[self.measured], self.influence)


@dataclass(frozen=True)
class Anatomy:
    """Weights by kind of synapse on a common node set, and their sum."""

    labels: list[str]
    parts: tuple[Floats, ...]
    total: Floats

    @classmethod
    def on(cls, connectome: xr.Dataset, synapses: Sequence[str], labels: Sequence[str]) -> "Anatomy":
        """Anatomy of a connectome on the nodes it shares with `labels`."""
        parts: list[Floats] = []
        shared: list[str] = []
        for synapse in synapses:
            names, matrix = weights(connectome, synapse)
            part, _, shared = matched(matrix, names, np.zeros((len(labels), len(labels))), labels)
            parts.append(part)
        total = np.sum(parts, axis=0)
        if not total.any():
            raise ComparisonError(
                f"no {' or '.join(synapses)} edge between the nodes that both have",
                where=str(connectome.attrs.get("title", "")),
                do="choose synapses that the connectome has, or another connectome",
            )
        return cls(shared, tuple(parts), total)

    def degree_product(self) -> Floats:
        """Out-degree of the source times in-degree of the target: what degrees alone predict."""
        edges = self.total > 0
        return np.outer(edges.sum(axis=1), edges.sum(axis=0)).astype(float)

    def proximity(self) -> Floats:
        """Minus the directed path length; one step below the longest where there is no path."""
        lengths = path_lengths(self.total)
        longest = lengths[np.isfinite(lengths)].max()
        return -np.where(np.isfinite(lengths), lengths, longest + 1)

    def rewirings(self, n: int, seed: int) -> Iterator[Floats]:
        """Total weights of `n` degree-preserving nulls; each kind of synapse is rewired by itself."""
        return summed_rewirings(self.parts, n, seed=seed)


def homologues(labels: Sequence[str]) -> Ints:
    """Index of the left-right partner of each neuron (AVAL and AVAR), of itself for unpaired ones, by the names."""
    index = {label: i for i, label in enumerate(labels)}
    swap = {"L": "R", "R": "L"}
    partners = [index.get(label[:-1] + swap.get(label[-1], label[-1]), i) for i, label in enumerate(labels)]
    return np.array(partners, dtype=np.int64)


def mirrored(atlas: Atlas) -> Floats:
    """-q of the left-right mirrored pair [source, target]: what the other side of the body says; NaN where unmeasured.

    How well function predicts function bounds what anatomy can reach with the same measurement noise.
    """
    partner = homologues(atlas.labels)
    score: Floats = -atlas.q[np.ix_(partner, partner)]
    same = partner == np.arange(len(partner))
    score[np.ix_(same, same)] = np.nan
    return score
