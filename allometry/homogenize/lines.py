"""First lines of a text: its encoding, what separates its fields, and whether a line of names stands above them."""

import codecs
import csv
import io
from pathlib import Path

_SEPARATORS = ",\t;|"
_SAMPLE = 40
_MOST_ROWS = 200


# The mark of UTF-32 begins with that of UTF-16
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def encoding(source: Path | bytes) -> str:
    """Encoding of a text by its byte order mark, as Excel and PowerShell write it; UTF-8 where there is none.

    Parameters
    ----------
    source : path or bytes
        A file, or its first four bytes.

    Returns
    -------
    str
        `utf-8-sig`, `utf-16` or `utf-32`.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            source = file.read(4)
    return next((name for mark, name in _MARKS.items() if source.startswith(mark)), "utf-8-sig")


def decoded(head: bytes) -> str | None:
    """Text of the first bytes of a file; None where they are no text.

    A character that the end of the bytes cuts is left out; text that is not UTF-8 is taken for Latin-1 where it has no
    control characters.
    """
    if (wide := encoding(head)) != "utf-8-sig":
        return codecs.getincrementaldecoder(wide)("replace").decode(head)
    head = head.split(b"\x00\x00\x00\x00", 1)[0] if head[:64].count(0) == 0 else head
    if b"\x00" in head:
        return None
    for cut in range(4):
        try:
            return head[: len(head) - cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
    if any(byte < 9 or 13 < byte < 32 for byte in head[:4096]):
        return None
    return head.decode("latin-1")


def is_utf(head: bytes) -> bool:
    """Whether the first bytes of a text are UTF-8, or have a byte order mark; a character may be cut at their end."""
    if encoding(head) != "utf-8-sig":
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head.split(b"\x00", 1)[0])
    except UnicodeDecodeError:
        return False
    return True


def split(text: str) -> tuple[tuple[tuple[str, ...], ...], str]:
    """Fields of the first lines, and what separates them (a blank: any white space; empty: one field per line).

    Lines that begin with # stand for comments and are left out; so is a last line that is not complete.
    """
    whole = text.endswith(("\n", "\r"))
    lines = [line for line in text.splitlines() if line.strip()]
    if not whole and len(lines) > 1 and len(text) > 2**16:
        lines = lines[:-1]
    kept = [line for line in lines if not line.lstrip().startswith("#")] or lines
    sample = kept[:_SAMPLE]
    if not sample:
        return (), ""
    separator = ""
    best = 0
    for sign in _SEPARATORS:
        widths = [len(row) for row in csv.reader(io.StringIO("\n".join(sample)), delimiter=sign)]
        # a separator is what cuts every line, and most of them alike
        common = max(set(widths), key=widths.count)
        # (a comma before the fraction of numbers cuts no header)
        if common > 1 and widths[0] > 1 and widths.count(common) >= 0.8 * len(widths) and common > best:
            separator, best = sign, common
    blanks = [len(line.split()) for line in sample]
    if not separator and min(blanks) > 1 and len(set(blanks)) == 1:
        return tuple(tuple(line.split()) for line in kept[:_MOST_ROWS]), " "
    if not separator:
        return tuple((line.strip(),) for line in kept[:_MOST_ROWS]), ""
    rows = csv.reader(io.StringIO("\n".join(kept[:_MOST_ROWS])), delimiter=separator)
    return tuple(tuple(cell.strip() for cell in row) for row in rows), separator


def is_number(cell: str) -> bool:
    """Whether a field is a number; an empty one is not."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
