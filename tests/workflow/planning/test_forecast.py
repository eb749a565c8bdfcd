"""What studies need is said by the cost model that every job of a plan has, and what does not fit is refused."""

import os
from types import SimpleNamespace
from typing import Any

import pytest

from allometry import config
from allometry.errors import ConfigError
from allometry.workflow.job_threads import study_threads
from allometry.workflow.planning import forecast, speed
from allometry.workflow.planning.watched import Watched
from tests.scale.test_checks import configured


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Seconds of the measurement of speed: as fast as the machine of the cost model until a test says more."""
    found = dict(Watched(None, config.Config(), {}).known.speed_s)
    monkeypatch.setattr(speed, "measure", lambda: found)
    monkeypatch.setattr(speed, "others", lambda: 0.0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return found


def starting(cfg: config.Config, nodes: int | None = None) -> Watched:
    settings = SimpleNamespace(cores=None if nodes else 2, nodes=nodes, default_resources=None)
    return Watched(SimpleNamespace(resource_settings=settings), cfg, {})


def test_jobs_and_hours_are_said() -> None:
    watched = starting(configured(runs=["same"], conditions={}, seeds=[1, 2]))
    (need,) = forecast.forecasts(watched)
    # the run has one seed of .05 in the scheme that scales in-degrees too
    assert (need.simulated, need.reused, need.simulations, need.calibrations) == (7, 1, 7, 0)
    said = forecast.announcement(watched)
    assert said.startswith(
        "Study sizes: 7 jobs to simulate, 1 from runs of the simulate stage; 7 simulations, all jobs in about "
    )
    assert said.endswith(" GiB\n")


def test_more_of_everything_needs_more() -> None:
    (small,) = forecast.forecasts(starting(configured()))
    for changes in (
        {"sizes": [0.05, 0.2]},
        {"duration_ms": 2000.0},
        {"conditions": {"a": {}, "b": {}}},
        {"seeds": [1, 2, 3, 4]},
    ):
        (large,) = forecast.forecasts(starting(configured(**changes)))
        assert large.seconds > small.seconds, changes
        assert large.largest_bytes >= small.largest_bytes, changes


def test_a_slow_machine_takes_longer_and_a_busy_one_says_so(
    machine: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    (need,) = forecast.forecasts(starting(configured()))
    machine.update({part: 3 * seconds for part, seconds in machine.items()})
    monkeypatch.setattr(speed, "others", lambda: 2.0)
    (slow,) = forecast.forecasts(starting(configured()))
    assert (slow.seconds, slow.crowding) == (pytest.approx(3 * need.seconds), 2.0)
    assert f"in about {forecast.duration(6 * need.seconds)}, at most" in str(slow)
    # what others take now is no reason to refuse a study
    hours = 3.5 * need.seconds / 3600
    assert "Study sizes" in forecast.announcement(starting(configured(scale={"hours": hours})))
    (submitted,) = forecast.forecasts(starting(configured(), nodes=5))
    assert submitted.crowding == 1.0


@pytest.mark.parametrize(
    ("scale", "what", "expected"),
    [
        ({"memory_gib": 0.1}, "need about", "at most 0.1 GiB (scale.memory_gib)"),
        ({"hours": 1e-4}, "the study takes about", "at most 0.0001 h (scale.hours)"),
    ],
)
def test_a_study_that_does_not_fit_is_refused_before_it_runs(scale: dict[str, Any], what: str, expected: str) -> None:
    with pytest.raises(ConfigError) as error:
        forecast.announcement(starting(configured(scale=scale)))
    assert what in error.value.what
    assert (error.value.where, error.value.expected) == ("scale.studies.sizes", expected)


def test_memory_of_this_machine_is_no_limit_of_jobs_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "free_memory", lambda: 2**20)
    forecast.announcement(starting(configured(), nodes=5))
    with pytest.raises(ConfigError, match="need about"):
        forecast.announcement(starting(configured()))


def test_many_jobs_of_a_study_share_the_cores() -> None:
    cfg = configured()
    assert [study_threads(cfg, count, "microcircuit", 8) for count in (0, 1, 3, 8, 50)] == [8, 8, 2, 1, 1]
    assert study_threads(cfg, 50, "sparse_rnn_classifier", 8) == 1
    partitioned = cfg.model_copy(update={"simulate": cfg.simulate.model_copy(update={"partitions": 2})})
    assert study_threads(partitioned, 50, "microcircuit", 8) == 8


def test_memory_is_that_of_the_jobs_at_once() -> None:
    (need,) = forecast.forecasts(starting(configured()))
    assert len(need.largest.split(", ")) == 2
    (submitted,) = forecast.forecasts(starting(configured(), nodes=5))
    assert ", " not in submitted.largest
    assert submitted.largest_bytes < need.largest_bytes <= 2 * submitted.largest_bytes
    with pytest.raises(ConfigError, match=r"the jobs \S+, \S+ need about"):
        forecast.announcement(starting(configured(scale={"memory_gib": 0.1})))
