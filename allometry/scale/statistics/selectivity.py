"""Statistics of responses to gratings: selectivity, its null, contrast between orientation domains, modulation by the cycle.

They take all conditions of a job together, which must show gratings: `orientation_deg` and `contrast` are then parameters of
the stimulus of the model. Of other models they are undefined.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allometry.compare.measures.populations import gratings, tuning
from allometry.compare.measures.populations.gratings import DomainRates
from allometry.scale.statistics.recorded import Recorded
from allometry.scale.statistics.records import statistic

FEWEST_ORIENTATIONS = 4
LEAST_HZ = 1.0
"""Mean rate above which the selectivity of a unit counts."""
NARROW_DEG, WIDE_DEG = 11.0, 22.0
"""Half widths of orientation domains: of the central units, and of all where few are central."""


@dataclass(frozen=True)
class Gratings:
    """Responses of a population to gratings that differ in orientation alone: `counts` and `harmonic` [orientation, unit]."""

    orientations_deg: NDArray[np.float64]
    counts: NDArray[np.int64]
    harmonic: NDArray[np.complex128] | None
    columns: Mapping[str, NDArray[np.generic]]
    duration_s: float

    @property
    def active(self) -> NDArray[np.bool_]:
        """Units whose mean rate is above `LEAST_HZ`."""
        return np.asarray(self.counts.mean(axis=0) > LEAST_HZ * self.duration_s)


def _largest(recorded: Mapping[str, Recorded], key: str) -> list[Recorded]:
    """The most conditions whose stimuli differ in one parameter alone, sorted by it."""
    groups: dict[tuple[tuple[str, float], ...], dict[float, Recorded]] = {}
    for one in recorded.values():
        if key in one.stimulus:
            rest = tuple(sorted((name, value) for name, value in one.stimulus.items() if name != key))
            groups.setdefault(rest, {})[float(one.stimulus[key])] = one
    most = max(groups.values(), key=len, default={})
    return [most[value] for value in sorted(most)]


def shown_gratings(recorded: Mapping[str, Recorded], population: str) -> Gratings | None:
    """Responses to the most orientations that were shown at one contrast; None where there are few, or at unequal steps."""
    found = _largest(recorded, "orientation_deg")
    angles = np.array([one.stimulus["orientation_deg"] for one in found])
    if angles.size < FEWEST_ORIENTATIONS or not np.allclose(np.diff(angles), 180.0 / angles.size):
        return None
    first = found[0]
    waves = [one.harmonic.get(population) for one in found]
    known = [wave for wave in waves if wave is not None]
    return Gratings(
        angles,
        np.array([one.counts[population] for one in found]),
        np.array(known) if len(known) == len(waves) else None,
        first.columns.get(population, {}),
        first.duration_s,
    )


def _mean(values: Sequence[float] | NDArray[np.float64]) -> float:
    kept = np.asarray(values, np.float64)
    kept = kept[np.isfinite(kept)]
    return float(kept.mean()) if kept.size else float("nan")


@statistic(
    unit="1",
    description="mean orientation selectivity (1 - circular variance) of units above 1 spike/s",
    across=True,
    theme="tuning",
)
def osi(recorded: Mapping[str, Recorded], population: str) -> float:
    """Mean selectivity; quenched noise of the wiring makes units selective too: see the contrast between domains."""
    shown = shown_gratings(recorded, population)
    if shown is None or not shown.active.any():
        return float("nan")
    return _mean(np.atleast_1d(tuning.osi(shown.counts[:, shown.active], np.deg2rad(shown.orientations_deg))))


@statistic(
    unit="1",
    description="the same of as many spikes without any preference: what few spikes give",
    across=True,
    theme="tuning",
)
def osi_null(recorded: Mapping[str, Recorded], population: str) -> float:
    """Mean selectivity that the same numbers of spikes give by chance."""
    shown = shown_gratings(recorded, population)
    if shown is None or not shown.active.any():
        return float("nan")
    total = shown.counts[:, shown.active].sum(axis=0)
    return _mean(gratings.osi_null(total, np.deg2rad(shown.orientations_deg)))


def _domains(recorded: Mapping[str, Recorded], population: str, within_deg: float, place: str = "") -> DomainRates:
    shown = shown_gratings(recorded, population)
    if shown is None or "orientation_deg" not in shown.columns:
        return DomainRates(float("nan"), float("nan"))
    prefers = np.asarray(shown.columns["orientation_deg"], np.float64)
    chosen = np.asarray(shown.columns[place], bool) if place else np.ones(prefers.size, bool)
    if not chosen.any():
        return DomainRates(float("nan"), float("nan"))
    rates = shown.counts[:, chosen] / shown.duration_s
    return gratings.domain_rates(rates, shown.orientations_deg, prefers[chosen], within_deg)


@statistic(
    unit="spikes/s",
    description="mean rate in domains within 11 degrees of the shown orientation, central hypercolumn",
    across=True,
    theme="rates",
)
def preferred_rate(recorded: Mapping[str, Recorded], population: str) -> float:
    """Rate where the map prefers what is shown."""
    return _domains(recorded, population, NARROW_DEG, "central").preferred


@statistic(
    unit="spikes/s",
    description="mean rate in domains within 11 degrees of the orthogonal orientation, central hypercolumn",
    across=True,
    theme="rates",
)
def orthogonal_rate(recorded: Mapping[str, Recorded], population: str) -> float:
    """Rate where the map prefers the orthogonal orientation."""
    return _domains(recorded, population, NARROW_DEG, "central").orthogonal


def _contrast(
    name: str, description: str, within_deg: float, place: str = ""
) -> Callable[[Mapping[str, Recorded], str], float]:
    """The statistic `preferred` over `orthogonal` rate of the units of a place."""

    @statistic(name=name, unit="1", description=description, across=True, theme="tuning")
    def contrast(recorded: Mapping[str, Recorded], population: str) -> float:
        found = _domains(recorded, population, within_deg, place)
        return found.preferred / found.orthogonal if found.orthogonal > 0 else float("nan")

    return contrast


domain_contrast = _contrast("domain_contrast", "preferred_rate over orthogonal_rate", NARROW_DEG, "central")
domain_contrast_inner = _contrast(
    "domain_contrast_inner",
    "preferred over orthogonal rate within 22 degrees in the inner part of the sheet, far from its edges",
    WIDE_DEG,
    "inner",
)
domain_contrast_sheet = _contrast(
    "domain_contrast_sheet",
    "preferred over orthogonal rate within 22 degrees in the whole sheet, its edges included",
    WIDE_DEG,
)


def _best(recorded: Mapping[str, Recorded], population: str) -> tuple[NDArray[np.complex128], NDArray[np.int64]] | None:
    """Harmonic and spikes of active units at the orientation where each fires most."""
    shown = shown_gratings(recorded, population)
    if shown is None or shown.harmonic is None or not shown.active.any():
        return None
    at = shown.counts.argmax(axis=0)[shown.active], np.flatnonzero(shown.active)
    return shown.harmonic[at], shown.counts[at]


@statistic(
    unit="1",
    description="mean F1/F0 of units above 1 spike/s at the orientation where each fires most",
    across=True,
    theme="tuning",
)
def f1_f0(recorded: Mapping[str, Recorded], population: str) -> float:
    """Modulation by the cycle of the grating."""
    found = _best(recorded, population)
    return _mean(gratings.f1_f0(*found)) if found is not None else float("nan")


@statistic(
    unit="1",
    description="the same of as many spikes anywhere in the cycle: what few spikes give",
    across=True,
    theme="tuning",
)
def f1_f0_null(recorded: Mapping[str, Recorded], population: str) -> float:
    """Modulation that the same numbers of spikes give by chance."""
    found = _best(recorded, population)
    return _mean(gratings.f1_f0_null(found[1])) if found is not None else float("nan")


@statistic(
    unit="1",
    description="rate at the highest contrast that is shown over that at the lowest",
    across=True,
    theme="rates",
)
def contrast_response(recorded: Mapping[str, Recorded], population: str) -> float:
    """How much a grating drives the population."""
    found = _largest(recorded, "contrast")
    if len(found) < 2:
        return float("nan")
    low, high = (one.counts[population].sum() / one.duration_s for one in (found[0], found[-1]))
    return float(high / low) if low > 0 else float("nan")
