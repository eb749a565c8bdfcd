"""The random networks of the identity test: 2000 neurons, 400,000 listed synapses, regenerated from a seed.

Every number is a multiple of 2^-10 (pA or mV), so that sums of weights are exact in float64 in any order; only
`Generator.random` of numpy's PCG64 is used. The same arrays go to NEST (`nest_identity.py`) and to the engine.
"""

import numpy as np

N, N_EXCITATORY, SYNAPSES = 2000, 1600, 400_000
MAX_DELAY_STEPS = 60
DT_MS, DURATION_MS = 0.1, 1000.0
QUANTUM = 2.0**-10
SEED = {"iaf_psc_exp": 20140501, "iaf_psc_delta": 20000501, "iaf_psc_alpha": 19990501}
#: Parameters in NEST's names and units (ms, mV, pF, pA); `I_e` for the excitatory and the inhibitory population.
PARAMETERS = {
    "iaf_psc_exp": {
        "C_m": 250.0,
        "tau_m": 10.0,
        "tau_syn_ex": 0.5,
        "tau_syn_in": 1.5,
        "E_L": -65.0,
        "V_reset": -67.5,
        "V_th": -50.0,
        "t_ref": 2.0,
    },
    "iaf_psc_delta": {
        "C_m": 250.0,
        "tau_m": 20.0,
        "E_L": -65.0,
        "V_reset": -60.0,
        "V_th": -50.0,
        "t_ref": 2.0,
    },
    "iaf_psc_alpha": {
        "C_m": 250.0,
        "tau_m": 10.0,
        "tau_syn_ex": 0.5,
        "tau_syn_in": 1.5,
        "E_L": -65.0,
        "V_reset": -67.5,
        "V_th": -50.0,
        "t_ref": 2.0,
    },
}
I_E_PA = {"iaf_psc_exp": (450.0, 425.0), "iaf_psc_delta": (240.0, 236.0), "iaf_psc_alpha": (450.0, 425.0)}
#: Mean excitatory and inhibitory weight, pA or mV.
WEIGHT = {"iaf_psc_exp": (60.0, -110.0), "iaf_psc_delta": (0.12, -0.55), "iaf_psc_alpha": (22.0, -40.0)}


def network(model: str) -> dict[str, np.ndarray]:
    """Edges and initial potentials of the identity network of `model` (`iaf_psc_exp`, `iaf_psc_delta` or `iaf_psc_alpha`).

    Returns
    -------
    dict
        `source`, `target` (int64, shape (synapse,), unit numbers from 0, excitatory units first), `weight` (float64, pA
        or mV, within half to one and a half times the mean of its sign), `delay_steps` (int64, 1 to `MAX_DELAY_STEPS`)
        and `v0_mv` (float64, shape (N,), between resting and threshold potential).
    """
    rng = np.random.Generator(np.random.PCG64(SEED[model]))
    source = (rng.random(SYNAPSES) * N).astype(np.int64)
    target = (rng.random(SYNAPSES) * N).astype(np.int64)
    mean = np.where(source < N_EXCITATORY, *WEIGHT[model])
    weight = np.round(mean * (0.5 + rng.random(SYNAPSES)) / QUANTUM) * QUANTUM
    delay_steps = 1 + (rng.random(SYNAPSES) * MAX_DELAY_STEPS).astype(np.int64)
    low, high = PARAMETERS[model]["E_L"], PARAMETERS[model]["V_th"]
    v0_mv = low + np.floor(rng.random(N) * (high - low) / QUANTUM) * QUANTUM
    return {"source": source, "target": target, "weight": weight, "delay_steps": delay_steps, "v0_mv": v0_mv}
