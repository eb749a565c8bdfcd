"""Sums have the order they claim: bit for bit that of a plain loop."""

import math

import numpy as np
import pytest

from allometry.numerics.fixed_order import inner, norm, product


@pytest.mark.parametrize(("rows", "shared", "columns"), [(3, 11, 1), (2, 8, 3), (1, 3, 600), (2, 0, 4), (5, 1, 2)])
def test_a_product_adds_from_the_first_element_to_the_last(rows: int, shared: int, columns: int) -> None:
    rng = np.random.default_rng(rows)
    # of very different sizes, so that another order gives other bits
    a, b = (rng.normal(size=s) * 10.0 ** rng.integers(-8, 8, s) for s in ((rows, shared), (shared, columns)))
    expected = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            total = 0.0
            for k in range(shared):
                total += float(a[i, k]) * float(b[k, j])
            expected[i, j] = total
    np.testing.assert_array_equal(product(a, b), expected)
    np.testing.assert_array_equal(product(np.asfortranarray(a), b[:, ::-1]), expected[:, ::-1])
    np.testing.assert_array_equal(product(a, b[:, 0]), expected[:, 0])


def test_missing_values_stay_missing() -> None:
    found = product([[np.nan, 1.0], [0.0, 2.0]], [[1.0, 0.0], [1.0, np.inf]])
    np.testing.assert_array_equal(found, [[np.nan, np.nan], [2.0, np.inf]])


def test_inner_products_and_norms_are_those_of_exact_sums() -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 10_001))
    assert inner(x, y) == pytest.approx(math.fsum((x * y).tolist()), rel=1e-13)
    assert norm(x) == pytest.approx(math.sqrt(math.fsum((x * x).tolist())), rel=1e-13)
    assert inner(x, x) == inner(x[::1].reshape(73, 137), x.reshape(73, 137))
    assert norm([3.0, 4.0]) == 5.0


@pytest.mark.parametrize(
    ("a", "b"), [(np.ones((2, 3)), np.ones((2, 3))), (np.ones(3), np.ones(3)), (np.ones((2, 1)), [])]
)
def test_shapes_that_have_no_product_are_refused(a: np.ndarray, b: np.ndarray) -> None:
    with pytest.raises(ValueError, match="have no product"):
        product(a, b)


def test_shapes_that_have_no_inner_product_are_refused() -> None:
    with pytest.raises(ValueError, match="have no inner product"):
        inner(np.ones(3), np.ones((1, 3)))
