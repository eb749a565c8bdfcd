"""Balanced network of excitatory and inhibitory neurons on a torus, driven by a layer of Poisson neurons.

Source: Rosenbaum, Smith, Kohn, Rubin & Doiron 2017, Nat Neurosci 20:107, and their code (SpatialSpikingNeuralNetworks).
"""

import math
from typing import Any, Literal

import numpy as np

from allometry.errors import SimulationError
from allometry.models.catalogue.records import model
from allometry.models.theory.rates import SpatialBalance
from allometry.network import (
    Eif,
    FixedOutdegree,
    Grid,
    Network,
    Parrot,
    PoissonInput,
    Population,
    Projection,
    RoundedGaussian,
    Space,
    Uniform,
)
from allometry.network.scalars import plain_arguments

FULL_LATTICE = 25
"""Multiple of the lattice in the published network of 50,000 neurons."""

SITES = {"E": 8, "I": 4, "F": 3}
"""Neurons per side of each population, at multiple 1 of the lattice."""

DT_MS = 0.1
SIGMA_F = 0.1
SIGMA_RECURRENT = {"narrow": 0.05, "broad": 0.25}
TAU_F_MS = {"narrow": 7.0, "broad": 6.0}
TAU_MS = {"E": 6.0, "I": 5.0}
PROBABILITY = {
    ("E", "E"): 0.05,
    ("I", "E"): 0.05,
    ("E", "I"): 0.05,
    ("I", "I"): 0.05,
    ("F", "E"): 0.25,
    ("F", "I"): 0.08,
}
"""Connection probability by source and target: the out-degree over the size of the target population."""

STRENGTH = {
    ("E", "E"): 40.0,
    ("I", "E"): -400.0,
    ("E", "I"): 120.0,
    ("I", "I"): -400.0,
    ("F", "E"): 120.0,
    ("F", "I"): 120.0,
}
"""j by source and target, mV: a spike moves the voltage of a neuron without leak by j/√N."""

SCHEMES = {"balanced": "connection probabilities and widths, as shares of the sheet; weights grow as 1/√N"}


def neurons(regime: str) -> dict[str, Eif]:
    """Neuron models of E and I in a regime; mV and ms with C = 1."""
    common: dict[str, Any] = {
        "C_m": 1.0,
        "E_L": -60.0,
        "V_th": -50.0,
        "V_peak": -10.0,
        "V_reset": -65.0,
        "V_min": -100.0,
        "tau_syn_ex": TAU_MS["E"],
        "tau_syn_in": TAU_MS["I"],
        "tau_syn_ff": TAU_F_MS[regime],
        "integration": "forward_euler",
    }
    return {
        "E": Eif(g_L=1 / 15, Delta_T=2.0, t_ref=1.5, **common),
        "I": Eif(g_L=1 / 10, Delta_T=0.5, t_ref=0.5, **common),
    }


def size_of(population: str, lattice: int) -> int:
    """Neurons of a population at a multiple of the lattice."""
    return (SITES[population] * lattice) ** 2


def recurrent_size(lattice: int) -> int:
    """N, the neurons of E and I together."""
    return size_of("E", lattice) + size_of("I", lattice)


def outdegree(source: str, target: str, lattice: int) -> int:
    """Synapses of each neuron of `source` in `target`."""
    return round(PROBABILITY[source, target] * size_of(target, lattice))


def lattice_of(size: float) -> int:
    """Multiple m of the lattice at a share of the 50,000 neurons: N = 80 m².

    Raises
    ------
    SimulationError
        For a share that is no multiple of the lattice.
    """
    m = FULL_LATTICE * math.sqrt(size) if 0 < size < math.inf else 0.0
    if round(m) < 2 or abs(m - round(m)) > 1e-6:
        near = max(2, round(m))
        raise SimulationError(
            f"this network has no size {size:g}, which is no multiple of its lattice",
            where="spatial_balanced",
            expected=f"(m / {FULL_LATTICE})² with a whole m of 2 or more, for 80 m² neurons",
            do=f"the nearest are {', '.join(f'{(k / FULL_LATTICE) ** 2:.6g} (m = {k})' for k in (near, near + 1))}",
        )
    return round(m)


def reduced(size: float, scheme: str) -> dict[str, int]:
    """Arguments of `spatial_balanced` for a share of its 50,000 neurons, in the one scheme of `SCHEMES`.

    Raises
    ------
    SimulationError
        For a share that is no multiple of the lattice (`lattice_of`).
    """
    return {"lattice": lattice_of(size)}


def places(population: str, size: int) -> dict[str, np.ndarray]:
    """Coordinates of the neurons of a population, `x` and `y` [neuron], in shares of the sheet."""
    side = math.isqrt(size)
    i = np.arange(size)
    return {"x": (i % side) / side, "y": (i // side) / side}


def theory(regime: str = "narrow", lattice: int = FULL_LATTICE, rate_hz: float = 5.0) -> SpatialBalance:
    """Theory of the network that `spatial_balanced` builds with these arguments, which it checks."""
    spatial_balanced(regime=regime, lattice=lattice, rate_hz=rate_hz)  # type: ignore[arg-type]
    n = recurrent_size(lattice)
    share = {name: size_of(name, lattice) / n for name in SITES}
    w = {key: PROBABILITY[key] * STRENGTH[key] for key in PROBABILITY}
    return SpatialBalance(
        recurrent=(
            (share["E"] * w["E", "E"], share["I"] * w["I", "E"]),
            (share["E"] * w["E", "I"], share["I"] * w["I", "I"]),
        ),
        feedforward=(w["F", "E"], w["F", "I"]),
        share=share["F"],
        rate_hz=rate_hz,
        neurons=n,
        sigma_recurrent=SIGMA_RECURRENT[regime],
        sigma_feedforward=SIGMA_F,
    )


@plain_arguments
@model(
    description="Balanced network on a torus: exponential integrate-and-fire neurons driven by a layer of Poisson neurons.",
    source="Rosenbaum, Smith, Kohn, Rubin & Doiron 2017, Nat Neurosci 20:107",
    reduce=reduced,
    schemes=SCHEMES,
    columns=places,
    correlations=theory,
)
def spatial_balanced(
    regime: Literal["narrow", "broad"] = "narrow", lattice: int = FULL_LATTICE, rate_hz: float = 5.0
) -> Network:
    """Build the network of (8m)² excitatory, (4m)² inhibitory and (3m)² feedforward neurons; m is 25 as published.

    Every neuron makes a fixed number of synapses in each target population, 5 % of its size within E and I, 25 % from F
    to E and 8 % from F to I, onto the sites nearest to Gaussian displacements (`RoundedGaussian`). A spike of weight
    J = j/√N, N = 80 m², adds J/τ to the exponential current of its class. Forward Euler steps of 0.1 ms, delays of one step.

    Parameters
    ----------
    regime : {"narrow", "broad"}
        Recurrent width 0.05 (figure 3 of the source: asynchronous at all distances) or 0.25 of the sheet (figure 4:
        positive correlations near, negative farther away), beside the feedforward width of 0.1.
    lattice : int
        m, 2 or more: N = 80 m² neurons.
    rate_hz : float
        Rate of every feedforward neuron, Hz.

    Returns
    -------
    Network
        Populations `E`, `I` of `Eif` and `F` of `Parrot` neurons on the unit torus; weights in pA of C_m = 1 pF: mV/ms.

    Raises
    ------
    SimulationError
        If the regime is unknown, `lattice` below 2, or the rate negative.
    """
    if regime not in SIGMA_RECURRENT:
        raise SimulationError(f"regime is {regime!r}", where="spatial_balanced", expected=", ".join(SIGMA_RECURRENT))
    if lattice != int(lattice) or lattice < 2:
        raise SimulationError(f"lattice is {lattice}", where="spatial_balanced", expected="a whole number of 2 or more")
    if not (0 <= rate_hz < math.inf):
        raise SimulationError(f"rate_hz is {rate_hz}", where="spatial_balanced", expected="a rate of 0 or above, in Hz")
    tau = {**TAU_MS, "F": TAU_F_MS[regime]}
    sigma = {"E": SIGMA_RECURRENT[regime], "I": SIGMA_RECURRENT[regime], "F": SIGMA_F}
    root = math.sqrt(recurrent_size(lattice))
    cells = neurons(regime)
    projections = tuple(
        Projection(
            source,
            target,
            FixedOutdegree(outdegree(source, target, lattice), kernel=RoundedGaussian(sigma[source])),
            STRENGTH[source, target] / root / tau[source],
            DT_MS,
            receptor="ff" if source == "F" else None,
        )
        for source, target in PROBABILITY
    )
    return Network(
        populations=tuple(
            Population(
                name,
                size_of(name, lattice),
                cells.get(name, Parrot()),
                Uniform(-65.0, -50.0) if name in cells else None,
                positions=Grid(sites * lattice, offset=0.0),
            )
            for name, sites in SITES.items()
        ),
        projections=projections,
        inputs=(PoissonInput("F", rate_hz, 1.0),),
        space=Space(1.0, 1.0, periodic=True, unit="1"),
        dt_ms=DT_MS,
        title=f"Spatial balanced network (Rosenbaum et al. 2017), {regime} recurrence, {recurrent_size(lattice):,} neurons",
        parameters={"model": "spatial_balanced", "regime": regime, "lattice": lattice, "rate_hz": rate_hz},
    )
