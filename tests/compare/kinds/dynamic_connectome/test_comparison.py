"""Oracles: planted groups of neurons that move together, with and without a common time; circular shifts; every split."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.optimize import linear_sum_assignment

from allometry import stores
from allometry.compare.inference import verdict
from allometry.compare.inference.partitions import nmi
from allometry.compare.kinds.dynamic_connectome import comparison as subject
from allometry.compare.kinds.dynamic_connectome import coupling_tensor
from allometry.compare.kinds.dynamic_connectome.chance import without_each_animal
from allometry.compare.measures.tensors.decomposition import normalised
from allometry.compare.measures.tensors.incomplete import Incomplete
from allometry.errors import ComparisonError
from tests.compare.conftest import ATTRS, labels

NAMES = labels(8)  # 16 neurons
FIRST, SECOND = np.repeat([0, 1], 8), np.tile([0, 1], 8)
# samples of the two stretches of a recording, and which neurons swing together and against the others in them
STRETCHES = ((50, 400, FIRST), (500, 850, SECOND))


@pytest.fixture(autouse=True)
def few_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "PERMUTATIONS", 99)


def recordings(common_time: bool, seed: int, animals: int = 4, coupled: bool = True) -> xr.DataTree:
    """Two groups in antiphase, regrouped half-way; the recording starts anywhere in that in every animal, or not."""
    rng = np.random.default_rng(seed)
    found = []
    for animal in range(animals):
        samples = np.arange(900)
        trace = 0.02 * rng.normal(size=(900, 16)).cumsum(axis=0)
        moved = 0 if common_time else int(rng.integers(0, 900))
        for neuron in range(16):
            if not coupled:  # a clock of its own, all the time
                trace[:, neuron] += 0.8 * np.sin(rng.uniform(0.3, 0.7) * samples + rng.uniform(0, 2 * np.pi))
                continue
            for start, stop, group in STRETCHES:
                there = (samples >= start) & (samples < stop)
                trace[:, neuron] += 0.8 * np.roll(there * np.sin(0.5 * samples + np.pi * group[neuron]), moved)
        trace = trace.astype(np.float32)
        trace[:, animal * 3] = np.nan  # one neuron is not labelled in each animal
        found.append(stores.Recording(name=f"w{animal}", time=samples * 0.5, trace=trace, label=NAMES, resampled=trace))
    return stores.activity(found, NAMES, 2.0, attrs=ATTRS, units="1")


def run(inputs: dict[str, xr.Dataset | xr.DataTree], **options: object) -> tuple[pd.DataFrame, subject.Result]:
    defaults = {"activity": ["worms"], "ranks": [1, 2, 3], "restarts": 3, "nulls": 9, "smooth_s": 1.0, "bin_s": 5.0}
    result = subject.dynamic_connectome(inputs, **{**defaults, **options})
    return pd.DataFrame(result.rows).set_index(["measure", "group"]).sort_index(), result


def test_planted_motifs_their_timing_and_their_communities_are_found(
    make_connectome: Callable[..., xr.Dataset],
) -> None:
    other = ~np.eye(16, dtype=bool)
    anatomy = make_connectome(NAMES, chemical=other * np.where(FIRST[:, None] == FIRST[None], 5.0, 0.1))
    inputs = {"worms": recordings(True, 1), "anatomy": anatomy}
    rows, result = run(inputs, structure=["anatomy"], synapses=["chemical"])
    motifs = result.curves["motifs_worms"]
    assert motifs.sizes["motif"] == 2
    assert result.curves["motif_rank"]["chosen"].item() == 2
    for start, stop, group in STRETCHES:
        inside = (motifs["time"].values * 2 >= start) & (motifs["time"].values * 2 < stop)
        course = motifs["time_course"].values / motifs["time_course"].values.sum(axis=1, keepdims=True)
        motif = int(course[:, inside].sum(axis=1).argmax())
        assert course[motif, inside].sum() > 0.9
        assert nmi(motifs["community"].values[motif], group) == pytest.approx(1)
        assert motifs["modularity"].values[motif] > 0.4  # two groups without affinity between them: 1/2
    explained = rows.loc["ntf_explained"]
    assert explained.loc["motifs"].score > explained.loc["shifted_neurons"].ci_high
    assert explained.loc["motifs"].score > explained.loc["constant"].score
    assert explained.loc["motifs"].p == explained.loc["shifted_animals"].p == pytest.approx(1 / 10)
    found = explained.loc["motifs"]
    assert (found.verdict, found.baseline) == ("undecided", "shifted_animals")  # nine shifts are too few
    assert found.difference == pytest.approx(found.score - explained.loc["shifted_animals"].score)
    assert rows.loc[("community_nmi", "halves")].verdict == "better"
    assert rows.loc[("motif_modularity", "motifs")].verdict == "undecided"
    assert rows.loc[("ntf_similarity", "motifs")].score > 0.95
    assert rows.loc[("motif_modularity", "motifs")].p == pytest.approx(1 / 10)
    assert rows.loc[("motif_match", "halves")].score > 0.8
    halves = rows.loc[("community_nmi", "halves")]
    assert halves.score > 0.9
    assert halves.p == pytest.approx(1 / 100)
    assert halves.ci_low <= halves.score <= halves.ci_high
    # one motif has the modules of the connectome, the other is orthogonal to them
    assert rows.loc[("community_nmi", "modules")].score == pytest.approx(0.5, abs=0.05)


def test_coupling_without_a_common_time_is_told_apart() -> None:
    rows, _ = run({"worms": recordings(False, 2)}, ranks=[2], restarts=2)
    explained = rows.loc["ntf_explained"]
    assert explained.loc["motifs"].p == pytest.approx(1 / 10)  # neurons are coupled
    assert explained.loc["shifted_animals"].p > 0.1  # but no time is shared
    assert rows.loc[("motif_match", "halves")].p < 0.05  # the same pairs in other animals
    assert explained.loc["motifs"].verdict != "better"


def test_gain_over_constant_coupling_without_each_animal() -> None:
    rng = np.random.default_rng(5)
    time, animal, pair = (rng.random((size, 2)) for size in (30, 5, 12))
    values = np.einsum("tr,ar,pr->tap", time, animal, pair) + 0.05 * rng.random((30, 5, 12))
    observed = rng.random((5, 12)) < 0.8
    tensor = Incomplete(np.where(observed, values, np.nan), observed)
    factors = normalised(np.ones(2), [time, animal, pair], 0.1)
    gains = without_each_animal(tensor, factors)
    model = np.einsum("r,tr,ar,pr->tap", factors.weights, *factors.modes)
    for a in range(5):
        kept = observed.copy()
        kept[a] = False
        x, m = values[:, kept], model[:, kept]
        expected = (((x - x.mean(axis=0)) ** 2).sum() - ((x - m) ** 2).sum()) / (x**2).sum()
        assert gains[a] == pytest.approx(expected)
    found = verdict.jackknifed("constant", 0.9, 0.9 - gains.mean(), gains)
    assert verdict.judge(found.difference, margin=0.02) == "better"


def test_uncoupled_neurons_are_like_their_null() -> None:
    rows, _ = run({"worms": recordings(True, 3, coupled=False)}, ranks=[2], restarts=2)
    assert rows.loc[("motif_modularity", "motifs")].p > 0.1
    assert rows.loc[("motif_match", "halves")].score < 0.35


def test_missing_pairs_are_missing_and_shifts_keep_every_neuron() -> None:
    found = coupling_tensor.read_recorded("x", recordings(True, 1), 0.75, 0.5, 5.0)
    tensor = found.tensor(found.slopes)
    assert tensor.values.shape == (90, 4, 120)
    assert tensor.observed.sum(axis=1).tolist() == [105] * 4  # 15 of 16 neurons in each animal
    shifted = found.shifted(np.random.default_rng(0))
    for own, moved in zip(found.slopes, shifted):
        np.testing.assert_allclose(np.sort(moved, axis=0), np.sort(own, axis=0))
        assert not np.array_equal(moved, own, equal_nan=True)


def test_the_estimate_is_that_of_the_tensor() -> None:
    (need,) = subject.estimates({"x": recordings(True, 1)}, activity=["x"], bin_s=5.0)
    assert need.peak_bytes == 24 * 90 * 4 * 120
    (more,) = subject.estimates({"x": recordings(True, 1)}, activity=["x"], bin_s=5.0, nulls=400)
    assert more.operations > 3 * need.operations > 0


def test_neurons_of_few_recordings_are_left_out() -> None:
    tree = recordings(True, 1)
    everywhere = coupling_tensor.read_recorded("x", tree, 1.0, 0.5, 5.0)
    assert everywhere.neurons == [name for k, name in enumerate(NAMES) if k not in (0, 3, 6, 9)]


def test_splits_are_all_halves_once() -> None:
    assert coupling_tensor.splits(4, 0) == [([0, 1], [2, 3]), ([0, 2], [1, 3]), ([0, 3], [1, 2])]
    assert len(coupling_tensor.splits(5, 0)) == 10
    many = coupling_tensor.splits(9, 0)
    assert len(many) == 10
    assert all(sorted(a + b) == list(range(9)) for a, b in many)


def test_permutation_of_neurons_moves_pairs() -> None:
    square = np.arange(25.0).reshape(5, 5)
    square = square + square.T
    upper = np.triu_indices(5, 1)
    order = np.array([2, 0, 1, 4, 3])
    expected = square[np.ix_(order, order)][upper]
    assert subject._permuted(square[upper][None], order)[0].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"share": 1.0}, "12 neurons"), ({"bin_s": 100.0}, "4 bins"), ({}, "2 recordings")],
)
def test_what_cannot_be_compared_is_said(
    options: dict[str, float], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coupling_tensor, "FEWEST_NEURONS", 14)
    tree = recordings(True, 1, animals=4 if options else 2)
    with pytest.raises(ComparisonError, match=message):
        subject.dynamic_connectome({"worms": tree}, activity=["worms"], **options)


def test_motifs_are_matched_by_the_correlations_of_numpy_and_anew_in_every_permutation() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((3, 45)), rng.random((3, 45))
    a[0, :10], b[2, 5:9] = np.nan, np.nan
    expected = np.array(
        [[np.corrcoef(u[k], v[k])[0, 1] for v in b for k in [np.isfinite(u) & np.isfinite(v)]] for u in a]
    )
    found = subject.matched_motifs(a, b)
    rows, columns = linear_sum_assignment(expected, maximize=True)
    assert [(i, j) for i, j, _ in found] == list(zip(rows.tolist(), columns.tolist()))
    assert [value for _, _, value in found] == pytest.approx(expected[rows, columns].tolist())
    # The best of several matches is high by chance: so is the null that goes with it.
    assert np.mean([value for _, _, value in found]) > expected.mean() + 0.05
    assert subject.matched_motifs(np.full((1, 5), 0.1), a[:1, 10:15])[0][2] == 0
