"""Times off the grid are taken to steps as NEST takes them, and the store says so."""

import numpy as np
import pytest
from distributed import Client

from allometry import simulate, stores
from allometry.errors import SimulationError
from allometry.network import (
    ConnectomeLif,
    DCInput,
    ExplicitEdges,
    FixedIndegree,
    IafPscDelta,
    IafPscExp,
    Network,
    Normal,
    PoissonInput,
    Population,
    Projection,
    SpikeListInput,
)
from allometry.network.integration import refractory_steps
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.build.timing import delay_steps, event_steps, rounded_times
from tests.simulate import engine

# What NEST 3.10 does, printed by tests/reference/nest_times.py: refractory and delay steps by time step.
REFRACTORY_MS = (0.0004, 0.0006, 0.3, 0.3004, 0.3005, 0.31, 1 / 3, 0.35, 2.0, 2.05, 2.2)
DELAYS_MS = (0.15, 0.1501, 0.1875, 0.25, 0.3125, 0.35, 0.45, 0.65, 1.05, 1.15, 2.35)
NEST = {
    0.1: ([0, 1, 3, 3, 4, 4, 4, 4, 20, 21, 22], [2, 2, 2, 3, 3, 4, 5, 7, 11, 12, 24]),
    0.05: ([0, 1, 6, 6, 7, 7, 7, 7, 40, 41, 44], [3, 3, 4, 5, 6, 7, 9, 13, 21, 23, 47]),
    0.125: ([0, 1, 3, 3, 3, 3, 3, 3, 16, 17, 18], [1, 1, 2, 2, 3, 3, 4, 5, 8, 9, 19]),
    0.25: ([0, 1, 2, 2, 2, 2, 2, 2, 8, 9, 9], [1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 9]),
}


@pytest.mark.parametrize("dt", NEST)
def test_times_off_the_grid_are_taken_to_nests_steps(dt: float) -> None:
    refractory, delay = NEST[dt]
    assert refractory_steps(REFRACTORY_MS, dt).tolist() == refractory
    assert [int(delay_steps(np.array(d), dt, "here")) for d in DELAYS_MS if d >= dt] == [
        steps for steps, d in zip(delay, DELAYS_MS) if d >= dt
    ]


def test_the_spikes_have_nests_refractory_time_and_delay() -> None:
    for neuron in (IafPscExp(t_ref=2.05), IafPscDelta(t_ref=2.05, C_m=250.0)):
        driven = Network((Population("A", 1, neuron),), inputs=(DCInput("A", 1e6),))
        for precision in ("fast", "exact"):
            steps = engine.spikes(driven, 300, precision=precision)[:, 0]
            assert set(np.diff(steps).tolist()) == {22}
    relay = IafPscDelta(V_th=0.5, V_reset=0.0, t_ref=0.0)
    for how in (0.35, np.array([0.35])):
        rule = ExplicitEdges([0], [0], 1.0, how)
        net = Network(
            (Population("A", 1, relay), Population("B", 1, relay)),
            (Projection("A", "B", rule),),
            (SpikeListInput("A", [0], [1.0], 1.0),),
        )
        assert engine.spikes(net, 30).tolist() == [[10, 0], [14, 1]]


def test_refractory_times_per_neuron_and_odd_steps() -> None:
    net = Network((Population("A", 3, ConnectomeLif(t_ref=[2.2, 2.24, 0.0])),))
    assert compile_network(net, 1, "fast").neurons[0].constants["ref_steps"].tolist() == [22, 23, 0]
    # A step of 12.5 us is no whole number of tics: 2 ms are 160 of them all the same.
    assert int(refractory_steps(2.0, 0.0125)) == 160
    assert int(refractory_steps(2.001, 0.0125)) == 161
    assert event_steps(np.array([2.0, 1.99]), 0.0125).tolist() == [160, 159]


def test_spike_lists_in_single_precision_land_in_their_step() -> None:
    steps = np.arange(0, 2_600_000, 997)
    times = steps * 0.1
    for given in (times, times.astype(np.float32), np.round(times, 1).astype(np.float32)):
        x = SpikeListInput("A", np.zeros(len(steps), int), given, 1.0)
        np.testing.assert_array_equal(event_steps(x.times_ms, 0.1), steps)
    relay = IafPscDelta(V_th=0.5, V_reset=0.0, t_ref=0.0)
    few = np.arange(0, 3000, 7)
    events = SpikeListInput("A", np.zeros(len(few), int), (few * 0.1).astype(np.float32), 1.0)
    found = engine.spikes(Network((Population("A", 1, relay),), inputs=(events,)), 3000)
    np.testing.assert_array_equal(found[:, 0], few)
    with pytest.raises(SimulationError, match=r"0\.0625 ms apart at 600000 ms"):
        SpikeListInput("A", [0], np.array([600_000.0], np.float32), 1.0)


def test_delays_in_single_precision_are_what_was_written() -> None:
    edges = ExplicitEdges([0, 0], [0, 0], 1.0, np.array([0.35, 1.15], np.float32))
    assert edges.delay.tolist() == [0.35, 1.15]


def test_starts_and_stops_go_to_the_nearest_step_halves_up() -> None:
    for off, on in ((0.25, 0.3), (0.35, 0.4), (0.24, 0.2)):
        nets = [Network((Population("A", 1, IafPscExp()),), inputs=(DCInput("A", 1000.0, t),)) for t in (off, on)]
        np.testing.assert_array_equal(*[engine.spikes(net, 500) for net in nets])


def test_the_store_notes_where_a_time_was_rounded(client: Client, tmp_path, small: Network) -> None:  # type: ignore[no-untyped-def]
    edges = ExplicitEdges([0, 1, 2], [0, 1, 2], 1.0, [0.35, 1.0, 1.04])
    net = Network(
        (Population("A", 3, IafPscExp(t_ref=2.05)), Population("B", 3, IafPscExp())),
        (Projection("A", "B", edges), Projection("A", "A", ExplicitEdges([0], [0], 1.0, 1.5))),
        (SpikeListInput("A", [0, 1], [3.0, 3.16], 1.0), PoissonInput("B", 1.0, 1.0, start_ms=1.26)),
    )
    store = simulate.run(net, 10, 1, tmp_path / "a.zarr", execution=simulate.Execution(threads=1, cluster=client))
    assert stores.attribute(store, "derived")["times_rounded"] == {
        "t_ref of population A": "2.05 ms taken to step 21 of 0.1 ms",
        "delay of projection 0 (A -> B)": "2 of 3, the first: 0.35 ms taken to step 4 of 0.1 ms",
        "times of input 0 (A)": "1 of 2, the first: 3.16 ms taken to step 31 of 0.1 ms",
        "start_ms of input 1 (B)": "1.26 ms taken to step 13 of 0.1 ms",
    }
    assert rounded_times(small) == {}
    constant = Network((Population("A", 3, IafPscExp()),), (Projection("A", "A", ExplicitEdges([], [], [], [])),))
    assert rounded_times(constant) == {}
    drawn = Network(
        (Population("A", 3, IafPscExp()),), (Projection("A", "A", FixedIndegree(1), 1.0, Normal(1.5, 0.7)),)
    )
    assert rounded_times(drawn) == {}
    fixed = Network((Population("A", 3, IafPscExp()),), (Projection("A", "A", FixedIndegree(1), 1.0, 1.57),))
    assert rounded_times(fixed) == {"delay of projection 0 (A -> A)": "1.57 ms taken to step 16 of 0.1 ms"}
