"""Imaging: rates and correlations that were planted are seen with the bias that theory gives them, all effects on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from allometry import stores
from allometry.config.recordings import ImagingConfig
from allometry.errors import SimulationError
from allometry.simulate.recordings.experiment import write_recording
from allometry.simulate.recordings.imaging import INDICATORS, Indicator, fluorescence
from allometry.simulate.recordings.reference import like_imaging, noise_of
from tests.simulate.recordings import planted

RATE, SHARED, SECONDS, NEURONS = 6.0, 0.3, 900.0, 24
SEEN = {
    "kind": "imaging", "run": "r", "neurons": 16, "frame_rate_hz": 20.0, "noise": 0.15, "missing": 0.1, "gap_s": 0.5,
    "amplitude": 0.2, "rise_s": 0.05, "decay_s": 0.3, "saturation": 6.0, "skip_ms": 5000.0, "seed": 3,
}  # fmt: skip


def settings(**changed: Any) -> dict[str, Any]:
    return ImagingConfig(**{**SEEN, **changed}).model_dump(mode="json")


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted.spikes(tmp_path_factory.mktemp("truth") / "planted.zarr", NEURONS, RATE, SHARED, SECONDS)


@pytest.fixture(scope="module")
def seen(truth: Path) -> Any:
    out = truth.with_name("seen.recording.zarr")
    write_recording([planted.trial(truth)], out, None, settings())
    return stores.open(out)


def test_planted_rates_and_correlations_are_seen_with_the_bias_of_theory(seen: Any) -> None:
    trace = seen["native/planted/trace"].values.astype(np.float64)
    indicator = Indicator(0.2, 0.05, 0.3, 6.0)
    mean, variance, covariance = planted.moments(indicator, RATE, SHARED)
    # calcium is correlated over its decay: 900 s are some 1500 samples, of spikes of which all neurons share a third
    independent = (SECONDS - 5) * indicator.area_s**-1 / 2
    spread = np.sqrt(variance * SHARED / independent)
    assert np.nanmean(trace) == pytest.approx(mean, abs=4 * spread)
    # without the theory of saturation the mean would be another
    assert abs(indicator.amplitude * RATE * indicator.area_s - mean) > 8 * spread
    assert np.nanmean(np.nanvar(trace, axis=0)) == pytest.approx(variance + 0.15**2, rel=0.05)
    valid = np.ma.masked_invalid(trace)
    found = np.ma.corrcoef(valid, rowvar=False)
    between = float(found[np.triu_indices(16, 1)].mean())
    biased = covariance / (variance + 0.15**2)
    assert between == pytest.approx(biased, abs=0.03)
    assert SHARED - biased > 0.06
    # and with the noise known the planted correlation is had back: saturation moves it by less than .02
    assert between * (variance + 0.15**2) / variance == pytest.approx(SHARED, abs=0.05)


def test_missing_frames_come_in_gaps(seen: Any) -> None:
    gone = np.isnan(seen["native/planted/trace"].values)
    ends = (gone[:-1] & ~gone[1:]).sum()
    # 16 neurons, 17,900 frames: 2900 gaps of 10 frames
    assert gone.mean() == pytest.approx(0.1, rel=0.1)
    assert gone.sum() / ends == pytest.approx(10.0, rel=0.1)


def test_the_true_spikes_are_linked(truth: Path, seen: Any) -> None:
    source = stores.open(truth)
    assert stores.attribute(seen, "source") == {
        "planted.zarr": stores.read_manifest(truth)["content"]["content_sha256"]
    }
    unit = seen["native/planted/true_unit"].values
    assert np.array_equal(source["population"].values[unit], seen["native/planted/population"].values)
    assert [str(source["unit"].values[i]) for i in unit] == seen["native/planted/label"].values.tolist()
    clean = fluorescence(
        stores.trains(source, source["unit"].values[unit[:1]]), None, Indicator(0.2, 0.05, 0.3, 6.0), 18000, 20.0
    )
    rest = seen["native/planted/trace"].values[:, 0] - clean[100:, 0]
    assert np.nanstd(rest) == pytest.approx(0.15, rel=0.03)
    assert np.nanmean(rest) == pytest.approx(0.0, abs=4 * 0.15 / np.sqrt(16000))


def test_one_spike_is_the_kernel() -> None:
    indicator = Indicator(0.5, 0.1, 0.4)
    trace = fluorescence([np.array([1.0])], None, indicator, 4000, 1000.0)[:, 0]
    t = np.arange(1, 4001) / 1000 - 1.0
    expected = np.where(t > 0, np.exp(-t / 0.4) - np.exp(-t / 0.1), 0.0)
    assert trace == pytest.approx(0.5 * expected / (4 ** (-1 / 3) - 4 ** (-4 / 3)), abs=1e-9)
    assert trace.max() == pytest.approx(0.5, rel=1e-4)
    assert np.sum(trace) / 1000 == pytest.approx(0.5 * indicator.area_s, rel=2e-3)
    assert np.sum((trace / 0.5) ** 2) / 1000 == pytest.approx(indicator.energy_s, rel=2e-3)
    assert all(one.decay_s > one.rise_s for one in INDICATORS.values())


def test_a_recording_does_not_depend_on_what_else_is_recorded(truth: Path, tmp_path: Path) -> None:
    few = {"missing": 0.0, "populations": ["I"], "neurons": 6}
    for name, changed in (("a", few), ("b", few), ("c", {**few, "seed": 4}), ("d", {"neurons": 24, "missing": 0.0})):
        write_recording([planted.trial(truth)], tmp_path / f"{name}.zarr", None, settings(**changed))
    a, b, c, d = (stores.open(tmp_path / f"{name}.zarr")["native/planted/trace"].values for name in "abcd")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    assert np.array_equal(a, d[:, 18:])


def test_numbers_are_those_of_the_reference(truth: Path, seen: Any, tmp_path: Path) -> None:
    reference = truth.with_name("seen.recording.zarr")
    found = like_imaging(reference)
    assert (found["neurons"], found["frame_rate_hz"]) == (16, 20.0)
    assert found["missing"] == pytest.approx(0.1, rel=0.1)
    # the signal adds to the median step: it changes by some .02 a frame
    assert 0.15 < found["noise"] < 0.15 * 1.1
    changed = dict.fromkeys(("neurons", "frame_rate_hz", "noise", "missing"))
    write_recording([planted.trial(truth)], tmp_path / "like.zarr", reference, settings(**changed, like="seen"))
    other = stores.open(tmp_path / "like.zarr")
    assert stores.attribute(other, "parameters")["noise"] == found["noise"]
    assert other["native/planted/trace"].shape[1] == 16
    with pytest.raises(SimulationError, match="nothing says frame_rate_hz"):
        write_recording([planted.trial(truth)], tmp_path / "none.zarr", None, settings(frame_rate_hz=None))
    with pytest.raises(SimulationError, match="of kind spikes"):
        write_recording([planted.trial(truth)], tmp_path / "none.zarr", truth, settings(neurons=None))
    with pytest.raises(SimulationError, match="30 neurons are to be recorded, of 24"):
        write_recording([planted.trial(truth)], tmp_path / "none.zarr", None, settings(neurons=30))


def test_membrane_potentials_are_imaged(tmp_path: Path) -> None:
    """Steps of 10 and 20 mV above the threshold at 1 s settle at as many amplitudes; below the threshold nothing is seen."""
    time = np.arange(0, 4, 0.001)
    low, high = np.full(time.size, -60.0), np.where(time >= 1, -40.0, -60.0)
    truth = planted.voltages(tmp_path / "v.zarr", np.stack([high, low, high + 10 * (time >= 1)], axis=1), 1.0)
    plain = {"signal": "voltage", "skip_ms": 0.0, "noise": 0.0, "missing": 0.0, "saturation": None, "neurons": 3}
    write_recording([planted.trial(truth)], tmp_path / "seen.zarr", None, settings(**plain))
    store = stores.open(tmp_path / "seen.zarr")["native/v"]
    trace, units = store["trace"].values, store["true_unit"].values.tolist()
    assert units == [0, 2, 4]
    # a kernel of area 1: the sum of both exponentials, integrated
    since = np.maximum(np.arange(1, 81) / 20.0 - 1.0, 0)
    settled = 1 - (0.3 * np.exp(-since / 0.3) - 0.05 * np.exp(-since / 0.05)) / 0.25
    # samples of 1 ms beside a continuous integral: an error below 1 ms / (2 rise) = 1 %
    for column, above in enumerate((10.0, 0.0, 20.0)):
        assert trace[:, column] == pytest.approx(0.2 * above * settled, abs=0.01 * 0.2 * above + 1e-9)
    with pytest.raises(SimulationError, match="4 neurons are to be recorded, of 3 that can be"):
        write_recording([planted.trial(truth)], tmp_path / "none.zarr", None, settings(**{**plain, "neurons": 4}))
    # with all effects the mean is that of the saturated signal, and the noise lies on it
    full = {"signal": "voltage", "skip_ms": 2500.0, "neurons": 3}
    write_recording([planted.trial(truth)], tmp_path / "full.zarr", None, settings(**full, frame_rate_hz=500.0))
    rest = stores.open(tmp_path / "full.zarr")["native/v/trace"].values
    assert np.nanmean(rest[:, 2]) == pytest.approx(0.2 * 20 / (1 + 20 / 6.0), abs=4 * 0.15 / np.sqrt(600))
    assert np.nanstd(rest[:, 1]) == pytest.approx(0.15, rel=0.12)


def test_arbitrary_units_have_no_noise_in_dff(truth: Path, seen: Any, tmp_path: Path) -> None:
    raw = seen.copy()
    raw["native/planted"] = xr.DataTree(raw["native/planted"].to_dataset())
    raw["native/planted/trace"].attrs["units"] = "au"
    stores.write(raw, tmp_path / "raw.zarr")
    assert set(like_imaging(tmp_path / "raw.zarr")) == {"neurons", "frame_rate_hz", "missing"}
    with pytest.raises(SimulationError, match=r"nothing says noise(.|\n)*arbitrary units"):
        write_recording(
            [planted.trial(truth)], tmp_path / "none.zarr", tmp_path / "raw.zarr", settings(noise=None, like="raw")
        )


def test_noise_is_found_in_noise() -> None:
    trace = np.random.default_rng(1).normal(0, 0.3, (20000, 3))
    trace[::7, 1] = np.nan
    trace[:, 2] = np.nan
    assert noise_of(trace)[:2] == pytest.approx([0.3, 0.3], rel=0.03)
    assert np.isnan(noise_of(trace)[2])


def test_windows_are_presentations(truth: Path, tmp_path: Path) -> None:
    write_recording(
        [planted.trial(truth)],
        tmp_path / "r.zarr",
        None,
        settings(noise=0.0, missing=0.0, trials={"window_ms": 5000.0}),
    )
    store = stores.open(tmp_path / "r.zarr")
    assert dict(store.sizes) == {"unit": 16, "presentation": 179}
    mean, *_ = planted.moments(Indicator(0.2, 0.05, 0.3, 6.0), RATE, SHARED)
    assert float(store["response"].mean()) == pytest.approx(mean, rel=0.05)
