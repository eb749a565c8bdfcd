"""Object arrays of names and numbers in .npz and .npy files, without unpickling.

numpy stores an object array as a pickle, and loading a pickle runs what it says. Here its opcodes are only *read*, as data,
by a small machine that knows lists, tuples, strings, integers and raw number arrays, and refuses everything else.
"""

import io
import math
import pickletools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from allometry.errors import ReaderError
from allometry.homogenize import mistaken

ARRAY_PARTS = {"_reconstruct", "ndarray", "dtype", "scalar"}


class _Mark:
    pass


class _Call:
    """Something that the pickle would have called: only arrays, their scalars and dtypes are known."""

    def __init__(self, called: Any, arguments: tuple[Any, ...]) -> None:
        self.called = called
        self.arguments = arguments
        self.state: Any = None


def load(path: Path) -> dict[str, Any]:
    """Read every array of a .npz file; object arrays become lists.

    Parameters
    ----------
    path : Path
        A .npz file.

    Returns
    -------
    dict
        numpy arrays and (nested) lists by name.

    Raises
    ------
    ReaderError
        If the file is damaged, or an object array holds more than lists, strings and numbers.
    """
    out: dict[str, Any] = {}
    mistaken.refuse(path)
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                out[member.removesuffix(".npy")] = _array(archive.read(member))
    except ReaderError:
        raise
    except Exception as error:  # zip, zlib and header errors of a damaged file are of many types
        raise ReaderError(
            what=f"Not a readable .npz file ({type(error).__name__}: {str(error)[:100]}).",
            where=str(path),
            expected="a complete .npz file of plain arrays and names",
            do="retrieve the file again",
        ) from error
    return out


def load_npy(path: Path) -> Any:
    """Read one .npy file: an array, or (nested) lists where it is an object array.

    Raises
    ------
    ReaderError
        If the file is damaged, or holds more than lists, strings and numbers.
    """
    try:
        return _array(path.read_bytes())
    except Exception as error:  # numpy evaluates the header as Python: damage gives whatever that gives
        raise ReaderError(
            what=f"Not a readable .npy file ({type(error).__name__}: {str(error)[:100]}).",
            where=str(path),
            expected="a complete .npy file of numbers or names",
            do="retrieve the file again",
        ) from error


def _array(data: bytes) -> Any:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        return decode(data[stream.tell() :])
    if math.prod(shape) * dtype.itemsize > len(data) - stream.tell():
        # numpy would ask for the memory first and miss the bytes afterwards
        raise ValueError(f"an array of shape {shape} is declared, and {len(data) - stream.tell()} bytes are there")
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)


def decode(payload: bytes) -> Any:
    """Read the opcodes of a pickled object array."""
    stack: list[Any] = []
    memo: dict[Any, Any] = {}

    def to_mark() -> list[Any]:
        items = []
        while not isinstance(stack[-1], _Mark):
            items.append(stack.pop())
        stack.pop()
        return items[::-1]

    for opcode, argument, _ in pickletools.genops(payload):
        name = opcode.name
        if name in ("PROTO", "FRAME"):
            continue
        if name == "STOP":
            return _plain(stack.pop())
        if name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "MARK":
            stack.append(_Mark())
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name == "EMPTY_TUPLE":
            stack.append(())
        elif name in ("NONE", "NEWTRUE", "NEWFALSE"):
            stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            size = int(name[-1])
            items = stack[-size:]
            del stack[-size:]
            stack.append(tuple(items))
        elif name == "TUPLE":
            stack.append(tuple(to_mark()))
        elif name == "APPEND":
            item = stack.pop()
            stack[-1].append(item)
        elif name == "APPENDS":
            items = to_mark()
            stack[-1].extend(items)
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            called = str(argument).split()[-1] if name == "GLOBAL" else [stack.pop(), stack.pop()][0]
            if called not in ARRAY_PARTS:
                raise ValueError(f"the array refers to {called!r}, which is neither a name nor a number")
            stack.append(called)
        elif name == "REDUCE":
            arguments = stack.pop()
            stack[-1] = _Call(stack[-1], arguments)
        elif name == "BUILD":
            state = stack.pop()
            stack[-1].state = state
        elif isinstance(argument, str | bytes | int | float):
            stack.append(argument)
        else:
            raise ValueError(f"opcode {name} is neither a name nor a number")
    raise ValueError("the object array is cut off")


def _plain(item: Any) -> Any:
    if isinstance(item, _Call) and item.called == "scalar":
        dtype, data = item.arguments
        return np.frombuffer(data, dtype=_dtype(dtype)).item()
    if isinstance(item, _Call) and isinstance(item.state, tuple) and len(item.state) == 5:
        dtype, data = item.state[2], item.state[4]
        if isinstance(data, list):
            return [_plain(part) for part in data]
        return np.frombuffer(data, dtype=_dtype(dtype))
    if isinstance(item, list | tuple):
        return [_plain(part) for part in item]
    return item


def _dtype(described: _Call) -> np.dtype:
    order = described.state[1] if described.state else "|"
    return np.dtype(order.replace("|", "=") + str(described.arguments[0]))
