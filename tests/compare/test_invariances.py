"""What the registry says a measure does not see leaves it as it is, and something else does not."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import ortho_group

from allometry.compare import avalanches
from allometry.compare.registry import find

Arguments = tuple[Any, ...]


def numbers(result: Any) -> np.ndarray:
    """All numbers of a result, whatever it holds them in."""
    if dataclasses.is_dataclass(result):
        return numbers([getattr(result, item.name) for item in dataclasses.fields(result)])
    if isinstance(result, Mapping):
        return numbers(list(result.values()))
    if isinstance(result, list | tuple):
        return np.concatenate([numbers(part) for part in result])
    return np.asarray(result, dtype=float).ravel()


def together(labels: Any) -> np.ndarray:
    """Which pairs of items are in one group, whatever the groups are called."""
    joint = np.concatenate(labels) if isinstance(labels, tuple) else np.asarray(labels)
    return np.asarray(joint[:, None] == joint, dtype=float)


@dataclass(frozen=True)
class Case:
    """Data, changes of them that a measure must not see (by the registry's words), and one that it must see."""

    name: str
    given: Arguments
    unseen: Mapping[str, Arguments]
    seen: Arguments
    options: Mapping[str, Any] = field(default_factory=dict)
    reduce: Callable[[Any], np.ndarray] = numbers

    def value(self, arguments: Arguments) -> np.ndarray:
        return self.reduce(find(self.name).function(*arguments, **self.options))


def permuted(x: np.ndarray, axis: int) -> np.ndarray:
    return np.take(x, np.random.default_rng(1).permutation(x.shape[axis]), axis=axis)


def renumbered(graph: np.ndarray) -> np.ndarray:
    return permuted(permuted(graph, 0), 1)


def population(m: float, drive: float) -> np.ndarray:
    """Active units of a branching process that external events start or restart, [bins]."""
    rng = np.random.default_rng(3)
    series = [0]
    for _ in range(20_000):
        series.append(int(rng.poisson(m * series[-1])) + int(rng.random() < drive) * (series[-1] == 0))
    return np.array(series)


def reordered(found: Any) -> Any:
    fields = {name: permuted(getattr(found, name), 0) for name in ("size", "duration", "start")}
    return dataclasses.replace(found, **fields)


def spikes(m: float, drive: float) -> np.ndarray:
    """Counts of ten units of a driven branching process, [bins, units]."""
    rng = np.random.default_rng(4)
    active, series = 10, []
    for _ in range(2000):
        active = rng.poisson(m * active + drive)
        series.append(rng.poisson(active / 10, 10))
    return np.array(series)


RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)) * np.linspace(0.5, 2, 6)
Y = X[:, :5] @ RNG.normal(size=(5, 5)) + RNG.normal(size=(40, 5))
Q6, Q5 = ortho_group.rvs(6, random_state=1), ortho_group.rvs(5, random_state=2)
RDMS = pdist(X) + RNG.normal(0, 0.3, (4, 780))
GROUPS = RNG.normal(size=(200, 3))[:, np.repeat([0, 1, 2], 4)] + 0.3 * RNG.normal(size=(200, 12))
LEFT, RIGHT = GROUPS[:, ::2], GROUPS[:, 1::2]
POINTS = np.column_stack([RNG.normal(size=(20, 3)), np.ones(20)])
INSIDE = RNG.dirichlet(np.ones(20), 10) @ POINTS
COUNTS = RNG.poisson(RNG.gamma(1, 0.4, (300, 1)) * np.linspace(0.5, 2, 8))
ONE_SHUFFLED = np.column_stack([permuted(COUNTS[:, :1], 0), COUNTS[:, 1:]])
COVARIANCE = np.cov(COUNTS.T)
RESPONSES = RNG.gamma(2, 1, (6, 1, 4)) + RNG.normal(0, 0.7, (6, 5, 4))
ANGLES = np.deg2rad(np.arange(0, 360, 45))
RATES = 1 + np.cos(2 * (ANGLES[:, None] - [0.3, 1.0])) + 0.5 * np.cos(ANGLES[:, None] - [0.3, 4.0])
CASCADES, SMALL = avalanches(population(0.97, 0.5)), avalanches(population(0.85, 0.5))
LARGER = dataclasses.replace(CASCADES, size=4 * CASCADES.size, activity=4 * CASCADES.activity)
RUNS = [spikes(0.9, drive) for drive in (0.5, 2.0, 8.0)]
TRAIN, OTHER = np.sort(RNG.random(40)) * 10, np.sort(RNG.random(30)) * 10
BOTH = np.concatenate([TRAIN, OTHER])
TENSOR = RNG.random((5, 6, 7))
TRACES = np.cumsum(RNG.normal(size=(60, 4)), axis=0)
GRAPH = np.triu((RNG.random((25, 25)) < 0.2) * RNG.integers(1, 9, (25, 25)).astype(float), 1)
FEWER = np.where(np.arange(25) == 20, 0.0, GRAPH)
BLOCKS = np.kron(np.eye(3), np.ones((8, 8))) * 5 + RNG.random((24, 24))
SLOW = np.repeat(np.random.default_rng(9).poisson(3.0, (80, 3)), 10, axis=0)
TOPOLOGY = {
    "order of nodes": (renumbered(GRAPH),),
    "weights and directions of edges": (3.5 * GRAPH.T**2,),
}

# One case per measure reads better as a table.
CASES = [
    Case("noise_ceiling", (RDMS,), {
        "order of subjects": (RDMS[::-1],),
        "of stimuli": ([squareform(renumbered(squareform(r))) for r in RDMS],),
        "monotonic transformation of each RDM": ([np.exp(RDMS[0] / 3), *(RDMS[1:] + 5) ** 3],),
    }, (pdist(X) + 2 * (RDMS - pdist(X)),)),
    Case("cca", (X, Y), {
        "invertible linear maps of either side": (X @ RNG.normal(size=(6, 6)), Y @ RNG.normal(size=(5, 5))),
        "offset of each unit": (X + np.arange(6), Y - 3),
    }, (X**3, Y)),
    Case("rv", (X, Y), {
        "rotation and isotropic scaling of unit space": (3 * X @ Q6, 0.2 * Y @ Q5),
        "permutation of units": (permuted(X, 1), permuted(Y, 1)),
    }, (X * np.arange(1, 7), Y)),
    Case("sparse_prediction", (X, Y), {
        "offset and scale, of either sign, of units": (X * [2, -1, 3, -0.5, 1, 1] + 4, Y * [1, -2, 3, 1, -1] - 1),
    }, (X @ Q6, Y)),
    Case("many_to_many", (LEFT, RIGHT, 3), {
        "offset and scale, of either sign, of units": (LEFT * [2, -1, 3, -1, 1, 1], 4 - RIGHT, 3),
    }, (LEFT @ Q6, RIGHT, 3), reduce=together),
    Case("trsa", (RDMS[0], RDMS[1], 0.1, 0.6), {
        "monotonic transformation of dissimilarities": ((RDMS[0] + 5) ** 3, np.exp(RDMS[1]), 0.1, 0.6),
    }, (RDMS[0], permuted(RDMS[1], 0), 0.1, 0.6)),
    Case("manifold_capacity", (POINTS,), {
        "order of points": (POINTS[::-1],),
        "points inside the hull of the others": (np.vstack([POINTS, INSIDE]),),
    }, (POINTS * [3, 3, 3, 1],)),
    Case("signal_correlation_corrected", (RESPONSES,), {
        "offset and scale of each unit": (RESPONSES * [1, 2, 3, 4] - 5,),
    }, (np.concatenate([RESPONSES[::-1, :, :1], RESPONSES[:, :, 1:]], axis=2),)),
    Case("pairwise_summary", (COUNTS,), {
        "offset and scale of each unit": (COUNTS * np.arange(1, 9) + 2,),
        "order of units": (permuted(COUNTS, 1),),
        "of bins": (permuted(COUNTS, 0),),
    }, (ONE_SHUFFLED,), reduce=lambda found: np.array([found.mean, found.sd])),
    Case("lattice_correlation", (COUNTS, 4, [0.0, 0.3, 1.0]), {
        "gain and offset of each unit": (COUNTS * np.arange(1, 9) + 2, 4, [0.0, 0.3, 1.0]),
        "order of the bins": (permuted(COUNTS, 0), 4, [0.0, 0.3, 1.0]),
    }, (ONE_SHUFFLED, 4, [0.0, 0.3, 1.0])),
    Case("spectral_radius_of_covariance", (COVARIANCE, 50, 300), {
        "scale of counts": (9 * COVARIANCE, 50, 300),
        "order of units": (renumbered(COVARIANCE), 50, 300),
    }, (COVARIANCE, 100, 300)),
    Case("covariance_spectrum", (X,), {
        "offset of each unit": (X + np.arange(6),),
        "rotation of unit space": (X @ Q6,),
        "order of bins": (permuted(X, 0),),
    }, (2 * X,)),
    Case("participation_ratio_of_counts", (X,), {
        "offset of each unit": (X + np.arange(6),),
        "rotation and isotropic scaling of unit space": (3 * X @ Q6,),
        "permutation of units": (permuted(X, 1),),
    }, (X * np.arange(1, 7),)),
    Case("preferred", (RATES, ANGLES), {"scale and offset of rates": (3 * RATES + 2, ANGLES)}, (RATES[::-1], ANGLES)),
    Case("signal_to_noise", (RESPONSES,), {
        "offset and scale of each unit": (RESPONSES * [1, 2, 3, -4] - 5,),
        "order of stimuli and of repeats": (permuted(permuted(RESPONSES, 0), 1),),
    }, (RESPONSES + RESPONSES.mean(axis=1, keepdims=True),)),
    Case("crackling", (CASCADES,), {
        "order of avalanches": (reordered(CASCADES),),
    }, (SMALL,), {"xmin_size": 5, "xmin_duration": 5}),
    Case("shape_collapse", (CASCADES,), {
        "order of avalanches": (reordered(CASCADES),),
        "scale of activity": (LARGER,),
    }, (SMALL,), reduce=lambda found: np.array([found.gamma, found.error])),
    Case("susceptibility", (COUNTS,), {
        "order of units": (permuted(COUNTS, 1),),
        "of bins": (permuted(COUNTS, 0),),
        "further spikes of a unit in a bin": (3 * COUNTS,),
    }, (ONE_SHUFFLED,)),
    Case("quasicriticality", (RUNS, [0.5, 2, 8]), {
        "order of runs": (RUNS[::-1], [8, 2, 0.5]),
        "order of units": ([permuted(run, 1) for run in RUNS], [0.5, 2, 8]),
    }, (RUNS, [8, 2, 0.5])),
    Case("rate", (TRAIN, 0, 10), {
        "order of spikes": (TRAIN[::-1], 0, 10),
        "shift of spikes and window": (TRAIN + 3, 3, 13),
    }, (TRAIN, 0, 5)),
    Case("per_unit", (BOTH, [40, 30], 10), {"shift of time": (BOTH + 5, [40, 30], 10)}, (BOTH, [40, 30], 20)),
    Case("per_unit", (BOTH, [40, 30], 10), {
        "scale of time (irregularity)": (3 * BOTH, [40, 30], 30),
    }, (BOTH**2, [40, 30], 100), reduce=lambda found: numbers([found.cv, found.cv2, found.lv])),
    Case("bursts", (TRAIN, 0.2), {
        "order of spikes": (TRAIN[::-1], 0.2),
        "shift of time": (TRAIN + 8, 0.2),
    }, (TRAIN, 0.1), reduce=lambda found: numbers([found.stop - found.start, found.n_spikes, found.fraction_in_bursts])),
    Case("population_bursts", (COUNTS,), {"order of units": (permuted(COUNTS, 1),)}, (COUNTS[::-1],)),
    Case("intrinsic_timescales", (SLOW,), {
        "further spikes of a unit in a bin": (3 * SLOW,),
    }, (SLOW[::2],), {"longest_lag_s": 0.1}),
    Case("activation_correlation", (BLOCKS, renumbered(BLOCKS)), {
        "monotonic transformation of either": (np.exp(BLOCKS), renumbered(BLOCKS) ** 3),
    }, (BLOCKS, BLOCKS)),
    Case("network_bursts", (COUNTS,), {"order of units": (permuted(COUNTS, 1),)}, (COUNTS[::-1],)),
    *(
        Case(name, (TRAIN, OTHER, 0, 10), {
            "shift and scale of time": (2 * TRAIN + 6, 2 * OTHER + 6, 6, 26),
            "exchange of the two": (OTHER, TRAIN, 0, 10),
        }, (TRAIN, TRAIN, 0, 10))
        for name in ("isi_distance", "spike_distance")
    ),
    Case("state_dwell", (COUNTS, np.arange(8) // 2), {
        "order of units": (COUNTS[:, [1, 0, 3, 2, 5, 4, 7, 6]], np.arange(8) // 2),
        "order of groups": (COUNTS, 3 - np.arange(8) // 2),
    }, (COUNTS // 2, np.arange(8) // 2), {"bin_s": 0.1, "threshold_hz": 10.0}, reduce=lambda found: np.array(
        [found.mean_dwell_s, found.mean_active]
    )),
    Case("held_out_components", (TENSOR, 2), {"scale of the array": (4 * TENSOR, 2)}, (TENSOR**3, 2)),
    Case("rank_scan", (TENSOR, (1, 2)), {"scale of the array": (4 * TENSOR, (1, 2))}, (TENSOR**3, (1, 2)), {"restarts": 2}),
    Case("affinities", (TRACES,), {
        "offset and scale of each trace": (TRACES * [1, 2, 3, 4] + 5,),
    }, (TRACES * [1, -1, 1, 1],)),
    Case("find_communities", (BLOCKS,), {"scale of weights": (7 * BLOCKS,)}, (renumbered(BLOCKS),), reduce=together),
    *(Case(name, (GRAPH,), TOPOLOGY, (FEWER,)) for name in ("clustering", "characteristic_path_length", "graphlets")),
]  # fmt: skip


def differ(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape != b.shape or not np.allclose(a, b, rtol=1e-6, atol=1e-8, equal_nan=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_measure_does_not_see_what_it_says_it_does_not(case: Case) -> None:
    found = case.value(case.given)
    assert np.isfinite(found).any()
    for words, changed in case.unseen.items():
        assert words in find(case.name).invariances
        assert not differ(found, case.value(changed)), words
    assert differ(found, case.value(case.seen))
