"""Precision `fast` with time constants of thousands of steps: no drift, and the usual networks keep single precision."""

import math

import numpy as np
import pytest
from distributed import Client

from allometry import models, simulate, stores
from allometry.network import (
    ConnectomeLif,
    DCInput,
    IafPscDelta,
    IafPscExp,
    Network,
    NeuronModel,
    PoissonInput,
    Population,
    SpikeListInput,
)
from allometry.simulate.build.plan.network import compile_network
from tests.simulate import engine


def charging(neuron: type, tau_m: float) -> Network:
    """A neuron whose asymptotic voltage is 0.1 % above threshold, and a fast one beside it."""
    slow = neuron(C_m=250.0, tau_m=tau_m, E_L=0.0, V_reset=0.0, V_th=15.0, I_e=15.0 * 1.001 * 250.0 / tau_m)
    return Network((Population("slow", 1, slow), Population("usual", 1, IafPscExp())), inputs=(DCInput("usual", 10.0),))


@pytest.mark.parametrize("neuron", [IafPscExp, IafPscDelta])
@pytest.mark.parametrize("tau_m", [150.0, 500.0, 1000.0])
def test_slow_membranes_reach_threshold_when_they_should(neuron: type, tau_m: float) -> None:
    crossing = tau_m * math.log(1001.0)
    found = engine.spikes(charging(neuron, tau_m), math.ceil(crossing * 10.0) + 20)
    assert found[:, 1].tolist() == [0]
    # The update that ends at the first step after the crossing; the last digits of the propagator are those of float64.
    assert abs(found[0, 0] - (math.ceil(crossing / 0.1) - 1)) <= 1


@pytest.mark.parametrize(
    ("neuron", "weight"),
    [
        (IafPscExp(tau_syn_ex=3000.0, tau_syn_in=3000.0, E_L=0.0, V_reset=0.0, V_th=15.0), 400.0),
        (ConnectomeLif(tau_m=500.0, tau_syn=3000.0), 9.0),
    ],
)
def test_slow_synapses_decay_as_in_double_precision(neuron: NeuronModel, weight: float) -> None:
    events = SpikeListInput("A", [0] * 4, [1.0, 501.0, 1001.0, 1501.0], weight)
    net = Network((Population("A", 1, neuron),), inputs=(events,))
    found, exact = engine.spikes(net, 20_000), engine.spikes(net, 20_000, precision="exact")
    assert len(exact) > 2
    np.testing.assert_array_equal(found, exact)


def test_usual_networks_keep_single_precision(small: Network) -> None:
    for net in (small, models.microcircuit(0.02), models.brunel(0.02)):
        assert compile_network(net, 1, "fast").float_type is np.float32
    limit = Network((Population("A", 1, IafPscExp(tau_m=100.0)),))
    assert compile_network(limit, 1, "fast").float_type is np.float32
    assert compile_network(charging(IafPscExp, 1000.0), 1, "fast").float_type is np.float64


def test_the_store_says_that_the_state_is_in_double_precision(client: Client, tmp_path, small: Network) -> None:  # type: ignore[no-untyped-def]
    net = Network((Population("A", 4, IafPscExp(tau_m=2000.0)),), inputs=(PoissonInput("A", 1000.0, 80.0),))
    slow = simulate.run(net, 20, 1, tmp_path / "a.zarr", execution=simulate.Execution(threads=1, cluster=client))
    assert (
        stores.attribute(slow, "derived")["state"]
        == "float64: a time constant of population A is longer than 1000 steps"
    )
    usual = simulate.run(small, 20, 1, tmp_path / "b.zarr", execution=simulate.Execution(threads=1, cluster=client))
    assert "state" not in stores.attribute(usual, "derived")
