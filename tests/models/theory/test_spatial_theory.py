"""Theory of the spatial balanced network against its published formulas, evaluated elsewhere, at every distance of the table."""

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.models.spatial_balanced import theory

DISTANCE = np.arange(21) * 0.025
RATE_HZ = {"narrow": 3.88325125, "broad": 3.96381375}  # E, of the simulations that the table divides by
# fmt: off
ASYMPTOTIC = [0.00135282, 0.00132492, 0.00124465, 0.00112152, 0.000969336, 0.000803608, 0.000639026, 0.000487413, 0.000356599, 0.000250246, 0.000168445, 0.000108756, 6.73528e-05, 4.00093e-05, 2.27966e-05, 1.2459e-05, 6.53133e-06, 3.28416e-06, 1.58399e-06, 7.32795e-07, 3.25176e-07]
DIAGONAL = {
    "narrow": [0.00125715, 0.00123134, 0.00115704, 0.00104301, 0.000901951, 0.000748193, 0.00059533, 0.000454353, 0.000332581, 0.00023348, 0.000157194, 0.000101495, 6.28461e-05, 3.73195e-05, 2.12534e-05, 1.16084e-05, 6.08104e-06, 3.05538e-06, 1.47247e-06, 6.80678e-07, 3.0184e-07],
    "broad": [0.0641513, 0.062357, 0.0571736, 0.0491677, 0.0391835, 0.0282146, 0.0172633, 0.00721279, -0.00126635, -0.00776504, -0.0121385, -0.0144717, -0.0150211, -0.0141468, -0.0122485, -0.00971345, -0.00688066, -0.00402112, -0.00133178, 0.00106065, 0.00308992],
}
ALONG_X = {
    "narrow": [0.00125715, 0.00123134, 0.00115704, 0.00104301, 0.000901951, 0.000748193, 0.00059533, 0.000454353, 0.000332581, 0.00023348, 0.000157194, 0.000101495, 6.28462e-05, 3.73198e-05, 2.12544e-05, 1.16111e-05, 6.08873e-06, 3.07586e-06, 1.52483e-06, 8.09021e-07, 6.0361e-07],
    "broad": [0.0641513, 0.0623571, 0.0571763, 0.0491813, 0.0392252, 0.0283125, 0.0174566, 0.00755016, -0.000730601, -0.00697645, -0.0110501, -0.0130533, -0.0132695, -0.0120968, -0.00998323, -0.00737422, -0.00467398, -0.00222264, -0.000285246, 0.00095099, 0.00137527],
}
BALANCED_RATE = {
    "narrow": [0.00136139, 0.00133344, 0.00125297, 0.00112949, 0.000976733, 0.000810226, 0.00064469, 0.000492024, 0.000360155, 0.000252838, 0.000170227, 0.00010991, 6.80567e-05, 4.04137e-05, 2.30156e-05, 1.25708e-05, 6.58522e-06, 3.3087e-06, 1.59456e-06, 7.37113e-07, 3.26866e-07],
    "broad": [0.0709114, 0.068928, 0.0631984, 0.0543488, 0.0433125, 0.0311877, 0.0190824, 0.00797286, -0.0013998, -0.00858329, -0.0134176, -0.0159967, -0.016604, -0.0156375, -0.0135392, -0.010737, -0.00760573, -0.00444485, -0.00147211, 0.00117242, 0.00341552],
}
# fmt: on
SIX_DIGITS = 5.1e-6  # half a unit of the last of six digits, at most
ROUNDING = 1e-12
MULTIPLES = (6, 8, 10, 12, 15, 20, 25)


def test_balanced_rates() -> None:
    """6.375 and 10.05 times q_F r_F = 0.5625 Hz, by hand."""
    for regime in RATE_HZ:
        assert theory(regime).balanced_rates_hz == pytest.approx((6.375 * 0.5625, 10.05 * 0.5625), rel=1e-12)


def test_correlations_of_many_neurons() -> None:
    found = theory("narrow").asymptotic(DISTANCE)
    np.testing.assert_allclose(found, ASYMPTOTIC, rtol=SIX_DIGITS)
    assert found[0] == pytest.approx(1.3528e-3, rel=1e-4)
    with pytest.raises(SimulationError, match="is not below the feedforward one"):
        theory("broad").asymptotic(DISTANCE)


@pytest.mark.parametrize("regime", ["narrow", "broad"])
def test_correlations_of_finite_gains(regime: str) -> None:
    found, oblique = theory(regime), DISTANCE / np.sqrt(2)
    for (x, y), rate, wanted in (
        ((oblique, oblique), RATE_HZ[regime], DIAGONAL[regime]),
        ((DISTANCE, 0 * DISTANCE), RATE_HZ[regime], ALONG_X[regime]),
        ((oblique, oblique), None, BALANCED_RATE[regime]),
    ):
        np.testing.assert_allclose(found.correlation(x, y, rate), wanted, rtol=SIX_DIGITS, atol=ROUNDING)


def test_exponents_of_the_size() -> None:
    """Asynchrony at 1/N in the first regime; hardly any decay near, and a deeper trough, in the second."""

    def exponent(regime: str, distance: float) -> float:
        at = np.array([distance]) / np.sqrt(2)
        values = [abs(theory(regime, m).correlation(at, at)[0]) for m in MULTIPLES]
        return float(np.polyfit(np.log([80 * m**2 for m in MULTIPLES]), np.log(values), 1)[0])

    assert exponent("narrow", 0.0) == pytest.approx(-0.95, abs=0.02)
    assert exponent("broad", 0.0) == pytest.approx(-0.17, abs=0.02)
    assert exponent("broad", 0.3) == pytest.approx(0.23, abs=0.02)
