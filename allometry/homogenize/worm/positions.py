"""Positions of the somata of the 302 neurons: the table of wormneuroatlas.

Layout of `anatlas_neuron_positions.txt`: a first line with `#` and the names, then one line of x, y, z per name. No unit is
given; the values are those of the somata of OpenWorm's cell models (Virtual Worm; c302 0.12.1) in hundreds of micrometres
(ADAL: y -2.3982 here, -239.25 um there), which gives the scale. A name may be listed again with the same numbers.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.worm.neurons import canonical_names

UM_PER_UNIT = 100.0


def read_positions(path: Path) -> pd.DataFrame:
    """Soma positions in um.

    Parameters
    ----------
    path : Path
        The table.

    Returns
    -------
    pandas.DataFrame
        Index: canonical names; columns `x` (left positive), `y` (from head to tail), `z` (dorsal positive), in um.

    Raises
    ------
    ReaderError
        Names and positions of different number, a value that is no number, a name twice with different positions.
    """
    lines = path.read_text("utf-8", errors="replace").splitlines()
    expected = "a line `# NAME NAME ...`, then one line of x, y and z per name"
    if not lines or not lines[0].startswith("#"):
        raise ReaderError("the line with the names is missing", where=path.name, expected=expected)
    names = lines[0].lstrip("#").split()
    try:
        values = np.array([[float(cell) for cell in line.split()] for line in lines[1:] if line.strip()])
    except ValueError as error:
        raise ReaderError(
            f"a position is not a number, or a line is too short: {error}", where=path.name, expected=expected
        ) from error
    if values.shape != (len(names), 3) or not np.isfinite(values).all():
        raise ReaderError(
            f"{len(names)} names and positions of shape {values.shape}", where=path.name, expected=expected
        )
    table = pd.DataFrame(values * UM_PER_UNIT, columns=["x", "y", "z"], index=canonical_names(names, path.name))
    table = table[~table.reset_index().duplicated().to_numpy()]
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise ReaderError(f"{twice} has two positions", where=path.name, expected="one position per neuron")
    return table
