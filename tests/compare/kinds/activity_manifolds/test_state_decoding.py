"""Oracles: counted recalls, two Gaussians under a linear discriminant, autocorrelated noise that sample-wise folds would decode."""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import norm
from sklearn.metrics import balanced_accuracy_score

from allometry.compare.kinds.activity_manifolds import state_decoding as subject
from allometry.errors import ComparisonError


def test_balanced_accuracy_is_the_mean_recall() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 3, 300), rng.integers(0, 3, 300)
    assert subject.balanced_accuracy(truth, predicted) == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert subject.balanced_accuracy([0, 0, 0, 1, -1], [0, 0, 1, 1, 1]) == pytest.approx((2 / 3 + 1) / 2)
    assert subject.balanced_accuracy([0, 0, 1], [0, 0, 0], states=[0, 2]) == pytest.approx(1)
    assert np.isnan(subject.balanced_accuracy([-1, -1], [0, 1]))
    with pytest.raises(ComparisonError):
        subject.balanced_accuracy([0, 1], [0])


def test_two_gaussians_are_decoded_as_theory_says() -> None:
    rng = np.random.default_rng(1)
    # unequal numbers: with equal priors the recall of both is Phi(Delta / 2) all the same
    state = (rng.random(20_000) < 0.1).astype(np.int64)
    x = rng.normal(size=(20_000, 3)) + np.outer(state, [1.5, 0, 0])
    decoded = subject.train(x[:10_000], state[:10_000]).predict(x[10_000:])
    assert subject.balanced_accuracy(state[10_000:], decoded) == pytest.approx(norm.cdf(0.75), abs=0.02)


def test_blocks_cover_every_sample_once() -> None:
    for samples in (100, 104, 96, 95):
        parts = subject.blocks(samples, 10)
        assert np.concatenate(parts).tolist() == list(range(samples))
        assert min(map(len, parts)) >= 5
    with pytest.raises(ComparisonError):
        subject.blocks(15, 10)


def test_slow_noise_is_not_decoded_from_its_neighbours() -> None:
    """Bouts and noise that drift alike: folds of samples would decode one by the other, folds of blocks must not."""
    scores, naive = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        slow = np.cumsum(rng.normal(size=(1600, 20)), axis=0)
        state = np.repeat(rng.integers(0, 2, 40), 40).astype(np.int64)
        scores.append(subject.balanced_accuracy(state, subject.within(slow, state, subject.Pace(160, 40), 5)))
        mixed = rng.permutation(1600)
        half = subject.train(slow[mixed[:800]], state[mixed[:800]]).predict(slow[mixed[800:]])
        naive.append(subject.balanced_accuracy(state[mixed[800:]], half))
    assert np.mean(naive) > 0.68
    assert abs(np.mean(scores) - 0.5) < 0.1


def bouts(rng: np.random.Generator, samples: int = 2000) -> np.ndarray:
    """Two states in bouts of 40 samples on average."""
    return np.cumsum(rng.random(samples) < 1 / 40) % 2


def test_null_of_shifts_is_as_wide_as_chance_agreement_of_bouts() -> None:
    agreement = np.array(
        [subject.balanced_accuracy(bouts(rng), bouts(rng)) for rng in map(np.random.default_rng, range(300))]
    )
    rng = np.random.default_rng(1)
    truth, decoded = bouts(rng), bouts(rng)
    null = subject.shift_null(truth, decoded, 300, seed=0)
    assert null.mean() == pytest.approx(0.5, abs=0.02)
    assert null.std() == pytest.approx(agreement.std(), rel=0.35)
    single = [subject.balanced_accuracy(rng.permutation(truth), decoded) for _ in range(300)]
    assert np.std(single) < 0.4 * null.std()  # what shuffling samples would claim
    assert subject.block_p(subject.balanced_accuracy(truth, truth), null) == pytest.approx(1 / 301)


def coloured(rng: np.random.Generator, samples: int, dimensions: int, tau: float) -> np.ndarray:
    """Gaussian features with the correlation time `tau`, samples."""
    noise = rng.normal(size=(samples + int(10 * tau), dimensions))
    return lfilter([1.0], [1.0, -np.exp(-1 / tau)], noise, axis=0)[int(10 * tau) :]


def test_pace_follows_features_and_bouts() -> None:
    rng = np.random.default_rng(3)
    assert subject.correlation_time(coloured(rng, 40_000, 8, 30.0)) == pytest.approx(30, rel=0.15)
    assert subject.correlation_time(np.ones((100, 2))) == 1
    state = np.repeat([0, 1, -1, 0], [10, 30, 50, 10])
    # a random sample is in the bout of 30 three times in five
    assert subject.bout(state) == np.ceil(0.6 * 30 + 0.4 * 10)
    pace = subject.Pace.of(coloured(rng, 4000, 8, 30.0), np.repeat([0, 1] * 20, 100), 50, 11)
    assert 60 < pace.gap < 120
    assert pace.length == 200


def test_features_that_know_nothing_of_the_states_decode_none_of_them() -> None:
    """A gap shorter than the correlations, and labels permuted without training again: .15 to .29 had p below .05."""
    below, accuracies = 0, []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        features, state = coloured(rng, 1200, 6, 12.0), bouts(rng, 1200)
        pace = subject.Pace.of(features, state, 60, 11)
        own = subject.within_accuracy(features, state, pace, 4)
        if np.isfinite(own):
            accuracies.append(own)
            below += subject.block_p(own, subject.within_null(features, state, pace, 4, 19)) <= 0.05
    assert len(accuracies) > 18
    # binomial with p = .05: more than 4 of 24 once in 160 times
    assert below <= 4
    assert np.mean(accuracies) == pytest.approx(0.5, abs=0.04)


def test_a_recording_too_short_for_its_correlations_has_no_accuracy() -> None:
    rng = np.random.default_rng(5)
    features, state = coloured(rng, 300, 4, 60.0), bouts(rng, 300)
    pace = subject.Pace(200, 150)
    assert np.isnan(subject.within_accuracy(features, state, pace, 4))
    assert np.isnan(subject.within_null(features, state, pace, 4, 5)).all()


def test_interval_holds_the_estimate() -> None:
    rng = np.random.default_rng(2)
    truth = np.repeat(rng.integers(0, 3, 60), 20).astype(np.int64)
    decoded = np.where(rng.random(1200) < 0.7, truth, rng.integers(0, 3, 1200))
    found = subject.block_interval(truth, decoded, 60, 300, seed=0)
    assert found.low < found.estimate < found.high
    assert found.estimate == pytest.approx(0.8, abs=0.05)


def test_one_state_cannot_be_trained_on() -> None:
    with pytest.raises(ComparisonError):
        subject.train(np.ones((5, 2)), np.zeros(5, dtype=np.int64))


@pytest.mark.filterwarnings("error")
def test_a_state_of_one_sample_is_trained_on_without_a_warning() -> None:
    features = np.concatenate([np.random.default_rng(1).normal(size=(20, 2)), [[9.0, 9.0]]])
    model = subject.train(features, np.array([0, 1] * 10 + [2]))
    assert model.predict([[9.0, 9.0]]).tolist() == [2]
