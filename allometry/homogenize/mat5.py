"""Consistency check of MATLAB v5 files, before scipy reads them.

`scipy.io.loadmat` (1.17) ends the whole process with a segmentation fault on some damaged files. This walks the data
elements once and compares their sizes, types and numbers with what the format says (MathWorks, MAT-File Format, level 5).
"""

import struct
import zlib
from math import prod

ITEM_SIZE = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}
INT8, INT32, UINT32, MATRIX, COMPRESSED = 1, 5, 6, 14, 15
NUMERIC = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 12, 13})
TEXT = frozenset({1, 2, 3, 4, 5, 6, 16, 17, 18})
CELL, STRUCT, OBJECT, CHAR, SPARSE = 1, 2, 3, 4, 5
MAX_DEPTH = 24


def check(data: bytes) -> None:
    """Walk a file.

    Parameters
    ----------
    data : bytes
        The whole file.

    Raises
    ------
    ValueError
        With the place and kind of the first inconsistency.
    """
    if len(data) < 128:
        raise ValueError(f"only {len(data)} bytes")
    if data[126:128] not in (b"IM", b"MI"):
        raise ValueError("no MATLAB 5 header")
    order = "<" if data[126:128] == b"IM" else ">"
    at = 128
    while at < len(data):
        kind, size, start, after = _tag(data, at, len(data), order)
        if kind == COMPRESSED:
            try:
                inner = zlib.decompress(data[start : start + size])
            except zlib.error as error:
                raise ValueError(f"compressed variable at byte {at} is damaged") from error
            inner_kind, inner_size, inner_start, _ = _tag(inner, 0, len(inner), order)
            _require(inner_kind == MATRIX, "a compressed element is no array", at)
            _matrix(inner, inner_start, inner_start + inner_size, order, 0)
            at = start + size
        else:
            _require(kind == MATRIX, f"element of type {kind}", at)
            _matrix(data, start, start + size, order, 0)
            at = after


def _require(true: bool, what: str, at: int) -> None:
    if not true:
        raise ValueError(f"{what} (byte {at})")


def _tag(data: bytes, at: int, end: int, order: str) -> tuple[int, int, int, int]:
    """Type, size, start of the data, and start of the next element."""
    _require(at + 8 <= end, "an element is cut off", at)
    kind, size = struct.unpack_from(order + "II", data, at)
    if kind >> 16:
        kind, size = kind & 0xFFFF, kind >> 16
        _require(size <= 4, "a small element is too large", at)
        return kind, size, at + 4, at + 8
    _require(at + 8 + size <= end, "an element is longer than what holds it", at)
    after = at + 8 + size
    return kind, size, at + 8, after if kind == COMPRESSED else after + (-after + at) % 8


def _matrix(data: bytes, at: int, end: int, order: str, depth: int) -> None:
    _require(depth <= MAX_DEPTH, "arrays are nested too deeply", at)
    if at == end:
        return  # an empty cell
    kind, size, start, at = _tag(data, at, end, order)
    _require(kind == UINT32 and size == 8, "array flags are damaged", start)
    flags, _ = struct.unpack_from(order + "II", data, start)
    class_, is_complex = flags & 0xFF, bool(flags & 0x800)
    kind, size, start, at = _tag(data, at, end, order)
    _require(kind == INT32 and size >= 8 and size % 4 == 0 and size <= 128, "dimensions are damaged", start)
    shape = struct.unpack_from(order + f"{size // 4}i", data, start)
    _require(all(length >= 0 for length in shape), "a dimension is negative", start)
    count = prod(shape)
    kind, _, start, at = _tag(data, at, end, order)
    _require(kind in (INT8, 16), "the name is damaged", start)
    if class_ == CELL:
        _children(data, at, end, order, depth, count)
    elif class_ in (STRUCT, OBJECT):
        _struct(data, at, end, order, depth, count, class_)
    elif class_ == CHAR:
        kind, size, start, _ = _tag(data, at, end, order)
        _require(kind in TEXT and size % ITEM_SIZE[kind] == 0, "text is damaged", start)
        _require(size // ITEM_SIZE[kind] >= count or kind == 16, "text is shorter than its dimensions", start)
    elif class_ == SPARSE:
        for _ in range(4 if is_complex else 3):
            kind, _, start, at = _tag(data, at, end, order)
            _require(kind in NUMERIC, "a sparse array is damaged", start)
    else:
        _require(6 <= class_ <= 15, f"array class {class_} is not known", start)
        for _ in range(2 if is_complex else 1):
            kind, size, start, at = _tag(data, at, end, order)
            _require(kind in NUMERIC, f"numbers have type {kind}", start)
            _require(size == count * ITEM_SIZE[kind], f"{size} bytes for {count} numbers", start)


def _struct(data: bytes, at: int, end: int, order: str, depth: int, count: int, class_: int) -> None:
    if class_ == OBJECT:
        kind, _, start, at = _tag(data, at, end, order)
        _require(kind == INT8, "a class name is damaged", start)
    kind, size, start, at = _tag(data, at, end, order)
    _require(kind == INT32 and size == 4, "the length of field names is damaged", start)
    (length,) = struct.unpack_from(order + "i", data, start)
    kind, size, start, at = _tag(data, at, end, order)
    _require(kind == INT8 and length > 0 and size % length == 0, "field names are damaged", start)
    _children(data, at, end, order, depth, count * (size // length))


def _children(data: bytes, at: int, end: int, order: str, depth: int, count: int) -> None:
    for _ in range(count):
        kind, size, start, after = _tag(data, at, end, order)
        _require(kind == MATRIX, "a cell is no array", at)
        _matrix(data, start, start + size, order, depth + 1)
        at = after
