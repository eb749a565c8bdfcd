"""Times of jobs on some cores, worked out by hand."""

import pytest

from allometry.workflow.planning.schedule import Step, intervals, peak


def _step(seconds: float, cores: int = 1, after: tuple[int, ...] = ()) -> Step:
    return Step(seconds, cores, 0, after)


def test_side_by_side_and_one_after_the_other() -> None:
    three = [_step(4.0), _step(3.0), _step(2.0)]
    assert intervals(three, 3) == [(0, 4), (0, 3), (0, 2)]
    assert intervals(three, 2) == [(0, 4), (0, 3), (3, 5)]
    assert intervals(three, 1) == [(0, 4), (4, 7), (7, 9)]
    assert intervals([], 2) == []


def test_what_waits_starts_when_the_last_of_what_it_waits_for_ends() -> None:
    steps = [_step(1.0, after=(1, 2, 1)), _step(2.0), _step(5.0)]
    assert intervals(steps, 2) == [(5, 6), (0, 2), (0, 5)]


def test_a_job_of_all_cores_runs_alone_and_one_that_wants_more_gets_them() -> None:
    steps = [_step(1.0), _step(2.0, cores=8), _step(3.0)]
    # the third one fits beside the first, so that the large one comes last
    assert intervals(steps, 2) == [(0, 1), (3, 5), (0, 3)]


@pytest.mark.parametrize(
    ("spans", "largest"),
    [
        ([], 0),
        ([(0.0, 2.0, 5), (1.0, 3.0, 4), (2.5, 4.0, 6)], 10),
        # one that begins as the other ends is never there with it
        ([(0.0, 1.0, 5), (1.0, 2.0, 5)], 5),
    ],
)
def test_peak(spans: list[tuple[float, float, int]], largest: int) -> None:
    assert peak(spans) == largest
