"""What a reader is: one function per source that maps genuine files to one valid store object."""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xarray as xr

from allometry.errors import PluginError, ReaderError, require_record
from allometry.hints import hint
from allometry.homogenize.look import Files, Finding
from allometry.homogenize.options import Option, Options, complete
from allometry.homogenize.unchanged import sha256
from allometry.plugins import Register

# Entries of `derived` that hold a file against the publication of its collection.
OF_THE_PUBLICATION = ("counts", "published_count")

KINDS = ("activity", "connectome", "responses", "scores", "spikes")


@dataclass(frozen=True)
class Source:
    """Where the data come from: one entry of the registry `config/datasets.yaml`.

    Parameters
    ----------
    name : str
        Key of the entry.
    species, citation, licence : str
        As found; they are copied to the attrs of every store made from the source.
    verified : str
        `real` (the reader was run on a genuine file) or `layout-only`.
    files : mapping
        File name to sha256 (empty where it is not known).
    own : bool
        Whether the files are the user's own: what the reader knows of the collection that it was written for (its title, its
        published numbers, the rate of its recordings) then says nothing about them.
    title : str
        Title of the stores; empty: the collection's, or the name of the source for files of the user's own.
    retrieved : mapping
        File name to the sha256 that the file had when it was retrieved: another one is refused.
    """

    name: str
    species: str = ""
    citation: str = ""
    licence: str = ""
    verified: str = "layout-only"
    files: Mapping[str, str] = field(default_factory=dict)
    own: bool = False
    title: str = ""
    retrieved: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_entry(cls, name: str, entry: Mapping[str, Any], retrieved: Mapping[str, str] | None = None) -> "Source":
        """Make a `Source` from a registry entry (a plain dict); files without a checksum get an empty one."""
        files = {str(f["name"]): str(f.get("sha256") or "") for f in entry.get("files", ())}
        keys = ("species", "citation", "licence", "verified")
        known = {k: str(entry[k]) for k in keys if entry.get(k)}
        return cls(name=name, files=files, own=bool(entry.get("own")), retrieved=retrieved or {}, **known)

    def attrs(
        self, title: str, parameters: Mapping[str, Any], derived: Mapping[str, Any], used: Mapping[str, Path]
    ) -> dict[str, Any]:
        """Root attrs of a store: the required keys of every schema, with only the files that were `used`.

        `title` and those entries of `derived` that speak of the collection's publication are left out for files of the
        user's own. The checksums are those of the files as they are, which have just been read, never what a registry
        lists.

        Raises
        ------
        ReaderError
            A file is not the one that was retrieved.
        """
        if self.own:
            title = self.name
            derived = {key: value for key, value in derived.items() if key not in OF_THE_PUBLICATION}
        sums = {name: sha256(path) if path.is_file() else "" for name, path in sorted(used.items())}
        self.require_retrieved(sums, used)
        return {
            "title": self.title or title,
            "species": self.species or "unknown",
            "citation": self.citation or "unknown",
            "licence": self.licence or "unknown",
            "source": sums,
            "parameters": {"source": self.name, "verified": self.verified, **parameters},
            "derived": dict(derived),
        }

    def require_retrieved(self, sums: Mapping[str, str], paths: Mapping[str, Path]) -> None:
        """Refuse files whose sha256 is not the one of the retrieval.

        Parameters
        ----------
        sums : mapping of str to str
            File name to the sha256 that the file has.
        paths : mapping of str to path
            Where the files lie.

        Raises
        ------
        ReaderError
            Some have changed since.
        """
        changed = [name for name, found in sums.items() if self.retrieved.get(name, found) != found]
        if changed:
            raise ReaderError(
                f"{len(changed)} files have changed since they were retrieved: {', '.join(changed[:5])}",
                where=str(paths[changed[0]].parent),
                expected="the sha256 in manifest.json there",
                do="delete them and run the retrieve stage again; a version of your own goes into the registry as a file "
                "of your own (`file:PATH`)",
            )

    def explain(self, paths: Mapping[str, Path]) -> None:
        """Raise what is behind a reader's failure, where that is a file that is not the one that was retrieved."""
        known = {name: path for name, path in paths.items() if name in self.retrieved}
        self.require_retrieved({name: sha256(path) for name, path in known.items()}, known)


Read = Callable[[dict[str, Path], Source, dict[str, Any]], xr.Dataset | xr.DataTree]
Recognise = Callable[[Files], list[Finding]]


@dataclass(frozen=True)
class Reader:
    """A named function from files to a store object.

    Parameters
    ----------
    name : str
        Key in `READERS` and in the registry.
    kinds : tuple of str
        Kinds of store it can return (`connectome`, `activity`, ...). The first is the default.
    read : callable
        `read(files, source, options)`, files by name, every option with a value that fits; returns a valid store object,
        raises `ReaderError`. A reader of several kinds finds the wanted one in `options["kind"]`.
    options : mapping of str to Option
        Its options; activity readers begin with those of `traces.activity.OPTIONS`.
    recognise : callable, optional
        `recognise(files)`: what it would read of the files of a folder, from a look at their names, shapes and first lines
        (`allometry.homogenize.look`); empty if they are none of its own. `allometry inspect` asks it.
    folders : bool
        Whether a file of its data sets may be a folder: it then comes as a ZIP archive of it.
    """

    name: str
    kinds: tuple[str, ...]
    read: Read
    options: Options = field(default_factory=dict, repr=False)
    recognise: Recognise | None = None
    folders: bool = False

    def __post_init__(self) -> None:
        unknown = set(self.kinds) - set(KINDS)
        if unknown or not self.kinds:
            raise ValueError(f"reader {self.name}: kinds must be among {KINDS}, not {self.kinds}")
        if "kind" in self.options:
            raise ValueError(f"reader {self.name}: `kind` is given by the store, it is no option")

    def __call__(
        self, files: Mapping[str, Path], source: Source, options: Mapping[str, Any] | None = None, kind: str = ""
    ) -> xr.Dataset | xr.DataTree:
        """Read files.

        Parameters
        ----------
        files : mapping of str to path
            Files by name.
        source : Source
            Where they come from.
        options : mapping, optional
            Options; those that are not given have their defaults.
        kind : str, optional
            Kind of store; the first of `kinds` by default.

        Returns
        -------
        xarray.Dataset or xarray.DataTree
            A valid store object.

        Raises
        ------
        ReaderError
            An unknown option, a value that does not fit, and whatever is wrong with the files.
        """
        where = f"source {source.name}, options"
        chosen = complete(self.options, options or {}, where, self.name)
        if len(self.kinds) > 1:
            chosen["kind"] = kind or self.kinds[0]
        return self.read(dict(files), source, chosen)

    def shared(self, recordings: Mapping[str, Any]) -> dict[str, Any]:
        """Those values of the treatment of all recordings that this reader has options for."""
        return {key: value for key, value in recordings.items() if key in self.options and self.options[key].shared}


PLUGGED: Register[Reader] = Register("reader", lambda: packaged())
"""Readers of plugins, by name; `readers.READERS` knows those of the package too."""


def packaged() -> tuple[str, ...]:
    """Names of the readers of the package: the modules of their folder."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).with_name("readers"))])))


def reader(
    above: object = None,
    /,
    *,
    kinds: tuple[str, ...] = (),
    options: Options | None = None,
    name: str = "",
    recognise: Recognise | None = None,
) -> Callable[[Read], Read]:
    """Decorator that makes a function of a plugin a reader that a data set may name.

    Parameters
    ----------
    above : None
        What a decorator without its record would get.
    kinds, options, recognise
        See `Reader`.
    name : str
        Name of the reader; empty: that of the function.

    Returns
    -------
    callable
        Gives the function back as it is.

    Raises
    ------
    PluginError
        There is no record, the name is taken, a kind is none, or an option is no `Option`.
    """
    require_record(above, "reader")

    def register(read: Read) -> Read:
        title = name or read.__name__
        wrong = [key for key, option in (options or {}).items() if not isinstance(option, Option)]
        if wrong or not kinds or set(kinds) - set(KINDS) or "kind" in (options or {}):
            raise PluginError(
                f"the reader {title!r} has options that are none: {', '.join(wrong)}"
                if wrong
                else f"the reader {title!r} has an option `kind`"
                if "kind" in (options or {})
                else f"the reader {title!r} makes stores of kind {', '.join(kinds) or '(none)'}",
                where=read.__module__,
                expected="options made by the functions of allometry.homogenize.options"
                if wrong
                else f"among {', '.join(KINDS)}",
                do="correct @reader(...) above the function; the kind stands in the entry of the store",
            )
        PLUGGED.add(title, Reader(title, tuple(kinds), read, options or {}, recognise), read.__module__)
        return read

    return register


def choose(value: Any, allowed: tuple[Any, ...], option: str, where: str) -> Any:
    """Return `value` if it is one of `allowed`, else raise a `ReaderError` that names the option."""
    if value not in allowed:
        raise ReaderError(
            f"option {option}: {value!r} is not known",
            where=where,
            expected="one of " + ", ".join(map(str, allowed)),
            do=f"correct {option!r} in the options of this store",
        )
    return value


def only_file(files: Mapping[str, Path], where: str, suffixes: tuple[str, ...] = ()) -> tuple[str, Path]:
    """Return name and path of the one file (with one of `suffixes`) that a single-file reader needs."""
    found = [(n, p) for n, p in files.items() if not suffixes or Path(n).suffix.lower() in suffixes]
    if len(found) != 1:
        kind = " or ".join(suffixes) or "any kind"
        raise ReaderError(
            f"{len(found)} files of {kind} given, one is needed",
            where=f"{where}: {', '.join(sorted(files)) or 'no files'}",
            expected=f"exactly one file ({kind})",
            do="list one file in the registry entry, or name it with the option 'file'",
        )
    return found[0]


def named_file(files: Mapping[str, Path], name: str | None, where: str, suffixes: tuple[str, ...] = ()) -> Path:
    """Return the path of file `name`, or of the only file where `name` is None."""
    if name is None:
        return only_file(files, where, suffixes)[1]
    if name not in files:
        raise ReaderError(
            f"file {name!r} is not one of the files of the source",
            where=where,
            expected=f"one of {', '.join(sorted(files)) or '(no files)'}",
            do=hint(name, files, "add it to the registry entry"),
        )
    return files[name]
