"""Clustered balanced networks: construction against the published numbers, spikes against a plain loop, statistics (slow)."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from allometry import simulate
from allometry.compare import tca
from allometry.errors import SimulationError
from allometry.models import clustered
from allometry.models.clustered import columns, probabilities
from allometry.network import Condition, Network
from tests.models.listed import listed
from tests.simulate import engine


def test_probabilities_and_weights_are_the_published_ones() -> None:
    assert probabilities(80, 2.5) == pytest.approx((0.48544, 0.19417), abs=5e-6)
    assert probabilities(80, 1.0) == pytest.approx((0.2, 0.2))
    net = clustered(clusters="none")
    weights = {(p.source, p.target): p.weight.value for p in net.projections}
    assert weights == {
        ("E", "E"): pytest.approx(0.023570, abs=1e-6),
        ("E", "I"): pytest.approx(0.014142, abs=1e-6),
        ("I", "E"): pytest.approx(-0.045255, abs=1e-6),
        ("I", "I"): pytest.approx(-0.056569, abs=1e-6),
    }
    assert [(p.size, p.neuron.tau_m) for p in net.populations] == [(4000, 15.0), (1000, 10.0)]
    (stimulus,) = net.inputs
    assert np.count_nonzero(stimulus.amplitude) == 400
    assert stimulus.amplitude[:400] == pytest.approx(0.07 / 15)


def test_clusters_replace_the_synapses_among_their_neurons() -> None:
    net = clustered(seed=3, scale=0.25)
    edges = net.projections[0].rule
    cluster = columns("E", 1000)["cluster"]
    within = cluster[edges.source] == cluster[edges.target]
    p_in, p_out = probabilities(20, 2.5)
    pairs_in, pairs_out = 50 * 20 * 19, 1000 * 980
    # 4 binomial standard deviations
    for found, p, pairs in ((within.sum(), p_in, pairs_in), ((~within).sum(), p_out, pairs_out)):
        assert found == pytest.approx(p * pairs, abs=4 * np.sqrt(pairs * p * (1 - p)))
    weight = 10 / (15 * np.sqrt(200))
    assert edges.weight[within] == pytest.approx(1.9 * weight)
    assert edges.weight[~within] == pytest.approx(weight)
    assert (edges.source != edges.target).all()
    assert len(np.unique(edges.source * 1000 + edges.target)) == len(edges.source)
    other = clustered(seed=4, scale=0.25).projections[0].rule
    assert len(other.source) != len(edges.source) or (other.target != edges.target).any()


def plain(net: Network, seed: int, steps: int) -> np.ndarray:
    """Spikes [spike, 2] of the specification's step, neuron by neuron of a list of floats: step and neuron."""
    given, h = listed(net, seed, steps), net.dt_ms
    n_e, n = net.populations[0].size, net.size
    v = np.concatenate(given.voltage).tolist()
    mu = np.concatenate([np.broadcast_to(c.mu, p.size) for c, p in zip(given.cells, net.populations)]).tolist()
    gain = np.concatenate([np.broadcast_to(c.gain, p.size) for c, p in zip(given.cells, net.populations)]).tolist()
    stimulus, *course = net.inputs[:1] + net.inputs[-1:] if len(net.inputs) > 1 else net.inputs
    ex, inh, last = np.zeros(n), np.zeros(n), [-(10**6)] * n
    x = [[0.0] * 5 for _ in range(n)]
    taus = (1.0, 3.0, 1.0, 2.0, 100.0)
    spikes = []
    for k in range(steps):
        next_ex, next_inh = np.zeros(n), np.zeros(n)
        slow = sum((events[k] for events in given.events), np.zeros(n))
        for i in range(n):
            arrived = (ex[i], ex[i], inh[i], inh[i], slow[i])
            x[i] = [a - h * a / tau + w for a, tau, w in zip(x[i], taus, arrived)]
            current = (x[i][1] - x[i][0]) / 2.0 + (x[i][3] - x[i][2]) / 1.0 + gain[i] * x[i][4]
            if i < n_e:
                current += stimulus.amplitude[i] if stimulus.start_ms <= k * h < stimulus.stop_ms else 0.0
                current += course[0].amplitude.values[int(k * h / 10.0 + 1e-9), i] if course else 0.0
            if k - last[i] > 50:
                v[i] += h * ((mu[i] - v[i]) / (15.0 if i < n_e else 10.0) + current)
                if v[i] > 1.0:
                    v[i], last[i] = 0.0, k
                    spikes.append((k, i))
                    mine = given.of(i)
                    (next_ex if i < n_e else next_inh)[given.target[mine]] += given.weight[mine]
        ex, inh = next_ex, next_inh
    return np.array(spikes)


@pytest.mark.parametrize("clusters", ["recurrent", "input"])
def test_spikes_are_those_of_a_plain_loop(clusters: str) -> None:
    net = clustered(
        seed=2, clusters=clusters, scale=0.025, stimulus=0.3, stimulus_start_ms=20.0, stimulus_stop_ms=60.0,
        input_sd=0.2,
    )  # fmt: skip
    steps = 800
    found = engine.spikes(net, steps, seed=5, precision="exact")
    assert len(found) > 120
    np.testing.assert_array_equal(found, plain(net, 5, steps))
    # the stimulus is there: its clusters fire more than the others
    inside = (found[:, 0] >= 200) & (found[:, 0] < 600)
    counts = np.bincount(found[inside, 1], minlength=net.size)[:100]
    assert counts[:10].mean() > 1.3 * counts[10:].mean()


def test_slow_input_has_the_variance_of_its_process() -> None:
    """Variance of the common part over trials and groups, once it has settled; the part that repeats has unit variance."""
    net = clustered(clusters="input", scale=0.025, input_sd=0.07)
    first, course = net.inputs[1], net.inputs[-1]
    rng = np.random.default_rng(1)
    # what the specification says, of the events that the network declares: decayed sums of both signs
    counts = rng.poisson(first.rate_hz * 1e-4, (2, 400, 6000))
    state, settled = np.zeros(400), []
    for k in range(6000):
        state = state * (1 - 0.1 / 100.0) + first.weight * (counts[0, :, k].astype(float) - counts[1, :, k])
        if k >= 4000 and k % 500 == 0:
            settled.append(state.copy())
    # 400 processes at 4 correlated times: a standard error of the sd of about 3 %
    assert np.std(settled) == pytest.approx(0.07 / 15, rel=0.12)
    share = net.populations[0].neuron.gain
    driven = course.amplitude.values / (1 - share) / (0.07 / 15)
    assert driven.std() == pytest.approx(1.0, rel=0.1)
    assert [i.weight for i in net.inputs[1:3]] == [first.weight, -first.weight]


@pytest.mark.parametrize(
    "arguments",
    [
        {"scale": 0.01}, {"scale": 2.0}, {"ratio": 0.5}, {"ratio": 6.0}, {"stimulated": 51}, {"weight_ratio": -1.0},
        {"stimulus_start_ms": 100.0, "stimulus_stop_ms": 50.0}, {"stimulus": float("nan")}, {"seed": -1},
    ],
)  # fmt: skip
def test_impossible_arguments_are_refused(arguments: dict) -> None:
    with pytest.raises(SimulationError, match="clustered"):
        clustered(**arguments)


def counts_of(net: Network, seed: int, trials: int, folder: Path) -> tuple[np.ndarray, list[np.ndarray]]:
    """Counts [trial, neuron, bin of 100 ms] of 2 s, and intervals between spikes of excitatory neurons by trial and neuron."""
    runs = simulate.run_batch(
        net,
        [Condition(f"trial{i}", seed=100 * seed + i) for i in range(trials)],
        duration_ms=2000.0,
        seed=seed,
        folder=folder / f"{seed}",
        execution=simulate.Execution(threads=1),
    )
    counts, intervals = np.zeros((trials, net.size, 20)), []
    for counted, spikes in zip(counts, runs.values()):
        step, unit = spikes["spike_step"].values.astype(int) - 1, spikes["spike_unit"].values.astype(int)
        np.add.at(counted, (unit, step // 1000), 1)
        order = np.lexsort((step, unit))
        step, unit = step[order], unit[order]
        ends = np.searchsorted(unit, np.arange(4001))
        intervals += [np.diff(step[a:b]) * 0.1 for a, b in itertools.pairwise(ends) if b - a > 5]
    return counts, intervals


def statistics(counts: np.ndarray, intervals: list[np.ndarray]) -> dict[str, float]:
    """The specification's: windows of 100 ms, spontaneous from 500 to 1500 ms and stimulated from 1600 to 2000 ms."""
    e, spontaneous, stimulated = counts[:, :4000], slice(5, 15), slice(16, 20)

    def fano(x: np.ndarray) -> float:
        mean = x.mean(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.nanmean(x.var(axis=0, ddof=1) / mean, axis=1)
        return float(np.nanmean(ratio[mean.mean(axis=1) > 0.05]))

    # pairs of neurons above 1 spike/s, as those of the reference
    pooled = e[:, :, spontaneous].transpose(1, 0, 2).reshape(4000, -1)
    active = pooled.mean(axis=1) > 0.1
    z = pooled[active] - pooled[active].mean(axis=1, keepdims=True)
    z /= np.sqrt((z**2).mean(axis=1, keepdims=True))
    r, cluster = z @ z.T / z.shape[1], np.flatnonzero(active) // 80
    same, other = cluster[:, None] == cluster, cluster[:, None] != cluster
    np.fill_diagonal(same, False)
    cluster_rate = 10 * e[:, :, spontaneous].reshape(len(e), 50, 80, 10).mean(axis=2)
    return {
        "E": 10 * float(e[:, :, spontaneous].mean()),
        "I": 10 * float(counts[:, 4000:, spontaneous].mean()),
        "cv": float(np.mean([x.std() / x.mean() for x in intervals])),
        "fano": fano(e[:, :, spontaneous]),
        "fano_unstimulated": fano(e[:, 400:, stimulated]),
        "fano_stimulated": fano(e[:, :400, stimulated]),
        "within": float(r[same].mean()),
        "between": float(r[other].mean()),
        "cluster_rate_sd": float(cluster_rate.std()),
        "stimulated_before": 10 * float(e[:, :400, spontaneous].mean()),
        "stimulated": 10 * float(e[:, :400, stimulated].mean()),
    }


def over_networks(clusters: str, networks: int, trials: int, folder: Path) -> dict[str, float]:
    found = [
        statistics(*counts_of(clustered(seed=seed, clusters=clusters), seed, trials, folder))  # type: ignore[arg-type]
        for seed in range(1, networks + 1)
    ]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


@pytest.mark.slow
def test_uniform_networks_have_the_rates_and_variability_of_the_reference(tmp_path: Path) -> None:
    """Two networks, as those of the independent implementation."""
    found = over_networks("none", 2, 8, tmp_path)
    assert found["E"] == pytest.approx(2.01, abs=0.05)
    assert found["I"] == pytest.approx(2.90, abs=0.06)
    assert found["cv"] == pytest.approx(0.644, abs=0.02)
    assert found["fano"] == pytest.approx(0.86, abs=0.03)
    assert found["fano_stimulated"] == pytest.approx(0.73, abs=0.04)
    assert abs(found["within"]) < 0.003


@pytest.mark.slow
def test_clustered_networks_have_the_states_of_the_reference(tmp_path: Path) -> None:
    """Ten networks of eight trials. Networks differ: the Fano factor under the stimulus has a standard deviation of 0.14."""
    found = over_networks("recurrent", 10, 8, tmp_path)
    assert found["E"] == pytest.approx(3.28, abs=0.15)
    assert found["I"] == pytest.approx(4.23, abs=0.15)
    assert found["cv"] == pytest.approx(1.10, abs=0.08)
    assert found["fano"] == pytest.approx(1.75, abs=0.2)
    assert found["fano_unstimulated"] == pytest.approx(0.94, abs=0.12)
    assert found["within"] == pytest.approx(0.61, abs=0.07)
    assert found["between"] == pytest.approx(-0.012, abs=0.003)
    # five networks of the reference: 8.25 to 8.91, and 27.8 to 31.1
    assert found["cluster_rate_sd"] == pytest.approx(8.5, abs=0.6)
    assert found["stimulated"] == pytest.approx(29.5, abs=2.5)


def share_between_clusters(counts: np.ndarray) -> float:
    """Share of the variance of neuron factors that lies between clusters; eight components of neurons x time x trials."""
    tensor = counts[:, :4000, 5:].transpose(1, 2, 0)
    factors = tca(tensor, 8, restarts=2).modes[0]
    means = factors.reshape(50, 80, 8).mean(axis=1)
    return float(means.var(axis=0).sum() / factors.var(axis=0).sum())


@pytest.mark.slow
def test_components_of_trials_are_clusters(tmp_path: Path) -> None:
    """Neurons of a cluster share their components: nearly all of their variance, where random groups of 80 have 1/80."""
    recurrent, _ = counts_of(clustered(), 1, 8, tmp_path / "recurrent")
    uniform, _ = counts_of(clustered(clusters="none", stimulus=0.0), 1, 8, tmp_path / "none")
    assert share_between_clusters(recurrent) > 0.8
    assert share_between_clusters(uniform) < 0.1
