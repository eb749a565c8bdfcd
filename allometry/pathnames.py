"""Texts of a configuration that become part of a path: which are names as they are, and what is made of the others.

Every such text goes through here, so that none leads out of the results folder, is taken for a wildcard, or is longer than
a file system allows.
"""

import hashlib
import re

EXPECTED = "lower-case letters, digits and _, beginning with a letter, at most 100 of them"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
# File systems take names of 255 bytes; a store has suffixes and, while it is written, a mark besides.
_LONGEST_PART = 120


def is_name(text: str) -> bool:
    """Whether a text can be the name of a data set, store, run or comparison.

    Parameters
    ----------
    text : str
        The name.

    Returns
    -------
    bool
        True of what `EXPECTED` says.
    """
    return _NAME.fullmatch(text) is not None


def nearest_name(text: str) -> str:
    """Make a valid name that resembles the text.

    Parameters
    ----------
    text : str
        What is perhaps no name.

    Returns
    -------
    str
        For which `is_name` is true; `a_name` where nothing is left of the text.
    """
    return re.sub(r"^[^a-z]+", "", re.sub(r"[^a-z0-9_]+", "_", text.lower()))[:100] or "a_name"


def part(text: str) -> str:
    """Readable part of a file name: letters, digits, `.` and `-` stay, all else becomes `-`; shortened where it is long.

    Different texts may give the same part: the caller adds a digest of what they stand for.
    """
    return re.sub(r"[^A-Za-z0-9.-]", "-", text)


def shortened(text: str) -> str:
    """The text, or as much of it as a file name holds beside a digest and suffixes."""
    return text[:_LONGEST_PART].rstrip("_.-") if len(text) > _LONGEST_PART else text


def slug(text: str) -> str:
    """File name for free text such as a species; with six hex digits where letters, digits and spaces do not say it all."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:_LONGEST_PART]
    if plain and plain == text.lower().replace(" ", "_"):
        return plain
    return "_".join(filter(None, (plain, hashlib.sha256(text.encode()).hexdigest()[:6])))


def is_file_name(text: str) -> bool:
    """Whether a text names a file directly in a data set's folder, and is none of the files that we put there."""
    odd = any(character in '/\\:"{}*?' or not character.isprintable() for character in text)
    return (
        bool(text)
        and not odd
        and not text.startswith((".", " "))
        and not text.endswith(" ")
        and (len(text.encode()) <= 200 and text != "manifest.json")
    )
