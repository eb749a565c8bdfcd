"""Oracles: the linear (Ornstein-Uhlenbeck) network, whose covariance is known; permutations; equal subjects."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from allometry import stores
from allometry.compare.kinds import structure_bold as subject
from allometry.errors import ComparisonError
from tests.compare.conftest import ATTRS

REGIONS = [f"R{i:02d}" for i in range(40)]


def structure(rng: np.random.Generator) -> np.ndarray:
    weight = np.triu(rng.lognormal(0, 2, (40, 40)) * (rng.random((40, 40)) < 0.6), 1)
    return weight + weight.T


def bold(weight: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Independent samples of a linear network x = W x + noise with W = .7 rank(weight) / largest eigenvalue."""
    coupling = stats.rankdata(weight).reshape(weight.shape) * (weight > 0)
    coupling = 0.7 * coupling / np.abs(np.linalg.eigvalsh(coupling)).max()
    return np.linalg.solve(np.eye(40) - coupling, rng.normal(size=(40, samples))).T


@pytest.fixture(scope="module")
def inputs(make_connectome: Callable[..., xr.Dataset]) -> dict[str, xr.Dataset | xr.DataTree]:
    rng = np.random.default_rng(0)
    found: dict[str, xr.Dataset | xr.DataTree] = {}
    recordings = []
    for name in ("s1", "s2", "s3", "s4"):
        weight = structure(rng)
        store = make_connectome(REGIONS, structural=weight)
        stores.set_attributes(store, parameters={"subject": name})
        found[f"dti_{name}"] = store
        trace = bold(weight, 800, rng).astype(np.float32)
        recordings.append(
            stores.Recording(name=name, time=np.arange(800.0), trace=trace, label=REGIONS, resampled=trace)
        )
    found["bold"] = stores.activity(recordings, REGIONS, 1.0, attrs=ATTRS, units="arbitrary")
    return found


@pytest.fixture(scope="module")
def result(inputs: dict[str, xr.Dataset | xr.DataTree]) -> subject.Result:
    names = [name for name in inputs if name != "bold"]
    return subject.structure_bold(inputs, activity=["bold"], structure=names, nulls=199, bootstrap=200, seed=1)


@pytest.fixture(scope="module")
def rows(result: subject.Result) -> pd.DataFrame:
    return pd.DataFrame(result.rows).set_index(["measure", "candidate", "group"])


def test_own_structure_explains_own_function_and_that_of_others_does_not(rows: pd.DataFrame) -> None:
    for name in ("dti_s1", "dti_s2", "dti_s3", "dti_s4"):
        own = rows.loc[("structure_bold_correlation", name, "own")]
        other = rows.loc[("structure_bold_correlation", name, "other_subjects")]
        assert own.score > 0.3
        assert own.p == pytest.approx(1 / 200)
        assert own.ci_low < own.score < own.ci_high
        assert abs(other.score) < 0.15
        assert own.ceiling_low <= own.ceiling_high


def test_score_is_the_spearman_correlation_of_scipy(
    inputs: dict[str, xr.Dataset | xr.DataTree], rows: pd.DataFrame
) -> None:
    upper = np.triu_indices(40, 1)
    _, weight = stores.to_dense(inputs["dti_s2"], "structural")
    trace = stores.split(inputs["bold"])["s2"]["trace"].values.astype(float)
    expected = stats.spearmanr(weight[upper], np.corrcoef(trace.T)[upper]).statistic
    assert rows.loc[("structure_bold_correlation", "dti_s2", "own")].score == pytest.approx(expected)
    assert subject.structure_bold_correlation(weight, trace) == pytest.approx(expected)


def test_group_mean_and_its_interval_over_subjects(rows: pd.DataFrame, result: subject.Result) -> None:
    own = rows.xs("own", level="group").score
    mean = rows.loc[("structure_bold_correlation", "mean over subjects", "mean")]
    assert mean.score == pytest.approx(own.mean())
    reach = stats.t.ppf(0.975, len(own) - 1) * own.std(ddof=1) / np.sqrt(len(own))
    # Percentiles of four subjects cannot leave their range, and would be far too narrow.
    assert (mean.ci_low, mean.ci_high) == pytest.approx((own.mean() - reach, own.mean() + reach), rel=0.05)
    matrix = result.curves["structure_bold_matrix"]["correlation"].values
    assert np.diag(matrix) == pytest.approx(own.to_numpy())
    assert np.diff(result.curves["bold_by_weight"]["correlation"].values)[[0, -1]].min() > 0


def test_own_structure_is_better_than_strengths_and_other_subjects(rows: pd.DataFrame) -> None:
    for name in ("dti_s1", "dti_s2", "dti_s3", "dti_s4"):
        own = rows.loc[("structure_bold_correlation", name, "own")]
        assert own.verdict == "better", name
        assert own.difference == pytest.approx(
            own.score - rows.loc[("structure_bold_correlation", name, own.baseline)].score
        )
        assert own.difference_low > 0
    mean = rows.loc[("structure_bold_correlation", "mean over subjects", "mean")]
    assert mean.verdict == "better"


def test_structure_that_tells_less_than_region_strengths_is_worse(make_connectome: Callable[..., xr.Dataset]) -> None:
    """Every region listens to one signal as strongly as it is connected, whoever it is connected to."""
    rng = np.random.default_rng(4)
    inputs: dict[str, xr.Dataset | xr.DataTree] = {}
    recordings = []
    for name in ("s1", "s2", "s3"):
        weight = structure(rng)
        strength = stats.rankdata(weight.sum(axis=0)) / 40
        trace = (rng.normal(size=(600, 1)) * strength + 0.5 * rng.normal(size=(600, 40))).astype(np.float32)
        inputs[name] = make_connectome(REGIONS, structural=weight)
        stores.set_attributes(inputs[name], parameters={"subject": name})
        recordings.append(
            stores.Recording(name=name, time=np.arange(600.0), trace=trace, label=REGIONS, resampled=trace)
        )
    inputs["bold"] = stores.activity(recordings, REGIONS, 1.0, attrs=ATTRS, units="arbitrary")
    found = subject.structure_bold(inputs, activity=["bold"], structure=["s1", "s2", "s3"], nulls=19, bootstrap=200)
    own = pd.DataFrame(found.rows).query("group in ('own', 'mean')")
    assert own[["verdict", "baseline"]].drop_duplicates().to_numpy().tolist() == [["worse", "strength"]]


def test_missing_subject_and_constant_region(
    inputs: dict[str, xr.Dataset | xr.DataTree], make_connectome: Callable[..., xr.Dataset]
) -> None:
    stranger = make_connectome(REGIONS, structural=np.ones((40, 40)) - np.eye(40))
    stores.set_attributes(stranger, parameters={"subject": "nobody"})
    with pytest.raises(ComparisonError, match="no recording of subject nobody"):
        subject.structure_bold({**inputs, "x": stranger}, activity=["bold"], structure=["x"])
    flat = np.random.default_rng(0).normal(size=(50, 4))
    flat[:, 2] = 3.0
    correlation = subject.functional_connectivity(flat)
    assert np.isnan(correlation[2]).all()
    assert np.isfinite(correlation[np.ix_([0, 1, 3], [0, 1, 3])]).all()


def test_a_subject_in_two_stores_is_refused(inputs: dict[str, xr.Dataset | xr.DataTree]) -> None:
    with pytest.raises(ComparisonError, match=r"subject s1 has recordings in two stores.*\n?.*bold and again"):
        subject.structure_bold({**inputs, "again": inputs["bold"]}, activity=["bold", "again"], structure=["dti_s1"])


def test_a_region_without_any_sample_is_left_out_and_named(inputs: dict[str, xr.Dataset | xr.DataTree]) -> None:
    trace = stores.split(inputs["bold"])["s1"]["trace"].values.copy()
    whole = subject.functional_connectivity(trace)
    trace[:, 5] = np.nan
    correlation = subject.functional_connectivity(trace)
    kept = np.arange(40) != 5
    assert np.isnan(correlation[5]).all()
    assert correlation[np.ix_(kept, kept)] == pytest.approx(whole[np.ix_(kept, kept)])
    recording = stores.Recording(name="s1", time=np.arange(800.0), trace=trace, label=REGIONS, resampled=trace)
    again = {**inputs, "bold": stores.activity([recording], REGIONS, 1.0, attrs=ATTRS, units="arbitrary")}
    found = subject.structure_bold(again, activity=["bold"], structure=["dti_s1"], nulls=20, bootstrap=50)
    assert found.derived["regions_left_out"] == "s1: R05"
    assert found.rows[0]["n"] == 39 * 38 // 2
    with pytest.raises(ComparisonError, match="0 complete samples"):
        subject.functional_connectivity(np.full((9, 4), np.nan))


def test_a_mean_over_subjects_leaves_out_those_that_lack_a_predictor() -> None:
    """Another subject's missing predictor moved values to the wrong subject, or crashed."""
    found = subject._subject_bootstrap(np.array([0.1, np.nan, 0.2, 0.3]), 500, 1)
    assert found.estimate == pytest.approx(0.2)
    assert found.units == 3
    assert np.isnan(subject._subject_bootstrap(np.full(3, np.nan), 50, 1).estimate)
