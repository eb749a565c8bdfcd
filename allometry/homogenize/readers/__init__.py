"""Readers: one module each, named as the key `reader` of an entry in `config/datasets.yaml`, which holds it as READER.

A reader is imported when it is first asked for: a job that homogenizes one store must not pay for the imports of all.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType

from allometry.homogenize.reader import Reader

NAMES: tuple[str, ...] = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def module(name: str) -> ModuleType:
    """Module of the reader called `name`."""
    return importlib.import_module(f"{__name__}.{name}")


class _Readers(Mapping[str, Reader]):
    """Reader by name, imported on access."""

    def __getitem__(self, name: str) -> Reader:
        if name not in NAMES:
            raise KeyError(name)
        reader: Reader = module(name).READER
        return reader

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)

    def __contains__(self, name: object) -> bool:
        return name in NAMES


READERS: Mapping[str, Reader] = _Readers()
