"""Oracles: the published shares of variance, animals that share a manifold by construction, unrelated animals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry import stores
from allometry.compare.inference import verdict
from allometry.compare.kinds.activity_manifolds import animal_manifold
from allometry.compare.kinds.activity_manifolds import comparison as subject
from allometry.errors import ComparisonError
from allometry.homogenize.reader import Source
from allometry.homogenize.readers.kato2015 import READER
from allometry.stores.summaries.activity import derivative_pca
from tests.compare.conftest import ATTRS, labels

NAMES = labels(10)
STATES = ["forward", "reverse", "turn"]


def worms(shared: bool, seed: int = 0, animals: int = 3, with_states: bool = True) -> xr.DataTree:
    """Animals whose two latent variables follow a cycle of three states; loadings of neurons are the same or each animal's own."""
    rng = np.random.default_rng(seed)
    loading = rng.normal(size=(2, 20))
    found = []
    for animal in range(animals):
        state, level = [], []
        while len(state) < 1500:
            bout = len(state) and (STATES.index(state[-1]) + 1) % 3
            length = int(rng.integers(25, 60))
            angle = 2 * np.pi * bout / 3
            state += [STATES[bout]] * length
            level += [[np.cos(angle), np.sin(angle)]] * length
        latent = np.array(level[:1500])
        latent = np.apply_along_axis(lambda x: np.convolve(x, np.ones(9) / 9, mode="same"), 0, latent)
        own = loading if shared else rng.normal(size=(2, 20))
        # the animals' neurons are listed in another order, and each has one that the others lack
        order = rng.permutation(20)
        trace = (latent @ own + 0.15 * rng.normal(size=(1500, 20))).astype(np.float32)[:, order]
        label = ["" if k == animal else NAMES[k] for k in order]
        canonical = np.full((1500, 20), np.nan, dtype=np.float32)
        for column, name in enumerate(label):
            if name:
                canonical[:, NAMES.index(name)] = trace[:, column]
        extra = {"state": (("time",), np.array(state[:1500], dtype=object), {})} if with_states else {}
        found.append(
            stores.Recording(
                name=f"w{animal}", time=np.arange(1500) / 3, trace=trace, label=label, resampled=canonical, extra=extra
            )
        )
    return stores.activity(found, NAMES, 3.0, attrs=ATTRS, units="1")


def run(tree: xr.DataTree, **options: object) -> tuple[pd.DataFrame, subject.Result]:
    defaults = {"components": 2, "nulls": 99, "bootstrap": 100, "folds": 3}
    result = subject.activity_manifolds({"worms": tree}, activity=["worms"], **{**defaults, **options})
    return pd.DataFrame(result.rows).set_index(["measure", "candidate", "group"]).sort_index(), result


def test_animals_that_share_a_manifold_are_found_to_and_decode_each_other() -> None:
    rows, result = run(worms(True))
    for measure in ("manifold_procrustes", "manifold_cca"):
        mean = rows.loc[(measure, "all pairs", "mean")]
        assert mean.score > 0.95
        assert mean.p == pytest.approx(1 / 100)
        assert rows.loc[(measure, "all pairs", "permuted_neurons")].ci_high < 0.7
        assert (mean.verdict, mean.baseline) == ("better", "permuted_neurons")
        pair = rows.loc[(measure, "w0", "w1")]
        assert pair.verdict == "better"
        assert pair.n == 18
        assert pair.ci_low <= pair.score <= pair.ci_high + 1e-9
    decoded = rows.loc["state_decoding"].loc["all pairs"]
    assert decoded.loc["neurons"].score > 0.85
    assert decoded.loc["manifold"].score > 0.85
    assert decoded.loc["neurons"].p == pytest.approx(1 / 100)
    assert (decoded.loc["neurons"].verdict, decoded.loc["neurons"].baseline) == ("better", "shuffled neurons")
    # the components come in the same order in all animals: turning them brings nothing
    assert (decoded.loc["manifold"].verdict, decoded.loc["manifold"].baseline) == ("no better", "unaligned")
    held = decoded.loc[decoded.loc["manifold"].baseline]
    assert decoded.loc["manifold"].difference == pytest.approx(decoded.loc["manifold"].score - held.score)
    explained = rows.loc[("manifold_explained", "w0", "first 2")]
    assert (explained.verdict, explained.baseline) == ("better", "shifted neurons")
    assert decoded.loc["within neurons"].score > 0.85
    low, high = decoded.loc["shuffled neurons"][["ci_low", "ci_high"]]
    assert low < 1 / 3 < high < 0.6
    curve = result.curves["states_worms"]
    assert np.trace(curve["confusion"].values) / 3 > 0.85
    assert curve["decoding_neurons"].values.shape == (3, 3)
    assert curve["trajectory"].sizes == {"animal": 3, "sample": 1200, "component": 2}


def test_animals_with_manifolds_of_their_own_are_at_chance() -> None:
    rows, _ = run(worms(False, seed=1))
    assert rows.loc[("manifold_procrustes", "all pairs", "mean")].p > 0.01
    assert rows.loc[("manifold_procrustes", "all pairs", "mean")].verdict != "better"
    assert rows.loc["state_decoding"].loc["all pairs"].loc["neurons"].verdict != "better"
    decoded = rows.loc["state_decoding"].loc["all pairs"]
    assert decoded.loc["neurons"].p > 0.01
    assert decoded.loc["within neurons"].score > 0.85  # there is something to decode


def test_explained_shares_are_those_of_the_summary() -> None:
    tree = worms(True, with_states=False)
    rows, result = run(tree)
    trace = tree["native/w1/trace"].values
    assert rows.loc[("manifold_explained", "w1", "first 2")].score == pytest.approx(
        derivative_pca(trace, 2).sum(), rel=1e-6
    )
    assert "state_decoding" not in rows.index.get_level_values("measure")
    assert "no decoding" in result.derived["states_worms"]


def test_published_shares_of_kato2015(mirror: Path) -> None:
    folder = mirror / "celegans_activity/kato2015"
    names = ["known_neurons.npz", *(f"raw_full_data_worm_{n}.npz" for n in range(1, 5))]
    tree = READER({name: folder / name for name in names}, Source("kato2015"), {})
    animals = animal_manifold.read_animals("kato2015", tree, 3, ["state"])
    assert [a.explained.sum() for a in animals] == pytest.approx([0.700, 0.694, 0.651, 0.666], abs=6e-4)


def test_numbers_stand_for_states_and_the_first_variable_counts() -> None:
    native = xr.Dataset(
        {
            "reversal_vec": ("time", np.array([0.0, 1.0, np.nan])),
            "velocity": (("time", "axis"), np.ones((3, 2))),
            "state": ("time", np.array(["a", "", "b"], dtype=object)),
        }
    )
    found = animal_manifold._states(native, ["velocity", "reversal_vec", "state"])
    assert found is not None
    assert found.tolist() == ["reversal_vec 0", "reversal_vec 1", ""]
    text = animal_manifold._states(native, ["state", "reversal_vec"])
    assert text is not None
    assert text.tolist() == ["a", "", "b"]
    assert animal_manifold._states(native, ["velocity"]) is None


def test_loadings_are_standard_deviations_along_the_components() -> None:
    rng = np.random.default_rng(3)
    data = rng.normal(size=(400, 6)) @ rng.normal(size=(6, 6))
    share, loading = animal_manifold.derivative_components(data, 6)
    assert share.sum() == pytest.approx(1)
    np.testing.assert_allclose(loading @ loading.T, np.cov(data.T, bias=True), rtol=1e-9, atol=1e-9)
    assert (loading[np.abs(loading).argmax(axis=0), range(6)] > 0).all()


def test_interval_over_animals_is_the_jackknife() -> None:
    # values a_i + a_j: leaving out animal k gives the mean over the pairs of the others
    a = np.array([0.1, 0.2, 0.15, 0.3])
    pairs = {(i, j): float(a[i] + a[j]) for i in range(4) for j in range(i)}
    found = subject.over_animals(pairs, 4)
    left = np.array([np.mean([v for p, v in pairs.items() if k not in p]) for k in range(4)])
    error = np.sqrt(3 / 4 * ((left - left.mean()) ** 2).sum())
    assert found.estimate == pytest.approx(2 * a.mean())
    assert found.high - found.estimate == pytest.approx(3.182446 * error, rel=1e-5)
    assert np.isnan(subject.over_animals({(0, 1): 0.5}, 2).low)


def test_independent_neurons_have_no_manifold_beyond_their_shifts() -> None:
    rng = np.random.default_rng(8)
    better = 0
    for seed in range(40):
        # a stationary rhythm each: a circular shift leaves no seam
        phase = 2 * np.pi * (rng.integers(1, 40, (8, 12)) * np.arange(300)[:, None, None] / 300 + rng.random((8, 12)))
        slow = np.sin(phase).sum(axis=1)
        share = animal_manifold.derivative_components(slow, 2)[0].sum()
        null = animal_manifold.shifted_shares(slow, 2, seed)
        better += verdict.judge(verdict.over_null("shifted", float(share), null).difference, margin=0.02) == "better"
    assert better <= 5


def test_animals_without_shared_neurons_are_refused() -> None:
    with pytest.raises(ComparisonError, match="w0 and w1 share 18 neurons"):
        subject.activity_manifolds({"worms": worms(True)}, activity=["worms"], components=17)
    with pytest.raises(ComparisonError, match="1 recordings"):
        subject.activity_manifolds({"worms": worms(True, animals=1)}, activity=["worms"])


def test_both_directions_of_a_pair_are_one_test_in_the_null_of_their_mean() -> None:
    """What i finds in j by chance j finds in i: as if they were independent, p of the mean was below .05 in .12."""
    rng = np.random.default_rng(0)
    nulls = {(i, j): rng.normal(size=4000) for i in range(3) for j in range(3) if i != j}
    assert subject.across_null(nulls).std() == pytest.approx(1 / np.sqrt(3), rel=0.05)
