"""Cook et al. 2019: whole-animal connectomes of both adult sexes (SI 5, corrected July 2020).

Layout: one .xlsx, per sex a chemical sheet and two sheets of gap junctions (asymmetric: each pair listed once;
symmetric: both ways). Row 3 holds target names from column D on, column C source names from row 4 on, columns A and B
and rows 1 and 2 hold group headings. The last row and column repeat the names; a row or column without a name must hold
no number. Weights are numbers of EM serial
sections of connectivity, not synapse counts.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.connectomes.edges import from_matrix
from allometry.homogenize.connectomes.worm_edges import worm_connectome
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.look import Files, Finding
from allometry.homogenize.options import choice, text
from allometry.homogenize.reader import Reader, Source, named_file

_HEADER, _LABEL = 2, 2  # row of target names and column of source names, counted from 0

# Edges and pairs of the genuine file, and how they relate to what is published.
_COUNTS = (
    "weights are EM serial sections of connectivity (SI 5), not synapse counts; the published abstract counts of "
    "synapses therefore differ. Gap junctions are taken from the symmetric sheet; each pair of the asymmetric sheet "
    "gives two directed edges here, a junction of a cell with itself one."
)


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one sex."""
    sex = options["sex"]
    path = named_file(files, options["file"], source.name, (".xlsx", ".xls"))
    positions = options["positions"] and named_file(files, options["positions"], source.name)
    if positions and sex == "male":
        raise ReaderError(
            "option positions: the table is of a hermaphrodite",
            where=f"source {source.name}",
            expected="sex: hermaphrodite",
            do="leave `positions` out for the male",
        )
    skipped: dict[str, str] = {}
    chemical, chemical_names = _sheet(path, f"{sex} chemical", "chemical", skipped)
    electrical, electrical_names = _sheet(path, f"{sex} gap jn symmetric", "electrical", skipped)
    once, _ = _sheet(path, f"{sex} gap jn asymmetric", "electrical", skipped)
    return worm_connectome(
        pd.concat([chemical, electrical]),
        title=f"Connectome of the adult C. elegans {sex}, Cook et al. 2019",
        source=source,
        used={path.name: path},
        where=path.name,
        parameters={"sex": sex},
        derived={
            "counts": _COUNTS,
            **({"unnamed_rows_and_columns_skipped": skipped} if skipped else {}),
            "asymmetric_sheet": {
                "rows": len(once),
                "weight": float(once["weight"].sum()),
                **_compare(once, electrical),
            },
        },
        extra_nodes=[*chemical_names, *electrical_names],
        weight_units="1",
        positions=positions,
    )


def _sheet(path: Path, name: str, synapse: str, skipped: dict[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Edges and names of a sheet; what it skips is added to `skipped`."""
    where = f"{path.name}, sheet {name!r}"
    rows = spreadsheets.read_sheet(path, name)
    if len(rows) <= _HEADER + 1:
        raise ReaderError(
            "adjacency sheet is empty", where=where, expected="target names in row 3, source names in column C"
        )
    targets = {j: cell.strip() for j, cell in enumerate(rows[_HEADER]) if j > _LABEL and _is_name(cell)}
    sources = {
        i: row[_LABEL].strip()
        for i, row in enumerate(rows)
        if i > _HEADER and len(row) > _LABEL and _is_name(row[_LABEL])
    }
    if not targets or not sources:
        raise ReaderError(
            "names of an adjacency sheet are missing",
            where=where,
            expected="target names in row 3 from column D on, source names in column C from row 4 on",
            do="check that the file is SI 5 of Cook et al. 2019 as published",
        )
    for axis, names in (("target", list(targets.values())), ("source", list(sources.values()))):
        twice = pd.Index(names)[pd.Index(names).duplicated()]
        if len(twice):
            raise ReaderError(f"{axis} name {twice[0]!r} occurs twice", where=where, expected="each name once per axis")
    if unnamed := _unnamed(rows, sources, targets, where):
        skipped[name] = unnamed
    matrix = np.zeros((len(sources), len(targets)))
    for r, i in enumerate(sources):
        row = rows[i]
        for c, j in enumerate(targets):
            cell = row[j] if j < len(row) else None
            if cell is None or cell == "":
                continue
            if isinstance(cell, bool) or not isinstance(cell, int | float):
                raise ReaderError(
                    f"weight {sources[i]} -> {targets[j]} is not a number: {cell!r}",
                    where=f"{where}, row {i + 1}, column {j + 1}",
                    expected="a number or an empty cell",
                )
            matrix[r, c] = cell
    return (
        from_matrix(matrix, sources.values(), targets.values(), synapse, where),
        [*sources.values(), *targets.values()],
    )


def _unnamed(rows: list[list[Any]], sources: dict[int, str], targets: dict[int, str], where: str) -> str:
    """Say which rows and columns without a name are skipped; one that holds a number is an error."""
    found: dict[str, None] = {}
    for i, row in enumerate(rows[_HEADER + 1 :], start=_HEADER + 1):
        for j, cell in enumerate(row[_LABEL + 1 :], start=_LABEL + 1):
            if cell is None or cell == "" or (i in sources and j in targets):
                continue
            place = f"column {j + 1}" if i in sources else f"row {i + 1}"
            if isinstance(cell, int | float):
                raise ReaderError(
                    f"a {place.split()[0]} without a name holds a number: {cell!r}",
                    where=f"{where}, row {i + 1}, column {j + 1}",
                    expected="a name in row 3 (target) and column C (source) of every number",
                    do="complete the name, or empty the cell",
                )
            found[place] = None
    return f"{', '.join(found)}: text only (the genuine file repeats the names there)" if found else ""


def _is_name(cell: Any) -> bool:
    return isinstance(cell, str) and bool(cell.strip())


def _compare(once: pd.DataFrame, both: pd.DataFrame) -> dict[str, Any]:
    """How the two gap junction sheets agree: pairs that only one of them has, and pairs with another weight."""

    def weights(table: pd.DataFrame) -> dict[frozenset[str], float]:
        return {frozenset((s, t)): w for s, t, w in zip(table["source"], table["target"], table["weight"])}

    one, two = weights(once), weights(both)
    shared = one.keys() & two.keys()
    return {
        "rows": len(once),
        "weight": float(once["weight"].sum()),
        "pairs_missing_in_symmetric": len(one.keys() - two.keys()),
        "pairs_only_in_symmetric": len(two.keys() - one.keys()),
        "pairs_with_another_weight": sum(one[p] != two[p] for p in shared),
    }


def recognise(files: Files) -> list[Finding]:
    """A workbook with the sheets of both sexes, or of one."""
    found = []
    for path in files.paths:
        sheets = files.peek(path).sheets
        sexes = [sex for sex in ("hermaphrodite", "male") if f"{sex} gap jn symmetric" in sheets]
        if sexes:
            stores = {sex: ("connectome", {"sex": sex}) for sex in sexes}
            facts = (f"sheets {', '.join(name for name in sheets if name.startswith(tuple(sexes)))}",)
            what = "connectome of C. elegans in the layout of Cook et al. 2019 (SI 5)"
            found.append(Finding(what, {path.name: path}, stores, facts=facts, species="Caenorhabditis elegans"))
    return found


OPTIONS = {
    "sex": choice("hermaphrodite", ("hermaphrodite", "male"), "Sex whose sheets are read."),
    "file": text(None, "Name of the file to read, where the source has several."),
    "positions": text(None, "Name of a table of soma positions; hermaphrodite only."),
}
READER = Reader("cook2019", ("connectome",), read, OPTIONS, recognise=recognise)
