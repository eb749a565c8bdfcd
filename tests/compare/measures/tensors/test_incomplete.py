"""Factors of constructed tensors with missing entries, against the truth and against the same without gaps; choice of rank."""

import numpy as np
import pytest

from allometry.compare.measures.tensors import incomplete as subject
from allometry.compare.measures.tensors.decomposition import Factors, RankScan, factor_similarity, ntf
from allometry.errors import ComparisonError


@pytest.fixture(scope="module")
def planted() -> tuple[np.ndarray, Factors]:
    rng = np.random.default_rng(0)
    modes = [rng.random((size, 4)) ** 3 for size in (50, 5, 150)]
    x = np.einsum("tr,ar,pr->tap", *modes)
    norms = [np.linalg.norm(mode, axis=0) for mode in modes]
    truth = Factors(np.prod(norms, axis=0), tuple(m / n for m, n in zip(modes, norms)), 0.0)
    return x + 0.05 * x.std() * rng.random(x.shape), truth


@pytest.mark.parametrize("missing", [0.0, 0.25])
def test_planted_factors_are_found_whatever_stands_in_the_gaps(
    planted: tuple[np.ndarray, Factors], missing: float
) -> None:
    x, truth = planted
    observed = np.random.default_rng(1).random(x.shape[1:]) >= missing
    tensor = subject.Incomplete(np.where(observed, x, np.nan), observed)
    best = subject.factorise(tensor, 4, restarts=3)[0]
    assert factor_similarity(best, truth) > 0.98
    model = np.einsum("r,tr,ar,pr->tap", best.weights, *best.modes)
    residual = ((x - model) ** 2)[:, observed].sum() / (x**2)[:, observed].sum()
    assert best.error == pytest.approx(np.sqrt(residual))
    assert tensor.explained(best) == pytest.approx(1 - residual)
    assert all((mode >= 0).all() for mode in best.modes)


def test_a_factor_of_one_animal_is_silent_about_pairs_that_were_not_measured_there() -> None:
    rng = np.random.default_rng(4)
    time, pair = rng.random((40, 2)), 0.2 + rng.random((30, 2))
    animal = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.8]])
    x = np.einsum("tr,ar,pr->tap", time, animal, pair)
    observed = np.ones((3, 30), dtype=bool)
    observed[0, :7] = False
    best = subject.factorise(subject.Incomplete(x, observed), 2, restarts=3)[0]
    first = int(best.modes[1][0].argmax())
    assert (best.modes[2][:7, first] == 0).all()
    assert (best.modes[2][7:, first] > 0).all()
    assert (best.modes[2][:, 1 - first] > 0).all()
    assert best.error < 0.01


def test_zeros_in_the_gaps_would_be_wrong(planted: tuple[np.ndarray, Factors]) -> None:
    x, truth = planted
    observed = np.random.default_rng(1).random(x.shape[1:]) >= 0.25
    everything = np.ones_like(observed)
    as_zero = subject.factorise(subject.Incomplete(np.where(observed, x, 0.0), everything), 4, restarts=3)[0]
    right = subject.factorise(subject.Incomplete(np.where(observed, x, 0.0), observed), 4, restarts=3)[0]
    assert factor_similarity(as_zero, truth) < factor_similarity(right, truth) - 0.1


def test_without_gaps_the_error_is_that_of_tensorly(planted: tuple[np.ndarray, Factors]) -> None:
    x, _ = planted
    whole = subject.Incomplete(x, np.ones(x.shape[1:], dtype=bool))
    assert subject.factorise(whole, 4, restarts=2)[0].error == pytest.approx(ntf(x, 4, 2).error, abs=1e-3)


def test_rank_four_is_chosen(planted: tuple[np.ndarray, Factors]) -> None:
    x, _ = planted
    observed = np.random.default_rng(2).random(x.shape[1:]) >= 0.2
    found, factors = subject.scan(subject.Incomplete(x, observed), range(1, 7), restarts=4)
    assert subject.elbow(found.ranks, found.error.min(axis=1)) == 4
    assert np.median(found.similarity[3]) > 0.9 > np.median(found.similarity[4])
    assert subject.choose_rank(found, 0.8) == 4
    assert [factors[4][k].error for k in range(4)] == found.error[3].tolist()


def test_rank_needs_an_elbow_and_restarts_that_agree() -> None:
    assert subject.elbow([1, 2, 3, 4], [1.0, 0.5, 0.1, 0.08]) == 3
    assert subject.elbow([1, 2, 3], [0.5, 0.5, 0.5]) == 1
    error = np.array([[1.0], [0.5], [0.1], [0.08]])
    agree = RankScan((1, 2, 3, 4), error, np.array([[1.0], [0.9], [0.5], [0.95]]))
    assert subject.choose_rank(agree, 0.8) == 2  # 4 is beyond the elbow, 3 does not come out twice
    never = RankScan((1, 2, 3, 4), error, np.array([[0.1], [0.3], [0.2], [0.9]]))
    assert subject.choose_rank(never, 0.8) == 2


@pytest.mark.parametrize(
    ("values", "observed"),
    [
        (np.ones((3, 2, 4)), np.ones((2, 3), dtype=bool)),
        (np.full((3, 2, 4), np.nan), np.ones((2, 4), dtype=bool)),
        (-np.ones((3, 2, 4)), np.ones((2, 4), dtype=bool)),
        (np.zeros((3, 2, 4)), np.ones((2, 4), dtype=bool)),
        (np.ones((3, 2, 4)), np.zeros((2, 4), dtype=bool)),
    ],
)
def test_bad_tensors_are_refused(values: np.ndarray, observed: np.ndarray) -> None:
    with pytest.raises(ComparisonError):
        subject.Incomplete(values, observed)


def test_bad_ranks_are_refused() -> None:
    tensor = subject.Incomplete(np.ones((3, 2, 4)), np.ones((2, 4), dtype=bool))
    with pytest.raises(ComparisonError):
        subject.factorise(tensor, 0)
    with pytest.raises(ComparisonError):
        subject.scan(tensor, [1, 2], restarts=1)
