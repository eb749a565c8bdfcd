"""`exact` precision is spike for spike NEST 3.10 on 2000 neurons and 400,000 synapses (tests/reference)."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from allometry.simulate.build.plan.network import compile_network
from tests.reference import random_network
from tests.reference.identity_network import identity_network
from tests.simulate import engine


@pytest.mark.parametrize("model", ["iaf_psc_exp", "iaf_psc_delta", "iaf_psc_alpha"])
def test_every_spike_is_nests(root: Path, model: str) -> None:
    plan = compile_network(identity_network(model), 1, "exact")
    assert plan.rounding_error == 0.0
    found = engine.decoded(engine.run_plan(plan, [round(random_network.DURATION_MS / random_network.DT_MS)], 1, 2))
    with np.load(root / "tests" / "data" / f"nest_identity_{model}.npz", allow_pickle=False) as stored:
        stamp, unit = np.cumsum(stored["stamp_difference"], dtype=np.int64), stored["unit"].astype(np.int64)
        digest = str(stored["sha256"])
    assert len(stamp) > 50_000
    np.testing.assert_array_equal(found, np.stack([stamp - 1, unit], axis=1))
    ours = np.ascontiguousarray(found[:, 0] + 1).astype("<i8").tobytes() + np.ascontiguousarray(found[:, 1]).tobytes()
    assert hashlib.sha256(ours).hexdigest() == digest
