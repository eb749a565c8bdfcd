"""What a study reads of the responses of a feature model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from allometry import stores


@dataclass(frozen=True, eq=False)
class Responded:
    """Responses of one network under one condition.

    Parameters
    ----------
    response : ndarray [unit, presentation] or [unit, presentation, lag]
        As stored.
    units, presentations : DataFrame
        Columns of both axes.
    model : str
        Name of the feature model.
    parameters : mapping
        All its parameters.
    seed : int
        Of the network.
    fit : mapping
        `converged`, `residual`, ... of a model that is fitted; empty of others.
    lag_s : ndarray [lag] or None
        Time of each lag from onset, s.
    """

    response: NDArray[np.float32]
    units: pd.DataFrame
    presentations: pd.DataFrame
    model: str
    parameters: Mapping[str, Any]
    seed: int
    fit: Mapping[str, Any]
    lag_s: NDArray[np.float64] | None = None

    @property
    def areas(self) -> list[str]:
        """Areas of its units, in their order."""
        return list(dict.fromkeys(self.units["area"].tolist()))

    def of(self, area: str) -> NDArray[np.float64]:
        """Responses of the units of an area, float64 [unit, presentation] or [unit, presentation, lag]."""
        return self.response[(self.units["area"] == area).to_numpy()].astype(np.float64)

    def column(self, name: str) -> NDArray[np.float64] | None:
        """A column of the presentations as numbers; None where there is none."""
        return self.presentations[name].to_numpy(np.float64) if name in self.presentations else None

    def shown(self, stimulus: str) -> NDArray[np.bool_]:
        """Presentations of a kind of stimulus; all where there is none of that name."""
        of = (self.presentations["stimulus"] == stimulus).to_numpy(bool)
        return of if of.any() else np.ones(of.size, bool)


def read(store: xr.Dataset) -> Responded:
    """Read the responses of a point of a feature model.

    Parameters
    ----------
    store : Dataset
        What `simulate.features.run_feature` wrote.
    """
    stores.require_kind(store, "Responses")
    tables: dict[str, dict[str, Any]] = {"unit": {}, "presentation": {}}
    for name, one in store.data_vars.items():
        if one.ndim == 1:
            values = one.values
            tables[str(one.dims[0])][str(name)] = values.astype(object) if values.dtype.kind == "T" else values
    asked = stores.attribute(store, "parameters")
    return Responded(
        store["response"].values,
        pd.DataFrame(tables["unit"]),
        pd.DataFrame(tables["presentation"]),
        asked["model"],
        asked["parameters"],
        int(store.attrs["seed"]),
        stores.attribute(store, "fit", {}),
        store["lag"].values if "lag" in store.coords else None,
    )
