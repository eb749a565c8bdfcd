"""Traces on disk: whatever part is asked for is that of the whole, and no more is read than was asked for."""

import numpy as np
import pytest
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize import sizes
from allometry.homogenize.traces import blocks
from allometry.homogenize.traces.blocks import Blocks

VALUES = np.arange(60.0).reshape(20, 3)
VALUES[4, 1], VALUES[7, 2], VALUES[9, 0] = np.nan, np.inf, -1e39
SHOWN = np.where(np.abs(VALUES) > 1e38, np.nan, VALUES).astype(np.float32)


@pytest.fixture
def asked() -> list[tuple[int, int]]:
    return []


@pytest.fixture
def on_disk(asked: list[tuple[int, int]]) -> Blocks:
    def read(start: int, stop: int) -> np.ndarray:
        asked.append((start, stop))
        return VALUES[start:stop].copy()

    return Blocks(VALUES.shape, read, "a.nwb, /lfp")


@pytest.mark.parametrize(
    "part",
    [
        (slice(None), slice(None)),
        (slice(3, 11), slice(1, None)),
        (slice(2, 17, 4), slice(None)),
        (slice(17, 2, -5), slice(None)),
        (slice(5, 5), slice(None)),
        (4, slice(None)),
        (-1, 2),
        ([7, 4, 4], slice(None)),
        (slice(None), [2, 0]),
    ],
    ids=str,
)
def test_what_xarray_takes_of_them(on_disk: Blocks, asked: list[tuple[int, int]], part: tuple) -> None:
    lazily = on_disk.variable()
    assert (lazily.dims, lazily.shape, lazily.dtype) == (("time", "roi"), (20, 3), np.float32)
    assert asked == []
    np.testing.assert_array_equal(lazily[part].values, xr.Variable(("time", "roi"), SHOWN)[part].values)


def test_only_the_rows_of_a_part_are_read(on_disk: Blocks, asked: list[tuple[int, int]]) -> None:
    on_disk.variable()[3:11].values  # noqa: B018
    assert asked == [(3, 11)]


def test_columns_by_number_or_mask_and_the_whole(on_disk: Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    for kept in ([2, 0], np.array([True, False, True])):
        some = on_disk.columns(kept)
        assert some.shape == (20, 2)
        np.testing.assert_array_equal(some.whole(), SHOWN[:, kept])
    monkeypatch.setattr(blocks, "RUN", 7)
    assert list(blocks.runs((20, 3))) == [(at, min(at + 2, 20)) for at in range(0, 20, 2)]
    np.testing.assert_array_equal(on_disk.whole(), SHOWN)
    monkeypatch.setattr(sizes.psutil, "virtual_memory", lambda: type("Memory", (), {"total": 400})())
    with pytest.raises(ReaderError, match=r"array of shape \(20, 3\) is too large") as caught:
        on_disk.whole()
    assert caught.value.where == "a.nwb, /lfp"


def test_means_of_windows_that_span_runs(on_disk: Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "RUN", 7)
    first, last = np.array([10, 0, 5, 5, 18, -1]), np.array([18, 3, 5, 8, 21, 2])
    found = on_disk.means(first, last)
    expected = np.full((3, 6), np.nan)
    expected[:, 0], expected[:, 1] = VALUES[10:18].mean(0), VALUES[:3].mean(0)
    expected[:2, 3] = VALUES[5:8, :2].mean(0)  # the third ROI has a missing sample
    np.testing.assert_allclose(found, expected, rtol=1e-6)
