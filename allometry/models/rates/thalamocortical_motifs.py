"""Motor motifs: a linear cortex whose dynamics are switched by disinhibiting one thalamic unit per motif.

Source: Logiaco, Abbott & Escola 2021, Cell Reports 35:109090, of which the abstract and the public code were read; time
constant, connectivity, placement of eigenvalues and loss of the preparation are those of the code. Targets, modes and the
tests of transitions are this project's own (`motor_loops`).
"""

import math
from typing import Literal, NamedTuple

import numpy as np

from allometry.errors import SimulationError
from allometry.models.catalogue.fits import Fit
from allometry.models.catalogue.records import model
from allometry.models.features.draws import generator
from allometry.models.rates import motor_loops
from allometry.models.rates.motor_loops import DURATION, GRADIENT, RIDGE, STEP, Floats, random_cortex, targets
from allometry.network import (
    Dense,
    LowRank,
    Network,
    PatternInput,
    Piecewise,
    Population,
    Projection,
    ProjectionGain,
    RateUnit,
    Readout,
    Sampled,
    StateReset,
    TaskSignal,
)
from allometry.network.scalars import plain_arguments
from allometry.numerics.rounding import significant

Protocol = Literal["transitions", "chain"]
Prepared = Literal["loop", "cortex"]

TAU_MS = 10.0
CORTEX_ALONE = 0.9
"""Factor on the cortical weights where cortex alone prepares: at full weight some networks are unstable."""
MOST_MOTIFS = 40


class Epoch(NamedTuple):
    """A piece of the protocol: a motif, or the preparation of one; times in steps."""

    first: int
    steps: int
    motif: int
    prepares: bool
    reset: bool


def fit(seed: int, n: int, motifs: int, ridge: float, preparation_rank: int) -> Fit:
    """Design the loops of all motifs and of the preparation.

    Parameters
    ----------
    seed, n, motifs, ridge, preparation_rank
        As the builder takes them.

    Returns
    -------
    Fit
        `u`, `v`, `start` [motif, unit], `preparation_u` [unit, rank], `preparation_v` [rank, unit], all of ten digits; what the
        modes leave of the targets (`left`), the readout's response to noise (`noise`, `noise_median`), `condition` of the
        placement, and `loss`, `loss_begin` of the preparation.
    """
    cortex = motor_loops.cortex(seed, n)
    found = motor_loops.design(cortex, motifs, seed, ridge)
    prepared = motor_loops.prepare(cortex.weight, preparation_rank)
    arrays = {
        "u": found.u,
        "v": found.v,
        "start": found.start,
        "preparation_u": prepared.u,
        "preparation_v": prepared.v,
        "left": found.left,
        "noise": found.noise,
        "noise_median": found.noise_median,
        "condition": np.array([found.condition]),
        "loss": np.array([prepared.loss]),
        "loss_begin": np.array([prepared.loss_begin]),
    }
    return Fit(
        {name: np.reshape([significant(x) for x in a.ravel().tolist()], a.shape) for name, a in arrays.items()},
        prepared.gradient,
        GRADIENT,
        prepared.iterations,
        "largest entry of the gradient of the preparation's loss",
    )


def epochs(protocol: Protocol, motifs: int, count: int, preparation_tau: float, seed: int) -> list[Epoch]:
    """Pieces of a protocol in their order.

    Parameters
    ----------
    protocol, motifs, count, preparation_tau, seed
        As the builder takes them.
    """
    long, short = round(DURATION / STEP), round(preparation_tau / STEP)
    if protocol == "chain":
        order = generator(seed, "chain").integers(0, motifs, count).tolist()
        sequences = [order]
    else:
        pairs = [(a, b) for a in range(motifs) for b in range(motifs) if a != b]
        chosen = (
            ((np.arange(count) + 0.5) * len(pairs) / count).astype(int) if count < len(pairs) else range(len(pairs))
        )
        sequences = [list(pairs[k]) for k in chosen]
    found, at = [], 0
    for sequence in sequences:
        for place, motif in enumerate(sequence):
            if place and short:
                found.append(Epoch(at, short, motif, True, False))
                at += short
            found.append(Epoch(at, long, motif, False, place == 0))
            at += long
    return found


def protocol_ms(
    protocol: Protocol = "transitions", motifs: int = 10, count: int = 90, preparation_tau: float = 10.0
) -> float:
    """Duration of a whole protocol, ms.

    Parameters
    ----------
    protocol, motifs, count, preparation_tau
        As the builder takes them.
    """
    last = epochs(protocol, motifs, count, preparation_tau, 1)[-1]
    return (last.first + last.steps) * STEP * TAU_MS


@plain_arguments
@model(
    description="Linear cortex whose motifs are switched by thalamic loops of rank one, with a loop that prepares them.",
    source="Logiaco, Abbott & Escola 2021, Cell Reports 35:109090 (equations; targets and tests are our own)",
    stimulus=("preparation_tau",),
    fit=fit,
)
def thalamocortical_motifs(
    seed: int = 1,
    fitted: Fit | None = None,
    n: int = 200,
    motifs: int = 10,
    ridge: float = RIDGE,
    prepared_by: Prepared = "loop",
    preparation_rank: int = 20,
    preparation_tau: float = 10.0,
    protocol: Protocol = "transitions",
    count: int = 90,
) -> Network:
    """Build tau dx/dt = -x + J0 x + sum over k of s_k u_k v_k' x + s_prep (U V x + b), y = w' x, propagated exactly.

    A motif is 30 tau of one open loop k; a preparation opens the loop U V with the input b = -(J0 + U V - 1) x_k that brings
    the state to x_k, from which motif k begins.

    Parameters
    ----------
    seed : int
        Of the cortex, its readout and the directions of the loops; the targets are the same for every network.
    fitted : Fit, optional
        What `fit` found; None: no loop does anything.
    n : int
        Number of cortical units.
    motifs : int
        Number of motifs.
    ridge : float
        Penalty on the squared amplitudes of the modes, relative to the number of samples.
    prepared_by : str
        `loop`, or `cortex`: 0.9 J0 alone, driven to the wanted state.
    preparation_rank : int
        Rank of the preparing loop.
    preparation_tau : float
        Duration of a preparation, in time constants of 10 ms; 0: none.
    protocol : str
        `transitions`: ordered pairs of motifs, each from the right state of its first; `chain`: random motifs, one after
        another.
    count : int
        Pairs, evenly chosen among all of them, or motifs of the chain.

    Returns
    -------
    Network
        Population `cortex`; readout `output`; gains of the projections `thalamus` [motif] and `preparation`, and the signal
        `target`, what the output should be during motifs.

    Raises
    ------
    SimulationError
        For a value out of range.
    """
    for name, value, least in (
        ("n", n, 2 * len(motor_loops.FREQUENCIES)),
        ("motifs", motifs, 2),
        ("preparation_rank", preparation_rank, 1),
        ("count", count, 1),
    ):
        if value < least:
            raise SimulationError(f"{name} is {value}", where="thalamocortical_motifs", expected=f"at least {least}")
    if motifs > MOST_MOTIFS or preparation_rank > n:
        name, most = ("motifs", MOST_MOTIFS) if motifs > MOST_MOTIFS else ("preparation_rank", n)
        raise SimulationError(f"{name} is above {most}", where="thalamocortical_motifs", expected=f"at most {most}")
    if not (preparation_tau >= 0 and math.isfinite(preparation_tau)) or not (ridge > 0 and math.isfinite(ridge)):
        raise SimulationError(
            f"preparation_tau is {preparation_tau}, ridge {ridge}",
            where="thalamocortical_motifs",
            expected="a duration of 0 or more, and a positive ridge",
        )
    weight, readout = random_cortex(seed, n)
    known = fitted.arrays if fitted is not None else _nothing(n, motifs, preparation_rank)
    found = epochs(protocol, motifs, count, preparation_tau, seed)
    loop = known["preparation_u"] @ known["preparation_v"] if prepared_by == "loop" else (CORTEX_ALONE - 1) * weight
    at_rest = weight + loop - np.eye(n)
    driven = -np.array([[significant(x) for x in row] for row in (known["start"] @ at_rest.T).tolist()])
    return Network(
        populations=(Population("cortex", n, RateUnit(TAU_MS, "linear", integration="exact")),),
        projections=(
            Projection("cortex", "cortex", Dense(weight), name="recurrent"),
            Projection("cortex", "cortex", LowRank(known["u"].T, known["v"].T), name="thalamus"),
            Projection(
                "cortex", "cortex", LowRank(known["preparation_u"], known["preparation_v"].T), name="preparation"
            ),
        ),
        inputs=_schedule(found, driven, known["start"], motifs, prepared_by),
        dt_ms=STEP * TAU_MS,
        title=f"Thalamocortical motifs ({protocol}, prepared for {preparation_tau:g} tau by "
        + (f"a loop of rank {preparation_rank})" if prepared_by == "loop" else "cortex alone)"),
        parameters={
            "model": "thalamocortical_motifs",
            "n": n,
            "motifs": motifs,
            "ridge": ridge,
            "prepared_by": prepared_by,
            "preparation_rank": preparation_rank,
            "preparation_tau": preparation_tau,
            "protocol": protocol,
            "count": count,
            "network_seed": seed,
        },
        readouts=(Readout("output", "cortex", readout),),
    )


def _schedule(
    found: list[Epoch], driven: Floats, start: Floats, motifs: int, prepared_by: Prepared
) -> tuple[ProjectionGain | PatternInput | StateReset | TaskSignal, ...]:
    """Gains, drive, resets and target of a protocol; all have a name, so that a condition can change its timing."""
    ms = STEP * TAU_MS
    end = found[-1].first + found[-1].steps
    begins = np.array([epoch.first for epoch in found] + [end]) * ms
    gate, drive = np.zeros((len(begins), motifs)), np.zeros((len(begins), motifs))
    preparing = np.zeros(len(begins))
    wanted, target = targets(motifs), np.zeros(end)
    for row, epoch in enumerate(found):
        if epoch.prepares:
            drive[row, epoch.motif], preparing[row] = 1.0, 1.0
        else:
            gate[row, epoch.motif] = 1.0
            target[epoch.first : epoch.first + epoch.steps] = wanted[epoch.motif, : epoch.steps]
    alone = prepared_by == "cortex"
    resets = [epoch for epoch in found if epoch.reset]
    return (
        ProjectionGain("thalamus", Piecewise(begins, gate), name="disinhibition"),
        ProjectionGain("preparation", Piecewise(begins, preparing * (not alone)), name="preparation"),
        ProjectionGain(
            "recurrent", Piecewise(begins, np.where((preparing > 0) & alone, CORTEX_ALONE, 1.0)), name="recurrence"
        ),
        PatternInput("cortex", driven.T, Piecewise(begins, drive), name="prepared"),
        StateReset("cortex", np.array([e.first for e in resets]) * ms, start[[e.motif for e in resets]], name="begun"),
        TaskSignal(Sampled(target, ms), name="target"),
    )


def _nothing(n: int, motifs: int, rank: int) -> dict[str, Floats]:
    """Loops that do nothing."""
    shapes = {"u": (motifs, n), "v": (motifs, n), "start": (motifs, n)}
    shapes |= {"preparation_u": (n, rank), "preparation_v": (rank, n)}
    return {name: np.zeros(shape) for name, shape in shapes.items()}
