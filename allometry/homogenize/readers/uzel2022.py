"""Uzel, Kato & Zimmer 2022: correlations of calcium traces between 65 identified neurons (derived by BAAIWorm's authors).

Layout: `Ca_corr_mat.txt` (65 x 65 numbers, blank-separated, NaN for pairs never recorded together) and
`Ca_corr_mat_cell_name.txt` (one line, tab-separated).
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.reader import Reader, Source, named_file
from allometry.homogenize.worm.neurons import SIGN_CONVENTION, canonical_names, worm_nodes


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read the matrix; no options."""
    matrix_path = named_file(files, "Ca_corr_mat.txt", source.name)
    names_path = named_file(files, "Ca_corr_mat_cell_name.txt", source.name)
    matrix = spreadsheets.number_matrix(matrix_path, None)
    names = _names(names_path)
    if matrix.shape != (len(names), len(names)):
        raise ReaderError(
            f"matrix has shape {matrix.shape}, but there are {len(names)} names",
            where=matrix_path.name,
            expected="one name per row",
        )
    bounded = np.nanmax(np.abs(matrix), initial=0) <= 1 + 1e-9
    if not bounded or not np.allclose(matrix, matrix.T, atol=1e-9, equal_nan=True):
        raise ReaderError("not a correlation matrix", where=matrix_path.name, expected="symmetric, within -1 to 1")
    measured = np.isfinite(matrix) & ~np.eye(len(names), dtype=bool)
    if not measured.any():
        raise ReaderError("no pair has a correlation", where=matrix_path.name, expected="finite numbers")
    i, j = np.nonzero(measured)
    labels = np.array(names, object)
    return stores.connectome(
        worm_nodes(names),
        pd.DataFrame({"source": labels[i], "target": labels[j], "weight": matrix[i, j], "synapse": "functional"}),
        attrs=source.attrs(
            "Correlations of calcium traces of C. elegans neurons, Uzel et al. 2022",
            {},
            {
                "weight": "Pearson correlation; it has no direction, both directions are stored",
                "self_pairs": "the diagonal (1 by definition) is left out",
                "pairs_never_recorded_together": int(np.isnan(matrix).sum()) // 2,
                "sign": SIGN_CONVENTION,
                "matrix": "computed by the authors of BAAIWorm from the recordings of the paper",
            },
            {matrix_path.name: matrix_path, names_path.name: names_path},
        ),
    )


def _names(path: Path) -> list[str]:
    lines = [row for row in spreadsheets.read_delimited(path, "\t") if any(row)]
    if len(lines) != 1 or None in lines[0]:
        raise ReaderError(f"{len(lines)} lines of names", where=path.name, expected="one line of tab-separated names")
    names = canonical_names(lines[0], path.name)
    if len(set(names)) < len(names):
        raise ReaderError("a neuron occurs twice", where=path.name, expected="each neuron once")
    return names


def recognise(files: Files) -> list[Finding]:
    """The two files of the matrix, by their names."""
    own = files.named("Ca_corr_mat.txt", "Ca_corr_mat_cell_name.txt")
    what = "correlations of C. elegans neurons in the layout of BAAIWorm (Uzel et al. 2022)"
    return one_store(what, own if len(own) == 2 else [], "connectome", species="Caenorhabditis elegans")


READER = Reader("uzel2022", ("connectome",), read, recognise=recognise)
