"""Orientation and direction tuning, reliability of tuning, signal-to-noise ratio.

Angles are directions of motion in radians (0 to 2 pi), equally spaced; the orientation of a direction theta is theta modulo
pi. Responses of silent units (all rates 0) have no selectivity: NaN.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray, array, numbers, resolved, varies, vector
from allometry.compare.inference.labels import corresponding
from allometry.compare.records.measures import DISTANCE, SHARE, measure
from allometry.errors import ComparisonError


@dataclass(frozen=True)
class Preference:
    """Preferred orientation in [0, pi) and direction in [0, 2 pi), radians, `[units]`; NaN for untuned units."""

    orientation: FloatArray
    direction: FloatArray


def _rates(rates: npt.ArrayLike, angles: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    r = numbers(rates, "rates")
    r = array(r, "rates", r.ndim if r.ndim in (1, 2) else 2)
    theta = vector(angles, "angles", size=2)
    if r.shape[0] != theta.size:
        raise ComparisonError(
            f"{r.shape[0]} rates, {theta.size} angles", where="rates, angles", expected="one row of rates per angle"
        )
    if (r < 0).any():
        raise ComparisonError(
            "rates holds negative values",
            where="rates",
            expected="responses >= 0: a selectivity index of signed responses has no meaning",
            do="rectify, or add the baseline back to, dF/F or z-scored responses first, and say so",
        )
    gaps = np.diff(np.sort(np.mod(theta, 2 * np.pi)))
    if np.abs(theta).max() > 4 * np.pi:
        raise ComparisonError("angles exceed 4 pi", where="angles", expected="radians", do="numpy.deg2rad")
    if (gaps < 1e-9).any():
        raise ComparisonError(
            "an angle occurs twice", where="angles", expected="one row per angle", do="average repeats first"
        )
    # Orientations close over pi, directions over 2 pi: an arc would look tuned whatever the rates.
    covered = theta.size * gaps.mean()
    if np.ptp(gaps) > 1e-6 or min(abs(covered - np.pi), abs(covered - 2 * np.pi)) > 1e-6 * theta.size:
        raise ComparisonError(
            "angles are not equally spaced over half a circle or a whole one",
            where="angles",
            expected="equal steps over pi or 2 pi",
        )
    return r, theta


def _resultant(r: FloatArray, theta: FloatArray, harmonic: int) -> npt.NDArray[np.complex128]:
    total = r.sum(axis=0)
    vector_sum = np.tensordot(np.exp(1j * harmonic * theta), r, axes=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, vector_sum / total, np.nan + 0j))


def _value(x: npt.ArrayLike) -> float | FloatArray:
    out = np.asarray(x, dtype=float)
    return float(out) if out.ndim == 0 else out


def orientations(angles: npt.ArrayLike) -> int:
    """Number of different orientations among directions in radians: opposite ones are one."""
    theta = np.sort(np.mod(np.asarray(angles, dtype=float), np.pi))
    if not theta.size:
        return 0
    steps = np.diff(np.append(theta, theta[0] + np.pi))
    return int((steps > 1e-9).sum())


@measure(
    name="osi",
    version="2",
    inputs="rates [angles, units], angles",
    invariances="scale of rates, rotation of stimuli",
    use="orientation selectivity",
    reference="Ringach et al. 2002, J. Neurosci. 22:5639",
    ceiling="ratio",
    scale=SHARE,
)
@corresponding("rates", "angles")
def osi(rates: npt.ArrayLike, angles: npt.ArrayLike) -> float | FloatArray:
    """Orientation selectivity |sum r e^{2 i theta}| / sum r; a/2 for r = 1 + a cos 2 theta.

    Parameters
    ----------
    rates : array_like, shape (angles,) or (angles, units)
        Mean responses >= 0.
    angles : array_like, shape (angles,)
        Radians, equally spaced over pi or 2 pi, of at least two orientations.

    Returns
    -------
    float, or ndarray of shape (units,)
        In [0, 1].

    Raises
    ------
    ComparisonError
        Negative rates, angles at unequal steps, or two opposite directions only.

    References
    ----------
    Ringach, Shapley & Hawken 2002, J. Neurosci. 22:5639 (1 - circular variance).
    """
    r, theta = _rates(rates, angles)
    if orientations(theta) < 2:
        raise ComparisonError(
            "two opposite directions have one orientation between them",
            where="angles",
            expected="at least two orientations: the index would be 1 whatever the rates",
            do="use dsi, which tells the two directions apart",
        )
    return _value(np.abs(_resultant(r, theta, 2)))


@measure(
    name="dsi",
    version="1",
    inputs="rates [angles, units], angles",
    invariances="scale of rates, rotation of stimuli",
    use="direction selectivity",
    reference="Mazurek et al. 2014, Front. Neural Circuits 8:92",
    ceiling="ratio",
    scale=SHARE,
)
@corresponding("rates", "angles")
def dsi(rates: npt.ArrayLike, angles: npt.ArrayLike) -> float | FloatArray:
    """Direction selectivity |sum r e^{i theta}| / sum r.

    Parameters
    ----------
    rates : array_like, shape (angles,) or (angles, units)
        Mean responses >= 0, in any unit.
    angles : array_like, shape (angles,)
        Radians, equally spaced over 2 pi.

    Returns
    -------
    float, or ndarray of shape (units,)
        In [0, 1].

    Raises
    ------
    ComparisonError
        Negative rates, angles at unequal steps, or angles over half a circle only.

    References
    ----------
    Mazurek, Kager & Van Hooser 2014, Front. Neural Circuits 8:92.
    """
    r, theta = _rates(rates, angles)
    # Two opposite directions are half a circle apart, and cover it all.
    if np.ptp(np.mod(theta, 2 * np.pi)) < np.pi - 1e-6:
        raise ComparisonError("angles cover half a circle only", where="angles", expected="directions over 2 pi")
    return _value(np.abs(_resultant(r, theta, 1)))


@measure(
    name="circular_variance",
    version="2",
    inputs="rates [angles, units], angles",
    invariances="scale of rates, rotation of stimuli",
    use="breadth of tuning",
    reference="Ringach et al. 2002, J. Neurosci. 22:5639",
    ceiling="ratio",
    scale=DISTANCE,
)
@corresponding("rates", "angles")
def circular_variance(rates: npt.ArrayLike, angles: npt.ArrayLike) -> float | FloatArray:
    """Circular variance in orientation space, 1 - |sum r e^{2 i theta}| / sum r.

    Parameters
    ----------
    rates : array_like, shape (angles,) or (angles, units)
        Mean responses >= 0, in any unit.
    angles : array_like, shape (angles,)
        Radians, equally spaced over pi or 2 pi, of at least two orientations.

    Returns
    -------
    float, or ndarray of shape (units,)
        In [0, 1].

    Raises
    ------
    ComparisonError
        As `osi`.

    References
    ----------
    Ringach, Shapley & Hawken 2002, J. Neurosci. 22:5639.
    """
    return _value(1 - np.asarray(osi(rates, angles)))


@measure(
    name="preferred",
    version="1",
    inputs="rates [angles, units], angles",
    invariances="scale and offset of rates; turns with the stimuli",
    use="which orientation and direction does a unit prefer?",
    reference="Mazurek et al. 2014, Front. Neural Circuits 8:92",
)
@corresponding("rates", "angles")
def preferred(rates: npt.ArrayLike, angles: npt.ArrayLike) -> Preference:
    """Preferred orientation and direction: angles of the resultant vectors of second and first harmonic.

    Parameters
    ----------
    rates : array_like, shape (angles,) or (angles, units)
        Mean responses >= 0, in any unit.
    angles : array_like, shape (angles,)
        Radians, equally spaced over pi or 2 pi.

    Returns
    -------
    Preference
        Orientation in [0, pi) and direction in [0, 2 pi), radians, arrays [units]; NaN for a unit without tuning.

    Raises
    ------
    ComparisonError
        Negative rates, or angles at unequal steps.

    References
    ----------
    Mazurek, Kager & Van Hooser 2014, Front. Neural Circuits 8:92.
    """
    r, theta = _rates(rates, angles)
    second, first = np.atleast_1d(_resultant(r, theta, 2)), np.atleast_1d(_resultant(r, theta, 1))

    def phase(z: npt.NDArray[np.complex128], period: float) -> FloatArray:
        # Rounding leaves a resultant of 1e-17 with a random phase where there is no tuning.
        return np.where(np.abs(z) > 1e-12, np.mod(np.angle(z) * period / (2 * np.pi), period), np.nan)

    # Two opposite directions leave the orientation open.
    known = phase(second, np.pi) if orientations(theta) > 1 else np.full(second.shape, np.nan)
    return Preference(known, phase(first, 2 * np.pi))


def _trials(responses: npt.ArrayLike) -> FloatArray:
    x = array(responses, "responses", 3, finite=False)
    if x.shape[0] < 2 or x.shape[1] < 2:
        raise ComparisonError(
            f"responses have shape {x.shape}",
            where="responses",
            expected="[stimuli, repeats, units], two of the first two",
        )
    if (np.isfinite(x).sum(axis=1).min(initial=2) < 2) or np.isinf(x).any():
        raise ComparisonError(
            "a stimulus has fewer than two valid repeats in some unit (or there are infinite values)",
            where="responses",
            expected="at least two repeats of each stimulus",
            do="drop the stimuli or units concerned",
        )
    return x


@measure(
    name="reliability",
    version="2",
    inputs="responses [stimuli, repeats, units]",
    invariances="offset and scale of each unit",
    use="how much of a unit's tuning comes back with other repeats?",
    reference="Spearman 1910, Br. J. Psychol. 3:271; Brown 1910, Br. J. Psychol. 3:296",
    scale=SHARE,
)
def reliability(responses: npt.ArrayLike, splits: int | str = 100, seed: int = 0) -> FloatArray:
    """Split-half reliability of tuning: mean correlation, over splits of the repeats, of the two tuning curves.

    Parameters
    ----------
    responses : array_like, shape (stimuli, repeats, units)
        NaN for missing repeats; each stimulus keeps its valid repeats, split by half.
    splits : int or "odd_even"
        Number of random splits, drawn for each stimulus by itself; or the one split into odd and even repeats.
    seed : int

    Returns
    -------
    ndarray, shape (units,)
        Uncorrected for the halving (Spearman-Brown: 2 r / (1 + r)); NaN for units whose tuning is constant in every split.
    """
    x = _trials(responses)
    if x.shape[0] < 3:
        raise ComparisonError(f"{x.shape[0]} stimuli", where="responses", expected="at least three stimuli")
    if splits != "odd_even" and not (isinstance(splits, int) and splits > 0):
        raise ComparisonError(f"splits={splits!r}", where="splits", expected='a number > 0, or "odd_even"')
    rng = np.random.default_rng(seed)
    valid = np.isfinite(x)
    filled = np.where(valid, x, 0)
    total = np.zeros(x.shape[2])
    number = np.zeros(x.shape[2])
    for _ in range(1 if splits == "odd_even" else int(splits)):
        if splits == "odd_even":
            first = valid & (np.arange(x.shape[1]) % 2 == 0)[None, :, None]
        else:
            order = np.argsort(np.where(valid, rng.random(x.shape[:2])[:, :, None], 2), axis=1)
            rank = np.argsort(order, axis=1)
            first = valid & (rank < (valid.sum(axis=1, keepdims=True) + 1) // 2)
        second = valid & ~first
        if not (first.any(axis=1) & second.any(axis=1)).all():
            raise ComparisonError(
                "a stimulus has no odd, or no even, repeat", where="responses", expected="repeats in both halves"
            )
        a = (filled * first).sum(axis=1) / first.sum(axis=1)
        b = (filled * second).sum(axis=1) / second.sum(axis=1)
        good = varies(a) & varies(b)
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        norm = np.sqrt((a**2).sum(axis=0)) * np.sqrt((b**2).sum(axis=0))
        total[good] += ((a * b).sum(axis=0)[good]) / norm[good]
        number += good
    return np.divide(total, number, out=np.full(x.shape[2], np.nan), where=number > 0)


@measure(
    name="signal_to_noise",
    version="1",
    inputs="responses [stimuli, repeats, units]",
    invariances="offset and scale of each unit, order of stimuli and of repeats",
    use="how large is tuning beside the variability of a single trial?",
    reference="Sahani & Linden 2003, NeurIPS 15 (signal power over noise power)",
)
def signal_to_noise(responses: npt.ArrayLike) -> FloatArray:
    """Variance of the true tuning over variance of one trial around it, from a one-way analysis of variance.

    (variance of the stimulus means - noise variance x mean(1 / repeats)) / noise variance; unbiased numerator, so that
    an untuned unit is 0 on average (single values can be negative).

    Parameters
    ----------
    responses : array_like, shape (stimuli, repeats, units)
        NaN for missing repeats.

    Returns
    -------
    ndarray, shape (units,)
        NaN for units without trial-to-trial variability.

    References
    ----------
    Signal power over noise power of Sahani & Linden 2003, NeurIPS 15.
    """
    x = _trials(responses)
    number = np.isfinite(x).sum(axis=1)
    mean = np.nansum(x, axis=1) / number
    noise = np.nansum((x - mean[:, None]) ** 2, axis=(0, 1)) / (number - 1).sum(axis=0)
    signal = mean.var(axis=0, ddof=1) - noise * (1 / number).mean(axis=0)
    noisy = resolved(np.sqrt(noise), np.nanmax(np.abs(x), axis=(0, 1)))
    return np.divide(signal, noise, out=np.full(noise.shape, np.nan), where=noisy)
