"""What a reduction does to the synaptic input: how many inputs a neuron has, and what their mean and variance are.

At unchanged rates of independent sources, the mean of the input of a neuron from a population goes with the sum of its weights,
and its variance with the sum of their squares over sources (Campbell's theorem). Both need the description of the network alone,
so that they are known for every kind of neuron.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from allometry.network import DistanceDependent, ExplicitEdges, Network, OneToOne, PairwiseBernoulli
from allometry.network.distributions import Constant, Distribution, Lognormal, Normal, Uniform, as_distribution
from allometry.network.network import Projection
from allometry.simulate.build.plan.projections import expected_indegrees

AXES = ("size", "scheme", "source", "target")


def input_table(
    networks: Mapping[tuple[float, str], Network], populations: Sequence[str], reference: float
) -> xr.Dataset:
    """Number, mean and variance of the inputs from population to population.

    Parameters
    ----------
    networks : mapping of (size, scheme) to Network
        Without calibrated factors.
    populations : sequence of str
        Sources and targets.
    reference : float
        Size that mean and variance are relative to.

    Returns
    -------
    Dataset
        `indegree` (mean number of synapses), `mean` and `variance` of the input at unchanged rates, in those of the reference,
        each [size, scheme, source, target]; NaN where the reference has no such input.
    """
    sizes = list(dict.fromkeys(size for size, _ in networks))
    schemes = list(dict.fromkeys(scheme for _, scheme in networks))
    found = np.zeros((3, len(sizes), len(schemes), len(populations), len(populations)))
    for (size, scheme), net in networks.items():
        for projection in net.projections:
            if projection.source in populations and projection.target in populations:
                ends = populations.index(projection.source), populations.index(projection.target)
                found[:, sizes.index(size), schemes.index(scheme), *ends] += _moments(net, projection)
    at = sizes.index(reference)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(found[1:, at : at + 1] != 0, found[1:] / found[1:, at : at + 1], np.nan)
    names = np.array(list(populations), object)
    return xr.Dataset(
        {
            "indegree": (AXES, found[0], {"units": "1"}),
            "mean": (AXES, relative[0], {"units": "1"}),
            "variance": (AXES, relative[1], {"units": "1"}),
        },
        coords={"size": sizes, "scheme": np.array(schemes, object), "source": names, "target": names},
    )


def _moments(net: Network, projection: Projection) -> np.ndarray:
    """Mean over targets: number of synapses, sum of their weights, and sum over sources of the squares."""
    rule = projection.rule
    if isinstance(rule, ExplicitEdges):
        return _listed(net, projection, rule)
    targets, degree = expected_indegrees(net, projection)
    first, second = _weight_moments(as_distribution(projection.weight))
    scale = np.ones(degree.size)
    if projection.indegree_norm is not None:
        scale = np.divide(projection.indegree_norm[targets], degree, out=np.zeros(degree.size), where=degree > 0)
    squares = degree * second
    if not isinstance(rule, DistanceDependent | PairwiseBernoulli | OneToOne):
        # sources are drawn with replacement: several synapses of one are one larger weight
        squares = squares + degree * np.maximum(degree - 1, 0) / net.population(projection.source).size * first**2
    return np.array([degree.mean(), (degree * scale * first).mean(), (scale**2 * squares).mean()])


def _listed(net: Network, projection: Projection, rule: ExplicitEdges) -> np.ndarray:
    size = net.population(projection.target).size
    weight = np.broadcast_to(np.asarray(rule.weight, np.float64), np.shape(rule.source))
    return np.array([weight.size, weight.sum(), np.square(weight).sum()]) / size


def _weight_moments(weight: Distribution | None) -> tuple[float, float]:
    """Mean, and mean of the square; what is redrawn for its sign is not corrected for."""
    if isinstance(weight, Constant):
        return weight.value, weight.value**2
    if isinstance(weight, Normal | Lognormal):
        return weight.mean, weight.mean**2 + weight.sd**2
    if isinstance(weight, Uniform):
        low, high = weight.low, weight.high
        return (low + high) / 2, (low**2 + low * high + high**2) / 3
    return np.nan, np.nan
