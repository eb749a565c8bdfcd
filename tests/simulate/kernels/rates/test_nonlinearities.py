"""Nonlinearities of rate units against decimal arithmetic and numpy."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from allometry.network.rate_unit import NONLINEARITIES
from allometry.simulate.kernels.rates.nonlinearities import NUMBERS, rates

FORMULAS = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "rectified_tanh": lambda x: (np.tanh(np.maximum(x, 0) - 0.5) + np.tanh(0.5)) / (1 + np.tanh(0.5)),
}


def _of(name: str, x: np.ndarray) -> np.ndarray:
    out = np.empty_like(x)
    rates(NUMBERS[name], x, out)
    return out


def test_error_of_tanh_in_units_of_the_last_place() -> None:
    random = np.random.default_rng(1)
    x = np.concatenate(
        [random.uniform(-25, 25, 2000), random.uniform(-1, 1, 2000), 10.0 ** random.uniform(-300, 0, 500)]
    )
    found = _of("tanh", x)
    with localcontext() as context:
        context.prec = 400
        exact = []
        for value in x.tolist():
            e = (2 * Decimal(value)).exp() if abs(value) > 1e-100 else 1 + 2 * Decimal(value)
            exact.append((e - 1) / (e + 1))
        worst = max(abs(Decimal(f) - w) / Decimal(float(np.spacing(abs(f)))) for f, w in zip(found.tolist(), exact))
    assert worst < 4
    np.testing.assert_array_equal(_of("tanh", np.array([0.0, np.inf, -np.inf, 400.0])), [0.0, 1.0, -1.0, 1.0])
    assert np.isnan(_of("tanh", np.array([np.nan]))).all()
    np.testing.assert_array_equal(_of("tanh", -x), -found)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_every_nonlinearity_is_what_it_is_said_to_be(name: str) -> None:
    x = np.linspace(-6, 6, 1001)
    np.testing.assert_allclose(_of(name, x), FORMULAS[name](x), rtol=1e-14, atol=1e-16)
