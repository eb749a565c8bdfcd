"""Oracle: axes whose interval, jitter and gaps are known by construction."""

import numpy as np
import pytest

from allometry.errors import ReaderError
from allometry.homogenize.traces import timebase


def test_describe_measures_interval_gaps_and_jitter():
    time = np.concatenate([np.arange(0, 10, 0.5), np.arange(20, 30, 0.5)]) + 1000
    base = timebase.describe(time, where="x")
    assert (base.dt, base.gaps, base.start) == (0.5, 1, 1000)
    assert base.time[0] == 0
    assert base.jitter < 1e-9
    assert base.rate_hz == 2
    rng = np.random.default_rng(0)
    steps = rng.normal(0.5, 0.01, 20000)
    assert timebase.describe(np.cumsum(steps), where="x").jitter == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("time", [[0, 1, 1, 2], [0, 2, 1], [0, np.nan, 2], [0], [[0, 1], [2, 3]], ["a", "b"]], ids=str)
def test_unusable_time_is_an_error(time):
    with pytest.raises(ReaderError, match="where"):
        timebase.describe(time, where="file x")


def test_length_mismatch_is_an_error_unless_truncation_is_asked_for():
    with pytest.raises(ReaderError, match="5 samples but 6 time stamps"):
        timebase.match_length(np.arange(6), 5, where="x")
    time, keep, notes = timebase.match_length(np.arange(6), 5, policy="truncate", where="x")
    assert (time.size, keep) == (5, 5)
    assert "6 time stamps" in notes["length_mismatch"]
    time, keep, notes = timebase.match_length(np.arange(4), 5, policy="truncate", where="x")
    assert (time.size, keep) == (4, 4)
    assert timebase.match_length(np.arange(5), 5, where="x")[2] == {}
    with pytest.raises(ReaderError):
        timebase.match_length(np.arange(6), 5, policy="guess", where="x")  # type: ignore[arg-type]


def test_derived_time_is_flagged():
    time, notes = timebase.derive_time(3137, duration_s=1080, why="published")
    assert 1 / np.diff(time).mean() == pytest.approx(2.905, abs=5e-4)
    assert "derived" in notes["time"]
    assert "published" in notes["time"]
    for bad in ({}, {"rate_hz": 1, "duration_s": 2}, {"rate_hz": -1}, {"rate_hz": "fast"}):
        with pytest.raises(ReaderError):
            timebase.derive_time(10, why="x", **bad)
