"""When checkpoints are due, and when a worker is silent, on clocks that the tests turn."""

from hypothesis import given
from hypothesis import strategies as st

from allometry.simulate.distribute.attempts import SILENT_S, Silence
from allometry.simulate.distribute.storage.checkpoint import APART_S, LONG_S, Pace


class Clock:
    """Stands still unless turned."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def made(interval: float | str, windows: list[float], cost: float, expected: float = 0.0) -> tuple[list[float], float]:
    """Times at which checkpoints began in a run whose windows take so many seconds, and how long it took in all."""
    clock = Clock()
    pace = Pace(interval, len(windows), expected_s=expected, clock=clock)
    times = []
    for seconds in windows:
        due = pace.due()
        clock.now += seconds
        if due:
            times.append(clock.now - 100.0)
            clock.now += cost
            pace.took(cost)
    return times, clock.now - 100.0


@given(
    st.lists(st.floats(0.01, 20.0), min_size=1, max_size=400),
    st.floats(0.001, 100.0),
)
def test_checkpoints_take_less_than_a_twentieth_of_the_time(windows: list[float], cost: float) -> None:
    times, whole = made("auto", windows, cost, expected=cost)
    assert len(times) * cost <= 0.05 * whole
    assert all(later - earlier >= APART_S for earlier, later in zip([0.0, *times], times))


def test_short_runs_have_no_checkpoints_and_long_ones_do() -> None:
    assert made("auto", [1.0] * int(LONG_S), 0.1)[0] == []
    times, _ = made("auto", [1.0] * 600, 0.1)
    assert times[0] == APART_S + 1
    assert len(times) == 600 // (APART_S + 1)


def test_a_run_that_slows_down_gets_checkpoints_and_a_build_counts() -> None:
    assert made("auto", [0.1] * 500 + [2.0] * 500, 0.1)[0]
    clock = Clock()
    pace = Pace("auto", 100, build_s=LONG_S, clock=clock)
    pace.due()
    clock.now += APART_S
    assert pace.due()


def test_costly_checkpoints_are_rare() -> None:
    """A fifth of a minute each: the first when 4 % of the time pays for it, the next when it pays for both."""
    times, _ = made("auto", [1.0] * 1000, 12.0, expected=12.0)
    assert times == [301.0, 601.0, 901.0]


def test_an_interval_is_kept_whatever_it_costs() -> None:
    times, _ = made(10.0, [4.0] * 10, 5.0)
    assert times == [16.0, 37.0]


def test_a_worker_is_silent_when_it_was_not_heard_of_for_a_minute_of_watching() -> None:
    clock = Clock()
    silence = Silence(clock)
    seen = {"a": 1.0, "b": 1.0}
    assert silence.look(seen) == []
    for _ in range(int(SILENT_S)):
        clock.now += 1.0
        seen["a"] += 1.0
        assert silence.look(seen) == []
    clock.now += 1.0
    assert silence.look(seen) == ["b"]
    assert silence.look({"a": 1.0, "b": 2.0}) == []


def test_time_in_which_nobody_watched_does_not_count() -> None:
    """A laptop that was closed, or Ctrl-Z: all processes stood still."""
    clock = Clock()
    silence = Silence(clock)
    silence.look({"a": 1.0})
    clock.now += 1e5
    assert silence.look({"a": 1.0}) == []
