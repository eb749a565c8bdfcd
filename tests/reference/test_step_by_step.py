"""The plain numpy oracle gives the spikes of NEST, so that it can stand for NEST in tests of other networks."""

from pathlib import Path

import numpy as np
import pytest

from tests.reference import random_network as r
from tests.reference.identity_network import NEURON, identity_network
from tests.reference.step_by_step import simulate


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
