"""What takes more than ten seconds says so, once: a clock that the test moves, no waiting."""

import io
import logging
import sys
import threading

import numpy as np
import pytest

from allometry.compare.inference import progress
from allometry.compare.inference.statistics import resample


class Clock:
    def __init__(self, step: float) -> None:
        self.now, self.step = 1000.0, step  # a clock starts anywhere

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "allometry")
    return caplog


def _walk(seconds_each: float, monkeypatch: pytest.MonkeyPatch, n: int = 10) -> list[int]:
    now = Clock(seconds_each)
    monkeypatch.setattr(progress, "clock", now)
    seen = []
    for item in progress.steps(range(n), "distances"):
        seen.append(item)
        now.now += now.step
    return seen


def test_ten_seconds_of_silence_then_one_line(log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _walk(0.9, monkeypatch) == list(range(10))
    assert not log.messages
    assert _walk(3.0, monkeypatch) == list(range(10))
    assert log.messages == ["distances: 4 of 10, about 18 s left after 12 s"]


def test_a_measure_within_a_measure_adds_no_line(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = Clock(4.0)
    monkeypatch.setattr(progress, "clock", now)
    for _ in progress.steps(range(6), "resamples"):
        now.now += 5.0
        for _ in progress.steps(range(5), "distances"):
            now.now += 1.0
    assert [m.split(":")[0] for m in log.messages] == ["resamples"]
    assert _walk(3.0, monkeypatch) == list(range(10)), "the display is free again"
    assert len(log.messages) == 2


def test_the_display_is_free_after_an_error(log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    now = Clock(0)
    monkeypatch.setattr(progress, "clock", now)

    def failing() -> None:
        for k in progress.steps(range(5), "first"):
            now.now += 11.0
            if k == 3:
                raise ValueError

    with pytest.raises(ValueError):
        failing()
    _walk(3.0, monkeypatch)
    assert [m.split(":")[0] for m in log.messages] == ["first", "distances"]


def test_a_bar_on_a_terminal(log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    _walk(3.0, monkeypatch)
    assert "distances" in screen.getvalue()
    assert not log.messages


def test_a_call_without_steps_says_before_it_starts_how_long_it_takes(log: pytest.LogCaptureFixture) -> None:
    with progress.whole("persistence", 9):
        assert not log.messages
    with progress.whole("persistence", 240):
        assert log.messages == ["persistence: about 4 min"]


def test_a_call_that_takes_longer_than_guessed_says_so_while_it_runs(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE_S", 0.05)
    with progress.whole("eigenvalues", 0.04):
        for _ in range(6000):
            if log.messages:
                break
            threading.Event().wait(0.01)
    assert log.messages == ["eigenvalues: still running after 0 s"]
    assert progress._display.acquire(blocking=False), "the display is free again"
    progress._display.release()


def test_a_small_call_starts_no_thread_and_a_fast_one_says_nothing(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with progress.whole("eigenvalues", 5):
        pass  # shorter than guessed
    monkeypatch.setattr(progress.threading, "Timer", None)
    with progress.whole("eigenvalues", 0.09):
        pass
    assert not log.messages


def test_a_notice_that_comes_too_late_shows_nothing(log: pytest.LogCaptureFixture) -> None:
    notice = progress._Notice("eigenvalues", "eigenvalues: still running")
    notice.close()
    notice.show()
    assert not log.messages
    assert progress._display.acquire(blocking=False)
    progress._display.release()


def test_resamples_show_progress(log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    now = Clock(0)
    monkeypatch.setattr(progress, "clock", now)

    def slow(index: np.ndarray) -> float:
        now.now += 1.0
        return float(index.mean())

    resample(slow, 20, seed=0, n=40)
    assert [m for m in log.messages if m.startswith("bootstrap")] == [log.messages[0]]
    assert "10 of 40" in log.messages[0]
