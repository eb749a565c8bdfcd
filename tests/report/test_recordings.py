"""Figures of recordings: coverage on one axis and on several, and correlations of recordings with too few neurons."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from allometry import stores
from allometry.report import recordings
from allometry.report.drawing.figure_file import Figure
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


def test_recordings_are_drawn_with_their_coverage(tmp_path: Path) -> None:
    path = _write(tmp_path / "r.zarr", ["a", "b"])
    recordings.draw({"r": path}, tmp_path / "coverage_x.png")
    recordings.draw({"r": path}, tmp_path / "recordings_r.png")
    assert "2 recordings; 2 of 2" in Figure.load(tmp_path / "coverage_x.png").caption
    assert (tmp_path / "recordings_r.png").stat().st_size > 1000


def test_stores_on_different_axes_are_drawn_in_panels_of_their_own(tmp_path: Path) -> None:
    paths = {
        "one": _write(tmp_path / "one.zarr", ["a", "b"]),
        "other": _write(tmp_path / "other.zarr", ["c", "d", "e"], count=1),
        "again": _write(tmp_path / "again.zarr", ["a", "b"]),
    }
    recordings.draw(paths, tmp_path / "coverage_x.png")
    caption = Figure.load(tmp_path / "coverage_x.png").caption
    assert "2 different axes" in caption
    assert "one, again: 4 recordings; 2 of 2" in caption
    assert "other: 1 recordings; 3 of 3" in caption


@pytest.mark.parametrize("usable", [0, 1])
def test_fewer_than_two_usable_neurons_are_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usable: int
) -> None:
    said: list[str] = []
    original = recordings._correlation

    def watched(ax, part, title):  # type: ignore[no-untyped-def]
        image = original(ax, part, title)
        said.extend(text.get_text() for text in ax.texts)
        return image

    monkeypatch.setattr(recordings, "_correlation", watched)
    path = _write(tmp_path / "r.zarr", ["a", "b", "c"], usable=usable)
    recordings.draw({"r": path}, tmp_path / "recordings_r.png")
    assert said == ["fewer than two neurons"] * 2
    assert (tmp_path / "recordings_r.png").is_file()


def test_components_and_correlations_use_the_samples_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    common = np.cumsum(rng.normal(size=400))
    trace = np.outer(common, [1.0, -2.0, 3.0, 1.0])  # one dimension
    resampled = trace[:, :3].copy()
    resampled[100:200, 1] = np.nan  # a gap that must not cost the neuron
    resampled[:370, 2] = np.nan  # too few samples
    trace[5, 3] = np.nan
    given = stores.Recording("r", np.arange(400) / 3.0, trace, ["a", "b", "c", ""], resampled)
    path = stores.write(stores.activity([given], ["a", "b", "c"], 3.0, attrs=ATTRS), tmp_path / "r.zarr")
    drawn = []
    original = recordings._correlation

    def watched(ax, part, title):  # type: ignore[no-untyped-def]
        image = original(ax, part, title)
        drawn.append((image.get_array(), [label.get_text() for label in ax.get_xticklabels()]))
        return image

    monkeypatch.setattr(recordings, "_correlation", watched)
    recordings.draw({"r": str(path)}, tmp_path / "recordings_r.png")
    ((matrix, names),) = drawn
    assert names == ["a", "b"]
    np.testing.assert_allclose(np.asarray(matrix), [[1, -1], [-1, 1]], atol=1e-6)
    caption = Figure.load(tmp_path / "recordings_r.png").caption
    assert "by recording: 1.000" in caption
    assert "1 with missing samples left out" in caption
    monkeypatch.setattr(recordings, "MOST_VALUES", trace.size)
    recordings.draw({"r": str(path)}, tmp_path / "recordings_s.png")
    assert "by recording: 1.000" in Figure.load(tmp_path / "recordings_s.png").caption
    monkeypatch.setattr(recordings, "MOST_VALUES", trace.size - 1)
    recordings.draw({"r": str(path)}, tmp_path / "recordings_t.png")
    assert "Principal components" not in Figure.load(tmp_path / "recordings_t.png").caption
