"""Motifs of the thalamocortical network as responses: what its units do during every motif of a protocol."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.models.catalogue.fits import Fit
from allometry.models.features.records import Features, Protocol, feature_model
from allometry.models.rates.motor_loops import DURATION, FREQUENCIES, RIDGE, STEP, targets
from allometry.models.rates.thalamocortical_motifs import (
    MOST_MOTIFS,
    TAU_MS,
    Prepared,
    epochs,
    fit,
    thalamocortical_motifs,
)
from allometry.models.rates.thalamocortical_motifs import Protocol as Order
from allometry.network import Condition
from allometry.network.recording import Probe, Record

SAMPLE_STEPS = 5
"""Steps between samples of responses."""
SCHEMES = {"units": "motifs, their modes, and the rank of the preparation over the number of units"}
RANK_SHARE = 0.1


def check(
    n: int, motifs: int, ridge: float, prepared_by: Prepared, preparation_rank: int, preparation_tau: float,
    protocol: Order, count: int, recorded: int,
) -> None:  # fmt: skip
    """Refuse parameters that the network cannot have."""

    def refuse(what: str, expected: str) -> None:
        raise SimulationError(what, where="thalamocortical_motifs", expected=expected)

    least = 2 * len(FREQUENCIES)
    if n < least:
        refuse(f"n is {n}", f"at least {least} units, one per mode of a motif")
    if not 2 <= motifs <= MOST_MOTIFS:
        refuse(f"motifs is {motifs}", f"2 to {MOST_MOTIFS}")
    if not 1 <= preparation_rank <= n:
        refuse(f"the preparation has rank {preparation_rank}", f"1 to {n}, the number of units")
    if not (0 <= preparation_tau <= 1000 and ridge > 0 and math.isfinite(ridge)):
        refuse(
            f"preparation_tau is {preparation_tau:g}, ridge {ridge:g}",
            "a duration of 0 to 1000 time constants, and a positive ridge",
        )
    if count < (2 if protocol == "chain" else 1) or recorded < 1:
        refuse(f"count is {count}, recorded {recorded}", "a pair of motifs or more, and a recorded unit or more")


def size(n: int, motifs: int, preparation_rank: int, **_: object) -> tuple[int, float]:
    """Number of units, and of weights and factors of weights."""
    return n, float(n * n + 2 * n * (motifs + preparation_rank))


def reduced(size: float, scheme: str) -> dict[str, int]:
    """Arguments of a size, which is the number of units.

    Raises
    ------
    SimulationError
        For fewer than forty units, whose spectrum is too sparse to place the modes.
    """
    if not (math.isfinite(size) and round(size) >= 40):
        raise SimulationError(
            f"this network has no size {size:g}", where="thalamocortical_motifs", expected="40 units or more"
        )
    return {"n": round(size), "preparation_rank": round(RANK_SHARE * size)}


@feature_model(
    network="thalamocortical_motifs",
    description="Linear cortex whose motifs are switched by thalamic loops of rank one: its activity in every motif.",
    source="Logiaco, Abbott & Escola 2021, Cell Reports 35:109090 (equations; targets and tests are our own)",
    check=check,
    fit=fit,
    stimulus=("motifs", "protocol", "count"),
    size=size,
    reduce=reduced,
    schemes=SCHEMES,
)
def motif_trials(
    seed: int,
    fitted: Fit,
    n: int = 200,
    motifs: int = 10,
    ridge: float = RIDGE,
    prepared_by: Prepared = "loop",
    preparation_rank: int = 20,
    preparation_tau: float = 10.0,
    protocol: Order = "transitions",
    count: int = 90,
    recorded: int = 60,
) -> Protocol:
    """Units, readout and target during every motif; motifs after another one are held against the target.

    Parameters
    ----------
    seed : int
        Of the cortex, its readout and the directions of the loops.
    fitted : Fit
        What `thalamocortical_motifs.fit` found.
    n : int
        Number of cortical units.
    motifs : int
        Number of motifs.
    ridge : float
        Penalty on the squared amplitudes of the modes, relative to the number of samples.
    prepared_by : {"loop", "cortex"}
        What prepares a motif: a loop, or cortex alone.
    preparation_rank : int
        Rank of the preparing loop.
    preparation_tau : float
        Duration of a preparation, in time constants of 10 ms; 0: none.
    protocol : {"transitions", "chain"}
        Ordered pairs of motifs, each from the right state of its first; or one motif after another.
    count : int
        Pairs, evenly chosen among all of them, or motifs of the chain.
    recorded : int
        Units that are recorded, evenly over all.
    """
    net = thalamocortical_motifs(
        seed, fitted, n, motifs, ridge, prepared_by, preparation_rank, preparation_tau, protocol, count
    )
    pieces = epochs(protocol, motifs, count, preparation_tau, seed)
    ms = STEP * TAU_MS
    kept = min(recorded, n)
    units = ((np.arange(kept) + 0.5) * n / kept).astype(np.int64)
    every = round(DURATION / STEP)
    played = [piece for piece in pieces if not piece.prepares]
    before = [None if piece.reset else played[k - 1].motif for k, piece in enumerate(played)]

    def responses(recordings: Sequence[Mapping[str, NDArray[Any]]]) -> Features:
        (recorded_,) = recordings
        wanted = targets(motifs)
        output = np.array([recorded_["readout_output"][p.first : p.first + every] for p in played])
        trace = np.array([recorded_["trace"][p.first : p.first + every] for p in played])
        target = np.array([wanted[p.motif, :every] for p in played])
        whole = np.concatenate([trace, output[:, :, None], target[:, :, None]], axis=2)[:, ::SAMPLE_STEPS]
        motif = np.array([piece.motif for piece in played])
        return Features(
            whole.transpose(2, 0, 1),
            {
                "stimulus": ["first" if of is None else "transition" for of in before],
                "condition": [f"motif {k}" for k in motif],
                "repeat": [int((motif[:row] == k).sum()) for row, k in enumerate(motif)],
                "duration": np.full(len(played), every * ms / 1000),
                "motif": motif,
                "previous": [-1 if of is None else of for of in before],
                "error": np.sqrt(((output - target) ** 2).mean(axis=1)),
            },
            {"area": ["cortex"] * kept + ["output", "target"]},
            lag_s=np.asarray(np.arange(0, every, SAMPLE_STEPS) * (ms / 1000), np.float64),
            derived={
                "lag": "time from the beginning of the motif",
                "error": "root mean square of the output less the target over the motif; targets have a root mean square of 1",
                "stimulus": "first: the motif begins in the right state; transition: it follows the motif `previous`",
            },
            measured=("error",),
        )

    return Protocol(
        net,
        [Condition("motifs")],
        (pieces[-1].first + pieces[-1].steps) * ms,
        Record(probes=(Probe("cortex", units, ms, "x"),)),
        responses,
    )
