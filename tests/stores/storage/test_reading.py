"""A chunk that was damaged after the store was opened is an error, never data."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from allometry import stores
from allometry.errors import StoreError

from .. import samples


def _chunks(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file() and file.name != "zarr.json")


def _read(obj: xr.Dataset | xr.DataTree) -> list[np.ndarray]:
    groups = [node.to_dataset(inherit=False) for node in obj.subtree] if isinstance(obj, xr.DataTree) else [obj]
    return [variable.values for group in groups for variable in group.variables.values()]


@pytest.mark.parametrize("kind", sorted(samples.KINDS))
def test_a_changed_byte_anywhere_in_a_chunk_is_an_error(tmp_path, kind):
    path = stores.write(samples.sample(kind), tmp_path / "a.zarr")
    files = _chunks(path)
    for number, file in enumerate(files):
        whole = file.read_bytes()
        at = (0, len(whole) // 2, len(whole) - 1)[number % 3]
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        # the sizes of all files are as they were
        with pytest.raises(StoreError, match="a chunk is damaged") as error:
            _read(stores.open(path))
        assert str(path / file.relative_to(path).parts[0]) in str(error.value)
        file.write_bytes(whole)
    assert len(files) >= 4
    _read(stores.open(path))


def test_damage_is_seen_by_dask_and_by_another_process(tmp_path):
    path = stores.write(samples.sample("spikes"), tmp_path / "a.zarr")
    eager, lazy = stores.open(path), pickle.dumps(stores.open(path, chunks={}))
    for file in _chunks(path):
        file.write_bytes(b"\0" * file.stat().st_size)
    for obj in (eager, pickle.loads(lazy)):
        with pytest.raises(StoreError, match="a chunk is damaged"):
            obj.load()


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    path = stores.write(samples.sample("spikes"), tmp_path / "a.zarr")
    opened = stores.open(path)

    def broken(*arguments, **options):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("zarr.storage._local._get", broken)
    with pytest.raises(StoreError, match=r"a chunk cannot be read: Input/output error"):
        _read(opened)


def test_other_arrays_keep_the_pipeline_of_zarr(tmp_path):
    import zarr

    stores.open(stores.write(samples.sample("spikes"), tmp_path / "a.zarr"))
    assert zarr.config.get("codec_pipeline.path").startswith("zarr.")
