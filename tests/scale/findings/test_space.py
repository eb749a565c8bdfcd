"""Theory of space as a study stores it, against its own table; exponents that were planted."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from allometry.models import spatial_balanced
from allometry.models.spatial_balanced import theory
from allometry.scale.axes import Axes
from allometry.scale.findings import space
from allometry.scale.statistics.distance import BINS, EDGES
from tests.models.theory.test_spatial_theory import (
    ALONG_X,
    ASYMPTOTIC,
    DIAGONAL,
    DISTANCE,
    MULTIPLES,
    RATE_HZ,
    ROUNDING,
    SIX_DIGITS,
)

SIZES = [(m / 25) ** 2 for m in MULTIPLES]
NEURONS = 80 * np.array(MULTIPLES)[:, None] ** 2


def study(regime: str) -> dict:
    return {"model": "spatial_balanced", "parameters": {"regime": regime}}


def axes(seeds: int = 1) -> Axes:
    return Axes(SIZES, ["balanced"], list(range(seeds)), ["unchanged"], list(BINS), ["E"])


def known(regime: str, rate_hz: float | None = None) -> space.Theories:
    networks = {(size, "balanced"): spatial_balanced(regime, m) for size, m in zip(SIZES, MULTIPLES)}
    return space.theories(study(regime), networks, {} if rate_hz is None else dict.fromkeys(networks, rate_hz))


@pytest.mark.parametrize("regime", ["narrow", "broad"])
def test_the_stored_theory_is_the_published_table(regime: str) -> None:
    table = space.theory_table(axes(), known(regime, RATE_HZ[regime]))
    assert table is not None
    full = table.sel(size=1.0, scheme="balanced")
    wanted = {"diagonal": DIAGONAL[regime], "axis": ALONG_X[regime], "asymptotic": ASYMPTOTIC}
    if regime == "broad":
        # there is no such limit
        wanted["asymptotic"] = [np.nan] * 21
    for name, values in wanted.items():
        np.testing.assert_allclose(full[name], values, rtol=SIX_DIGITS, atol=ROUNDING)
    assert (float(full["rate_hz"]), float(full["balanced_hz"])) == pytest.approx((RATE_HZ[regime], 3.5859375))
    assert table["expected"].attrs["units"] == "1"
    assert table["displacement"].values.tolist() == pytest.approx(DISTANCE.tolist())
    # nothing was measured: the rate of the theory
    assert float(space.theory_table(axes(), known(regime))["rate_hz"][0, 0]) == pytest.approx(3.5859375)  # type: ignore[index]


def test_theory_is_averaged_over_the_pairs_of_a_lattice() -> None:
    of = theory("broad", 3)
    side = 24
    found = space.Theory(of, side, 4.0).over_pairs(EDGES)
    i = np.arange(side)
    y, x = (part.ravel()[1:] for part in np.meshgrid(i, i, indexing="ij"))
    y, x = (np.minimum(part, side - part) / side for part in (y, x))
    value, d = of.correlation(x, y, 4.0), np.hypot(y, x)
    for k, (low, high) in enumerate(pairwise(EDGES)):
        inside = (d >= low) & (d < high)
        if inside.any():
            assert found[k] == pytest.approx(value[inside].mean(), rel=1e-9)
        else:
            assert np.isnan(found[k])


def planted(curve: np.ndarray, seeds: int, rng: np.random.Generator, noise: float) -> np.ndarray:
    """Values [size, scheme, seed, condition, statistic, population], the same curve of every statistic."""
    spread = noise * np.abs(curve).mean() * (NEURONS[:, 0] / NEURONS[-1, 0]) ** -0.3
    value = curve[:, None] + spread[:, None] * rng.standard_normal((len(SIZES), seeds))
    return np.broadcast_to(value[:, None, :, None, None, None], (len(SIZES), 1, seeds, 1, len(BINS), 1))


@pytest.mark.parametrize(("regime", "bin_"), [("narrow", "correlation_near"), ("broad", "correlation_middle")])
def test_the_exponent_of_the_theory_is_found_again(regime: str, bin_: str) -> None:
    """Values of the theory with noise agree with it as often as a 95 % interval says, negative ones too; others do not."""
    of, rng, words, others = known(regime), np.random.default_rng(1), [], []
    curve = np.array([of[size, "balanced"].over_pairs(np.array(BINS[bin_]))[0] for size in SIZES])
    alone = replace(axes(3), statistics=[bin_])
    steeper = curve * (NEURONS[:, 0] / NEURONS[-1, 0]) ** -0.5
    for _ in range(40):
        for truth, said in ((curve, words), (steeper, others)):
            found = space.exponent_table(alone, planted(truth, 3, rng, 0.05), NEURONS, len(SIZES) - 1, of)
            assert found is not None
            said.append(str(found["verdict"].values[0]))
    # of 40, fewer than 34 have a chance of 1 % at 95 %
    assert words.count("agrees") >= 34, words
    assert others.count("differs") >= 38, others
    assert found is not None
    assert float(found["theory_smallest"][0]) == pytest.approx(curve[0])
    assert float(found["theory_reference"][0]) == pytest.approx(curve[-1])


def test_noise_has_no_exponent() -> None:
    rng = np.random.default_rng(2)
    value = planted(np.zeros(len(SIZES)), 3, rng, 1.0) + 1e-5 * rng.standard_normal((len(SIZES), 1, 3, 1, len(BINS), 1))
    found = space.exponent_table(axes(3), value, NEURONS, len(SIZES) - 1, known("broad"))
    assert found is not None
    assert "agrees" not in found["verdict"].values.tolist()


def test_a_model_without_such_a_theory_has_no_table() -> None:
    assert space.theories({"model": "brunel", "parameters": {}}, {}, {}) == {}
    assert space.theory_table(axes(), {}) is None
    assert space.course_table(axes(), [], {"a": {"values": {}}}) is None
    value = planted(np.ones(len(SIZES)), 3, np.random.default_rng(3), 0.1)
    found = space.exponent_table(axes(3), value, NEURONS, len(SIZES) - 1, {})
    assert found is not None
    assert np.isnan(found["theory_exponent"]).all()
    assert set(found["verdict"].values.tolist()) == {"undetermined"}
