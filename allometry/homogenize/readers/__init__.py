"""Readers: one module each, named as the key `reader` of an entry in `config/datasets.yaml`, which holds it as READER.

A reader is imported when it is first asked for: a job that homogenizes one store must not pay for the imports of all.
"""

import importlib
from collections.abc import Iterator, Mapping
from types import ModuleType

from allometry.homogenize.reader import PLUGGED, Reader, packaged

NAMES: tuple[str, ...] = packaged()
"""Readers of the package."""


def module(name: str) -> ModuleType:
    """Module of the reader called `name`."""
    return importlib.import_module(f"{__name__}.{name}")


class _Readers(Mapping[str, Reader]):
    """Reader by name, those of the package imported on access, and those of plugins."""

    def __getitem__(self, name: str) -> Reader:
        if name not in NAMES:
            return PLUGGED[name]
        reader: Reader = module(name).READER
        return reader

    def __iter__(self) -> Iterator[str]:
        yield from NAMES
        yield from PLUGGED

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in NAMES or name in PLUGGED


READERS: Mapping[str, Reader] = _Readers()
