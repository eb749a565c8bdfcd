"""Differences between two stores, in terms of their content."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry.stores.attributes import decoded
from allometry.stores.manifest import read_manifest
from allometry.stores.schema import parts
from allometry.stores.storage import open_store


def _attr_lines(where: str, a: Mapping[Any, Any], b: Mapping[Any, Any]) -> list[str]:
    lines = []
    for key in sorted({*a, *b}, key=str):
        at = f"{where}.{key}" if where else str(key)
        if key not in a or key not in b:
            lines.append(f"{at}: only in {'A' if key in a else 'B'}")
        elif isinstance(a[key], dict) and isinstance(b[key], dict):
            lines += _attr_lines(at, a[key], b[key])
        elif a[key] != b[key]:
            lines.append(f"{at}: {a[key]!r} in A, {b[key]!r} in B")
    return lines


def _value_line(where: str, a: np.ndarray, b: np.ndarray) -> list[str]:
    numeric = a.dtype.kind in "biuf" and b.dtype.kind in "biuf"
    equal = (a == b) | ((a != a) & (b != b)) if numeric else a == b
    if equal.all():
        return []
    line = f"{where}: {int((~equal).sum())} of {a.size} values differ"
    if numeric:
        gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
        line += f", by at most {np.nanmax(gap):.6g}" if np.isfinite(gap).any() else ", missing in one"
    return [line]


def _dataset_lines(where: str, a: xr.Dataset, b: xr.Dataset) -> list[str]:
    lines = _attr_lines(f"{where}attribute", decoded(a.attrs), decoded(b.attrs))
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
            lines += _value_line(at, first.values, second.values)
        lines += _attr_lines(f"{at} attribute", decoded(first.attrs), decoded(second.attrs))
    return lines


def diff(a: str | Path, b: str | Path) -> list[str]:
    """List in what two stores differ: attributes, variables, and how many values by how much.

    Provenance (who, when, where) does not count; equal `content_sha256` is no difference.

    Parameters
    ----------
    a, b : paths of stores

    Returns
    -------
    One line per difference, empty when the content is the same.

    Raises
    ------
    StoreError
        One of them is missing or damaged.
    """
    first, second = open_store(a), open_store(b)
    hashes = [read_manifest(path)["content"]["content_sha256"] for path in (a, b)]
    if hashes[0] == hashes[1]:
        return []
    (root_a, groups_a), (root_b, groups_b) = parts(first), parts(second)
    lines = _dataset_lines("", root_a, root_b)
    for path in sorted({*groups_a, *groups_b}):
        if path in groups_a and path in groups_b:
            lines += _dataset_lines(f"/{path}/", groups_a[path], groups_b[path])
        else:
            lines.append(f"/{path}: only in {'A' if path in groups_a else 'B'}")
    return lines or ["the values are the same, the files are not (other chunks, compression or library version)"]
