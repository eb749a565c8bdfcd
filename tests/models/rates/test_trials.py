"""Trials of the rate models as responses: columns, areas, and that what they say is what was run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allometry import simulate, stores
from allometry.errors import SimulationError
from allometry.models import features
from allometry.models.rates import motor_loops
from allometry.simulate.features import gather, responses_of, run_feature

TIMING: dict[str, Any] = {"construction": "matched", "n": 300, "cues": 3, "recorded": 40}
MOTIFS: dict[str, Any] = {"n": 80, "motifs": 3, "preparation_rank": 20, "count": 6, "recorded": 20}


def made(name: str, parameters: dict[str, Any], client: Any, folder: Path, seed: int = 1) -> features.Features:
    execution = simulate.Execution(threads=1, cluster=client, checkpoint="off", progress=False)
    return responses_of(features.build(name, parameters, seed), seed, folder, execution)


def area(found: features.Features, name: str) -> np.ndarray:
    return np.asarray(found.response)[np.asarray(found.units["area"]) == name]


def test_trials_of_the_mean_field_are_those_of_its_equations(client: Any, tmp_path: Path) -> None:
    found = made("low_rank_timing", {**TIMING, "construction": "mean_field"}, client, tmp_path)
    assert found.response.shape == (40 + 2 + 2 + 1, 3, 80)
    assert not list(tmp_path.iterdir())
    np.testing.assert_allclose(found.presentations["cue"], [0.0, 0.25, 0.5])
    np.testing.assert_allclose(found.presentations["target_interval"], [0.8, 1.55, 2.3])
    # measured once at steps of 5 ms: 813.2, 1571.0, 2741.3 ms
    np.testing.assert_allclose(found.presentations["mean_field_interval"], [0.8132, 1.571, 2.7413], rtol=0.005)
    np.testing.assert_allclose(found.presentations["interval"], found.presentations["mean_field_interval"], rtol=0.002)
    np.testing.assert_allclose(area(found, "latent"), area(found, "mean field"), atol=5e-3)
    assert found.presentations["trained"].tolist() == [True, True, False]
    assert found.lag_s is not None
    np.testing.assert_allclose(found.lag_s, np.arange(80) * 0.05)


def test_noise_makes_trials_differ_and_seeds_networks(client: Any, tmp_path: Path) -> None:
    asked = {**TIMING, "noise": 0.1, "repeats": 2, "duration_ms": 1000.0}
    found = made("low_rank_timing", asked, client, tmp_path)
    assert list(found.presentations["repeat"]) == [0, 1] * 3
    x = area(found, "cortex")
    # all trials of a cue begin in one state
    np.testing.assert_array_equal(x[:, 0, 0], x[:, 1, 0])
    assert 0.05 < (x[:, 0, 1:] - x[:, 1, 1:]).std() / np.sqrt(2) < 0.4
    again = made("low_rank_timing", asked, client, tmp_path)
    np.testing.assert_array_equal(found.response, again.response)
    other = made("low_rank_timing", asked, client, tmp_path, seed=2)
    assert not np.array_equal(found.response, other.response)


def test_motifs_are_cut_where_they_are_played(client: Any, tmp_path: Path) -> None:
    found = made("thalamocortical_motifs", {**MOTIFS, "preparation_tau": 20.0}, client, tmp_path)
    assert found.response.shape == (22, 12, 60)
    error, first = np.asarray(found.presentations["error"]), np.asarray(found.presentations["stimulus"]) == "first"
    previous = np.asarray(found.presentations["previous"])
    assert (previous[first] == -1).all()
    assert (previous[~first] != np.asarray(found.presentations["motif"])[~first]).all()
    target = area(found, "target")[0]
    for row, motif in zip(target, found.presentations["motif"]):
        np.testing.assert_array_equal(row, motor_loops.targets(3)[motif, :300:5])
    # the error of a motif that begins right is what its modes leave; long preparation comes near it
    assert 0.01 < np.median(error[first]) < 0.08
    assert np.median(error[~first]) < 1.3 * np.median(error[first])
    unprepared = made("thalamocortical_motifs", {**MOTIFS, "preparation_tau": 0.0}, client, tmp_path)
    assert np.median(np.asarray(unprepared.presentations["error"])[~first]) > 20 * np.median(error[~first])
    assert found.presentations["repeat"][:4] == [0, 0, 1, 0]


def test_what_was_measured_is_no_stimulus_of_gathered_runs(client: Any, tmp_path: Path) -> None:
    trials = []
    execution = simulate.Execution(threads=1, cluster=client, checkpoint="off", progress=False)
    for tau in (0.0, 5.0):
        given = {"model": "thalamocortical_motifs", "parameters": {**MOTIFS, "preparation_tau": tau}, "seed": 1}
        run_feature(given, tmp_path / f"{tau:g}.zarr", execution=execution)
        trials.append({"network": f"tau {tau:g}", "path": str(tmp_path / f"{tau:g}.zarr")})
    first = stores.open(tmp_path / "0.zarr")
    assert stores.attribute(first, "measured") == ["error"]
    assert stores.attribute(first, "fit")["converged"] in (True, False)
    gather(trials, tmp_path / "all.zarr", model="thalamocortical_motifs", populations=["cortex"], max_units=10)
    found = stores.open(tmp_path / "all.zarr")
    assert found["response"].shape == (20, 12, 60)
    assert "error" not in found
    assert set(found["area"].values.tolist()) == {"tau 0 cortex", "tau 5 cortex"}


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("low_rank_timing", {"n": 11}, "n is 11"),
        ("low_rank_timing", {"repeats": 3}, "without noise are all the same"),
        ("low_rank_timing", {"longest_cue": 2.0}, "longest_cue is 2"),
        ("low_rank_timing", {"sample_ms": 7.0}, "do not fall on steps"),
        ("low_rank_timing", {"noise": -0.1}, "noise is -0.1"),
        ("thalamocortical_motifs", {"n": 15, "preparation_rank": 16}, "the preparation has rank 16"),
        ("thalamocortical_motifs", {"n": 5}, "n is 5"),
        ("thalamocortical_motifs", {"motifs": 1}, "motifs is 1"),
        ("thalamocortical_motifs", {"preparation_tau": -1.0}, "preparation_tau is -1"),
    ],
)
def test_impossible_trials_are_refused(name: str, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        features.resolved(name, parameters)


def test_sizes_are_numbers_of_units() -> None:
    timing, motifs = features.FEATURE_MODELS["low_rank_timing"], features.FEATURE_MODELS["thalamocortical_motifs"]
    assert timing.reduce is not None
    assert motifs.reduce is not None
    assert timing.reduce(501.0, "gauss") == {"n": 500, "construction": "gauss"}
    assert motifs.reduce(100.0, "units") == {"n": 100, "preparation_rank": 10}
    for reduce, scheme in ((timing.reduce, "gauss"), (motifs.reduce, "units")):
        with pytest.raises(SimulationError, match="has no size 4"):
            reduce(4.0, scheme)
