"""Synapses onto the cells of V1: as they are drawn for a seed, or as a class of cells has them on average."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allometry.models.v1 import (
    DENSITY_E,
    DENSITY_I,
    P_EE,
    P_EI,
    P_IE,
    P_II,
    S_EE,
    S_EI,
    S_IE,
    S_II,
    SIGMA_E,
    SIGMA_I,
    expected_indegree,
)
from allometry.network import Network
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.build.synapses.wiring import drawn_synapses, with_plastic

Synapses = dict[tuple[str, str], sparse.csr_matrix]
"""By source and target population, [cell, cell]: size of the summed weight of a pair."""
_ONTO = ("E", "I")
_FROM = ("E", "I", "L6")
_PER_PART = 2**22
"""Synapses that are drawn at a time, roughly."""
#: Onto I cells from I cells, the weight is drawn for every spike: .65 to .85 of the full one.
_MEAN_II = 0.75


def drawn(net: Network, seed: int) -> Synapses:
    """The synapses onto E and I cells that a run with this seed has, of E, I and layer 6 cells."""
    plan = with_plastic(compile_network(net, seed, "fast"))
    quantum = {p.name: n.quantum.value for p, n in zip(net.populations, plan.neurons, strict=True)}
    parts = max(1, round(sum(s.expected for s in plan.synapses) / _PER_PART))
    found: dict[tuple[str, str], list[sparse.csr_matrix]] = {(a, b): [] for b in _ONTO for a in _FROM}
    for part in range(parts):
        some = drawn_synapses(plan, part, parts)
        for (source, target), matrices in found.items():
            first, start = net.offsets[source], net.offsets[target]
            shape = net.population(target).size, net.population(source).size
            here = (some.target >= start) & (some.target < start + shape[0])
            here &= (some.source >= first) & (some.source < first + shape[1])
            weight = np.abs(some.weight[here] * quantum[target]).astype(np.float32)
            matrices.append(sparse.csr_matrix((weight, (some.target[here] - start, some.source[here] - first)), shape))
    return {pair: sparse.csr_matrix(sum(matrices[1:], matrices[0])) for pair, matrices in found.items()}


def expected_weight(net: Network, source: str, target: str) -> NDArray[np.float64]:
    """Summed size of the weights that a cell has on average from E or I cells, float [number of LGN inputs]."""
    peak, strength, sigma, density = {
        "EE": (P_EE, S_EE, SIGMA_E, DENSITY_E), "EI": (P_IE, S_IE, SIGMA_E, DENSITY_E),
        "IE": (P_EI, S_EI, SIGMA_I, DENSITY_I), "II": (P_II, S_II * _MEAN_II, SIGMA_I, DENSITY_I),
    }[source + target]  # fmt: skip
    # factors of the model are named by target and source
    factor = float(net.parameters[f"x_{target}{source}".lower()])
    if net.parameters["scheme"] == "none":
        factor /= float(net.parameters["reduction"])
    return np.asarray(np.abs(factor * strength) * expected_indegree(peak, sigma, density))
