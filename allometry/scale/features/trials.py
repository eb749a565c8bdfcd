"""Statistics of networks of rate units over their trials: produced intervals, latent variables, motifs after one another."""

import numpy as np
from numpy.typing import NDArray

from allometry.compare.measures.representations.similarity import procrustes
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import product
from allometry.scale.features.responded import Responded
from allometry.scale.statistics.records import statistic

NAN = float("nan")
LATENT, MEAN_FIELD, OUTPUT = "latent", "mean field", "output"
COMPARED_S = 1.571
"""Time over which latent variables are held against the mean field: that of the longest trained interval."""
Floats = NDArray[np.float64]


def _intervals(responded: Responded, area: str) -> tuple[Floats, Floats] | None:
    """Produced intervals and those of the mean field, s; None of what has none."""
    produced, expected = responded.column("interval"), responded.column("mean_field_interval")
    return None if area != OUTPUT or produced is None or expected is None else (produced, expected)


def _mean(values: Floats) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else NAN


@statistic(
    of="responses", unit="1", description="distance of produced intervals from those of the mean field, relative, mean"
)
def interval_error(responded: Responded, area: str) -> float:
    """What a finite network does to the intervals of its mean field; of intervals that are produced."""
    found = _intervals(responded, area)
    return NAN if found is None else _mean(np.abs(found[0] / found[1] - 1.0))


@statistic(of="responses", unit="1", description="share of trials in which no interval is produced")
def interval_failures(responded: Responded, area: str) -> float:
    """Trials whose readout does not reach the threshold."""
    found = _intervals(responded, area)
    return NAN if found is None else float(np.isnan(found[0]).mean())


@statistic(
    of="responses",
    unit="1",
    description="distance of produced intervals from the linear target, relative, mean over cues beyond the trained ones",
)
def extrapolation_error(responded: Responded, area: str) -> float:
    """How well intervals extrapolate beyond the trained cues."""
    found, target, trained = (
        _intervals(responded, area),
        responded.column("target_interval"),
        responded.column("trained"),
    )
    if found is None or target is None or trained is None:
        return NAN
    beyond = trained == 0
    return _mean(np.abs(found[0] / target - 1.0)[beyond])


def _latents(responded: Responded, area: str) -> tuple[Floats, Floats, Floats] | None:
    """Latent variables of the network and of the mean field, [latent, trial, lag], and times, s; None of what has none."""
    if area != LATENT or responded.lag_s is None or not {LATENT, MEAN_FIELD} <= set(responded.areas):
        return None
    return responded.of(LATENT), responded.of(MEAN_FIELD), responded.lag_s


@statistic(
    of="responses",
    unit="1",
    description="root mean square distance of latent variables from the mean field, trained cues, first 1.571 s",
)
def latent_error(responded: Responded, area: str) -> float:
    """Distance of the trajectory of a network from that of its mean field, time by time."""
    found, trained = _latents(responded, area), responded.column("trained")
    if found is None or trained is None:
        return NAN
    network, theory, lag = found
    difference = (network - theory)[:, trained > 0][:, :, lag < COMPARED_S]
    return float(np.sqrt((difference**2).sum(axis=0).mean()))


@statistic(
    of="responses",
    unit="1",
    description="share of trials that go round the other way: first latent variables of network and mean field have opposite signs",
)
def other_way(responded: Responded, area: str) -> float:
    """Trials begin near a saddle, between two ways of like length: the other one has the right interval and a latent error of 2.

    Of both courses over the mean field's interval the inner product is below 0.
    """
    found, expected = _latents(responded, area), responded.column("mean_field_interval")
    if found is None or expected is None:
        return NAN
    network, theory, lag = found
    inside = lag[None] < np.where(np.isfinite(expected), expected, np.inf)[:, None]
    return float(((network[0] * theory[0] * inside).sum(axis=1) < 0).mean())


@statistic(
    of="responses",
    unit="rad",
    description="angle of Procrustes between the latent trajectories of network and mean field (arc cosine of the similarity)",
)
def procrustes_angle(responded: Responded, area: str) -> float:
    """Distance of shapes of both trajectories, over all trials and times of the mean field's intervals, whatever the rotation."""
    found, expected = _latents(responded, area), responded.column("mean_field_interval")
    if found is None or expected is None:
        return NAN
    network, theory, lag = found
    inside = lag[None] < np.where(np.isfinite(expected), expected, lag[-1])[:, None]
    try:
        return float(np.arccos(min(1.0, procrustes(network[:, inside].T, theory[:, inside].T))))
    except ComparisonError:  # states that never change
        return NAN


@statistic(
    of="responses",
    unit="1",
    description="participation ratio (tr C)^2 / tr C^2 of states over the times of all trials, to the end of their intervals",
)
def course_dimension(responded: Responded, area: str) -> float:
    """Dimension of the course of states, centred over trials and times."""
    found = responded.of(area)
    if found.ndim != 3 or len(found) < 2 or responded.lag_s is None:
        return NAN
    end = responded.column("interval")
    inside = np.ones(found.shape[1:], bool)
    if end is not None:
        inside = responded.lag_s[None] < np.where(np.isfinite(end), end, np.inf)[:, None]
    states = found[:, inside]
    if states.shape[1] < 2:
        return NAN
    states = states - states.mean(axis=1, keepdims=True)
    covariance = product(states, states.T)
    squares = float((covariance * covariance).sum())
    return float(np.trace(covariance)) ** 2 / squares if squares > 0 else NAN


def _errors(responded: Responded, area: str, stimulus: str) -> float:
    error = responded.column("error")
    of = (responded.presentations["stimulus"] == stimulus).to_numpy(bool)
    return float(np.median(error[of])) if area == OUTPUT and error is not None and of.any() else NAN


@statistic(
    of="responses",
    unit="1",
    description="root mean square error of a motif that follows another one, median; targets have a root mean square of 1",
)
def transition_error(responded: Responded, area: str) -> float:
    """Error of motifs after another one."""
    return _errors(responded, area, "transition")


@statistic(of="responses", unit="1", description="the same of motifs that begin in the right state")
def motif_error(responded: Responded, area: str) -> float:
    """What the modes of a motif leave of its target."""
    return _errors(responded, area, "first")
