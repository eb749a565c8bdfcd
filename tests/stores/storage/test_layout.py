"""Chunks, shards and codecs of shapes that were worked out by hand."""

import numcodecs.blosc
import numpy as np
import pytest

from allometry.stores.storage import layout

MIB = 2**20
TEXT = np.dtypes.StringDType()


def test_an_absent_chunk_is_nan_zero_false_or_no_text() -> None:
    for kind in (np.float32, np.float64):
        assert np.isnan(layout.fill_value(np.dtype(kind)))
    assert layout.fill_value(np.dtype(np.int16)) == 0
    assert layout.fill_value(np.dtype(bool)) == np.False_
    assert layout.fill_value(TEXT) == ""


def test_codecs_by_type_and_use() -> None:
    """Text is not shuffled, floats by bytes, integers of final stores by bits; one thread, for the same bytes."""
    wanted = {
        ("hot", np.dtype(float)): ("lz4", 5, "shuffle"),
        ("hot", np.dtype(np.int32)): ("lz4", 5, "shuffle"),
        ("hot", TEXT): ("lz4", 5, "noshuffle"),
        ("final", np.dtype(float)): ("zstd", 2, "shuffle"),
        ("final", np.dtype(np.int32)): ("zstd", 5, "bitshuffle"),
        ("final", TEXT): ("zstd", 5, "noshuffle"),
    }
    for (use, dtype), values in wanted.items():
        found = layout.codec(dtype, use)  # type: ignore[arg-type]
        assert (found.cname.value, found.clevel, found.shuffle.value) == values, (use, dtype)
    assert numcodecs.blosc.use_threads is False


@pytest.mark.parametrize(
    ("shape", "itemsize", "lengths", "wanted"),
    [
        ((0,), 8, {}, (1,)),
        ((5,), 8, {}, (5,)),
        ((MIB,), 8, {}, (MIB,)),
        ((MIB + 1,), 8, {}, (MIB,)),
        ((MIB, 2), 4, {}, (MIB, 2)),  # 8 MiB as a whole
        ((MIB + 1, 2), 4, {}, (MIB // 4, 2)),  # runs of 2 MiB
        ((0, 3), 4, {}, (1, 3)),
        ((3, 1000, 1000), 8, {}, (1, 262, 1000)),
        ((2, 3, MIB), 4, {}, (1, 1, MIB // 2)),
        ((2, 3, MIB), 1, {}, (2, 3, MIB)),
        ((2, 9 * MIB), 1, {}, (1, 2 * MIB)),
        ((100, 7, 5), 8, {"b": 3}, (100, 3, 5)),
        ((100, 7, 0), 8, {"b": 30}, (100, 7, 1)),
    ],
)
def test_chunks(shape: tuple[int, ...], itemsize: int, lengths: dict[str, int], wanted: tuple[int, ...]) -> None:
    dims = ("a", "b", "c")[: len(shape)]
    assert layout.chunk_shape(dims, shape, itemsize, lengths) == wanted


@pytest.mark.parametrize(
    ("shape", "chunks", "whole", "wanted"),
    [
        ((10,), (10,), True, None),  # a single chunk
        ((10, 4), (10, 4), False, None),
        ((11,), (10,), False, (20,)),  # both chunks
        ((100,), (10,), False, (100,)),
        ((1000,), (10,), False, (160,)),  # 16 of them
        ((1000,), (10,), True, (1000,)),
        ((1280,), (10,), True, (1280,)),  # 128 chunks are the most that are one shard
        ((1281,), (10,), True, (160,)),
        ((95, 7), (10, 2), True, (100, 8)),
        ((95, 7), (10, 2), False, (40, 8)),  # 4 along the last, hence 4 along the first
        ((95, 70), (10, 2), False, (10, 32)),
        ((95, 11), (10, 2), False, (20, 12)),  # 6, and 2 fit
    ],
)
def test_shards(shape: tuple[int, ...], chunks: tuple[int, ...], whole: bool, wanted: tuple[int, ...] | None) -> None:
    dims = ("a", "b")[: len(shape)]
    assert layout.shard_shape(dims, shape, chunks, whole) == wanted
    assert layout.shard_shape(("spike", "b")[: len(shape)], shape, chunks, whole) is None
