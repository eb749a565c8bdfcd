"""Spike trains in any file that Neo reads (Plexon, Neuralynx, Blackrock, NIX, ...); Neo is an optional package.

Neo chooses its reader by the ending of the file. Files that are pickles are refused: loading one runs what it says.
"""

from pathlib import Path
from typing import Any

import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize import mat5, mistaken
from allometry.homogenize.look import LIKELY, Files, Finding, one_store
from allometry.homogenize.options import text
from allometry.homogenize.reader import Reader, Source, named_file
from allometry.homogenize.spikes import objects, trains

PICKLES = frozenset({".pkl", ".pickle", ".p", ".joblib", ".pck"})
OPTIONS = {
    **trains.OPTIONS,
    "file": text(None, "Name of the file to read, where the source has several; those beside it are its parts."),
    "io": text(None, "Reader of Neo, such as PlexonIO; null: by the ending of the file."),
    "segment": trains.SEGMENT,
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one file.

    Parameters
    ----------
    files : dict
        The file, and those that belong to it.
    options : dict
        Those of every reader of spike trains, and of `OPTIONS`.

    Returns
    -------
    xarray.Dataset
        Spikes, recorded.

    Raises
    ------
    ReaderError
        Neo is not installed, does not know the file, or finds no spikes in it.
    """
    path = named_file(files, options["file"], source.name)
    mistaken.refuse(path)
    with path.open("rb") as file:
        head = file.read(2)
    if path.suffix.lower() in PICKLES or (head[:1] == b"\x80" and head[1:] in (b"\x02", b"\x03", b"\x04", b"\x05")):
        raise ReaderError(
            "this is a pickle, which runs what it says when it is loaded",
            where=str(path),
            expected="a file of a recording system, or NIX",
            do="save the block as NIX, or its spikes as CSV (reader `generic_spikes`)",
        )
    found = _found(path, options)
    kept = {name: options[name] for name in ("file", "io", "segment") if options[name] is not None}
    return trains.build(found, source, options, files=files, title=source.name, parameters=kept)


def _found(path: Path, options: dict[str, Any]) -> trains.Found:
    try:
        import neo
    except ImportError as error:
        raise ReaderError(
            "Neo is not installed",
            where=str(path),
            expected="the package neo",
            do="install it: pip install neo",
        ) from error
    try:
        if path.suffix.lower() == ".mat":
            mat5.check(path.read_bytes())  # scipy ends the process on some damaged files
        name = options["io"]
        if name is None:
            reader = neo.io.get_io(str(path))
        else:
            if name.startswith("_") or "Pickle" in name or not isinstance(getattr(neo.io, name, None), type):
                raise ReaderError(
                    f"Neo has no reader {name!r}",
                    where=str(path),
                    expected="such as PlexonIO, NixIO, BlackrockIO",
                    do="correct the option `io`",
                )
            reader = getattr(neo.io, name)(str(path))
        if "Pickle" in type(reader).__name__:
            raise ReaderError("this is a pickle, which is not loaded", where=str(path), do="save it in another format")
        whole = neo.Block in getattr(reader, "readable_objects", (neo.Block,))
        block = reader.read_block(lazy=False) if whole else reader.read_segment(lazy=False)
        if block is None:
            raise ValueError("there is no block in it")
        return objects.of_neo(block, options["segment"], path.name)
    except ReaderError:
        raise
    except Exception as error:  # every reader of Neo raises errors of its own
        raise ReaderError(
            f"Neo cannot read it ({type(error).__name__}: {' '.join(str(error).split())[:120]})",
            where=str(path),
            expected="a file that one of its readers knows",
            do="name the reader with the option `io`, or convert the file",
        ) from error


ENDINGS = (".plx", ".nex", ".nev", ".nix", ".smr", ".smrx", ".ntt", ".nse", ".rec", ".mcd")


def recognise(files: Files) -> list[Finding]:
    """Files of recording systems, by their endings: Neo, where it is installed, says the rest."""
    own = [path for path in files.paths if path.suffix.lower() in ENDINGS]
    what = "file of a recording system that Neo reads"
    return [finding for path in own for finding in one_store(what, [path], "spikes", certainty=LIKELY)]


READER = Reader("neo_spikes", ("spikes",), read, OPTIONS, recognise=recognise)
