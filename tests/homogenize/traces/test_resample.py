"""Oracle: analytic signals."""

import tracemalloc

import numpy as np
import pytest

from allometry.errors import ReaderError
from allometry.homogenize.traces import conversion
from allometry.homogenize.traces.blocks import Blocks
from allometry.homogenize.traces.conversion import new_times
from allometry.homogenize.traces.resample import check_length, resample

RNG = np.random.default_rng(1)


def interior(out, seconds=8.0):
    return (out.time > seconds) & (out.time < out.time[-1] - seconds)


@pytest.mark.parametrize("native", [6.0, 7.3, 10.0, 30.0])
@pytest.mark.parametrize("frequency", [0.05, 0.4, 1.0, 1.2])
def test_down_sampling_keeps_a_sine_below_the_new_nyquist(native, frequency):
    time = np.arange(0, 300, 1 / native)
    out = resample(np.sin(2 * np.pi * frequency * time)[:, None], time, 3.0)
    error = out.trace[:, 0] - np.sin(2 * np.pi * frequency * out.time)
    assert np.abs(error[interior(out)]).max() < 5e-3


@pytest.mark.parametrize("native", [6.0, 7.3, 10.0, 30.0])
@pytest.mark.parametrize("frequency", [1.5, 1.6, 2.0, 2.5, 2.9])
def test_down_sampling_suppresses_a_sine_above_the_new_nyquist_by_40_db(native, frequency):
    time = np.arange(0, 300, 1 / native)
    out = resample(np.sin(2 * np.pi * frequency * time + 0.3)[:, None], time, 3.0)
    level = 20 * np.log10(np.abs(out.trace[interior(out), 0]).max())
    assert level < -40


def test_a_plain_decimation_would_fail_the_aliasing_test():
    time = np.arange(0, 300, 1 / 6.0)
    alias = np.sin(2 * np.pi * 2.0 * time)[::2]
    assert np.abs(alias).max() > 0.5


@pytest.mark.parametrize("native", [1.0, 1.667, 2.0, 2.9])
def test_band_limited_up_sampling_is_exact_to_0_5_percent(native):
    time = np.arange(0, 400, 1 / native)
    frequency = 0.8 * native / 2
    out = resample(np.sin(2 * np.pi * frequency * time)[:, None], time, 3.0)
    error = out.trace[:, 0] - np.sin(2 * np.pi * frequency * out.time)
    assert np.abs(error[interior(out, 20)]).max() < 5e-3


def test_linear_up_sampling_is_numpy_interp():
    time = np.cumsum(RNG.uniform(0.5, 0.7, 300))
    trace = RNG.standard_normal((300, 4))
    out = resample(trace, time, 3.0, up="linear")
    for roi in range(4):
        np.testing.assert_allclose(out.trace[:, roi], np.interp(out.time + time[0], time, trace[:, roi]), atol=1e-5)


@pytest.mark.parametrize("native", [1.6667, 10.0])
def test_jittered_time_stamps(native):
    dt = 1 / native
    time = np.arange(0, 300, dt)
    time = time + RNG.normal(0, 0.04 * dt, time.size)
    frequency = 0.3
    out = resample(np.sin(2 * np.pi * frequency * time)[:, None], time, 3.0)
    error = out.trace[:, 0] - np.sin(2 * np.pi * frequency * (out.time + time[0]))
    assert np.abs(error[interior(out, 20)]).max() < 2e-2


def test_ignoring_the_jitter_would_fail_that_test():
    dt = 0.6
    ideal = np.arange(0, 300, dt)
    jittered = ideal + RNG.normal(0, 0.04 * dt, ideal.size)
    out = resample(np.sin(2 * np.pi * 0.3 * jittered)[:, None], ideal, 3.0)
    error = out.trace[:, 0] - np.sin(2 * np.pi * 0.3 * out.time)
    assert np.abs(error[interior(out, 20)]).max() > 5e-2


def test_edges_are_not_invented():
    time = np.arange(0, 100, 0.37) + 5
    out = resample(np.full((time.size, 1), 4.0), time, 3.0)
    assert out.time[0] == 0
    assert out.time[-1] <= time[-1] - time[0] < out.time[-1] + 1 / 3
    np.testing.assert_allclose(out.trace, 4.0, rtol=1e-6)  # zero padding would pull the ends down


def test_a_ramp_is_off_by_less_than_a_sample_at_the_edges():
    time = np.arange(0, 100, 0.1)
    out = resample(time[:, None], time, 3.0)
    assert np.abs(out.trace[:, 0] - out.time).max() < 1 / 3
    assert np.abs(out.trace[interior(out), 0] - out.time[interior(out)]).max() < 1e-3


@pytest.mark.parametrize(("native", "up"), [(1.5, "linear"), (1.5, "band-limited"), (6.0, "band-limited")])
def test_nan_stays_nan_and_does_not_spread(native, up):
    time = np.arange(0, 200, 1 / native)
    trace = np.sin(2 * np.pi * 0.05 * time)[:, None].repeat(3, axis=1)
    hole = (time > 80) & (time < 90)
    trace[hole, 1] = np.nan
    trace[:, 2] = np.nan
    out = resample(trace, time, 3.0, up=up)
    assert np.isfinite(out.trace[:, 0]).all()
    assert np.isnan(out.trace[:, 2]).all()
    missing = np.isnan(out.trace[:, 1])
    assert missing[(out.time > 80.7) & (out.time < 89.3)].all()
    assert not missing[(out.time < 79) | (out.time > 91)].any()
    shown = ~missing
    tolerance = 0.1  # beside the hole the kernel is one-sided
    assert np.abs(out.trace[shown, 1] - np.sin(2 * np.pi * 0.05 * out.time[shown])).max() < tolerance


def test_a_gap_in_time_is_a_gap_in_the_result():
    time = np.concatenate([np.arange(0, 50, 0.5), np.arange(80, 120, 0.5)])
    out = resample(np.cos(0.2 * time)[:, None], time, 3.0)
    missing = np.isnan(out.trace[:, 0])
    np.testing.assert_array_equal(missing, (out.time > 49.5) & (out.time < 80))


def test_same_rate_is_the_identity():
    time = np.arange(500) / 3.0
    trace = RNG.standard_normal((500, 2)).astype(np.float32)
    trace[5, 0] = np.nan
    out = resample(trace, time, 3.0)
    np.testing.assert_array_equal(out.trace, trace)
    assert "at the same rate from 3 Hz" in out.method
    near = [resample(trace, time, rate).method.split(" from ")[0] for rate in (2.996, 2.998, 3.002, 3.004)]
    assert near == [
        "anti-aliased down-sampling", *["band-limited resampling at the same rate"] * 2, "band-limited up-sampling",
    ]  # fmt: skip


def test_the_largest_recording_that_is_resampled():
    """2^31 bytes: a time of 8 bytes and a float32 per trace and sample."""
    check_length(np.array([5.0, 5.0 + (2**31 / 16 - 1) / 4]), 4.0, 2, "x")
    with pytest.raises(ReaderError, match=r"samples of 2 traces, 2 GiB\.") as caught:
        check_length(np.array([5.0, 5.0 + 2**31 / 16 / 4]), 4.0, 2, "x")
    assert caught.value.expected == "at most 2 GiB, 3.355e+07 s at this rate"


def test_new_times_do_not_lose_the_last_sample_to_rounding():
    assert new_times(299 / 3.0, 3.0).size == 300


@pytest.mark.parametrize(
    ("trace", "time", "options"),
    [
        (np.zeros((3, 2)), [0, 1, 2, 3], {}),
        (np.zeros((1, 2)), [0], {}),
        (np.zeros((3, 2)), [0, 1, 2], {"rate_hz": 0}),
        (np.zeros((3, 2)), [0, 1, 2], {"up": "cubic"}),
    ],
)
def test_unusable_input_is_a_reader_error(trace, time, options):
    with pytest.raises(ReaderError):
        resample(trace, time, **options)


def test_a_sample_that_rests_on_too_little_of_the_kernel_is_missing():
    """A lone sample of 30 Hz amid missing ones is no 3 Hz sample: it would come through with all its aliases."""
    time = np.arange(600) / 30
    trace = np.sin(time)[:, None].repeat(2, axis=1)
    trace[150:450, 1] = np.nan
    trace[300, 1] = 5.0
    out = resample(trace, time, 3.0)
    at = int(np.argmin(np.abs(out.time - 10)))
    assert np.isnan(out.trace[at, 1])
    assert np.isfinite(out.trace[:, 0]).all()


@pytest.mark.parametrize(
    ("native", "up"), [(1.5, "linear"), (1.5, "band-limited"), (7.3, "band-limited"), (3.0, "linear")]
)
def test_blocks_change_nothing(native, up, monkeypatch):
    time = np.arange(500) / native + RNG.normal(0, 0.02 / native, 500)
    time[250:] += 40
    trace = RNG.standard_normal((500, 4))
    trace[100:120, 1], trace[300, 2] = np.nan, np.nan
    whole = resample(trace, time, 3.0, up=up)
    monkeypatch.setattr(conversion, "BLOCK_VALUES", 3000)
    np.testing.assert_array_equal(resample(trace, time, 3.0, up=up).trace, whole.trace)


@pytest.mark.parametrize(
    ("native", "up", "jitter", "gap"),
    [
        (30.0, "band-limited", 0.0, None),
        (30.0, "band-limited", 0.02, None),
        (30.0, "band-limited", 0.02, 0.9),
        (1.5, "linear", 0.02, None),
        (1.5, "band-limited", 0.0, None),
        (3.0, "band-limited", 0.0, None),
        (3.0, "band-limited", 0.0, 2.0),
    ],
)
def test_runs_from_disk_give_what_the_whole_gives(native, up, jitter, gap, monkeypatch):
    """With missing samples, jitter and a pause; runs are as short as the kernel allows."""
    count = 6000
    time = 5 + np.arange(count) / native + RNG.normal(0, 1, count) * jitter / native
    if jitter:
        time[count // 2 :] += 300
    trace = RNG.standard_normal((count, 4)).astype(np.float32)
    trace[100:120, 1], trace[300, 2], trace[:, 3] = np.nan, np.nan, np.nan
    asked = []

    def read(start, stop):
        asked.append((start, stop))
        return trace[start:stop]

    monkeypatch.setattr(conversion, "PIECE_VALUES", 4)
    found = resample(Blocks(trace.shape, read, "x"), time, 3.0, up=up, max_gap_s=gap)
    whole = resample(trace, time, 3.0, up=up, max_gap_s=gap)
    assert found.method == whole.method
    np.testing.assert_array_equal(found.time, whole.time)
    np.testing.assert_allclose(found.trace, whole.trace, atol=1e-6)
    assert np.isfinite(found.trace[:, :3]).any(axis=0).all()
    assert len(asked) > 5
    assert max(stop - start for start, stop in asked) < count / 2


def test_memory_does_not_grow_with_a_pause():
    """The grid of the native rate, 1e5 times as long as the samples, is never made."""
    time = np.concatenate([np.arange(60), np.arange(60) + 1.3e7]) * 0.25 + RNG.normal(0, 1e-3, 120)
    trace = RNG.standard_normal((120, 2))
    tracemalloc.start()
    out = resample(trace, time, 0.2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(out.trace).any()
    assert peak < 3 * (out.trace.nbytes + out.time.nbytes) + 2**27


def test_what_no_memory_could_hold_is_refused_before_it_is_asked_for():
    time = np.append(np.arange(60) * 0.25, 1e12)
    with pytest.raises(ReaderError, match=r"1e\+12 s at 3 Hz are 3e\+12 samples of 3 traces"):
        resample(np.zeros((61, 3)), time, 3.0)
