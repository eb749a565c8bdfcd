"""Rows of model recovery: intervals against other implementations and closed forms, chance, and what each measure must see."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from allometry import stores
from allometry.compare import runner
from allometry.compare.inference.statistics import permutation_p
from allometry.compare.kinds.model_recovery import comparison as model_recovery
from allometry.compare.kinds.model_recovery import connectomes, recovery
from allometry.compare.kinds.model_recovery import influences as recovery_influences
from allometry.compare.kinds.model_recovery.recovery import recover
from allometry.compare.measures.graphs.structure import function_given_structure
from allometry.compare.registry import MEASURES
from allometry.errors import ComparisonError
from tests.compare.responses import make_responses

OPTIONS: dict[str, Any] = {"items": 40, "units": 16, "noise": 0.4, "draws": 10, "nulls": 100, "seed": 2}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    found = [model_recovery.model_recovery({}, of=of, **OPTIONS).rows for of in ("representations", "connectomes")]
    return pd.DataFrame([*found[0], *found[1]]).set_index(["measure", "candidate", "reference", "group"])


def _score(rows: pd.DataFrame, measure: str, candidate: str, reference: str) -> float:
    return float(rows.loc[(measure, candidate, reference, ""), "score"])


@pytest.mark.parametrize(
    ("candidate", "unseen", "seen"),
    [
        ("cka", ["permuted", "rotated"], ["rescaled", "linear", "noisy", "different"]),
        ("pwcca", ["permuted", "rotated", "rescaled", "linear"], ["noisy", "different"]),
        ("match_units", ["permuted", "rescaled"], ["rotated", "linear", "different"]),
        ("edge_recall", ["rescaled", "recounted", "shuffled", "added"], ["missed", "rewired", "different"]),
        ("edge_precision", ["rescaled", "recounted", "shuffled", "missed"], ["added", "rewired", "different"]),
        ("edge_jaccard", ["rescaled", "recounted", "shuffled"], ["missed", "added", "different"]),
        ("weight_rank_correlation", ["rescaled", "missed", "added"], ["recounted", "shuffled", "different"]),
    ],
)
def test_a_measure_sees_what_its_invariances_say(
    rows: pd.DataFrame, candidate: str, unseen: list[str], seen: list[str]
) -> None:
    for truth in unseen:
        assert _score(rows, "recovery_sees_change", candidate, truth) == 0.5, truth
        assert rows.loc[("recovery_sees_change", candidate, truth, ""), "p"] > 0.5
        assert rows.loc[("recovery_sees_change", candidate, truth, ""), "verdict"] == "no better"
    for truth in seen:
        assert _score(rows, "recovery_sees_change", candidate, truth) == 1, truth
        assert rows.loc[("recovery_sees_change", candidate, truth, ""), "p"] == pytest.approx(1 / 101)
        assert rows.loc[("recovery_sees_change", candidate, truth, ""), "verdict"] == "better"
        assert rows.loc[("recovery_sees_change", candidate, truth, ""), "ci_low"] > 0.5
        # 20 draws can be told apart always and still say little about the next one: the interval is not a point
        assert rows.loc[("recovery_sees_change", candidate, truth, ""), "ci_low"] < 0.9


@pytest.fixture(scope="module")
def influences() -> pd.DataFrame:
    options = {**OPTIONS, "items": 100, "noise": 0.3}
    rows = model_recovery.model_recovery({}, of="influences", **options).rows
    return pd.DataFrame(rows).set_index(["measure", "candidate", "reference", "group"])


@pytest.mark.parametrize(
    ("candidate", "unseen", "seen"),
    [
        ("influence_auc", ["weight-blind"], ["reversed", "degree only", "indirect", "noisy"]),
        ("weight_response_correlation", [], ["weight-blind", "reversed", "degree only"]),
        ("pair_rank_correlation", ["reversed", "weight-blind"], ["degree only", "indirect"]),
    ],
)
def test_a_measure_of_function_given_structure_sees_what_it_uses(
    influences: pd.DataFrame, candidate: str, unseen: list[str], seen: list[str]
) -> None:
    for truth in unseen:
        assert 0.1 < _score(influences, "recovery_sees_change", candidate, truth) < 0.9, truth
    for truth in seen:
        assert _score(influences, "recovery_sees_change", candidate, truth) > 0.95, truth


def test_measures_of_influences_are_those_of_the_comparison() -> None:
    x, (response, influence) = recovery_influences.TRUTHS["direct"](connectomes.Wiring(60), np.random.default_rng(4))
    expected = function_given_structure(x, response, np.where(influence > 0, 0.01, 0.9), bootstrap=10)
    found = {
        name: measure(x, np.stack([response, influence])) for name, measure in recovery_influences.MEASURES.items()
    }
    assert found["influence_auc"] == pytest.approx(expected.auc.estimate)
    assert found["influence_given_edge"] == pytest.approx(expected.p_edge)
    assert found["influence_ratio"] == pytest.approx(expected.p_edge / expected.p_no_edge)
    assert found["weight_response_correlation"] == pytest.approx(expected.spearman)


def test_generated_influences_follow_what_they_are_said_to() -> None:
    wiring, base = connectomes.Wiring(150, noise=0.1), recovery_influences.BASE_RATE
    apart = ~np.eye(150, dtype=bool)
    x, (response, influence) = recovery_influences.TRUTHS["direct"](wiring, np.random.default_rng(6))
    probability = base + (1 - base) * x / (x + 4)
    assert influence[apart].mean() == pytest.approx(probability[apart].mean(), rel=0.05)
    assert (response - x)[apart].std() == pytest.approx(1, rel=0.05)
    for truth, carrier in (
        ("reversed", lambda w: w.T),
        ("weight-blind", lambda w: w > 0),
        ("indirect", lambda w: w @ w),
    ):
        x, (response, _) = recovery_influences.TRUTHS[truth](wiring, np.random.default_rng(6))
        assert np.corrcoef(carrier(x)[apart], response[apart])[0, 1] > 0.3, truth
    x, (_, influence) = recovery_influences.TRUTHS["unrelated"](wiring, np.random.default_rng(6))
    assert recovery_influences.MEASURES["influence_auc"](x, np.stack([influence, influence])) == pytest.approx(
        0.5, abs=0.02
    )


def test_shuffled_names_give_chance(rows: pd.DataFrame) -> None:
    chance = rows.loc[("recovery_hit_rate", slice(None), model_recovery.ALL, "shuffled names"), :]
    assert len(chance) == 12
    np.testing.assert_allclose(chance["score"], 1 / 8, atol=0.03)
    assert (chance["role"] == "baseline").all()
    own = rows.loc[("recovery_hit_rate", slice(None), model_recovery.ALL, ""), :]
    assert (own["score"].to_numpy() > chance["ci_high"].to_numpy()).all()


def test_hit_rates_are_the_diagonal_of_the_confusion() -> None:
    wiring = connectomes.Wiring(40, noise=0.4)
    found = recover(connectomes.MEASURES, connectomes.TRUTHS, wiring, draws=5, seed=3)
    brute = np.zeros((8, 8))
    for truth in range(8):
        for draw in range(5):
            mean = found.score[2].mean(axis=1)
            mean[truth] = np.delete(found.score[2, truth], draw).mean()
            distance = np.abs(mean - found.score[2, truth, draw])
            near = distance <= distance.min() + 1e-6
            brute[truth] += near / near.sum() / 5
    np.testing.assert_allclose(found.confusion[2], brute, atol=1e-12)
    np.testing.assert_allclose(recovery.attributions(found.score[2]).sum(axis=2), 1)


def test_newcombe_is_hanley_and_mcneils_interval_for_many_scores() -> None:
    m, area = 200_000, 0.8
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    se = np.sqrt((area * (1 - area) + (m - 1) * (q1 - area**2) + (m - 1) * (q2 - area**2)) / m**2)
    found = model_recovery.newcombe(area, m, m)
    np.testing.assert_allclose([found.low, found.high], [area - 1.96 * se, area + 1.96 * se], atol=2e-5)


def test_newcombe_covers_and_is_no_point_at_the_ends() -> None:
    rng = np.random.default_rng(0)
    truth = stats.norm.cdf(1 / np.sqrt(2))
    hits = 0
    for _ in range(400):
        x, y = rng.normal(1, 1, 20), rng.normal(0, 1, 20)
        found = model_recovery.newcombe(float((x[:, None] > y).mean()), 20, 20)
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / 400 <= 0.99
    one = model_recovery.newcombe(1.0, 20, 20)
    assert one.high == 1
    assert 0.8 < one.low < 0.95
    zero = model_recovery.newcombe(0.0, 20, 20)
    assert (zero.low, zero.high) == pytest.approx((0, 1 - one.low))


def test_probability_of_a_higher_score_is_mann_whitneys() -> None:
    rng = np.random.default_rng(1)
    high, low = np.round(rng.normal(0.5, 1, 12), 1), np.round(rng.normal(size=12), 1)
    area, null = model_recovery._higher(high, low, 20_000, rng)
    expected = stats.mannwhitneyu(high, low, alternative="greater", method="asymptotic")
    assert area == expected.statistic / 144
    assert permutation_p(area, null) == pytest.approx(expected.pvalue, abs=0.015)


@pytest.mark.parametrize("truth", ["missed", "added", "rewired", "shuffled"])
def test_generated_connectomes_differ_as_said(truth: str) -> None:
    wiring = connectomes.Wiring(50, noise=0.3)
    candidate, reference = connectomes.TRUTHS[truth](wiring, np.random.default_rng(5))
    edges, expected = np.count_nonzero(candidate), np.count_nonzero(reference)
    assert 0.09 < expected / (50 * 49) < 0.15
    assert not np.diag(candidate).any()
    if truth == "missed":
        assert edges / expected == pytest.approx(0.7, abs=0.08)
        assert (candidate[candidate > 0] == reference[candidate > 0]).all()
    elif truth == "added":
        assert edges == expected + round(0.3 * expected)
        assert (candidate[reference > 0] == reference[reference > 0]).all()
    elif truth == "rewired":
        for axis in (0, 1):
            np.testing.assert_array_equal((candidate > 0).sum(axis), (reference > 0).sum(axis))
        assert (candidate != reference).any()
    else:
        np.testing.assert_array_equal(candidate > 0, reference > 0)
        np.testing.assert_array_equal(np.sort(candidate.ravel()), np.sort(reference.ravel()))


def test_every_measure_under_test_stands_for_registered_ones() -> None:
    for domain in model_recovery.DOMAINS.values():
        assert set(domain.registered) == set(domain.measures)
        assert {name for names in domain.registered.values() for name in names} <= set(MEASURES)


def test_a_store_is_written_without_any_input(tmp_path: Path) -> None:
    options = {"kind": "model_recovery", "of": "connectomes", **OPTIONS, "draws": 5, "nulls": 20}
    for name in ("a", "b"):
        runner.run(options, {}, tmp_path / f"{name}.zarr", cards=tmp_path / f"{name}.cards.json")
    assert stores.diff(tmp_path / "a.zarr", tmp_path / "b.zarr") == []
    tree = stores.open(tmp_path / "a.zarr", check="full")
    assert (tree.attrs["species"], stores.attribute(tree, "source")) == ("none", {})
    assert set(tree["measure"].values.tolist()) <= set(MEASURES)
    shown = tree["curves/recovery"]
    for names in shown["registered"].values.tolist():
        assert set(names.split()) <= set(MEASURES)
    np.testing.assert_allclose(shown["confusion"].sum("attributed"), 1)


@pytest.mark.parametrize(
    ("inputs", "change", "message"),
    [({"x": None}, {}, "reads no stores"), ({}, {"of": "spikes"}, "one of representations, connectomes, influences")],
)
def test_bad_input_is_refused(inputs: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(ComparisonError, match=message):
        model_recovery.model_recovery(inputs, **{"of": "connectomes", **OPTIONS, **change})


def test_representations_are_drawn_from_simulated_populations() -> None:
    rng = np.random.default_rng(1)
    cube = np.maximum(rng.normal(size=(50, 2, 40)), 0.5)  # of 40 units half a response, and more
    store = make_responses(cube, {})
    found = model_recovery.model_recovery({"run": store}, simulated=["run"], **{**OPTIONS, "units": 20, "draws": 6})
    assert "drawn from 1 simulated populations: run" in found.derived["generated"]
    scores = {
        (row["measure"], row["candidate"], row["reference"]): row["score"]
        for row in found.rows
        if row["role"] == "result"
    }
    assert scores["recovery_tells_from_unrelated", "cka", "rotated"] == 1
    assert scores["recovery_sees_change", "cka", "permuted"] == 0.5
    with pytest.raises(ComparisonError, match="gives no 64 units"):
        model_recovery.model_recovery({"run": store}, simulated=["run"], **{**OPTIONS, "units": 32})


def test_silent_patterns_of_a_sparse_code_are_no_obstacle() -> None:
    source = np.zeros((20, 30))
    source[np.arange(20), np.arange(20)] = 1.0
    drawn = recovery.drawn(source, 15, 10, np.random.default_rng(1))
    assert (drawn.std(axis=1) > 0).all()
    assert np.abs(drawn).max() == pytest.approx(1.0, abs=0.05)
