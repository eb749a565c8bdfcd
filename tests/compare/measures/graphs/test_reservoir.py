"""Reservoirs whose memory is known exactly."""

import numpy as np
import pytest

from allometry.compare.measures.graphs import reservoir as rv
from allometry.errors import ComparisonError


def delay_line(n):
    return np.eye(n, k=1)  # [source, target]: unit i drives unit i + 1


def test_delay_line_remembers_exactly_its_length():
    for n in (5, 20):
        found = rv.memory_capacity(delay_line(n), inputs=[0], radius=None, activation="linear")
        # exact but for the chance r^2 of the delays beyond (removed on average) and the ridge
        assert found.capacity == pytest.approx(n, abs=0.05)
        assert found.r2[:n] == pytest.approx(np.ones(n), abs=1e-3)
        assert found.r2[n:].max() < 0.01


@pytest.mark.parametrize("activation", ["tanh", "linear"])
def test_memory_never_exceeds_the_number_of_units(activation):
    rng = np.random.default_rng(0)
    for n in (10, 40):
        found = rv.memory_capacity(rng.normal(size=(n, n)), activation=activation, seed=1)
        assert 2 < found.capacity <= n + 0.1  # finite-sample error of the sum of r^2
        some = rv.memory_capacity(rng.normal(size=(n, n)), outputs=np.arange(4), activation=activation, seed=1)
        assert some.capacity <= 4.1


def test_noise_and_strong_drive_cost_memory():
    w = np.random.default_rng(2).normal(size=(30, 30))
    quiet = rv.memory_capacity(w).capacity
    assert rv.memory_capacity(w, noise=0.1).capacity < quiet - 2
    assert rv.memory_capacity(w, input_scale=3.0).capacity < quiet - 2


def test_orthogonal_reservoirs_beat_random_ones():
    rng = np.random.default_rng(3)
    n = 30
    orthogonal = np.linalg.qr(rng.normal(size=(n, n)))[0]
    nulls = [rng.normal(size=(n, n)) for _ in range(9)]
    remembered, *others = (rv.memory_capacity(w, steps=2000, seed=4).capacity for w in (orthogonal, *nulls))
    assert remembered > np.mean(others) + 2 * np.std(others, ddof=1)
    assert remembered > max(others)


def test_scaling_gives_the_spectral_radius_by_both_solvers():
    rng = np.random.default_rng(5)
    for n in (60, 520):
        w = rv.spectral_scale(rng.random((n, n)), 0.8)
        assert np.abs(np.linalg.eigvals(w)).max() == pytest.approx(0.8, rel=1e-9)


def test_states_follow_the_recursion_by_hand():
    w = np.array([[0.0, 0.5], [0.2, 0.0]])
    x = rv.states(w, [1.0, 0.0, -1.0], [1.0, 0.0], radius=None, leak=0.5)
    expected = np.zeros(2)
    for t, u in enumerate([1.0, 0.0, -1.0]):
        expected = 0.5 * expected + 0.5 * np.tanh(w.T @ expected + np.array([u, 0.0]))
        np.testing.assert_allclose(x[t], expected)


def test_delay_line_solves_timing_up_to_its_length():
    found = rv.timing_task(0.98 * delay_line(40), intervals=(5, 20, 70), inputs=[0], radius=None)
    assert found.error[0] < 0.02
    assert found.error[1] < 0.1
    assert found.error[2] > 0.9
    assert 0.5 < found.score < 0.75


@pytest.mark.parametrize(
    "call",
    [
        lambda: rv.memory_capacity(delay_line(5)),  # no cycle to scale
        lambda: rv.memory_capacity(np.ones((3, 4))),
        lambda: rv.memory_capacity(np.eye(5), inputs=[7]),
        lambda: rv.memory_capacity(np.eye(5), outputs=[]),
        lambda: rv.memory_capacity(np.eye(50), steps=100),
        lambda: rv.memory_capacity(np.full((4, 4), np.nan)),
        lambda: rv.states(2 * np.eye(4), np.ones(2000), np.ones(4), radius=None, activation="linear"),
        lambda: rv.states(np.eye(4), np.ones(5), np.ones(3)),
        lambda: rv.states(np.eye(4), np.ones(5), np.ones(4), leak=0),
        lambda: rv.spectral_scale(np.eye(3), 0),
        lambda: rv.timing_task(np.eye(4), intervals=()),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()


def test_sparse_weights_give_the_states_and_the_radius_of_dense_ones(monkeypatch):
    rng = np.random.default_rng(6)
    w = (rng.random((600, 600)) < 0.02) * rng.normal(size=(600, 600))
    drive, into = rng.uniform(-1, 1, 60), rng.normal(size=600)
    found = rv.states(w, drive, into, radius=0.9)
    scaled = rv.spectral_scale(w, 0.9)
    monkeypatch.setattr(rv, "SPARSE", 0.0)
    np.testing.assert_allclose(found, rv.states(w, drive, into, radius=0.9), atol=1e-9)
    np.testing.assert_allclose(scaled, rv.spectral_scale(w, 0.9))
    assert np.abs(np.linalg.eigvals(scaled)).max() == pytest.approx(0.9)
