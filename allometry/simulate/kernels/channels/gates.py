"""Gates of ion channels of the worm: open fraction at rest and time constant as functions of the voltage.

Each gate x obeys dx/dt = (x_inf(V) - x) / tau(V), V in mV and tau in ms. The numbers are those of the public model files of
Nicoletti et al. (PLoS ONE 19 e0298105, 2024), with the shifts of each channel folded in; the channels are those of
Nicoletti et al. (PLoS ONE 14 e0218738, 2019).
"""

# Compiled functions are typed by numba, not by annotations.
# mypy: disable-error-code="no-untyped-def"

from numba import njit

from allometry.simulate.kernels.compiled import INLINED
from allometry.simulate.kernels.neurons.exponential import exp


@njit(**INLINED)
def sigmoid(x):
    """Return 1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + exp(-x))


@njit(**INLINED)
def egl19_m(v):
    """Activation of the L-type calcium channel EGL-19."""
    a, b = (v + 4.7643) / 6.0, (v + 8.607) / 30.0
    return sigmoid((v + 4.4) / 7.5), 2.3359 + 2.9324 * exp(-a * a) + 1.8739 * exp(-b * b)


@njit(**INLINED)
def egl19_h(v):
    """Inactivation of EGL-19."""
    rest = (1.4314 * sigmoid((v - 14.8573) / 11.9541) + 0.1427) * (5.9589 * sigmoid(-(v + 20.5428) / 8.0552) + 0.6038)
    slow = 44.614845 * sigmoid(-(v + 32.9723) / 5.0) + 43.0937 + 36.43965 * sigmoid(-(v - 18.7251) / 3.7125)
    return rest, 0.4 * slow


@njit(**INLINED)
def unc2_m(v):
    """Activation of the P/Q-type calcium channel UNC-2."""
    rise = exp(-(v + 38.1761) / 9.0753) + exp((v + 38.1761) / 15.3456)
    return sigmoid((v + 37.17) / 3.97), 3.0 * (1.4969 / rise + 0.1029)


@njit(**INLINED)
def unc2_h(v):
    """Inactivation of UNC-2."""
    slow = 83.8037 * sigmoid(-(v - 22.8997) / 3.4557) + 72.0995 * sigmoid((v + 6.0991) / 3.5903)
    return sigmoid(-(v + 77.47) / 5.6), 1.7 * slow


@njit(**INLINED)
def cca1_m(v):
    """Activation of the T-type calcium channel CCA-1."""
    return sigmoid((v + 57.65) / 2.38), 0.5 * (40.0 * sigmoid(-(v + 92.5393) / 21.20886) + 0.6947)


@njit(**INLINED)
def cca1_h(v):
    """Inactivation of CCA-1."""
    return sigmoid(-(v + 73.0) / 8.05), 0.08 * (280.0 * sigmoid(-(v + 75.7312) / 9.37464) + 19.7456)


@njit(**INLINED)
def shl1_m(v):
    """Activation of the A-type potassium channel SHL-1."""
    rise = exp(-(v + 40.0) / 12.9213) + exp((v + 40.0) / 6.4876)
    return sigmoid((v - 0.26) / 16.25), 0.5 * (13.8 / rise + 1.8849)


@njit(**INLINED)
def shl1_fast(v):
    """Fast inactivation of SHL-1."""
    return sigmoid(-(v + 50.0) / 8.3), (539.1584 * sigmoid(-(v + 60.0) / 4.9199) + 27.2811) / 3.0


@njit(**INLINED)
def shl1_slow(v):
    """Slow inactivation of SHL-1."""
    return sigmoid(-(v + 50.0) / 8.3), 8422.0 * sigmoid(-(v + 60.0) / 6.3785) + 118.8983


@njit(**INLINED)
def shk1_m(v):
    """Activation of the potassium channel SHK-1."""
    rise = exp(-(v + 33.7416118) / 15.3649377) + exp((v + 33.7416118) / 15.7579363)
    return sigmoid((v - 2.0) / 10.0), 26.5714506 / rise + 1.9900373


@njit(**INLINED)
def shk1_h(v):
    """Inactivation of SHK-1."""
    return sigmoid(-(v + 6.95) / 5.8), 1400.0


@njit(**INLINED)
def egl2_m(v):
    """Activation of the potassium channel EGL-2 (EAG)."""
    return sigmoid((v + 6.8594) / 14.9131), 0.5 * (16.78 * sigmoid(-(v + 122.5682) / 13.7976) + 8.0969)


@njit(**INLINED)
def irk_m(v):
    """Activation of the inward rectifier IRK."""
    rise = exp(-(v + 17.8258) / 20.3154) + exp((v + 43.4414) / 11.1691)
    return sigmoid(-(v + 82.0) / 13.0), 17.0752 / rise + 3.8329


@njit(**INLINED)
def kqt1_m(v):
    """Activation of the potassium channel KQT-1."""
    return sigmoid((v + 17.6053) / 9.5843), 10.0 + 895.9 * sigmoid((v + 18.01) / 31.04)


@njit(**INLINED)
def kqt1_s(v):
    """Slow gate of KQT-1, with a time constant of up to 187 s."""
    rest = 0.41 * sigmoid(-(v + 86.84) / 15.05) + 0.59 * sigmoid(-(v - 70.13) / 13.37)
    a = (v - 39.44) / 7.34
    return rest, 1077.0 + 185845.0 / (1.0 + a * a)


@njit(**INLINED)
def unc103_m(v):
    """Activation of the potassium channel UNC-103 (ERG)."""
    a = (v + 28.3339) / 13.0998
    tau = (87.4088 * sigmoid(-a) + 0.2562) * (87.4088 * sigmoid(a) + 0.2562)
    return sigmoid((v + 15.1) / 7.85), tau


@njit(**INLINED)
def unc103_h(v):
    """Inactivation of UNC-103."""
    a = (v + 25.289) / 29.5074
    tau = (8.1559 * sigmoid(-a) + 0.23) * (8.1559 * sigmoid(a) + 0.23)
    return sigmoid(-(v + 48.0) / 28.0), tau
