"""Tables, masked and labelled arrays as arguments: the same number as plain arrays, or a refusal; never another number."""

from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from allometry.compare.inference import arrays, ceilings, partitions, roc
from allometry.compare.inference import statistics as st
from allometry.compare.measures.graphs import edge_weights, structure
from allometry.compare.measures.populations import decoding, tuning
from allometry.compare.measures.representations import (
    crossnobis,
    kernel_analysis,
    mantel,
    rdm,
    similarity,
    topology,
    unit_matching,
)
from allometry.errors import ComparisonError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(10, 4)), RNG.normal(size=(10, 3))
Y[:, :3] += X[:, :3]
NAMES = [f"s{k}" for k in range(10)]
GRAPH = [(RNG.random((10, 10)) < 0.8) * RNG.lognormal(size=(10, 10)) for _ in range(2)]
Q = RNG.random((10, 10))
TRIALS = RNG.normal(size=(10, 4, 5)) + X[:, None, :1]
LABEL = RNG.random(10) < 0.5
LABEL[:2] = True, False
ANGLES = np.arange(10) * np.pi / 5

PAIRS: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...], int]] = {
    "rsa": (rdm.rsa, (X[:, 0], Y[:, 0]), 1),
    "trsa": (lambda a, b: topology.trsa(a, b, 0.1, 0.9), (X[:, 0], Y[:, 0]), 1),
    "rsa_permutation": (lambda a, b: mantel.rsa_permutation(a, b, n=9).observed, (X[:, 0], Y[:, 0]), 1),
    "ssm": (rdm.ssm, (X, Y), 1),
    "cca": (similarity.cca, (X, Y), 1),
    "cca_mean": (similarity.cca_mean, (X, Y), 1),
    "svcca": (similarity.svcca, (X, Y), 1),
    "pwcca": (similarity.pwcca, (X, Y), 1),
    "cka": (similarity.cka, (X, Y), 1),
    "rv": (similarity.rv, (X, Y), 1),
    "procrustes": (similarity.procrustes, (X, Y), 1),
    "match_units": (lambda x, y: unit_matching.match_units(x, y)[1], (X, Y), 1),
    "kernel_analysis": (lambda x, y: kernel_analysis.kernel_analysis(x, y).error, (X, Y[:, 0]), 1),
    "decode_across": (lambda a, b: decoding.decode_across(a, b, dimensions=2).accuracy, (TRIALS, TRIALS[:, ::-1]), 1),
    "osi": (tuning.osi, (np.abs(X), ANGLES), 1),
    "auc": (roc.auc, (X[:, 0], LABEL), 1),
    "nmi": (partitions.nmi, (np.arange(10) % 3, np.arange(10) // 4), 1),
    "agreement": (lambda a, b: structure.agreement(a, b).weight_rank_correlation, tuple(GRAPH), 2),
    "weights_within_nodes": (lambda a, b: edge_weights.weights_within_nodes(a, b).correlation, tuple(GRAPH), 2),
    "function_given_structure": (
        lambda w, v, q: structure.function_given_structure(w, v, q, alpha=0.4, bootstrap=5).auc.estimate,
        (*GRAPH, Q),
        2,
    ),
    "rank_correlation": (structure.rank_correlation, tuple(GRAPH), 2),
    "bootstrap": (
        lambda x, y: st.bootstrap(lambda a, b: float(a[:, 0] @ b[:, 0]), x, y, seed=0, n=3).estimate,
        (X, Y),
        1,
    ),
}


def as_xarray(x: np.ndarray, axes: int) -> xr.DataArray:
    dims = ["item", "other", "more"][:axes] + [f"own {k}" for k in range(x.ndim - axes)]
    return xr.DataArray(x, dims=dims, coords=dict.fromkeys(dims[:axes], NAMES))


def as_pandas(x: np.ndarray, axes: int) -> pd.DataFrame | pd.Series:
    if x.ndim == 1:
        return pd.Series(x, index=NAMES)
    return pd.DataFrame(x, index=NAMES, columns=NAMES if axes == 2 else None)


def shuffled(x: Any, axes: int, order: np.ndarray) -> Any:
    for axis in range(axes):
        x = x.isel({x.dims[axis]: order}) if isinstance(x, xr.DataArray) else x.take(order, axis=axis)
    return x


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("name", "label"),
    # a table has two dimensions
    [(name, as_xarray) for name in PAIRS]
    + [(name, as_pandas) for name, (_, given, _) in PAIRS.items() if max(x.ndim for x in given) <= 2],
)
def test_labels_in_another_order_give_the_same_number(name: str, label: Callable[..., Any]) -> None:
    call, given, axes = PAIRS[name]
    order = np.random.default_rng(1).permutation(10)
    expected = call(*given)
    first, *rest = (label(x, axes) for x in given)
    np.testing.assert_allclose(call(first, *rest), expected)
    np.testing.assert_allclose(call(first, *(shuffled(x, axes, order) for x in rest)), expected, rtol=1e-9)
    other = rest[0]
    if isinstance(other, xr.DataArray):
        other = other.assign_coords({other.dims[0]: ["unknown", *NAMES[1:]]})
    else:
        other = other.rename(index={"s0": "unknown"})
    with pytest.raises(ComparisonError, match="other labels"):
        call(first, other, *rest[1:])


def test_dimensions_in_another_order_are_refused() -> None:
    x = xr.DataArray(np.eye(4), dims=["stimulus", "unit"])
    with pytest.raises(ComparisonError, match="has dimension 'unit' where x has 'stimulus'"):
        similarity.cka(x, x.T)


def test_a_graph_whose_columns_are_in_another_order_than_its_rows() -> None:
    table = as_pandas(GRAPH[0], 2)
    assert isinstance(table, pd.DataFrame)
    assert structure.agreement(table[NAMES[::-1]], GRAPH[0]).weight_rank_correlation == pytest.approx(1)
    with pytest.raises(ComparisonError, match="the rows of graph and the columns of graph"):
        structure.agreement(table.rename(columns={"s0": "x"}), GRAPH[0])


SINGLE: dict[str, tuple[Callable[..., Any], np.ndarray]] = {
    "rdm": (rdm.rdm, X),
    "noise_ceiling": (rdm.noise_ceiling, np.abs(X[:6, :3]).T[:, [0, 1, 2, 3, 4, 5]]),
    "crossnobis": (lambda x: crossnobis.crossnobis(x, whiten=False), TRIALS),
    "reliability": (lambda x: tuning.reliability(x, 5), TRIALS),
    "split_half": (lambda x: ceilings.split_half(x, seed=0, splits=5), TRIALS),
    "decode_within": (lambda x: decoding.decode_within(x).accuracy, TRIALS),
}


@pytest.mark.parametrize("name", SINGLE)
def test_tables_xarray_and_dask_give_the_number_of_the_plain_array(name: str) -> None:
    call, x = SINGLE[name]
    dims = [f"d{k}" for k in range(x.ndim)]
    given: list[Any] = [xr.DataArray(x, dims=dims), np.ma.masked_invalid(x)]
    if x.ndim == 2:
        given += [pd.DataFrame(x), pd.DataFrame(x).astype("Float64")]
    if name in ("rdm", "crossnobis"):
        given += [da.from_array(x), xr.DataArray(da.from_array(x), dims=dims)]
    for form in given:
        np.testing.assert_allclose(call(form), call(x), rtol=1e-12)


def test_what_is_masked_or_missing_is_no_value() -> None:
    masked = np.ma.masked_greater(X, X.max() - 1e-9)
    with pytest.raises(ComparisonError, match="1 values that are NaN"):
        similarity.cka(masked, Y)
    with pytest.raises(ComparisonError, match="1 values that are NaN"):
        rdm.rdm(masked)
    table = pd.DataFrame(X).astype("Float64")
    table.iloc[0, 0] = pd.NA
    assert np.isnan(arrays.numbers(table, "table")).sum() == 1
    trials = np.ma.masked_array(TRIALS, np.zeros(TRIALS.shape, bool))
    trials[0, 0] = np.ma.masked
    missing = TRIALS.copy()
    missing[0, 0] = np.nan
    np.testing.assert_allclose(tuning.reliability(trials, 5), tuning.reliability(missing, 5))
    with pytest.raises(ComparisonError, match="is a Dataset"):
        rdm.rdm(xr.Dataset({"response": (("a", "b"), X)}))
