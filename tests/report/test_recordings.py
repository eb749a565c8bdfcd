"""Figures of recordings: coverage on one axis and on several, and correlations of recordings with too few neurons."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from allometry import stores
from allometry.report import figures
from allometry.report.kinds import recordings
from tests.report.looks import problems
from tests.report.samples import ATTRS


def _write(path: Path, axis: Sequence[str], count: int = 2, usable: int | None = None) -> str:
    """Activity store of `count` recordings on `axis`; of each neuron after the first `usable` one sample is missing."""
    rng = np.random.default_rng(2)
    made = []
    for i in range(count):
        trace = rng.normal(size=(50, len(axis))).astype(np.float32)
        trace[7, slice(usable, None) if usable is not None else slice(0, 0)] = np.nan
        made.append(
            stores.Recording(
                name=f"r{i}",
                time=np.arange(50) / 3.0,
                trace=np.column_stack([trace, trace[:, 0]]),
                label=[*axis, ""],
                resampled=trace,
            )
        )
    stores.write(stores.activity(made, axis, 3.0, attrs=ATTRS), path)
    return str(path)


def _text(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_recordings_are_drawn_with_their_coverage(tmp_path: Path) -> None:
    path = _write(tmp_path / "r.zarr", ["a", "b"])
    assert "2 recordings; 2 of 2" in figures.coverage(path).caption
    drawing = figures.recordings(path)
    traces, matrix = drawing.figure.axes[:2]
    assert [label.get_text() for label in traces.get_yticklabels()] == ["a", "b"]
    assert matrix.images[0].get_array().shape == (2, 2)
    assert "2 of 2 recordings" in drawing.caption


def test_stores_on_different_axes_are_drawn_in_panels_of_their_own(tmp_path: Path) -> None:
    paths = {
        "one": _write(tmp_path / "one.zarr", ["a", "b"]),
        "other": _write(tmp_path / "other.zarr", ["c", "d", "e"], count=1),
        "again": _write(tmp_path / "again.zarr", ["a", "b"]),
    }
    caption = figures.coverage(paths).caption
    assert "2 different axes" in caption
    assert "one, again: 4 recordings; 2 of 2" in caption
    assert "other: 1 recordings; 3 of 3" in caption


@pytest.mark.parametrize("usable", [0, 1])
def test_fewer_than_two_usable_neurons_are_said_so(tmp_path: Path, usable: int) -> None:
    path = _write(tmp_path / "r.zarr", ["a", "b", "c"], usable=usable)
    drawing = figures.recordings(path)
    axes = drawing.figure.axes
    assert _text(axes[1]) == _text(axes[3]) == ["fewer than two neurons"]
    assert _text(axes[0]) == ([] if usable else ["no trace is long enough"])
    assert problems(drawing.figure) == []


def test_components_and_correlations_use_the_samples_there_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    common = np.cumsum(rng.normal(size=400))
    trace = np.outer(common, [1.0, -2.0, 3.0, 1.0])  # one dimension
    resampled = trace[:, :3].copy()
    resampled[100:200, 1] = np.nan  # a gap that must not cost the neuron
    resampled[:370, 2] = np.nan  # too few samples
    trace[5, 3] = np.nan
    given = stores.Recording("r", np.arange(400) / 3.0, trace, ["a", "b", "c", ""], resampled)
    path = stores.write(stores.activity([given], ["a", "b", "c"], 3.0, attrs=ATTRS), tmp_path / "r.zarr")
    drawing = figures.recordings(path)
    matrix = drawing.figure.axes[1]
    assert [label.get_text() for label in matrix.get_xticklabels()] == ["a", "b"]
    np.testing.assert_allclose(np.asarray(matrix.images[0].get_array()), [[1, -1], [-1, 1]], atol=1e-6)
    assert "by recording: 1.000" in drawing.caption
    assert "1 with missing samples left out" in drawing.caption


def test_recordings_of_too_many_values_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path / "r.zarr", ["a", "b", "c"], count=1)
    size = 50 * 4
    monkeypatch.setattr(recordings, "MOST_VALUES", size)
    assert "Principal components" in figures.recordings(path).caption
    monkeypatch.setattr(recordings, "MOST_VALUES", size - 1)
    drawing = figures.recordings(path)
    assert "Principal components" not in drawing.caption
    assert f"1 recording of more than {size - 1} values is left out below" in drawing.caption
    assert not (drawing.numbers["panel"] == "Spectrum").any()


def test_spectrum_has_the_power_of_a_known_rhythm(tmp_path: Path) -> None:
    time = np.arange(1024) / 4.0
    wave = np.sin(2 * np.pi * 0.5 * time)  # 0.5 Hz at a rate of 4 Hz
    trace = np.column_stack([wave, 3 * wave + 1])
    given = stores.Recording("r", time, trace, ["a", "b"], trace)
    path = stores.write(stores.activity([given], ["a", "b"], 4.0, attrs=ATTRS), tmp_path / "r.zarr")
    numbers = figures.recordings(path).numbers
    spectrum = numbers[numbers["panel"] == "Spectrum"]
    assert spectrum.loc[spectrum["y"].idxmax(), "x"] == pytest.approx(0.5)
    # all of the variance, which is 1, lies in the spectrum
    assert spectrum["y"].sum() * np.diff(spectrum["x"]).mean() == pytest.approx(1, rel=0.02)
