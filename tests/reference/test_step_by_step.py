"""The plain numpy oracle gives the spikes of NEST, so that it can stand for NEST in tests of other networks."""

from pathlib import Path

import numpy as np
import pytest

from allometry.simulate.network import ExplicitEdges, IafPscDelta, IafPscExp, Network, Population, Projection
from tests.reference import random_network as r
from tests.reference.step_by_step import simulate

NEURON = {"iaf_psc_exp": IafPscExp, "iaf_psc_delta": IafPscDelta}


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


@pytest.mark.parametrize("model", sorted(NEURON))
def test_plain_integration_is_nest(root: Path, model: str) -> None:
    duration_ms = 300.0
    step, unit = simulate(identity_network(model), duration_ms)
    with np.load(root / "tests" / "data" / f"nest_identity_{model}.npz", allow_pickle=False) as stored:
        stamp, nest_unit = np.cumsum(stored["stamp_difference"].astype(np.int64)), stored["unit"].astype(np.int64)
    seen = stamp <= round(duration_ms / r.DT_MS)
    assert seen.sum() > 10_000
    np.testing.assert_array_equal(step + 1, stamp[seen])
    np.testing.assert_array_equal(unit, nest_unit[seen])
