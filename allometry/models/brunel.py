"""Random network of excitatory and inhibitory neurons with delta synapses.

Source: Brunel 2000, J Comput Neurosci 8:183, model A.
"""

import math

from allometry.errors import SimulationError
from allometry.models.catalogue.records import model
from allometry.models.theory.rates import brunel_rate
from allometry.network import DCInput, FixedIndegree, IafPscDelta, Network, PoissonInput, Population, Projection
from allometry.network.scalars import plain_arguments
from allometry.numerics.rounding import significant

NEURON = IafPscDelta(C_m=1.0, tau_m=20.0, E_L=0.0, V_reset=10.0, V_th=20.0, t_ref=2.0)
N_EXCITATORY, N_INHIBITORY = 10_000, 2_500


SCHEMES = {
    "compensated": "neurons and in-degrees together; weights over √k and a current keep mean and variance of the input",
    "indegree": "neurons alone: in-degrees and weights stay, so that pairs share more of their input",
}


def reduced(size: float, scheme: str) -> dict[str, float]:
    """Arguments of `brunel` for a share of its neurons, or for more of them.

    Parameters
    ----------
    size : float
        Neurons relative to 12,500; every population keeps at least two.
    scheme : str
        A key of `SCHEMES`.

    Raises
    ------
    SimulationError
        For a smaller size.
    """
    smallest = 2 / N_INHIBITORY
    if not (smallest <= size < math.inf):
        raise SimulationError(
            f"this network has no size {size:g}",
            where="brunel",
            expected=f"neurons relative to 12,500, at least {smallest:.2g}",
        )
    return {"scale": size} if scheme == "compensated" else {"scale": size, "k_scale": 1.0}


@plain_arguments
@model(
    description="Random network of excitatory and inhibitory neurons with delta synapses.",
    source="Brunel 2000, J Comput Neurosci 8:183",
    reduce=reduced,
    schemes=SCHEMES,
)
def brunel(
    scale: float = 1.0,
    k_scale: float | None = None,
    g: float = 5.0,
    eta: float = 2.0,
    epsilon: float = 0.1,
    j_mv: float = 0.1,
    delay_ms: float = 1.5,
) -> Network:
    """Build the network of 10,000 excitatory and 2,500 inhibitory neurons, or a larger or smaller one.

    Every neuron receives C_E = ε·10,000 excitatory (J) and C_I = ε·2,500 inhibitory inputs (−g·J) at in-degree scale 1,
    drawn with replacement, and an independent Poisson train of rate η·ν_θ·C_E with weight J, where
    ν_θ = θ/(J C_E τ_m) is the external rate that alone would reach threshold.

    Parameters
    ----------
    scale : float
        Number of neurons relative to 12,500.
    k_scale : float, optional
        In-degrees relative to 1250; None (null): as `scale`. Weights are divided by √k and a current restores the mean of
        the input at the rate of the mean-field theory (van Albada et al. 2015, PLoS Comput Biol 11:e1004490).
    g : float
        Inhibitory over excitatory weight.
    eta : float
        External rate relative to ν_θ, the rate that alone would reach threshold.
    epsilon : float
        Connection probability at scale 1.
    j_mv : float
        Excitatory weight at in-degree scale 1, mV.
    delay_ms : float
        Delay of all synapses, ms.

    Returns
    -------
    Network
        Populations `E` and `I` of `IafPscDelta` neurons; weights in mV.

    Raises
    ------
    SimulationError
        If a scale, epsilon, j_mv or the delay is not positive, epsilon is above 1, or g or eta is negative.
    """
    k = scale if k_scale is None else k_scale
    for name, value in (("scale", scale), ("k_scale", k), ("epsilon", epsilon), ("delay_ms", delay_ms), ("j_mv", j_mv)):
        if not (value > 0 and math.isfinite(value)):
            raise SimulationError(f"{name} is {value}", where="brunel", expected="a positive number")
    if epsilon > 1:
        raise SimulationError(f"epsilon is {epsilon}", where="brunel", expected="a probability")
    for name, value in (("g", g), ("eta", eta)):
        if not (value >= 0 and math.isfinite(value)):
            raise SimulationError(f"{name} is {value}", where="brunel", expected="a number from 0 on")
    excitatory, inhibitory = epsilon * N_EXCITATORY, epsilon * N_INHIBITORY
    rate_threshold_hz = 1000 * NEURON.V_th / (j_mv * excitatory * NEURON.tau_m)
    external_hz = eta * rate_threshold_hz * excitatory
    j = j_mv / math.sqrt(k)
    populations = tuple(
        Population(name, round(n * scale), NEURON, 0.0) for name, n in (("E", N_EXCITATORY), ("I", N_INHIBITORY))
    )
    projections = tuple(
        Projection(source, target, FixedIndegree(round(k * n)), weight, delay_ms)
        for target in ("E", "I")
        for source, n, weight in (("E", excitatory, j), ("I", inhibitory, -g * j))
    )
    inputs: list[PoissonInput | DCInput] = [PoissonInput(name, k * external_hz, j) for name in ("E", "I")]
    if k != 1:
        rate_hz = brunel_rate(j_mv, g, external_hz, excitatory, inhibitory, NEURON)
        mean_mv = 1e-3 * NEURON.tau_m * j_mv * (rate_hz * (excitatory - g * inhibitory) + external_hz)
        # what the search for the rate leaves beyond these digits depends on libm, hence on the CPU
        current = significant((1 - math.sqrt(k)) * mean_mv * NEURON.C_m / NEURON.tau_m)
        inputs += [DCInput(name, current) for name in ("E", "I")]
    return Network(
        populations=populations,
        projections=projections,
        inputs=tuple(inputs),
        title=f"Delta-synapse network (Brunel 2000) at scale {scale:g}, in-degree scale {k:g}",
        parameters={
            "model": "brunel",
            "scale": scale,
            "k_scale": k,
            "g": g,
            "eta": eta,
            "epsilon": epsilon,
            "j_mv": j_mv,
            "delay_ms": delay_ms,
        },
    )
