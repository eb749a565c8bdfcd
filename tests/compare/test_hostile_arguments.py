"""What measures answer to arguments that are no plain arrays: the same number, or one sentence, never a traceback."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import compare
from allometry.compare.kinds.activity_manifolds.state_decoding import balanced_accuracy
from allometry.compare.kinds.structure_bold import structure_bold_correlation
from allometry.compare.registry import find
from allometry.errors import ComparisonError
from tests.compare.test_costs import FUNCTIONS, GIVEN, place

# Slow, or told of what they are given by a class of their own.
LEFT_OUT = {"model_recovery", "of_spikes", "rank_scan"}
NAMES = [name for name in FUNCTIONS.values() if find(name).function.__name__ not in LEFT_OUT]


def frame(x: np.ndarray) -> Any:
    return pd.Series(x) if x.ndim == 1 else pd.DataFrame(x) if x.ndim == 2 else xr.DataArray(x)


SAME: dict[str, Callable[[np.ndarray], Any]] = {
    "pandas": frame,
    "xarray": xr.DataArray,
    "masked": lambda x: np.ma.array(x, mask=np.zeros(x.shape, bool)),
    "list": lambda x: x.tolist(),
}
WRONG: dict[str, Callable[[np.ndarray], Any]] = {
    "dataset": lambda x: xr.Dataset({"a": ("x", [1.0])}),
    "ragged": lambda x: [[1, 2], [3]],
    "complex": lambda x: np.asarray(x) + 1j,
}


def content(result: Any) -> list[Any]:
    """Everything that a result holds, in its order."""
    if dataclasses.is_dataclass(result):
        return content([getattr(result, item.name) for item in dataclasses.fields(result)])
    if isinstance(result, Mapping):
        return content(list(result.items()))
    if isinstance(result, np.ndarray | list | tuple):
        return [value for part in result for value in content(part)]
    return [result]


def assert_same(found: Any, wanted: Any, of: str = "") -> None:
    for one, other in zip(content(found), content(wanted), strict=True):
        same = one == other if isinstance(other, str | type(None)) else np.allclose(one, other, equal_nan=True)
        assert same, of


def given(name: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    arguments, options = GIVEN.get(place(name)) or GIVEN[find(name).function.__name__]
    return arguments, options


def changed(name: str, change: Callable[[np.ndarray], Any]) -> list[tuple[Any, ...]]:
    """Arguments of a measure with one array at a time changed."""
    arguments, _ = given(name)
    places = [k for k, value in enumerate(arguments) if isinstance(value, np.ndarray)]
    return [(*arguments[:k], change(arguments[k]), *arguments[k + 1 :]) for k in places]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_an_array_in_another_wrapping_gives_the_same_number(name: str) -> None:
    arguments, options = given(name)
    wanted = find(name).function(*arguments, **options)
    for kind, change in SAME.items():
        for other in changed(name, change):
            assert_same(find(name).function(*other, **options), wanted, kind)


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_what_is_no_array_of_real_numbers_is_refused(name: str, kind: str) -> None:
    for other in changed(name, WRONG[kind]):
        with pytest.raises(ComparisonError):
            find(name).function(*other, **given(name)[1])


@pytest.mark.parametrize("number", [-1, 1.5, float("nan"), None, "a"])
@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("motifs", "nulls"),
        ("rich_club", "nulls"),
        ("small_world", "nulls"),
        ("function_given_structure", "bootstrap"),
        ("decoding_across", "dimensions"),
        ("decoding_across", "nulls"),
        ("capacity", "n_t"),
        ("manifold_capacity", "n_t"),
    ],
)
def test_numbers_of_draws_are_whole(name: str, option: str, number: Any) -> None:
    arguments, options = given(name)
    with pytest.raises(ComparisonError, match=f"{option}="):
        find(name).function(*arguments, **{**options, option: number})


def test_numbers_of_draws_may_be_numpy_scalars() -> None:
    arguments, _ = given("motifs")
    one, other = (find("motifs").function(*arguments, nulls=n) for n in (2, np.array(2)))
    assert_same(one, other)


def test_pairs_of_nodes_are_joined_by_name() -> None:
    rng = np.random.default_rng(1)
    x, y = (np.triu(m, 1) + np.triu(m, 1).T for m in rng.random((2, 6, 6)))
    names, order = list("abcdef"), [3, 0, 5, 1, 4, 2]
    wanted = compare.dyadic_correlation(x, y)
    a, b = (pd.DataFrame(m, index=names, columns=names) for m in (x, y))
    assert compare.dyadic_correlation(a, b.iloc[order, order]) == pytest.approx(wanted)
    assert compare.dyadic_correlation(a, b.iloc[:, order]) == pytest.approx(wanted)
    assert compare.dyadic_correlation(x, y[np.ix_(order, order)]) != pytest.approx(wanted)
    with pytest.raises(ComparisonError, match="only in y: z"):
        compare.dyadic_correlation(a, b.rename(index={"a": "z"}, columns={"a": "z"}))
    with pytest.raises(ComparisonError, match="two square matrices"):
        compare.dyadic_correlation(x, y[:5])


def test_regions_are_joined_by_name() -> None:
    rng = np.random.default_rng(2)
    x, bold, regions = rng.random((6, 6)), rng.normal(size=(40, 6)), list("abcdef")
    weight = pd.DataFrame(x + x.T, index=regions, columns=regions)
    wanted = structure_bold_correlation(weight.to_numpy(), bold)
    moved = pd.DataFrame(bold, columns=regions)[list("fbdace")]
    assert structure_bold_correlation(weight, moved) == pytest.approx(wanted)
    assert structure_bold_correlation(weight.to_numpy(), moved.to_numpy()) != pytest.approx(wanted)
    with pytest.raises(ComparisonError, match="5 regions"):
        structure_bold_correlation(weight, bold[:, :5])


@pytest.mark.parametrize("rename", [np.array(["a", "b", "c"]), np.array([10**15, 7, 3])], ids=["text", "large ids"])
def test_labels_may_be_names_or_large_ids(rename: np.ndarray) -> None:
    a, b = np.array([0, 0, 1, 1, 2, 2, 0]), np.array([0, 1, 1, 1, 2, 0, 0])
    assert compare.nmi(rename[a], rename[b]) == pytest.approx(compare.nmi(a, b))
    assert balanced_accuracy(rename[a], rename[b]) == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    some = rename[:2]
    assert balanced_accuracy(rename[a], rename[b], some) == pytest.approx((2 / 3 + 1) / 2)


def test_items_without_a_label_are_left_out() -> None:
    a, b = [0, 0, 1, 1, 1], [0, 0, 1, 1, 0]
    assert compare.nmi([*a, np.nan, -1], [*b, 1, 0]) == pytest.approx(compare.nmi(a, b))
    assert compare.nmi(np.ma.array([*a, 1], mask=[0] * 5 + [1]), [*b, 0]) == pytest.approx(compare.nmi(a, b))
    with pytest.raises(ComparisonError, match="text and some numbers"):
        compare.nmi(["x", "y"], [0, 1])


def test_a_label_that_is_nan_is_not_positive() -> None:
    with pytest.raises(ComparisonError, match="1 labels are NaN"):
        compare.auc([1.0, 2.0, 3.0], [0.0, 1.0, np.nan])


def test_values_beyond_squaring_are_refused_beside_nan() -> None:
    trials = np.random.default_rng(3).normal(size=(4, 3, 5))
    trials[0, 0] = np.nan
    with pytest.raises(ComparisonError, match="above 1e"):
        compare.noise_correlation(trials * 1e200)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_a_result_is_short_at_the_prompt(name: str) -> None:
    arguments, options = given(name)
    result = find(name).function(*arguments, **options)
    if dataclasses.is_dataclass(result):
        assert len(repr(result)) < 600
