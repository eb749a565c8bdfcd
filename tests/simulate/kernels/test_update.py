"""One step of the kernels that only precision `fast` uses, and rare Poisson counts, beside plain numpy."""

import numpy as np

from allometry.simulate.kernels import rng
from allometry.simulate.kernels.drive import poisson_block, poisson_some, poisson_thresholds
from allometry.simulate.kernels.update import psc_delta, psc_exp_one

f = np.float32
N = 64


def state() -> tuple[np.random.Generator, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    ref = np.where(np.arange(N) % 3 == 0, 1 + np.arange(N) % 5, 0).astype(np.int16)
    return random, random.uniform(0, 16, N).astype(f), ref, random.integers(-4000, 4000, N).astype(np.int32)


def test_one_step_of_exponential_currents() -> None:
    random, v, ref, arrived = state()
    current = random.uniform(-300, 300, N).astype(f)
    p11, p21, p22, quantum, constant, reset, threshold = map(f, (0.8, 0.004, 0.99, 0.25, 0.7, -1.0, 15.0))
    moved = np.where(ref > 0, reset, v * p22 + current * p21 + constant)
    fired = moved >= threshold
    wanted = current * p11 + arrived.astype(f) * quantum
    rest = np.where(fired, 20, np.maximum(ref - 1, 0))
    flag = np.full(N, 7, np.uint8)
    spikes = psc_exp_one(
        v, current, ref, arrived, flag, constant, reset, threshold, p11, p21, p22, quantum, np.int16(20)
    )
    assert 3 < spikes == fired.sum() < N
    np.testing.assert_array_equal(flag, fired)
    np.testing.assert_allclose(v, np.where(fired, reset, moved), rtol=1e-6)
    np.testing.assert_allclose(current, wanted, rtol=1e-6)
    np.testing.assert_array_equal(ref, rest)
    assert not arrived.any()


def test_one_step_of_voltage_jumps() -> None:
    random, v, ref, arrived = state()
    dc = random.uniform(0, 40, N).astype(f)
    p20, p22, quantum, reset, threshold = map(f, (0.05, 0.99, 0.002, 2.0, 15.0))
    moved = np.where(ref > 0, reset, dc * p20 + v * p22 + arrived.astype(f) * quantum)
    fired = moved >= threshold
    rest = np.where(fired, 20, np.maximum(ref - 1, 0))
    flag = np.full(N, 7, np.uint8)
    spikes = psc_delta(v, ref, arrived, flag, dc, reset, threshold, p20, p22, quantum, np.int16(20))
    assert 3 < spikes == fired.sum() < N
    np.testing.assert_array_equal(flag, fired)
    np.testing.assert_allclose(v, np.where(fired, reset, moved), rtol=1e-6)
    np.testing.assert_array_equal(ref, rest)
    assert not arrived.any()


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
