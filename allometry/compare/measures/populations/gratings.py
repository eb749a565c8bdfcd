"""Responses to gratings: modulation by their cycle, rates of orientation domains, and what few spikes give by chance.

A selectivity index of counts is above 0 without any selectivity, the more so the fewer spikes there are: the nulls are its
expectation for a unit with as many spikes that prefers nothing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allometry.compare.inference.arrays import FloatArray, array, vector
from allometry.compare.measures.populations.tuning import orientations
from allometry.compare.records.measures import SHARE, Scale, measure
from allometry.errors import ComparisonError

DRAWS = 2000
"""Simulated units per number of spikes."""
MANY = 500
"""Spikes from which on the expected length of a resultant is that of a random walk, sqrt(pi n) / 2, within 0.1 %."""


@dataclass(frozen=True)
class DomainRates:
    """Mean rates of units whose domain prefers what is shown, and of those whose domain prefers the orthogonal orientation."""

    preferred: float
    orthogonal: float


def _counts(counts: npt.ArrayLike) -> npt.NDArray[np.int64]:
    x = vector(counts, "counts", size=1)
    if (x < 0).any() or (x != np.round(x)).any():
        raise ComparisonError("counts are no whole numbers >= 0", where="counts", expected="numbers of spikes")
    return x.astype(np.int64)


def _harmonics(harmonic: npt.ArrayLike) -> npt.NDArray[np.complex128]:
    try:
        real, imaginary = (part(harmonic) for part in (np.real, np.imag))
    except (TypeError, ValueError) as error:
        raise ComparisonError(
            "harmonic is not numeric", where="harmonic", expected="an array of complex numbers", do=str(error)
        ) from None
    return vector(real, "harmonic", size=1) + 1j * vector(imaginary, "harmonic", size=1)


def _expected(counts: npt.NDArray[np.int64], steps: npt.NDArray[np.complex128] | None, seed: int) -> FloatArray:
    """Mean length of the sum of so many random unit vectors over their number; of given ones, or of any direction."""
    found = np.full(counts.shape, np.nan)
    for n in np.unique(counts[counts > 0]):
        rng = np.random.default_rng([seed, int(n)])
        if n >= MANY:
            length = np.sqrt(np.pi * n) / 2
        elif steps is None:
            length = np.abs(np.exp(2j * np.pi * rng.random((DRAWS, n))).sum(axis=1)).mean()
        else:
            drawn = rng.multinomial(int(n), np.full(steps.size, 1 / steps.size), DRAWS)
            length = np.abs(drawn @ steps).mean()
        found[counts == n] = length / n
    return found


@measure(
    name="f1_f0",
    version="1",
    inputs="harmonic [units], counts [units]",
    invariances="rate; phase of the grating",
    use="do responses follow the cycle of a drifting grating, as of simple cells?",
    reference="Skottun et al. 1991, Vision Res. 31:1079",
    scale=Scale(True, 0.02, descriptive=True),
)
def f1_f0(harmonic: npt.ArrayLike, counts: npt.ArrayLike) -> FloatArray:
    """Modulation ratio: amplitude of the response at the frequency of the grating over its mean, 2 |sum e^{i phase}| / n.

    Parameters
    ----------
    harmonic : array_like, complex, shape (units,)
        Sum over the spikes of a unit of exp(i phase), the phase of the grating's cycle at the spike, radians.
    counts : array_like, shape (units,)
        Number of spikes.

    Returns
    -------
    ndarray, shape (units,)
        0 to 2; pi / 2 of a half-wave rectified sine, a of 1 + a cos; NaN for units without a spike.

    Raises
    ------
    ComparisonError
        Counts are no numbers of spikes, or there is another number of them.
    """
    n, total = _counts(counts), _harmonics(harmonic)
    if total.shape != n.shape:
        raise ComparisonError(
            f"{total.size} harmonics, {n.size} counts", where="harmonic, counts", expected="one of each per unit"
        )
    return np.divide(2 * np.abs(total), n, out=np.full(n.shape, np.nan), where=n > 0)


@measure(
    name="f1_f0_null",
    version="1",
    inputs="counts [units]",
    invariances="order of units",
    use="what f1_f0 do units have that do not follow the cycle, from few spikes alone?",
    reference="Mardia & Jupp 2000, Directional Statistics, section 4.4 (resultant length under uniformity)",
)
def f1_f0_null(counts: npt.ArrayLike, seed: int = 0) -> FloatArray:
    """Expected F1/F0 of units whose spikes fall anywhere in the cycle.

    Parameters
    ----------
    counts : array_like, shape (units,)
        Number of spikes.
    seed : int
        Of the simulated units.

    Returns
    -------
    ndarray, shape (units,)
        About sqrt(pi / n); 2 for a single spike; NaN for units without one.
    """
    return 2 * _expected(_counts(counts), None, seed)


@measure(
    name="osi_null",
    version="1",
    inputs="counts [units], angles",
    invariances="order of units and angles",
    use="what orientation selectivity do units have that prefer nothing, from few spikes alone?",
    reference="Mardia & Jupp 2000, Directional Statistics, section 4.4 (resultant length under uniformity)",
)
def osi_null(counts: npt.ArrayLike, angles: npt.ArrayLike, seed: int = 0) -> FloatArray:
    """Expected `osi` of units whose spikes fall on any angle with the same probability.

    Parameters
    ----------
    counts : array_like, shape (units,)
        Number of spikes, over all angles.
    angles : array_like, shape (angles,)
        Radians, as `osi` takes them, of at least two orientations.
    seed : int
        Of the simulated units.

    Returns
    -------
    ndarray, shape (units,)
        About sqrt(pi / n) / 2; 1 for a single spike; NaN for units without one.

    Raises
    ------
    ComparisonError
        Counts are no numbers of spikes, or there is one orientation.
    """
    theta = vector(angles, "angles", size=2)
    if orientations(theta) < 2:
        raise ComparisonError("there is one orientation", where="angles", expected="at least two")
    return _expected(_counts(counts), np.exp(2j * theta), seed)


@measure(
    name="domain_rates",
    version="1",
    inputs="rates [orientations, units], orientations, domains [units]",
    invariances="order of units; rotation of stimuli and domains together",
    use="how much does a cortex with an orientation map respond where its domains prefer the stimulus?",
    reference="Chariker, Shapley & Young 2016, J. Neurosci. 36:12368",
    scale=SHARE,
)
def domain_rates(
    rates: npt.ArrayLike, orientations_deg: npt.ArrayLike, domains_deg: npt.ArrayLike, within_deg: float
) -> DomainRates:
    """Mean rates in the domains of the shown and of the orthogonal orientation, over all stimuli and units.

    The domain of a unit is given by its place, not by its own tuning, so that noise of single units makes no difference
    between the two.

    Parameters
    ----------
    rates : array_like, shape (orientations, units)
        Responses.
    orientations_deg : array_like, shape (orientations,)
        Shown orientations, degrees.
    domains_deg : array_like, shape (units,)
        Preferred orientation of the place of each unit, degrees.
    within_deg : float
        Half the width of a domain, degrees, above 0 and up to 45.

    Returns
    -------
    DomainRates
        NaN where no unit lies in such a domain.

    Raises
    ------
    ComparisonError
        Shapes do not belong together, or the width is out of its range.
    """
    r = array(rates, "rates", 2)
    shown, domains = vector(orientations_deg, "orientations_deg", size=1), vector(domains_deg, "domains_deg", size=1)
    if r.shape != (shown.size, domains.size):
        raise ComparisonError(f"rates have shape {r.shape}", where="rates", expected=f"({shown.size}, {domains.size})")
    if not 0 < within_deg <= 45:
        raise ComparisonError(f"within_deg is {within_deg:g}", where="within_deg", expected="above 0, up to 45")
    apart = np.abs((domains[None] - shown[:, None] + 90.0) % 180.0 - 90.0)
    chosen = apart <= within_deg, apart >= 90.0 - within_deg
    return DomainRates(*(float(r[mask].mean()) if mask.any() else float("nan") for mask in chosen))
