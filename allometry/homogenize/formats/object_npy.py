"""Object arrays of names and numbers in .npz and .npy files, without unpickling.

numpy stores an object array as a pickle, and loading a pickle runs what it says. Here its opcodes are only *read*, as data,
by a small machine that knows lists, tuples, dictionaries, strings, numbers and raw number arrays, and refuses everything else, or,
where only some of it is wanted (the settings of a program), gives None for it.
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

ARRAY_PARTS = {"_reconstruct", "ndarray", "dtype", "scalar", "encode"}


class _Mark:
    pass


class _Unknown:
    """A name that the pickle refers to, and that means nothing here."""

    def __init__(self, name: str) -> None:
        self.name = name


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


def load_npy(path: Path, tolerant: bool = False) -> Any:
    """Read one .npy file: an array, or (nested) lists and dictionaries where it is an object array.

    Parameters
    ----------
    path : Path
        The file.
    tolerant : bool
        Whether objects of other kinds are None, not an error.

    Raises
    ------
    ReaderError
        If the file is damaged, or holds more than lists, dictionaries, strings and numbers.
    """
    try:
        return _array(path.read_bytes(), tolerant)
    except Exception as error:  # numpy evaluates the header as Python: damage gives whatever that gives
        raise ReaderError(
            what=f"Not a readable .npy file ({type(error).__name__}: {str(error)[:100]}).",
            where=str(path),
            expected="a complete .npy file of numbers or names",
            do="retrieve the file again",
        ) from error


def _array(data: bytes, tolerant: bool = False) -> Any:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        return decode(data[stream.tell() :], tolerant)
    if math.prod(shape) * dtype.itemsize > len(data) - stream.tell():
        # numpy would ask for the memory first and miss the bytes afterwards
        raise ValueError(f"an array of shape {shape} is declared, and {len(data) - stream.tell()} bytes are there")
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)


def decode(payload: bytes, tolerant: bool = False) -> Any:
    """Read the opcodes of a pickled object array; with `tolerant`, objects of unknown kinds are None."""
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
        elif name in ("EMPTY_LIST", "EMPTY_SET"):
            stack.append([])
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name in ("SETITEM", "SETITEMS"):
            items = to_mark() if name == "SETITEMS" else [stack.pop(), stack.pop()][::-1]
            if isinstance(stack[-1], dict):
                stack[-1].update({_key(key): value for key, value in zip(items[::2], items[1::2])})
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
        elif name in ("APPEND", "APPENDS", "ADDITEMS"):
            items = [stack.pop()] if name == "APPEND" else to_mark()
            if isinstance(stack[-1], list):
                stack[-1].extend(items)
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            called = str(argument).split()[-1] if name == "GLOBAL" else [stack.pop(), stack.pop()][0]
            if called not in ARRAY_PARTS and tolerant:
                called = _Unknown(called)
            elif called not in ARRAY_PARTS:
                raise ValueError(f"the array refers to {called!r}, which is neither a name nor a number")
            stack.append(called)
        elif name in ("REDUCE", "NEWOBJ"):
            arguments = stack.pop()
            # bytes in pickles of protocol 2: text and the encoding latin1
            encoded = stack[-1] == "encode" and arguments and isinstance(arguments[0], str)
            stack[-1] = arguments[0].encode("latin1") if encoded else _Call(stack[-1], arguments)
        elif name == "BUILD":
            state = stack.pop()
            if isinstance(stack[-1], _Call):
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
        values = np.frombuffer(data, dtype=_dtype(dtype))
        shape = item.state[1]
        fits = isinstance(shape, tuple) and math.prod(shape) == values.size
        return values.reshape(shape, order="F" if item.state[3] else "C") if fits else values
    if isinstance(item, _Call | _Unknown):
        return None
    if isinstance(item, dict):
        return {key: _plain(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [_plain(part) for part in item]
    return item


def _key(key: Any) -> Any:
    if not isinstance(key, str | int | float | bytes | bool | None):
        raise ValueError(f"a dictionary has a key of type {type(key).__name__}")
    return key


def _dtype(described: _Call) -> np.dtype:
    order = described.state[1] if described.state else "|"
    return np.dtype(order.replace("|", "=") + str(described.arguments[0]))
