"""OpenWorm: `CElegansNeuronTables.xls`, the tables behind the c302 models.

Layout: sheet `Connectome` (Origin, Target, Type, Number of Connections, Neurotransmitter; types Send and GapJunction),
sheet `NeuronsToMuscle` (Neuron, Muscle, Number of Connections, Neurotransmitter), sheet `Sensory` (not connections).
"""

from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from allometry.homogenize.connectomes.worm_edges import worm_connectome
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.formats.nemanode import edge_rows
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.options import flag, text
from allometry.homogenize.reader import Reader, Source, named_file

_COLUMNS = ("Origin", "Target", "Type", "Number of Connections")
_MUSCLE = ("Neuron", "Muscle", "Number of Connections")
_TYPES = {"Send": "chemical", "GapJunction": "electrical"}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read the tables."""
    muscle = options["muscle"]
    path = named_file(files, options["file"], source.name, (".xls", ".xlsx"))
    where = f"{path.name}, sheet 'Connectome'"
    rows = edge_rows(
        spreadsheets.table(spreadsheets.read_sheet(path, "Connectome"), _COLUMNS, where), _COLUMNS, _TYPES, where
    )
    derived: dict[str, Any] = {
        "counts": "connections between neurons (sheet Connectome) and from neurons to muscles (sheet NeuronsToMuscle); most "
        "gap junctions are listed from both sides",
        "neurons": {str(kind): len(group) for kind, group in rows.groupby("synapse")},
        "not_stored": "sheet Sensory lists sensory functions, not connections",
    }
    if muscle:
        to_muscle = _muscles(path)
        derived["neuron_to_muscle_rows"] = len(to_muscle)
        rows = pd.concat([rows, to_muscle])
    return worm_connectome(
        rows,
        title="Connectome of C. elegans, OpenWorm tables",
        source=source,
        used={path.name: path},
        where=path.name,
        parameters={"muscle": muscle},
        derived=derived,
    )


def _muscles(path: Path) -> pd.DataFrame:
    where = f"{path.name}, sheet 'NeuronsToMuscle'"
    table = spreadsheets.table(spreadsheets.read_sheet(path, "NeuronsToMuscle"), _MUSCLE, where)
    neuron, muscle, weight = _MUSCLE
    return pd.DataFrame(
        {
            "source": spreadsheets.texts(table[neuron], where),
            "target": spreadsheets.texts(table[muscle], where),
            "weight": spreadsheets.numbers(table[weight], where),
            "synapse": "chemical",
        }
    )


def recognise(files: Files) -> list[Finding]:
    """A workbook with the sheets Connectome and NeuronsToMuscle."""
    own = [path for path in files.paths if {"Connectome", "NeuronsToMuscle"} <= set(files.peek(path).sheets)]
    what = "connectome of C. elegans in the layout of the OpenWorm tables"
    return [
        finding for path in own for finding in one_store(what, [path], "connectome", species="Caenorhabditis elegans")
    ]


OPTIONS = {
    "muscle": flag(True, "Also read the sheet of connections to muscles."),
    "file": text(None, "Name of the file to read, where the source has several."),
}
READER = Reader("openworm", ("connectome",), read, OPTIONS, recognise=recognise)
