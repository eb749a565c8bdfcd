"""Every measure's cost is what the registry says: refused by size where memory outgrows the data, and never silent."""

import logging
from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import pdist, squareform

from allometry.compare import avalanches
from allometry.compare.inference import blockwise, progress
from allometry.compare.inputs.spike_trains import Trains
from allometry.compare.kinds.dynamic_connectome.comparison import estimates
from allometry.compare.measures.graphs.edge_weights import weights_within_nodes
from allometry.compare.measures.graphs.structure import function_given_structure
from allometry.compare.measures.tensors.decomposition import ntf
from allometry.compare.records.measures import COSTS
from allometry.compare.records.measures import measure as declare
from allometry.compare.registry import collect, find
from allometry.compare.runner import announce
from allometry.errors import ComparisonError, PluginError
from tests.compare.kinds.dynamic_connectome.test_comparison import recordings

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 20)), RNG.normal(size=(12, 15))
RDM = pdist(X)
TRIALS = RNG.normal(size=(4, 3, 5))
COUNTS = RNG.poisson(2, (80, 4))
TRAIN, OTHER = np.sort(RNG.random(40)) * 10, np.sort(RNG.random(30)) * 10
ISI = np.diff(TRAIN)
ANGLES = np.deg2rad(np.arange(0, 360, 45))
RATES = 1 + RNG.random((8, 3))
TENSOR = RNG.random((5, 6, 7))
TRACES = RNG.normal(size=(40, 4)).cumsum(axis=0)
GRAPH = (RNG.random((15, 15)) < 0.3) * RNG.random((15, 15))
Q = RNG.random((15, 15))
SYMMETRIC = squareform(RNG.random(105))
LABELS = np.arange(12) % 2
POINTS = np.column_stack([RNG.normal(size=(20, 3)), np.ones(20)])


def branching(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    series = [0]
    for _ in range(8000):
        series.append(int(rng.poisson(0.95 * series[-1])) + int(rng.random() < 0.5) * (series[-1] == 0))
    return np.array(series)


ACTIVITY = branching(1)
FOUND = avalanches(ACTIVITY)
RUNS = [branching(seed)[:, None] for seed in (1, 2)]
FACTORS = ntf(TENSOR, 2, 1)

# Arguments of every registered function: a few numbers are enough, since a limit of a byte is below all of them.
GIVEN: dict[str, tuple[tuple[object, ...], dict[str, object]]] = {
    "rdm": ((X,), {}),
    "crossnobis": ((TRIALS,), {}),
    "rsa": ((RDM, RDM), {}),
    "noise_ceiling": ((np.array([RDM, RDM + RNG.random(66)]),), {}),
    **dict.fromkeys(("ssm", "cca", "svcca", "pwcca", "cca_mean", "cka", "rv", "procrustes"), ((X, Y), {})),
    **dict.fromkeys(("match_units", "sparse_prediction"), ((X, Y), {})),
    "kernel_analysis": ((X, LABELS), {}),
    "many_to_many": ((X, Y, 2), {}),
    "geo_topological": ((RDM, 0.1, 0.6), {}),
    "trsa": ((RDM, RDM, 0.1, 0.6), {}),
    **dict.fromkeys(("geodesic", "persistence"), ((RDM,), {})),
    "capacity": (([X[:5], X[5:]],), {"n_t": 5}),
    "manifold_capacity": ((POINTS,), {"n_t": 5}),
    "few_shot_snr": ((X[:5], X[5:], 2), {}),
    "decode_within": ((TRIALS,), {"decoder": "lda"}),
    "decode_across": ((RNG.normal(size=(8, 3, 5)), RNG.normal(size=(8, 3, 5))), {"dimensions": 2}),
    **dict.fromkeys(("pairwise", "pairwise_summary", "covariance_spectrum"), ((COUNTS,), {})),
    **dict.fromkeys(
        ("participation_ratio_of_counts", "susceptibility", "fano", "synchrony", "network_bursts", "population_bursts"),
        ((COUNTS,), {}),
    ),
    "lattice_correlation": ((COUNTS, 2, [0, 1]), {}),
    "state_dwell": ((COUNTS, np.arange(COUNTS.shape[1]) // 2), {"threshold_hz": 0.0}),
    "by_distance": ((RNG.random(6), RNG.random((4, 2)), [0, 1, 2]), {}),
    "noise_correlation": ((TRIALS,), {}),
    "spectral_radius": ((COUNTS, 50), {}),
    "spectral_radius_of_covariance": ((np.cov(COUNTS.T), 50), {}),
    "participation_ratio": ((np.cov(COUNTS.T),), {}),
    "avalanches": ((ACTIVITY,), {}),
    "power_law": ((FOUND.size,), {"alternatives": ()}),
    "branching_ratio": ((ACTIVITY,), {}),
    "crackling": ((FOUND,), {}),
    "shape_collapse": ((FOUND,), {}),
    "quasicriticality": ((RUNS, [1, 2]), {}),
    "rate": ((TRAIN, 0, 10), {}),
    **dict.fromkeys(("cv", "cv2", "lv"), ((ISI,), {})),
    "per_unit": ((np.concatenate([TRAIN, OTHER]), [40, 30], 10), {}),
    "bursts": ((TRAIN, 0.2), {}),
    **dict.fromkeys(("victor_purpura", "van_rossum"), ((TRAIN, OTHER), {})),
    **dict.fromkeys(("isi_distance", "spike_distance"), ((TRAIN, OTHER, 0, 10), {})),
    "lempel_ziv": ((RNG.integers(0, 2, 100),), {}),
    "ks_and_wasserstein": ((ISI, np.diff(OTHER)), {}),
    "decibel_distance": ((RATES, RATES + 1), {}),
    "of_spikes": (
        (Trains(np.concatenate([TRAIN, OTHER]), np.array([40, 30]), 10.0), ("spectrum",)),
        {"common": 2, "bin_s": 0.1, "bootstrap": 5, "rng": np.random.default_rng(1)},
    ),
    **dict.fromkeys(("osi", "dsi", "circular_variance", "preferred"), ((RATES, ANGLES), {})),
    "f1_f0": (([0.4, 0.8 + 1j, 1.2, 1j, 2.0], np.arange(5) + 3), {}),
    "f1_f0_null": ((np.arange(5) + 3,), {}),
    "osi_null": ((np.arange(5) + 3, ANGLES), {}),
    "domain_rates": ((RATES, np.rad2deg(ANGLES), np.array([0.0, 45.0, 90.0]), 30.0), {}),
    "signal_to_noise": ((TRIALS,), {}),
    "reliability": ((TRIALS,), {}),
    "tuned": ((RNG.random((8, 3, 5)), "direction", ANGLES, "rectify"), {}),
    **dict.fromkeys(("tca", "ntf"), ((TENSOR, 2), {"restarts": 1})),
    "tuned_share": ((np.linspace(0.001, 0.5, 6),), {}),
    "rank_scan": ((TENSOR, (1, 2)), {"restarts": 2}),
    "held_out_share": ((TENSOR, 1), {}),
    "factor_similarity": ((FACTORS, FACTORS), {}),
    "affinities": ((TRACES,), {}),
    "measures.tensors.affinity.dynamic_connectome": (([TRACES, TRACES[::-1]], 2), {"restarts": 1}),
    "communities": ((RDM,), {}),
    "function_given_structure": ((GRAPH, Q, Q), {"alpha": 0.5, "bootstrap": 5}),
    "agreement": ((GRAPH, GRAPH.T), {}),
    **dict.fromkeys(("modularity", "find_communities", "clustering", "graphlets"), ((GRAPH,), {})),
    "characteristic_path_length": ((GRAPH,), {}),
    **dict.fromkeys(("small_world", "rich_club", "motifs"), ((GRAPH,), {"nulls": 2})),
    "cluster_replicates": ((Q, Q > 0.5, np.repeat(np.arange(15), 15)), {"seed": 1, "n": 5}),
    "structure_bold_correlation": ((SYMMETRIC, RNG.normal(size=(30, 15))), {}),
    "activation_correlation": ((Q, GRAPH), {}),
    "intrinsic_timescales": ((COUNTS,), {"longest_lag_s": 0.1}),
    "dyadic_correlation": ((SYMMETRIC, SYMMETRIC), {}),
    "measures.populations.correlations.signal_correlation": ((TRIALS,), {}),
    "kinds.population_code.statistics.signal_correlation": ((RNG.random((4, 4, 5)),), {"splits": 2, "seed": 1}),
    "pseudo_depth": (([X, Y], Y), {}),
    "model_recovery": (
        ({},),
        {"of": "representations", "items": 20, "units": 6, "noise": 0.3, "draws": 3, "nulls": 5, "seed": 1},
    ),
    "nmi": ((LABELS, LABELS), {}),
    "derivative_components": ((TRACES, 2), {}),
    "balanced_accuracy": ((LABELS, LABELS), {}),
    "timing_task": ((GRAPH,), {"trials": 4}),
    "memory_capacity": ((GRAPH,), {"steps": 100}),
}
WORKFLOW = {"kinds.dynamic_connectome.comparison.dynamic_connectome"}  # estimated before it starts, see the test of it


def place(name: str) -> str:
    function = find(name).function
    return f"{function.__module__}.{function.__name__}".removeprefix("allometry.compare.")


FUNCTIONS = {place(name): name for name in collect() if place(name) not in WORKFLOW}


def call(name: str) -> object:
    given, options = GIVEN.get(place(name)) or GIVEN[find(name).function.__name__]
    return find(name).function(*given, **options)


def test_what_shares_a_function_costs_the_same() -> None:
    for name in collect():
        assert find(name).cost in COSTS
        assert find(name).cost == find(FUNCTIONS.get(place(name), name)).cost, name


@pytest.mark.parametrize("name", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.filterwarnings("ignore")
def test_memory_that_outgrows_the_data_is_refused_and_other_is_not(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(blockwise.MEMORY_VARIABLE, "1")
    if find(name).cost != "memory":
        call(name)
        return
    with pytest.raises(ComparisonError, match="of memory") as refused:
        call(name)
    assert refused.value.do
    assert "\n" not in str(refused.value.what)


@pytest.mark.parametrize(
    "name", [name for name in FUNCTIONS.values() if find(name).cost != "linear"], ids=lambda name: name
)
@pytest.mark.filterwarnings("ignore")
def test_what_takes_longer_than_it_grows_says_how_far_it_is(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without patience everything that can say something does."""
    monkeypatch.setattr(progress, "PATIENCE_S", 0.0)
    caplog.set_level(logging.INFO, "allometry")
    call(name)
    assert caplog.messages


def test_the_dynamic_connectome_of_the_workflow_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {"worms": recordings(True, 1, animals=2)}
    options = {"activity": ["worms"], "ranks": [1, 2]}
    announce(estimates(inputs, **options))
    monkeypatch.setenv(blockwise.MEMORY_VARIABLE, "10kB")
    with pytest.raises(ComparisonError, match="of memory"):
        announce(estimates(inputs, **options))


@pytest.mark.parametrize(
    "told",
    [
        lambda w, v, q: function_given_structure(w, v, q, alpha=0.3, bootstrap=20),
        lambda w, v, q: weights_within_nodes(w, v),
        lambda w, v, q: weights_within_nodes(w + w.T, v + v.T),
    ],
    ids=["function", "weights", "undirected weights"],
)
def test_sparse_graphs_give_what_dense_ones_give(told: Callable[..., object]) -> None:
    q = np.where(RNG.random(GRAPH.shape) < 0.7, Q, np.nan)
    value = np.where(np.isfinite(q), RNG.random(q.shape), 0.0)
    rows, columns = np.nonzero(np.isfinite(q))
    order = RNG.permutation(rows.size)  # entries in any order, some of them 0
    q[rows[0], columns[0]] = 0.0
    stored = sparse.coo_array((q[rows, columns][order], (rows[order], columns[order])), shape=q.shape)
    dense, thin = told(GRAPH, value, q), told(sparse.csr_array(GRAPH), sparse.csr_array(value), stored)
    for field in dense.__dataclass_fields__:  # type: ignore[attr-defined]
        one, other = getattr(dense, field), getattr(thin, field)
        if field == "auc":
            one, other = (one.estimate, one.low, one.high), (other.estimate, other.low, other.high)
        np.testing.assert_array_equal(one, other, err_msg=field)


def test_a_sparse_graph_of_many_nodes_is_held_against_the_pairs_that_were_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A dense matrix of these nodes is 20 GB; every third pair of neighbours is an edge and, but for one, an influence."""
    n = 50_000
    monkeypatch.setattr(blockwise, "BLOCK_BYTES", 10**6)
    there = np.arange(30) * 1600
    pairs = np.concatenate([there, there]), np.concatenate([there + 1, there + 2])
    weight = sparse.coo_array((1.0 + np.arange(30), (there, there + 1)), shape=(n, n))
    q = sparse.coo_array((np.repeat([0.001, 0.9], 30), pairs), shape=(n, n))
    told = function_given_structure(weight, q, q, bootstrap=10)
    assert (told.pairs, told.edges, told.influences) == (60, 30, 30)
    assert told.auc.estimate == 1
    assert told.distance.tolist() == [1, np.inf]
    assert told.n_distance.tolist() == [30, 30]
    assert weights_within_nodes(weight, weight).edges == 30


def test_a_cost_is_one_of_those_that_are_defined() -> None:
    with pytest.raises(PluginError, match="the cost of the measure 'mine' is 'quadratic'"):
        declare(name="mine", version="1", inputs="x", invariances="none", use="x", reference="x", cost="quadratic")(
            call
        )
