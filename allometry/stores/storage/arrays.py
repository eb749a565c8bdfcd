"""Arrays and groups of a store in Zarr v3, with the same bytes for the same content."""

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import Crc32cCodec

from allometry.stores.attributes import encoded, sorted_json
from allometry.stores.storage import layout


def create_array(
    group: zarr.Group,
    name: str,
    dims: tuple[str, ...],
    shape: tuple[int, ...],
    dtype: np.dtype,
    attrs: Mapping[str, Any],
    *,
    compression: layout.Compression = "final",
    chunks: Mapping[str, int] | None = None,
    whole: bool = False,
) -> zarr.Array:
    """Create one array with the stores' layout; see `layout`."""
    is_text = dtype.kind == "T"
    stored: Any = zarr.dtype.VariableLengthUTF8() if is_text else dtype
    chunk = layout.chunk_shape(dims, shape, 16 if is_text else dtype.itemsize, chunks or {})
    return group.create_array(
        name,
        shape=shape,
        dtype=stored,
        chunks=chunk,
        shards=layout.shard_shape(dims, shape, chunk, whole),
        compressors=[layout.codec(dtype, compression), Crc32cCodec()],
        fill_value=layout.fill_value(dtype),
        dimension_names=dims,
        attributes=encoded(attrs),
    )


def _regions(array: zarr.Array) -> Iterator[tuple[slice, ...]]:
    """Cut an array along its shards (chunks where there are none): each file has one writer, once."""
    unit = array.shards or array.chunks
    cuts = [[slice(i, min(i + step, n)) for i in range(0, n, step)] for n, step in zip(array.shape, unit)]
    return itertools.product(*cuts)


def write_group(
    group: zarr.Group,
    dataset: xr.Dataset,
    *,
    compression: layout.Compression = "final",
    chunks: Mapping[str, int] | None = None,
    whole: bool = False,
) -> None:
    """Write a Dataset's attributes and variables into a Zarr group; lazy variables are computed shard by shard."""
    coordinates = sorted(str(name) for name in dataset.coords if name not in dataset.dims)
    group.attrs.update(encoded(dataset.attrs) | ({"coordinates": " ".join(coordinates)} if coordinates else {}))
    for name, variable in sorted(dataset.variables.items(), key=lambda item: str(item[0])):
        dims = tuple(map(str, variable.dims))
        array = create_array(
            group,
            str(name),
            dims,
            variable.shape,
            variable.dtype,
            variable.attrs,
            compression=compression,
            chunks=chunks,
            whole=whole,
        )
        for region in _regions(array):
            array[region] = variable[region].values


def finalise(partial: Path) -> None:
    """Rewrite the metadata with sorted keys, and consolidate it at the root, once."""
    nodes = {}
    for file in sorted(partial.rglob("zarr.json")):
        metadata = json.loads(file.read_bytes())
        metadata.pop("consolidated_metadata", None)
        nodes[file.parent.relative_to(partial).as_posix()] = metadata
        file.write_bytes(sorted_json(metadata))
    root = nodes.pop(".")
    root["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": nodes}
    (partial / "zarr.json").write_bytes(sorted_json(root))
