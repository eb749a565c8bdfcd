"""Stores as objects of pynapple."""

from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.access.structures import require_kind, trains
from allometry.stores.schema import Data, is_text, parts


def to_pynapple(obj: Data) -> Any:
    """Return spikes as a TsGroup, or recordings as TsdFrames, for analyses with pynapple.

    Parameters
    ----------
    obj : Spikes or Activity store

    Returns
    -------
    TsGroup, or dict of str to TsdFrame
        Spikes: one element per unit, numbered from 0 in the order of the store, its columns as metadata with the label as
        `unit`; the support is what was observed. Activity: by recording the traces at the native rate, a column per ROI
        numbered from 0, with the columns of the ROIs (`label`, ...) as metadata. Times are in s.

    Raises
    ------
    StoreError
        Pynapple is not installed, or another kind of store.
    """
    try:
        import pynapple as nap
    except ImportError as error:
        raise StoreError(
            what="pynapple is not installed",
            where="stores.to_pynapple",
            expected="the package pynapple, an optional dependency",
            do="run pip install 'allometry[pynapple]', or pip install pynapple",
        ) from error
    if obj.attrs.get("schema") == "Spikes":
        assert isinstance(obj, xr.Dataset)
        return _spikes(obj, nap)
    require_kind(obj, "Activity")
    _, groups = parts(obj)
    return {path.partition("/")[2]: _traces(group, nap) for path, group in groups.items()}


def _spikes(ds: xr.Dataset, nap: Any) -> Any:
    observed = ds["observed"].values
    support = nap.IntervalSet(start=observed[:, 0], end=observed[:, 1])
    group = {number: nap.Ts(t=train, time_units="s", time_support=support) for number, train in enumerate(trains(ds))}
    table = {"unit": _column(ds["unit"])}
    table |= {str(name): _column(ds[name]) for name in ds.data_vars if ds[name].dims == ("unit",)}
    # the rate is pynapple's own
    metadata = {name: values for name, values in table.items() if name not in ("rate", "row_size")}
    return nap.TsGroup(group, time_support=support, metadata=metadata)


def _traces(group: xr.Dataset, nap: Any) -> Any:
    columns = [str(name) for name in group.data_vars if group[name].dims == ("roi",)]
    return nap.TsdFrame(
        t=group["time"].values,
        d=group["trace"].values,
        columns=list(range(group.sizes["roi"])),
        metadata={name: _column(group[name]) for name in columns},
    )


def _column(array: xr.DataArray) -> np.ndarray:
    return array.values.astype(object).astype(str) if is_text(array) else array.values
