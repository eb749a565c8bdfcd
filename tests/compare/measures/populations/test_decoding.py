"""Decoding against the theory of linear discriminants, chance, constructed animals and a real recording."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import norm

from allometry.compare.measures.populations import decoding
from allometry.errors import ComparisonError


def test_error_of_two_gaussians_under_lda_is_phi_of_minus_half_delta():
    rng = np.random.default_rng(0)
    delta, repeats = 2.0, 1000
    x = rng.normal(size=(2, repeats, 4))
    x[1, :, 0] += delta
    # leave out blocks of 100 repeats at a time: the same definition, ten fits instead of a thousand
    blocks = x.reshape(2, 10, 100, 4)
    wrong = 0
    for k in range(10):
        train = np.delete(blocks, k, axis=1).reshape(2, -1, 4)
        model = decoding._fit("lda", train.reshape(-1, 4), np.repeat([0, 1], 900), np.tile(np.arange(900), 2))
        wrong += (model.predict(blocks[:, k].reshape(-1, 4)) != np.repeat([0, 1], 100)).sum()
    # binomial sd of 2000 trials at .159: .008
    assert wrong / 2000 == pytest.approx(norm.cdf(-delta / 2), abs=0.025)


@pytest.mark.parametrize("decoder", ["nearest_centroid", "correlation", "lda"])
def test_separable_stimuli_are_decoded_and_shuffled_labels_give_chance(decoder):
    rng = np.random.default_rng(1)
    x = 3 * rng.normal(size=(6, 1, 20)) + rng.normal(size=(6, 8, 20))
    x[2, 6:] = np.nan
    found = decoding.decode_within(x, decoder)
    assert found.accuracy > 0.95
    assert found.n_trials == 46
    assert found.confusion.sum(axis=1).tolist() == [8, 8, 6, 8, 8, 8]
    assert np.trace(found.confusion) / 46 == pytest.approx(found.accuracy)
    assert found.chance == pytest.approx(8 / 46)
    shuffled = [decoding.decode_within(x, decoder, shuffle_seed=s).accuracy for s in range(6)]
    # 276 trials at 1/6: three sd are .07; leave-one-out is biased a little below chance
    assert np.mean(shuffled) == pytest.approx(1 / 6, abs=0.1)


def test_logistic_regression_chooses_its_penalty_inside_the_training_blocks():
    rng = np.random.default_rng(7)
    x = 3 * rng.normal(size=(3, 1, 6)) + rng.normal(size=(3, 4, 6))
    assert decoding.decode_within(x, "logistic").accuracy > 0.9
    trials, stimulus, block = decoding._trials(x)
    model = decoding._fit("logistic", trials, stimulus, block)
    assert model.n_splits_ == 4
    assert model.best_params_["logisticregression__C"] in decoding.PENALTIES


def test_slow_drift_does_not_leak_into_the_test_block():
    rng = np.random.default_rng(2)
    drift = rng.normal(size=(1, 6, 30)) * 5  # a block is recognisable, a stimulus is not
    x = drift + rng.normal(size=(4, 6, 30))
    assert decoding.decode_within(x, "nearest_centroid").accuracy < 0.6
    tuned = x + 3 * rng.normal(size=(4, 1, 30))
    assert decoding.decode_within(tuned, "nearest_centroid", centre_blocks=True).accuracy > 0.95


def two_animals(noise=0.3, seed=3):
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(24, 5))
    a = latent @ rng.normal(size=(5, 30))
    b = latent @ np.linalg.qr(rng.normal(size=(40, 5)))[0].T * 5
    return tuple(m[:, None] + noise * rng.normal(size=(24, 6, m.shape[1])) for m in (a, b))


@pytest.mark.parametrize("align", ["procrustes", "cca"])
def test_stimuli_are_decoded_in_an_animal_the_decoder_never_saw(align):
    a, b = two_animals()
    found = decoding.decode_across(a, b, align=align, dimensions=5)
    assert found.confusion.shape == (12, 12)
    assert found.accuracy > 0.6
    unrelated = np.random.default_rng(4).permutation(24)
    assert decoding.decode_across(a, b[unrelated], align=align, dimensions=5).accuracy < 0.35


def test_identified_units_need_no_alignment():
    a, _ = two_animals()
    b = a + 0.3 * np.random.default_rng(5).normal(size=a.shape)
    assert decoding.decode_across(a, b, align="none").accuracy > 0.95


@pytest.mark.parametrize("align", ["procrustes", "cca", "none"])
def test_p_across_animals_is_that_of_the_stimuli_in_another_order(align):
    a, b = two_animals(noise=1.0)
    b = b[:, :, :30]
    given = {"align": align, "dimensions": 5, "decoder": "nearest_centroid", "shared": np.arange(0, 24, 2)}
    found = decoding.decode_across(a, b, nulls=19, seed=7, **given)
    rng = np.random.default_rng(7)
    null = []
    for _ in range(19):
        # stimulus s of the target becomes order[s]
        order = rng.permutation(24)
        moved = np.empty_like(b)
        moved[order] = b
        null.append(decoding.decode_across(a, moved, nulls=0, **given).accuracy)
    np.testing.assert_allclose(found.null, null)
    assert found.p == pytest.approx((1 + np.sum(np.array(null) >= found.accuracy)) / 20)


def test_animals_that_share_their_stimuli_have_a_small_p_and_others_do_not():
    a, b = two_animals()
    assert decoding.decode_across(a, b, dimensions=5, nulls=99).p == 0.01
    unrelated = np.random.default_rng(4).permutation(24)
    assert decoding.decode_across(a, b[unrelated], dimensions=5, nulls=99).p > 0.05
    none = decoding.decode_across(a, b, dimensions=5, nulls=0)
    assert np.isnan(none.p)
    assert none.null.size == 0


def test_interval_over_blocks_is_students():
    a, b = two_animals(noise=2.0)
    found = decoding.decode_across(a, b, dimensions=5, nulls=0)
    right = (found.truth == found.predicted).astype(float)
    # every block holds every stimulus: the ratio is the mean of the blocks' shares
    share = np.array([right[found.block == k].mean() for k in range(6)])
    expected = stats.t.interval(0.95, 5, share.mean(), stats.sem(share))
    assert (found.interval.low, found.interval.high) == pytest.approx(expected)
    assert found.interval.estimate == found.accuracy
    shared = decoding.block_interval(found)
    assert share.mean() - shared.low == pytest.approx(np.sqrt(1 + 6 / 5) * (share.mean() - expected[0]))
    assert shared.high == 1  # accuracies reach no farther
    assert np.isnan(decoding.decode_across(a, b[:, :2], dimensions=5, nulls=0).interval.low)


def test_nearest_centroid_of_a_real_recording(mirror):
    from scipy.io import loadmat

    path = mirror / "mouse_v1_mcateer" / "DFF.mat"
    if not path.exists():
        pytest.skip("no mouse_v1_mcateer in the mirror")
    x = loadmat(path)["DFF"].reshape(73, 6, 12, 40)[:, :, :, 20:40].mean(axis=3).transpose(2, 1, 0)
    found = decoding.decode_within(x, "nearest_centroid", centre_blocks=True)
    assert np.trace(found.confusion) == 54  # data/README.md: 54/72, chance 6/72
    assert found.chance == 6 / 72


GOOD = np.random.default_rng(6).normal(size=(6, 4, 5))


@pytest.mark.parametrize(
    "call",
    [
        lambda: decoding.decode_within(GOOD[:1]),
        lambda: decoding.decode_within(GOOD[:, :1]),
        lambda: decoding.decode_within(GOOD, "svm"),
        lambda: decoding.decode_within(np.ones((3, 4, 5))),
        lambda: decoding.decode_within(np.where(GOOD > 2, np.nan, GOOD)),
        lambda: decoding.decode_within(np.concatenate([GOOD, np.full((1, 4, 5), np.nan)])),
        lambda: decoding.decode_across(GOOD, GOOD[:5]),
        lambda: decoding.decode_across(GOOD, GOOD[:, :, :3], align="none"),
        lambda: decoding.decode_across(GOOD, GOOD, shared=[0]),
        lambda: decoding.decode_across(GOOD, GOOD, shared=[0, 1, 2], align="cca", dimensions=5),
        lambda: decoding.decode_across(GOOD, GOOD, align="affine"),
        lambda: decoding.decode_across(GOOD, GOOD, nulls=-1),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()


def test_lda_needs_more_training_trials_than_stimuli():
    x = np.random.default_rng(0).normal(size=(8, 2, 5))
    with pytest.raises(ComparisonError, match="training trials"):
        decoding.decode_within(x, "lda")
    assert decoding.decode_within(x, "nearest_centroid").n_trials == 16
