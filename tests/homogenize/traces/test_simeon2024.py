"""Oracle: the steps of the collection restated literally, loop by loop, with numpy, scipy and sklearn."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from allometry import stores
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from allometry.homogenize.traces import simeon2024
from tests.homogenize.fixtures.worms import WRITERS, noise

DT = 0.333


def literal_smooth(trace, method):
    out = np.zeros_like(trace)
    for roi in range(trace.shape[1]):
        for now in range(trace.shape[0]):
            if method == "moving":
                out[now, roi] = trace[max(now - 15 // 2, 0) : now + 1, roi].mean()
            elif method == "gaussian":
                weights = np.exp(-(np.arange(now, -1, -1) ** 2) / (2 * 5**2))
                out[now, roi] = np.dot(weights / weights.sum(), trace[: now + 1, roi])
            elif method == "exponential":
                before = trace[0, roi] if now == 0 else out[now - 1, roi]
                out[now, roi] = 0.5 * trace[now, roi] + 0.5 * before
            else:
                out[now, roi] = trace[now, roi]
    return out


def literal_resample(trace, time):
    faster = np.median(np.diff(time)) <= DT
    step = DT / 6 if faster else DT
    grid = np.arange(time[0], time[-1], step)
    values = np.stack([np.interp(grid, time, trace[:, roi]) for roi in range(trace.shape[1])], axis=1)
    if not faster:
        return values
    groups = len(grid) // 6
    return np.stack([values[6 * i : 6 * i + 6].mean(axis=0) for i in range(groups)])


def literal(trace, time, method):
    residual = np.gradient(trace, time, axis=0)
    views = {
        "trace": trace,
        "residual": residual,
        "smooth_trace": literal_smooth(trace, method),
        "smooth_residual": literal_smooth(residual, method),
    }
    return {name: StandardScaler().fit_transform(literal_resample(view, time)) for name, view in views.items()}


@pytest.mark.parametrize("method", ["moving", "gaussian", "exponential", "none"])
@pytest.mark.parametrize("dt", [0.6, 0.2])
def test_every_step_as_stated(method, dt):
    rng = np.random.default_rng(3)
    time = np.concatenate([[0], np.cumsum(dt * (1 + 0.05 * rng.uniform(-1, 1, 619)))])
    trace = noise(rng, 620, 4)
    grid, views = simeon2024.process(trace, time, smoothing=method)
    expected = literal(trace, time, method)
    assert set(views) == set(expected)
    for name, view in views.items():
        np.testing.assert_allclose(view, expected[name], atol=2e-5, err_msg=name)
    np.testing.assert_allclose(np.diff(grid), DT)


def test_causal_normalisation_as_stated():
    rng = np.random.default_rng(4)
    trace = noise(rng, 200, 2)
    expected = np.zeros_like(trace)
    for now in range(200):
        past = trace[: now + 1]
        spread = np.sqrt(np.maximum((past**2).mean(axis=0) - past.mean(axis=0) ** 2, 1e-8))
        expected[now] = (trace[now] - past.mean(axis=0)) / spread
    np.testing.assert_allclose(simeon2024.standardise(trace, causal=True), expected, atol=1e-6)


def test_the_preset_as_a_whole(tmp_path):
    fixture = WRITERS["uzel2022"](tmp_path)
    source = Source("uzel2022", "C. elegans", "c", "l", "layout-only", dict.fromkeys(fixture.files, ""))
    tree = READERS["uzel2022_activity"](dict(fixture.files), source, {"preset": "simeon2024"})
    assert tree.attrs["rate_hz"] == pytest.approx(1 / DT)
    assert stores.attribute(tree, "parameters")["label_policy"] == "nearest"
    root = tree.to_dataset(inherit=False)
    for number, worm in enumerate(fixture.worms):
        rows = root["recording_index"].values == number
        expected = literal(worm.trace[:, [worm.labels.index("AVAL"), worm.labels.index("VB02")]], worm.time, "moving")
        for name, view in expected.items():
            for column, neuron in enumerate(("AVAL", "VB2")):
                got = root[name].values[rows, root["neuron"].values.tolist().index(neuron)]
                np.testing.assert_allclose(got, view[:, column], atol=5e-4)
    # ambiguous names take the nearest unused name
    native = tree[f"native/{root['recording'].values[0]}"]
    label = native["label"].values.tolist()
    assert label[worm.labels.index("AWC?")] == "AWCL"


def test_short_and_unlabelled_worms_are_skipped():
    assert "fewer than 600" in simeon2024.reason_to_skip(599, ["AVAL"])
    assert "no labelled" in simeon2024.reason_to_skip(600, ["", ""])
    assert simeon2024.reason_to_skip(600, ["AVAL"]) == ""


def test_a_skipped_worm_is_recorded(tmp_path):
    from tests.homogenize.fixtures.measured import write_kato2015_npz

    fixture = write_kato2015_npz(tmp_path)  # all worms are short
    source = Source("kato2015", "", "", "", "real", dict.fromkeys(fixture.files, ""))
    with pytest.raises(Exception, match="fewer than 600"):
        READERS["kato2015"](dict(fixture.files), source, {"preset": "simeon2024"})


@pytest.mark.parametrize("method", ["moving", "gaussian", "exponential", "none"])
def test_smoothing_keeps_the_level(method):
    """Standardising at the end hides a wrong scale of the smoothed views."""
    np.testing.assert_allclose(simeon2024.smooth(np.full((50, 2), 3.0), method), 3.0, rtol=1e-12)
