"""Own elementary functions against those of numpy, SciPy and decimal arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.interpolate import make_interp_spline

from allometry.homogenize.traces import elementary


def test_sinc_is_numpys() -> None:
    x = np.concatenate([np.linspace(-40, 40, 20_001), [0.0, 1e-300, -1e-9, 0.5, 7.0, 123.5]])
    np.testing.assert_allclose(elementary.sinc(x), np.sinc(x), rtol=0, atol=4e-16)
    assert elementary.sinc(np.array([0.0])) == 1
    # exactly 0 at whole numbers, where numpy is not
    assert not elementary.sinc(np.array([1.0, -2.0, 30.0])).any()


def test_bessel_function_is_numpys() -> None:
    x = np.linspace(-6, 6, 2001)
    np.testing.assert_allclose(elementary.i0(x), np.i0(x), rtol=2e-15)
    # the series itself, with fractions
    terms, total = Fraction(1), Fraction(1)
    for k in range(1, 40):
        terms *= Fraction(9, 4) / k**2
        total += terms
    assert elementary.i0(np.array([3.0]))[0] == pytest.approx(float(total), rel=4e-16)


def test_gaussian_is_numpys() -> None:
    np.testing.assert_allclose(elementary.gaussian(41, 5.0), np.exp(-(np.arange(41) ** 2) / 50), rtol=3e-15)


@pytest.mark.parametrize("samples", [4, 5, 400])
def test_spline_is_scipys(samples: int) -> None:
    rng = np.random.default_rng(samples)
    axis = np.cumsum(rng.uniform(0.1, 1.0, samples))
    values = rng.normal(size=(samples, 130))
    ours, scipys = elementary.cubic_spline(axis, values), make_interp_spline(axis, values, k=3)
    everywhere = np.linspace(axis[0] - 0.05, axis[-1] + 0.05, 501)
    np.testing.assert_allclose(ours(everywhere), scipys(everywhere), atol=1e-9 * np.abs(scipys(everywhere)).max())
    # a part of the times gives the bits of the whole
    np.testing.assert_array_equal(ours(everywhere[200:260]), ours(everywhere)[200:260])
    np.testing.assert_array_equal(ours(everywhere[:1]), ours(everywhere)[:1])
    np.testing.assert_array_equal(ours(everywhere[-1:]), ours(everywhere)[-1:])
