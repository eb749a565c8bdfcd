"""A job per size, scheme and seed; one at full size for all schemes; points of runs that are the same simulation."""

from typing import Any

import pytest

from allometry import config
from allometry.config import StudyConfig
from allometry.errors import SimulationError
from allometry.scale.jobs import calibrations, jobs, reference_size, same_point
from allometry.workflow.places.studies import study as configured

STUDY: dict[str, Any] = {
    "model": "brunel",
    "sizes": [0.05, 0.1, 1.0],
    "schemes": ["compensated", "indegree"],
    "seeds": [1, 2],
    "duration_ms": 100.0,
    "skip_ms": 20.0,
}


def values(**changes: Any) -> dict[str, Any]:
    return StudyConfig.model_validate({**STUDY, **changes}).model_dump(mode="json")


def test_a_job_per_size_scheme_and_seed_and_one_for_all_schemes_at_full_size() -> None:
    found = jobs(values())
    assert [(job.size, job.schemes, job.seed) for job in found] == [
        *((size, (scheme,), seed) for size in (0.05, 0.1) for scheme in ("compensated", "indegree") for seed in (1, 2)),
        *((1.0, ("compensated", "indegree"), seed) for seed in (1, 2)),
    ]
    assert len({job.name for job in found}) == len(found)
    assert found[0].parameters["parameters"] == {"scale": 0.05}
    assert found[2].parameters["parameters"] == {"scale": 0.05, "k_scale": 1.0}
    assert found[-1].name.startswith("1_full_s2_")


def test_names_follow_what_determines_the_result_alone() -> None:
    names = [job.name for job in jobs(values())]
    assert [job.name for job in jobs(values(statistics=["cv"], tolerance=0.5, bin_ms=2.0))] == names
    for changes in ({"duration_ms": 200.0}, {"precision": "exact"}, {"parameters": {"g": 6.0}}):
        assert not set(names) & {job.name for job in jobs(values(**changes))}, changes


def test_reference_is_full_size_or_the_one_of_most_neurons() -> None:
    assert reference_size(values()) == 1.0
    assert reference_size(values(sizes=[0.05, 0.2, 0.1])) == 0.2
    assert reference_size(values(reference=0.05)) == 0.05


@pytest.mark.parametrize(
    ("changes", "what", "where", "do"),
    [
        ({"model": "brunnel"}, "unknown model 'brunnel'", "model", "perhaps 'brunel' is meant"),
        ({"model": "connectome_lif"}, "has no other size", "model", "reduce and schemes"),
        ({"schemes": ["compensatd"]}, "has no scheme 'compensatd'", "schemes", "perhaps 'compensated' is meant"),
        ({"sizes": [1e-5]}, "has no size 1e-05", "sizes", ""),
        ({"parameters": {"scale": 0.1}}, "scale is what the size decides", "parameters.scale", "leave it out"),
    ],
)
def test_what_cannot_be_studied_is_refused(changes: dict[str, Any], what: str, where: str, do: str) -> None:
    with pytest.raises(SimulationError) as error:
        jobs(values(**changes))
    assert what in error.value.what
    assert (error.value.where, do in error.value.do) == (where, True)


def test_points_of_a_run_are_reused_where_they_are_the_same() -> None:
    run = {"kind": "network", "model": "brunel", "parameters": {"scale": [0.05, 0.2]}, "duration_ms": 100, "seeds": [2]}
    other = {**run, "duration_ms": 150}
    cfg = config.validate(
        {
            "simulate": {"runs": {"same": run, "longer": other}},
            "scale": {"studies": {"sizes": {**STUDY, "runs": ["longer", "same"]}}},
        }
    )
    made = configured(cfg, "sizes")
    reused = {job: places for job, places in made.spikes.items() if job not in made.own}
    assert len(reused) == 1
    (job,) = reused
    assert (made.jobs[job].size, made.jobs[job].seed) == (0.05, 2)
    assert reused[job]["unchanged"].startswith("results/simulated/same/scale0.05_s2_")
    assert len(made.own) == 9


def test_defaults_that_are_written_out_are_the_same_simulation() -> None:
    job = next(job for job in jobs(values()) if job.schemes == ("indegree",))
    point = {
        "kind": "network",
        "model": "brunel",
        "duration_ms": 100.0,
        "precision": "fast",
        "record": {"spikes": True, "counts_bin_ms": 2.0, "voltage": {}},
        "connectome": None,
        "parameters": {"scale": 0.05, "k_scale": 1.0, "g": 5.0},
        "seed": 1,
    }
    assert same_point(job, None, [{**point, "seed": 2}, point]) == 1
    for changes in ({"precision": "exact"}, {"parameters": {"scale": 0.05}}, {"record": {"spikes": False}}):
        assert same_point(job, None, [{**point, **changes}]) is None, changes
    silenced = {"name": "cut", "silenced": {"E": 5}, "seed": None}
    assert same_point(job, None, [{**point, "condition": silenced}]) is None
    assert (
        same_point(job, {"silenced": {"E": 5}, "seed": None, "currents_pa": {}}, [{**point, "condition": silenced}])
        == 0
    )


def test_a_model_without_free_factors_has_no_calibrations() -> None:
    assert calibrations(values()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sizes": [0.1, 0.1]}, "sizes lists 0.1 more than once"),
        ({"reference": 0.2}, "the reference 0.2 is none of the sizes"),
        ({"skip_ms": 100.0}, "nothing is left of 100 ms"),
        ({"seeds": [101]}, "seed 101 is one of the study and of its calibration"),
        ({"conditions": {"all": {}}}, "'all' cannot name a condition"),
        ({"calibration": {"seeds": [7, 8]}}, "at least 3"),
        ({"statistic": ["rate"]}, "did you mean 'statistics'"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], said: str) -> None:
    from allometry.errors import ConfigError

    with pytest.raises(ConfigError, match=said):
        config.validate({"scale": {"studies": {"sizes": {**STUDY, **changes}}}})
