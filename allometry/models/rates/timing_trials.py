"""Trials of the timing network: what its units do from set to go under several cues, beside its mean field."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.models.catalogue.fits import Fit
from allometry.models.features.records import Features, Protocol, feature_model
from allometry.models.rates.low_rank_field import Floats, crossing, gain
from allometry.models.rates.low_rank_timing import FULL_UNITS, NODES, SCHEMES, Construction, fit, low_rank_timing
from allometry.models.rates.timing_fit import LEVEL, START_2, TARGETS_MS, TRAINED_CUES, Timing
from allometry.network import Condition, Network
from allometry.network.recording import Probe, Record

PREPARED_S = 0.5
"""Part of a trial, from the set pulse on, that comparisons take the mean of: before any interval ends."""
_SLOPE_MS = (TARGETS_MS[-1] - TARGETS_MS[0]) / (TRAINED_CUES[-1] - TRAINED_CUES[0])


def check(
    construction: Construction, n: int, cues: int, longest_cue: float, repeats: int, noise: float, random_gain: float,
    loading_noise: float, dt_ms: float, duration_ms: float, sample_ms: float, recorded: int,
) -> None:  # fmt: skip
    """Refuse parameters that the trials cannot have."""

    def refuse(what: str, expected: str) -> None:
        raise SimulationError(what, where="low_rank_timing", expected=expected)

    if construction != "mean_field" and (n < 10 or n % 2):
        refuse(f"n is {n}", "an even number of units, at least ten")
    if cues < 1 or repeats < 1 or recorded < 1:
        refuse(f"{cues} cues, {repeats} repeats, {recorded} recorded units", "at least one of each")
    if not 0 <= longest_cue <= 1:
        refuse(f"longest_cue is {longest_cue:g}", "an amplitude from 0 to 1")
    if repeats > 1 and noise == 0:
        refuse(f"{repeats} repeats without noise are all the same", "a noise above 0, or one repeat")
    for name, value in (("noise", noise), ("random_gain", random_gain), ("loading_noise", loading_noise)):
        if not (value >= 0 and math.isfinite(value)):
            refuse(f"{name} is {value:g}", "a number from 0 on")
    if not (0 < dt_ms <= 100 and dt_ms <= sample_ms <= duration_ms) or duration_ms < 1000 * PREPARED_S:
        refuse(
            f"steps of {dt_ms:g} ms, samples every {sample_ms:g} ms, trials of {duration_ms:g} ms",
            f"steps up to 100 ms, samples no closer, trials of {1000 * PREPARED_S:g} ms or more",
        )
    if abs(sample_ms / dt_ms - round(sample_ms / dt_ms)) > 1e-6:
        refuse(f"samples every {sample_ms:g} ms do not fall on steps of {dt_ms:g} ms", "whole steps")


def size(construction: Construction, n: int, random_gain: float, **_: object) -> tuple[int, float]:
    """Number of units, and of factors of weights, or of weights of full rank."""
    units = NODES**3 if construction == "mean_field" else n
    return units, float(4 * units + (units**2 if random_gain else 0))


def reduced(size: float, scheme: str) -> dict[str, int | str]:
    """Arguments of a size, which is the number of units.

    Raises
    ------
    SimulationError
        For fewer than ten units.
    """
    n = 2 * round(size / 2) if math.isfinite(size) else 0
    if n < 10:
        raise SimulationError(
            f"this network has no size {size:g}", where="low_rank_timing", expected="at least ten units"
        )
    return {"n": n, "construction": scheme}


def cue_amplitudes(cues: int, longest_cue: float) -> Floats:
    """Amplitudes of the cues, evenly from 0 on."""
    return np.asarray(np.arange(cues) * (longest_cue / max(1, cues - 1)), np.float64)


def mean_field_trials(timing: Timing, amplitude: Floats, dt_ms: float, steps: int) -> tuple[Floats, Floats]:
    """Latent variables of the mean field, [step, cue, 2], and its intervals, ms [cue].

    Parameters
    ----------
    timing : Timing
        Numbers of the fit.
    amplitude : ndarray [cue]
        Cues.
    dt_ms : float
        Step, ms.
    steps : int
        Their number.
    """
    u = timing.h0 - timing.c * amplitude
    start = np.broadcast_to(np.array([timing.k10, START_2]), (len(amplitude), 2))
    kappa = timing.field.trajectory(start, u, dt_ms, steps)
    output = timing.scale * gain((kappa * kappa).sum(axis=-1) + u * u) * kappa[..., 1]
    return kappa, crossing(output, LEVEL, dt_ms)


@feature_model(
    network="low_rank_timing",
    description="Network of rank two that produces intervals whose length a tonic cue sets: its trials.",
    source="Beiran et al. 2023, Neuron 111:739 (task and constants; the networks are fitted here)",
    check=check,
    fit=fit,
    stimulus=("cues", "longest_cue", "repeats", "dt_ms", "duration_ms", "sample_ms"),
    size=size,
    reduce=reduced,
    schemes=SCHEMES,
)
def timing_trials(
    seed: int,
    fitted: Fit,
    construction: Construction = "calibrated",
    n: int = FULL_UNITS,
    cues: int = 7,
    longest_cue: float = 0.5,
    repeats: int = 1,
    noise: float = 0.0,
    random_gain: float = 0.0,
    loading_noise: float = 0.0,
    dt_ms: float = 5.0,
    duration_ms: float = 4000.0,
    sample_ms: float = 50.0,
    recorded: int = 100,
) -> Protocol:
    """Trials from the set pulse on: units, latent variables of the network and of its mean field, and the readout.

    Parameters
    ----------
    seed : int
        Of the loadings, and of the noise.
    fitted : Fit
        What `low_rank_timing.fit` found.
    construction : {"calibrated", "matched", "gauss", "mean_field"}
        How loadings are made; see the schemes. `mean_field`: 4096 units at the nodes of a quadrature.
    n : int
        Number of units; not used by `mean_field`.
    cues : int
        Number of cues, evenly from 0 on.
    longest_cue : float
        Largest amplitude; trained are 0 to 0.25.
    repeats : int
        Trials of each cue.
    noise : float
        Standard deviation of x under its white noise alone.
    random_gain : float
        g of added weights of full rank, normal with variance g²/N.
    loading_noise : float
        Standard deviation of what n has beside its overlaps.
    dt_ms : float
        Step of Euler's method, ms.
    duration_ms : float
        Length of a trial, ms.
    sample_ms : float
        Time between samples of responses, ms.
    recorded : int
        Units that are recorded, evenly over all.
    """
    timing = Timing(*fitted.arrays["timing"].tolist())
    amplitude = cue_amplitudes(cues, longest_cue)

    def network(cue: float, noise: float = 0.0, random_gain: float = 0.0) -> Network:
        return low_rank_timing(seed, fitted, construction, n, cue, noise, random_gain, loading_noise, dt_ms)

    net = network(float(amplitude[0]), noise, random_gain)
    conditions = []
    for k, cue in enumerate(amplitude.tolist()):
        replaced = {x.name: x for x in network(cue).inputs if x.name is not None}
        conditions += [
            Condition(f"cue{k}_{repeat}", seed=seed * 1_000_003 + k * repeats + repeat, replaced=replaced)
            for repeat in range(repeats)
        ]
    count = min(recorded, net.size)
    units = ((np.arange(count) + 0.5) * net.size / count).astype(np.int64)
    every, steps = round(sample_ms / dt_ms), round(duration_ms / dt_ms)
    theory, expected = mean_field_trials(timing, amplitude, dt_ms, steps)

    def responses(recordings: Sequence[Mapping[str, NDArray[Any]]]) -> Features:
        shown = np.repeat(amplitude, repeats)
        output = np.array([one["readout_output"] for one in recordings])
        latent = np.array([one["readout_kappa"][:, :2] for one in recordings])
        trace = np.array([one["trace"] for one in recordings])
        kappa = np.repeat(theory.transpose(1, 0, 2), repeats, axis=0)
        whole = np.concatenate([trace, latent, kappa, output[:, :, None]], axis=2)[:, ::every]
        return Features(
            whole.transpose(2, 0, 1),
            {
                "stimulus": ["cue_set_go"] * len(shown),
                "condition": [f"cue {cue:.4g}" for cue in shown],
                "repeat": np.tile(np.arange(repeats), cues),
                "duration": np.full(len(shown), PREPARED_S),
                "cue": shown,
                "trained": shown <= TRAINED_CUES[-1] + 1e-9,
                "target_interval": (TARGETS_MS[0] + _SLOPE_MS * shown) / 1000,
                "interval": crossing(output.T, LEVEL, dt_ms) / 1000,
                "mean_field_interval": np.repeat(expected, repeats) / 1000,
            },
            {"area": ["cortex"] * count + ["latent"] * 2 + ["mean field"] * 2 + ["output"]},
            lag_s=np.asarray(np.arange(0, steps, every) * (dt_ms / 1000), np.float64),
            column_units={"target_interval": "s", "interval": "s", "mean_field_interval": "s"},
            derived={
                "lag": "time from the set pulse",
                "interval": f"time at which the readout rises above {LEVEL:g}; none where it does not",
                "duration": f"the first {PREPARED_S:g} s, before any interval ends: what comparisons take the mean of",
                "latent": "coefficients of the states along m1 and m2, by least squares; of the mean field its variables",
            },
            measured=("interval", "mean_field_interval"),
        )

    return Protocol(net, conditions, duration_ms, Record(probes=(Probe("cortex", units, dt_ms, "x"),)), responses)
