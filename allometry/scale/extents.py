"""How large the networks of a study are, and what theory says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import xarray as xr

from allometry.network import Network
from allometry.scale.findings.causes import mean_field_table
from allometry.scale.jobs import is_feature, network, studied_neurons, units
from allometry.scale.statistics.synaptic_input import input_table
from allometry.simulate.build.plan.network import compile_network

Key = tuple[float, str]
NO_RATES = "a feature model has no spikes, and so no mean-field theory of their rates"


@dataclass(frozen=True)
class Extents:
    """Sizes of all networks of a study, by size and scheme.

    Parameters
    ----------
    neurons : mapping of (float, str) to int
        Neurons of the populations that are studied; units of a feature model.
    synapses : mapping of (float, str) to float
        Expected number of synapses.
    networks : mapping of (float, str) to Network
        Empty of a feature model.
    """

    neurons: Mapping[Key, int]
    synapses: Mapping[Key, float]
    networks: Mapping[Key, Network] = field(default_factory=dict)

    def theory(self, populations: Sequence[str], reference_hz: Mapping[str, Mapping[str, float]]) -> xr.Dataset | str:
        """What mean-field theory says, or why it says nothing; arguments as of `causes.mean_field_table`."""
        return mean_field_table(self.networks, populations, reference_hz) if self.networks else NO_RATES

    def inputs(self, populations: Sequence[str], reference: float) -> xr.Dataset | None:
        """Inputs from population to population, with arguments as of `synaptic_input.input_table`; None of a feature model."""
        return input_table(self.networks, populations, reference) if self.networks else None


def extents_of(study: Mapping[str, Any], sizes: Sequence[float], schemes: Sequence[str]) -> Extents:
    """Describe the network of every size and scheme.

    Parameters
    ----------
    study : mapping
        The configured study as plain values.
    sizes, schemes : sequence
        What is described.
    """
    keys = [(size, scheme) for size in sizes for scheme in schemes]
    if is_feature(study["model"]):
        found = {key: units(study, *key) for key in keys}
        return Extents({key: n for key, (n, _) in found.items()}, {key: s for key, (_, s) in found.items()})
    networks = {key: network(study, *key) for key in keys}
    return Extents(
        {key: studied_neurons(study, net) for key, net in networks.items()},
        {key: _synapses(net) for key, net in networks.items()},
        networks,
    )


def _synapses(net: Network) -> float:
    plan = compile_network(net, 1, "fast")
    return float(sum(found.expected for found in (*plan.synapses, *plan.plastic)))
