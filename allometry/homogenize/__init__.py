"""Homogenize: source files of any layout into stores of one schema per kind.

`run` is what the rule `homogenize_store` calls; `allometry.homogenize.readers.READERS` lists the readers.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dask

from allometry import stores
from allometry.errors import ReaderError
from allometry.hints import nearest
from allometry.homogenize import mistaken
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.readers import READERS
from allometry.homogenize.unchanged import Unchanged

__all__ = ["READERS", "run", "store_entry"]

log = logging.getLogger("allometry")


def store_entry(source: Mapping[str, Any], name: str, store: str) -> tuple[Reader, str, dict[str, Any]]:
    """Reader, kind and options of one store of a registry entry.

    Parameters
    ----------
    source : mapping
        Registry entry.
    name : str
        Its key.
    store : str
        Name of the store: one of the entry's `stores`, or the key itself where the entry names none.

    Returns
    -------
    reader : Reader
    kind : str
        Kind of the store, lower-case.
    options : dict
        Options of the entry, overridden by those of the store.

    Raises
    ------
    ReaderError
        Unknown reader, unknown store, or a kind that the reader does not make.
    """
    key = str(source.get("reader", ""))
    if key not in READERS:
        near = nearest(key, READERS)
        raise ReaderError(
            f"unknown reader {key!r}",
            where=f"registry entry {name!r}",
            expected=f"one of {', '.join(sorted(READERS))}",
            do=f"write {near[0]!r}" if near else "correct the key 'reader'",
        )
    reader = READERS[key]
    entries = source.get("stores") or {name: {}}
    if store not in entries:
        raise ReaderError(
            f"store {store!r} is not made from this source",
            where=f"registry entry {name!r}",
            expected=f"one of {', '.join(sorted(entries))}",
        )
    entry = entries[store] or {}
    kind = str(entry.get("kind") or reader.kinds[0])
    if kind not in reader.kinds:
        raise ReaderError(
            f"reader {key!r} makes no store of kind {kind!r}",
            where=f"registry entry {name!r}, store {store!r}",
            expected=f"one of {', '.join(reader.kinds)}",
        )
    options = {**(source.get("options") or {}), **(entry.get("options") or {})}
    return reader, kind, options


def run(
    source: Mapping[str, Any],
    store: str,
    raw_dir: Path | str,
    out: Path | str,
    provenance: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    recordings: Mapping[str, Any] | None = None,
    threads: int = 1,
    overwrite: bool = False,
) -> None:
    """Read the files of one source and write one store with its manifest.

    Parameters
    ----------
    source : mapping
        Registry entry (plain dict): reader, species, citation, licence, verified, files, stores, options. Its name is
        the key `name`, or the name of `raw_dir`.
    store : str
        Which of the entry's stores to make.
    raw_dir : path
        Folder `results/raw/{source}` with the files by name.
    out : path
        The store, `results/homogenized/{kind}/{store}.zarr`.
    provenance : mapping, optional
        For the manifest.
    options : mapping, optional
        Options of the reader that override those of the registry.
    recordings : mapping, optional
        Treatment of all recordings (`homogenize.recordings` of the configuration: rate_hz, label_policy, ...), for a store
        of kind activity; options of this store come before it.
    threads : int
        Threads of Dask: recordings that are read and resampled at a time. The store does not depend on it.
    overwrite : bool
        Whether a store that is there may be replaced.

    Raises
    ------
    ReaderError
        Whatever is wrong with the files or options; nothing is left under `out` then.
    """
    stores.require_free(out, overwrite=overwrite)
    raw_dir = Path(raw_dir)
    name = str(source.get("name") or raw_dir.name)
    reader, kind, entry_options = store_entry(source, name, store)
    present = [f for f in source["files"] if not f.get("optional") or (raw_dir / str(f["name"])).is_file()]
    described = Source.from_entry(name, {**source, "files": present}, _as_retrieved(raw_dir))
    files = {file: raw_dir / file for file in described.files}
    missing = [file for file, path in files.items() if not path.is_file()]
    if missing:
        raise ReaderError(
            f"{len(missing)} of {len(files)} files are missing: {', '.join(missing[:5])}",
            where=str(raw_dir),
            expected="every file of the registry entry",
            do="run the retrieve stage for this source",
        )
    for path in files.values():
        mistaken.refuse(path)
    shared = reader.shared(recordings or {}) if kind == "activity" else {}
    merged = {**shared, **entry_options, **(options or {})}
    with dask.config.set(scheduler="threads", num_workers=threads):
        unchanged = Unchanged(files)
        try:
            obj = reader(files, described, merged, kind)
        except ReaderError:
            # a file that was changed by hand is the better reason
            described.explain(files)
            raise
        unchanged.require()
        if _kind_of(obj) != kind:
            raise ReaderError(
                f"reader {reader.name!r} gave a store of kind {_kind_of(obj)!r}",
                where=f"store {store!r}",
                expected=kind,
            )
        # Recordings of activity are reported one by one while they are read.
        if described.verified == "layout-only" and kind != "activity":
            asked = (
                "please compare what was found with what you know of your files"
                if described.own
                else "this reader was never run on a genuine file before. Please check what it found"
            )
            log.warning("%s: %s:\n%s", name, asked, obj)
        # again when the last byte is written: a reader may hand over arrays that are read as they are written
        stores.write(
            obj, Path(out), overwrite=overwrite, provenance=dict(provenance or {}), before_publication=unchanged.require
        )
    log.info("%s: wrote %s", name, out)


def _as_retrieved(raw_dir: Path) -> dict[str, str]:
    """Checksums of the files when they were retrieved; empty where no retrieval left a manifest."""
    manifest = raw_dir / "manifest.json"
    if not manifest.is_file():
        return {}
    try:
        return {str(name): str(entry["sha256"]) for name, entry in json.loads(manifest.read_bytes())["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReaderError(
            f"the manifest of the retrieval cannot be read: {error!r}",
            where=str(manifest),
            do="delete it and run the retrieve stage again",
        ) from error


def _kind_of(obj: Any) -> str:
    return str(obj.attrs.get("schema", "")).lower()
