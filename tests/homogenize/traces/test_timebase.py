"""Oracle: axes whose interval, jitter and gaps are known by construction."""

from datetime import datetime

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


@pytest.mark.parametrize(
    "stamps",
    [
        ["2024-05-17T10:00:00", "2024-05-17T10:00:00.25", "2024-05-17T10:00:00.5"],
        ["2024-05-17T10:00:00Z", "2024-05-17T12:00:00.25+02:00", "2024-05-17T10:00:00.5Z"],
        [b"2024-05-17 10:00:00", b"2024-05-17 10:00:00.25", b"2024-05-17 10:00:00.5"],
        [datetime(2024, 5, 17, 10, 0, 0, us) for us in (0, 250_000, 500_000)],
        np.array([0, 250, 500], "timedelta64[ms]"),
        ["7", "7.25", "7.5"],
        np.array([7, 7.25, 7.5], object),
    ],
    ids=str,
)
def test_datetimes_and_text(stamps):
    base = timebase.describe(stamps, where="x")
    np.testing.assert_array_equal(base.time, [0, 0.25, 0.5])
    assert base.dt == 0.25


def test_text_that_is_no_time_is_named():
    with pytest.raises(ReaderError, match="sample 1 is no time: 'noon'"):
        timebase.describe(["2024-05-17T10:00:00", "noon", "2024-05-17T10:00:01"], where="x")
    with pytest.raises(ReaderError, match="not finite at sample 1"):
        timebase.describe(np.array(["2024-05-17", "NaT", "2024-05-18"], "datetime64[s]"), where="x")
    with pytest.raises(ReaderError, match="not numeric"):
        timebase.describe(["17/05/2024", "18/05/2024"], where="x")


@pytest.mark.parametrize(("unit", "factor"), timebase.UNITS.items())
def test_units_of_time(unit, factor):
    base = timebase.describe(np.array([4, 5, 6, 7]) * 1e-3 / factor, where="x", unit=unit)
    np.testing.assert_allclose(base.time, [0, 1e-3, 2e-3, 3e-3], atol=1e-12)
    assert base.start == pytest.approx(4e-3)
    assert ("time_unit" in base.notes) == (factor != 1)


def test_unsigned_stamps_that_run_backwards_are_refused():
    """Differences of unsigned numbers wrap around to huge steps forward."""
    with pytest.raises(ReaderError, match="Time does not increase from sample 1"):
        timebase.describe(np.array([1, 3, 2], np.uint32), where="x")


def test_plausible_as_seconds_or_not():
    assert timebase.describe(np.arange(5) * 10.0, where="x").dt == 10
    assert timebase.describe(np.arange(5) * 2e-5, where="x").dt == pytest.approx(2e-5)
    for step in (10.1, 1.9e-5):
        with pytest.raises(ReaderError, match="taken as seconds"):
            timebase.describe(np.arange(5) * step, where="x")
        assert timebase.describe(np.arange(5) * step, where="x", unit="s").dt == pytest.approx(step)


def test_pauses_and_wrong_stamps():
    """60 s of recording: a pause of ten times that is one, more is none; a lone stamp may be 100 intervals away."""
    part = np.arange(121) * 0.25
    allowed = np.concatenate([part, part + 630])
    assert timebase.describe(allowed, where="x").gaps == 1
    with pytest.raises(
        ReaderError, match=r"sample 121 is 631 s, 601 s after the one before; the others are 0.25 s apart"
    ):
        timebase.describe(np.concatenate([part, part + 631]), where="x")
    assert timebase.describe(np.append(part, part[-1] + 25), where="x").gaps == 1
    with pytest.raises(ReaderError, match=r"sample 121 is 55.1 s"):
        timebase.describe(np.append(part, part[-1] + 25.1), where="x")
    with pytest.raises(ReaderError, match=r"sample 0 is -25.1 s, 25.1 s before the next"):
        timebase.describe(np.append(-25.1, part), where="x")
    assert timebase.describe(np.append(part, part[-1] + 25.1), where="x", max_pause_s=25.1).gaps == 1
    with pytest.raises(ReaderError, match=r"no interval above 0\.2 s"):
        timebase.describe(part, where="x", max_pause_s=0.2)


def test_the_first_step_back_is_named_and_a_column_is_an_axis() -> None:
    with pytest.raises(ReaderError, match=r"from sample 2 \(.*\) to the next"):
        timebase.describe([0.0, 1, 2, 1, 2, 1, 2], where="x")
    assert timebase.describe(np.arange(5.0)[:, None], where="x").time.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ReaderError, match="shape"):
        timebase.describe(np.arange(6.0).reshape(3, 2), where="x")


def test_dates_start_in_seconds_since_1970() -> None:
    time = np.datetime64("1970-01-02T00:00:00.5") + np.arange(4) * np.timedelta64(250, "ms")
    assert timebase.describe(time, where="x").start == 86400.5


@pytest.mark.parametrize(
    "given", [{"rate_hz": 0}, {"rate_hz": -1.0}, {"duration_s": 0.0}, {"duration_s": np.inf}, {"rate_hz": "a"}]
)
def test_a_rate_or_duration_that_is_none(given):
    with pytest.raises(ReaderError, match="is not a usable sampling rate or duration"):
        timebase.derive_time(5, why="x", **{"rate_hz": None, "duration_s": None, **given})


def test_unsigned_stamps_at_the_end_of_the_signed_range():
    """Up to 2^63 - 1 they are integers without rounding; from 2^63 on they would be negative ones."""
    base = timebase.describe(np.array([2**63 - 3, 2**63 - 2, 2**63 - 1], np.uint64), where="x")
    assert base.time.tolist() == [0, 1, 2]
    high = np.uint64(2**63) - np.arange(5, dtype=np.uint64)[::-1] * np.uint64(4096)
    assert timebase.describe(high, where="x", unit="s").time.tolist() == [0, 4096, 8192, 12288, 16384]


def test_messages_name_the_samples_and_their_values():
    with pytest.raises(ReaderError, match=r"sample 1 is at 5 and sample 2 at 16, taken as seconds"):
        timebase.describe(np.cumsum([0, 5, 11, 11, 11]), where="x")
    with pytest.raises(ReaderError, match=r"from sample 1 \(3.*\) to the next \(2.*\)"):
        timebase.describe([1, 3, 2, 4], where="x")
    with pytest.raises(ReaderError, match=r"sample 1\."):
        timebase.describe([0.0, np.nan, 2.0, np.nan, 4.0], where="x")
    with pytest.raises(ReaderError, match="Unknown unit of time 'parsec'"):
        timebase.describe([0.0, 1.0], where="x", unit="parsec")


def test_a_gap_does_not_count_as_jitter_whatever_the_interval():
    for dt in (0.25, 4.0):
        steps = np.full(40, dt)
        steps[20] = 1.5 * timebase.GAP_FACTOR * dt
        base = timebase.describe(np.cumsum(steps), where="x")
        assert base.gaps == 1
        assert base.jitter < 1e-9


def test_dates_may_be_far_apart_and_a_derived_axis_says_from_what():
    dates = np.datetime64("2024-05-01T00:00:00") + np.arange(4) * np.timedelta64(60, "s")
    base = timebase.describe(dates, where="x")
    assert base.dt == 60
    assert base.notes["time_from"].startswith("datetimes, the first 2024-05-01T00:00:00")
    time, notes = timebase.derive_time(4, rate_hz=0.5, why="x")
    assert time.tolist() == [0, 2, 4, 6]
    assert "a rate of 0.5 Hz" in notes["time"]
    time, notes = timebase.derive_time(4, duration_s=2.0, why="x")
    assert time.tolist() == [0, 0.5, 1, 1.5]
    assert "a duration of 2 s" in notes["time"]
