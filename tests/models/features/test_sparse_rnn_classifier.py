"""The sparse recurrent classifier against what was measured independently of the published settings (issue 20)."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from allometry.errors import SimulationError
from allometry.models import features
from allometry.models.features import sparse_training
from allometry.models.features.sparse_rnn_classifier import (
    by_quantile,
    gain,
    mask,
    number_of_patterns,
    patterns_of,
    readout_neurons,
    reduced,
    starting_weights,
)

NAME = "sparse_rnn_classifier"


def parts(seed: int, neurons: int, degree: float, patterns: int, share: float) -> Any:
    source, target = mask(seed, neurons, degree)
    shown, label = patterns_of(seed, neurons, patterns)
    weight = starting_weights(seed, shown, label, source, target, degree, "covariance")
    return weight, source, target, shown, label, readout_neurons(seed, neurons, share)


def plain_rates(weight: np.ndarray, source: Any, target: Any, shown: np.ndarray, steps: int) -> np.ndarray:
    """The equations as they are written, with dense matrices."""
    dense = np.zeros((len(shown), len(shown)))
    dense[target, source] = weight
    x, out, half = np.zeros_like(shown), [], np.tanh(0.5)
    for t in range(steps):
        r = np.where(x > 0, (np.tanh(np.maximum(x, 0) - 0.5) + half) / (1 + half), 0.0)
        x = x + 0.1 * (-x + dense @ r + (t < 10) * shown)
        out.append(np.where(x > 0, (np.tanh(np.maximum(x, 0) - 0.5) + half) / (1 + half), 0.0))
    return np.array(out)


def test_dynamics_are_those_of_the_equations() -> None:
    weight, source, target, shown, *_ = parts(1, 30, 4.0, 11, 0.2)
    found = sparse_training.rates(3 * weight, source, target, shown, 40)
    np.testing.assert_allclose(found, plain_rates(3 * weight, source, target, shown, 40), rtol=0, atol=1e-12)
    assert found.max() < 1


def test_gradient_against_finite_differences() -> None:
    weight, source, target, shown, label, read = parts(1, 30, 4.0, 37, 0.2)
    weight = 3 * weight
    gradient, said = sparse_training.gradient_of(weight, source, target, shown, label, read)
    np.testing.assert_array_equal(said, sparse_training.readout(weight, source, target, shown, read, 20))
    for k in np.argsort(-np.abs(gradient))[:5]:
        losses = []
        for step in (1e-6, -1e-6):
            moved = weight.copy()
            moved[k] += step
            losses.append(sparse_training.loss(sparse_training.readout(moved, source, target, shown, read, 20), label))
        assert gradient[k] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-4)


def test_synapses_and_starting_weights() -> None:
    source, target = mask(3, 100, 5.0)
    assert source.size == 500
    assert len(set(zip(source.tolist(), target.tolist()))) == 500
    assert (np.diff(target) >= 0).all()
    # published: 10 * .1^(1/4) / sqrt(N P sqrt f)
    assert gain(100, 250, 5.0) == pytest.approx(0.0752, abs=5e-5)
    assert number_of_patterns(100, 5.0, 0.5) == 250
    weight, source, target, shown, label, _ = parts(3, 40, 5.0, 30, 0.1)
    dense = gain(40, 30, 5.0) * shown @ np.diag(label) @ shown.T
    np.testing.assert_allclose(weight, dense[target, source], rtol=1e-12)


# Strongly connected graphs among 300 of mean degree ln N + c, c = -1, 0, 1, 2, 3: measured
CONNECTED = {
    50: (0.013, 0.163, 0.567, 0.827, 0.950),
    200: (0.0, 0.150, 0.507, 0.800, 0.900),
    1000: (0.003, 0.147, 0.457, 0.790, 0.940),
}


def connected_share(neurons: int, c: float, graphs: int) -> float:
    found = []
    for seed in range(graphs):
        source, target = mask(seed, neurons, np.log(neurons) + c)
        graph = coo_array((np.ones(source.size), (target, source)), (neurons, neurons))
        found.append(connected_components(graph, connection="strong")[0] == 1)
    return float(np.mean(found))


@pytest.mark.parametrize("c", [0.0, 2.0])
def test_graphs_become_connected_at_the_logarithm_of_their_size(c: float) -> None:
    found, law = connected_share(200, c, 100), np.exp(-2 * np.exp(-c))
    expected = CONNECTED[200][int(c) + 1]
    assert abs(found - expected) < 3 * np.sqrt(expected * (1 - expected) * (1 / 100 + 1 / 300))
    assert abs(found - law) < 3 * np.sqrt(law * (1 - law) / 100) + 0.04  # of a large network


@pytest.mark.slow
@pytest.mark.parametrize("neurons", CONNECTED)
def test_connected_graphs_over_sizes(neurons: int) -> None:
    for c, expected in zip((-1, 0, 1, 2, 3), CONNECTED[neurons]):
        found, share = connected_share(neurons, c, 300), max(expected, 1 / 300)
        assert abs(found - expected) < 3 * np.sqrt(2 * share * (1 - share) / 300)


def best(parameters: dict[str, Any], seeds: Any) -> list[float]:
    return [1 - min(features.fit(NAME, parameters, seed).history) for seed in seeds]


EXAMPLE: dict[str, Any] = {"learning_rate": 1.0}


def test_training_finds_the_classes_of_a_small_network() -> None:
    fitted = features.fit(NAME, {"neurons": 40, "degree": 4.0, "load": 0.3, "readout_share": 0.2, "epochs": 150}, 1)
    right = 1 - np.array(fitted.history)
    assert right[0] < 0.8
    assert right.max() > 0.9
    assert fitted.residual == pytest.approx(1 - right.max())
    assert fitted.converged == (right.max() >= 0.99)


def plain_descent(
    weight: np.ndarray, source: np.ndarray, target: np.ndarray, shown: np.ndarray, label: np.ndarray, read: np.ndarray, rate: float,
    epochs: int,
) -> list[float]:  # fmt: skip
    """Accuracies of a descent as its equations are written, with dense matrices."""
    n, half = len(shown), np.tanh(0.5)
    dense, mask_ = np.zeros((n, n)), np.zeros((n, n))
    dense[target, source], mask_[target, source] = weight, 1.0
    mean = np.isin(np.arange(n), read) / read.size
    history = []
    for _ in range(epochs + 1):
        x, r = [np.zeros_like(shown)], [np.zeros_like(shown)]
        for t in range(20):
            x.append(x[t] + 0.1 * (-x[t] + dense @ r[t] + (t < 10) * shown))
            r.append(np.where(x[-1] > 0, (np.tanh(x[-1] - 0.5) + half) / (1 + half), 0.0))
        y = np.array([mean @ one for one in r])
        history.append(max(float(((one > 0.5) == (label > 0)).mean()) for one in y[11:]))
        later, gradient = np.zeros_like(shown), np.zeros((n, n))
        for t in range(20, 0, -1):
            pull = np.where(label > 0, -1.0 * (y[t] < 0.6), 1.0 * (y[t] > 0.4)) * (t > 10)
            slope = (x[t] > 0) * (1 - (r[t] * (1 + half) - half) ** 2) / (1 + half)
            later = slope * (mean[:, None] * pull + 0.1 * dense.T @ later) + 0.9 * later
            gradient += 0.1 * later @ r[t - 1].T
        dense = dense - rate * mask_ * gradient
    return history


def test_training_is_the_descent_of_the_equations() -> None:
    """Step after step, until rounding grows: thirty epochs of forty neurons."""
    asked: dict[str, Any] = {"neurons": 40, "degree": 4.0, "load": 0.4, "readout_share": 0.1, "learning_rate": 0.5}
    for seed in (1, 2):
        fitted = features.fit(NAME, {**asked, "epochs": 30}, seed)
        history = 1 - np.array(fitted.history)
        wanted = plain_descent(*parts(seed, 40, 4.0, 64, 0.1), 0.5, 30)
        np.testing.assert_allclose(history, wanted[: len(history)], atol=1e-12)


@pytest.mark.slow
def test_the_example_problem() -> None:
    """100 neurons, 5 synapses each, 250 patterns, 300 epochs: against the equations in dense numpy with float32 and other seeds.

    Thirteen seeds there: median .944, .68 to .99; .71 and .89 after 20 and 100 epochs. The specification reports four seeds of .992,
    .984, .992 and .924 (.80 and .96 on the way), at the upper end of both; learning rate, gain, size of the readout, window of the
    loss, labels, equal in-degrees and precision do not explain it.
    """
    fits = [features.fit(NAME, EXAMPLE, seed) for seed in range(8)]
    right = [1 - np.array(fit.history) for fit in fits]
    # a median of 8 of a standard deviation of .03 (without the seeds that stall) is known to .013
    assert np.median([one.max() for one in right]) == pytest.approx(0.944, abs=0.04)
    assert max(one.max() for one in right) > 0.95
    assert np.median([one[20] for one in right]) == pytest.approx(0.71, abs=0.05)
    assert np.median([one[min(100, len(one) - 1)] for one in right]) == pytest.approx(0.89, abs=0.05)
    held = []
    for seed, fit in enumerate(fits):
        _, source, target, shown, label, read = parts(seed, 100, 5.0, 250, 0.05)
        said = sparse_training.readout(fit.arrays["weight"], source, target, shown, read, 80)
        held.append(by_quantile(said, label)[[9, 19, 39, 79]])
        assert said[19, label > 0].mean() == pytest.approx(0.62, abs=0.06)
        assert said[19, label < 0].mean() == pytest.approx(0.36, abs=0.06)
    _, trained, twice, four_times = np.median(held, axis=0)
    # the class is there within the trained window, and is not held far beyond it
    assert trained > 0.9
    assert trained > twice > four_times


# degree: accuracies of three seeds, 50 neurons, a load of .8, 500 epochs
OF_DEGREE = {1: 0.625, 2: 0.8625, 3: 0.8667, 4: 0.9437, 6: 0.9542, 10: 0.9725}


@pytest.mark.slow
def test_accuracy_rises_with_synapses_per_neuron_at_a_load_per_synapse() -> None:
    asked: dict[str, Any] = {"neurons": 50, "load": 0.8, "readout_share": 0.2, "epochs": 500}
    found = {k: float(np.median(best({**asked, "degree": float(k)}, range(5)))) for k in OF_DEGREE}
    for k in (4, 6, 10):
        assert found[k] == pytest.approx(OF_DEGREE[k], abs=0.05)
    values = [found[k] for k in (2, 3, 4, 6, 10)]
    assert all(b > a - 0.03 for a, b in pairwise(values))
    assert found[1] < 0.75


# neurons, patterns: accuracies of the one-shot rule of three seeds, a share of .1 of synapses
ONE_SHOT = {
    (250, 10): (1.0, 1.0, 1.0),
    (250, 20): (0.9, 1.0, 0.9),
    (250, 40): (0.9, 0.95, 0.9),
    (250, 80): (0.85, 0.725, 0.775),
}


def one_shot(neurons: int, patterns: int, seeds: Any, training: str = "none", epochs: int = 1) -> list[float]:
    asked = {
        "neurons": neurons, "degree": 0.1 * neurons, "load": patterns / (0.1 * neurons**2), "readout_share": 0.1,
        "training": training, "epochs": epochs,
    }  # fmt: skip
    return [1 - features.fit(NAME, asked, seed).residual for seed in seeds]


def test_one_shot_of_few_patterns() -> None:
    assert np.median(one_shot(250, 10, range(3))) == 1.0
    assert 0.6 < np.median(one_shot(250, 80, range(3))) < 0.95


@pytest.mark.slow
@pytest.mark.parametrize(("case", "expected"), ONE_SHOT.items())
def test_one_shot_over_loads(case: Any, expected: Any) -> None:
    # medians of seven seeds, within .05 and a step of a pattern
    assert np.median(one_shot(*case, range(7))) == pytest.approx(np.median(expected), abs=0.05 + 1 / case[1])


@pytest.mark.slow
def test_corrections_do_not_worsen_the_one_shot_rule() -> None:
    once, corrected = one_shot(250, 40, range(3)), one_shot(250, 40, range(3), "hebbian", 30)
    # measured .65 to 1 with the fixed boundary, which is not that of the quantile
    assert np.median(corrected) >= 0.65
    assert np.median(once) >= 0.85


def test_responses_over_time_and_what_is_read_out() -> None:
    asked = {
        "neurons": 40,
        "degree": 4.0,
        "load": 0.2,
        "epochs": 3,
        "readout_share": 0.1,
        "duration_tau": 4.0,
        "record_tau": 0.5,
    }
    made = features.build(NAME, asked, 1)
    assert made.response.shape == (41, 32, 8)
    assert made.lag_s is not None
    assert made.lag_s == pytest.approx(np.arange(1, 9) * 0.005)
    read = np.asarray(made.units["read_out"])
    assert read.sum() == 4
    np.testing.assert_allclose(made.response[-1], made.response[read].mean(axis=0), rtol=1e-12)
    assert set(np.asarray(made.presentations["category"]).tolist()) == {-1.0, 1.0}
    again = features.build(NAME, asked, 1)
    assert np.array_equal(made.response, again.response)


def test_sizes() -> None:
    assert reduced(50.0, "load") == {"neurons": 50}
    with pytest.raises(SimulationError, match="20 or more"):
        reduced(10.0, "load")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"degree": 0.0}, "synapses from 0"),
        ({"load": 0.0001}, "two patterns"),
        ({"readout_share": 0.0}, "above 0 to 1"),
        ({"learning_rate": 0.0}, "positive rate"),
        ({"record_tau": 20.0}, "up to the duration"),
        ({"training": "hebbian", "start": "random"}, "start: covariance"),
    ],
)
def test_mistakes_are_explained(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        features.fit(NAME, parameters)
