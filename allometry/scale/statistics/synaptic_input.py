"""What a reduction does to the synaptic input: how many inputs a neuron has, and what their mean and variance are.

At unchanged rates of independent sources, the mean of the input of a neuron from a population goes with the sum of its weights,
and its variance with the sum of their squares over sources (Campbell's theorem). Both need the description of the network alone,
so that they are known for every kind of neuron.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from allometry.models.theory.mean_field import summed_weights
from allometry.network import ExplicitEdges, FixedIndegree, FixedOutdegree, FixedTotalNumber, Network
from allometry.network.distributions import as_distribution, moments
from allometry.network.network import Projection
from allometry.network.rules import Rule
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
        each [size, scheme, source, target]; NaN where the reference has no such input, or
        nothing is known of it.
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
    weight = as_distribution(projection.weight)
    powers = np.full(4, np.nan) if weight is None else moments(weight)
    sums = summed_weights(powers, degree, _drawn(rule), net.population(projection.source).size)[:3]
    if projection.indegree_norm is not None:
        scale = np.divide(projection.indegree_norm[targets], degree, out=np.zeros(degree.size), where=degree > 0)
        sums[1:] *= scale, scale**2
    if getattr(rule, "kernel", None) is not None and getattr(rule, "multapses", False):
        sums[2] = np.nan  # how often a source comes twice depends on its distance
    return np.asarray(sums.mean(axis=1))


def _drawn(rule: Rule) -> float:
    """Of how many draws with replacement a neuron's synapses are; 1 where no source can have several."""
    if isinstance(rule, FixedTotalNumber):
        return float(max(rule.n, 1))
    if isinstance(rule, FixedIndegree | FixedOutdegree) and rule.multapses:
        return float(max(rule.n, 1))
    return 1.0


def _listed(net: Network, projection: Projection, rule: ExplicitEdges) -> np.ndarray:
    size = net.population(projection.target).size
    weight = np.broadcast_to(np.asarray(rule.weight, np.float64), np.shape(rule.source))
    pair = np.asarray(rule.source, np.int64) * size + np.asarray(rule.target, np.int64)
    _, first = np.unique(pair, return_inverse=True)
    return np.array([weight.size, weight.sum(), np.square(np.bincount(first, weight)).sum()]) / size
