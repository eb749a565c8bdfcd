"""Input checks at their limits, and the helpers on arrays small enough to do by hand."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr

from allometry.compare.inference import arrays
from allometry.errors import ComparisonError


def test_counts_may_be_zero_but_not_negative_or_broken() -> None:
    np.testing.assert_array_equal(arrays.integer_counts([[0, 3], [2, 0]], "n"), [[0, 3], [2, 0]])
    np.testing.assert_array_equal(arrays.integer_counts([[0.0, 3.0]], "n"), [[0, 3]])
    for wrong, message in (
        ([[0, -1]], "n holds negative"), ([[0.5]], "not whole"), ([[np.nan, 1.0]], "not whole"),
        ([[np.inf, 1.0]], "not whole"), ([[]], "n is empty"), ([1, 2], "n has 1 dimensions"),
    ):  # fmt: skip
        with pytest.raises(ComparisonError, match=message):
            arrays.integer_counts(wrong, "n")
    assert arrays.integer_counts(np.zeros(3, int), "n", ndim=1).shape == (3,)


@pytest.mark.parametrize("n", [2, 3, 4, 100, 20_001])
def test_the_number_of_stimuli_of_an_rdm(n: int) -> None:
    pairs = n * (n - 1) // 2
    assert arrays.n_from_pairs(pairs) == n
    for wrong in (pairs - 1, pairs + 1) if n > 3 else (0,):
        with pytest.raises(ComparisonError, match=f"rdm has {wrong} entries"):
            arrays.n_from_pairs(wrong)


def test_matrices_and_vectors_of_the_least_size() -> None:
    x = np.ones((2, 3))
    assert arrays.matrix(x, "x", 2, 3).shape == (2, 3)
    for rows, columns in ((3, 3), (2, 4)):
        with pytest.raises(ComparisonError, match=r"x is too small: shape \(2, 3\)"):
            arrays.matrix(x, "x", rows, columns)
    assert arrays.matrix(x[:1, :1], "x").shape == (1, 1)
    for wrong in (x[:0], x[:, :0], np.full((2, 2), np.nan), x[0]):
        with pytest.raises(ComparisonError, match=r"^x "):
            arrays.matrix(wrong, "x")
    assert np.isnan(arrays.matrix([[np.nan]], "x", finite=False)).all()
    assert arrays.vector([1.0, 2.0], "x", 2).size == 2
    for least, values in ((3, [1.0, 2.0]), (1, [])):
        with pytest.raises(ComparisonError, match=f"x has {len(values)} values"):
            arrays.vector(values, "x", least)
    assert arrays.spike_times([3.0, 1.0, 2.0]).tolist() == [1, 2, 3]
    assert arrays.spike_times([]).size == 0


def test_values_whose_squares_are_infinite_and_how_many_are_none() -> None:
    for sign in (1.0, -1.0):
        assert arrays.array([sign * 1e140], "x", 1)[0] == sign * 1e140
        with pytest.raises(ComparisonError, match=r"x holds values above 1e\+140"):
            arrays.array([0.0, sign * 1.1e140], "x", 1)
        with pytest.raises(ComparisonError, match=r"x holds values above 1e\+140"):
            arrays.array([np.nan, np.inf, sign * 1.1e140], "x", 1, finite=False)
    with pytest.raises(ComparisonError, match="x holds 2 values that are NaN or infinite"):
        arrays.array([0.0, np.nan, np.inf], "x", 1)
    assert np.isnan(arrays.array([np.nan, 1e140, np.inf], "x", 1, finite=False)[0])


def test_rows_and_lengths_correspond() -> None:
    arrays.same_rows(np.ones((2, 3)), np.ones((2, 5)))
    with pytest.raises(ComparisonError, match="x and y have 2 and 3 rows"):
        arrays.same_rows(np.ones((2, 5)), np.ones((3, 4)))
    arrays.same_length(np.ones(2), np.ones(2), "a and b")
    with pytest.raises(ComparisonError, match="a and b have shapes"):
        arrays.same_length(np.ones(2), np.ones(3), "a and b")


def test_a_spread_of_rounding_is_none() -> None:
    assert arrays.resolved([0.9e-12, 1.1e-12, 0.0], [1.0, -1.0, 0.0]).tolist() == [False, True, False]
    assert arrays.resolved(1e-300, 0.0)
    assert not arrays.resolved(1e-12, 1.0)
    x = np.array([[1.0, np.nan, np.nan, 0.1], [1.0, 3.0, np.nan, 0.1], [1 + 1e-15, 4.0, np.nan, 0.2]])
    assert arrays.varies(x).tolist() == [False, True, False, True]
    assert arrays.varies(-x).tolist() == [False, True, False, True]
    assert arrays.varies(x.T, axis=1).tolist() == [False, True, False, True]
    with pytest.raises(ComparisonError, match="every unit of x is constant"):
        arrays.varying_columns(x[:, [0, 2]], "x")


def test_triangles_blocks_and_products() -> None:
    square = np.arange(9.0).reshape(3, 3)
    assert arrays.off_diagonal(square).tolist() == [1, 2, 5]
    assert arrays.blocks(7, 3) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert arrays.blocks(6, 3) == [slice(0, 3), slice(3, 6)]
    x = np.random.default_rng(1).normal(size=(4, 6))
    np.testing.assert_allclose(arrays.self_product(x), x @ x.T, rtol=1e-13)
    assert arrays.condensed([1.0, 2.0, 3.0]).size == 3
    assert np.isnan(arrays.condensed([1.0, 2.0, np.nan], finite=False)[2])
    for wrong in ([1.0, 2.0, np.nan], [1.0, 2.0]):
        with pytest.raises(ComparisonError, match=r"rdm h(as|olds)"):
            arrays.condensed(wrong)
    assert arrays.choice("a", ["a", "b"], "name") == "a"
    with pytest.raises(ComparisonError, match="name='c' is not known"):
        arrays.choice("c", ["a", "b"], "name")


def test_what_numbers_are() -> None:
    """Of any library; what is masked or missing is NaN, and what is no number is refused."""
    masked = np.ma.masked_array([1, 2, 3], [False, True, False])
    np.testing.assert_array_equal(arrays.numbers(masked, "x"), [1, np.nan, 3])
    whole = np.ma.masked_array([1, 2, 3], [False] * 3)
    assert arrays.numbers(whole, "x").dtype.kind == "i"
    assert not isinstance(arrays.numbers(whole, "x"), np.ma.MaskedArray)
    np.testing.assert_array_equal(arrays.numbers(pd.Series([1, None, 3], dtype="Int64"), "x"), [1, np.nan, 3])
    assert arrays.numbers(pd.Series([1, 2], dtype="Int64"), "x").tolist() == [1, 2]
    assert arrays.numbers(np.array([1, 2.5], dtype=object), "x").dtype == np.float64
    assert arrays.numbers([True, False], "x").dtype == bool
    for wrong, message in (
        (xr.Dataset({"a": 1}), "x is a Dataset"),
        (np.array([1j]), "x is of type complex128"),
        (["a"], "x is of type <U1"),
        (np.array(["a", 1], dtype=object), "x is not numeric"),
        ([[1], [1, 2]], "x is not numeric"),
    ):
        with pytest.raises(ComparisonError, match=message):
            arrays.numbers(wrong, "x")


def test_what_is_lazy_stays_lazy() -> None:
    lazy = da.arange(6, chunks=2)
    assert arrays.lazy_or_numbers(lazy, "x") is lazy
    assert arrays.lazy_or_numbers(xr.DataArray(lazy, dims="a"), "x") is lazy
    stored = zarr.create_array(zarr.storage.MemoryStore(), data=np.arange(3))
    assert arrays.lazy_or_numbers(stored, "x") is stored
    assert arrays.lazy_or_numbers([1, 2], "x").tolist() == [1, 2]
    assert arrays.lazy_or_numbers(xr.DataArray([1, 2]), "x").tolist() == [1, 2]
    masked = np.ma.masked_array([1, 2], [False, True])
    np.testing.assert_array_equal(arrays.lazy_or_numbers(masked, "x"), [1, np.nan])
    with pytest.raises(ComparisonError, match="x is a Dataset"):
        arrays.lazy_or_numbers(xr.Dataset(), "x")
