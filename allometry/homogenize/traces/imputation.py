"""Imputation of missing samples: an option, never the default, always recorded."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt


def iterative(trace: npt.NDArray[Any], *, seed: int = 0) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """Fill missing samples by chained regression on the other ROIs.

    Parameters
    ----------
    trace : numpy.ndarray, shape (n_samples, n_roi)
        NaN is missing.
    seed : int
        Seed of the choice of 10 predictors per ROI.

    Returns
    -------
    trace : numpy.ndarray
        Without NaN, except for ROIs that have no sample at all.
    notes : dict
        Empty if nothing was missing, else how much was filled.

    Notes
    -----
    `sklearn.impute.IterativeImputer` with 10 nearest features, the settings of the collection of Simeon et al. 2024.
    """
    missing = ~np.isfinite(trace)
    present = ~missing.all(axis=0)
    count = int(missing[:, present].sum())
    if count == 0:
        return trace, {}
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    filled = trace.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged after 10 rounds: the usual state, recorded below
        imputer = IterativeImputer(random_state=seed, n_nearest_features=10)
        filled[:, present] = imputer.fit_transform(np.where(missing, np.nan, trace)[:, present])
    share = count / missing[:, present].size
    return filled, {
        "imputed": f"{count} samples ({share:.2%}) by iterative imputation (10 features, 10 rounds, seed {seed})"
    }
