"""Files of a source that come as a list, as a folder, or as a ZIP archive of one: the same for every reader."""

import contextlib
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from allometry.errors import ReaderError
from allometry.homogenize.sizes import refuse_size

MOST_FILES = 200_000
OTHERS = frozenset({".npz", ".xlsx", ".xlsm", ".docx"})
"""Files that are ZIP archives by accident of their format."""


@contextlib.contextmanager
def contents(files: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
    """Files by name; those of folders and archives by their path in it, the folder's own name in front.

    Archives are extracted to a folder that is deleted afterwards; a member whose path leads out of it, a link, and an archive that
    would not fit are refused.

    Parameters
    ----------
    files : mapping of str to path
        Files, folders and ZIP archives by name.

    Raises
    ------
    ReaderError
        An archive is damaged or unsafe.
    """
    out: dict[str, Path] = {}
    with contextlib.ExitStack() as stack:
        for name, path in files.items():
            if path.is_dir():
                _add(out, path, path.name)
            elif _packed(path):
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="allometry-")))
                _extract(path, folder)
                inside: dict[str, Path] = {}
                _add(inside, folder, "")
                # two archives may hold files of the same names
                prefix = f"{path.stem}/" if inside.keys() & out.keys() else ""
                out |= {f"{prefix}{key}": member for key, member in inside.items()}
            else:
                out[name] = path
        yield out


@contextlib.contextmanager
def of_kind(files: Mapping[str, Path], *endings: str) -> Iterator[dict[str, Path]]:
    """Files by their own names; of folders, and of archives that are none of the wanted files, those with a wanted ending.

    Parameters
    ----------
    files : mapping of str to path
        Files, folders and ZIP archives by name.
    *endings : str
        Endings of the wanted files, lower-case, such as `.mat`.

    Raises
    ------
    ReaderError
        A folder has no such file, two files have one name, or an archive is damaged or unsafe.
    """
    out = {name: path for name, path in files.items() if not _packed(path) or name.lower().endswith(endings)}
    with contents({name: path for name, path in files.items() if name not in out}) as inside:
        for key, path in inside.items():
            name = path.name
            if not name.lower().endswith(endings) or name.startswith("."):
                continue
            if name in out:
                raise ReaderError(
                    f"there are two files {name}",
                    where=key,
                    expected="one of a name",
                    do="give the files different names",
                )
            out[name] = path
        if inside and not out:
            raise ReaderError(
                f"no file ends in {' or '.join(endings)}",
                where=", ".join(sorted(inside)[:8]),
                expected="the files of the source in the folder, or in folders below it",
                do="correct the path of the folder",
            )
        yield out


def _packed(path: Path) -> bool:
    return path.is_dir() or (path.suffix.lower() not in OTHERS and path.is_file() and zipfile.is_zipfile(path))


def _add(out: dict[str, Path], folder: Path, prefix: str) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            out[f"{prefix}/{path.relative_to(folder).as_posix()}".lstrip("/")] = path
        if len(out) > MOST_FILES:
            raise ReaderError(f"there are more than {MOST_FILES} files", where=str(folder), do="name fewer of them")


def _extract(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            refuse_size((sum(member.file_size for member in members),), 1, f"{path.name}, extracted")
            for member in members:
                parts = PurePosixPath(member.filename.replace("\\", "/")).parts
                unsafe = (
                    ".." in parts or member.filename.startswith(("/", "\\")) or ":" in member.filename.split("/")[0]
                )
                if unsafe or (member.external_attr >> 16) & 0o170000 == 0o120000:
                    raise ReaderError(
                        f"the archive has a member {member.filename!r}, which leads out of it",
                        where=path.name,
                        expected="files below one folder",
                        do="do not trust it",
                    )
                archive.extract(member, folder)
    except ReaderError:
        raise
    except Exception as error:  # zip and codec errors of a damaged archive are of many types
        raise ReaderError(
            f"not a readable archive ({type(error).__name__}: {str(error)[:100]})",
            where=str(path),
            expected="a complete ZIP archive",
            do="make it again, or name the files one by one",
        ) from error


def find(files: Mapping[str, Path], *names: str) -> Path | None:
    """The file of the first of these names, wherever it lies; None where there is none.

    Raises
    ------
    ReaderError
        There are several of that name.
    """
    for name in names:
        found = [path for key, path in sorted(files.items()) if key.rsplit("/", 1)[-1] == name]
        if len(found) > 1:
            raise ReaderError(
                f"there are {len(found)} files {name}",
                where=", ".join(key for key in sorted(files) if key.rsplit("/", 1)[-1] == name)[:300],
                expected="one, of one sorting or one plane",
                do="make one data set of each folder",
            )
        if found:
            return found[0]
    return None


def need(files: Mapping[str, Path], what: str, *names: str) -> Path:
    """As `find`; that there is none is an error which says what is missing."""
    found = find(files, *names)
    if found is None:
        have = ", ".join(sorted(files)[:12])
        raise ReaderError(
            f"there is no {' or '.join(names)}",
            where=have + (" ..." if len(files) > 12 else "") if files else "no files",
            expected=what,
            do="name it among the files of the data set",
        )
    return found
