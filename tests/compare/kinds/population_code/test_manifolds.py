"""Manifolds of repeats in the comparison: planted distances are found, and few examples of far stimuli suffice."""

import numpy as np
import pandas as pd
import pytest

from allometry.compare.kinds.population_code.comparison import population_code
from allometry.compare.measures.representations.object_manifolds import capacity
from allometry.compare.result import Result
from tests.compare.responses import directions, make_responses

STIMULI, REPEATS, UNITS = 8, 6, 24


def compared(noise: float) -> Result:
    rng = np.random.default_rng(1)
    cube = rng.normal(size=(STIMULI, 1, UNITS)) + noise * rng.normal(size=(STIMULI, REPEATS, UNITS))
    store = make_responses(cube, {"direction": directions(STIMULI)})
    return population_code({"v1": store}, responses=["v1"], nulls=20, subsets=2, splits=5, manifolds=True)


def scores(found: Result) -> pd.DataFrame:
    return pd.DataFrame(found.rows).set_index(["measure", "group"])


def test_manifolds_that_are_far_apart_have_a_large_capacity() -> None:
    near, far = compared(1.0), compared(0.2)
    rows, others = scores(far), scores(near)
    assert rows.loc[("capacity", ""), "score"] > others.loc[("capacity", ""), "score"]
    # the capacity of points is 2: that of small manifolds is nearly so
    assert 1.0 < rows.loc[("capacity", ""), "score"] < 2.5
    assert rows.loc[("capacity", ""), "p"] < 0.1
    assert rows.loc[("capacity", "shuffled labels"), "ci_high"] < rows.loc[("capacity", ""), "score"]
    assert rows.loc[("few_shot_snr", "5 examples"), "score"] > rows.loc[("few_shot_snr", "1 example"), "score"] > 2
    curve = far.curves["manifolds"]
    assert curve.sizes["entry"] == STIMULI
    assert (curve["radius"] < near.curves["manifolds"]["radius"]).all()
    assert "Sorscher" in far.derived["few_shot_snr"]


def test_the_capacity_is_that_of_the_measure() -> None:
    rng = np.random.default_rng(1)
    cube = rng.normal(size=(STIMULI, 1, UNITS)) + 0.5 * rng.normal(size=(STIMULI, REPEATS, UNITS))
    store = make_responses(cube, {"direction": directions(STIMULI)})
    found = population_code({"v1": store}, responses=["v1"], nulls=20, subsets=2, splits=5, manifolds=True, seed=3)
    expected = capacity(list(cube.astype(np.float32).astype(float)), n_t=100, seed=3).alpha
    assert scores(found).loc[("capacity", ""), "score"] == pytest.approx(expected, rel=1e-6)
