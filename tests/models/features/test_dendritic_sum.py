"""The spine model against what was measured independently of the same choices (issue 20): 300 cells per number of clusters."""

from typing import Any

import numpy as np
import pytest

from allometry.compare import osi
from allometry.errors import SimulationError
from allometry.models import features
from allometry.models.features.dendritic_sum import arrangement
from allometry.models.features.v2_feedforward import preferred_orientation


def measured(parameters: dict[str, Any], seed: int) -> dict[str, Any]:
    made = features.build("dendritic_sum", parameters, seed)
    angles = np.asarray(made.presentations["orientation"])
    cells = len(made.response) // 2
    selective = np.asarray(osi(made.response.T, np.deg2rad(angles)))
    preferred = preferred_orientation(made.response, angles)
    own = np.asarray(made.units["map_orientation"])[:cells]

    def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(np.abs((a - b + 90) % 180 - 90))

    return {
        "sum": selective[:cells],
        "soma": selective[cells:],
        "clusters": np.asarray(made.units["clusters"])[:cells],
        "soma_against_sum": apart(preferred[cells:], preferred[:cells]),
        "sum_against_own": apart(preferred[:cells], own),
    }


@pytest.mark.parametrize(
    ("clusters", "soma"),
    [(0, 0.263), (1, 0.270), (2, 0.280), (4, 0.292), (6, 0.308), (8, 0.321), (10, 0.331), (12, 0.344)],
)
def test_selectivity_grows_with_clusters_and_the_preference_stays(clusters: int, soma: float) -> None:
    found = measured({"clusters": clusters}, seed=1)
    # standard deviations over cells of .04 and .021: standard errors of .0023 and .0012, of both sides
    assert found["soma"].mean() == pytest.approx(soma, abs=0.006 + 0.0023)
    assert found["sum"].mean() == pytest.approx(0.199, abs=0.006)
    assert np.median(found["soma_against_sum"]) < 1.5
    assert np.median(found["sum_against_own"]) == pytest.approx(2.25, abs=0.35)


def test_the_sum_does_not_know_of_clusters() -> None:
    none, many = (measured({"clusters": n}, seed=2)["sum"] for n in (0, 12))
    np.testing.assert_allclose(none, many, rtol=1e-12)


def test_correlations_over_cells() -> None:
    found = measured({"clusters": None, "cells": 400}, seed=3)
    assert set(found["clusters"].tolist()) == set(range(13))
    gain = found["soma"] / found["sum"]
    correlations = [
        np.corrcoef(found["soma"], found["clusters"])[0, 1],
        np.corrcoef(found["soma"], found["sum"])[0, 1],
        np.corrcoef(gain, found["clusters"])[0, 1],
    ]
    assert correlations == pytest.approx([0.50, 0.60, 0.65], abs=0.08)


@pytest.mark.parametrize(
    ("changed", "few", "many"),
    [
        ({"event_threshold": 4.5}, 0.332, 0.411),
        ({"event_threshold": 5.5, "event": 40.0}, 0.236, 0.315),
        ({"amplitude_sd": 0.5, "event_threshold": 5.5, "event": 8.0}, 0.232, 0.254),
    ],
)
def test_what_the_effect_depends_on(changed: dict[str, float], few: float, many: float) -> None:
    found = [measured({**changed, "clusters": n}, seed=1)["soma"].mean() for n in (0, 12)]
    assert found == pytest.approx([few, many], abs=0.012)


def test_clusters_hold_the_spines_nearest_to_the_preference() -> None:
    rng = np.random.default_rng(1)
    preferred, own = rng.random((3, 40)) * 180, np.array([10.0, 90.0, 170.0])
    order = arrangement(1, preferred, own, 5, np.array([0, 2, 8]))
    assert all(sorted(row) == list(range(40)) for row in order.tolist())
    apart = np.abs((preferred[1] - own[1] + 90) % 180 - 90)[order[1]]
    assert apart[:10].max() <= apart[10:].min()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"spines": 203}, "a multiple of the window"),
        ({"clusters": 41}, "do not fit in 40 windows"),
        ({"clusters": None, "spines": 20}, "12 or more"),
        ({"bias": -0.1}, "0 to 1"),
        ({"event": -1.0}, "0 or above"),
    ],
)
def test_mistakes_are_explained(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        features.build("dendritic_sum", parameters)
