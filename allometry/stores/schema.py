"""What a store must hold: variables with dimensions, dtypes and units, attributes, and how a violation is named."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.attributes import decoded, encoded

# Of every kind that has none of its own; see `migrations` for what earlier versions were.
SCHEMA_VERSION = 2
TEXT = np.dtypes.StringDType()

# Required of every kind, with the type each must have.
ROOT_ATTRS: dict[str, type] = {
    "title": str,
    "species": str,
    "citation": str,
    "licence": str,
    "source": dict,
    "parameters": dict,
    "derived": dict,
}

# xarray turns a variable with one of these units into timedelta64, and drops or applies these attributes, so that what
# is opened would not be what was written.
TIMEDELTA_UNITS = frozenset({"days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"})
STORABLE = frozenset(
    np.dtype(name)
    for name in ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]
)
DECODED_ATTRS = frozenset(
    {"_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned", "coordinates", "dtype", "grid_mapping"}
)

ANY_UNIT = "*"

Data = xr.Dataset | xr.DataTree
Checker = Callable[[xr.Dataset, dict[str, xr.Dataset]], list[str]]


@dataclass(frozen=True)
class Variable:
    """A variable that a schema knows.

    Parameters
    ----------
    dims : tuple of str
        Its dimensions, in this order.
    dtype : str
        `text`, `label` (text or int64), `number` (any real), `bool`, or a numpy dtype name.
    units : str or None
        The value of its `units` attribute, `ANY_UNIT` for any non-empty one, None where it has none.
    optional : bool
        Whether a store may lack it.
    doc : str
        One line for the documentation.
    optional_dims : tuple of str
        Dimensions that may follow `dims`.
    """

    dims: tuple[str, ...]
    dtype: str
    units: str | None = None
    optional: bool = False
    doc: str = ""
    optional_dims: tuple[str, ...] = ()


def _no_check(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    return []


@dataclass(frozen=True)
class Schema:
    """One kind of store.

    Parameters
    ----------
    kind : str
        Lower-case name; also the folder of its homogenized stores.
    doc : str
        One sentence for the documentation.
    variables : dict
        Variables of the root group.
    attrs : dict
        Root attributes with their types, besides `ROOT_ATTRS`.
    groups : dict
        Parent of child groups (`native`) -> variables that each of them holds; any makes the store a DataTree.
    check : callable
        `check(root, {path: group})` lists violations of the values.
    depending : dict
        Attribute -> value -> variables that are required where it has this value.
    version : int
        Goes up when what is stored changes; `migrations` must then say what becomes of stores of the version before.
    """

    kind: str
    doc: str
    variables: dict[str, Variable]
    attrs: dict[str, type | tuple[type, ...]] = field(default_factory=dict)
    groups: dict[str, dict[str, Variable]] = field(default_factory=dict)
    check: Checker = _no_check
    depending: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    version: int = SCHEMA_VERSION

    @property
    def name(self) -> str:
        """Value of the `schema` attribute, such as `Activity`."""
        return self.kind.capitalize()

    def required(self, attrs: Mapping[Any, Any]) -> list[str]:
        """Name the variables that the root of a store with these attributes must have."""
        always = [name for name, spec in self.variables.items() if not spec.optional]
        return always + [
            name for key, cases in self.depending.items() for name in cases.get(str(attrs.get(key, "")), ())
        ]

    def root_attrs(self, *given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the root attributes of a store of this kind, as it holds them; later mappings win."""
        merged = {key: value for attrs in given for key, value in attrs.items()}
        return encoded({**merged, "schema": self.name, "schema_version": self.version})


def text(values: Any) -> np.ndarray:
    """Return strings as a variable-length string array; None and NaN become the empty string."""
    array = np.asarray(values, dtype=object)
    flat = ["" if item is None or item is np.nan or item != item else str(item) for item in array.ravel().tolist()]
    return np.array(flat, dtype=TEXT).reshape(array.shape)


def is_text(array: Any) -> bool:
    """Whether an array has the variable-length string dtype of the stores."""
    return isinstance(array.dtype, np.dtypes.StringDType)


def column(values: Any) -> np.ndarray:
    """Return a table's column or an array as one that a store can hold: bool, integer, floating or text.

    Nullable numbers become floating with NaN, other byte orders the native one, half and long floats float64.
    """
    if isinstance(values, pd.Series) and pd.api.types.is_numeric_dtype(values.dtype) and values.hasnans:
        values = values.to_numpy(np.float64, na_value=np.nan)
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        if isinstance(values, pd.Series) and pd.api.types.is_numeric_dtype(values.dtype):
            return values.to_numpy(values.dtype.type)
        return text(array)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return array if array.dtype in STORABLE else array.astype(np.float64)


def conform(values: Any, spec: Variable | None) -> np.ndarray:
    """Return a table's column as the array that a schema asks for, where that loses nothing.

    An empty or all-missing column of a table has no type of its own; what cannot be converted stays as it is, for the
    validation to name.
    """
    if spec is not None and spec.dtype == "text":
        return text(values)
    array = column(values)
    if spec is None or spec.dtype in ("label", "number"):
        return array
    wanted = np.dtype(spec.dtype)
    if array.dtype.kind == "T":
        empty = array.size == 0 or (wanted.kind == "f" and (array == "").all())
        return np.full(array.shape, np.nan if wanted.kind == "f" else 0, wanted) if empty else array
    if wanted.kind == "i" and array.dtype.kind == "f" and not (array == np.rint(array)).all():
        return array
    return array.astype(wanted)


def parts(obj: Data) -> tuple[xr.Dataset, dict[str, xr.Dataset]]:
    """Split an object into its root Dataset and its other groups by path without the leading slash."""
    if isinstance(obj, xr.Dataset):
        return obj, {}
    groups = {node.path.strip("/"): node.to_dataset(inherit=False) for node in obj.subtree if node is not obj}
    # a group that only holds others (`native`) has no content of its own
    return obj.to_dataset(inherit=False), {
        path: group for path, group in groups.items() if group.variables or group.attrs or "/" in path
    }


def _dtype_fits(array: xr.DataArray, dtype: str) -> bool:
    if dtype == "text":
        return is_text(array)
    if dtype == "label":
        return is_text(array) or array.dtype == np.int64
    if is_text(array):
        return False
    if dtype == "number":
        return array.dtype.kind in "iuf"
    return array.dtype == np.dtype(dtype)


def _variable_violations(where: str, array: xr.DataArray, spec: Variable) -> Iterator[str]:
    allowed = [spec.dims + spec.optional_dims[:count] for count in range(len(spec.optional_dims) + 1)]
    if array.dims not in allowed:
        yield f"{where}: dimensions are {array.dims}, expected {' or '.join(map(str, allowed))}"
    if not _dtype_fits(array, spec.dtype):
        yield f"{where}: dtype is {array.dtype}, expected {spec.dtype}"
    units = array.attrs.get("units")
    if spec.units == ANY_UNIT and not (isinstance(units, str) and units):
        yield f"{where}: has no units attribute"
    elif spec.units not in (None, ANY_UNIT) and units != spec.units:
        yield f"{where}: units are {units!r}, expected {spec.units!r}"


def _json_violations(where: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"{where}: key {key!r} is not a string"
            yield from _json_violations(f"{where}.{key}", item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _json_violations(where, item)
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{where}: is {value}, which JSON cannot hold (leave the key out)"
    elif not (value is None or isinstance(value, str | bool | int | float)):
        yield f"{where}: is a {type(value).__name__}, which JSON cannot hold"


def _group_violations(
    where: str, dataset: xr.Dataset, variables: dict[str, Variable], required: Collection[str]
) -> Iterator[str]:
    at = f"/{where}/" if where else ""
    for name, spec in variables.items():
        if name in dataset.variables:
            yield from _variable_violations(f"{at}{name}", dataset[name], spec)
        elif name in required:
            yield f"{at}{name}: is missing"
    for key_name, variable in dataset.variables.items():
        name = str(key_name)
        if name != key_name or not name or any(sign.isspace() or sign == "/" for sign in name):
            yield f"{at}{name!r}: a variable's name must have no space and no slash"
            continue
        if not (is_text(variable) or variable.dtype in STORABLE):
            yield f"{at}{name}: dtype {variable.dtype} cannot be stored (expected numbers, bool or text)"
        for key in sorted(DECODED_ATTRS & set(variable.attrs)):
            yield f"{at}{name}: attribute {key!r} would change the values on opening"
        if variable.attrs.get("units") in TIMEDELTA_UNITS:
            yield f"{at}{name}: units {variable.attrs['units']!r} would be decoded as timedelta (write 's' or 'ms')"
        yield from _json_violations(f"{at}{name} attributes", decoded(variable.attrs))


def _attr_violations(root: xr.Dataset, schema: Schema) -> Iterator[str]:
    if root.attrs.get("schema_version") != schema.version:
        yield f"attribute schema_version: is {root.attrs.get('schema_version')!r}, expected {schema.version}"
    values = decoded(root.attrs)
    for key, types in {**ROOT_ATTRS, **schema.attrs}.items():
        if key not in values:
            yield f"attribute {key}: is missing"
            continue
        # what a JSON text stands for is asked for where a mapping is
        value = values[key] if types is dict else root.attrs[key]
        if not isinstance(value, types) or (types is not bool and isinstance(value, bool)):
            names = " or ".join(t.__name__ for t in (types if isinstance(types, tuple) else (types,)))
            yield f"attribute {key}: is a {type(value).__name__}, expected {names}"
    if root.attrs.get("title") == "":
        yield "attribute title: is empty"
    yield from _json_violations("attribute", values)


def schema_violations(obj: Data, schema: Schema) -> list[str]:
    """Name everything in which `obj` departs from `schema`; values are only looked at when the form is right."""
    root, groups = parts(obj)
    found = list(_attr_violations(root, schema))
    found += [
        f"{f'/{path}/' if path else ''}attribute coordinates: is reserved for xarray"
        for path, group in {"": root, **groups}.items()
        if "coordinates" in group.attrs
    ]
    found += _group_violations("", root, schema.variables, schema.required(root.attrs))
    for path, group in groups.items():
        parent, _, leaf = path.partition("/")
        if parent not in schema.groups or not leaf or "/" in leaf:
            found.append(f"/{path}: a {schema.name} store has no such group")
            continue
        variables = schema.groups[parent]
        found += _group_violations(
            path, group, variables, [name for name, spec in variables.items() if not spec.optional]
        )
    return found or schema.check(root, groups)


def require(obj: Data, schema: Schema) -> None:
    """Raise a StoreError that names every violation of `schema`."""
    found = schema_violations(obj, schema)
    if found:
        raise StoreError(
            what=f"not a valid {schema.name} store: {len(found)} violation{'s' * (len(found) > 1)}"
            + "".join(f"\n  - {line}" for line in found),
            where=str(obj.attrs.get("title", "")),
            expected=f"the schema of {schema.name} stores (docs/stores.md)",
            do="correct what was passed to the builder",
        )
