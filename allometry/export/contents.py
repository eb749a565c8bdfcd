"""What of a store an export has to look after: attributes as JSON, units, text as Python strings, what a format leaves out."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from allometry.stores.attributes import decoded
from allometry.stores.schema import Data, is_text, parts


def attributes(obj: Data | xr.DataArray) -> dict[str, Any]:
    """Attributes of a store or of one of its variables, as they were given to the builder."""
    return decoded(obj.attrs)


def attributes_text(obj: Data) -> str:
    """Root attributes of a store as JSON text, for formats that hold text only."""
    return json.dumps(attributes(obj), sort_keys=True, ensure_ascii=False)


def plain(values: np.ndarray) -> np.ndarray:
    """An array with text as Python strings, which other libraries know; other arrays as they are."""
    return values.astype(object) if is_text(values) else values


def units(array: xr.DataArray) -> str:
    """Unit of a variable; empty where it has none."""
    return str(array.attrs.get("units", ""))


def units_of(variables: Mapping[str, xr.DataArray]) -> dict[str, str]:
    """Units by name, of the variables that have one."""
    return {name: units(array) for name, array in variables.items() if units(array)}


def over(ds: xr.Dataset, dim: str, without: Collection[str] = ()) -> dict[str, xr.DataArray]:
    """Variables and coordinates of exactly one dimension, by name."""
    return {str(name): ds[name] for name in ds.variables if ds[name].dims == (dim,) and name not in without}


def not_held(obj: Data, held: Collection[str], why: Mapping[str, str] | None = None) -> Iterator[str]:
    """Name each variable of a store that is not among `held`, with its size; groups as `/native/worm_1/velocity`.

    Parameters
    ----------
    obj : Dataset or DataTree
    held : collection of str
        Names, those of groups with their path.
    why : mapping of str to str, optional
        Reasons by name.
    """
    root, groups = parts(obj)
    for path, group in {"": root, **groups}.items():
        for name, variable in group.variables.items():
            full = f"/{path}/{name}" if path else str(name)
            # the labels of an axis go with what is over it
            if full not in held and variable.dims != (name,):
                sizes = " x ".join(f"{size} {dim}" for dim, size in variable.sizes.items()) or "one value"
                reason = (why or {}).get(str(name), "")
                yield f"{full} ({sizes}){': ' + reason if reason else ''}"
