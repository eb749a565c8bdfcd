"""The random networks of the identity test as a `Network` (`random_network` itself is numpy only, for NEST)."""

from allometry.network import ExplicitEdges, IafPscAlpha, IafPscDelta, IafPscExp, Network, Population, Projection
from tests.reference import random_network as r

NEURON = {"iaf_psc_exp": IafPscExp, "iaf_psc_delta": IafPscDelta, "iaf_psc_alpha": IafPscAlpha}


def identity_network(model: str) -> Network:
    """The network of `random_network` as a `Network` of two populations."""
    edges = r.network(model)
    part = {"E": slice(0, r.N_EXCITATORY), "I": slice(r.N_EXCITATORY, r.N)}
    populations = tuple(
        Population(name, s.stop - s.start, NEURON[model](**r.PARAMETERS[model], I_e=current), edges["v0_mv"][s])
        for (name, s), current in zip(part.items(), r.I_E_PA[model])
    )
    projections = []
    for a, s in part.items():
        for b, t in part.items():
            mine = (
                (edges["source"] >= s.start)
                & (edges["source"] < s.stop)
                & (edges["target"] >= t.start)
                & (edges["target"] < t.stop)
            )
            rule = ExplicitEdges(
                edges["source"][mine] - s.start,
                edges["target"][mine] - t.start,
                edges["weight"][mine],
                edges["delay_steps"][mine] * r.DT_MS,
            )
            projections.append(Projection(a, b, rule))
    return Network(populations, tuple(projections), dt_ms=r.DT_MS)
