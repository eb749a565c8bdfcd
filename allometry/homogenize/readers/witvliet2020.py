"""Witvliet et al. 2021 (preprint 2020): connectomes of eight hermaphrodites from birth to adulthood.

Layout: one .xlsx per animal with one sheet and columns `pre`, `post`, `type`, `synapses`. Gap junctions are listed one
way. Only the brain (nerve ring and its ganglia) was reconstructed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.connectomes.worm_edges import worm_connectome
from allometry.homogenize.formats.nemanode import COLUMNS, read_edges
from allometry.homogenize.look import Files, Finding, store_per_file
from allometry.homogenize.options import text
from allometry.homogenize.reader import Reader, Source, named_file


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one animal."""
    path = named_file(files, options["file"], source.name, (".xlsx", ".xls"))
    stage = options["stage"] or ""
    rows = read_edges(path)
    if not len(rows):
        raise ReaderError("no connections", where=path.name, expected="one connection per row")
    return worm_connectome(
        rows,
        title=f"Connectome of the C. elegans brain, {stage or path.stem} ({path.stem}), Witvliet et al. 2021",
        source=source,
        used={path.name: path},
        where=path.name,
        parameters={"file": path.name, "stage": stage},
        derived={
            "counts": "weight is the number of synapses from pre to post: a polyadic synapse counts once for each "
            "postsynaptic partner, so that sums exceed the paper's numbers of presynaptic active zones. Gap junctions "
            "are listed one way in the file; each pair gives two directed edges here, a junction of a cell with itself "
            "one",
            "coverage": "nerve ring and ganglia of the head; neurons that are not listed were not reconstructed",
        },
    )


def recognise(files: Files) -> list[Finding]:
    """Workbooks of one sheet with the columns of NemaNode."""
    own = [path for path in files.paths if _is_edge_list(files.peek(path).sheets)]
    what = "edge list of C. elegans in the layout of Witvliet et al. 2021"
    return store_per_file(what, own, "connectome", species="Caenorhabditis elegans")


def _is_edge_list(sheets: Mapping[str, tuple[tuple[str, ...], ...]]) -> bool:
    return len(sheets) == 1 and any(set(COLUMNS) <= set(rows[0]) for rows in sheets.values() if rows)


OPTIONS = {
    "file": text(None, "Name of the file to read, where the source has several."),
    "stage": text(None, "Stage of the animal, for the title and the attributes."),
}
READER = Reader("witvliet2020", ("connectome",), read, OPTIONS, recognise=recognise)
