"""Whole stores: written so that nothing stands under the name before all does, and opened with a look for damage."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import xarray as xr
import zarr

from allometry import files
from allometry.errors import StoreError
from allometry.stores.kinds import BY_NAME, validate
from allometry.stores.schema import Data, parts
from allometry.stores.storage import arrays, layout, manifest, migrations, publication, reading

Check = Literal["list", "full", "none"]


def write(
    obj: Data,
    path: str | Path,
    *,
    overwrite: bool = False,
    provenance: Mapping[str, Any] | None = None,
    compression: layout.Compression = "final",
    chunks: Mapping[str, int] | None = None,
    beside: Mapping[Path, bytes] | None = None,
    before_publication: Callable[[], None] | None = None,
) -> Path:
    """Validate and write a store with its manifest; nothing stands under the final name until it is complete.

    Parameters
    ----------
    obj : Dataset or DataTree
        Made by one of the builders.
    path : path
        Ends in `.zarr`; folders above it are made.
    overwrite : bool
        Whether a store that is there may be replaced. Anything that is no store of ours is never touched.
    provenance : mapping, optional
        What the manifest shall say besides versions, host and times: the configuration, the cluster.
    compression : {"final", "hot"}
        `hot` (lz4) for stores that are read many times, `final` (zstd, bit-shuffled) for the others.
    chunks : mapping, optional
        Dimension -> chunk length, in place of the default layout.
    beside : mapping of path to bytes, optional
        Files in the same folder that belong to the store: they appear with it, and their sha256 is in the manifest.
    before_publication : callable, optional
        Called when all is written and nothing stands under the final name yet; if it raises, nothing ever will.

    Returns
    -------
    The path.

    Raises
    ------
    StoreError
        The object is not valid, the name does not end in `.zarr`, something is there that may not be replaced, the disk
        is full or read-only, or another process wrote the same store meanwhile.
    """
    validate(obj)
    reserved = publication.reserve(path, overwrite=overwrite)
    try:
        with files.writing(path):
            root, groups = parts(obj)
            group = zarr.create_group(reserved.partial, zarr_format=3)
            arrays.write_group(group, root, compression=compression, chunks=chunks)
            for name, dataset in sorted(groups.items()):
                child = group.create_group(name)
                arrays.write_group(
                    child, dataset, compression=compression, chunks=chunks, whole=name.startswith("native/")
                )
            arrays.finalise(reserved.partial)
            if before_publication is not None:
                before_publication()
            return publication.publish(reserved, provenance, beside)
    except BaseException:
        reserved.discard()
        raise


def _checked(path: Path, check: Check) -> None:
    if check == "none":
        return
    problems = manifest.differences(path, manifest.read_manifest(path), hashes=check == "full")
    if problems:
        shown = "".join(f"\n  - {problem}" for problem in problems[:10])
        raise StoreError(
            what=f"the store is damaged: {len(problems)} of its files differ from the manifest{shown}",
            where=str(path),
            expected=str(manifest.manifest_path(path)),
            do="delete the store and build it again",
        )


def open_store(path: str | Path, check: Check = "list", chunks: Any = None) -> Data:
    """Open a store.

    Parameters
    ----------
    path : path of a store (`{name}.zarr`)
    check : {"list", "full", "none"}
        `list` compares names and sizes of all files with the manifest, `full` also their sha256.
    chunks : optional
        As in `xarray.open_zarr`; None reads lazily into numpy, `{}` gives dask arrays chunked as stored.

    Returns
    -------
    Dataset (connectome, responses, spikes) or DataTree (activity, scores). Variables are read when they are used. A store
    of an earlier version comes as one of the present version, where that loses nothing; its files stay as they are. A chunk
    that has been damaged meanwhile raises a StoreError when it is read.

    Raises
    ------
    StoreError
        There is no such store, it has no manifest, it is damaged, of a later version, or of one whose meaning has changed.
    """
    path = Path(path)
    if not (path / "zarr.json").is_file():
        raise StoreError(
            what="there is no store" if not path.exists() else "this is not a Zarr v3 store",
            where=str(path),
            expected="a directory {name}.zarr with a zarr.json",
            do="check the path, or build the store",
        )
    _checked(path, check)
    attrs = json.loads((path / "zarr.json").read_bytes()).get("attributes", {})
    schema, version = BY_NAME.get(str(attrs.get("schema"))), attrs.get("schema_version")
    if schema is None or not migrations.known(schema, version):
        raise StoreError(
            what=f"schema {attrs.get('schema')!r}, version {version!r}, is not known here",
            where=str(path),
            expected=f"one of {sorted(BY_NAME)}" if schema is None else f"at most version {schema.version}",
            do="open it with xarray.open_zarr, or build it again with this version of Allometry",
        )
    with reading.checked():
        grouped = bool(schema.groups)
        obj = xr.open_datatree(path, engine="zarr", chunks=chunks) if grouped else xr.open_zarr(path, chunks=chunks)
    return migrations.migrated(obj, schema, version, str(path))
