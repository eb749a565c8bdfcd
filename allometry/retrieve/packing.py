"""Folders of the user's own (a sorting, the planes of a segmentation, a Zarr store) as one file: a ZIP archive, always the same.

The archive of the same files has the same bytes, whenever and wherever it is made, so that its checksum is one of the folder.
"""

import os
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import IO, cast

from allometry.errors import RetrieveError

MOST_FILES = 500_000
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that the format knows


def members(folder: Path) -> list[Path]:
    """Files below a folder in the order of their paths; links are left out.

    Raises
    ------
    RetrieveError
        There is none, or there are too many.
    """
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not Path(place, name).is_symlink())
        found += [path for name in names if (path := Path(place, name)).is_file() and not path.is_symlink()]
        if len(found) > MOST_FILES:
            raise RetrieveError(
                f"the folder has more than {MOST_FILES} files", where=str(folder), do="name a smaller one"
            )
    if not found:
        raise RetrieveError("the folder has no files", where=str(folder), do="correct the path under `places`")
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


class _Hashed:
    """A file that is written once, from the beginning to the end, and hashed on the way."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.digest = stream, sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()


def pack(folder: Path, stream: IO[bytes]) -> str:
    """Write a folder as an archive, uncompressed, the folder's own name in front of every path.

    Parameters
    ----------
    folder : Path
        The folder.
    stream : binary file
        Open for writing.

    Returns
    -------
    str
        sha256 of what was written.

    Raises
    ------
    RetrieveError
        The folder has no files, or too many.
    """
    top = folder.resolve().name or "folder"
    hashed = _Hashed(stream)
    with zipfile.ZipFile(cast(IO[bytes], hashed), "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for path in members(folder):
            entry = zipfile.ZipInfo(f"{top}/{path.relative_to(folder).as_posix()}", _DATE)
            entry.external_attr = 0o644 << 16
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as packed:
                shutil.copyfileobj(source, packed, 2**20)
    return hashed.digest.hexdigest()
