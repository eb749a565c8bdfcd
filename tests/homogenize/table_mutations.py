"""Random damage to spreadsheets and delimited tables, cell by cell; other files are left to `mutations`."""

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl

from allometry.homogenize import lines as first_lines
from tests.homogenize import mutations
from tests.homogenize.fixtures_connectomes import book

Rng = np.random.Generator
VALUES: tuple[Any, ...] = (
    None,
    "",
    " ",
    "word",
    "nan",
    "NaN",
    "AVAL",
    "AWC?",
    "ZZ99",
    "-1",
    -1,
    -3.5,
    0,
    0.5,
    1e300,
    10**25,
    True,
    "#NUM!",
    "1e999",
)


def mutate(path: Path, rng: Rng) -> str:
    """Damage one file in place and say what was done."""
    if path.suffix in (".xlsx", ".xls") and rng.random() < 0.8:
        return _book(path, rng)
    if path.suffix in (".csv", ".edgelist") and rng.random() < 0.5:
        return _delimited(path, rng)
    if path.suffix == ".graphml" and rng.random() < 0.5:
        return _graph(path, rng)
    if path.suffix == ".zip" and rng.random() < 0.7:
        return _member(path, rng)
    return mutations.mutate(path, rng)


def _book(path: Path, rng: Rng) -> str:
    with path.open("rb") as file:
        loaded = openpyxl.load_workbook(file)
    sheets = {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in loaded.worksheets}
    title = list(sheets)[int(rng.integers(len(sheets)))]
    kind = int(rng.integers(10))
    if kind == 0 and len(sheets) > 1:
        del sheets[title]
        what = "sheet deleted"
    elif kind == 1:
        sheets[f"{title} x"[:31]] = sheets.pop(title)
        what = "sheet renamed"
    elif kind == 2:
        sheets[title] = []
        what = "sheet emptied"
    else:
        sheets[title], what = rows(sheets[title], rng, VALUES)
    # The writer knows neither huge whole numbers nor infinities; what it refuses is no file anybody can have.
    book(path.with_suffix(".xlsx"), sheets).rename(path)
    return f"{title}: {what}"


def _delimited(path: Path, rng: Rng) -> str:
    encoding = first_lines.encoding(path)
    lines = path.read_text(encoding=encoding).splitlines()
    delimiter = "\t" if any("\t" in line for line in lines) else "," if any("," in line for line in lines) else " "
    table, what = rows([line.split(delimiter) for line in lines], rng, VALUES)
    text = "\n".join(delimiter.join("" if c is None else str(c) for c in row) for row in table) + "\n"
    path.write_text(text, encoding=encoding)
    return what


def _graph(path: Path, rng: Rng) -> str:
    """A line of a GraphML file deleted, doubled, or with another number."""
    lines = path.read_text(encoding="utf-8").splitlines()
    at = int(rng.integers(len(lines)))
    kind = int(rng.integers(3))
    changed = [[], [lines[at]] * 2, [re.sub(r"\d+", "7", lines[at], count=1)]][kind]
    path.write_text("\n".join([*lines[:at], *changed, *lines[at + 1 :]]), encoding="utf-8")
    return f"line {at + 1} {('deleted', 'doubled', 'with a 7')[kind]}"


def _member(path: Path, rng: Rng) -> str:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = list(members)[int(rng.integers(len(members)))]
    kind = int(rng.integers(6))
    if kind == 0:
        del members[name]
        what = "deleted"
    elif kind == 1:
        members[f"{name}.bak"] = members.pop(name)
        what = "renamed"
    else:
        lines = [line.split(",") for line in members[name].decode().splitlines()]
        table, what = rows(lines, rng, VALUES)
        members[name] = "\n".join(",".join("" if c is None else str(c) for c in row) for row in table).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return f"{name}: {what}"


def rows(table: list[list[Any]], rng: Rng, values: tuple[Any, ...]) -> tuple[list[list[Any]], str]:
    """Change a table of rows."""
    table = [list(row) for row in table]
    if not table or not any(table):
        return [["word"]], "a word in an empty table"
    at = int(rng.integers(len(table)))
    while not table[at]:
        at = int(rng.integers(len(table)))
    column = int(rng.integers(len(table[at])))
    kind = int(rng.integers(14))
    if kind <= 4:
        value = values[int(rng.integers(len(values)))]
        table[at][column] = value
        return table, f"row {at + 1}, column {column + 1}: {value!r}"
    if kind == 5:
        return table[:at] + table[at + 1 :], f"row {at + 1} deleted"
    if kind == 6:
        return [*table[: at + 1], *table[at:]], f"row {at + 1} doubled"
    if kind == 7:
        return [row[:column] + row[column + 1 :] for row in table], f"column {column + 1} deleted"
    if kind == 8:
        return [[*row[: column + 1], *row[column:]] for row in table], f"column {column + 1} doubled"
    if kind == 9:
        width = max(map(len, table))
        return [list(cells) for cells in zip(*(row + [None] * (width - len(row)) for row in table))], "transposed"
    if kind == 10:
        return table[: len(table) // 2], "half of the rows"
    if kind == 11:
        return [table[i] for i in rng.permutation(len(table))], "rows shuffled"
    if kind == 12:
        return [row[::-1] for row in table], "columns reversed"
    return [[None if isinstance(cell, int | float) else cell for cell in row] for row in table], "numbers removed"
