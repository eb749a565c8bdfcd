"""How a deviation, or a cost, depends on size: constant, power law, or power law with a floor, compared by AICc.

Values of single seeds are fitted, not their means: with five sizes, seeds are what tells noise from lack of fit. Deviations are
fitted with their sign, jointly with the value at the reference, whose error all of them share. Weights are the inverse variance
between seeds as a smooth function of size; intervals of exponents are profiles of the weighted squares (Bates & Watts 1988,
Nonlinear Regression Analysis, section 6.1.2). AICc: Hurvich & Tsai 1989, Biometrika 76:297. The best law is named where every
simpler one is at least 2 units worse (Burnham & Anderson 2002, section 2.6); one with more parameters that is not better says
nothing against it (Arnold 2010, J. Wildl. Manage. 74:1175). Else the law is undetermined, which five sizes often leave it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

CONSTANT, POWER, FLOOR, UNDETERMINED = "constant", "power law", "power law with a floor", "undetermined"
LAWS = (CONSTANT, POWER, FLOOR)
_PARAMETERS = {CONSTANT: 1, POWER: 2, FLOOR: 3}
APART = 2.0
"""AICc by which every simpler law must be worse."""
STEEPEST, FLATTEST = 4.0, 0.05
"""Range of exponents, either sign: beyond, a power law cannot be told from a step or from a constant."""
_EXPONENTS = np.sort(np.concatenate([side * np.geomspace(FLATTEST, STEEPEST, 80) for side in (-1, 1)]))
_RATIOS = np.geomspace(1e-4, 1e4, 60)
_ROUNDS, _FINER = 4, 21
Profile = Callable[[Floats], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Law:
    """A fitted dependence on the number of neurons N, in units of that of the reference.

    Parameters
    ----------
    name : str
        One of `LAWS`, or `UNDETERMINED`.
    aicc : dict of str to float
        Of every law that could be fitted.
    amplitude, exponent, floor : float
        Of `floor + amplitude (N / N_reference)^exponent`, of the law that is named, of the best where none is; NaN of what it
        lacks.
    exponent_low, exponent_high : float
        95 % interval; a bound that the values do not give is infinite, NaN where there is no exponent.
    sizes, n : int
        Sizes and values that were fitted, the reference included.
    reason : str
        Why no law is named.
    """

    name: str
    aicc: dict[str, float] = field(default_factory=dict)
    amplitude: float = np.nan
    exponent: float = np.nan
    floor: float = np.nan
    exponent_low: float = np.nan
    exponent_high: float = np.nan
    sizes: int = 0
    n: int = 0
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON, null where a number is missing or infinite."""
        return {
            key: None if isinstance(value, float) and not np.isfinite(value) else value
            for key, value in vars(self).items()
        }


def deviation_law(neurons: ArrayLike, values: Sequence[ArrayLike], reference: int) -> Law:
    """Law of the deviation of a statistic from its value at the reference.

    Parameters
    ----------
    neurons : array [size]
        Numbers of neurons, all different.
    values : sequence of arrays [seed], one per size
        The statistic; NaN is left out.
    reference : int
        Index of the size that deviations are from.
    """
    data, known = _data(neurons, values, reference)
    if known is None:
        return Law(UNDETERMINED, reason="no value at the reference")
    away = (np.arange(data.x.size) != known).astype(float)
    if reason := _too_few(data, int(away.sum())):
        return Law(UNDETERMINED, sizes=data.x.size, n=data.n, reason=reason)
    x = data.x / data.x[known]
    one = np.ones_like(x)

    def columns(law: str, exponent: Floats) -> Floats:
        """Design [exponent, size, coefficient]: value at the reference, amplitude, floor."""
        rise = away * x ** exponent[:, None]
        parts = {CONSTANT: [one, away], POWER: [one, rise], FLOOR: [one, rise, away]}[law]
        return np.stack([np.broadcast_to(part, rise.shape) for part in parts], axis=-1)

    def profile(law: str) -> Profile:
        return lambda exponent: _least_squares(columns(law, exponent), data)

    fits = {law: _fit(law, profile(law)) for law in LAWS if away.sum() > _PARAMETERS[law]}
    return _chosen(fits, data, extra=2)


def cost_law(neurons: ArrayLike, values: Sequence[ArrayLike], reference: int) -> Law:
    """Law of a cost itself: positive, with errors in proportion to it.

    Parameters
    ----------
    neurons : array [size]
        Numbers of neurons, all different.
    values : sequence of arrays [seed], one per size
        Positive costs; NaN is left out.
    reference : int
        Index of the size whose number of neurons is the unit.
    """
    unit = float(np.asarray(neurons, np.float64)[reference])
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = [np.log(np.asarray(cost, np.float64)) for cost in values]
    data, _ = _data(neurons, logs, reference)
    if reason := _too_few(data, data.x.size):
        return Law(UNDETERMINED, sizes=data.x.size, n=data.n, reason=reason)
    x = data.x / unit

    def at_ratio(exponent: Floats, ratio: Floats) -> tuple[Floats, Floats]:
        """Squares and amplitudes for floors of `ratio` times the amplitude."""
        # what is left of the logarithms is that of the amplitude
        rest = data.mean - np.log(ratio[..., None] + x ** exponent[:, None])
        level = (rest * data.weight).sum(axis=-1) / data.weight.sum()
        return data.within + (data.weight * (rest - level[..., None]) ** 2).sum(axis=-1), np.exp(level)

    def profile(law: str) -> Profile:
        def of(exponent: Floats) -> tuple[Floats, Floats]:
            ratio = np.zeros(exponent.size)
            if law == FLOOR:
                ratio = _best_ratio(lambda ratios: at_ratio(exponent, ratios)[0], exponent.size)
            squares, amplitude = at_ratio(exponent, ratio)
            return squares, np.stack([amplitude, ratio * amplitude], axis=-1)

        return of

    fits = {law: _fit(law, profile(law)) for law in LAWS if data.x.size > _PARAMETERS[law]}
    return _chosen(fits, data, extra=1)


def value_law(neurons: ArrayLike, values: Sequence[ArrayLike], reference: int, laws: Sequence[str] = LAWS) -> Law:
    """Law of a statistic itself, of either sign, as that of a correlation that vanishes in large networks.

    Parameters
    ----------
    neurons : array [size]
        Numbers of neurons, all different.
    values : sequence of arrays [seed], one per size
        The statistic; NaN is left out.
    reference : int
        Index of the size whose number of neurons is the unit.
    laws : sequence of str
        Those that are compared; a power law alone has an exponent whatever else fits.
    """
    unit = float(np.asarray(neurons, np.float64)[reference])
    data, _ = _data(neurons, values, reference)
    if reason := _too_few(data, data.x.size):
        return Law(UNDETERMINED, sizes=data.x.size, n=data.n, reason=reason)
    fits = {law: _fit(law, _of_value(law, data, unit)) for law in laws if data.x.size > _PARAMETERS[law]}
    return _chosen(fits, data, extra=1, laws=laws)


def expected_exponent(neurons: ArrayLike, values: Sequence[ArrayLike], reference: int, expected: ArrayLike) -> float:
    """Exponent of the power law nearest to what a theory expects, weighted as the measured values are.

    Parameters
    ----------
    neurons, values, reference
        As `value_law` takes them.
    expected : array [size]
        What the theory gives at each size; NaN gives NaN.
    """
    data, _ = _data(neurons, values, reference)
    mean = np.asarray(expected, np.float64)[np.isin(np.asarray(neurons, np.float64), data.x)]
    if data.x.size < 2 or not np.isfinite(mean).all():
        return float("nan")
    fit = _fit(POWER, _of_value(POWER, replace(data, mean=mean, within=0.0), data.x.max()))
    return float(fit.exponent[fit.best])


def _of_value(law: str, data: "_Data", unit: float) -> Profile:
    """Squares and coefficients (amplitude, floor) of a law of the values themselves."""

    def profile(exponent: Floats) -> tuple[Floats, Floats]:
        rise = (data.x / unit) ** exponent[:, None]
        parts = {CONSTANT: [np.ones_like(rise)], POWER: [rise], FLOOR: [rise, np.ones_like(rise)]}[law]
        return _least_squares(np.stack(parts, axis=-1), data)

    return profile


@dataclass(frozen=True)
class _Data:
    """Means per size with their weights, and what the weighted squares within sizes add up to."""

    x: Floats
    mean: Floats
    weight: Floats
    within: float
    n: int

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the spread between seeds."""
        return self.n - self.x.size


@dataclass(frozen=True)
class _Fit:
    """Weighted squares and coefficients (value at the reference, if any, amplitude, floor) along a grid of exponents."""

    exponent: Floats
    squares: Floats
    coefficients: Floats

    @property
    def best(self) -> int:
        return int(self.squares.argmin())


def _fit(law: str, profile: Profile) -> _Fit:
    """Squares along a grid of exponents that is finer and finer around the least."""
    if law == CONSTANT:
        return _Fit(np.zeros(1), *profile(np.zeros(1)))
    exponent, (squares, coefficients) = _EXPONENTS, profile(_EXPONENTS)
    for _ in range(_ROUNDS):
        best = int(squares.argmin())
        low, high = exponent[max(best - 1, 0)], exponent[min(best + 1, exponent.size - 1)]
        more = np.linspace(low, high, _FINER + 2)[1:-1]
        more = more[np.abs(more) >= FLATTEST]
        added, their = profile(more)
        exponent, squares = np.concatenate([exponent, more]), np.concatenate([squares, added])
        order = np.argsort(exponent, kind="stable")
        exponent, squares = exponent[order], squares[order]
        coefficients = np.concatenate([coefficients, their])[order]
    return _Fit(exponent, squares, coefficients)


def _best_ratio(squares: Callable[[Floats], Floats], exponents: int) -> Floats:
    """For each exponent the floor over the amplitude of least squares; 0 where no floor is best."""
    ratios = np.broadcast_to(_RATIOS[:, None], (_RATIOS.size, exponents))
    width = np.log(_RATIOS[1] / _RATIOS[0])
    for _ in range(_ROUNDS):
        best = np.take_along_axis(ratios, squares(ratios).argmin(axis=0)[None], axis=0)
        ratios = best * np.exp(np.linspace(-width, width, _FINER))[:, None]
        width *= 2 / _FINER
    ratios = np.concatenate([np.zeros((1, exponents)), ratios])
    return np.take_along_axis(ratios, squares(ratios).argmin(axis=0)[None], axis=0)[0]


def _data(neurons: ArrayLike, values: Sequence[ArrayLike], reference: int) -> tuple[_Data, int | None]:
    x = np.asarray(neurons, np.float64)
    kept = [np.asarray(found, np.float64)[np.isfinite(found)] for found in values]
    used = [i for i, found in enumerate(kept) if found.size]
    counts = np.array([kept[i].size for i in used], np.int64)
    mean = np.array([kept[i].mean() for i in used])
    squares = np.array([((kept[i] - kept[i].mean()) ** 2).sum() for i in used])
    # what rounding leaves of equal values is no spread
    squares = np.where(squares > 1e-24 * counts * np.maximum(mean**2, 1e-200), squares, 0.0)
    variance = _smooth_variance(x[used], squares, counts)
    within = float((squares / variance).sum())
    data = _Data(x[used], mean, counts / variance, within, int(counts.sum()))
    return data, used.index(reference) if reference in used else None


def _smooth_variance(x: Floats, squares: Floats, counts: NDArray[np.int64]) -> Floats:
    """Variance between seeds as a power of size, since a few seeds do not give that of every size.

    The expected logarithm of a variance of few degrees of freedom is too low by a known amount (Bartlett & Kendall 1946,
    J. R. Stat. Soc. Suppl. 8:128), which is put back.
    """
    degrees = counts - 1
    known = (degrees > 0) & (squares > 0)
    if not known.any():
        return np.ones_like(x)
    nu = degrees[known]
    level = np.log(squares[known] / nu) - (scipy.special.digamma(nu / 2) - np.log(nu / 2))
    at = np.log(x[known])
    # the weight of a logarithm of a variance
    weight = 1 / scipy.special.polygamma(1, nu / 2)
    centre = (weight * at).sum() / weight.sum()
    spread = (weight * (at - centre) ** 2).sum()
    slope = (weight * (at - centre) * level).sum() / spread if spread > 0 else 0.0
    slope = float(np.clip(slope, -STEEPEST, STEEPEST))
    return np.asarray(np.exp((weight * level).sum() / weight.sum() + slope * (np.log(x) - centre)))


def _too_few(data: _Data, away: int) -> str:
    if away < 2:
        return f"{away} size{'s' * (away != 1)} beside the reference: at least two are needed"
    if data.degrees < 1:
        return "one seed per size: nothing says what noise is"
    return ""


def _least_squares(design: Floats, data: _Data) -> tuple[Floats, Floats]:
    """Weighted squares [exponent] and coefficients [exponent, coefficient] of means on designs."""
    root = np.sqrt(data.weight)
    scaled = design * root[:, None]
    # columns of very different lengths, as those of a steep power
    length = np.maximum(np.sqrt((scaled**2).sum(axis=1)), 1e-300)
    coefficients = np.linalg.pinv(scaled / length[:, None, :], rcond=1e-9) @ (data.mean * root)
    left = data.mean * root - (scaled / length[:, None, :] @ coefficients[..., None])[..., 0]
    return data.within + (left**2).sum(axis=-1), coefficients / length


def aicc(squares: float, n: int, parameters: int) -> float:
    """Akaike's criterion for least squares with its correction for few values; `parameters` counts the variance.

    Parameters
    ----------
    squares : float
        Weighted sum of squares.
    n, parameters : int
        Values and fitted parameters; NaN where there are too few values.
    """
    if n - parameters - 1 <= 0 or not squares > 0:
        return float("nan")
    return float(n * np.log(squares / n) + 2 * parameters + 2 * parameters * (parameters + 1) / (n - parameters - 1))


def _chosen(fits: Mapping[str, _Fit], data: _Data, extra: int, laws: Sequence[str] = LAWS) -> Law:
    criteria = {law: aicc(fit.squares.min(), data.n, _PARAMETERS[law] + extra) for law, fit in fits.items()}
    criteria = {law: value for law, value in criteria.items() if np.isfinite(value)}
    if not criteria:
        return Law(UNDETERMINED, sizes=data.x.size, n=data.n, reason="too few values, or values without any spread")
    best = min(criteria, key=lambda law: criteria[law])
    near = [law for law in criteria if law == best or (_simpler(law, best) and criteria[law] - criteria[best] < APART)]
    fit = fits[best]
    exponent, low, high = np.nan, np.nan, np.nan
    if best != CONSTANT:
        exponent = float(fit.exponent[fit.best])
        low, high = _interval(fit, data, _PARAMETERS[best] + extra - 1)
    amplitude, floor = [*fit.coefficients[fit.best].tolist()[extra - 1 :], np.nan][:2]
    if best == CONSTANT:
        amplitude, floor = np.nan, amplitude
    missing = [law for law in laws if law not in criteria]
    reason = ""
    if len(near) > 1:
        reason = f"{' and '.join(near)} fit alike (AICc within {APART:g})"
    elif missing:
        reason = f"{' and '.join(missing)} could not be fitted: too few sizes or values"
    elif best != CONSTANT and abs(exponent) >= STEEPEST:
        reason = f"the {best} is steeper than any that can be told from a step"
    name = best if not reason else UNDETERMINED
    if best == POWER:
        floor = np.nan
    return Law(name, criteria, amplitude, exponent, floor, low, high, data.x.size, data.n, reason)


def _simpler(law: str, other: str) -> bool:
    return _PARAMETERS[law] < _PARAMETERS[other]


def _interval(fit: _Fit, data: _Data, parameters: int) -> tuple[float, float]:
    """Exponents whose squares exceed the least by no more than noise: from the nearest crossing on either side."""
    least = fit.squares.min()
    scale = data.within / data.degrees
    degrees = data.degrees
    if data.n > parameters and least / (data.n - parameters) > scale:
        # the law does not fit within the noise: its misfit is the noise that counts
        scale, degrees = least / (data.n - parameters), data.n - parameters
    most = least + scipy.stats.t.ppf(0.975, degrees) ** 2 * scale
    bounds = []
    for side in (-1, 1):
        at = fit.best
        while 0 <= at + side < fit.exponent.size and fit.squares[at + side] <= most:
            at += side
        beyond = at + side
        if not 0 <= beyond < fit.exponent.size:
            bounds.append(side * np.inf)
            continue
        share = (most - fit.squares[at]) / (fit.squares[beyond] - fit.squares[at])
        bounds.append(float(fit.exponent[at] + share * (fit.exponent[beyond] - fit.exponent[at])))
    return bounds[0], bounds[1]
