"""What the files of a folder are: every reader is asked, the best answers are tried, and what is left over is named."""

import contextlib
import io
import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from allometry import plugins, stores
from allometry.errors import AllometryError, PluginError, ReaderError
from allometry.homogenize.inspection import containers
from allometry.homogenize.look import SURE, Files, Finding, Peek
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from allometry.stores.summaries.info import summary, told

MOST_FILES = 20_000
_DEEPEST = 8
_STORES_TRIED = 4
_WIDEST = 160
_INFERRED = 8
# of `derived`, what the summary of the store says already
_COUNTED = ("listed", "stored", "canonical_neurons", "counts", "sign")
# columns of units in which sortings say what is good, as stores and as files name them
_QUALITY = {"group": "group", "sorting_quality": "quality", "KSLabel": "KSLabel"}


@dataclass
class Examined:
    """What was found in some files.

    Parameters
    ----------
    findings : list of Finding
        What would be read, the surest first; no two read the same file first.
    tried : dict of int to list of str
        By number of the finding: what came out when it was read; absent where it was not.
    others : list of Finding
        What the same files could also be.
    left : dict of Path to str
        Files that nothing reads, and why.
    claimed : set of Path
        Files that a finding reads.
    """

    findings: list[Finding] = field(default_factory=list)
    tried: dict[int, list[str]] = field(default_factory=dict)
    others: list[Finding] = field(default_factory=list)
    left: dict[Path, str] = field(default_factory=dict)
    claimed: set[Path] = field(default_factory=set)


def examine(paths: Sequence[Path], *, read: bool = True, most_bytes: int = containers.SMALL) -> Examined:
    """Say what files and folders are.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders; those files that lie in one folder are looked at together.
    read : bool
        Whether what was found is also read, where its files hold at most `most_bytes`: only that shows that it can be.
    most_bytes : int
        Size up to which a finding is tried.

    Returns
    -------
    Examined

    Raises
    ------
    ReaderError
        A path is not there or not readable; or none of the files is known to a reader.
    """
    found = Examined()
    for files in _groups(paths):
        _examine(files, found, read, most_bytes)
    if not found.findings:
        raise _nothing(paths, found)
    return found


def _groups(paths: Sequence[Path]) -> list[Files]:
    """Files by the folder that they lie in; folders are searched."""
    single: dict[Path, list[Path]] = {}
    groups = []
    for path in paths:
        if not path.exists():
            raise ReaderError("there is no such file or folder", where=str(path), do="check the path")
        if _is_whole(path):
            single.setdefault(path.parent, []).append(path)
        else:
            groups += _searched(path)
    return [*(Files(tuple(sorted(set(own))), containers.peek) for own in single.values()), *groups]


def _is_whole(path: Path) -> bool:
    """Whether a path is one thing: a file, or a folder that holds a Zarr store."""
    return not path.is_dir() or any((path / name).exists() for name in ("zarr.json", ".zgroup", ".zattrs", ".zarray"))


def _searched(top: Path) -> list[Files]:
    groups, count = [], 0
    pending = [(top, 0)]
    while pending:
        folder, depth = pending.pop(0)
        try:
            entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        except PermissionError as error:
            raise ReaderError(
                "the folder may not be read", where=str(folder), expected="the right to read it", do="ask for it"
            ) from error
        own = tuple(entry for entry in entries if _is_whole(entry))
        count += len(own)
        if count > MOST_FILES:
            raise ReaderError(
                f"there are more than {MOST_FILES} files", where=str(top), do="name the folder that is meant"
            )
        if own:
            groups.append(Files(own, containers.peek, folder))
        if depth < _DEEPEST:
            pending += [(entry, depth + 1) for entry in entries if entry.is_dir() and not _is_whole(entry)]
    if not groups:
        raise ReaderError("the folder is empty", where=str(top), expected="files")
    return groups


def _examine(files: Files, found: Examined, read: bool, most_bytes: int) -> None:
    """Add what one folder holds."""
    wrong: dict[Path, AllometryError] = {}

    def peek(path: Path) -> Peek:
        try:
            return containers.peek(path)
        except AllometryError as error:
            wrong[path] = error
            return Peek(path, "unreadable")

    seen = Files(files.paths, peek, files.folder)
    # of two as certain, what could be traces of anybody's is the less specific
    candidates = sorted(recognised(seen), key=lambda finding: (-finding.certainty, finding.reader == "generic"))
    claimed = found.claimed
    for finding in candidates:
        own = set(finding.files.values())
        if next(iter(finding.files.values())) in claimed or own <= claimed:
            found.others.append(finding)
            continue
        size = sum(_size(path) for path in own)
        lines: list[str] | None = None
        if read and size <= most_bytes:
            lines, failure, finding = attempt(finding)
            if failure is not None and finding.certainty < SURE:
                found.left.update(dict.fromkeys(own - claimed, f"not read as {finding.what}: {failure.what}"))
                continue
            if failure is not None:
                finding = replace(finding, doubts=(*finding.doubts, f"it could not be read: {failure.what}"))
        elif read:
            finding = replace(finding, facts=(*finding.facts, f"{_bytes(size)}: looked at only, not read"))
        if lines is not None:
            found.tried[len(found.findings)] = lines
        found.findings.append(finding)
        claimed.update(own)
        for path in own:
            found.left.pop(path, None)
    for path in files.paths:
        if path in claimed:
            found.left.pop(path, None)
        elif path not in found.left:
            seen.peek(path)
            found.left[path] = wrong[path].what if path in wrong else describe(seen.peek(path))
    if len(files.paths) == 1 and not claimed and files.paths[0] in wrong:
        raise wrong[files.paths[0]]


def recognised(files: Files) -> list[Finding]:
    """What each reader says about some files.

    Raises
    ------
    PluginError
        The reader of a plugin failed in it.
    """
    found = []
    for name in READERS:
        reader = READERS[name]
        if reader.recognise is None:
            continue
        try:
            found += [replace(finding, reader=name) for finding in reader.recognise(files)]
        except Exception as error:
            if plugins.of(reader.read.__module__) is None:
                raise
            raise PluginError(
                f"the reader {name!r} fails to say what files are ({type(error).__name__}: {error})",
                where=reader.read.__module__,
                expected="a list of findings, empty where the files are not its own",
                do="correct its function `recognise`",
            ) from error
    return found


def attempt(finding: Finding) -> tuple[list[str] | None, AllometryError | None, Finding]:
    """Read a finding as its configuration would.

    Returns
    -------
    lines : list of str or None
        A summary of each store, with what was inferred; None where none could be read.
    failure : AllometryError or None
        Why none could be read.
    finding : Finding
        Without the stores that could not be read, if others could: they are among its doubts then.
    """
    reader = READERS[finding.reader]
    source = Source("data", species=finding.species, own=True)
    lines: list[str] = []
    failed: dict[str, AllometryError] = {}
    tried = list(finding.stores.items())[:_STORES_TRIED]
    for name, (kind, options) in tried:
        try:
            with _quiet():
                obj = reader(dict(finding.files), source, {**finding.options, **options}, kind)
                shown = summary(obj)
        except AllometryError as error:
            failed[name] = error
            continue
        inferred = [] if lines else [f"  {key}: {_short(told(value))}" for key, value in _inferred(obj).items()]
        lines += [f"{name or kind}: {shown[0]}", *shown[1:], *inferred]
        finding = replace(
            finding, doubts=tuple(dict.fromkeys((*finding.doubts, *_unsorted(obj)))), named=_species(finding, obj)
        )
    if len(failed) == len(tried):
        return None, next(iter(failed.values())), finding
    if failed:
        kept = {name: store for name, store in finding.stores.items() if name not in failed}
        doubts = [f"nothing for a store `{name}`: {error.what}" for name, error in failed.items()]
        finding = replace(finding, stores=kept, doubts=(*finding.doubts, *doubts))
    if len(finding.stores) > _STORES_TRIED:
        lines.append(f"and {len(finding.stores) - _STORES_TRIED} stores more, which were not tried")
    return lines, None, finding


def _inferred(obj: Any) -> dict[str, Any]:
    """What the reader inferred; of recordings that of the first."""
    derived = dict(stores.attribute(obj, "derived"))
    children = getattr(obj, "children", {})
    if "native" in children and children["native"].children:
        name, first = next(iter(children["native"].children.items()))
        own = stores.attribute(first, "derived") if "derived" in first.attrs else {}
        derived |= {f"{name}, {key}": value for key, value in own.items() if key not in derived}
    kept = {key: value for key, value in derived.items() if value not in ({}, [], "", None) and key not in _COUNTED}
    return dict(list(kept.items())[:_INFERRED])


def _species(finding: Finding, obj: Any) -> str:
    """Species that the files themselves say."""
    said = str(obj.attrs.get("species", ""))
    return finding.named or ("" if said == "unknown" else said)


def _unsorted(obj: Any) -> list[str]:
    """A doubt about units that a sorting does not call good, all of which are kept."""
    for stored, name in _QUALITY.items():
        if stored not in obj or obj[stored].dims != ("unit",) or obj[stored].dtype.kind not in "OTU":
            continue
        kinds = Counter(str(value) for value in obj[stored].values.tolist())
        if len(kinds) > 1 and "good" in kinds:
            counts = ", ".join(f"{count} {kind or 'without a name'}" for kind, count in kinds.most_common(6))
            return [f"units of every `{name}` are kept ({counts}): the option `keep: {{{name}: good}}` keeps one kind"]
    return []


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the log lines of a reader: the report says what they say."""
    log = logging.getLogger("allometry")
    before = log.disabled
    log.disabled = True
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        log.disabled = before


def describe(peek: Peek) -> str:
    """One sentence about a file that no reader knows."""
    name = {"text": "text", "json": "JSON", "hdf5": "HDF5", "mat": "MATLAB", "folder": "Zarr"}.get(peek.form, peek.form)
    if peek.form == "pickle" or (peek.form == "npy" and all(array.kind == "other" for array in peek.arrays.values())):
        return f"{_bytes(peek.size)} of pickled Python objects, which are never loaded: save the numbers"
    if peek.form == "unknown":
        return f"{_bytes(peek.size)} in no container that is known here"
    arrays = {key: array for key, array in peek.arrays.items() if array.kind != "group" and key}
    if arrays:
        shown = ", ".join(f"{key} {'x'.join(map(str, a.shape)) or 'scalar'}" for key, a in list(arrays.items())[:5])
        return f"{name} with {len(arrays)} array{'s' * (len(arrays) > 1)}: {shown}{', ...' * (len(arrays) > 5)}"
    if peek.members:
        return f"archive of {len(peek.members)} files: {', '.join(peek.members[:4])}{', ...' * (len(peek.members) > 4)}"
    if peek.sheets:
        return f"workbook with the sheets {', '.join(peek.sheets)}"
    if len(peek.header) > 1:
        return f"table with the columns {_short(', '.join(cell or '(empty)' for cell in peek.header))}"
    return f"{name}, {_bytes(peek.size)}"


def _nothing(paths: Sequence[Path], found: Examined) -> ReaderError:
    seen = [f"{path.name}: {why}" for path, why in list(found.left.items())[:8]]
    more = f" and {len(found.left) - 8} files more" if len(found.left) > 8 else ""
    return ReaderError(
        f"no reader knows {'this file' if len(found.left) == 1 else f'any of these {len(found.left)} files'}: "
        + "; ".join(seen)
        + more,
        where=", ".join(map(str, paths[:5])),
        expected="recordings, spikes or a connectome in a layout of docs/bring-your-data.md",
        do="say with the options of the reader `generic` or `generic_edges` where things are (docs/add-a-reader.md), or "
        "write a reader of 30 lines",
    )


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(entry.stat().st_size for entry in path.rglob("*") if entry.is_file())
    return os.stat(path).st_size


def _bytes(count: int) -> str:
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 4] + " ..."


def known_files(registry: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Name of the data set and of the file by the sha256 of every registered file that has one."""
    return {
        str(file["sha256"]): (name, str(file["name"]))
        for name, entry in registry.items()
        for file in entry.get("files", ())
        if len(str(file.get("sha256") or "")) == 64
    }
