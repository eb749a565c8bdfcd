"""Varshney et al. 2011 (Chklovskii lab): 279 neurons of the somatic nervous system, `NeuronConnect.xls`.

Layout: one sheet with columns `Neuron 1`, `Neuron 2`, `Type`, `Nbr`. Types: S, Sp send to one, to several partners; R, Rp
the same connections seen from the receiving side; EJ electrical junction, listed from both sides; NMJ neuromuscular.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.connectomes.worm_edges import worm_connectome
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.formats.nemanode import edge_rows
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.options import choice, flag, text
from allometry.homogenize.reader import Reader, Source, named_file

_COLUMNS = ("Neuron 1", "Neuron 2", "Type", "Nbr")
_TYPES = {
    "S": "chemical",
    "Sp": "chemical",
    "R": "received",
    "Rp": "received",
    "EJ": "electrical",
    "NMJ": "neuromuscular",
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read the table."""
    preset, muscle = options["types"], options["muscle"]
    path = named_file(files, options["file"], source.name, (".xls", ".xlsx"))
    table = spreadsheets.table(spreadsheets.read_sheet(path), _COLUMNS, path.name)
    rows = edge_rows(table, _COLUMNS, _TYPES, path.name)
    kept, derived = _select(rows, spreadsheets.texts(table["Type"], path.name), preset, muscle)
    if kept.empty:
        raise ReaderError("no row of a wanted type", where=path.name, expected="rows of type S, Sp or EJ")
    return worm_connectome(
        kept,
        title="Connectome of C. elegans, Varshney et al. 2011 (279 neurons)",
        source=source,
        used={path.name: path},
        where=path.name,
        parameters={"types": preset, "muscle": muscle},
        derived=derived,
    )


def _select(rows: pd.DataFrame, types: pd.Series, preset: str, muscle: bool) -> tuple[pd.DataFrame, dict[str, Any]]:
    wanted = {"chemical", "electrical"} | ({"neuromuscular"} if muscle else set())
    keep = rows["synapse"].isin(wanted)
    if preset == "simeon2024":
        keep &= types != "S"
    kept = rows[keep].replace({"synapse": {"neuromuscular": "chemical"}})
    dropped = rows[~keep].groupby(types[~keep])["weight"]
    return kept, {
        "rows_by_type": {str(k): {"rows": len(w), "weight": float(w.sum())} for k, w in rows.groupby(types)["weight"]},
        "rows_left_out": {str(kind): len(weights) for kind, weights in dropped},
        "received": _received(rows),
        "counts": "2194 chemical edges with 6394 synapses and 1031 gap junction rows with 1777 junctions, as in "
        "ConnOrdered_040903.mat; the paper prints 6393 (one less than its own data) and 890 gap junctions: 1777 rows list "
        "each of 887 junctions between two cells twice and 3 of a cell with itself once. NMJ rows (neuron to muscle) "
        "name no muscle and are left out unless `muscle` is set (1410 junctions, as the paper says). Pairs with both S "
        "and Sp rows are summed into one edge",
    }


def _received(rows: pd.DataFrame) -> dict[str, Any]:
    """Whether R and Rp list the same connections as S and Sp, seen from the other side."""
    sent = rows[rows["synapse"] == "chemical"].groupby(["source", "target"])["weight"].sum()
    received = rows[rows["synapse"] == "received"].groupby(["target", "source"])["weight"].sum()
    received.index.names = sent.index.names
    both = pd.concat([sent, received], axis=1, keys=["sent", "received"])
    return {
        "rule": "R and Rp rows are S and Sp seen from the receiving neuron; they are not counted again",
        "pairs_in_both": int(both.notna().all(axis=1).sum()),
        "pairs_only_sent": int(both["received"].isna().sum()),
        "pairs_only_received": int(both["sent"].isna().sum()),
        "pairs_with_another_weight": int((both.dropna()["sent"] != both.dropna()["received"]).sum()),
    }


def recognise(files: Files) -> list[Finding]:
    """A sheet with the columns of the table."""
    what = "connectome of C. elegans in the layout of Varshney et al. 2011 (NeuronConnect.xls)"
    sheets = {path: files.peek(path).sheets for path in files.paths}
    own = [path for path, of in sheets.items() if any(rows and set(_COLUMNS) <= set(rows[0]) for rows in of.values())]
    return [
        finding for path in own for finding in one_store(what, [path], "connectome", species="Caenorhabditis elegans")
    ]


OPTIONS = {
    "types": choice("all", ("all", "simeon2024"), "Rows that are read: S, Sp and EJ, or Sp and EJ as simeon2024 does."),
    "muscle": flag(False, "Also keep NMJ rows, as chemical edges to a node NMJ."),
    "file": text(None, "Name of the file to read, where the source has several."),
}
READER = Reader("varshney2011", ("connectome",), read, OPTIONS, recognise=recognise)
