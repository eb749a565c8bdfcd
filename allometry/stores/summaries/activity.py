"""Comparable numbers of Activity stores: sizes, coverage of the canonical axis, correlations, dimensionality."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.runs import not_finite

KATO_WINDOW, KATO_ORDER = 31, 3
ROUNDING = 1e-12  # spread, relative to the values, below which only rounding tells values apart


def numbers(tree: xr.DataTree) -> dict[str, Any]:
    """Size of one Activity store.

    Parameters
    ----------
    tree : xarray.DataTree
        Activity store.

    Returns
    -------
    dict
        `recordings`, `rois`, `labelled_per_recording` (mean), `unique_labels`, `hours`, `native_rate_hz` (lowest, median,
        highest), `missing_fraction` (of all native samples), `ambiguous_labels`.
    """
    root = tree.to_dataset(inherit=False)
    natives = [
        tree.children["native"].children[name].to_dataset(inherit=False) for name in root["recording"].values.tolist()
    ]
    samples = [native["trace"].size for native in natives]
    missing = [not_finite(native["trace"]) for native in natives]
    rates = np.asarray(root["native_rate"].values)
    recorded = np.asarray(root["recorded"].values)
    ambiguous = sum(
        int((native["label_candidates"].values != "").sum()) for native in natives if "label_candidates" in native
    )
    return {
        "recordings": len(natives),
        "rois": sum(native.sizes["roi"] for native in natives),
        "labelled_per_recording": float(recorded.sum(axis=1).mean()),
        "unique_labels": int(recorded.any(axis=0).sum()),
        "hours": float(sum(native["time"].values[-1] - native["time"].values[0] for native in natives) / 3600),
        "native_rate_hz": [float(rates.min()), float(np.median(rates)), float(rates.max())],
        "missing_fraction": float(sum(missing) / sum(samples)),
        "ambiguous_labels": ambiguous,
    }


def table(trees: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """`numbers` of several stores, one row per store, and a last row `all` (sums; unique labels of the union)."""
    rows = {name: numbers(tree) for name, tree in trees.items()}
    frame = pd.DataFrame.from_dict(rows, orient="index")
    if len(rows) < 2:
        return frame
    seen = coverage(trees)
    share = frame["rois"] / frame["rois"].sum()
    rates = [rate for row in rows.values() for rate in row["native_rate_hz"]]
    everything: dict[str, Any] = {
        "recordings": frame["recordings"].sum(),
        "rois": frame["rois"].sum(),
        "labelled_per_recording": float(seen.to_numpy().sum(axis=1).mean()),
        "unique_labels": int(seen.to_numpy().any(axis=0).sum()),
        "hours": frame["hours"].sum(),
        "native_rate_hz": [min(rates), float(np.median(rates)), max(rates)],
        "missing_fraction": float((frame["missing_fraction"] * share).sum()),
        "ambiguous_labels": frame["ambiguous_labels"].sum(),
    }
    return pd.DataFrame.from_dict({**rows, "all": everything}, orient="index")


def coverage(trees: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """Which neuron was recorded where.

    Returns
    -------
    pandas.DataFrame
        Booleans (recording, neuron); the index has the levels `store` and `recording`.
    """
    parts = []
    for name, tree in trees.items():
        root = tree.to_dataset(inherit=False)
        recordings = root["recording"].values.tolist()
        index = pd.MultiIndex.from_product([[name], recordings], names=["store", "recording"])
        neurons = root["neuron"].values.tolist()
        parts.append(pd.DataFrame(np.asarray(root["recorded"].values), index=index, columns=neurons))
    if not parts:
        raise StoreError(what="No store to summarise.", expected="at least one Activity store")
    return pd.concat(parts).fillna(False).astype(bool)


def masked_correlation(traces: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Pearson correlations over the samples that both have.

    Parameters
    ----------
    traces : array_like, shape (n_samples, n)
        NaN where missing.

    Returns
    -------
    correlation, samples : numpy.ndarray, shape (n, n)
        NaN where one of the two does not vary over the samples that both have (by more than rounding leaves); the number of
        these samples.
    """
    data = np.asarray(traces, dtype=np.float64)
    finite = np.isfinite(data)
    # Centred first: sums of squares of raw fluorescence would lose the digits that matter.
    with np.errstate(invalid="ignore", divide="ignore"):
        offset = np.where(finite.any(axis=0), np.nansum(data, axis=0) / np.maximum(finite.sum(axis=0), 1), 0.0)
        x = np.where(finite, data - offset, 0.0)
        seen = finite.astype(np.float64)
        n = seen.T @ seen
        sums = x.T @ seen  # sum of x over the samples where y exists
        squares = (x * x).T @ seen
        covariance = x.T @ x - sums * sums.T / n
        variance = squares - sums * sums / n
        r = covariance / np.sqrt(variance * variance.T)
        # A trace can be constant over the samples of one pair only, where it is the difference of two equal sums.
        largest = np.abs(np.where(finite, data, 0.0)).max(axis=0, initial=np.finfo(float).tiny)[:, None]
        moves = (variance > ROUNDING * squares) & (np.sqrt(np.maximum(variance / n, 0)) > ROUNDING * largest)
    return np.clip(np.where(moves & moves.T, r, np.nan), -1.0, 1.0), n


def principal_components(
    values: npt.NDArray[np.float64], components: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Principal components of values that are centred here.

    Parameters
    ----------
    values : numpy.ndarray, shape (n_samples, n)
        No NaN.
    components : int
        How many, at most.

    Returns
    -------
    share : numpy.ndarray, shape (components,)
        Share of the total variance of each, largest first.
    loading : numpy.ndarray, shape (n, components)
        Weights in units of the values, times the standard deviation along each component.
    """
    _, spread, axes = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    loading = axes[:components].T * spread[:components] / np.sqrt(len(values))
    return spread[:components] ** 2 / (spread**2).sum(), loading


def smoothed_derivative(trace: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Derivative per sample by a Savitzky-Golay filter (31 samples, order 3; Kato et al. 2015, Cell 163:656).

    Parameters
    ----------
    trace : array_like, shape (n_samples, n_roi)
        Native traces without NaN, at least 31 samples.
    """
    from scipy.signal import savgol_filter  # slow to import, and only needed here

    return np.asarray(savgol_filter(trace, KATO_WINDOW, KATO_ORDER, deriv=1, axis=0))


def derivative_pca(trace: npt.ArrayLike, components: int = 3) -> npt.NDArray[np.float64]:
    """Share of variance of the first principal components of the smoothed derivative.

    Parameters
    ----------
    trace : array_like, shape (n_samples, n_roi)
        Native traces without NaN, unscaled.
    components : int
        How many components.

    Returns
    -------
    numpy.ndarray, shape (components,)
        Share of the total variance of each component, largest first.

    Notes
    -----
    Kato et al. 2015 (Cell 163:656): the derivative comes from a Savitzky-Golay filter (31 samples, order 3).
    """
    values = np.asarray(trace, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] < KATO_WINDOW or not np.isfinite(values).all():
        raise StoreError(
            what=f"Cannot take the derivative of traces of shape {values.shape}.",
            where="derivative_pca",
            expected=f"(samples, ROIs), at least {KATO_WINDOW} samples, no NaN",
            do="impute missing samples or leave the ROIs out",
        )
    return principal_components(smoothed_derivative(values), components)[0]
