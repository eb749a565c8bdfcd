"""Figures of simulations: rates are those of all spikes, listed or only counted, and what is thinned is said so."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allometry import stores
from allometry.report import simulations
from allometry.report.drawing.figure_file import Figure
from tests.report.samples import ATTRS, spikes_store

UNITS = pd.DataFrame({"population": ["E"] * 8 + ["I"] * 2})


def _caption(path: Path, image: Path) -> str:
    simulations.draw({"s": str(path)}, image, "run", window_ms=100.0, units=10, axes={})
    return Figure.load(image).caption


def _unlisted(path: Path, **extra: Any) -> Path:
    """A run that recorded no spikes one by one."""
    attrs = {**ATTRS, "seed": 1, "parameters": {"record": {"spikes": False}}}
    none = np.array([], dtype=np.int64)
    ds = stores.spikes_simulated(none, none, dt_ms=0.1, units=UNITS, duration_ms=100.0, attrs=attrs, **extra)
    stores.write(ds, path)
    return path


def test_rates_of_a_simulation_are_those_of_its_spikes(tmp_path: Path) -> None:
    caption = _caption(Path(spikes_store(tmp_path / "s.zarr")), tmp_path / "s.png")
    assert "10 neurons in 2 populations, 200 spikes" in caption
    assert "thinned" not in caption
    assert "not recorded" not in caption


def test_rates_come_from_counts_where_spikes_were_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = np.zeros((10, 10), np.int32)
    count[:, :8], count[:, 8:] = 2, 5  # 20 and 50 spikes in 100 ms
    shown: list[str] = []
    original = simulations._row

    def watched(raster, bars, *rest):  # type: ignore[no-untyped-def]
        said = original(raster, bars, *rest)
        shown.extend(text.get_text().strip() for text in [*raster.texts, *bars.texts])
        return said

    monkeypatch.setattr(simulations, "_row", watched)
    caption = _caption(_unlisted(tmp_path / "s.zarr", count=count, bin_ms=10.0), tmp_path / "s.png")
    assert "260 spikes" in caption
    assert "spikes were not recorded one by one" in caption
    assert shown == ["spikes were not recorded", "200.00", "500.00"]


def test_a_run_without_spikes_and_counts_is_not_drawn_as_silent(tmp_path: Path) -> None:
    caption = _caption(_unlisted(tmp_path / "s.zarr"), tmp_path / "s.png")
    assert "an unknown number of spikes" in caption
    assert "neither spikes nor counts" in caption


def test_a_raster_is_thinned_evenly_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulations, "MOST_DOTS", 40)
    drawn: list[np.ndarray] = []
    original = simulations._row

    def watched(raster, bars, *rest):  # type: ignore[no-untyped-def]
        said = original(raster, bars, *rest)
        drawn.extend(line.get_xdata() for line in raster.lines)
        return said

    monkeypatch.setattr(simulations, "_row", watched)
    caption = _caption(Path(spikes_store(tmp_path / "s.zarr")), tmp_path / "s.png")
    assert "the raster shows 40 of" in caption
    excitatory = drawn[0]
    assert excitatory.size == 40
    # the window is 100 ms: the first 40 spikes alone would end in its first half
    assert excitatory.min() < 15
    assert excitatory.max() > 85
