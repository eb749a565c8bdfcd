"""Figures of recordings: coverage on one axis and on several, and correlations of recordings with too few neurons."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from allometry import stores
from allometry.report import recordings
from allometry.report.card import Figure
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
