"""Kernels by distance alone: values of pairs, expected degrees, and synapses drawn in Python's integers, patch by patch."""

import math

import numpy as np
import pytest

from allometry.simulate.kernels.wiring import distance
from allometry.simulate.kernels.wiring.distance import BOX, EXPONENTIAL, GAUSSIAN, WRAPPED, Field
from tests.simulate.kernels.plain import Synapse, Tables, assert_draws, draw, mix, uniform, written

KEY, LOW = 0x5EED5EED5EED5EED, 3
WIDTH, HEIGHT, COLUMNS, ROWS = 3.0, 2.0, 4, 3
NO_SECOND, NO_NORM = np.empty(0, np.uint8), np.empty(0)
TABLES = Tables(np.array([-1, 0, 3, 11], np.int64), np.array([2, 3, 3, 5, 2, 4, 5, 5], np.int64))
KINDS = [(GAUSSIAN, 0.5, 1.1), (EXPONENTIAL, 0.4, 0.9), (BOX, 0.8, 0.8), (WRAPPED, 0.7, math.inf)]


def field(kind: int, length: float, cutoff: float, periodic: bool, candidates: np.ndarray, own: np.ndarray) -> Field:
    """Candidates sorted by patch; a patch is of a row of the grid, columns first."""
    x, y = candidates.T
    patch = (x * COLUMNS / WIDTH).astype(int) + COLUMNS * (y * ROWS / HEIGHT).astype(int)
    order = np.argsort(patch, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(patch, minlength=COLUMNS * ROWS))])
    own_x, own_y = np.ascontiguousarray(own.T)
    return Field(
        kind, length, cutoff, WIDTH, HEIGHT, periodic, COLUMNS, ROWS, order, starts, x[order], y[order], own_x, own_y
    )


def random_field(kind: int, length: float, cutoff: float, periodic: bool, n: int = 40) -> tuple[Field, np.ndarray]:
    """Neurons and candidates are the same `n`; the first patch is empty. And the kernel of every pair."""
    at = np.random.default_rng(4).uniform(0, 1, (n, 2)) * [WIDTH, HEIGHT]
    at[(at[:, 0] < WIDTH / COLUMNS) & (at[:, 1] < HEIGHT / ROWS)] += [WIDTH / COLUMNS, 0]
    values = np.array([[value(kind, length, cutoff, periodic, a, b) for b in at] for a in at])
    return field(kind, length, cutoff, periodic, at, at), values


def value(kind: int, length: float, cutoff: float, periodic: bool, a: np.ndarray, b: np.ndarray) -> float:
    d = np.abs(a - b)
    if periodic:
        d = np.minimum(d, np.array([WIDTH, HEIGHT]) - d)
    if kind == WRAPPED:
        images = np.arange(-60, 61)[:, None] * np.array([WIDTH, HEIGHT])
        return float(np.exp(-0.5 * ((d + images) / length) ** 2).sum(axis=0).prod())
    r = math.hypot(*d)
    if r > cutoff:
        return 0.0
    return {GAUSSIAN: math.exp(-0.5 * (r / length) ** 2), EXPONENTIAL: math.exp(-r / length), BOX: 1.0}[kind]


def bound(f: Field, i: int, patch: int) -> float:
    """The kernel at the point of the patch, or of its images, that is nearest."""
    low = np.array([patch % COLUMNS * (WIDTH / COLUMNS), patch // COLUMNS * (HEIGHT / ROWS)])
    size, sides = np.array([WIDTH / COLUMNS, HEIGHT / ROWS]), np.array([WIDTH, HEIGHT])
    at = np.array([f.own_x[i], f.own_y[i]])
    shifts = (-1, 0, 1) if f.periodic else (0,)
    apart = np.min([np.abs(at - np.clip(at, low + s * sides, low + s * sides + size)) for s in shifts], axis=0)
    return value(f.kind, f.length, f.cutoff, False, np.zeros(2), apart)


def test_kinds_are_numbered_without_two_alike() -> None:
    assert len({GAUSSIAN, EXPONENTIAL, BOX, WRAPPED}) == 4


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize(("kind", "length", "cutoff"), [*KINDS, (WRAPPED, 3.1, math.inf), (WRAPPED, 0.3, math.inf)])
def test_expected_degrees_are_sums_over_pairs(kind: int, length: float, cutoff: float, periodic: bool) -> None:
    if kind == WRAPPED and not periodic:
        return
    f, values = random_field(kind, length, cutoff, periodic)
    chosen = np.array([0, 7, 39])
    for peak in (np.full(3, 1e-3), np.array([0.5, 1.7, 30.0])):
        p = np.minimum(1.0, peak[:, None] * values[chosen])
        found = distance.expected_degrees(f, chosen, peak, True)
        np.testing.assert_allclose(found, p.sum(axis=1), rtol=1e-12)
        p[np.arange(3), chosen] = 0
        np.testing.assert_allclose(distance.expected_degrees(f, chosen, peak, False), p.sum(axis=1), rtol=1e-12)


def test_a_pair_just_at_the_cutoff_is_within() -> None:
    own = np.array([[0.5, 0.25]])
    for at, within in (([2.0, 0.25], 1.0), ([math.nextafter(2.0, 3.0), 0.25], 0.0), ([0.5, 1.75], 1.0)):
        f = field(BOX, 1.5, 1.5, False, np.array([at]), own)
        assert distance.expected_degrees(f, np.array([0]), np.array([1.0]), True)[0] == within


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize(("kind", "length", "cutoff"), KINDS)
def test_peaks_give_the_expected_degree(kind: int, length: float, cutoff: float, autapses: bool) -> None:
    f, values = random_field(kind, length, cutoff, True)
    if not autapses:
        np.fill_diagonal(values, 0.0)
    values = values[LOW : LOW + 3]
    within = (values > 0).sum(axis=1).astype(float)
    assert within.min() > 2
    linear = 0.5 * values.sum(axis=1) / values.max(axis=1)
    for wanted in (np.zeros(3), linear, 0.9 * within, within):
        peak = distance.peaks(f, LOW, wanted, autapses)
        np.testing.assert_allclose(np.minimum(1.0, peak[:, None] * values).sum(axis=1), wanted, rtol=1e-11)
        assert (peak > 0).all() == wanted.any()
    assert (distance.peaks(f, LOW, within + 0.5, autapses) == -1).all()


def by_distance(f: Field, values: np.ndarray, peak: np.ndarray, autapses: bool) -> list[Synapse]:
    out = []
    for t, most in enumerate(peak.tolist()):
        base = draw(KEY, LOW + t)
        for patch in range(COLUMNS * ROWS):
            here = f.order[f.starts[patch] : f.starts[patch + 1]].tolist()
            p, stream = min(1.0, most * bound(f, LOW + t, patch)), draw(base, patch + 1)
            at, index = -1, 0
            while here and p > 0:
                at += 1 + (0 if p >= 1 else int(math.log(uniform(draw(stream, index))) / math.log1p(-p)))
                if at >= len(here):
                    break
                taken = uniform(draw(stream, index + 1)) * p < most * values[LOW + t, here[at]]
                if taken and (autapses or here[at] != LOW + t):
                    out.append((here[at], t, draw(mix(base), here[at])))
                index += 2
    return out


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize(("kind", "length", "cutoff"), KINDS)
def test_pairs_are_drawn_patch_by_patch(
    kind: int, length: float, cutoff: float, periodic: bool, autapses: bool
) -> None:
    if kind == WRAPPED and not periodic:
        return
    f, values = random_field(kind, length, cutoff, periodic)
    peak = np.array([0.0, 0.3, 0.9, 1.0, 4.0])
    wanted = by_distance(f, values, peak, autapses)
    assert len(wanted) > 10
    assert_draws(
        distance.bernoulli, np.uint64(KEY), LOW, 5, f, peak, autapses, NO_SECOND, NO_NORM, n_source=40, n_target=5,
        tables=TABLES, wanted=wanted,
    )  # fmt: skip


def fixed(f: Field, values: np.ndarray, n: int, autapses: bool, i: int) -> list[tuple[int, int]]:
    """`n` candidates of neuron `i` with their bits: by patch in proportion to bound and size, then accepted."""
    base, index = draw(KEY, i), 0
    out: list[tuple[int, int]] = []
    bounds = np.array([bound(f, i, patch) for patch in range(COLUMNS * ROWS)])
    total = np.cumsum(np.diff(f.starts) * bounds)
    while len(out) < n:
        patch = int((total <= uniform(draw(base, index)) * total[-1]).sum())
        first, end = int(f.starts[patch]), int(f.starts[patch + 1])
        bits = draw(base, index + 1)
        c = int(f.order[first + ((bits >> 32) * (end - first) >> 32)])
        if (bits & 0xFFFFFFFF) / 2**32 * bounds[patch] < values[i, c] and (autapses or c != i):
            out.append((c, draw(mix(base), len(out))))
        index += 2
    return out


@pytest.mark.parametrize("autapses", [True, False])
@pytest.mark.parametrize("outward", [True, False])
@pytest.mark.parametrize(("kind", "length", "cutoff"), KINDS)
def test_fixed_degrees_candidate_by_candidate(
    kind: int, length: float, cutoff: float, outward: bool, autapses: bool
) -> None:
    f, values = random_field(kind, length, cutoff, True)
    n, part = 6, range(LOW, LOW + 5)
    if outward:
        wanted = [
            (i, c - LOW, bits) for i in range(40) for c, bits in fixed(f, values, n, autapses, i) if c in part
        ]  # fmt: skip
    else:
        wanted = [(c, i - LOW, bits) for i in part for c, bits in fixed(f, values, n, autapses, i)]
    assert len(wanted) > 10
    assert_draws(
        distance.fixed_degree, np.uint64(KEY), LOW, 5, f, outward, n, autapses, n_source=40, n_target=5, tables=TABLES,
        wanted=wanted,
    )  # fmt: skip


@pytest.mark.parametrize("outward", [True, False])
def test_neurons_with_nobody_in_reach_are_named(outward: bool) -> None:
    """The last of three is alone; the first two are each other's only candidate, or their own."""
    at = np.array([[0.8, 0.1], [0.9, 0.1], [2.0, 1.5]])
    f = field(BOX, 0.3, 0.3, False, at, at)
    sums = np.zeros((2, 5), np.int64)
    place = TABLES.weights, TABLES.delays, 2, 4, 0, np.zeros(13, np.uint32), np.zeros(0, np.uint64), np.zeros(2, int), 4

    def lonely(f: Field, n: int, autapses: bool) -> int:
        return int(distance.fixed_degree(False, np.uint64(KEY), 0, 3, f, outward, n, autapses, *place, sums[:, 1:-1]))

    assert lonely(f, 1, False) == 2
    assert lonely(f, 1, True) == -1
    far = field(BOX, 0.3, 0.3, False, at[:2], at)
    if not outward:
        assert lonely(far, 1, True) == 2
        assert lonely(far, 0, True) == -1


def test_a_peak_too_small_to_subtract_from_one() -> None:
    """Skips of a bound below 2^-53 are -ln(u) / bound: nobody, and no division by 0."""
    f, _ = random_field(BOX, 0.8, 0.8, True)
    for peak in (1e-17, 1e-101):
        assert not written(
            distance.bernoulli, np.uint64(KEY), LOW, 5, f, np.full(5, peak), True, NO_SECOND, NO_NORM, n_source=40, n_target=5,
            tables=TABLES,
        )  # fmt: skip
