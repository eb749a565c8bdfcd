"""Neurons at rest are passed over until something arrives: the same bits, and they are indeed passed over."""

import ctypes
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from allometry import simulate
from allometry.models import connectome_lif
from allometry.models.graph import Graph
from allometry.network import ConnectomeLif, Network, PoissonInput
from allometry.simulate.kernels.neurons.update import TILE, block_address
from benchmarks import fly

CONSTANTS = ("reset", "threshold", "decay_v", "decay_g", "from_g", "gap_rate", "ref_steps")
NEURONS = 5 * TILE + 7


@pytest.fixture(autouse=True)
def resting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model does not rest by itself: a whole fly at the published activity is as fast without."""
    monkeypatch.setattr(ConnectomeLif, "rests", True)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return fly.table(3000, 90_000, 12)


def _run(net: Network, path: Path, threads: int = 2, duration_ms: float = 150.0) -> dict[str, np.ndarray]:
    watched = simulate.Probe("neurons", np.arange(0, net.size, 7), interval_ms=5.0)
    run = simulate.run(
        net, duration_ms, 1, path, record=simulate.Record(probes=(watched,)),
        execution=simulate.Execution(threads=threads, progress=False),
    )  # fmt: skip
    with run:
        return {name: run[name].values.copy() for name in run.variables if run[name].dtype.kind in "iuf"}


def _networks(graph: Graph) -> dict[str, Network]:
    driven = fly.driven(graph, 40)
    late = PoissonInput("neurons", 80.0, 68.75, np.arange(2000, 2030), start_ms=80.0)
    net = connectome_lif(graph, weight_mv=0.8, driven=driven)
    gaps = dataclasses.replace(
        graph, gap_source=graph.source[:400], gap_target=graph.target[:400], gap_count=np.ones(400)
    )
    return {
        "driven": net,
        "driven late": dataclasses.replace(net, inputs=(*net.inputs, late)),
        "gap junctions": connectome_lif(gaps, weight_mv=0.8, driven=driven, gap_junction=0.05),
    }


@pytest.mark.parametrize("which", ["driven", "driven late", "gap junctions"])
def test_same_bits_as_without(which: str, graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = _networks(graph)[which]
    rested = _run(net, tmp_path / "rested.zarr")
    monkeypatch.setattr(ConnectomeLif, "rests", False)
    awake = _run(net, tmp_path / "awake.zarr", threads=1)
    assert rested.keys() == awake.keys()
    assert len(awake["spike_unit"]) > 500
    assert len(np.unique(awake["spike_unit"])) < 0.9 * net.size
    for name, values in awake.items():
        assert rested[name].tobytes() == values.tobytes(), name


class _Block:
    """The compiled block of a few tiles, called by its address."""

    def __init__(self) -> None:
        self.state = np.zeros((3, NEURONS), np.float32)
        self.refractory = np.zeros(NEURONS, np.int16)
        self.arrived = np.zeros((2, NEURONS), np.int32)
        self.flag = np.zeros(NEURONS, np.uint8)
        self.awake = np.zeros(6, np.uint8)
        self._other = np.zeros(NEURONS, np.float64)
        # quantum, then the constants in their order
        self._constants = np.array([1.0, 0.0, 7.0, 0.995, 0.98, 0.02, 0.005], np.float32)
        self._ref = np.full(NEURONS, 22, np.int16)
        address = block_address(
            ConnectomeLif, "ConnectomeLif", ("ref_steps",), ("ref_steps",), CONSTANTS, np.float32, np.int32
        )
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        self._call = ctypes.CFUNCTYPE(ctypes.c_int, *[pointer] * 12, *[number] * 3)(address)

    def step(self) -> int:
        o = self._other
        arrays = (
            self.state, o, self.refractory, o, o, self.arrived, self._constants, o, o, self._ref, self.flag, self.awake,
        )  # fmt: skip
        return int(self._call(*(a.ctypes.data for a in arrays), NEURONS, NEURONS, NEURONS))


def test_what_sleeps_is_passed_over_until_something_arrives() -> None:
    """A tile that is said to sleep keeps even a voltage that the step would change: it was not computed."""
    block = _Block()
    block.state[0] = 1.0
    block.awake[2] = 1
    assert block.step() == 0
    changed = np.flatnonzero(block.state[0] != 1.0)
    assert changed.tolist() == list(range(2 * TILE, 3 * TILE))
    block.arrived[0, 4 * TILE + 3] = 5
    block.arrived[1, NEURONS - 1] = 20
    block.flag[:] = 1
    assert block.step() == 1
    assert np.flatnonzero(block.flag).tolist() == [NEURONS - 1], "flags of a step before are gone"
    assert block.state[1, 4 * TILE + 3] == 5.0
    assert block.arrived.sum() == 0
    assert block.awake.tolist() == [0, 0, 1, 0, 1, 1]


def test_a_tile_at_rest_falls_asleep_and_one_that_decays_does_not() -> None:
    block = _Block()
    block.awake[:] = 1
    block.state[1, TILE] = 1e-6
    block.refractory[2 * TILE] = 2
    block.step()
    assert block.awake.tolist() == [0, 1, 1, 0, 0, 0]
    block.step()
    block.step()
    assert block.awake.tolist() == [0, 1, 0, 0, 0, 0], "awake until the refractory time is counted to its end"


def test_the_order_of_reach_gives_every_neuron_its_spikes(graph: Graph, tmp_path: Path) -> None:
    driven = fly.driven(graph, 40)
    counts = []
    for order in ("store", "reach"):
        net = connectome_lif(graph, weight_mv=0.8, driven=driven, drive="regular", duration_ms=100.0, order=order)
        unit = _run(net, tmp_path / f"{order}.zarr", duration_ms=100.0)["spike_unit"]
        assert sorted(net.populations[0].labels) == sorted(graph.labels)
        counts.append(dict(zip(net.populations[0].labels, np.bincount(unit, minlength=net.size).tolist())))
    # the phase of a driven neuron is its place in `driven`, which is the same
    assert counts[0] == counts[1]
    assert sum(n > 0 for n in counts[0].values()) > 100


def test_what_is_reached_lies_together(graph: Graph) -> None:
    """Direct targets share fewer tiles than in the order of the table."""
    driven = fly.driven(graph, 10)

    def tiles(net: Network) -> np.ndarray:
        rule = net.projections[0].rule
        index = [net.populations[0].labels.index(label) for label in driven]
        return np.unique(rule.target[np.isin(rule.source, index)]) // 64  # type: ignore[union-attr]

    there, together = (tiles(connectome_lif(graph, driven=driven, order=order)) for order in ("store", "reach"))
    assert len(there) == len(together)
    assert len(np.unique(together)) < 0.5 * len(np.unique(there))


@pytest.mark.slow
def test_a_whole_fly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """139,255 neurons and 15 M connections: the same spikes with and without rest, in one and two threads."""
    graph = fly.table()
    assert (len(graph.labels), len(graph.source)) == (139_255, 15_000_000)
    assert graph.count.mean() == pytest.approx(3.6, rel=0.1)
    net = fly.network(graph)
    spikes = _run(net, tmp_path / "rested.zarr", 2, 100.0)
    monkeypatch.setattr(ConnectomeLif, "rests", False)
    awake = _run(net, tmp_path / "awake.zarr", 1, 100.0)
    assert len(spikes["spike_unit"]) > 21 * 10
    assert len(np.unique(spikes["spike_unit"])) > 50
    for name, values in awake.items():
        assert spikes[name].tobytes() == values.tobytes(), name
