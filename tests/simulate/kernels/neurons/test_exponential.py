"""The exponential of kernels against decimal arithmetic: error in units of the last place, limits, and both widths."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from numba import njit

from allometry.network import step_functions
from allometry.simulate.kernels.neurons.exponential import exp

WORST = {np.float32: 1.5, np.float64: 1.0}
RANGE = {np.float32: (-86.9, 88.7), np.float64: (-708.0, 709.7)}


@njit
def _all(x, out):  # type: ignore[no-untyped-def]
    for i in range(len(x)):
        out[i] = exp(x[i])


def _of(x: np.ndarray) -> np.ndarray:
    out = np.empty_like(x)
    _all(x, out)
    return out


def _exact(values: np.ndarray) -> list[Decimal]:
    with localcontext() as context:
        context.prec = 50
        return [Decimal(float(x)).exp() for x in values]


@pytest.mark.parametrize("width", [np.float32, np.float64])
def test_error_in_units_of_the_last_place(width: type) -> None:
    low, high = RANGE[width]
    random = np.random.default_rng(1)
    near = np.log(2.0) / 2 * random.choice([-1, 1], 1000) * (1 + 1e-6 * random.normal(size=1000))
    x = np.concatenate([random.uniform(low, high, 6000), random.uniform(-1, 1, 4000), near, [0.0, low, high]]).astype(
        width
    )
    found = _of(x)
    assert found.dtype == width
    wanted = _exact(x)
    unit = [Decimal(float(np.spacing(width(float(w))))) for w in wanted]
    worst = max(abs(Decimal(float(f)) - w) / u for f, w, u in zip(found, wanted, unit))
    assert worst < WORST[width]
    assert found[-3] == 1


@pytest.mark.parametrize("width", [np.float32, np.float64])
def test_limits(width: type) -> None:
    _, high = RANGE[width]
    found = _of(np.array([-np.inf, -1e4, high + 0.2, 1e4, np.inf, np.nan], width))
    np.testing.assert_array_equal(found, np.array([0, 0, np.inf, np.inf, np.inf, np.nan], width))
    assert (np.diff(_of(np.linspace(-3, 3, 4001).astype(width))) >= 0).all()


def test_width_of_the_argument_is_kept_in_arithmetic() -> None:
    assert isinstance(step_functions.exp(1.0), float)
    x = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(_of(x), np.exp(x), rtol=4e-16)
    np.testing.assert_allclose(_of(x.astype(np.float32)), np.exp(x), rtol=3e-6)
