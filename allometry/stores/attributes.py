"""Attributes of stores: text and numbers, so that every format that xarray writes can hold them.

Mappings, lists, booleans and None stand as JSON text, in memory as on disk: netCDF knows none of them. `attribute` reads
them back.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import StoreError

# Prose, in which a bracket at the beginning is a bracket.
PROSE = frozenset({"citation", "licence", "schema", "species", "title", "units"})
_CONSTANTS = frozenset({"false", "null", "true"})
_MISSING: Any = object()


def plain(value: Any) -> Any:
    """Return `value` as JSON types with sorted keys; numpy scalars and arrays and tuples become numbers and lists."""
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def sorted_json(value: Any) -> bytes:
    """Serialise as JSON with sorted keys, so that the same content always gives the same bytes."""
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def _encode(value: Any) -> Any:
    if value is not None and not isinstance(value, bool | dict | list):
        return value
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError):
        return value  # for the validation to name


def encoded(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Return attributes as a store holds them; those that are already so stay as they are."""
    return {key: _encode(value) for key, value in plain(attrs).items()}


def _decode(key: str, value: Any) -> Any:
    if isinstance(value, str) and key not in PROSE and (value[:1] in ("{", "[") or value in _CONSTANTS):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def decoded(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the attributes that `attrs` stands for, JSON text read back."""
    return {str(key): _decode(str(key), value) for key, value in attrs.items()}


def attribute(obj: xr.Dataset | xr.DataTree | xr.DataArray, key: str, default: Any = _MISSING) -> Any:
    """Return an attribute of a store, of one of its groups or of a variable, as it was given to the builder.

    Parameters
    ----------
    obj : Dataset, DataTree or DataArray
    key : str
        Such as `parameters`, `derived`, `source`, `absent_means`.
    default : optional
        What to return where there is no such attribute.

    Returns
    -------
    The mapping, list, boolean or None of which the attribute is the JSON text; other text and numbers as they are.

    Raises
    ------
    StoreError
        There is no such attribute, and no default.
    """
    if key in obj.attrs:
        return _decode(key, obj.attrs[key])
    if default is _MISSING:
        raise StoreError(
            what=f"there is no attribute {key!r}",
            where=str(obj.attrs.get("title", "")),
            expected=f"one of {sorted(map(str, obj.attrs))}",
            do="choose another attribute, or build the store again",
        )
    return default


def set_attributes(obj: xr.Dataset | xr.DataTree | xr.DataArray, **values: Any) -> None:
    """Give a store, one of its groups or a variable attributes that `attribute` reads back, in place.

    Parameters
    ----------
    obj : Dataset, DataTree or DataArray
    **values
        Attributes by name: text, numbers, booleans, None, lists and mappings of these.
    """
    obj.attrs.update(encoded(values))
