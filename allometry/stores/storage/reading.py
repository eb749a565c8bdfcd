"""Reading of chunks: damage is told from data, and said with the file's name."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import zarr
from zarr.core.codec_pipeline import BatchedCodecPipeline
from zarr.registry import register_pipeline

from allometry.errors import StoreError


class CheckedPipeline(BatchedCodecPipeline):
    """Zarr's own way of decoding chunks, whose errors name the array that is damaged.

    Every chunk ends with its crc32c, so that a changed byte does not pass as data; what Zarr says then is a ValueError
    about checksums, or whatever the decompressor makes of it, without a file's name.
    """

    async def read(self, batch_info: Iterable[Any], out: Any, drop_axes: tuple[int, ...] = ()) -> None:
        """Decode chunks into `out`; see Zarr's `CodecPipeline.read`.

        Raises
        ------
        StoreError
            A chunk is damaged, or its file cannot be read.
        """
        batch = list(batch_info)
        try:
            await super().read(batch, out, drop_axes)
        except StoreError:
            # from the pipeline inside a shard
            raise
        except OSError as error:
            raise StoreError(
                what=f"a chunk cannot be read: {error.strerror or error}",
                where=_names(batch),
                expected="a file that can be read",
                do="look after the disk, or build the store again",
            ) from error
        except (ValueError, RuntimeError, TypeError, IndexError, KeyError) as error:
            raise StoreError(
                what=f"a chunk is damaged: {error}",
                where=_names(batch),
                expected="chunks as they were written, which end with their checksums (crc32c)",
                do="see `allometry verify`; delete the store and build it again",
            ) from error


def _names(batch: list[Any]) -> str:
    names = sorted({str(getter) for getter, *_ in batch})
    return names[0] if len(names) == 1 else f"{names[0]}, or one of {len(names) - 1} more"


register_pipeline(CheckedPipeline)


@contextmanager
def checked() -> Iterator[None]:
    """Have the arrays that are opened inside the context read by `CheckedPipeline`."""
    with zarr.config.set({"codec_pipeline.path": f"{CheckedPipeline.__module__}.{CheckedPipeline.__qualname__}"}):
        yield
