"""Differences between two stores, in terms of their content."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.attributes import decoded
from allometry.stores.schema import parts
from allometry.stores.storage.manifest import read_manifest
from allometry.stores.storage.store import open_store


@dataclass(frozen=True)
class _Tolerance:
    """Differences that do not count: up to `atol`, or up to `rtol` times the larger of two values."""

    rtol: float = 0.0
    atol: float = 0.0

    def equal(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Where two arrays of numbers agree; NaN agrees with NaN, infinity with itself."""
        same: np.ndarray = (a == b) | ((a != a) & (b != b))
        if not (self.rtol or self.atol) or not (a.dtype.kind == "f" or b.dtype.kind == "f"):
            return same
        x, y = a.astype(np.float64), b.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            near = np.abs(x - y) <= np.maximum(self.atol, self.rtol * np.maximum(np.abs(x), np.abs(y)))
        near_or_same: np.ndarray = same | (near & np.isfinite(x) & np.isfinite(y))
        return near_or_same

    def agree(self, a: Any, b: Any) -> bool:
        """Whether two attributes agree: text and whole numbers exactly, others within the tolerance, lists by element."""
        if isinstance(a, list) and isinstance(b, list):
            return len(a) == len(b) and all(self.agree(x, y) for x, y in zip(a, b))
        if isinstance(a, float | int) and isinstance(b, float | int) and float in (type(a), type(b)):
            return bool(self.equal(np.asarray(a, np.float64), np.asarray(b, np.float64)))
        return bool(a == b)


def _attr_lines(where: str, a: Mapping[Any, Any], b: Mapping[Any, Any], tolerance: _Tolerance) -> list[str]:
    lines = []
    for key in sorted({*a, *b}, key=str):
        at = f"{where}.{key}" if where else str(key)
        if key not in a or key not in b:
            lines.append(f"{at}: only in {'A' if key in a else 'B'}")
        elif isinstance(a[key], dict) and isinstance(b[key], dict):
            lines += _attr_lines(at, a[key], b[key], tolerance)
        elif not tolerance.agree(a[key], b[key]):
            lines.append(f"{at}: {a[key]!r} in A, {b[key]!r} in B")
    return lines


def _value_line(where: str, a: np.ndarray, b: np.ndarray, tolerance: _Tolerance) -> list[str]:
    numeric = a.dtype.kind in "biuf" and b.dtype.kind in "biuf"
    equal = tolerance.equal(a, b) if numeric else a == b
    if equal.all():
        return []
    line = f"{where}: {int((~equal).sum())} of {a.size} values differ"
    if numeric:
        gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
        line += f", by at most {np.nanmax(gap):.6g}" if np.isfinite(gap).any() else ", missing in one"
    return [line]


def _dataset_lines(where: str, a: xr.Dataset, b: xr.Dataset, tolerance: _Tolerance) -> list[str]:
    lines = _attr_lines(f"{where}attribute", decoded(a.attrs), decoded(b.attrs), tolerance)
    for name in sorted({*a.variables, *b.variables}, key=str):
        at = f"{where}{name}"
        if name not in a.variables or name not in b.variables:
            lines.append(f"{at}: only in {'A' if name in a.variables else 'B'}")
            continue
        first, second = a[name], b[name]
        if first.dims != second.dims or first.shape != second.shape:
            lines.append(f"{at}: {dict(first.sizes)} in A, {dict(second.sizes)} in B")
        elif first.dtype != second.dtype:
            lines.append(f"{at}: {first.dtype} in A, {second.dtype} in B")
        else:
            lines += _value_line(at, first.values, second.values, tolerance)
        lines += _attr_lines(f"{at} attribute", decoded(first.attrs), decoded(second.attrs), tolerance)
    return lines


def diff(a: str | Path, b: str | Path, *, rtol: float = 0.0, atol: float = 0.0) -> list[str]:
    """List in what two stores differ: attributes, variables, and how many values by how much.

    Provenance (who, when, where) does not count; equal `content_sha256` is no difference.

    Parameters
    ----------
    a, b : paths of stores
    rtol, atol : float
        Floating-point values that differ by at most `atol`, or by at most `rtol` times the larger of them, count as the
        same; whole numbers and text never do. Default: every bit counts.

    Returns
    -------
    One line per difference, empty when the content is the same.

    Raises
    ------
    StoreError
        One of them is missing or damaged, or a tolerance is negative.
    """
    if not (0 <= rtol < np.inf and 0 <= atol < np.inf):
        raise StoreError(what=f"tolerances {rtol} and {atol}", where="diff", expected="rtol and atol of at least 0")
    tolerance = _Tolerance(rtol, atol)
    first, second = open_store(a), open_store(b)
    hashes = [read_manifest(path)["content"]["content_sha256"] for path in (a, b)]
    if hashes[0] == hashes[1]:
        return []
    (root_a, groups_a), (root_b, groups_b) = parts(first), parts(second)
    lines = _dataset_lines("", root_a, root_b, tolerance)
    for path in sorted({*groups_a, *groups_b}):
        if path in groups_a and path in groups_b:
            lines += _dataset_lines(f"/{path}/", groups_a[path], groups_b[path], tolerance)
        else:
            lines.append(f"/{path}: only in {'A' if path in groups_a else 'B'}")
    if lines or rtol or atol:
        return lines
    return ["the values are the same, the files are not (other chunks, compression or library version)"]
