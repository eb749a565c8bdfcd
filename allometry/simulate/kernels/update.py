"""One step of each neuron model for a block of neurons, written with selects only so that it vectorises.

All arrays are slices of equal length; `flag` receives 1 where a neuron spikes; the number of spikes is returned.
Voltages are relative to E_L. `parameter` is one row of `Plan.parameters` in the precision of the state, so that no
intermediate is promoted; integers are cast after every operation for the same reason (numba adds int32 in 64 bits).
No function here calls libm.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def,assignment,call-arg,call-overload,operator,arg-type"

import numpy as np
from numba import njit, types
from numba.extending import overload


def cast(x, like):
    """Convert a number to the element type of the array `like`."""
    return like.dtype.type(x)


@overload(cast, inline="always")
def _cast(x, like):
    if like.dtype == types.float32:
        return lambda x, like: np.float32(x)
    if like.dtype == types.float64:
        return lambda x, like: np.float64(x)
    if like.dtype == types.int32:
        return lambda x, like: np.int32(x)
    return lambda x, like: np.int64(x)


@njit(nogil=True)
def psc_exp_one(v, current, ref, arrived, flag, constant, reset, threshold, p11, p21, p22, quantum, ref_steps):
    """`IafPscExp` with one synaptic time constant; `constant` is what the constant current adds to V in a step."""
    spikes = np.int32(0)
    for i in range(len(v)):
        r = ref[i]
        moved = v[i] * p22 + current[i] * p21 + constant
        new = reset if r > 0 else moved
        current[i] = current[i] * p11 + cast(arrived[i], v) * quantum
        arrived[i] = 0
        fired = new >= threshold
        v[i] = reset if fired else new
        ref[i] = ref_steps if fired else (np.int16(r - np.int16(1)) if r > 0 else np.int16(0))
        flag[i] = np.uint8(1) if fired else np.uint8(0)
        spikes = np.int32(spikes + np.int32(fired))
    return spikes


@njit(nogil=True)
def psc_exp_two(
    v, ex, inh, ref, arrived_ex, arrived_in, flag, dc, reset, threshold, p11_ex, p11_in, p21_ex, p21_in, p20, p22,
    quantum, ref_steps,
):  # fmt: skip
    """`IafPscExp` with a current per sign, in the order of operations of NEST 3."""
    spikes = np.int32(0)
    for i in range(len(v)):
        r = ref[i]
        moved = v[i] * p22 + ex[i] * p21_ex + inh[i] * p21_in + dc[i] * p20
        new = reset if r > 0 else moved
        ex[i] = ex[i] * p11_ex + cast(arrived_ex[i], v) * quantum
        inh[i] = inh[i] * p11_in + cast(arrived_in[i], v) * quantum
        arrived_ex[i] = 0
        arrived_in[i] = 0
        fired = new >= threshold
        v[i] = reset if fired else new
        ref[i] = ref_steps if fired else (np.int16(r - np.int16(1)) if r > 0 else np.int16(0))
        flag[i] = np.uint8(1) if fired else np.uint8(0)
        spikes = np.int32(spikes + np.int32(fired))
    return spikes


@njit(nogil=True)
def psc_delta(v, ref, arrived, flag, dc, reset, threshold, p20, p22, quantum, ref_steps):
    """`IafPscDelta`: a refractory neuron discards what arrives."""
    spikes = np.int32(0)
    for i in range(len(v)):
        r = ref[i]
        moved = dc[i] * p20 + v[i] * p22 + cast(arrived[i], v) * quantum
        new = reset if r > 0 else moved
        arrived[i] = 0
        fired = new >= threshold
        v[i] = reset if fired else new
        ref[i] = ref_steps if fired else (np.int16(r - np.int16(1)) if r > 0 else np.int16(0))
        flag[i] = np.uint8(1) if fired else np.uint8(0)
        spikes = np.int32(spikes + np.int32(fired))
    return spikes


@njit(nogil=True)
def connectome(v, g, ref, arrived, kick, flag, gap, reached, reset, threshold, a, b, c, quantum, ref_steps):
    """`ConnectomeLif`; `gap` is what gap junctions add to V in this step, `ref_steps` is per neuron.

    `reached` receives V before a reset: what gap junctions see, so that a spike is one step wide for them.
    """
    spikes = np.int32(0)
    zero = cast(0, v)
    for i in range(len(v)):
        r = ref[i]
        free = r == 0
        old = v[i]
        moved = (old * a + g[i] * c + gap[i]) if free else old
        held = g[i] * b if free else g[i]
        held += cast(arrived[i], v) * quantum
        moved += cast(kick[i], v) * quantum
        arrived[i] = 0
        kick[i] = 0
        reached[i] = moved
        fired = free and moved > threshold
        v[i] = reset if fired else moved
        g[i] = zero if fired else held
        ref[i] = ref_steps[i] if fired else (np.int16(r - np.int16(1)) if r > 0 else np.int16(0))
        flag[i] = np.uint8(1) if fired else np.uint8(0)
        spikes = np.int32(spikes + np.int32(fired))
    return spikes
