"""Correlations of traces with gaps, and components of their derivative, against pandas and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy.signal import savgol_filter
from sklearn.decomposition import PCA

from allometry.stores.summaries import activity


@pytest.fixture
def traces() -> np.ndarray:
    """Raw fluorescence [time, neurons] with gaps, one neuron without values and one that is constant."""
    rng = np.random.default_rng(1)
    x = 3e4 + rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6))
    x[rng.random(x.shape) < 0.2] = np.nan
    x[:, 4] = np.nan
    x[:, 5] = 0.1
    return x


def test_masked_correlation_equals_pandas(traces: np.ndarray) -> None:
    found, samples = activity.masked_correlation(traces)
    np.testing.assert_allclose(found[:4, :4], pd.DataFrame(traces[:, :4]).corr().to_numpy(), rtol=1e-9)
    assert np.isnan(found[4:]).all()
    known = np.isfinite(traces)
    assert samples[0, 1] == (known[:, 0] & known[:, 1]).sum()


def test_a_trace_that_is_constant_where_the_other_is_known_has_no_correlation() -> None:
    x = np.arange(20.0)
    y = np.where(x < 10, 0.3, x)
    x[10:] = np.nan
    found, samples = activity.masked_correlation(np.stack([x, y], axis=1))
    assert np.isnan(found[0, 1])
    assert (found[0, 0], samples[0, 1]) == (pytest.approx(1), 10)


def test_components_of_the_derivative_equal_scikit_learn() -> None:
    trace = np.cumsum(np.random.default_rng(2).normal(size=(300, 7)), axis=0)
    derivative = savgol_filter(trace, 31, 3, deriv=1, axis=0)
    np.testing.assert_allclose(activity.smoothed_derivative(trace), derivative)
    model = PCA(3).fit(derivative)
    share, loading = activity.principal_components(derivative, 3)
    np.testing.assert_allclose(share, model.explained_variance_ratio_)
    np.testing.assert_allclose(activity.derivative_pca(trace, 3), share)
    spread = np.sqrt(model.explained_variance_ * (len(trace) - 1) / len(trace))
    np.testing.assert_allclose(np.abs(loading), np.abs(model.components_.T * spread))
