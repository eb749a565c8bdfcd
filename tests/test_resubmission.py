"""A failed simulation that got further has not used up one of Snakemake's retries."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

from allometry import resubmission


def _job(folder: Path | None, retries: int = 2) -> Any:
    params = SimpleNamespace(checkpoint=str(folder)) if folder else SimpleNamespace()
    return SimpleNamespace(params=params, attempt=1, restart_times=retries)


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What Snakemake does with a job that failed: whether it starts it again."""

    def handle(scheduler: Any, job: Any, postprocess_job: bool = True) -> bool:
        """As in snakemake 9.27, `JobScheduler._handle_error`."""
        again = job.restart_times > job.attempt - 1
        job.attempt += again
        scheduler.append(again)
        return again

    monkeypatch.setattr(JobScheduler, "_handle_error", handle)
    resubmission.count_vain_attempts_only()

    def fails(job: Any) -> bool:
        answers: list[bool] = []
        JobScheduler._handle_error(answers, job)
        return answers[0]

    return fails


def test_attempts_that_get_further_are_not_counted(tmp_path: Path, fail: Any) -> None:
    run = tmp_path / "run-1"
    run.mkdir()
    job = _job(tmp_path)
    for step in range(1000, 21_000, 1000):  # far more than the retries
        (run / f"checkpoint-{step:012d}.json").touch()
        (run / f"checkpoint-{step - 2000:012d}.json").unlink(missing_ok=True)
        assert fail(job)
        assert job.attempt == 1
    # no further: two retries, and no more, though what was there before comes again
    (run / f"checkpoint-{3000:012d}.json").touch()
    assert [fail(job) for _ in range(3)] == [True, True, False]


def test_a_condition_that_is_through_is_progress(tmp_path: Path, fail: Any) -> None:
    job = _job(tmp_path)
    assert fail(job)
    assert job.attempt == 2
    (tmp_path / "run-1" / "condition-0123").mkdir(parents=True)
    (tmp_path / "run-1" / "condition-0123" / "done.json").touch()
    assert fail(job)
    assert job.attempt == 2


def test_other_jobs_and_runs_without_retries_are_counted_as_ever(tmp_path: Path, fail: Any) -> None:
    job = _job(None)
    assert [fail(job) for _ in range(3)] == [True, True, False]
    (tmp_path / "checkpoint-000000001000.json").touch()
    assert not fail(_job(tmp_path, retries=0))


def test_the_scheduler_of_this_snakemake_has_the_method_that_is_changed() -> None:
    assert callable(JobScheduler._handle_error)
    for words in ("restart_times", "attempt"):
        assert words in JobScheduler._handle_error.__code__.co_names
