"""What is written is what is opened, through plain xarray, without a warning, and always the same bytes."""

import json
import subprocess
import sys
import tempfile
import tomllib
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allometry import stores
from allometry.errors import StoreError
from allometry.stores import runs
from allometry.stores.kinds import activity as kind_activity
from allometry.stores.storage.manifest import content

from . import samples


def plain_open(path: Path) -> xr.Dataset | xr.DataTree:
    """Open as a user without Allometry would."""
    groups = any((path / name).exists() for name in ("native", "curves", "tables"))
    return xr.open_datatree(path, engine="zarr") if groups else xr.open_zarr(path)


def as_tree(obj):
    return obj if isinstance(obj, xr.DataTree) else xr.DataTree(obj)


@pytest.mark.parametrize("kind", samples.KINDS)
def test_sample_round_trips_without_warning(kind, tmp_path):
    obj = samples.sample(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stores.write(obj, tmp_path / "a.zarr")
        xr.testing.assert_identical(as_tree(plain_open(tmp_path / "a.zarr").load()), as_tree(obj))
        xr.testing.assert_identical(stores.open(tmp_path / "a.zarr").load(), obj)
        # the root alone, as the README shows it
        xr.open_zarr(tmp_path / "a.zarr").load()
        for group in ("native/worm_1", "curves/roc", "tables/laws"):
            if (tmp_path / "a.zarr" / group).exists():
                xr.open_zarr(tmp_path / "a.zarr", group=group).load()
    assert stores.violations(stores.open(tmp_path / "a.zarr", chunks={})) == []
    assert zarr.open_group(tmp_path / "a.zarr").metadata.zarr_format == 3


def test_the_page_names_the_versions_that_are_asked_for(root):
    """Issue 11.20: earlier ones warn for every variable of text, or lose its type; see the page for which."""
    asked = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    bounds = {line.partition(">=")[0]: line.partition(">=")[2].partition(",")[0] for line in asked}
    page = " ".join((root / "docs" / "stores.md").read_text().split())
    assert f"asks for xarray {bounds['xarray']} and zarr {bounds['zarr']}," in page
    assert (bounds["xarray"], bounds["zarr"]) >= ("2026.9", "3.1.1")


@pytest.mark.parametrize("kind", sorted(samples.ANY_STORE))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_valid_object_round_trips(kind, data):
    obj = data.draw(samples.ANY_STORE[kind])
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        path = stores.write(obj, Path(folder) / "a.zarr")
        assert stores.verify(path) == []
        opened = stores.open(path, check="full").load()
    xr.testing.assert_identical(opened, obj)
    assert stores.violations(opened) == []
    for a, b in zip(as_tree(opened).subtree, as_tree(obj).subtree):
        assert {name: v.dtype for name, v in a.variables.items()} == {name: v.dtype for name, v in b.variables.items()}


@pytest.mark.parametrize("kind", samples.KINDS)
def test_same_content_gives_same_bytes(kind, tmp_path):
    """Neither the time, nor the order of variables and attributes, nor dask chunks, may leave a trace."""
    first = samples.sample(kind)
    root = as_tree(first).to_dataset(inherit=False)
    shuffled = xr.Dataset(
        {name: root[name].variable for name in reversed(list(root.data_vars))},
        {name: root.coords[name].variable for name in reversed(list(root.coords))},
        dict(reversed(root.attrs.items())),
    ).chunk({dim: 1 for dim in root.sizes if dim not in root.indexes})
    second = shuffled
    if isinstance(first, xr.DataTree):
        groups = {node.path: node.to_dataset(inherit=False) for node in reversed(list(first.subtree)) if node.parent}
        second = xr.DataTree.from_dict({"/": shuffled, **groups})
    paths = [stores.write(obj, tmp_path / f"{i}.zarr", provenance={"run": i}) for i, obj in enumerate((first, second))]
    assert content(paths[0]) == content(paths[1])
    assert stores.diff(*paths) == []
    manifests = [stores.read_manifest(path) for path in paths]
    assert manifests[0]["content"] == manifests[1]["content"]
    assert manifests[1]["provenance"]["run"] == 1


def test_another_process_writes_the_same_bytes(tmp_path):
    """Hash randomisation and thread timing differ between processes; the bytes do not."""
    code = (
        "import sys, numpy as np, pandas as pd\n"
        "from allometry import stores\n"
        "rng = np.random.default_rng(1)\n"
        "step = np.sort(rng.choice(3_000_000, 100_000, replace=False))\n"
        "attrs = {k: k for k in ('title', 'species', 'citation', 'licence')}\n"
        "attrs |= {k: {} for k in ('source', 'parameters', 'derived')}\n"
        "s = stores.spikes_simulated(step, rng.integers(0, 9, 100_000), dt_ms=0.1, duration_ms=3e5, attrs=attrs,\n"
        "    units=pd.DataFrame({'population': list('abcdefghi')}))\n"
        "stores.write(s, sys.argv[1], chunks={'spike': 12_500})\n"
    )
    for seed in ("1", "2"):
        command = [sys.executable, "-c", code, str(tmp_path / f"{seed}.zarr")]
        subprocess.run(command, check=True, env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"})
    assert content(tmp_path / "1.zarr") == content(tmp_path / "2.zarr")
    assert (tmp_path / "1.zarr" / "spike_step" / "c" / "7").exists()


def test_large_arrays_are_sharded_and_written_once(tmp_path):
    """More than one chunk and shard, sizes that are no multiple of either, and a native array in one shard."""
    rng = np.random.default_rng(0)
    response = rng.normal(size=(3, 70_001, 30)).astype(np.float32)
    response[1, 40_000:60_000] = np.nan
    table = samples.pd.DataFrame({"stimulus": "s", "condition": np.arange(70_001).astype(str)})
    obj = stores.responses(response, table, samples.pd.DataFrame(index=range(3)), lag_s=range(30), attrs=samples.ATTRS)
    path = stores.write(obj, tmp_path / "r.zarr")
    array = zarr.open_array(path / "response")
    assert array.shards is not None
    assert array.nchunks > 2
    assert len(list((path / "response" / "c").rglob("*"))) > 1
    xr.testing.assert_identical(stores.open(path).load(), obj)
    lazy = stores.write(obj.chunk(presentation=999), tmp_path / "lazy.zarr")
    assert content(lazy) == content(path)

    long = stores.Recording("a", np.arange(60_001.0), rng.normal(size=(60_001, 40)), [""] * 40, np.zeros((5, 1)))
    path = stores.write(
        stores.activity([long], ["n"], 1.0, attrs=samples.ATTRS), tmp_path / "a.zarr", compression="hot"
    )
    files = [file for file in (path / "native" / "a" / "trace" / "c").rglob("*") if file.is_file()]
    assert len(files) == 1
    assert np.array_equal(stores.open(path)["native/a/trace"].values, long.trace.astype(np.float32))
    codec = json.loads((path / "native" / "a" / "trace" / "zarr.json").read_text())["codecs"]
    assert "lz4" in json.dumps(codec)


def test_final_stores_are_shuffled_zstd(tmp_path):
    path = stores.write(samples.activity(), tmp_path / "a.zarr")
    for name, shuffle in (("trace", "shuffle"), ("recording_index", "bitshuffle")):
        *_, compressor, checksum = json.loads((path / name / "zarr.json").read_text())["codecs"]
        configuration = compressor["configuration"]
        assert (configuration["cname"], configuration["shuffle"]) == ("zstd", shuffle)
        assert checksum["name"] == "crc32c"


def test_metadata_is_consolidated_once_at_the_root(tmp_path):
    path = stores.write(samples.activity(), tmp_path / "a.zarr")
    root = json.loads((path / "zarr.json").read_text())
    assert "native/worm_1/trace" in root["consolidated_metadata"]["metadata"]
    assert "consolidated_metadata" not in json.loads((path / "native" / "zarr.json").read_text())
    # what is consolidated is what stands in each node's own file
    for node, metadata in root["consolidated_metadata"]["metadata"].items():
        assert metadata == json.loads((path / node / "zarr.json").read_text())


def test_numbers_as_other_libraries_deliver_them(tmp_path):
    """Big-endian columns (MATLAB, HDF5), nullable integers and half floats become what a store can hold."""
    nodes = samples.pd.DataFrame({"big": np.array([1, 2], ">f8")}, index=["a", "b"])
    nodes["nullable"] = samples.pd.array([1, None], dtype="Int64")
    nodes["half"] = np.array([0.5, 2], np.float16)
    edges = samples.pd.DataFrame({"source": ["a"], "target": ["b"], "weight": [1], "synapse": ["chemical"]})
    obj = stores.connectome(nodes, edges, attrs=samples.ATTRS)
    opened = stores.open(stores.write(obj, tmp_path / "c.zarr")).load()
    assert opened["big"].values.tolist() == [1, 2]
    assert opened["nullable"].values[0] == 1
    assert np.isnan(opened["nullable"].values[1])
    assert opened["half"].values.tolist() == [0.5, 2]


def test_traces_given_by_slots_are_written_piece_by_piece_with_the_same_bytes(tmp_path):
    rng, neurons = np.random.default_rng(0), [f"n{i}" for i in range(300)]
    dense, compact = [], []
    for name, count in (("a", 4000), ("b", 1), ("c", 4500)):
        slots = rng.permutation(300)[:50]
        values = rng.normal(size=(count, 50)).astype(np.float32)
        values[:, 7] = np.nan
        full = np.full((count, 300), np.nan, np.float32)
        full[:, slots] = values
        common = {
            "name": name,
            "time": np.arange(3.0),
            "trace": rng.normal(size=(3, 2)),
            "label": ["", ""],
            "rate_hz": 1.0,
        }
        some = {} if name == "b" else {"other": (("sample", "neuron"), full + 1, {"units": "1"})}
        dense.append(stores.Recording(**common, resampled=full, resampled_extra=some))
        some = {key: (dims, values + 1, attrs) for key, (dims, _, attrs) in some.items()}
        compact.append(stores.Recording(**common, resampled=values, slots=slots, resampled_extra=some))
    paths = [
        stores.write(stores.activity(made, neurons, 3.0, attrs=samples.ATTRS), tmp_path / f"{i}.zarr")
        for i, made in enumerate((dense, compact))
    ]
    assert stores.activity(compact, neurons, 3.0, attrs=samples.ATTRS)["trace"].chunks is not None  # not in memory
    assert content(paths[0]) == content(paths[1])
    opened = stores.open(paths[1])
    assert opened["trace"].shape == (8501, 300)
    assert not opened["recorded"].values[0, compact[0].slots[7]]


def test_slots_that_are_no_neurons_are_refused():
    for slots, words in (([0, 0, 1], "slots do not name"), ([0, 1, 3], "slots do not name"), ([0, 1], "has shape")):
        recording = samples.recording("worm_1", 0)
        recording.slots = np.array(slots)
        with pytest.raises(StoreError, match=words):
            stores.activity([recording], ["AVAL", "AVAR", "RIBL"], 2.0, attrs=samples.ATTRS)


@pytest.mark.parametrize("at_once", [1, 100, 10**9])
def test_recordings_are_checked_one_by_one_however_many_are_read_together(at_once, monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(runs, "AT_ONCE", at_once)
    for _ in range(50):
        row_size = rng.integers(0, 6, rng.integers(1, 9))
        trace = rng.normal(size=(row_size.sum(), 3)).astype(np.float32)
        found = list(kind_activity._traces(xr.DataArray(trace), row_size))
        assert [len(part) for part in found] == row_size.tolist()
        assert np.array_equal(np.concatenate(found), trace)
