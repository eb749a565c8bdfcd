"""What NEST 3.10 makes of times off the grid: the numbers of `tests/simulate/build/test_timing.py`.

Run from the root of the checkout in NEST's own environment (envs/bench-nest.txt): python -m tests.reference.nest_times
"""

import nest
import numpy as np

STEPS_MS = (0.1, 0.05, 0.125, 0.25)
REFRACTORY_MS = (0.0004, 0.0006, 0.3, 0.3004, 0.3005, 0.31, 1 / 3, 0.35, 2.0, 2.05, 2.2)
DELAYS_MS = (0.15, 0.1501, 0.1875, 0.25, 0.3125, 0.35, 0.45, 0.65, 1.05, 1.15, 2.35)


def refractory(t_ref_ms: float, dt_ms: float) -> int:
    """Steps that a neuron rests, from the intervals of one that is driven far above threshold."""
    nest.ResetKernel()
    nest.SetKernelStatus({"resolution": dt_ms})
    neuron = nest.Create("iaf_psc_exp", params={"t_ref": t_ref_ms, "I_e": 1e6})
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(neuron, recorder)
    nest.Simulate(200 * dt_ms)
    return int(np.diff(recorder.events["times"]).min()) - 1


def delay(delay_ms: float, dt_ms: float) -> int:
    """Steps between the spikes of two neurons that repeat what they receive."""
    nest.ResetKernel()
    nest.SetKernelStatus({"resolution": dt_ms})
    first, second = nest.Create("parrot_neuron"), nest.Create("parrot_neuron")
    given = nest.Create("spike_generator", params={"spike_times": [10 * dt_ms]})
    nest.Connect(given, first, syn_spec={"delay": dt_ms})
    nest.Connect(first, second, syn_spec={"delay": delay_ms})
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(second, recorder)
    nest.Simulate(200 * dt_ms)
    return int(recorder.events["times"][0]) - 11


if __name__ == "__main__":
    nest.verbosity = nest.VerbosityLevel.ERROR
    for dt in STEPS_MS:
        print(f"{dt}: {[refractory(t, dt) for t in REFRACTORY_MS]}, {[delay(d, dt) for d in DELAYS_MS]}")
