"""The HDF5 layout of the Flavell laboratory: traces, confocal clock, behaviour on the confocal clock."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from allometry.homogenize.formats.hdf5 import numeric

UNITS = {"velocity": "mm/s", "head_angle": "rad", "angular_velocity": "rad/s", "pumping": "Hz"}


def behaviour(file: h5py.File, n_time: int) -> tuple[dict[str, tuple[Any, ...]], list[str]]:
    """Datasets of the group `behavior` as (dims, values, attrs), and the names of those that cannot be kept."""
    kept: dict[str, tuple[Any, ...]] = {}
    lost: list[str] = []
    group = file.get("behavior")
    if not isinstance(group, h5py.Group):
        return kept, lost
    for name, item in group.items():
        if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf" or item.ndim == 0 or item.size == 0:
            lost.append(f"behavior/{name}")
            continue
        values = numeric(group, name)
        dims = tuple(
            "time" if axis == 0 and size == n_time else f"axis{axis}" for axis, size in enumerate(values.shape)
        )
        kept[name] = (dims, values.astype(np.float32), {"units": UNITS[name]} if name in UNITS else {})
    return kept, lost


def stem(path: Path) -> str:
    """Name of the recording: file name without `-data.h5` or another ending."""
    return path.name.removesuffix("-data.h5").removesuffix(".bz2").removesuffix(".json").removesuffix(".h5")
