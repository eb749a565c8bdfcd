"""The cortical microcircuit of Potjans & Diesmann: 1 mm² of early sensory cortex, 77,169 neurons, 3·10⁸ synapses.

Sources: Potjans & Diesmann 2014, Cereb Cortex 24:785 (tables 4 and 5); the optimised initial voltages and the
full-scale rates of the reference implementation (INM-6/microcircuit-PD14-model); downscaling with preserved mean and
variance of the input: van Albada, Helias & Diesmann 2015, PLoS Comput Biol 11:e1004490.
"""

import math
from decimal import Decimal, localcontext
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.models.catalogue.records import model
from allometry.network import (
    DCInput,
    FixedTotalNumber,
    IafPscDelta,
    IafPscExp,
    Network,
    Normal,
    PoissonInput,
    Population,
    Projection,
)
from allometry.network.scalars import plain_arguments

POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
#: External in-degree per neuron.
EXTERNAL_INDEGREE = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
#: Connection probability [target, source].
CONN_PROB = np.array(
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
#: Mean rates at full scale (Hz), the working point that downscaling preserves.
FULL_SCALE_RATES_HZ = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])
INITIAL_V_MEAN_MV = np.array([-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43])
INITIAL_V_SD_MV = np.array([5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48])

BACKGROUND_HZ = 8.0
PSP_MV = 0.15
INHIBITION = -4.0
WEIGHT_SD = 0.1
#: Mean delay of excitatory and inhibitory sources, ms; the standard deviation is half of it.
DELAY_MS = np.array([1.5, 0.75])

THALAMUS_SIZE = 902
THALAMUS_CONN_PROB = np.array([0.0, 0.0, 0.0983, 0.0619, 0.0, 0.0, 0.0512, 0.0196])


def psc_amplitude(psp_mv: float, neuron: IafPscExp | None = None) -> float:
    """Amplitude (pA) of the exponential current that gives a postsynaptic potential of peak `psp_mv` (mV).

    Potjans & Diesmann 2014, table 4: 0.15 mV correspond to 87.81 pA.
    """
    n = neuron or IafPscExp()
    # Correctly rounded: the last bit of libm's power differs between machines.
    with localcontext() as context:
        context.prec = 60
        tau_m, tau_s = Decimal(n.tau_m), Decimal(n.tau_syn_ex)
        ratio = (tau_m / tau_s) ** (1 / (tau_s - tau_m))
        peak = tau_m * tau_s / Decimal(n.C_m) / (tau_s - tau_m) * (ratio**tau_m - ratio**tau_s)
        return float(Decimal(psp_mv) / peak)


def synapse_counts(conn_prob: NDArray[np.float64], n_target: NDArray, n_source: NDArray) -> NDArray[np.float64]:
    """Synapses [target, source] for which a pair is connected at least once with probability `conn_prob` (eq. 1)."""
    pairs = np.outer(n_target, n_source).astype(np.float64)
    return np.round(np.log1p(-conn_prob) / np.log1p(-1 / pairs))


def mean_weights(psp_mv: float = PSP_MV, g: float = INHIBITION) -> NDArray[np.float64]:
    """Mean weight (pA) [target, source] at full scale; L4E to L2/3E has twice the excitatory amplitude."""
    psc = psc_amplitude(psp_mv)
    weight = np.tile(np.where(np.arange(8) % 2 == 0, psc, g * psc), (8, 1))
    weight[0, 2] *= 2
    return weight


def compensating_current(
    k_scale: float, weight: NDArray[np.float64], indegree: NDArray[np.float64], external: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Direct current (pA) per population that restores the mean input after scaling in-degrees by `k_scale`.

    Weights are divided by √k, which preserves the variance of the input and scales its mean by √k.

    Parameters
    ----------
    k_scale : float
        In-degrees relative to full scale.
    weight, indegree : arrays [target, source]
        At full scale; pA and synapses per target neuron.
    external : array [target]
        Mean of weight times rate of the external input that is scaled too, pA/s (0 where the input is a current).
    """
    tau_s = IafPscExp().tau_syn_ex
    # Correctly rounded sums: the last bit of a BLAS product differs between CPUs.
    mean = np.array([math.fsum(each) for each in weight * indegree * FULL_SCALE_RATES_HZ])
    return 1e-3 * tau_s * (1 - np.sqrt(k_scale)) * (mean + external)


SCHEMES = {
    "compensated": "neurons and in-degrees together; weights over √k and a current keep mean and variance of the input",
    "indegree": "neurons alone: in-degrees and weights stay, so that pairs share more of their input",
}


def reduced(size: float, scheme: str) -> dict[str, float]:
    """Arguments of `microcircuit` for a share of its neurons.

    Parameters
    ----------
    size : float
        Neurons relative to 77,169, such that every population keeps at least two.
    scheme : str
        A key of `SCHEMES`.

    Raises
    ------
    SimulationError
        For another size.
    """
    smallest = 2 / float(SIZES.min())
    if not smallest <= size <= 1:
        raise SimulationError(
            f"the microcircuit has no size {size:g}",
            where="microcircuit",
            expected=f"the share of its neurons, {smallest:.2g} to 1",
        )
    return {"scale": size} if scheme == "compensated" else {"scale": size, "k_scale": 1.0}


@plain_arguments
@model(
    description="Cortical microcircuit: 1 mm² of early sensory cortex, 77,169 neurons at full scale.",
    source="Potjans & Diesmann 2014, Cereb Cortex 24:785; van Albada et al. 2015, PLoS Comput Biol 11:e1004490",
    reduce=reduced,
    schemes=SCHEMES,
)
def microcircuit(
    scale: float = 1.0,
    k_scale: float | None = None,
    input: Literal["poisson", "dc"] = "poisson",
    thalamus: bool = False,
    psp_mv: float = PSP_MV,
    g: float = INHIBITION,
    background_hz: float = BACKGROUND_HZ,
    thalamus_hz: float = 120.0,
    thalamus_start_ms: float = 700.0,
    thalamus_duration_ms: float = 10.0,
) -> Network:
    """Build the microcircuit, full size or downscaled with preserved mean and variance of the input.

    Parameters
    ----------
    scale : float
        Number of neurons relative to full scale (77,169), in (0, 1].
    k_scale : float, optional
        In-degrees relative to full scale, in (0, 1]; None (null): as `scale`.
    input : {"poisson", "dc"}
        Background of 8 Hz per external synapse as Poisson spikes or as its mean current. Downscaled networks fall
        silent with "dc", which lacks the external variance.
    thalamus : bool
        Add 902 thalamic neurons (scaled) that fire at `thalamus_hz` in a window.
    psp_mv : float
        Excitatory postsynaptic potential, mV. Downscaling preserves the input at the full-scale rates of the default
        values, so that other values of this and of `g` belong to `k_scale` 1.
    g : float
        Inhibitory weight relative to the excitatory one, negative.
    background_hz : float
        Rate of every external synapse, Hz.
    thalamus_hz : float
        Rate of the thalamic neurons in the window, Hz.
    thalamus_start_ms : float
        Start of the window, ms.
    thalamus_duration_ms : float
        Length of the window, ms.

    Returns
    -------
    Network
        Populations `L23E` to `L6I` of `IafPscExp` neurons, and `TC` with a thalamus; weights in pA.

    Raises
    ------
    SimulationError
        If a scale is not in (0, 1], `g` is positive, or `input` is unknown.
    """
    k = scale if k_scale is None else k_scale
    for name, value in (("scale", scale), ("k_scale", k)):
        if not 0 < value <= 1:
            raise SimulationError(f"{name} is {value}", where="microcircuit", expected="0 < scale <= 1")
    if not (math.isfinite(g) and g <= 0):
        raise SimulationError(
            f"g is {g}", where="microcircuit", expected="a negative number: inhibition", do=f"use {-g}"
        )
    if input not in ("poisson", "dc"):
        raise SimulationError(f"unknown input {input!r}", where="microcircuit", expected="poisson or dc")
    sizes = np.round(SIZES * scale).astype(int)
    total = synapse_counts(CONN_PROB, SIZES, SIZES)
    synapses = np.round(total * scale * k).astype(int)
    weight = mean_weights(psp_mv, g)
    psc = psc_amplitude(psp_mv)
    external = psc * EXTERNAL_INDEGREE * background_hz
    external_indegree = np.round(k * EXTERNAL_INDEGREE)
    compensation = compensating_current(
        k, weight, total / SIZES[:, None], external if input == "poisson" else np.zeros(8)
    )
    populations = [
        Population(name, int(sizes[p]), IafPscExp(), Normal(float(INITIAL_V_MEAN_MV[p]), float(INITIAL_V_SD_MV[p])))
        for p, name in enumerate(POPULATIONS)
    ]
    projections = [
        _projection(POPULATIONS[s], POPULATIONS[t], synapses[t, s], weight[t, s] / np.sqrt(k), DELAY_MS[s % 2])
        for t in range(8)
        for s in range(8)
        if synapses[t, s]
    ]
    inputs: list[PoissonInput | DCInput] = []
    for p, name in enumerate(POPULATIONS):
        current = float(compensation[p])
        if input == "poisson":
            rate = background_hz * float(external_indegree[p])
            inputs.append(PoissonInput(name, rate, psc / float(np.sqrt(k))))
        else:
            # The current stands for the full-scale background: nothing is scaled, nothing to compensate.
            current += 1e-3 * IafPscExp().tau_syn_ex * float(external[p])
        if current:
            inputs.append(DCInput(name, current))
    if thalamus:
        relay, to_cortex = _thalamus(scale, k, psc)
        populations.append(relay)
        projections += to_cortex
        stop_ms = thalamus_start_ms + thalamus_duration_ms
        inputs.append(PoissonInput("TC", thalamus_hz, 1.0, start_ms=thalamus_start_ms, stop_ms=stop_ms))
    return Network(
        populations=tuple(populations),
        projections=tuple(projections),
        inputs=tuple(inputs),
        title=f"Cortical microcircuit (Potjans & Diesmann 2014) at scale {scale:g}, in-degree scale {k:g}",
        parameters={
            "model": "microcircuit",
            "scale": scale,
            "k_scale": k,
            "input": input,
            "thalamus": thalamus,
            "psp_mv": psp_mv,
            "g": g,
            "background_hz": background_hz,
            **(
                {
                    "thalamus_hz": thalamus_hz,
                    "thalamus_start_ms": thalamus_start_ms,
                    "thalamus_duration_ms": thalamus_duration_ms,
                }
                if thalamus
                else {}
            ),
        },
    )


def _projection(source: str, target: str, n: int, weight: float, delay_ms: float) -> Projection:
    return Projection(
        source,
        target,
        FixedTotalNumber(int(n)),
        Normal(float(weight), float(abs(weight)) * WEIGHT_SD),
        Normal(float(delay_ms), float(delay_ms) / 2),
    )


def _thalamus(scale: float, k: float, psc: float) -> tuple[Population, list[Projection]]:
    """Neurons that spike once in every step that brings a Poisson event, and their projections to layers 4 and 6."""
    n = round(THALAMUS_SIZE * scale)
    relay = Population("TC", n, IafPscDelta(V_th=0.5, V_reset=0.0, t_ref=0.0))
    total = synapse_counts(THALAMUS_CONN_PROB[:, None], SIZES, np.array([THALAMUS_SIZE]))[:, 0]
    synapses = np.round(total * scale * k).astype(int)
    return relay, [
        _projection("TC", name, synapses[p], psc / np.sqrt(k), DELAY_MS[0])
        for p, name in enumerate(POPULATIONS)
        if synapses[p]
    ]
