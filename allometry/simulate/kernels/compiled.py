"""Compilation of kernels with a cache on disk that notices edits in any module of this package that has kernels.

numba looks only at the file of the cached function, so that an edit of a kernel that it calls would go unnoticed. And it
numbers the files of a function's signatures without a lock: of two processes that compile different ones at the same
time (float32 and float64) both would take the same number, and a third would run the one in place of the other.
"""

import contextlib
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from functools import cache, wraps
from pathlib import Path
from typing import Any

from llvmlite import binding
from numba import njit
from numba.core.ccallback import CFunc

_LIBM = re.compile(
    r'^declare [^@\n]*@"?(?:llvm\.|numba_|npy_)?'
    r"(exp2?|expm1|log(?:2|10|1p)?|powi?|cbrt|a?(?:sin|cos|tan)h?|atan2|hypot|erfc?|[tl]gamma)f?(?:\.f(?:32|64)[.\w]*)?\"?\(",
    re.MULTILINE,
)


# LLVM runs a loop for many neurons at once where it can check that its arrays do not overlap, and gives up above some number of
# checks: a neuron with ten state variables needs more. What is computed is the same. LLVM's own values beside ours.
_CHECKS = {
    "runtime-memory-check-threshold": (1000, 8),
    "memory-check-merge-threshold": (1000, 100),
    "vectorize-memory-check-threshold": (1000, 128),
    "max-dependences": (1000, 100),
}


@contextlib.contextmanager
def _many_arrays() -> Iterator[None]:
    """Let loops over many arrays be vectorised: the options are those of the whole process, which has them for this only."""
    for option, (ours, _) in _CHECKS.items():
        binding.set_option("", f"--{option}={ours}")
    try:
        yield
    finally:
        for option, (_, before) in _CHECKS.items():
            binding.set_option("", f"--{option}={before}")


class LibmCalled(Exception):
    """A kernel calls libm."""


INLINED: dict[str, Any] = {"nogil": True, "forceinline": True, "error_model": "numpy"}
"""Options of functions that other kernels have in their loops."""


def kernel_modules() -> list[Path]:
    """Files of this package, sorted: any of them may decide what is compiled."""
    return [path for path in sorted(Path(__file__).parent.rglob("*.py")) if path.name != "__init__.py"]


@cache
def _stamp() -> str:
    digest = hashlib.sha256()
    for path in kernel_modules():
        digest.update(path.relative_to(Path(__file__).parent).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


_IN_PROCESS = threading.Lock()


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Keep other threads and processes out; without a lock where the system or the file system has none."""
    with _IN_PROCESS, contextlib.ExitStack() as stack:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            file = stack.enter_context(lock.open("a"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _one_at_a_time(index: Any, operation: str) -> None:
    """Let one process at a time do `operation` (load, save) on the files of one function."""
    free, lock = getattr(index, operation), Path(index._index_path).with_suffix(".lock")

    @wraps(free)
    def alone(*arguments: Any) -> Any:
        with _alone(lock):
            return free(*arguments)

    setattr(index, operation, alone)


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls, without the GIL; the result is cached for all later processes."""
    dispatcher = njit(nogil=True, cache=True)(function)
    _stamped(dispatcher, _stamp())
    return dispatcher


def compiled_callback(function: Callable[..., Any], signature: Any, code: str) -> Any:
    """Compile a function that is called through its `address`, cached like `compiled`.

    `code` is a digest of what the function does beyond the kernels of this package. A function of libm, whose last bit
    differs between machines, raises `LibmCalled` with its name.
    """
    callback: Any = CFunc(function, (signature.args, signature.return_type), {}, {"error_model": "numpy"})
    callback.enable_caching()
    without_cache = callback._compile_uncached

    def refusing_libm() -> Any:
        result = without_cache()
        called = sorted({name for text in _texts(result.library, set()) for name in _LIBM.findall(text)})
        if called:
            raise LibmCalled(", ".join(called))
        return result

    callback._compile_uncached = refusing_libm
    _stamped(callback, _stamp() + code)
    with _many_arrays():
        callback.compile()
    return callback


def _texts(library: Any, seen: set[int]) -> Iterator[str]:
    """Yield the code of a library and of all that it is linked with."""
    if id(library) not in seen:
        seen.add(id(library))
        yield library.get_llvm_str()
        for other in library._linking_libraries:
            yield from _texts(other, seen)


def _stamped(cached: Any, stamp: str) -> None:
    index = getattr(getattr(cached, "_cache", None), "_cache_file", None)
    if index is not None and hasattr(index, "_source_stamp"):
        index._source_stamp = (stamp, 0)
        _one_at_a_time(index, "load")
        _one_at_a_time(index, "save")
