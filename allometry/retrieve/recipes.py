"""Recipes: registry entries whose file names and places are filled from the data set's options."""

import string
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from allometry.errors import RetrieveError
from allometry.retrieve.packing import members
from allometry.retrieve.places import check_file_name, parse_place

Entry = Mapping[str, Any]


def expand(source: Entry) -> list[dict[str, Any]]:
    """Files of a source with `{option}` filled in and `each` unrolled.

    ``each: session`` stands for one file per value of ``options["session"]``, in which ``{session}`` is that value. An
    option that is a mapping gives the value under the present one (``asset: {715093703: 58703c97-...}``). A place that
    needs an option which has no value is dropped, so that a recipe can list a place that only some sessions have.

    Parameters
    ----------
    source : mapping
        Registry entry with `files` and optionally `options`. It may be expanded already.

    Returns
    -------
    list of dict
        `name`, `sha256` and `places` of every file, `optional: True` where it is, and `size` where it is known.

    Raises
    ------
    RetrieveError
        `each` names an option that is missing or holds no list, a name needs a missing option, a file has no place
        left, or two files have the same name.
    """
    options: Mapping[str, Any] = source.get("options") or {}
    files: list[dict[str, Any]] = []
    for entry in source["files"]:
        for values in _rounds(entry, options):
            name = _fill(str(entry["name"]), values)
            if name is None:
                raise RetrieveError(
                    "a file name needs an option that the data set does not have",
                    where=str(entry["name"]),
                    expected=f"one of {', '.join(sorted(values)) or '(no options given)'}",
                    do="add the option under `options` of the data set",
                )
            places = [place for place in (_fill_place(place, values) for place in entry["places"]) if place is not None]
            if not places:
                raise RetrieveError(
                    "no place of a file has all the options it needs",
                    where=name,
                    expected=f"values for {' or '.join(str(place) for place in entry['places'])}",
                    do="add the options under `options` of the data set",
                )
            files.append(
                {
                    "name": check_file_name(name),
                    "sha256": entry.get("sha256", "learn"),
                    "places": places,
                    **({"optional": True} if entry.get("optional") else {}),
                    **({"size": entry["size"]} if entry.get("size") is not None else {}),
                }
            )
    names = [file["name"] for file in files]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RetrieveError(
            "two files of a data set have the same name", where=", ".join(twice), do="give each file its own name"
        )
    return files


def fields(source: Entry) -> set[str]:
    """Options that fill names and places of a source's files: they belong to the recipe, and no reader gets them.

    Parameters
    ----------
    source : mapping
        Registry entry that is not expanded yet.
    """
    texts = [str(text) for entry in source["files"] for text in (entry["name"], *map(_text, entry["places"]))]
    parsed = {field for text in texts for _, field, _, _ in string.Formatter().parse(text) if field}
    return parsed | {str(entry["each"]) for entry in source["files"] if entry.get("each")}


MOST_FOLLOWED = 500
"""Files of a folder that Snakemake is told of one by one."""


def own_files(files: Iterable[Entry]) -> list[str]:
    """Paths of `file:` places that exist, so that Snakemake can see when the user changes one of them.

    Of a folder the files in it count; of one with very many (the chunks of a Zarr store) the folder alone.

    Parameters
    ----------
    files : iterable of mapping
        Expanded file entries, each with `places`.

    Returns
    -------
    list of str
        `~` is expanded; in order of the entries.

    Raises
    ------
    RetrieveError
        A place is not well formed.
    """
    places = [parse_place(place) for file in files for place in file["places"]]
    paths = [Path(place.value).expanduser() for place in places if place.kind == "file"]
    out: list[str] = []
    for path in paths:
        inside = members(path) if path.is_dir() else [path] if path.is_file() else []
        out += map(str, inside if len(inside) <= MOST_FOLLOWED else [path])
    return out


def _rounds(entry: Entry, options: Mapping[str, Any]) -> list[dict[str, str]]:
    """Values of the fields, once per file that the entry stands for."""
    scalars = {key: str(value) for key, value in options.items() if isinstance(value, str | int | float)}
    each = entry.get("each")
    if each is None:
        return [scalars]
    if not isinstance(options.get(each), list) or not options[each]:
        raise RetrieveError(
            "a recipe goes through an option that holds no values",
            where=f"each: {each}",
            expected=f"options: {{{each}: [...]}}",
            do="list the values under `options` of the data set",
        )
    rounds = []
    for value in options[each]:
        looked_up = {
            key: str(table[candidate])
            for key, table in options.items()
            if isinstance(table, Mapping)
            for candidate in (value, str(value))
            if candidate in table
        }
        rounds.append({**scalars, **looked_up, each: str(value)})
    return rounds


def _fill(text: str, values: Mapping[str, str]) -> str | None:
    """The text with its fields filled in, or None when a field has no value."""
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    except ValueError as error:
        raise RetrieveError(
            f"a brace in a name or place has no partner: {error}", where=text, expected="{option}", do="close the brace"
        ) from None
    if not fields:
        return text
    return text.format(**values) if fields <= set(values) else None


def _text(place: Any) -> str:
    return place if isinstance(place, str) else str(place["place"])


def _fill_place(place: Any, values: Mapping[str, str]) -> Any:
    if isinstance(place, str):
        return _fill(place, values)
    text = _fill(_text(place), values)
    return None if text is None else {**place, "place": text}
