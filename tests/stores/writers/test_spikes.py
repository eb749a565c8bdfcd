"""Streamed spikes give the same store as all at once, however they arrive."""

import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allometry import stores
from allometry.errors import StoreError
from allometry.stores.storage.manifest import content

from .. import samples

UNITS = pd.DataFrame({"population": ["E", "E", "I"]})


def spikes(count, seed=0):
    places = np.sort(np.random.default_rng(seed).choice(30_000, count, replace=False))
    return places // 3, places % 3


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 200),
    st.sampled_from([1, 7, 50, 64, 1000]),
    st.lists(st.integers(0, 200), max_size=6),
    st.integers(0),
)
def test_any_blocks_give_the_bytes_of_one_write(count, chunk, cuts, seed):
    step, unit = spikes(count, seed)
    cuts = sorted(cut for cut in cuts if cut <= count)
    with tempfile.TemporaryDirectory() as folder:
        options = {"dt_ms": 0.1, "duration_ms": 1000.0, "attrs": samples.ATTRS}
        with stores.SpikeWriter(Path(folder) / "a.zarr", UNITS, chunk=chunk, **options) as writer:
            for first, last in zip([0, *cuts], [*cuts, count]):
                writer.append(step[first:last], unit[first:last])
        whole = stores.spikes_simulated(step, unit, units=UNITS, **options)
        path = stores.write(whole, Path(folder) / "b.zarr", chunks={"spike": chunk})
        assert content(Path(folder) / "a.zarr") == content(path)
        assert stores.verify(Path(folder) / "a.zarr") == []
        assert stores.diff(Path(folder) / "a.zarr", path) == []


def test_the_default_chunk_is_that_of_write(tmp_path):
    count = 1_100_000
    step, unit = np.arange(count) // 3, np.arange(count) % 3
    options = {"dt_ms": 0.1, "duration_ms": 40_000, "attrs": samples.ATTRS}
    with stores.SpikeWriter(tmp_path / "a.zarr", UNITS, **options) as writer:
        for first in range(0, count, 33_333):
            writer.append(step[first : first + 33_333], unit[first : first + 33_333])
    stores.write(stores.spikes_simulated(step, unit, units=UNITS, **options), tmp_path / "b.zarr")
    assert content(tmp_path / "a.zarr") == content(tmp_path / "b.zarr")


def test_memory_is_bounded_by_the_chunk(tmp_path):
    units = pd.DataFrame({"population": ["E"] * 100})
    block = 10_000
    options = {"dt_ms": 0.1, "duration_ms": 1e6, "attrs": samples.ATTRS, "chunk": 50_000}
    writer = stores.SpikeWriter(tmp_path / "a.zarr", units, **options)
    peaks = []
    tracemalloc.start()
    for i in range(120):
        writer.append(np.arange(block) // 100 + 100 * i, np.arange(block) % 100)
        if i in (20, 119):
            peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    writer.close()
    assert stores.open(tmp_path / "a.zarr").sizes["spike"] == 1_200_000
    assert peaks[1] < peaks[0] * 1.5
    assert peaks[1] < 50_000 * 12 * 6


def test_close_adds_what_is_known_at_the_end(tmp_path):
    writer = stores.SpikeWriter(tmp_path / "a.zarr", UNITS, 0.1, 1.0, samples.ATTRS, provenance={"cluster": "local"})
    writer.append([1, 4], [0, 2])
    path = writer.close(
        attrs={"rounding_pa": 0.001},
        provenance={"wall_s": 2},
        count=np.array([[1, 0, 1]]),
        bin_ms=1.0,
        voltage=np.full((1, 2), -65),
        voltage_step=[0],
        probe=[0, 1],
    )
    assert writer.close() == path
    ds = stores.open(path)
    assert ds.attrs["rounding_pa"] == 0.001
    assert ds["voltage"].shape == (1, 2)
    provenance = stores.read_manifest(path)["provenance"]
    assert (provenance["cluster"], provenance["wall_s"]) == ("local", 2)
    assert stores.violations(ds) == []


@pytest.mark.parametrize(
    ("step", "unit", "words"),
    [
        ([5, 4], [0, 0], "not sorted"),
        ([5, 5], [1, 1], "repeats a spike"),
        ([2], [2], "starts before the last one ended"),
        ([2], [1], "starts before the last one ended"),
        ([5], [3], "out of range"),
        ([11], [0], "out of range"),
        ([5, 6], [0], "one unit index per step"),
    ],
)
def test_blocks_out_of_order_or_range_are_refused(tmp_path, step, unit, words):
    writer = stores.SpikeWriter(tmp_path / "a.zarr", UNITS, 0.1, 1.0, samples.ATTRS)
    writer.append([2], [2])
    with pytest.raises(StoreError, match=words):
        writer.append(step, unit)
    writer.abort()
    assert list(tmp_path.iterdir()) == []


def test_an_exception_leaves_nothing(tmp_path):
    def fail():
        with stores.SpikeWriter(tmp_path / "a.zarr", UNITS, 0.1, 1.0, samples.ATTRS, chunk=2) as writer:
            writer.append([1, 2, 3], [0, 0, 0])
            assert len(list(tmp_path.glob(".a.zarr.partial-*/spike_step"))) == 1
            assert not (tmp_path / "a.zarr").exists()
            raise RuntimeError("the simulation diverged")

    with pytest.raises(RuntimeError, match="diverged"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_said_before_the_simulation(tmp_path):
    with pytest.raises(StoreError, match=r"\['licence'\] are missing"):
        stores.SpikeWriter(
            tmp_path / "a.zarr", UNITS, 0.1, 1.0, {k: v for k, v in samples.ATTRS.items() if k != "licence"}
        )
    with pytest.raises(StoreError, match="lacks population"):
        stores.SpikeWriter(tmp_path / "a.zarr", UNITS[[]], 0.1, 1.0, samples.ATTRS)
    assert list(tmp_path.iterdir()) == []


def test_a_finish_that_is_not_valid_leaves_nothing(tmp_path):
    writer = stores.SpikeWriter(tmp_path / "a.zarr", UNITS, 0.1, 1.0, samples.ATTRS)
    with pytest.raises(StoreError, match="JSON"):
        writer.close(attrs={"bad": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_empty_blocks_add_nothing_and_blocks_of_two_lengths_are_refused(tmp_path):
    with stores.SpikeWriter(tmp_path / "a.zarr", UNITS, 0.1, 1.0, samples.ATTRS) as writer:
        writer.append([], [])
        writer.append([1], [0])
        writer.append([], [])
        for step, unit in (([2], []), ([], [0]), ([2, 3], [0])):
            with pytest.raises(StoreError, match="not sorted"):
                writer.append(step, unit)
        writer.append([2], [0])
    assert stores.open(tmp_path / "a.zarr")["spike_step"].values.tolist() == [1, 2]


def test_a_signal_while_the_writer_opens_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    units = pd.DataFrame({"population": ["a"]}, index=["0"])
    monkeypatch.setattr("allometry.stores.writers.spikes.zarr.create_group", interrupted)
    with pytest.raises(KeyboardInterrupt):
        stores.SpikeWriter(tmp_path / "a.zarr", units, 0.1, 1.0, samples.ATTRS)
    assert list(tmp_path.iterdir()) == []
