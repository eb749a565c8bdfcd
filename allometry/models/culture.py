"""Culture of excitatory and inhibitory neurons with depressing synapses and adaptation, that noise sets off in bursts.

Source: the class of models of Tsodyks, Uziel & Markram 2000, J Neurosci 20:RC50, and Gritsun et al. 2011, Biol Cybern 105:197
(abstract); the numbers are this project's, chosen to burst as often as a culture, and are no published fit.
"""

import math

import numpy as np

from allometry.errors import SimulationError
from allometry.models.catalogue.records import model
from allometry.network import (
    Constant,
    CultureCell,
    Network,
    Normal,
    PairwiseBernoulli,
    PoissonInput,
    Population,
    Projection,
    ShortTermPlasticity,
    Uniform,
)
from allometry.network.scalars import plain_arguments

DT_MS = 0.1
MU_MEAN, MU_SD, MU_MOST = 0.75, 0.08, 0.95
SPREAD = 0.25
NOISE_WEIGHT = 0.6
#: Delays of 10 to 29 steps, equally likely.
DELAY_MS = Uniform(0.95, 2.95)
T_REF_MS = {"E": 2.0, "I": 1.0}


@plain_arguments
@model(
    description="Culture of two populations that bursts: depressing synapses, adaptation and noise.",
    source="after Tsodyks et al. 2000, J Neurosci 20:RC50 and Gritsun et al. 2011, Biol Cybern 105:197; all numbers are this project's",
)
def culture(
    seed: int = 1,
    neurons: int = 500,
    inhibitory: float = 0.2,
    connection_probability: float = 0.1,
    j_e: float = 2.0,
    j_i: float = 1.2,
    release: float = 0.5,
    recovery_ms: float = 800.0,
    adaptation: float = 0.05,
    adaptation_ms: float = 5000.0,
    noise_hz: float = 6.0,
    tau_e_ms: float = 5.0,
) -> Network:
    """Build the culture; no neuron fires without input.

    Parameters
    ----------
    seed : int
        Of the resting voltages of neurons.
    neurons : int
        Number of neurons, 10 or more.
    inhibitory : float
        Share of inhibitory neurons, 0 up to, and not including, 1: 0 is a culture without them.
    connection_probability : float
        Probability of a synapse between two neurons, in each direction: it grows as a culture matures.
    j_e : float
        Weight of excitatory synapses before depression, in thresholds; above 0.
    j_i : float
        Weight of inhibitory synapses, in thresholds; below 0 they excite, as immature GABA synapses do (they do
        not depress: strong ones run away), and 0 is a block of them.
    release : float
        Share of the resources of an excitatory synapse that a spike uses, above 0 and up to 1.
    recovery_ms : float
        Time constant of their recovery, ms.
    adaptation : float
        What a spike adds to the adaptation of an excitatory neuron, in thresholds.
    adaptation_ms : float
        Time constant of adaptation, ms.
    noise_hz : float
        Rate of the events of weight 0.6 that every neuron receives, Hz.
    tau_e_ms : float
        Time constant of excitatory synapses, ms: 100 stands for slow NMDA receptors, which lengthen bursts.

    Returns
    -------
    Network
        Populations `E` and `I` of `CultureCell`; without inhibition `E` alone.

    Raises
    ------
    SimulationError
        For a value out of range.
    """
    positive = {
        "j_e": j_e,
        "release": release,
        "recovery_ms": recovery_ms,
        "adaptation_ms": adaptation_ms,
        "tau_e_ms": tau_e_ms,
    }
    zero = {"seed": seed, "adaptation": adaptation, "noise_hz": noise_hz}
    for name, value in {**positive, **zero}.items():
        if not (math.isfinite(value) and (value > 0 if name in positive else value >= 0)):
            wanted = "a number above 0" if name in positive else "a number, 0 or above"
            raise SimulationError(f"{name} is {value:g}", where="culture", expected=wanted)
    if neurons < 10:
        raise SimulationError(f"neurons is {neurons}", where="culture", expected="10 or more")
    if not 0 <= inhibitory < 1:
        raise SimulationError(f"inhibitory is {inhibitory:g}", where="culture", expected="a share, from 0 to below 1")
    if not math.isfinite(j_i):
        raise SimulationError(f"j_i is {j_i:g}", where="culture", expected="a number")
    for name, value in (("connection_probability", connection_probability), ("release", release)):
        if not 0 < value <= 1:
            raise SimulationError(f"{name} is {value:g}", where="culture", expected="above 0, up to 1")
    sizes = {"I": round(inhibitory * neurons)}
    sizes = {"E": neurons - sizes["I"], **sizes}
    rng = np.random.default_rng(seed)
    # drawn for both populations at once, so that a culture with another share of inhibition keeps its neurons
    mu = np.clip(MU_MEAN + MU_SD * rng.standard_normal(neurons), 0.0, MU_MOST)
    rest = {"E": mu[: sizes["E"]], "I": mu[sizes["E"] :]}
    names = [name for name in "EI" if sizes[name]]
    weights: dict[str, Constant | Normal] = {"E": Normal(j_e, SPREAD * j_e), "I": Constant(0.0)}
    if j_i != 0:
        weights["I"] = Normal(-j_i, SPREAD * abs(j_i))
    return Network(
        populations=tuple(
            Population(
                name,
                sizes[name],
                CultureCell(
                    mu=rest[name], t_ref=T_REF_MS[name], tau_syn_ex=tau_e_ms, tau_a=adaptation_ms,
                    b=adaptation if name == "E" else 0.0,
                ),
                Uniform(0.0, 0.9),
            )
            for name in names
        ),
        projections=tuple(
            Projection(
                source,
                target,
                PairwiseBernoulli(connection_probability, autapses=False),
                weights[source],
                DELAY_MS,
                receptor="inh" if source == "I" else None,
                plasticity=ShortTermPlasticity(release, recovery_ms) if source == "E" else None,
            )
            for target in names
            for source in names
        ),
        inputs=tuple(PoissonInput(name, noise_hz, NOISE_WEIGHT) for name in names if noise_hz > 0),
        dt_ms=DT_MS,
        title=f"Culture of {neurons} neurons",
        parameters={
            "model": "culture", "neurons": neurons, "inhibitory": inhibitory,
            "connection_probability": connection_probability, "j_e": j_e, "j_i": j_i, "release": release,
            "recovery_ms": recovery_ms, "adaptation": adaptation, "adaptation_ms": adaptation_ms, "noise_hz": noise_hz,
            "tau_e_ms": tau_e_ms, "drawn_with_seed": "mu",
        },
    )  # fmt: skip
