"""Files that are not what their name says: recognised by their first bytes, before a parser complains of something else."""

from pathlib import Path

from allometry.errors import ReaderError

_HEAD = 512


def refuse(path: Path) -> None:
    """Raise a `ReaderError` for a git-LFS pointer or a web page; anything else passes."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"version https://git-lfs"):
        raise ReaderError(
            "this is a git-LFS pointer, not the data it points to",
            where=str(path),
            expected="the file itself",
            do="run `git lfs pull` in the repository that it comes from, and retrieve it again",
        )
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise ReaderError(
            "this is a web page, not data",
            where=str(path),
            expected="the file itself",
            do="use the address of the file, not of the page that offers it, and retrieve it again",
        )


def is_hdf5(path: Path) -> bool:
    """Whether the file begins as HDF5 does."""
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"
