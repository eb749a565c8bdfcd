"""Exported files are complete under their names, or not there; none that is there already is written over."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from allometry import files
from allometry.errors import ExportError


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Parameters
    ----------
    files : tuple of Path
        The file that was asked for first.
    holds : dict
        What they hold, counted: `{"nodes": 302, "edges": 6417}`.
    left_out : tuple of str
        What of the store the format cannot hold, one line each.
    """

    files: tuple[Path, ...]
    holds: dict[str, int]
    left_out: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {what}" for what, count in self.holds.items())
        lines = [f"{self.files[0]}: {counts}", *(f"{path}" for path in self.files[1:])]
        lines += [f"left out: {line}" for line in self.left_out]
        return "\n".join(lines)


@contextmanager
def staged(out: Path) -> Iterator[tuple[Path, list[Path]]]:
    """A folder to write files in, which move beside `out` when the block ends without an exception.

    Parameters
    ----------
    out : Path
        The file that is asked for; its folder is made.

    Yields
    ------
    Path, list of Path
        The file to write in the folder, and the list in which the final names of all files will be, `out` first.

    Raises
    ------
    ExportError
        A file of one of the names is there already.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = files.beside(out)
    folder.mkdir()
    moved: list[Path] = []
    try:
        yield folder / out.name, moved
        made = sorted(folder.iterdir(), key=lambda path: (path.name != out.name, path.name))
        if taken := [path.name for path in made if (out.parent / path.name).exists()]:
            raise ExportError(
                "the file is there already",
                where=str(out.parent / taken[0]),
                expected="a name that is free",
                do="name another file with --out, or delete it",
            )
        for path in made:
            os.replace(path, out.parent / path.name)
            moved.append(out.parent / path.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
