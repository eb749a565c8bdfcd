"""MATLAB v7.3 files as MATLAB writes them: HDF5, transposed, cells as references into `#refs#`, text as 16-bit numbers."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np


class Writer:
    """Writes structs, cells, text and numbers into one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = h5py.File(path, "w", userblock_size=512)
        self.refs = self.file.create_group("#refs#")
        self.made = 0

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1 00:00:00 2024 HDF5 schema 1.00 ."
        with self.path.open("r+b") as stream:
            stream.write(header.ljust(124) + b"\x00\x02IM")

    def _next(self) -> int:
        self.made += 1
        return self.made

    def struct(self, name: str, fields: dict[str, Any]) -> None:
        """A scalar struct at the top level."""
        group = self.file.create_group(name)
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        for key, value in fields.items():
            self.put(group, key, value)

    def put(self, group: h5py.Group, name: str, value: Any) -> h5py.Dataset:
        """A variable: list -> cell, None -> [], text -> char, array -> double (transposed)."""
        if value is None or (isinstance(value, str) and not value):
            made = group.create_dataset(name, data=np.zeros(2, np.uint64))
            made.attrs["MATLAB_empty"] = np.uint8(1)
            kind = "double" if value is None else "char"
        elif isinstance(value, str):
            made = group.create_dataset(name, data=np.array([[ord(sign)] for sign in value], np.uint16))
            made.attrs["MATLAB_int_decode"] = np.int32(2)
            kind = "char"
        elif isinstance(value, list):
            cells = [self.put(self.refs, f"r{self._next()}", item).ref for item in value]
            made = group.create_dataset(name, (len(cells), 1), h5py.ref_dtype)  # a 1 x n cell
            for place, cell in enumerate(cells):
                made[place, 0] = cell
            kind = "cell"
        else:
            made = group.create_dataset(name, data=np.atleast_2d(np.asarray(value, np.float64)).T)
            kind = "double"
        made.attrs["MATLAB_class"] = np.bytes_(kind)
        return made
