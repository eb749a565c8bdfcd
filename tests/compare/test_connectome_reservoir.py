"""Oracles: a ring is a delay line that no rewiring keeps; random graphs are like their nulls; who counts as a neuron."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry.compare import connectome_reservoir as subject
from allometry.errors import ComparisonError

NAMES = [f"n{i:02d}" for i in range(40)]


def test_a_ring_remembers_more_than_random_wiring(make_connectome: Callable[..., xr.Dataset]) -> None:
    rng = np.random.default_rng(0)
    # weak edges at random give the ring nulls that are no rings, and every null a cycle
    ring = np.roll(np.eye(40), 1, axis=1) + 0.01 * (rng.random((40, 40)) < 0.1)
    np.fill_diagonal(ring, 0)
    random = (rng.random((40, 40)) < 0.2) * rng.lognormal(size=(40, 40))
    np.fill_diagonal(random, 0)
    stores = {
        "ring": make_connectome(NAMES, chemical=ring),
        "random": make_connectome(NAMES, chemical=random),
    }
    result = subject.connectome_reservoir(
        stores, structure=["ring", "random"], synapses=["chemical"], radius=0.9, noise=1e-4, nulls=6, seed=1
    )
    rows = pd.DataFrame(result.rows).set_index(["measure", "candidate", "group"]).score
    assert rows[("memory_capacity", "ring", "connectome")] > rows[("memory_capacity", "ring", "random")]
    assert rows[("memory_capacity", "random", "connectome")] <= 40
    low_high = pd.DataFrame(result.rows).set_index(["measure", "candidate", "group"])
    null = low_high.loc[("memory_capacity", "random", "random")]
    assert null.ci_low < null.score < null.ci_high
    values = result.curves["reservoir_nulls"]["memory_capacity"].values
    assert values.shape == (4, 6)
    p = low_high.loc[("memory_capacity", "random", "connectome")].p
    assert 2 / 7 <= p <= 1
    r2 = result.curves["memory_by_delay"]["r2"].values[0]
    assert np.nansum(r2) == pytest.approx(rows[("memory_capacity", "ring", "connectome")])


def test_only_neurons_inside_the_recurrent_part_count_and_signs_follow_the_source(
    make_connectome: Callable[..., xr.Dataset],
) -> None:
    chemical = np.zeros((40, 40))
    chemical[:12, :12] = 1 - np.eye(12)
    chemical[0, 12] = chemical[12, 13] = 5  # a chain that leads out: 13 has no output, and without it 12 has none
    electrical = np.zeros((40, 40))
    electrical[0, 1] = electrical[1, 0] = 3
    store = make_connectome(NAMES, chemical=chemical, electrical=electrical)
    store["sign"] = ("node", np.where(np.arange(40) == 0, -1.0, np.nan), {"units": "1"})
    store["type"] = ("node", np.array(["sensory" if i in (2, 3) else "inter" for i in range(40)], dtype=object))
    parts, driven = subject._network("x", store, ["chemical", "electrical"])
    assert parts[0].shape == (12, 12)
    assert parts[0][0].sum() == -11
    assert parts[1][0, 1] == 3
    assert driven.tolist() == [2, 3]


def test_a_feed_forward_graph_is_refused(make_connectome: Callable[..., xr.Dataset]) -> None:
    chain = np.diag(np.ones(39), 1)
    with pytest.raises(ComparisonError, match="0 neurons have both"):
        subject.connectome_reservoir(
            {"x": make_connectome(NAMES, chemical=chain)}, structure=["x"], synapses=["chemical"]
        )
