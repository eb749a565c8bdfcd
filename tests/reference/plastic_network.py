"""The feedforward network on which plasticity is compared with NEST: given spikes on both sides, random synapses between."""

import numpy as np

DT_MS = 0.1
DURATION_MS = 2000.0
SOURCES, TARGETS = 6, 4
FORCE_MV = 1000.0
NEURON = {"C_m": 1.0, "tau_m": 20.0, "E_L": 0.0, "V_reset": 0.0, "V_th": 500.0, "t_ref": 0.5, "I_e": 0.0}
STDP = {
    "additive": {"mu_plus": 0.0, "mu_minus": 0.0, "lambda": 0.02, "alpha": 1.05, "Wmax": 4.0, "tau_plus": 15.0, "tau_minus": 30.0},
    "multiplicative": {"mu_plus": 1.0, "mu_minus": 1.0, "lambda": 0.05, "alpha": 0.9, "Wmax": 4.0, "tau_plus": 20.0, "tau_minus": 20.0},
    "power": {"mu_plus": 0.4, "mu_minus": 0.7, "lambda": 0.1, "alpha": 2.0, "Wmax": 3.0, "tau_plus": 17.0, "tau_minus": 34.0},
}  # fmt: skip
SHORT_TERM = {
    "depressing": {"U": 0.5, "tau_rec": 800.0, "tau_fac": 0.0},
    "facilitating": {"U": 0.15, "tau_rec": 130.0, "tau_fac": 500.0},
}


def given() -> dict[str, np.ndarray]:
    """Synapses (source, target, weight in mV on a grid of 2^-20, delay in steps) and spikes (steps of arrival) of both sides."""
    random = np.random.default_rng(12)
    source, target = np.divmod(np.arange(SOURCES * TARGETS), TARGETS)
    pre = [np.sort(random.choice(np.arange(5, 19_000), 60, replace=False)) for _ in range(SOURCES)]
    # Bursts, pairs in one step on both sides, and neurons that are silent for long.
    pre[0] = np.unique(np.concatenate([pre[0], np.arange(3000, 3100, 7)]))
    pre[5] = np.array([40, 18_000])
    post = [np.sort(random.choice(np.arange(5, 18_900), 50, replace=False)) for _ in range(TARGETS)]
    post[1] = np.unique(np.concatenate([post[1], pre[0][::5], pre[1][::7] + 3]))
    post[3] = np.array([9000])
    # A neuron that rests discards what forces it.
    post = [steps[np.concatenate([[True], np.diff(steps) > 8])] for steps in post]
    return {
        "source": source,
        "target": target,
        "weight": np.round(random.uniform(0.5, 2.5, source.size) * 2**20) / 2**20,
        "delay_steps": random.integers(1, 31, source.size),
        "pre": pre,
        "post": post,
    }  # type: ignore[return-value]
