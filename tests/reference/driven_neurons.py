"""Neurons without exact integration, driven by currents, given spikes and each other: the inputs of NEST and of the engine.

Numpy only (PCG64), so that NEST's own environment can run it. Every weight is a multiple of 2^-20.

Of each case there are 40 single neurons, which nothing connects: the first 20 have constant currents, the others given
excitatory and inhibitory spikes. And there is a recurrent network of 400 neurons with constant currents and 32,000 synapses.
"""

from dataclasses import dataclass, field

import numpy as np

DT_MS, DURATION_MS = 0.1, 2000.0
CONSTANT, GIVEN = 20, 20
N, N_EXCITATORY, SYNAPSES, MAX_DELAY_STEPS = 400, 320, 32_000, 30
QUANTUM = 2.0**-20


@dataclass(frozen=True)
class Case:
    """One model: NEST's name and parameters; currents (pA), rates of the given spikes (Hz), weights (pA or nS).

    `recurrent_pa` are the currents into the recurrent network, from and to; `recurrent` its mean weights.
    """

    model: str
    parameters: dict[str, float]
    currents_pa: tuple[float, float]
    rates_hz: tuple[float, float, float] = (2500.0, 5500.0, 1000.0)
    weights: tuple[float, float] = (200.0, -100.0)
    recurrent_pa: tuple[float, float] = (600.0, 900.0)
    recurrent: tuple[float, float] = (20.0, -60.0)
    seed: int = 1
    extra: dict[str, float] = field(default_factory=dict)


_AEIF = {
    "C_m": 281.0, "g_L": 30.0, "E_L": -70.6, "V_th": -50.4, "Delta_T": 2.0, "V_peak": 0.0, "V_reset": -60.0,
    "tau_syn_ex": 1.0, "tau_syn_in": 2.0,
}  # fmt: skip
_ADAPTIVE = {"a": 4.0, "b": 80.5, "tau_w": 144.0}
CASES = {
    "adex": Case("aeif_psc_exp", {**_AEIF, **_ADAPTIVE, "t_ref": 2.0}, (700.0, 1600.0), seed=2),
    "adex_without_refractoriness": Case(
        "aeif_psc_exp", {**_AEIF, **_ADAPTIVE, "t_ref": 0.0}, (700.0, 1600.0), seed=3
    ),
    "eif": Case("aeif_psc_exp", {**_AEIF, "t_ref": 2.0}, (560.0, 1100.0), extra={"a": 0.0, "b": 0.0}, seed=4),
    "eif_sharp": Case(
        "aeif_psc_exp", {**_AEIF, "Delta_T": 0.5, "V_peak": -10.0, "t_ref": 1.0}, (600.0, 1100.0),
        extra={"a": 0.0, "b": 0.0}, seed=5,
    ),
    "cond_exp": Case(
        "iaf_cond_exp",
        {
            "C_m": 250.0, "g_L": 16.6667, "E_L": -70.0, "E_ex": 0.0, "E_in": -85.0, "V_th": -55.0, "V_reset": -60.0,
            "tau_syn_ex": 0.5, "tau_syn_in": 2.0, "t_ref": 2.0,
        },
        (255.0, 700.0), weights=(2.0, -4.0), recurrent_pa=(280.0, 420.0), recurrent=(0.4, -2.0), seed=6,
    ),
}  # fmt: skip


def currents(case: Case) -> np.ndarray:
    """Currents into the single neurons, pA, float64 [neuron]; those with given spikes have none."""
    return np.concatenate([np.linspace(*case.currents_pa, CONSTANT), np.zeros(GIVEN)])


def given_spikes(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neuron, step and weight of every given spike, sorted by neuron and step; a weight may stand for several spikes."""
    random = np.random.Generator(np.random.PCG64(case.seed))
    steps = round(DURATION_MS / DT_MS)
    low, high, inhibitory = case.rates_hz
    found = []
    for k, rate in enumerate(np.linspace(low, high, GIVEN)):
        for weight, mean in zip(case.weights, (rate, inhibitory)):
            count = np.floor(random.random(steps) + mean * DT_MS * 1e-3).astype(np.int64)
            count[0] = 0
            step = np.flatnonzero(count)
            found.append(np.stack([np.full(len(step), CONSTANT + k), step, weight * count[step]]))
    table = np.concatenate(found, axis=1)
    table = table[:, np.lexsort((table[2], table[1], table[0]))]
    return table[0].astype(np.int64), table[1].astype(np.int64), table[2]


def network(case: Case) -> dict[str, np.ndarray]:
    """The recurrent network: source, target, weight, delay_steps, current_pa, v0_mv."""
    random = np.random.Generator(np.random.PCG64(1000 + case.seed))
    source = (random.random(SYNAPSES) * N).astype(np.int64)
    target = (random.random(SYNAPSES) * N).astype(np.int64)
    mean = np.where(source < N_EXCITATORY, *case.recurrent)
    low, high = case.parameters["E_L"], case.parameters["V_th"]
    return {
        "source": source,
        "target": target,
        "weight": np.round(mean * (0.5 + random.random(SYNAPSES)) / QUANTUM) * QUANTUM,
        "delay_steps": 1 + (random.random(SYNAPSES) * MAX_DELAY_STEPS).astype(np.int64),
        "current_pa": np.linspace(*case.recurrent_pa, N)[np.argsort(random.random(N), kind="stable")],
        "v0_mv": low + random.random(N) * (high - low),
    }


def statistics(step: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spikes of every neuron of the recurrent network, and the CV of its interspike intervals (NaN below 5 spikes)."""
    count, cv = np.bincount(unit, minlength=N), np.full(N, np.nan)
    order = np.lexsort((step, unit))
    times = np.split(step[order].astype(np.float64), np.cumsum(count)[:-1])
    for k in np.flatnonzero(count >= 5):
        intervals = np.diff(times[k])
        cv[k] = intervals.std() / intervals.mean()
    return count, cv
