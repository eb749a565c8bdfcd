"""Arrays of numbers in .npy files, mapped or read, and never a pickle."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from allometry.errors import ReaderError
from allometry.homogenize import mistaken


def load(path: Path, ndim: int | tuple[int, ...] | None = None, kinds: str = "biuf") -> npt.NDArray[Any]:
    """Map an array into memory: nothing is read until it is used.

    Parameters
    ----------
    path : Path
        A .npy file.
    ndim : int or tuple of int, optional
        Numbers of dimensions that are accepted, after axes of length one at the end are dropped.
    kinds : str
        Kinds of dtype that are accepted.

    Raises
    ------
    ReaderError
        It holds Python objects, is damaged, or is of another type or rank.
    """
    mistaken.refuse(path)
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy evaluates the header as Python: damage gives whatever that gives
        objects = "allow_pickle" in str(error) or "Python objects" in str(error)
        raise ReaderError(
            "the array holds Python objects, which are never loaded"
            if objects
            else f"not a readable .npy file ({type(error).__name__}: {str(error)[:100]})",
            where=str(path),
            expected="a complete .npy file of numbers",
            do="save it again as numbers" if objects else "retrieve the file again",
        ) from error
    wanted = (ndim,) if isinstance(ndim, int) else ndim
    while wanted is not None and found.ndim > max(wanted) and found.shape[-1] == 1:
        found = found[..., 0]
    if found.dtype.kind not in kinds or (wanted is not None and found.ndim not in wanted):
        dims = "" if wanted is None else f" in {' or '.join(map(str, wanted))} dimensions"
        raise ReaderError(
            f"the array is of type {found.dtype} and shape {found.shape}",
            where=str(path),
            expected=("numbers" if kinds == "biuf" else f"type {kinds}") + dims,
            do="retrieve the file again",
        )
    return found
