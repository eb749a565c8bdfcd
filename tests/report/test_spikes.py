"""Figures of spikes: rates are those of all spikes, listed or only counted, populations are named, points share their axes."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allometry import stores
from allometry.report import figures
from allometry.report.kinds import spike_events
from allometry.report.kinds import spikes as drawn_spikes
from tests.report.looks import problems
from tests.report.samples import ATTRS, spikes_store, title

UNITS = pd.DataFrame({"population": ["E"] * 8 + ["I"] * 2})


def _unlisted(path: Path, **extra: Any) -> Path:
    """A run that recorded no spikes one by one."""
    attrs = {**ATTRS, "seed": 1, "parameters": {"record": {"spikes": False}}}
    none = np.array([], dtype=np.int64)
    ds = stores.spikes_simulated(none, none, dt_ms=0.1, units=UNITS, duration_ms=100.0, attrs=attrs, **extra)
    stores.write(ds, path)
    return path


def _points(folder: Path) -> list[str]:
    """Two sizes with two seeds each; Poisson units of 10 spikes/s, E before I."""
    paths = []
    for scale, count in ((0.1, 40), (0.2, 80)):
        for seed in (1, 2):
            rng = np.random.default_rng(1000 * seed + count)
            step, unit = np.nonzero(rng.random((20_000, count)) < 1e-3)  # 2 s in steps of .1 ms
            units = pd.DataFrame({"population": ["E"] * (3 * count // 4) + ["I"] * (count // 4)})
            attrs = {**ATTRS, "seed": seed, "parameters": {"parameters": {"scale": scale}, "seed": seed}}
            ds = stores.spikes_simulated(step + 1, unit, dt_ms=0.1, units=units, duration_ms=2000.0, attrs=attrs)
            path = folder / "run" / f"scale{scale}_s{seed}_0123abcd.zarr"
            stores.write(ds, path)
            paths.append(str(path))
    return paths


def test_rates_of_a_simulation_are_those_of_its_spikes(tmp_path: Path) -> None:
    drawing = figures.spikes(spikes_store(tmp_path / "s.zarr"), window_ms=100.0)
    assert "10 neurons in 2 populations, 200 spikes" in drawing.caption
    assert "thinned" not in drawing.caption
    assert "not recorded" not in drawing.caption
    numbers = drawing.numbers
    rates = numbers[numbers["panel"] == "Mean rate"].set_index("y_name")["x"]
    assert rates[["E", "I"]].to_numpy() @ [0.8, 0.2] == pytest.approx(200 / 10 / 0.1)


def test_rates_come_from_counts_where_spikes_were_not_recorded(tmp_path: Path) -> None:
    count = np.zeros((10, 10), np.int32)
    count[:, :8], count[:, 8:] = 2, 5  # 20 and 50 spikes in 100 ms
    drawing = figures.spikes(_unlisted(tmp_path / "s.zarr", count=count, bin_ms=10.0))
    assert "260 spikes" in drawing.caption
    assert "spikes were not recorded one by one" in drawing.caption
    raster, mean, *_ = drawing.figure.axes
    assert [text.get_text() for text in raster.texts] == ["spikes were not recorded"]
    assert mean.lines[0].get_xdata() == pytest.approx([200.0, 500.0])


def test_a_run_without_spikes_and_counts_is_not_drawn_as_silent(tmp_path: Path) -> None:
    drawing = figures.spikes(_unlisted(tmp_path / "s.zarr"))
    assert "an unknown number of spikes" in drawing.caption
    assert "neither spikes nor counts" in drawing.caption
    assert "rates are not known" in [text.get_text() for text in drawing.figure.axes[1].texts]


def test_a_raster_is_thinned_evenly_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn_spikes, "MOST_DOTS", 40)
    drawing = figures.spikes(spikes_store(tmp_path / "s.zarr"), window_ms=100.0)
    assert "40 of" in drawing.caption
    excitatory = np.asarray(drawing.figure.axes[0].lines[0].get_xdata())
    assert excitatory.size == 40
    # the window is 100 ms: the first 40 spikes alone would end in its first half
    assert excitatory.min() < 15
    assert excitatory.max() > 85


def test_points_share_their_axes_and_their_populations_are_named(tmp_path: Path) -> None:
    drawing = figures.spikes(_points(tmp_path), window_ms=500, units=30)
    small, large = drawing.figure.axes[:2]
    assert [title(small), title(large)] == ["Scale 0.1", "Scale 0.2"]  # no seeds, no hashes
    for ax in (small, large):
        assert [label.get_text() for label in ax.get_yticklabels()] == ["E", "I"]
        assert ax.get_xlim() == (1500, 2000)
        assert ax.get_ylim() == small.get_ylim()
        rows = np.concatenate([np.asarray(line.get_ydata()) for line in ax.lines if len(line.get_xdata()) > 2])
        assert rows.max() < 30
    assert "2 seeds" in drawing.caption
    assert drawing.title == "Spikes: run"
    assert drawing.options == {"window_ms": 500, "units": 30}
    assert "asynchronous" in drawing.alternative
    assert problems(drawing.figure) == []


def test_a_small_population_has_room_for_its_name() -> None:
    assert spike_events.sampled([900, 90, 10], 100, 0.05) == [90, 9, 5]
    assert spike_events.sampled([2, 900], 100, 0.05) == [2, 100]


def test_spectrum_of_a_rhythm_and_of_poisson_spikes() -> None:
    rng = np.random.default_rng(3)
    poisson = np.sort(rng.uniform(0, 20_000, 40_000))
    frequency, power = spike_events.spectrum(poisson, 20_000.0)
    assert power[1:].mean() == pytest.approx(1, abs=0.05)
    assert frequency[1] == pytest.approx(1000 / 256)
    # a rate that doubles and ceases at 31.25 Hz, a frequency of the spectrum
    kept = rng.random(poisson.size) < (1 + np.sin(2 * np.pi * 31.25e-3 * poisson)) / 2
    frequency, power = spike_events.spectrum(poisson[kept], 20_000.0)
    assert frequency[power.argmax()] == pytest.approx(31.25)
    assert spike_events.spectrum(np.zeros(0), 1000.0)[0].size == 0


def test_synchrony_is_that_of_independent_spikes_or_of_bursts() -> None:
    rng = np.random.default_rng(4)
    assert spike_events.synchrony(rng.uniform(0, 10_000, 50_000), 0, 10_000) == pytest.approx(1, abs=0.1)
    bursts = np.repeat(np.arange(50) * 200.0 + 1, 100)
    assert spike_events.synchrony(bursts, 0, 10_000) > 50


def test_rasters_are_of_one_condition_of_every_network_and_of_others_as_far_as_there_is_room() -> None:
    made = [drawn_spikes.Group(f"n{n} c{c}", (), "black", f"n{n}") for n in range(5) for c in range(9)]
    shown = drawn_spikes._spread(made)
    assert [group.label for group in shown] == ["n0 c7", "n0 c8", "n1 c8", "n2 c8", "n3 c8", "n4 c8"]
    assert drawn_spikes._spread(made[:4]) == made[:4]


def test_a_sample_of_units_has_no_stride() -> None:
    members = np.arange(100, 1100)
    sample = spike_events.chosen(members, 200)
    assert len(sample) == len(set(sample.tolist())) == 200
    assert set(sample.tolist()) <= set(members.tolist())
    steps = np.diff(sample)
    assert steps.min() == 1
    assert steps.max() > 10
    np.testing.assert_array_equal(sample, spike_events.chosen(members, 200))
    np.testing.assert_array_equal(spike_events.chosen(members[:50], 200), members[:50])
