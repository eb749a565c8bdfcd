"""Refusing what memory cannot hold by its declared size, before memory is asked for."""

import psutil

from allometry.errors import ReaderError


def refuse_size(shape: tuple[int, ...], itemsize: int, where: str) -> None:
    """Refuse an array by its declared shape: a file of a few bytes can declare terabytes.

    Raises
    ------
    ReaderError
        It would take more than half of the memory of this machine.
    """
    size = itemsize
    for length in shape:
        size *= int(length)
    if size > (limit := psutil.virtual_memory().total // 2):
        raise ReaderError(
            f"array of shape {tuple(shape)} is too large: {size / 2**30:.3g} GiB",
            where=where,
            expected=f"at most {limit / 2**30:.3g} GiB, half of the memory of this machine",
            do="check that the file is what it should be; cut it into shorter recordings, or use a machine with more memory",
        )
