"""Time left of a run, with times that are given; oracle: worked out by hand."""

from allometry.terminal.remaining import Remaining
from tests.terminal.plans import BENCHMARK, plan, planned

A, B, C = (BENCHMARK.format(f"simulate/{name}") for name in "abc")


def test_what_is_planned_is_left_less_what_has_passed() -> None:
    # two cores: a and b side by side, then c
    left = Remaining(
        plan(planned("simulate/a", 60), planned("simulate/b", 40), planned("simulate/c", 20, after=(0,))), 100.0
    )
    assert left.seconds(100.0) == 80.0
    assert left.seconds(110.0) == 70.0
    assert left.planned(B) == 40.0
    assert left.planned("none") == 0.0


def test_jobs_that_take_longer_make_the_rest_longer() -> None:
    left = Remaining(plan(planned("simulate/a", 60), planned("simulate/c", 20, after=(0,))), 0.0)
    left.started(A, 0.0)
    left.finished(A, 120.0)
    # 60 s of the plan took 120
    assert left.seconds(120.0) == 40.0
    left.started(C, 120.0)
    assert left.seconds(150.0) == 10.0
    assert left.seconds(1000.0) == 0.0
    left.finished(C, 170.0)
    assert left.seconds(170.0) == 0.0


def test_a_running_job_counts_with_what_is_left_of_it() -> None:
    left = Remaining(plan(planned("simulate/a", 10), planned("simulate/b", 50)), 0.0)
    left.started(A, 0.0)
    left.started(B, 0.0)
    left.finished(A, 10.0)
    assert left.seconds(10.0) == 40.0


def test_jobs_without_a_benchmark_change_nothing() -> None:
    left = Remaining(plan(planned("simulate/a", 10)), 0.0)
    left.started("", 0.0)
    left.finished("", 5.0)
    assert left.seconds(5.0) == 5.0
