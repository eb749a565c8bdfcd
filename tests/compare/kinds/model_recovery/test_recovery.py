"""Which measure tells which ground truth: the confusion must follow the known invariances."""

import numpy as np
import pytest

from allometry.compare.kinds.model_recovery import recovery
from allometry.errors import ComparisonError


@pytest.fixture(scope="module")
def result():
    return recovery.recover(draws=12, seed=1)


def test_unit_matching_sees_rotation_and_not_permutation(result):
    assert not result.tells("match_units", "identical", "permuted")
    assert result.tells("match_units", "permuted", "rotated")
    assert result.tells("match_units", "rescaled", "rotated")
    assert not result.tells("match_units", "identical", "rescaled")


@pytest.mark.parametrize("measure", ["cka", "procrustes", "rsa_euclidean"])
def test_geometric_measures_do_not_see_rotation_but_see_linear_maps(result, measure):
    assert not result.tells(measure, "identical", "rotated")
    assert not result.tells(measure, "permuted", "rotated")
    assert result.tells(measure, "rotated", "linear")
    assert result.tells(measure, "identical", "rescaled")


def test_canonical_correlations_do_not_see_any_invertible_map(result):
    for other in ("permuted", "rotated", "rescaled", "linear"):
        assert not result.tells("pwcca", "identical", other)
    assert result.tells("pwcca", "linear", "noisy")


@pytest.mark.parametrize("measure", [m for m in recovery.MEASURES if m not in ("svcca", "pwcca")])
def test_every_measure_tells_the_same_population_from_another(result, measure):
    for same in ("identical", "permuted", "noisy", "subsampled"):
        assert result.tells(measure, same, "different", 0.99)


def test_confusion_is_a_distribution_and_agrees_with_the_separation(result):
    np.testing.assert_allclose(result.confusion.sum(axis=2), 1)
    assert ((result.separation >= 0.5) & (result.separation <= 1)).all()
    cka = result.confusion[result.measures.index("cka")]
    i, j, k = (result.truths.index(t) for t in ("identical", "permuted", "rotated"))
    # three relations that CKA cannot tell apart share their draws
    np.testing.assert_allclose(cka[np.ix_([i, j, k], [i, j, k])], 1 / 3, atol=1e-9)
    chance = 1 / len(result.truths)
    assert (result.accuracy() > 2 * chance).all()


def test_draws_do_not_depend_on_what_else_is_compared(result):
    some = recovery.recover(
        {"cka": recovery.MEASURES["cka"]},
        {k: recovery.TRUTHS[k] for k in ("different", "noisy")},
        draws=3,
        seed=1,
    )
    i, j = result.measures.index("cka"), result.truths.index("noisy")
    np.testing.assert_array_equal(some.score[0, 1], result.score[i, j, :3])


@pytest.mark.parametrize(
    "call",
    [
        lambda: recovery.recover(draws=2),
        lambda: recovery.recover({}),
        lambda: recovery.recover({"nan": lambda x, y: float("nan")}, draws=3),
        lambda: recovery.recover(truths={"different": recovery.TRUTHS["different"]}),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ComparisonError):
        call()
