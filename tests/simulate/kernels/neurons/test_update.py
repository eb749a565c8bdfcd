"""One step of neuron models beside plain numpy, and rare Poisson counts."""

import ctypes

import numpy as np
import pytest

from allometry.network import IafPscDelta, IafPscExp, NeuronModel
from allometry.network.neuron_model import MODELS, arguments
from allometry.simulate.kernels import rng
from allometry.simulate.kernels.inputs.drive import poisson_block, poisson_some, poisson_thresholds
from allometry.simulate.kernels.neurons.update import block_address

f = np.float32
N = 64
QUANTUM = 0.25


def state() -> tuple[np.random.Generator, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    ref = np.where(np.arange(N) % 3 == 0, 1 + np.arange(N) % 5, 0).astype(np.int16)
    return random, random.uniform(0, 20, N).astype(f), ref, random.integers(-4000, 4000, N).astype(np.int32)


def step(model: NeuronModel, current, arrived, state, ref, varied=(), precision: str = "fast"):
    """One call of the block of a model's form: new float variables, refractory steps, flags, number of spikes."""
    form, constants = model.form(precision), model.constants(0.1)
    constants = {c: constants[c] for c in arguments(form) if c in constants}
    real, total = (f, np.int32) if precision == "fast" else (np.float64, np.int64)
    whole = [c for c in constants if np.asarray(constants[c]).dtype.kind in "iu"]
    address = block_address(form, type(model).__name__, varied, whole, tuple(constants), real, total)
    several = [np.broadcast_to(constants[c], N) for c in constants if c in varied]
    alike = [constants[c] for c in constants if c not in varied]
    arrays = [
        np.concatenate(state).astype(real), np.zeros(1), ref.copy(), np.asarray(current, real), np.zeros(N, real),
        arrived.astype(total).copy(), np.array([QUANTUM, *(c for c in alike if isinstance(c, float))], real),
        np.array([c for c in alike if not isinstance(c, float)], np.int16),
        np.concatenate([np.empty(0), *(c for c in several if c.dtype.kind == "f")]).astype(real),
        np.concatenate([np.empty(0), *(c for c in several if c.dtype.kind != "f")]).astype(np.int16),
        np.full(N, 7, np.uint8), np.ones(N, np.uint8),
    ]  # fmt: skip
    call = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 12, *[ctypes.c_int64] * 3)(address)
    spikes = call(*(a.ctypes.data for a in arrays), N, N, N)
    assert not arrays[5].any()
    return arrays[0].reshape(len(state), N), arrays[2], arrays[10], spikes


def test_one_step_of_exponential_currents() -> None:
    random, v, ref, arrived = state()
    current = random.uniform(-300, 300, N).astype(f)
    model = IafPscExp(E_L=0.0, V_reset=-1.0, V_th=15.0, tau_m=10.0, tau_syn_ex=0.5, tau_syn_in=0.5, C_m=250.0)
    p11, p22 = np.exp(-0.1 / 0.5), np.exp(-0.1 / 10.0)
    p21 = 0.5 * 10.0 / (10.0 - 0.5) / 250.0 * (p22 - p11)
    moved = np.where(ref > 0, -1.0, v * p22 + current * p21 + 700.0 * 10.0 / 250.0 * (1 - p22))
    fired = moved >= 15.0
    new, left, flag, spikes = step(model, [700.0], arrived, [v, current], ref)
    assert 3 < spikes == fired.sum() < N
    np.testing.assert_array_equal(flag, fired)
    np.testing.assert_allclose(new[0], np.where(fired, -1.0, moved), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(new[1], current * p11 + arrived * QUANTUM, rtol=1e-5)
    np.testing.assert_array_equal(left, np.where(fired, 20, np.maximum(ref - 1, 0)))


def test_one_step_of_voltage_jumps() -> None:
    random, v, ref, arrived = state()
    dc = random.uniform(0, 400, N)
    model = IafPscDelta(E_L=0.0, V_reset=2.0, V_th=15.0, tau_m=10.0, C_m=250.0)
    p22 = np.exp(-0.1 / 10.0)
    moved = np.where(ref > 0, 2.0, dc * 10.0 / 250.0 * (1 - p22) + v * p22 + arrived // 100 * QUANTUM)
    fired = moved >= 15.0
    new, left, flag, spikes = step(model, dc, arrived // 100, [v], ref, ("current",))
    assert 3 < spikes == fired.sum() < N
    np.testing.assert_array_equal(flag, fired)
    np.testing.assert_allclose(new[0], np.where(fired, 2.0, moved), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(left, np.where(fired, 20, np.maximum(ref - 1, 0)))


@pytest.mark.parametrize("precision", ["fast", "exact"])
@pytest.mark.parametrize("model", MODELS.values())
def test_values_per_neuron_are_those_of_all(model: type[NeuronModel], precision: str) -> None:
    """A constant read per neuron gives the bits of the same one read once."""
    _, v, ref, arrived = state()
    neuron = model()
    form = neuron.form(precision)
    given = [v - 55.0 * (k > 0) for k in range(sum(s.width == "real" for s in form.states))]
    counts = np.tile(ref, sum(s.width == "count" for s in form.states))
    inputs = np.tile(arrived, len(form.receptors))
    taken = [c for c in arguments(form) if c in neuron.constants(0.1)]
    once = step(neuron, [30.0] * N, inputs, given, counts, (), precision)
    each = step(neuron, [30.0] * N, inputs, given, counts, (*taken, "current"), precision)
    for one, other in zip(once, each):
        np.testing.assert_array_equal(one, other)


def test_a_single_rare_count_of_a_block_is_finished() -> None:
    offset, row = poisson_thresholds(9.0)
    assert len(row) > 12
    rare = 0
    for k in range(60):
        base = rng.key(1, rng.Purpose.POISSON, k)
        scratch, block, alone = np.empty(1, np.uint64), np.zeros(1, np.int32), np.zeros(1, np.int32)
        poisson_block(scratch, scratch.view(np.uint32), base, 0, row, offset, np.int32(3), block)
        poisson_some(base, np.array([0]), np.array([0]), row, offset, np.int32(3), alone)
        assert block[0] == alone[0]
        rare += int(scratch.view(np.uint32)[0] > row[11])
    assert rare > 3
