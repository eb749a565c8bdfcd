"""Random damage to source files: missing fields, wrong types, transposed, truncated, NaN, time running backwards, labels.

`mutate(path, rng)` changes one file in place and says what it did. `outcome(read)` runs a reader: a valid store or an
`AllometryError` is right, anything else is a bug of the reader.
"""

import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from allometry import stores
from allometry.errors import AllometryError
from allometry.homogenize import lines as first_lines

Rng = np.random.Generator


def outcome(read: Callable[[], Any]) -> str:
    """`store` or the name of the error; raises whatever else the reader raises, or AssertionError for a bad store."""
    try:
        store = read()
    except AllometryError as error:
        if not (error.what and (error.where or error.expected or error.do)):
            raise AssertionError("the error says neither where nor what to do") from error
        return type(error).__name__
    assert stores.violations(store) == []
    return "store"


def mutate(path: Path, rng: Rng) -> str:
    """Damage one file: its bytes (one time in five) or its content."""
    if rng.random() < 0.2:
        return _bytes(path, rng)
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _zip(path, rng)
    if suffix == ".npz":
        return _npz(path, rng)
    if suffix == ".json":
        return _json(path, rng)
    if suffix in (".txt", ".csv", ".tsv"):
        encoding = first_lines.encoding(path)
        text, what = _text(path.read_text(encoding=encoding), rng)
        path.write_text(text, encoding=encoding)
        return what
    if suffix == ".npy":
        try:
            array = np.load(path)
        except ValueError:  # an array of objects
            return _bytes(path, rng)
        array, what = _array(array, rng)
        np.save(path, array)
        return what
    if h5py.is_hdf5(path):
        return _hdf5(path, rng)
    if suffix == ".mat":
        return _mat5(path, rng)
    return _bytes(path, rng)


def _bytes(path: Path, rng: Rng) -> str:
    data = bytearray(path.read_bytes())
    kind = rng.integers(5)
    if kind == 0:
        data = data[: int(rng.integers(len(data)))]
    elif kind == 1:
        data = bytearray()
    elif kind == 2:
        for place in rng.integers(len(data), size=20):
            data[place] = int(rng.integers(256))
    elif kind == 3:
        start = int(rng.integers(len(data)))
        data[start : start + 512] = bytes(min(512, len(data) - start))
    else:
        data = bytearray(b"<html><body>404 not found</body></html>")
    path.write_bytes(bytes(data))
    return f"bytes: {('cut', 'emptied', '20 changed', '512 zeroed', 'replaced by a web page')[kind]}"


def _array(value: np.ndarray, rng: Rng) -> tuple[Any, str]:
    """Change a numeric, text or object array."""
    numeric = value.dtype.kind in "biuf"
    choices: list[tuple[str, Callable[[], Any]]] = [
        ("transposed", lambda: value.T),
        ("cut to half", lambda: value[: len(value) // 2] if value.ndim else value),
        ("one row less", lambda: value[:-1] if value.ndim else value),
        ("emptied", lambda: value[:0] if value.ndim else np.zeros(0)),
        ("reversed", lambda: value[::-1] if value.ndim else value),
        ("one more axis", lambda: value[None]),
        ("flattened", lambda: value.ravel()),
        ("text instead", lambda: np.array([b"abc", b"AVAL"])),
        ("a number instead", lambda: np.float64(3.0)),
    ]
    if numeric and value.size > 1 and value.ndim:
        floats = value.astype(np.float64)

        def put(where: Any, what: float) -> np.ndarray:
            out = floats.copy()
            out[where] = what
            return out

        axis = int(rng.integers(value.ndim))
        at = tuple(slice(None) if i != axis else int(rng.integers(n)) for i, n in enumerate(value.shape))
        spot = tuple(int(rng.integers(n)) for n in value.shape)
        choices += [
            ("a row or column NaN", lambda: put(at, np.nan)),
            ("all NaN", lambda: put(..., np.nan)),
            ("an infinity", lambda: put(spot, np.inf)),
            ("a value 1e300", lambda: put(spot, 1e300)),
            ("a value -1", lambda: put(spot, -1)),
            ("constant", lambda: put(..., 1.0)),
            ("shuffled", lambda: rng.permutation(floats)),
            ("integers", lambda: floats.astype(np.int32)),
            ("complex", lambda: floats + 1j),
        ]
    elif value.dtype.kind in "OSUT" and value.size:

        def name(what: Any, everywhere: bool) -> np.ndarray:
            out = value.astype(object)
            for place in range(out.size) if everywhere else [int(rng.integers(out.size))]:
                out.reshape(-1)[place] = what
            return out

        choices += [
            ("all labels equal", lambda: name("AVAL", True)),
            ("an unknown label", lambda: name("ZZ99", False)),
            ("a label twice", lambda: name("AVAL", False)),
            ("an ambiguous label", lambda: name("RMED/V", False)),
            ("a label of control characters", lambda: name("\x01/\n", False)),
        ]
    what, change = choices[int(rng.integers(len(choices)))]
    try:
        return change(), what
    except (ValueError, TypeError, IndexError):
        return np.zeros(0), "emptied"


def _hdf5(path: Path, rng: Rng) -> str:
    with h5py.File(path, "r+") as file:
        items: list[str] = []
        file.visit(items.append)
        name = items[int(rng.integers(len(items)))]
        item = file[name]
        attrs = dict(item.attrs)
        if isinstance(item, h5py.Group) or rng.random() < 0.15:
            kind = rng.integers(3)
            if kind == 0 or not isinstance(item, h5py.Group):
                del file[name]
                return f"{name}: deleted"
            parent, _, leaf = name.rpartition("/")
            if kind == 1:
                file.move(name, f"{parent}/renamed_{leaf}" if parent else f"renamed_{leaf}")
                return f"{name}: renamed"
            del file[name]
            file[name] = np.arange(3.0)
            return f"{name}: a dataset instead of a group"
        value = item[()]
        references = h5py.check_ref_dtype(item.dtype) is not None
        if references or item.dtype.names or not isinstance(value, np.ndarray):
            if references and isinstance(value, np.ndarray) and value.size > 1 and rng.random() < 0.7:
                kind = int(rng.integers(3))
                order = (
                    rng.permutation(value.ravel()) if kind == 0 else value.ravel()[:-1] if kind == 1 else value.ravel()
                )
                order = np.concatenate([order, order[:1]]) if kind == 2 else order
                del file[name]
                new = file.create_dataset(name, data=order.reshape(-1, 1), dtype=h5py.ref_dtype)
                new.attrs.update(attrs)
                return f"{name}: references {('shuffled', 'one missing', 'one twice')[kind]}"
            del file[name]
            file[name] = np.arange(4.0)
            return f"{name}: numbers instead of {item.dtype}"
        if value.dtype == object:
            value = np.array([v.decode() if isinstance(v, bytes) else str(v) for v in value.ravel()], dtype=object)
        new, what = _array(value, rng)
        new = np.asarray(new)
        del file[name]
        if new.dtype.kind in "OU":
            data = file.create_dataset(name, data=[str(v) for v in new.ravel()], dtype=h5py.string_dtype())
        else:
            data = file.create_dataset(name, data=new)
        data.attrs.update(attrs)
        return f"{name}: {what}"


def _mat5(path: Path, rng: Rng) -> str:
    content = {k: v for k, v in scipy.io.loadmat(path).items() if not k.startswith("__")}
    name = list(content)[int(rng.integers(len(content)))]
    if rng.random() < 0.15:
        del content[name]
        what = "deleted"
    else:
        content[name], what = _nested(content[name], rng)
    try:
        scipy.io.savemat(path, content)
    except (ValueError, TypeError, NotImplementedError):
        return _bytes(path, rng)
    return f"{name}: {what}"


def _nested(value: Any, rng: Rng) -> tuple[Any, str]:
    """Change an array, or one inside a cell or a struct."""
    if not isinstance(value, np.ndarray):
        return "abc", "text instead"
    if value.dtype.names and value.size and rng.random() < 0.85:
        out = value.copy()
        field = value.dtype.names[int(rng.integers(len(value.dtype.names)))]
        place = np.unravel_index(int(rng.integers(value.size)), value.shape)
        out[field][place], what = _nested(value[field][place], rng)
        return out, f"{field}: {what}"
    if value.dtype == object and value.size and rng.random() < 0.6:
        out = value.copy()
        place = np.unravel_index(int(rng.integers(value.size)), value.shape)
        out[place], what = _nested(value[place], rng)
        return out, f"cell: {what}"
    return _array(value, rng)


def _npz(path: Path, rng: Rng) -> str:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = list(members)[int(rng.integers(len(members)))]
    try:
        array = np.load(BytesIO(members[name]), allow_pickle=False)
    except ValueError:
        data = bytearray(members[name])
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
        members[name], what = bytes(data), "a byte of the objects changed"
    else:
        new, what = _array(array, rng)
        if np.asarray(new).dtype == object:
            new = np.asarray(new).astype(str)
        stream = BytesIO()
        np.save(stream, new)
        members[name] = stream.getvalue()
        if rng.random() < 0.1:
            del members[name]
            what = "deleted"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return f"{name}: {what}"


def _zip(path: Path, rng: Rng) -> str:
    with zipfile.ZipFile(path) as archive:
        name = archive.namelist()[0]
        text = archive.read(name).decode()
    text, what = _text(text, rng)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.pdf" if rng.random() < 0.05 else name, text)
    return what


def _text(text: str, rng: Rng) -> tuple[str, str]:
    lines = text.split("\n")
    at = int(rng.integers(max(len(lines) - 1, 1)))
    separator = "," if "," in lines[0] else " "
    cells = lines[at].split(separator)
    cell = int(rng.integers(len(cells)))

    def with_cell(value: str) -> str:
        changed = [*cells[:cell], value, *cells[cell + 1 :]]
        return "\n".join([*lines[:at], separator.join(changed), *lines[at + 1 :]])

    choices = [
        ("a line deleted", "\n".join(lines[:at] + lines[at + 1 :])),
        ("a line doubled", "\n".join([*lines[: at + 1], *lines[at:]])),
        ("half of the lines", "\n".join(lines[: len(lines) // 2])),
        ("reversed", "\n".join(lines[::-1])),
        ("blank", "\n\n"),
        ("a word in a cell", with_cell("word")),
        ("an empty cell", with_cell("")),
        ("nan in a cell", with_cell("nan")),
        ("inf in a cell", with_cell("inf")),
        ("-1 in a cell", with_cell("-1")),
        ("AVAL in a cell", with_cell("AVAL")),
        ("a cell more", with_cell(f"1{separator}2")),
        ("a cell less", "\n".join([*lines[:at], separator.join(cells[:-1]), *lines[at + 1 :]])),
        ("another separator", text.replace(separator, ";")),
        ("a byte that is no text", text[: len(text) // 2] + "\udcff" * 0 + "\x00" + text[len(text) // 2 :]),
    ]
    what, new = choices[int(rng.integers(len(choices)))]
    return new, what


def _json(path: Path, rng: Rng) -> str:
    tree = json.loads(path.read_text())
    places: list[tuple[Any, Any]] = []

    def visit(node: Any, depth: int) -> None:
        keys = (
            list(node) if isinstance(node, dict) else list(range(min(len(node), 6))) if isinstance(node, list) else []
        )
        for key in keys:
            places.append((node, key))
            if depth < 3:
                visit(node[key], depth + 1)

    visit(tree, 0)
    node, key = places[int(rng.integers(len(places)))]
    values: list[Any] = [None, "AVAL", [], {}, -1, float("nan"), True, [1, 2, 3], [[1, 2], [3]], "0", {"label": None}]
    kind = int(rng.integers(len(values) + 3))
    if kind == len(values):
        del node[key]
        what = "deleted"
    elif kind == len(values) + 1 and isinstance(node[key], list):
        node[key] = node[key][::-1]
        what = "reversed"
    elif kind == len(values) + 2 and isinstance(node[key], list):
        node[key] = node[key][: len(node[key]) // 2]
        what = "cut to half"
    else:
        node[key] = values[kind % len(values)]
        what = f"{node[key]!r} instead"
    path.write_text(json.dumps(tree))
    return f"{key}: {what}"
