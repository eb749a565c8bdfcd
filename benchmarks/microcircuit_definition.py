"""Numbers of the Potjans-Diesmann microcircuit for peers and reference scripts, independent of `allometry.models`.

Source: Potjans & Diesmann 2014, Cereb Cortex 24:785, tables 4-5; scaling: van Albada et al. 2015, PLoS CB 11:e1004490.
Only numpy: it is imported in the environments of the peer simulators.
"""

import numpy as np

NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
K_EXT = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
PROBABILITY = np.array(  # [target][source]
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
FULL_RATES_HZ = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])
V0_MEAN_MV = np.array([-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43])
V0_SD_MV = np.array([5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48])
NEURON = {
    "C_m": 250.0,
    "tau_m": 10.0,
    "tau_syn_ex": 0.5,
    "tau_syn_in": 0.5,
    "E_L": -65.0,
    "V_reset": -65.0,
    "V_th": -50.0,
    "t_ref": 2.0,
}
BACKGROUND_HZ = 8.0
PSP_MV, G = 0.15, -4.0
WEIGHT_CV = 0.1
DELAY_MS, DELAY_SD_MS = np.array([1.5, 0.75]), np.array([0.75, 0.375])


def psc_per_psp_pa_per_mv() -> float:
    """Amplitude of the postsynaptic current for a postsynaptic potential of 1 mV."""
    tm, ts, c = NEURON["tau_m"], NEURON["tau_syn_ex"], NEURON["C_m"]
    r = (tm / ts) ** (1 / (ts - tm))
    return 1 / (tm * ts / c / (ts - tm) * (r**tm - r**ts))


def scaled(scale: float, k_scale: float | None = None) -> dict[str, np.ndarray]:
    """Sizes, synapses per block [target][source], weights (pA), external in-degree and weight, DC (pA)."""
    k = scale if k_scale is None else k_scale
    pairs = np.outer(SIZES, SIZES).astype(float)
    synapses = np.round(np.log1p(-PROBABILITY) / np.log1p(-1 / pairs))
    j = psc_per_psp_pa_per_mv() * PSP_MV
    weight = np.tile(np.where(np.arange(8) % 2 == 0, j, G * j), (8, 1))
    weight[0, 2] *= 2
    recurrent = (weight * synapses / SIZES[:, None]) @ FULL_RATES_HZ
    dc = 1e-3 * NEURON["tau_syn_ex"] * (1 - np.sqrt(k)) * (recurrent + j * K_EXT * BACKGROUND_HZ)
    return {
        "sizes": np.round(SIZES * scale).astype(int),
        "synapses": np.round(synapses * scale * k).astype(int),
        "weight": weight / np.sqrt(k),
        "weight_ext": j / np.sqrt(k),
        "k_ext": np.round(k * K_EXT).astype(int),
        "dc": dc,
    }
