"""Reading MATLAB v5 to v7 files with one clear error for each way they can be wrong."""

from pathlib import Path

import numpy as np
import scipy

from allometry.errors import ReaderError
from allometry.homogenize import mat5


def matrix(path: Path, key: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """Read one numeric array as float64.

    Parameters
    ----------
    path : Path
        The .mat file.
    key : str
        Name of the variable.
    shape : tuple
        Expected shape; None for any length.
    """
    if not path.is_file():
        raise ReaderError("MATLAB file is missing", where=str(path), do="run the retrieve stage")
    try:
        mat5.check(path.read_bytes())
        content = scipy.io.loadmat(path)
    except Exception as error:  # the parser fails on damaged files with whatever the damaged bytes lead to
        raise ReaderError(
            f"MATLAB file cannot be read ({type(error).__name__}: {error})",
            where=str(path),
            expected="a complete .mat file of version 5 to 7",
            do="delete the file and retrieve it again",
        ) from error
    have = ", ".join(name for name in content if not name.startswith("__")) or "nothing"
    if key not in content:
        raise ReaderError(f"variable {key!r} is missing", where=path.name, expected=f"{key!r} (the file has: {have})")
    values = content[key]
    where = f"{path.name}, {key}"
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        raise ReaderError("variable is not a numeric array", where=where, expected="numbers")
    if values.ndim != len(shape) or any(want is not None and n != want for n, want in zip(values.shape, shape)):
        wanted = " x ".join("any" if n is None else str(n) for n in shape)
        raise ReaderError(f"array has shape {values.shape}", where=where, expected=wanted)
    return values.astype(np.float64)
