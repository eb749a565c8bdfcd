"""Compilation of kernels with a cache on disk that notices edits in any module of this package that has kernels.

numba looks only at the file of the cached function, so that an edit of a kernel that it calls would go unnoticed.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit


def kernel_modules() -> list[Path]:
    """Files of this package with compiled functions, sorted."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return [path for path in modules if any(mark in path.read_bytes() for mark in (b"@njit", b"@compiled"))]


@cache
def _stamp() -> str:
    digest = hashlib.sha256()
    for path in kernel_modules():
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls, without the GIL; the result is cached for all later processes."""
    dispatcher = njit(nogil=True, cache=True)(function)
    index = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if index is not None and hasattr(index, "_source_stamp"):
        index._source_stamp = (_stamp(), 0)
    return dispatcher
