"""Genuine files of registered sources, for tests: from the mirror, or through the retrieve stage."""

from pathlib import Path

import pytest
import xarray as xr
import yaml

from allometry import retrieve
from allometry.homogenize import store_entry
from allometry.homogenize.reader import Source

REGISTRY = yaml.safe_load((Path(__file__).resolve().parents[2] / "config" / "datasets.yaml").read_text())


def read(store: str, mirror: Path, **options: object) -> xr.Dataset | xr.DataTree:
    """Read one registered store from the mirror."""
    name = next(key for key, entry in REGISTRY.items() if store in entry["stores"])
    files = {}
    for file in REGISTRY[name]["files"]:
        places = [p.removeprefix("mirror:") for p in file["places"] if isinstance(p, str) and p.startswith("mirror:")]
        if not places or not (mirror / places[0]).is_file():
            pytest.skip(f"{file['name']} is not in the mirror")
        files[file["name"]] = mirror / places[0]
    return _read(name, store, files, options)


def read_from_wheel(store: str, folder: Path) -> xr.Dataset | xr.DataTree:
    """Read one registered store after retrieving its source, as the workflow does."""
    name = next(key for key, entry in REGISTRY.items() if store in entry["stores"])
    retrieve.run(name, REGISTRY[name], folder / name, None, folder / "cache")
    return _read(name, store, {f["name"]: folder / name / f["name"] for f in REGISTRY[name]["files"]}, {})


def _read(name: str, store: str, files: dict[str, Path], options: dict[str, object]) -> xr.Dataset | xr.DataTree:
    reader, kind, entry_options = store_entry(REGISTRY[name], name, store)
    return reader(files, Source.from_entry(name, REGISTRY[name]), {**entry_options, **options}, kind)
