"""Cultures: spikes against a plain loop with depression and adaptation, bursts against the specification (slow)."""

from pathlib import Path

import numpy as np
import pytest

from allometry import simulate
from allometry.compare import avalanches, branching_ratio, population_bursts, power_law
from allometry.compare.measures.spikes.population_bursts import PopulationBursts
from allometry.errors import SimulationError
from allometry.models import culture
from allometry.network import Network, ShortTermPlasticity
from tests.models.listed import listed
from tests.simulate import engine


def plain(net: Network, seed: int, steps: int, *, inhibitory: bool) -> np.ndarray:
    """The specification's step, neuron by neuron: spikes [spike, 2], step and neuron."""
    given, h, n, n_e = listed(net, seed, steps), net.dt_ms, net.size, net.populations[0].size
    cells = given.cells
    v = np.concatenate(given.voltage)
    noise = sum((events for events in given.events), np.zeros((steps, n)))
    mu = np.concatenate([c.mu for c in cells])
    plastic = net.projections[0].plasticity
    assert isinstance(plastic, ShortTermPlasticity)
    to_ex, to_in = np.zeros((40, n)), np.zeros((40, n))
    g_e, g_i, a, left = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, int)
    resource, last = np.ones(n), np.full(n, -1)
    spikes = []
    for k in range(steps):
        now = k % 40
        for i in range(n):
            g_e[i] = g_e[i] * np.exp(-h / cells[0].tau_syn_ex) + to_ex[now, i] + noise[k, i]
            g_i[i] = g_i[i] * np.exp(-h / 10.0) + to_in[now, i]
            a[i] *= np.exp(-h / cells[0].tau_a)
            if left[i] > 0:
                left[i] -= 1
                continue
            v[i] += h / 20.0 * (-v[i] + mu[i] + g_e[i] + g_i[i] - a[i])
            if v[i] < 1.0:
                continue
            spikes.append((k, i))
            v[i], left[i] = 0.0, 20 if i < n_e else 10
            used = 1.0
            if i < n_e:
                a[i] += cells[0].b
                if last[i] >= 0:
                    resource[i] = 1 - (1 - resource[i]) * np.exp(-(k - last[i]) * h / plastic.tau_rec)
                used = plastic.U * resource[i]
                resource[i] -= used
                last[i] = k
            mine = given.of(i)
            where = to_ex if i < n_e else to_in
            np.add.at(where, ((k + given.delay[mine]) % 40, given.target[mine]), used * given.weight[mine])
        to_ex[now] = to_in[now] = 0.0
    assert inhibitory == (n_e < n)
    return np.array(spikes)


@pytest.mark.parametrize(("inhibitory", "j_i"), [(0.2, 1.2), (0.2, -0.6), (0.0, 1.2)])
def test_spikes_are_those_of_a_plain_loop(inhibitory: float, j_i: float) -> None:
    net = culture(
        seed=2, neurons=40, inhibitory=inhibitory, connection_probability=0.4, j_e=1.0, j_i=j_i, noise_hz=80.0,
        adaptation=0.1, adaptation_ms=200.0, recovery_ms=100.0,
    )  # fmt: skip
    steps = 2000
    found = engine.spikes(net, steps, seed=6, precision="exact")
    assert len(np.unique(found[:, 1])) > 15
    # some fire again and again, so that depression and adaptation matter
    assert np.bincount(found[:, 1]).max() >= 4
    np.testing.assert_array_equal(found, plain(net, 6, steps, inhibitory=inhibitory > 0))


def test_parameters_are_those_of_the_culture() -> None:
    net = culture()
    excitatory, inhibitory = net.populations
    assert (excitatory.size, inhibitory.size) == (400, 100)
    assert (excitatory.neuron.b, inhibitory.neuron.b) == (0.05, 0.0)
    assert (excitatory.neuron.t_ref, inhibitory.neuron.t_ref) == (2.0, 1.0)
    mu = np.concatenate([excitatory.neuron.mu, inhibitory.neuron.mu])
    # five standard errors; no neuron fires without input
    assert mu.mean() == pytest.approx(0.75, abs=5 * 0.08 / 500**0.5)
    assert mu.std() == pytest.approx(0.08, rel=0.15)
    assert mu.max() <= 0.95
    by_source = {p.source: p for p in net.projections}
    assert (by_source["E"].weight.mean, by_source["E"].weight.sd) == (2.0, 0.5)
    assert (by_source["I"].weight.mean, by_source["I"].weight.sd) == (pytest.approx(-1.2), pytest.approx(0.3))
    assert by_source["E"].plasticity == ShortTermPlasticity(0.5, 800.0, 0.0)
    assert by_source["I"].plasticity is None
    given = listed(net, 1, 1)
    # 250,000 ordered pairs less the neurons themselves, four standard deviations; delays of 10 to 29 steps alike
    assert len(given.source) == pytest.approx(0.1 * 500 * 499, abs=4 * np.sqrt(500 * 499 * 0.09))
    assert (given.source != given.target).all()
    assert np.unique(given.delay).tolist() == list(range(10, 30))
    assert np.bincount(given.delay)[10:] == pytest.approx(len(given.delay) / 20, rel=0.15)
    assert [p.name for p in culture(inhibitory=0.0).populations] == ["E"]
    np.testing.assert_array_equal(np.concatenate([culture(inhibitory=0.0).populations[0].neuron.mu]), mu)


@pytest.mark.parametrize(
    "arguments",
    [
        {"neurons": 5}, {"inhibitory": 1.0}, {"inhibitory": -0.1}, {"connection_probability": 0.0}, {"j_e": 0.0},
        {"release": 1.5}, {"recovery_ms": 0.0}, {"adaptation": -0.1}, {"noise_hz": -1.0}, {"j_i": float("nan")},
        {"tau_e_ms": 0.0}, {"adaptation_ms": -1.0}, {"seed": -1},
    ],
)  # fmt: skip
def test_impossible_arguments_are_refused(arguments: dict) -> None:
    with pytest.raises(SimulationError, match="culture"):
        culture(**arguments)


def grown(seed: int, seconds: float, folder: Path, **parameters: float) -> tuple[PopulationBursts, float, np.ndarray]:
    """Bursts, rate per neuron in Hz, and the steps of all spikes."""
    net = culture(seed=seed, **parameters)  # type: ignore[arg-type]
    spikes = simulate.run(net, 1000 * seconds, seed, folder / f"{seed}.zarr", execution=simulate.Execution(threads=1))
    step, unit = spikes["spike_step"].values.astype(int) - 1, spikes["spike_unit"].values.astype(int)
    counts = np.zeros((round(seconds / 0.025), net.size), int)
    np.add.at(counts, (step // 250, unit), 1)
    return population_bursts(counts), len(step) / net.size / seconds, step


@pytest.mark.slow
def test_cultures_burst_as_the_reference(tmp_path: Path) -> None:
    """Five networks of two minutes against the specification's tolerances.

    The participation of its three networks, 0.89, is not that of more: a loop of ten, independent of the engine, gave 0.838
    with a standard deviation of 0.072 between networks, and two means of five and ten of these differ by 0.04.
    """
    found, rates, slopes, sizes = [], [], [], []
    for seed in range(1, 6):
        bursts, rate, step = grown(seed, 120.0, tmp_path)
        intervals = bursts.intervals_s
        found.append(
            [
                bursts.per_minute, 1000 * bursts.durations_s.mean(), bursts.participation.mean(),
                bursts.fraction_in_bursts, intervals.std() / intervals.mean(),
            ]
        )  # fmt: skip
        rates.append(rate)
        count = np.bincount(step // 40, minlength=30_000)
        slopes.append([np.corrcoef(count[:-1], count[1:])[0, 1], branching_ratio(count, 59).m])
        sizes.append(avalanches(np.bincount((step / (1.2e6 / len(step))).astype(int))).size)
    per_minute, duration_ms, participation, share, irregularity = np.mean(found, axis=0)
    assert np.mean(rates) == pytest.approx(0.80, abs=0.08)
    assert per_minute == pytest.approx(20, abs=5)
    assert duration_ms == pytest.approx(57, abs=6)
    assert participation == pytest.approx(0.838, abs=0.08)
    assert share > 0.88
    assert irregularity == pytest.approx(0.27, abs=0.08)
    # 0.775 to 0.796, and 0.456 to 0.501, in three networks of the reference
    assert np.mean(slopes, axis=0) == pytest.approx([0.79, 0.485], abs=0.03)
    for size in sizes:
        # background and bursts, and nothing between: no power law, and a lognormal distribution fits better
        assert ((size >= 100) & (size < 200)).sum() < 0.2 * (size >= 400).sum()
        assert power_law(size, alternatives=("lognormal",)).alternatives["lognormal"][0] < -3


@pytest.mark.slow
def test_bursts_depend_on_adaptation_weights_and_noise(tmp_path: Path) -> None:
    """Bursts per minute without adaptation: 162 in a loop independent of the engine (188 in one network of the specification)."""
    free = [grown(s, 60.0, tmp_path / "free", adaptation=0.0, j_e=1.6, noise_hz=4.0)[0] for s in (1, 2, 3)]
    # a standard deviation of 19 between networks: 11 of a mean of three
    assert np.mean([b.per_minute for b in free]) == pytest.approx(162, abs=30)
    short = [grown(s, 60.0, tmp_path / "short", adaptation_ms=1000.0, j_e=1.6)[0] for s in (1, 2, 3)]
    assert np.mean([b.per_minute for b in short]) == pytest.approx(87, abs=20)
    weak, _, _ = grown(1, 60.0, tmp_path / "weak", adaptation=0.0, j_e=0.6, noise_hz=15.0)
    assert weak.fraction_in_bursts < 0.06
    tonic, rate, _ = grown(1, 30.0, tmp_path / "tonic", adaptation=0.0, j_e=1.6, noise_hz=40.0)
    assert tonic.fraction_in_bursts < 0.1
    assert 2.8 < rate < 4.7


@pytest.mark.slow
def test_without_inhibition_more_of_a_culture_bursts(tmp_path: Path) -> None:
    """The epileptic culture: its bursts recruit more neurons, each of which fires more often in them."""
    control, _, _ = grown(1, 60.0, tmp_path / "control")
    blocked, _, _ = grown(1, 60.0, tmp_path / "blocked", j_i=0.0)
    assert blocked.participation.mean() > control.participation.mean() + 0.05
    assert blocked.n_spikes.mean() > 1.5 * control.n_spikes.mean()
