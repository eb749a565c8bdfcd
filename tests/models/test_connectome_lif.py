"""Networks on connectomes: what is built from a graph, and the published spike counts of the plain integration."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import stores
from allometry.errors import SimulationError
from allometry.homogenize.worm.neurons import canonical, worm_nodes
from allometry.models import connectome_lif
from allometry.models.graph import Graph
from allometry.network import PoissonInput, SpikeListInput
from tests.models.graphs import mushroom_body, projection_neurons, worm
from tests.reference.step_by_step import simulate

ATTRS = {
    "title": "test",
    "species": "none",
    "citation": "none",
    "licence": "none",
    "source": {},
    "parameters": {},
    "derived": {},
}


def _store(**columns: list) -> xr.Dataset:
    nodes = pd.DataFrame({"type": ["neuron"] * 3 + ["muscle"], **columns}, index=["C", "A", "B", "M1"])
    edges = pd.DataFrame(
        [
            ("A", "B", 3, "chemical"),
            ("B", "A", 2, "chemical"),
            ("C", "A", 5, "chemical"),
            ("C", "M1", 9, "chemical"),
            ("A", "C", 4, "electrical"),
            ("B", "M1", 7, "electrical"),
        ],
        columns=["source", "target", "weight", "synapse"],
    )
    return stores.connectome(nodes, edges, attrs=ATTRS)


def test_store_becomes_signed_edges() -> None:
    net = connectome_lif(_store(sign=[1.0, -1.0, np.nan, np.nan]), weight_mv=0.5, gap_junction=0.1)
    (population,), (projection,), (gaps,) = net.populations, net.projections, net.gap_junctions
    assert population.labels == ("A", "B", "C")
    rule = projection.rule
    edges = list(zip(rule.source, rule.target, rule.weight))
    assert edges == [(0, 1, -1.5), (1, 0, 1.0), (2, 0, 2.5)]
    assert set(rule.delay) == {1.8}
    assert sorted(zip(gaps.source, gaps.target, gaps.weight)) == [(0, 2, 0.4), (2, 0, 0.4)]


def test_all_nodes_keep_the_order_of_the_store() -> None:
    net = connectome_lif(_store(), neurons="all")
    assert net.populations[0].labels == ("C", "A", "B", "M1")
    assert len(net.projections[0].rule.source) == 4


def test_signs_from_transmitters_and_without_any() -> None:
    by_transmitter = Graph.from_store(_store(neurotransmitter=["GABA", "", "acetylcholine", ""]))
    assert by_transmitter.sign.tolist() == [1, 1, -1]
    assert Graph.from_store(_store()).sign.tolist() == [1, 1, 1]


@pytest.mark.parametrize(("unknown", "weights"), [(1, [3, 2, 5]), (0, [2, 5]), (-1, [-3, 2, 5])])
def test_what_an_unknown_sign_counts_as_is_an_option(unknown: int, weights: list[int]) -> None:
    """Node A has sign 0, which means unknown; without the option it excites, as in the published models."""
    store = _store(sign=[1.0, 0.0, 1.0, np.nan])
    net = connectome_lif(store, weight_mv=1.0, unknown_sign=unknown)
    assert net.projections[0].rule.weight.tolist() == weights
    assert net.parameters["unknown_sign"] == unknown
    assert connectome_lif(store).projections[0].rule.source.tolist() == [0, 1, 2]


def test_neurons_without_fast_effect_have_no_edges() -> None:
    graph = Graph(("A", "B"), np.array([0, 1]), np.array([1, 0]), np.array([3.0, 2.0]), np.array([0.0, 1.0]))
    assert connectome_lif(graph).projections[0].rule.source.tolist() == [1]


def test_silencing_removes_every_output_and_no_input() -> None:
    net = connectome_lif(_store(), silenced="A", gap_junction=1.0)
    rule = net.projections[0].rule
    assert list(zip(rule.source, rule.target)) == [(1, 0), (2, 0)]
    assert net.gap_junctions[0].source.tolist() == [2]


def test_regular_drive() -> None:
    net = connectome_lif(_store(), driven="C, A", drive="regular", duration_ms=20)
    (drive,) = net.inputs
    assert isinstance(drive, SpikeListInput)
    events = sorted(zip(drive.neurons, drive.times_ms))
    assert events == [(0, 0.7), (0, 7.4), (0, 14.1), (2, 0.0), (2, 6.7), (2, 13.4)]
    assert drive.weight == pytest.approx(68.75)
    assert net.populations[0].neuron.t_ref.tolist() == [0.0, 2.2, 0.0]


def test_poisson_drive() -> None:
    (drive,) = connectome_lif(_store(), driven=["B"], drive_hz=100).inputs
    assert isinstance(drive, PoissonInput)
    assert (drive.rate_hz, drive.weight, drive.neurons.tolist()) == (100, 68.75, [1])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"driven": "X"}, "unknown neurons X"),
        ({"driven": "A,A"}, "twice"),
        ({"silenced": ["Q"]}, "unknown neurons Q"),
        ({"weight_mv": 0}, "weight"),
        ({"gap_junction": -1}, "gap_junction"),
        ({"drive": "sine"}, "regular"),
        ({"drive_hz": 0}, "drive_hz"),
        ({"neurons": "some"}, "sources"),
        ({"unknown_sign": 2}, "unknown_sign"),
        ({"neurons": ["A"]}, "no chemical synapses"),
    ],
)
def test_mistakes_are_explained(arguments: dict, said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        connectome_lif(_store(), **arguments)


def test_graph_refuses_nodes_that_do_not_exist() -> None:
    with pytest.raises(SimulationError, match="target"):
        Graph(("a", "b"), np.array([0]), np.array([2]), np.array([1.0]), np.ones(2))


def test_worm_graph_has_the_published_counts(mirror: Path) -> None:
    graph = worm(mirror)
    assert (len(graph.labels), len(graph.source), graph.count.sum()) == (298, 3638, 20_589)
    assert (graph.sign < 0).sum() == 26


@pytest.mark.parametrize(
    ("weight_mv", "total", "expected"),
    [
        (0.275, 310, {"ASHL": 150, "ASHR": 150, "AVDL": 10}),
        (
            0.55,
            752,
            {
                "ASHL": 150,
                "ASHR": 150,
                "AVAL": 68,
                "AVAR": 69,
                "AVBL": 32,
                "AVBR": 17,
                "AVDL": 59,
                "AIBL": 29,
                "PVCL": 29,
                "AVEL": 0,
                "RIML": 0,
                "RIS": 0,
                "DVA": 0,
                "SMDVL": 0,
                "RIAL": 0,
            },
        ),
    ],
)
def test_plain_integration_of_the_worm(mirror: Path, weight_mv: float, total: int, expected: dict) -> None:
    net = connectome_lif(worm(mirror), weight_mv=weight_mv, driven="ASHL,ASHR", drive="regular")
    _, unit = simulate(net, 1000.0)
    count = dict(zip(net.populations[0].labels, np.bincount(unit, minlength=net.size)))
    assert len(unit) == total
    assert {name: count[name] for name in expected} == expected


def test_plain_integration_of_the_mushroom_body(mirror: Path) -> None:
    graph = mushroom_body(mirror)
    net = connectome_lif(graph, driven=projection_neurons(mirror), drive="regular")
    step, unit = simulate(net, 1000.0)
    count = np.bincount(unit, minlength=net.size)
    first = [(0, 0), (3, 10), (7, 1), (10, 11), (14, 2), (17, 12), (21, 3), (24, 13), (28, 4), (31, 14)]
    assert list(zip(step[:10].tolist(), unit[:10].tolist())) == first
    assert (len(unit), (count > 0).sum()) == (3709, 48)
    assert count[[2721, 1316, 323, 197]].tolist() == [163, 43, 34, 31]
    silenced = connectome_lif(graph, driven=projection_neurons(mirror), drive="regular", silenced=[graph.labels[2721]])
    _, unit = simulate(silenced, 1000.0)
    count = np.bincount(unit, minlength=net.size)
    assert (len(unit), (count > 0).sum()) == (6044, 139)
    assert count[[2721, 2734, 2740, 2726, 2757, 2761, 968, 323, 914]].tolist() == [169, 47, 17, 16, 14, 9, 54, 49, 49]


def test_the_store_of_the_worm_gives_the_graph_of_the_oracle(mirror: Path) -> None:
    """Signs that the store calls unknown count as +1 by default: the published numbers stay what they are."""
    path = mirror / "celegans_connectome" / "herm_full_edgelist.csv"
    rows = pd.read_csv(path, skipinitialspace=True)
    rows.columns = rows.columns.str.strip()
    chemical = rows[rows["Type"].str.strip() == "chemical"]
    edges = pd.DataFrame({"source": chemical["Source"].str.strip(), "target": chemical["Target"].str.strip()})
    edges = edges.assign(weight=chemical["Weight"].astype(float), synapse="chemical")
    edges = edges.groupby(["synapse", "source", "target"], as_index=False)["weight"].sum()
    names = sorted({*edges["source"], *edges["target"]})
    nodes = worm_nodes([canonical(name) for name in names if canonical(name)])
    sign = pd.Series({name: nodes["sign"].get(canonical(name), np.nan) for name in names})
    assert (sign[["ALA", "RIBL", "RIBR", "AVKL"]] == 0).all()
    store = stores.connectome(pd.DataFrame({"sign": sign}, index=pd.Index(names)), edges, attrs=ATTRS)
    oracle, found = worm(mirror), Graph.from_store(store)
    assert found.labels == oracle.labels
    np.testing.assert_array_equal(found.sign, oracle.sign)
    np.testing.assert_array_equal(found.count, oracle.count)
