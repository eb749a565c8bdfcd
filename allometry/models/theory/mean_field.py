"""Mean-field theory of a declared network: stationary rates, and the moments of the input that they follow from.

Rates: `theory.siegert_rate`, for white or exponentially filtered noise. Moments of the free membrane potential: Campbell's
theorem for shot noise, n-th cumulant = sum over inputs of rate times the integral of the n-th power of the response to one
spike (Rice 1944, Bell Syst. Tech. J. 23:282, section 1.5). Neurons fire independently and steadily: no correlations. Several
synapses of one source count as one larger one, as if their delays were equal.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allometry.errors import SimulationError
from allometry.models.theory.rates import population_rates, siegert_rate
from allometry.network import (
    DCInput,
    FixedIndegree,
    FixedTotalNumber,
    IafPscDelta,
    IafPscExp,
    Network,
    PairwiseBernoulli,
    PoissonInput,
)
from allometry.network.distributions import Constant, Normal, as_distribution, moments
from allometry.network.inputs import acts_on
from allometry.network.network import Projection
from allometry.numerics.fixed_order import product

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MeanField:
    """What mean-field theory says of a network; every array has one entry per population.

    Parameters
    ----------
    populations : tuple of str
        Their names.
    rate_hz : ndarray
        Stationary rates, Hz.
    mean_mv, sd_mv : ndarray
        Mean (relative to the resting potential) and standard deviation of the membrane potential without a threshold, mV.
    skewness : ndarray
        Of the same: 0 for many small inputs, negative where large inhibitory ones prevail.
    shared : ndarray
        Share of the input variance that two neurons of the population have in common, as they draw from the same sources.
    psp_mv : ndarray
        Peak of the largest mean response to one spike, mV, with its sign.
    """

    populations: tuple[str, ...]
    rate_hz: Floats
    mean_mv: Floats
    sd_mv: Floats
    skewness: Floats
    shared: Floats
    psp_mv: Floats


def mean_field(net: Network, rates_hz: Floats | None = None) -> MeanField:
    """Mean-field rates of a network of leaky integrate-and-fire neurons, and the moments of their input.

    Parameters
    ----------
    net : Network
        Populations of one `IafPscExp` or `IafPscDelta`, static random projections with constant or normal weights, steady
        Poisson and constant input into whole populations.
    rates_hz : ndarray [population], optional
        Rates of the sources that the moments and the rates follow from, Hz; default the rates of the theory itself.

    Returns
    -------
    MeanField

    Raises
    ------
    SimulationError
        The network has something that this theory does not cover, or its rates do not converge.
    """
    neuron = _one_neuron(net)
    names = tuple(p.name for p in net.populations)
    at = {name: i for i, name in enumerate(names)}
    count = len(names)
    degree, sources = np.zeros((count, count)), np.array([float(p.size) for p in net.populations])
    # sum over the sources of a neuron of the powers of the weight that each has on it [order, target, source]
    weight = np.zeros((4, count, count))
    largest = np.zeros(count)
    for projection in net.projections:
        target, source = at[projection.target], at[projection.source]
        synapses, drawn = _indegree(projection, net)
        powers = _weight_moments(projection)
        weight[:, target, source] += summed_weights(powers, synapses, drawn, sources[source])
        degree[target, source] += synapses
        largest[target] = max(largest[target], powers[1], key=abs)
    external, current = np.zeros((4, count)), np.zeros(count)
    for drive in net.inputs:
        target = at[acts_on(drive)]
        if isinstance(drive, PoissonInput) and isinstance(drive.rate_hz, int | float) and _steady(drive):
            external[:, target] += drive.rate_hz * np.power(drive.weight, np.arange(4.0))
            largest[target] = max(largest[target], drive.weight, key=abs)
        elif isinstance(drive, DCInput) and isinstance(drive.amplitude, int | float) and _steady(drive):
            current[target] += drive.amplitude
        else:
            raise _beyond(f"an input {type(drive).__name__} that is not steady, or not into all neurons")
    kernel = _kernel(neuron)
    jump = kernel.to_mv
    with np.errstate(invalid="ignore"):
        mean_weight = np.where(degree > 0, weight[1] / degree, 0.0)
        square_weight = np.where(degree > 0, weight[2] / degree, 0.0)
    # a current in the units of a rate times a weight
    driven = external[1] + 1000 * current / neuron.C_m / jump
    if rates_hz is None:
        rates = given = population_rates(
            degree,
            mean_weight,
            driven,
            external[2],
            neuron,
            current_to_mv=jump,
            tau_syn_ms=kernel.tau_syn_ms,
            square_weight=square_weight,
        )
    else:
        given = np.asarray(rates_hz, np.float64)
        tau_s = neuron.tau_m / 1000
        mu = tau_s * jump * (product(weight[1], given) + driven)
        sigma = np.sqrt(tau_s * jump**2 * (product(weight[2], given) + external[2]))
        rates = np.array([siegert_rate(m, s, neuron, kernel.tau_syn_ms) for m, s in zip(mu, sigma)])
    cumulants = [
        1e-3 * kernel.integral[n] * (product(weight[n], given) + (external[n] if n > 1 else driven)) for n in (1, 2, 3)
    ]
    common = 1e-3 * kernel.integral[2] * product(mean_weight**2 * degree**2 / sources, given)
    with np.errstate(invalid="ignore", divide="ignore"):
        return MeanField(
            names,
            rates,
            cumulants[0],
            np.sqrt(cumulants[1]),
            cumulants[2] / cumulants[1] ** 1.5,
            common / cumulants[1],
            largest * kernel.peak,
        )


@dataclass(frozen=True)
class _Kernel:
    """Response to one spike of unit weight: jump (mV), integral of its n-th power (mV^n ms), peak (mV)."""

    to_mv: float
    tau_syn_ms: float
    integral: tuple[float, float, float, float]
    peak: float


def _kernel(neuron: IafPscExp | IafPscDelta) -> _Kernel:
    m = neuron.tau_m
    if isinstance(neuron, IafPscDelta):
        return _Kernel(1.0, 0.0, (0.0, m, m / 2, m / 3), 1.0)
    s = neuron.tau_syn_ex
    gain = m * s / (m - s) / neuron.C_m
    peak_ms = m * s / (m - s) * np.log(m / s)
    return _Kernel(
        s / neuron.C_m,
        s,
        (
            0.0,
            gain * (m - s),
            gain**2 * (m / 2 - 2 / (1 / m + 1 / s) + s / 2),
            gain**3 * (m / 3 - 3 / (2 / m + 1 / s) + 3 / (1 / m + 2 / s) - s / 3),
        ),
        float(gain * (np.exp(-peak_ms / m) - np.exp(-peak_ms / s))),
    )


def _one_neuron(net: Network) -> IafPscExp | IafPscDelta:
    first = net.populations[0].neuron
    if not isinstance(first, IafPscExp | IafPscDelta):
        raise _beyond(f"neurons {type(first).__name__}")
    if any(p.neuron != first for p in net.populations):
        raise _beyond("populations of different neurons")
    if isinstance(first, IafPscExp) and first.tau_syn_ex != first.tau_syn_in:
        raise _beyond("synapses of two time constants")
    if not all(isinstance(value, int | float) for value in vars(first).values()):
        raise _beyond("neurons that differ from one another")
    if first.I_e:
        raise _beyond("a constant current that is a parameter of the neuron")
    if net.gap_junctions:
        raise _beyond("gap junctions")
    return first


def _steady(given: PoissonInput | DCInput) -> bool:
    whole = getattr(given, "neurons", None) is None
    return whole and given.start_ms == 0.0 and given.stop_ms == float("inf")


def summed_weights(powers: Floats, synapses: float | Floats, drawn: float, sources: float) -> Floats:
    """Expected sum over the sources of a neuron of the powers of their weight on it; weights are independent.

    Parameters
    ----------
    powers : ndarray [4]
        Means of the powers 0 to 3 of a weight (`network.distributions.moments`).
    synapses : float or ndarray [neuron]
        Mean number of synapses of a neuron.
    drawn : float
        Of how many synapses, each from any of the sources, these are; 1 where no source has several.
    sources : float
        Number of sources.

    Returns
    -------
    ndarray [4] or [4, neuron]
    """
    pairs = synapses**2 * (1 - 1 / drawn) / sources
    triples = pairs * synapses * (1 - 2 / drawn) / sources
    _, one, two, three = powers
    return np.array(
        [
            synapses,
            synapses * one,
            synapses * two + pairs * one**2,
            synapses * three + 3 * pairs * two * one + triples * one**3,
        ]
    )


def _indegree(projection: Projection, net: Network) -> tuple[float, float]:
    """Synapses of a neuron, and of how many drawn with replacement they are; 1 where no source can have several."""
    rule, target = projection.rule, net.population(projection.target)
    if projection.plasticity is not None:
        raise _beyond("plastic synapses")
    if isinstance(rule, FixedTotalNumber):
        return rule.n / target.size, float(max(rule.n, 1))
    if isinstance(rule, FixedIndegree) and rule.kernel is None:
        return float(rule.n), float(max(rule.n, 1)) if rule.multapses else 1.0
    if isinstance(rule, PairwiseBernoulli):
        return rule.p * net.population(projection.source).size, 1.0
    raise _beyond(f"the connection rule {type(rule).__name__}")


def _weight_moments(projection: Projection) -> Floats:
    weight = as_distribution(projection.weight)
    if isinstance(weight, Constant | Normal):
        return moments(weight)
    raise _beyond(f"weights that are {type(weight).__name__}")


def _beyond(what: str) -> SimulationError:
    return SimulationError(
        f"mean-field theory does not cover {what}",
        where="mean_field",
        expected="one kind of leaky integrate-and-fire neuron, random static connections, steady input",
    )
