"""The path from raw recordings to a store: what stands beside the traces, names, and what is asked of the user."""

import logging

import numpy as np
import pytest

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.reader import Source
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.recordings import Pending, RawRecording

TIME = np.arange(40) * 0.25


def raw(name="worm", **more):
    trace = np.random.default_rng(0).normal(size=(40, 2))
    return RawRecording(name, trace, time=more.pop("time", TIME), labels=["AVAL", "AVAR"], where=f"{name}.x", **more)


def build(*found, verified="real", **options):
    source = Source("mine", "Caenorhabditis elegans", verified=verified)
    return activity.build(found, source, options, files={}, title="t")


def test_what_is_beside_the_traces_keeps_its_axes():
    extra = {
        "speed": (("time",), np.arange(40.0), {"units": "m/s"}),
        "x": (("time", "roi"), np.ones((40, 2)), {}),
        "depth": (("roi",), [1.0, 2.0], {}),
        "event": (("event",), [1.0, 2.0, 3.0], {}),
        "other clock": (("time",), np.arange(7.0), {}),
        "empty": (("event",), [], {}),
    }
    native = build(raw(extra=extra))["native/worm"].to_dataset(inherit=False)
    dims = {name: native[name].dims for name in ("speed", "x", "depth", "event", "other_clock")}
    assert dims == {
        "speed": ("time",),
        "x": ("time", "roi"),
        "depth": ("roi",),
        "event": ("event",),
        "other_clock": ("other_clock_time",),
    }
    assert native["speed"].attrs["units"] == "m/s"
    assert "empty" not in native


def test_what_is_beside_truncated_traces_is_truncated():
    extra = {"speed": (("time",), np.arange(40.0), {})}
    tree = build(raw(time=TIME[:30], extra=extra), length_policy="truncate")
    np.testing.assert_array_equal(tree["native/worm/speed"].values, np.arange(30.0))


def test_the_largest_number_of_float32_is_a_number_and_what_is_beyond_is_missing():
    found = raw()
    found.trace[3, 0], found.trace[4, 0], found.trace[5, 1] = np.finfo(np.float32).max, 1e39, -np.inf
    tree = build(found)
    trace = tree["native/worm/trace"].values
    assert np.isfinite(trace[3, 0])
    assert np.isnan([trace[4, 0], trace[5, 1]]).all()
    assert stores.attribute(tree["native/worm"], "derived")["infinite_values"].startswith("2 samples")


def test_two_recordings_of_one_name_are_refused():
    with pytest.raises(ReaderError, match="Two recordings are named 'a_b'"):
        build(raw("a b"), raw("a/b"))


@pytest.mark.parametrize(("verified", "asks"), [("real", False), ("layout-only", True)])
def test_a_layout_that_was_never_seen_asks_to_check_it(verified, asks, caplog):
    with caplog.at_level(logging.INFO, logger="allometry"):
        build(raw(), verified=verified)
    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert any("Please check" in message for message in said) == asks
    assert any("40 samples x 2 ROIs, 4 Hz, 2 labelled (AVAL, AVAR)" in record.message for record in caplog.records)


def test_what_is_left_out_is_never_read():
    def fail():
        raise OSError("does not open")

    tree = build(raw(), Pending("bad", fail, "bad.x"), leave_out="bad.x")
    assert stores.attribute(tree, "derived")["skipped"] == {"bad": "left out by the options"}
    with pytest.raises(OSError, match="does not open"):
        build(raw(), Pending("bad", fail, "bad.x"))


def test_traces_that_are_no_table_or_empty_are_refused() -> None:
    for trace in (np.arange(40.0), np.ones((40, 2, 1)), np.ones((0, 2)), np.ones((40, 0))):
        given = RawRecording("worm", trace, time=TIME, labels=["AVAL", "AVAR"], where="worm.x")
        with pytest.raises(ReaderError, match="traces have shape"):
            build(given)


def test_three_units_of_traces_are_refused_with_two_of_them() -> None:
    recordings = [raw(name, units=unit) for name, unit in (("a", "V"), ("b", "1"), ("c", "mV"))]
    with pytest.raises(ReaderError, match=r"different units: '1' \(b\), 'V' \(a\)"):
        activity.build(recordings, Source("mine"), {}, files={}, title="t", units=None)
