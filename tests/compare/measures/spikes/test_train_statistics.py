"""Spike statistics against analytic values, published numbers and elephant / PySpike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allometry.compare.measures.spikes import bursts, train_distances
from allometry.compare.measures.spikes import train_statistics as ss
from allometry.errors import ComparisonError

TRAIN_A, TRAIN_B = [1.0, 2.0, 3.0], [1.1, 2.0, 5.0]
# a grid of 1 ms: differences of denormal size are no spike trains
TIMES = st.lists(st.integers(0, 10_000).map(lambda i: i / 1000), max_size=12, unique=True)


def test_intervals_of_known_train_give_hand_computed_cv2_and_lv():
    isi = [0.1, 0.2, 0.1, 0.3]
    # exact fractions: CV2 = (2/3 + 2/3 + 1)/3 = 7/9, LV = (1/3 + 1/3 + 3/4)/3 = 17/36
    assert ss.cv2(isi) == pytest.approx(7 / 9, abs=1e-12)
    assert ss.lv(isi) == pytest.approx(17 / 36, abs=1e-12)


def test_poisson_and_gamma_processes_have_their_theoretical_irregularity():
    rng = np.random.default_rng(1)
    n = 200_000
    # standard errors at n = 2e5 are about 0.002 to 0.004: five of them
    assert ss.cv(rng.exponential(size=n)) == pytest.approx(1, abs=0.015)
    assert ss.cv2(rng.exponential(size=n)) == pytest.approx(1, abs=0.015)
    assert ss.lv(rng.exponential(size=n)) == pytest.approx(1, abs=0.015)
    for k in (2, 5):
        assert ss.cv(rng.gamma(k, size=n)) == pytest.approx(1 / np.sqrt(k), abs=0.01)
        assert ss.lv(rng.gamma(k, size=n)) == pytest.approx(3 / (2 * k + 1), abs=0.01)


def test_fano_factor_of_poisson_counts_is_one():
    counts = np.random.default_rng(2).poisson(4, size=(100_000, 2))
    # sd of a Fano factor is sqrt(2/n) = .0045
    assert np.asarray(ss.fano(counts)) == pytest.approx([1, 1], abs=0.02)
    assert ss.fano(counts[:, 0]) == pytest.approx(float(np.asarray(ss.fano(counts))[0]))
    assert np.isnan(np.asarray(ss.fano([[0, 1], [0, 2]]))[0])


def test_synchrony_of_independent_and_of_identical_units():
    rng = np.random.default_rng(3)
    independent = rng.poisson(0.2, size=(50_000, 10))
    assert ss.synchrony(independent) == pytest.approx(1, abs=0.04)  # sqrt(2/n) = .006
    identical = np.repeat(rng.poisson(0.2, size=(50_000, 1)), 10, axis=1)
    assert ss.synchrony(identical) == pytest.approx(10, abs=0.4)


def test_lempel_ziv_counts_the_components_of_the_original_example():
    assert ss.lempel_ziv("1001111011000010") == 6
    assert ss.lempel_ziv([int(c) for c in "0001101001000101"]) == 6  # Lempel & Ziv 1976, section II
    assert ss.lempel_ziv("0" * 50) == 2
    random = np.random.default_rng(4).integers(0, 2, 20_000)
    assert ss.lempel_ziv(random, normalised=True) == pytest.approx(1, abs=0.1)  # converges as 1/log n


def _components_by_definition(text: str) -> int:
    count, start = 0, 0
    while start < len(text):
        length = 1
        while start + length < len(text) and text[start : start + length] in text[: start + length - 1]:
            length += 1
        count, start = count + 1, start + length
    return count


@settings(max_examples=60, deadline=None)
@given(st.text("01", min_size=1, max_size=80))
def test_lempel_ziv_equals_the_definition(text):
    assert ss.lempel_ziv(text) == _components_by_definition(text)


def test_train_distances_equal_the_published_numbers():
    assert train_distances.victor_purpura(TRAIN_A, TRAIN_B, q=1) == pytest.approx(2.1, abs=1e-12)
    assert train_distances.van_rossum(TRAIN_A, TRAIN_B, tau=1) == pytest.approx(1.3766, abs=5e-5)  # four printed digits
    # PySpike 0.9.0 on the window [0, 10]
    assert train_distances.spike_distance(TRAIN_A, TRAIN_B, 0, 10) == pytest.approx(0.2192, abs=5e-5)
    assert train_distances.isi_distance(TRAIN_A, TRAIN_B, 0, 10) == pytest.approx(0.3428, abs=5e-5)


@pytest.mark.parametrize(
    ("a", "b", "stop", "spike", "isi"),
    [
        # PySpike 0.9.0: spike_distance and isi_distance of SpikeTrain(a, [0, stop])
        (TRAIN_A, TRAIN_B, 5.0, 0.163427, 0.304667),
        (TRAIN_A, TRAIN_B, 6.0, 0.207810, 0.142778),
        (TRAIN_A, TRAIN_B, 7.0, 0.279576, 0.265238),
        ([4.0, 7.7, 8.2], [], 10.0, 0.352592, 0.668200),
        ([4.8, 8.0, 8.1, 9.6], [6.0], 10.0, 0.306051, 0.320500),
    ],
)
def test_profile_distances_equal_pyspike_whatever_the_edges(a, b, stop, spike, isi):
    assert train_distances.spike_distance(a, b, 0, stop) == pytest.approx(spike, abs=1e-6)
    assert train_distances.isi_distance(a, b, 0, stop) == pytest.approx(isi, abs=1e-6)


def test_train_distances_equal_elephant():
    dissimilarity = pytest.importorskip("elephant.spike_train_dissimilarity")
    neo = pytest.importorskip("neo")
    pq = pytest.importorskip("quantities")
    rng = np.random.default_rng(5)
    a, b = np.sort(rng.random(30) * 10), np.sort(rng.random(25) * 10)
    trains = [neo.SpikeTrain(t * pq.s, t_stop=10 * pq.s) for t in (a, b)]
    # same formulas in float64: rounding only
    vp = dissimilarity.victor_purpura_distance(trains, 2.0 * pq.Hz)[0, 1]
    assert train_distances.victor_purpura(a, b, q=2.0) == pytest.approx(float(vp), rel=1e-9)
    vr = dissimilarity.van_rossum_distance(trains, 0.5 * pq.s)[0, 1]
    assert train_distances.van_rossum(a, b, tau=0.5) == pytest.approx(float(vr), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(TIMES, TIMES)
def test_distances_are_symmetric_and_zero_on_the_diagonal(a, b):
    for distance in (
        lambda x, y: train_distances.victor_purpura(x, y, 1.5),
        lambda x, y: train_distances.van_rossum(x, y, 0.7),
        lambda x, y: train_distances.isi_distance(x, y, 0, 10),
        lambda x, y: train_distances.spike_distance(x, y, 0, 10),
    ):
        assert distance(a, a) == pytest.approx(0, abs=1e-6)
        assert distance(a, b) == pytest.approx(distance(b, a), abs=1e-9)
        assert distance(a, b) >= -1e-12
    assert train_distances.victor_purpura(a, b, 0) == abs(len(a) - len(b))


def test_per_unit_equals_the_functions_of_single_units():
    rng = np.random.default_rng(6)
    trains = [np.sort(rng.random(n) * 20) for n in (40, 0, 1, 2, 3, 25)]
    result = ss.per_unit(np.concatenate(trains), [t.size for t in trains], 20.0)
    for i, t in enumerate(trains):
        isi = np.diff(t)
        assert result.rate[i] == pytest.approx(t.size / 20)
        for name in ("cv", "cv2", "lv"):
            assert getattr(result, name)[i] == pytest.approx(getattr(ss, name)(isi), nan_ok=True)


def test_bursts_of_a_constructed_train():
    train = [0.0, 0.05, 0.1, 1.0, 2.0, 2.02, 3.0, 3.05, 3.08, 3.1]
    found = bursts.bursts(train, max_interval=0.06, min_spikes=3)
    assert found.start.tolist() == [0.0, 3.0]
    assert found.stop.tolist() == [0.1, 3.1]
    assert found.n_spikes.tolist() == [3, 4]
    assert found.fraction_in_bursts == pytest.approx(0.7)


def test_network_bursts_need_height_and_participation():
    counts = np.zeros((100, 10), int)
    counts[20:22] = 1  # every unit: a network burst
    counts[60, 0] = 12  # one unit alone is none
    found = bursts.network_bursts(counts)
    assert (found.start.tolist(), found.stop.tolist(), found.n_spikes.tolist()) == ([20], [22], [20])
    assert found.participation.tolist() == [1.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda: ss.fano([0.5, 1.0, 2.0]),
        lambda: ss.fano([-1, 1, 2]),
        lambda: ss.fano([3]),
        lambda: ss.synchrony([[0.1, 0.2], [0.3, 0.4]]),
        lambda: ss.cv([-0.1, 0.2]),
        lambda: ss.cv([np.nan, 0.2]),
        lambda: train_distances.victor_purpura([1], [2], q=-1),
        lambda: train_distances.van_rossum([1], [2], tau=0),
        lambda: train_distances.isi_distance([1], [12], 0, 10),
        lambda: train_distances.spike_distance([1], [2], 5, 5),
        lambda: ss.lempel_ziv(""),
        lambda: ss.per_unit([1.0, 2.0], [3], 10),
        lambda: ss.per_unit([2.0, 1.0], [2], 10),
        lambda: ss.rate([1.0], 2, 2),
        lambda: bursts.bursts([1.0], 0),
        lambda: ss.cv(["a"]),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()


def test_too_short_trains_are_undefined_rather_than_regular():
    assert all(np.isnan(f([0.1])) for f in (ss.cv, ss.cv2, ss.lv))
    assert ss.rate([], 0, 1) == 0
