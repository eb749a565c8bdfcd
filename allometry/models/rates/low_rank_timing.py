"""Flexible timing in a network of rank two whose speed is set by a tonic cue: cue, set, go.

Source: Beiran, Meirhaeghe, Sohn, Jazayeri & Ostojic 2023, Neuron 111:739, of which the abstract and the public code were
read; time constant, nonlinearity, size, noise, cues, targets and threshold are those of the code. The networks are this
project's own: their four numbers are fitted to the trained intervals (`timing_fit`), and stand for no published weights.
"""

import itertools
import math
from typing import Literal

import numpy as np

from allometry.errors import SimulationError
from allometry.models.catalogue.fits import Fit
from allometry.models.catalogue.records import model
from allometry.models.features.draws import generator, normal
from allometry.models.rates.low_rank_field import Floats
from allometry.models.rates.timing_fit import BEGIN, OVERLAP, START_2, Timing, calibrated, fit_field, loadings
from allometry.network import (
    Dense,
    LowRank,
    Network,
    PatternInput,
    Population,
    Projection,
    RateUnit,
    Readout,
    StateReset,
)
from allometry.network.scalars import plain_arguments
from allometry.numerics.fixed_order import product, solve_positive

Construction = Literal["calibrated", "matched", "gauss", "mean_field"]
FULL_UNITS = 1500
NODES = 16
"""Nodes per loading of the construction `mean_field`."""

SCHEMES = {
    "calibrated": "the field of the latent variables on a grid: by the smallest change of n and w, of loadings with exact moments",
    "matched": "all second and odd moments of the loadings",
    "gauss": "the distribution of the loadings: plain samples",
}


def fit(seed: int, construction: Construction, n: int, loading_noise: float) -> Fit:
    """Fit the mean field to the trained intervals, and the loadings of a calibrated network to the mean field.

    Parameters
    ----------
    seed, construction, n, loading_noise
        As the builder takes them.

    Returns
    -------
    Fit
        `timing`: d, h0, c, K10 and the scale of the readout; of a calibrated network also `n` [unit, 2], `readout` [unit], and
        the largest difference of its field from the mean field, `field_error`.
    """
    found = fit_field()
    if construction != "calibrated":
        return found
    timing = Timing(*found.arrays["timing"].tolist())
    m, drive, around, readout = _drawn(timing, seed, construction, n, loading_noise)
    around, readout, error = calibrated(timing, m, drive, around, readout)
    arrays = {**found.arrays, "n": around, "readout": readout, "field_error": np.array([error])}
    return Fit(arrays, found.residual, found.tolerance, found.iterations, found.residual_is, found.history)


def _drawn(
    timing: Timing, seed: int, construction: Construction, n: int, loading_noise: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Loadings of a network as they are drawn: m [unit, 2], I [unit], n [unit, 2] and the weights of the readout [unit]."""
    drawn = loadings(seed, n, construction)
    return _loadings(timing, drawn[:, :2], drawn[:, 2], loading_noise * drawn[:, 3:])


def _loadings(timing: Timing, m: Floats, drive: Floats, rest: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    around = np.column_stack([(OVERLAP + timing.d) * m[:, 0], OVERLAP * m[:, 1] + drive]) + rest
    return m, drive, around, timing.scale * m[:, 1]


def _quadrature() -> tuple[Floats, Floats]:
    """Nodes of three independent standard normal loadings, [node, 3], and their weights, [node]."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    points = np.array(list(itertools.product(nodes, repeat=3)))
    share = np.array([math.prod(w) for w in itertools.product(weights / weights.sum(), repeat=3)])
    return points, share


@plain_arguments
@model(
    description="Network of rank two that produces intervals whose length a tonic cue sets.",
    source="Beiran et al. 2023, Neuron 111:739 (task and constants; the networks are fitted here)",
    stimulus=("cue",),
    fit=fit,
)
def low_rank_timing(
    seed: int = 1,
    fitted: Fit | None = None,
    construction: Construction = "calibrated",
    n: int = FULL_UNITS,
    cue: float = 0.0,
    noise: float = 0.0,
    random_gain: float = 0.0,
    loading_noise: float = 0.0,
    dt_ms: float = 5.0,
) -> Network:
    """Build a network of rank two, tau dx/dt = -x + (1/N) m n' tanh(x) + u I, with n1 = (2 + d) m1 and n2 = 2 m2 + I.

    The cue A enters as u = h0 - c A: a larger cue is a slower trial. The set pulse at time 0 puts the state at
    x = K10 m1 - 1.5 m2 + u I; the interval ends when the readout (1/N) w' tanh(x) reaches .35.

    Parameters
    ----------
    seed : int
        Of the loadings.
    fitted : Fit, optional
        What `fit` found; None: the numbers that the fit begins with.
    construction : str
        `calibrated`, `matched` or `gauss` samples of the loadings (see the schemes), or `mean_field`: 4096 units at the nodes of
        a quadrature, whose latent variables are those of the mean field.
    n : int
        Number of units; not used by `mean_field`.
    cue : float
        Amplitude of the tonic cue, trained from 0 to 0.25.
    noise : float
        Standard deviation of x under its white noise alone.
    random_gain : float
        g of added weights of full rank, normal with variance g²/N.
    loading_noise : float
        Standard deviation of what n has beside its overlaps; the mean field does not see it.
    dt_ms : float
        Step of Euler's method, ms.

    Returns
    -------
    Network
        Population `cortex`; readouts `output` and `kappa`, the coefficients of x along m1, m2 and I by least squares.

    Raises
    ------
    SimulationError
        For fewer than ten units or an odd number of them, or a value out of range.
    """
    for name, value in (("noise", noise), ("random_gain", random_gain), ("loading_noise", loading_noise)):
        if not (value >= 0 and math.isfinite(value)):
            raise SimulationError(f"{name} is {value}", where="low_rank_timing", expected="a number from 0 on")
    if not -1.0 <= cue <= 1.0:
        raise SimulationError(f"cue is {cue}", where="low_rank_timing", expected="an amplitude from -1 to 1")
    if construction != "mean_field" and (n < 10 or n % 2):
        raise SimulationError(f"n is {n}", where="low_rank_timing", expected="an even number of units, at least ten")
    known = dict(fitted.arrays) if fitted is not None else {}
    timing = Timing(*(known["timing"].tolist() if known else (*BEGIN, 1.0)))
    if construction == "mean_field":
        points, share = _quadrature()
        m, drive, around, readout = _loadings(timing, points[:, :2], points[:, 2], np.zeros((len(points), 2)))
    else:
        m, drive, around, readout = _drawn(timing, seed, construction, n, loading_noise)
        share = np.full(n, 1.0 / n)
    if "n" in known:
        around, readout = known["n"], known["readout"]
    size, u = len(share), timing.u(cue)
    projections = [Projection("cortex", "cortex", LowRank(m, around * share[:, None]), name="loops")]
    if random_gain:
        weight = random_gain / math.sqrt(size) * normal(generator(seed, "random"), (size, size))
        projections.append(Projection("cortex", "cortex", Dense(weight), name="random"))
    return Network(
        populations=(Population("cortex", size, RateUnit(100.0, "tanh", noise)),),
        projections=tuple(projections),
        inputs=(
            PatternInput("cortex", drive, u, name="cue"),
            StateReset("cortex", np.zeros(1), timing.k10 * m[:, 0] + START_2 * m[:, 1] + u * drive, name="set"),
        ),
        dt_ms=dt_ms,
        title=f"Low-rank timing network ({construction}, {size} units)",
        parameters={
            "model": "low_rank_timing",
            "construction": construction,
            "n": size,
            "cue": cue,
            "noise": noise,
            "random_gain": random_gain,
            "loading_noise": loading_noise,
            "dt_ms": dt_ms,
            "network_seed": seed,
        },
        readouts=(
            Readout("output", "cortex", readout * share),
            Readout("kappa", "cortex", _coefficients(np.column_stack([m, drive]), share), "x"),
        ),
    )


def _coefficients(loading: Floats, share: Floats) -> Floats:
    """Weights [unit, loading] that give the coefficients of a state along loadings, by least squares."""
    weighted = loading * share[:, None]
    return product(weighted, solve_positive(product(weighted.T, loading), np.eye(loading.shape[1])))
