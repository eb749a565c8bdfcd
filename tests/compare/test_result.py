"""What is stored of a comparison has ten significant digits, and says the same on every CPU."""

import numpy as np
import pytest
import xarray as xr

from allometry.compare.result import Result
from allometry.numerics.rounding import DIGITS


def test_numbers_are_rounded_to_ten_digits_and_all_else_stays() -> None:
    entry = {"a": 0.1 + 0.2, "b": -0.0, "c": float("nan"), "d": 3, "e": "text", "f": 1 / 3, "g": np.float64(2e-30 / 3)}
    (found,) = Result("title", [entry]).rounded().rows
    assert found["a"] == 0.3
    assert not np.signbit(found["b"])
    assert np.isnan(found["c"])
    assert (found["d"], type(found["d"]), found["e"]) == (3, int, "text")
    assert found["f"] == 0.3333333333
    assert found["g"] == 6.666666667e-31
    assert entry["a"] == 0.1 + 0.2


@pytest.mark.parametrize("value", [1.0, 0.1, 2.5e-300, 12345678.9, -np.pi])
def test_what_another_cpu_leaves_in_the_last_bits_is_gone(value: float) -> None:
    assert DIGITS == 10
    near = [value, *(value * (1 + sign * ulps * 2.0**-52) for sign in (1, -1) for ulps in (1, 3, 100))]
    rows = Result("title", [{"score": x} for x in near]).rounded().rows
    assert {row["score"] for row in rows} == {float(f"{value:.10g}")}


def test_curves_are_rounded_with_their_coordinates_and_keep_the_rest() -> None:
    curve = xr.Dataset(
        {
            "power": (("frequency", "kind"), np.full((2, 2), 2 / 3), {"units": "1"}),
            "n": ("kind", [1, 2]),
            "single": ("frequency", np.float32([1 / 3, np.nan])),
        },
        coords={"frequency": ("frequency", [1 / 7, 0.1], {"units": "Hz"}), "kind": ["a", "b"]},
    )
    found = Result("title", [], {"spectrum": curve}).rounded().curves["spectrum"]
    np.testing.assert_array_equal(found["power"], np.full((2, 2), 0.6666666667))
    np.testing.assert_array_equal(found["frequency"], [0.1428571429, 0.1])
    assert found["power"].attrs == {"units": "1"}
    assert found["frequency"].attrs == {"units": "Hz"}
    assert found["power"].sel(frequency=0.1, kind="a") == 0.6666666667
    xr.testing.assert_identical(
        found[["n", "single"]].drop_vars("frequency"), curve[["n", "single"]].drop_vars("frequency")
    )
    assert curve["power"].values[0, 0] == 2 / 3
