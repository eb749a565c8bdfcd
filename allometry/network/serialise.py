"""Plain-dict form of the frozen dataclasses that describe a network, for YAML files and store attributes."""

import dataclasses
import hashlib
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from allometry.errors import SimulationError
from allometry.hints import nearest
from allometry.network.scalars import plain_arguments

T = TypeVar("T")

_CLASSES: dict[str, type] = {}
_LISTED = 32
_SHOWN = 6  # items that a representation lists
OPTIONAL = {"optional": True}
"""Metadata of a field that is left out of a description where it has its default, so that it can be added to a class without
a change of what was written before."""


def serialisable(cls: type[T]) -> type[T]:
    """Class decorator: let `from_dict` rebuild instances of a dataclass by its class name.

    A numpy scalar given for a field becomes the Python number. Arrays and long lists have their length in the
    representation, unless the class has one of its own.
    """
    cls.__init__ = plain_arguments(cls.__init__)  # type: ignore[method-assign]
    if hasattr(cls.__repr__, "__wrapped__"):  # that of dataclasses, which writes everything
        cls.__repr__ = _short  # type: ignore[method-assign]
    _CLASSES[cls.__name__] = cls
    return cls


def _short(obj: Any) -> str:
    fields = ", ".join(f"{f.name}={_shortened(getattr(obj, f.name))}" for f in dataclasses.fields(obj) if f.repr)
    return f"{type(obj).__qualname__}({fields})"


def _shortened(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > _SHOWN:
        return f"<array {' x '.join(map(str, value.shape))}>"
    if isinstance(value, list | tuple | dict) and len(value) > _SHOWN:
        return f"<{len(value)} items>"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_shortened(item)}' for key, item in value.items())}}}"
    return repr(value)


def to_dict(obj: Any, digest: bool = False) -> Any:
    """Return `obj` as nested dicts, lists and plain scalars.

    Parameters
    ----------
    obj : Any
        A registered dataclass instance, or a value inside one.
    digest : bool
        Replace arrays by their length and sha256, for attributes of a store. Such a dict cannot be read back.
    """
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        fields = [f for f in dataclasses.fields(obj) if not (f.metadata.get("optional") and _default(obj, f))]
        values = {f.name: getattr(obj, f.name) for f in fields}
        # An open end (infinity, a default) is left out: JSON cannot hold it.
        kept = {name: to_dict(value, digest) for name, value in values.items() if not _infinite(value)}
        code = type(obj).code() if digest and hasattr(obj, "code") else ""
        return {"kind": type(obj).__name__, **kept, **({"code": code} if code else {})}
    if isinstance(obj, np.ndarray):
        if digest:
            return {"length": int(obj.size), "sha256": hashlib.sha256(np.ascontiguousarray(obj).tobytes()).hexdigest()}
        return obj.tolist()
    if isinstance(obj, dict):
        return {str(key): to_dict(value, digest) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        if digest and len(obj) > _LISTED and all(isinstance(value, str) for value in obj):
            return {"length": len(obj), "sha256": hashlib.sha256("\n".join(obj).encode()).hexdigest()}
        return [to_dict(value, digest) for value in obj]
    if isinstance(obj, np.generic):
        return obj.item()
    return obj


def _default(obj: Any, field: dataclasses.Field[Any]) -> bool:
    value = getattr(obj, field.name)
    made = field.default_factory() if callable(field.default_factory) else field.default
    return not isinstance(value, np.ndarray) and bool(value == made)


def _infinite(value: Any) -> bool:
    return isinstance(value, float) and math.isinf(value)


def from_dict(data: Any) -> Any:
    """Rebuild what `to_dict` wrote.

    Raises
    ------
    SimulationError
        If a `kind` or a field is unknown; the nearest valid name is given.
    """
    if isinstance(data, list | tuple):
        return [from_dict(value) for value in data]
    if not isinstance(data, dict):
        return data
    if "kind" not in data:
        return {key: from_dict(value) for key, value in data.items()}
    cls = _CLASSES.get(str(data["kind"]))
    if cls is None:
        raise SimulationError(
            f"unknown kind {data['kind']!r} in a network description",
            expected=_nearest(str(data["kind"]), _CLASSES),
        )
    names = {f.name for f in dataclasses.fields(cls)}
    for key in data:
        if key != "kind" and key not in names:
            raise SimulationError(
                f"unknown field {key!r} of {cls.__name__}", where="network description", expected=_nearest(key, names)
            )
    build: Callable[..., Any] = cls
    try:
        return build(**{key: from_dict(value) for key, value in data.items() if key != "kind"})
    except TypeError as error:
        raise SimulationError(
            f"incomplete description of {cls.__name__}: {error}", where="network description"
        ) from error


def _nearest(name: str, valid: Any) -> str:
    near = nearest(name, valid)
    return f"one of {', '.join(sorted(valid))}" + (f" (did you mean {near[0]}?)" if near else "")
