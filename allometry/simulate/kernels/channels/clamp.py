"""The loop of one isopotential cell under clamp, for all steps of a protocol at once.

In a time step the voltage moves first, semi-implicitly (dV = (I - sum I_x) / (C / dt + sum g_x)), or is what is commanded;
then every gate by the exact exponential of its time constant at the new voltage; then the calcium of the cell. The steps of
a protocol lie beside one another, and do not meet: loops over them vectorise, and each has the bits that it has alone.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from enum import IntEnum

import numpy as np
from numba import njit

from allometry.simulate.kernels.channels import big_potassium, gates
from allometry.simulate.kernels.compiled import INLINED, compiled
from allometry.simulate.kernels.rng import ln


class Current(IntEnum):
    """Row of each current."""

    LEAK = 0
    NCA = 1
    EGL19 = 2
    UNC2 = 3
    CCA1 = 4
    SHL1 = 5
    SHK1 = 6
    EGL2 = 7
    IRK = 8
    KQT1 = 9
    UNC103 = 10
    SLO1 = 11
    SLO2 = 12
    SLO1_EGL19 = 13
    SLO1_UNC2 = 14
    SLO2_EGL19 = 15
    SLO2_UNC2 = 16


class Gate(IntEnum):
    """Row of each state; the last is the calcium of the cell, mM."""

    EGL19_M = 0
    EGL19_H = 1
    UNC2_M = 2
    UNC2_H = 3
    CCA1_M = 4
    CCA1_H = 5
    SHL1_M = 6
    SHL1_FAST = 7
    SHL1_SLOW = 8
    SHK1_M = 9
    SHK1_H = 10
    EGL2_M = 11
    IRK_M = 12
    KQT1_M = 13
    KQT1_S = 14
    UNC103_M = 15
    UNC103_H = 16
    SLO1 = 17
    SLO2 = 18
    SLO1_EGL19 = 19
    SLO1_UNC2 = 20
    SLO2_EGL19 = 21
    SLO2_UNC2 = 22
    CALCIUM = 23


NEEDS: dict[Current, tuple[Gate, ...]] = {
    Current.LEAK: (),
    Current.NCA: (),
    Current.EGL19: (Gate.EGL19_M, Gate.EGL19_H),
    Current.UNC2: (Gate.UNC2_M, Gate.UNC2_H),
    Current.CCA1: (Gate.CCA1_M, Gate.CCA1_H),
    Current.SHL1: (Gate.SHL1_M, Gate.SHL1_FAST, Gate.SHL1_SLOW),
    Current.SHK1: (Gate.SHK1_M, Gate.SHK1_H),
    Current.EGL2: (Gate.EGL2_M,),
    Current.IRK: (Gate.IRK_M,),
    Current.KQT1: (Gate.KQT1_M, Gate.KQT1_S),
    Current.UNC103: (Gate.UNC103_M, Gate.UNC103_H),
    Current.SLO1: (Gate.SLO1,),
    Current.SLO2: (Gate.SLO2,),
    Current.SLO1_EGL19: (Gate.SLO1_EGL19, Gate.EGL19_M, Gate.EGL19_H),
    Current.SLO1_UNC2: (Gate.SLO1_UNC2, Gate.UNC2_M, Gate.UNC2_H),
    Current.SLO2_EGL19: (Gate.SLO2_EGL19, Gate.EGL19_M, Gate.EGL19_H),
    Current.SLO2_UNC2: (Gate.SLO2_UNC2, Gate.UNC2_M, Gate.UNC2_H),
}
"""States that each current needs."""

E_K, E_NCA = -80.0, 30.0
RT_PER_F = 24.081
"""mV, at 6.3 degrees."""
OUTSIDE_MM = 2.0
"""Calcium outside the cell."""
LEAST_MM = 1e-4
_FARADAY = 96485.0
_DEPTH = 0.1
_CURRENTS = len(Current)
_GATES = len(Gate)
_LEAK, _NCA, _EGL19, _UNC2, _CCA1, _SHL1, _SHK1, _EGL2, _IRK, _KQT1, _UNC103 = (int(c) for c in list(Current)[:11])
_SLO1, _SLO2, _SLO1_EGL19, _SLO1_UNC2, _SLO2_EGL19, _SLO2_UNC2 = (int(c) for c in list(Current)[11:])
_CALCIUM = int(Gate.CALCIUM)


@njit(nogil=True, error_model="numpy")
def _move(has, v, x, dt):
    """Move all gates that the voltage alone decides."""
    if has[0]:
        gates.egl19(v, x[0:2], dt)
    if has[2]:
        gates.unc2(v, x[2:4], dt)
    if has[4]:
        gates.cca1(v, x[4:6], dt)
    if has[6]:
        gates.shl1(v, x[6:9], dt)
    if has[9]:
        gates.shk1(v, x[9:11], dt)
    if has[11]:
        gates.egl2(v, x[11:12], dt)
    if has[12]:
        gates.irk(v, x[12:13], dt)
    if has[13]:
        gates.kqt1(v, x[13:15], dt)
    if has[15]:
        gates.unc103(v, x[15:17], dt)


@njit(**INLINED)
def reversal(mM, e_ca):
    """Reversal potential of calcium, mV: a constant, or (`e_ca` NaN) that of its concentration in the cell."""
    return 0.5 * RT_PER_F * ln(OUTSIDE_MM / mM) if e_ca != e_ca else e_ca


@njit(nogil=True, error_model="numpy")
def _move_slo(has, v, x, e_ca, dt):
    """Move the calcium-activated channels, after the calcium channels that they are coupled to."""
    for k in range(2):
        if has[17 + k]:
            for i in range(v.shape[0]):
                rest, tau = big_potassium.alone(v[i], 1e3 * x[_CALCIUM, i], k)
                x[17 + k, i] = gates.relaxed(x[17 + k, i], rest, tau, dt)
        for partner in range(2):
            row = 19 + 2 * k + partner
            if not has[row]:
                continue
            for i in range(v.shape[0]):
                m_rest, m_tau = gates.egl19_activation(v[i]) if partner == 0 else gates.unc2_activation(v[i])
                e = reversal(x[_CALCIUM, i], e_ca)
                rest, tau = big_potassium.coupled(v[i], e, x[2 * partner, i], m_rest, m_tau, k)
                x[row, i] = 0.0 if dt < 0.0 else gates.relaxed(x[row, i], rest, tau, dt)


@njit(**INLINED)
def _add(g, open_fraction, driving, k, i, current, total, conductance):
    """Add a current of lane `i` to the sums."""
    now = g[k] * open_fraction
    current[k, i] = now * driving
    total[i] += now * driving
    conductance[i] += now


@njit(nogil=True, error_model="numpy")
def _sum(g, v, x, e_leak, e_ca, current, total, conductance, calcium):
    """Currents of all channels, mA/cm2, their sum, the open conductance, S/cm2, and the current of calcium."""
    for i in range(v.shape[0]):
        total[i] = 0.0
        conductance[i] = 0.0
        to_k = v[i] - E_K
        to_ca = v[i] - reversal(x[_CALCIUM, i], e_ca)
        _add(g, 1.0, v[i] - e_leak, _LEAK, i, current, total, conductance)
        _add(g, 1.0, v[i] - E_NCA, _NCA, i, current, total, conductance)
        _add(g, x[0, i] * x[1, i], to_ca, _EGL19, i, current, total, conductance)
        _add(g, x[2, i] * x[3, i], to_ca, _UNC2, i, current, total, conductance)
        _add(g, x[4, i] * x[4, i] * x[5, i], to_ca, _CCA1, i, current, total, conductance)
        calcium[i] = current[_EGL19, i] + current[_UNC2, i] + current[_CCA1, i]
        _add(g, x[6, i] * (0.8 * x[7, i] + 0.2 * x[8, i]), to_k, _SHL1, i, current, total, conductance)
        _add(g, x[9, i] * x[10, i], to_k, _SHK1, i, current, total, conductance)
        _add(g, x[11, i], to_k, _EGL2, i, current, total, conductance)
        _add(g, x[12, i], to_k, _IRK, i, current, total, conductance)
        _add(g, x[13, i] * x[14, i], to_k, _KQT1, i, current, total, conductance)
        _add(g, x[15, i] * x[16, i], to_k, _UNC103, i, current, total, conductance)
        _add(g, x[17, i], to_k, _SLO1, i, current, total, conductance)
        _add(g, x[18, i], to_k, _SLO2, i, current, total, conductance)
        _add(g, x[19, i] * x[1, i], to_k, _SLO1_EGL19, i, current, total, conductance)
        _add(g, x[20, i] * x[3, i], to_k, _SLO1_UNC2, i, current, total, conductance)
        _add(g, x[21, i] * x[1, i], to_k, _SLO2_EGL19, i, current, total, conductance)
        _add(g, x[22, i] * x[3, i], to_k, _SLO2_UNC2, i, current, total, conductance)


@compiled
def run(g, has, capacitance, e_leak, e_ca, calcium, pool, start, commanded, held, onset, offset, steps, dt, every):
    """Run one cell under all steps of a protocol.

    Parameters
    ----------
    g : (current,) float64
        Conductances, S/cm2.
    has : (gate,) bool
        States that are moved; of a channel with several the first one counts.
    capacitance : float
        uF/cm2.
    e_leak, e_ca : float
        mV; `e_ca` NaN: that of the calcium of the cell.
    calcium : float
        Calcium in the cell at the start, mM.
    pool : bool
        Whether calcium enters and leaves it.
    start : float
        Voltage at the start, of which the gates have their rest, mV; a voltage clamp holds it outside of the step.
    commanded : (lane,) float64
        Injected currents, mA/cm2, or voltages, mV, during the step.
    held : bool
        Whether the voltage is commanded.
    onset, offset, steps : int
        Time steps before the step, up to its end, and in all.
    dt : float
        ms.
    every : int
        Time steps between recorded currents.

    Returns
    -------
    v : (steps + 1, lane) float64
        mV, at every time step.
    total : (steps + 1, lane) float64
        Current through the membrane, mA/cm2, at every time step.
    current : (steps // every + 1, current, lane) float64
        By channel.
    """
    lanes = commanded.shape[0]
    v = np.full(lanes, start)
    x = np.zeros((_GATES, lanes))
    x[_CALCIUM] = calcium
    current = np.zeros((_CURRENTS, lanes))
    total, conductance, entering = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
    _move(has, v, x, -1.0)
    _move_slo(has, v, x, e_ca, -1.0)
    v_out, total_out = np.empty((steps + 1, lanes)), np.empty((steps + 1, lanes))
    current_out = np.empty((steps // every + 1, _CURRENTS, lanes))
    for step in range(steps + 1):
        on = onset <= step < offset
        if held:
            for i in range(lanes):
                v[i] = commanded[i] if on else start
        _sum(g, v, x, e_leak, e_ca, current, total, conductance, entering)
        v_out[step] = v
        total_out[step] = total
        if step % every == 0:
            current_out[step // every] = current
        if not held:
            for i in range(lanes):
                injected = commanded[i] if on else 0.0
                v[i] += (injected - total[i]) / (1e-3 * capacitance / dt + conductance[i])
        _move(has, v, x, dt)
        _move_slo(has, v, x, e_ca, dt)
        if pool:
            for i in range(lanes):
                now = x[_CALCIUM, i]
                now += 1e4 * dt * (-entering[i] / (2.0 * _FARADAY * _DEPTH) - 1e-4 * now)
                x[_CALCIUM, i] = now if now > LEAST_MM else LEAST_MM
    return v_out, total_out, current_out
