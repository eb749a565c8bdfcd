"""Gates of ion channels of the worm, a loop over the lanes of a protocol for each channel.

Each gate x obeys dx/dt = (x_inf(V) - x) / tau(V), V in mV and tau in ms. The numbers are those of the public model files of
Nicoletti et al. (PLoS ONE 19 e0298105, 2024), with the shifts of each channel folded in; the channels are those of
Nicoletti et al. (PLoS ONE 14 e0218738, 2019).

Every loop takes the voltage (lane,), the states of the channel (gate, lane), and `dt` in ms; below 0 the gates go to rest.
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from typing import Any

from numba import njit

from allometry.simulate.kernels.compiled import INLINED
from allometry.simulate.kernels.neurons.exponential import exp

_LOOP: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


@njit(**INLINED)
def sigmoid(x):
    """Return 1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + exp(-x))


@njit(**INLINED)
def relaxed(x, rest, tau, dt):
    """State after `dt` at a constant voltage."""
    return rest if dt < 0.0 else rest + (x - rest) * exp(-dt / tau)


@njit(**INLINED)
def egl19_activation(v):
    """Rest and time constant of the activation of EGL-19."""
    a, b = (v + 4.7643) / 6.0, (v + 8.607) / 30.0
    return sigmoid((v + 4.4) / 7.5), 2.3359 + 2.9324 * exp(-a * a) + 1.8739 * exp(-b * b)


@njit(**INLINED)
def unc2_activation(v):
    """Rest and time constant of the activation of UNC-2."""
    rise = exp(-(v + 38.1761) / 9.0753) + exp((v + 38.1761) / 15.3456)
    return sigmoid((v + 37.17) / 3.97), 3.0 * (1.4969 / rise + 0.1029)


@njit(**_LOOP)
def egl19(v, x, dt):
    """L-type calcium channel EGL-19: activation, inactivation."""
    for i in range(v.shape[0]):
        u = v[i]
        rest, tau = egl19_activation(u)
        x[0, i] = relaxed(x[0, i], rest, tau, dt)
        rise = 1.4314 * sigmoid((u - 14.8573) / 11.9541) + 0.1427
        rest = rise * (5.9589 * sigmoid(-(u + 20.5428) / 8.0552) + 0.6038)
        tau = 44.614845 * sigmoid(-(u + 32.9723) / 5.0) + 43.0937 + 36.43965 * sigmoid(-(u - 18.7251) / 3.7125)
        x[1, i] = relaxed(x[1, i], rest, 0.4 * tau, dt)


@njit(**_LOOP)
def unc2(v, x, dt):
    """P/Q-type calcium channel UNC-2: activation, inactivation."""
    for i in range(v.shape[0]):
        u = v[i]
        rest, tau = unc2_activation(u)
        x[0, i] = relaxed(x[0, i], rest, tau, dt)
        tau = 83.8037 * sigmoid(-(u - 22.8997) / 3.4557) + 72.0995 * sigmoid((u + 6.0991) / 3.5903)
        x[1, i] = relaxed(x[1, i], sigmoid(-(u + 77.47) / 5.6), 1.7 * tau, dt)


@njit(**_LOOP)
def cca1(v, x, dt):
    """T-type calcium channel CCA-1: activation, inactivation."""
    for i in range(v.shape[0]):
        u = v[i]
        tau = 0.5 * (40.0 * sigmoid(-(u + 92.5393) / 21.20886) + 0.6947)
        x[0, i] = relaxed(x[0, i], sigmoid((u + 57.65) / 2.38), tau, dt)
        tau = 0.08 * (280.0 * sigmoid(-(u + 75.7312) / 9.37464) + 19.7456)
        x[1, i] = relaxed(x[1, i], sigmoid(-(u + 73.0) / 8.05), tau, dt)


@njit(**_LOOP)
def shl1(v, x, dt):
    """A-type potassium channel SHL-1: activation, fast and slow inactivation."""
    for i in range(v.shape[0]):
        u = v[i]
        rise = exp(-(u + 40.0) / 12.9213) + exp((u + 40.0) / 6.4876)
        x[0, i] = relaxed(x[0, i], sigmoid((u - 0.26) / 16.25), 0.5 * (13.8 / rise + 1.8849), dt)
        rest = sigmoid(-(u + 50.0) / 8.3)
        fast = (539.1584 * sigmoid(-(u + 60.0) / 4.9199) + 27.2811) / 3.0
        slow = 8422.0 * sigmoid(-(u + 60.0) / 6.3785) + 118.8983
        x[1, i] = relaxed(x[1, i], rest, fast, dt)
        x[2, i] = relaxed(x[2, i], rest, slow, dt)


@njit(**_LOOP)
def shk1(v, x, dt):
    """Potassium channel SHK-1: activation, inactivation."""
    for i in range(v.shape[0]):
        u = v[i]
        rise = exp(-(u + 33.7416118) / 15.3649377) + exp((u + 33.7416118) / 15.7579363)
        x[0, i] = relaxed(x[0, i], sigmoid((u - 2.0) / 10.0), 26.5714506 / rise + 1.9900373, dt)
        x[1, i] = relaxed(x[1, i], sigmoid(-(u + 6.95) / 5.8), 1400.0, dt)


@njit(**_LOOP)
def egl2(v, x, dt):
    """Potassium channel EGL-2 (EAG): activation."""
    for i in range(v.shape[0]):
        u = v[i]
        tau = 0.5 * (16.78 * sigmoid(-(u + 122.5682) / 13.7976) + 8.0969)
        x[0, i] = relaxed(x[0, i], sigmoid((u + 6.8594) / 14.9131), tau, dt)


@njit(**_LOOP)
def irk(v, x, dt):
    """Inward rectifier IRK: activation."""
    for i in range(v.shape[0]):
        u = v[i]
        rise = exp(-(u + 17.8258) / 20.3154) + exp((u + 43.4414) / 11.1691)
        x[0, i] = relaxed(x[0, i], sigmoid(-(u + 82.0) / 13.0), 17.0752 / rise + 3.8329, dt)


@njit(**_LOOP)
def kqt1(v, x, dt):
    """Potassium channel KQT-1: activation, and a slow gate with a time constant of up to 187 s."""
    for i in range(v.shape[0]):
        u = v[i]
        x[0, i] = relaxed(x[0, i], sigmoid((u + 17.6053) / 9.5843), 10.0 + 895.9 * sigmoid((u + 18.01) / 31.04), dt)
        rest = 0.41 * sigmoid(-(u + 86.84) / 15.05) + 0.59 * sigmoid(-(u - 70.13) / 13.37)
        a = (u - 39.44) / 7.34
        x[1, i] = relaxed(x[1, i], rest, 1077.0 + 185845.0 / (1.0 + a * a), dt)


@njit(**_LOOP)
def unc103(v, x, dt):
    """Potassium channel UNC-103 (ERG): activation, inactivation."""
    for i in range(v.shape[0]):
        u = v[i]
        a, b = (u + 28.3339) / 13.0998, (u + 25.289) / 29.5074
        tau = (87.4088 * sigmoid(-a) + 0.2562) * (87.4088 * sigmoid(a) + 0.2562)
        x[0, i] = relaxed(x[0, i], sigmoid((u + 15.1) / 7.85), tau, dt)
        tau = (8.1559 * sigmoid(-b) + 0.23) * (8.1559 * sigmoid(b) + 0.23)
        x[1, i] = relaxed(x[1, i], sigmoid(-(u + 48.0) / 28.0), tau, dt)
