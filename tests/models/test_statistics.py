"""Simulated models against measured statistics: NEST for the two random networks, plain integration for connectomes."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from allometry import models, simulate
from allometry.network import Network
from benchmarks.microcircuit_reference import MEASURES, TENTH, distances, limit, load, statistics
from benchmarks.population_statistics import interval_cv, synchrony
from tests.models.graphs import mushroom_body, projection_neurons, worm
from tests.reference.step_by_step import simulate as step_by_step

#: NEST 3.10, scale 0.1, Poisson input, 5 s after 0.5 s: mean and SD over 4 seeds of rate (Hz), CV of intervals, and
#: variance over mean of the population count in 3 ms.
NEST_TENTH = {
    "rate": (
        [0.4619, 2.073, 3.9425, 4.996, 6.5782, 7.7665, 0.8409, 6.9866],
        [0.0226, 0.0633, 0.0506, 0.0376, 0.4769, 0.0259, 0.0315, 0.0576],
    ),
    "cv": (
        [0.7117, 0.7863, 0.808, 0.8165, 0.7908, 0.767, 0.7455, 0.7825],
        [0.0123, 0.0094, 0.0061, 0.0099, 0.0137, 0.014, 0.0114, 0.007],
    ),
    "sync": (
        [5.2155, 2.9287, 6.039, 2.3603, 5.3833, 1.159, 1.8693, 1.089],
        [0.5378, 0.1302, 0.2776, 0.0724, 0.3744, 0.0275, 0.1223, 0.0589],
    ),
}


def _run(net: Network, duration_ms: float, seed: int, folder: Path, **options: object) -> xr.Dataset:
    # one thread: the spikes are the same, and the other tests have the other cores
    return simulate.run(
        net, duration_ms, seed, folder / f"seed{seed}.zarr", execution=simulate.Execution(threads=1), **options
    )  # type: ignore[arg-type]


def _brunel(seed: int, folder: Path) -> tuple[float, float, float]:
    """Rate (Hz), CV and synchrony of all neurons over 1 s after 0.3 s."""
    spikes = _run(models.brunel(), 1300.0, seed, folder)
    step, unit = spikes["spike_step"].values - 1 - 3000, spikes["spike_unit"].values.astype(np.int64)
    step, unit = step[step >= 0], unit[step >= 0]
    return len(step) / 12_500, float(np.nanmean(interval_cv(step, unit, 12_500))), synchrony(step, 10_000, 0.1)


def test_brunel_one_seed(tmp_path: Path) -> None:
    # Five NEST runs: 37.490 +- 0.098 Hz, CV 0.4240 +- 0.0019, synchrony 221 +- 22.
    rate, cv, sync = _brunel(1, tmp_path)
    assert rate == pytest.approx(37.49, abs=0.45)
    assert cv == pytest.approx(0.424, abs=0.014)
    assert 130 < sync < 320


@pytest.mark.slow
def test_brunel_three_seeds(tmp_path: Path) -> None:
    rate, cv, sync = np.mean([_brunel(seed, tmp_path) for seed in (1, 2, 3)], axis=0)
    assert rate == pytest.approx(37.49, abs=0.25)
    assert cv == pytest.approx(0.424, abs=0.008)
    assert 160 < sync < 290


def _microcircuit(scale: float, duration_ms: float, seed: int, folder: Path) -> dict[str, np.ndarray]:
    return statistics(_run(models.microcircuit(scale), 500.0 + duration_ms, seed, folder), 500.0, seed)


def test_microcircuit_one_seed(tmp_path: Path) -> None:
    """One seed over 5 s: within 5 SD of NEST's seeds, or 5 %."""
    found = _microcircuit(0.1, 5000.0, 1, tmp_path)
    for name in ("rate", "cv"):
        mean, sd = np.array(NEST_TENTH[name])
        np.testing.assert_array_less(np.abs(found[name] - mean), np.maximum(5 * sd, 0.05 * mean), err_msg=name)


@pytest.mark.slow
def test_microcircuit_four_seeds(tmp_path: Path) -> None:
    """The accepted difference is the larger of 3 standard errors of the difference of two means, and 3 %."""
    found = [_microcircuit(0.1, 5000.0, seed, tmp_path) for seed in (1, 2, 3, 4)]
    for name, floor in (("rate", 0.03), ("cv", 0.03), ("sync", 0.1)):
        mean, sd = np.array(NEST_TENTH[name])
        ours = np.mean([f[name] for f in found], axis=0)
        accepted = np.maximum(3 * sd * np.sqrt(1 / 4 + 1 / 4), floor * mean)
        np.testing.assert_array_less(np.abs(ours - mean), accepted, err_msg=name)


@pytest.mark.slow
def test_microcircuit_distributions_at_a_tenth(tmp_path: Path) -> None:
    """Distributions over neurons of rate, CV and correlation differ from NEST's no more than NEST's seeds differ."""
    reference = load(TENTH)
    duration_ms, scale = float(reference["duration_ms"]), float(reference["scale"])
    ours = [_microcircuit(scale, duration_ms, seed, tmp_path) for seed in (1, 2, 3, 4, 5)]
    for measure in MEASURES:
        found = distances(ours, reference, measure)
        assert found["ours-NEST"].mean() <= limit(found["NEST-NEST"]), measure


def _counts(net: Network, folder: Path, **options: object) -> np.ndarray:
    spikes = _run(net, 1000.0, 1, folder, **options)
    return np.bincount(spikes["spike_unit"].values, minlength=net.size)


@pytest.mark.parametrize(("weight_mv", "total"), [(0.275, 310), (0.55, 752)])
def test_worm_spike_counts(mirror: Path, tmp_path: Path, weight_mv: float, total: int) -> None:
    net = models.connectome_lif(worm(mirror), weight_mv=weight_mv, driven="ASHL,ASHR", drive="regular")
    count = _counts(net, tmp_path, precision="exact")
    _, unit = step_by_step(net, 1000.0)
    assert count.sum() == total
    np.testing.assert_array_equal(count, np.bincount(unit, minlength=net.size))


@pytest.mark.parametrize(
    ("silenced", "total", "expected"),
    [
        ([], 3709, {2721: 163, 1316: 43, 323: 34, 197: 31, 2734: 0}),
        ([2721], 6044, {2721: 169, 2734: 47, 2740: 17, 2726: 16, 2757: 14, 2761: 9, 968: 54, 323: 49, 914: 49}),
    ],
)
def test_mushroom_body_spike_counts(
    mirror: Path, tmp_path: Path, silenced: list[int], total: int, expected: dict[int, int]
) -> None:
    graph = mushroom_body(mirror)
    net = models.connectome_lif(
        graph, driven=projection_neurons(mirror), silenced=[graph.labels[i] for i in silenced], drive="regular"
    )
    count = _counts(net, tmp_path, precision="exact")
    assert count.sum() == total
    assert {i: int(count[i]) for i in expected} == expected


def test_thalamic_pulse_reaches_layer_4(tmp_path: Path) -> None:
    net = models.microcircuit(0.05, thalamus=True, thalamus_start_ms=100.0)
    spikes = _run(net, 150.0, 1, tmp_path)
    time_ms = spikes["spike_step"].values * 0.1
    name = spikes["population"].values[spikes["spike_unit"].values]
    relay = time_ms[name == "TC"]
    # 45 neurons at 120 Hz for 10 ms: 54 spikes expected.
    assert 54 - 5 * np.sqrt(54) < len(relay) < 54 + 5 * np.sqrt(54)
    assert relay.min() >= 100
    assert relay.max() <= 110.1
    layer4 = time_ms[name == "L4E"]
    before, during = np.sum((layer4 > 60) & (layer4 < 100)) / 40, np.sum((layer4 > 102) & (layer4 < 114)) / 12
    assert during > 3 * before
