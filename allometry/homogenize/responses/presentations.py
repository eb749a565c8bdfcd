"""Tables of presentations of stimuli: parameters as numbers, blanks, names of conditions, order in time.

Every reader of stimulus-driven data ends here, so that the same stimulus has the same condition in every store:
`drifting_gratings/orientation=90/temporal_frequency=2`, `natural_scenes/frame=17`, `natural_scenes/blank`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from allometry.errors import ReaderError

BLANK = "blank"
NO_VALUE = frozenset({"", "nan", "none", "null", "n/a", "na"})
"""What sources write into a text column where a parameter does not apply, lower case."""


def as_text(value: Any) -> str:
    """One cell of an object column as text; what says "no value" becomes the empty string."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    text = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
    text = text.strip()
    return "" if text.lower() in NO_VALUE else text


def parameter(values: Sequence[Any] | np.ndarray) -> npt.NDArray[Any]:
    """A column of a stimulus table: float64 where every cell is a number or says "no value", else text.

    Sources keep numbers as text in one session and as numbers in the next (`phase`, `size`, `color`,
    `spatial_frequency`), so that the type of the column says nothing.
    """
    array = np.asarray(values)
    if array.dtype.kind in "biuf":
        return array.astype(np.float64)
    cells = [as_text(value) for value in array.ravel().tolist()]
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
    except ValueError:
        return np.array(cells, dtype=object)


def plain_column(values: Sequence[Any] | np.ndarray) -> npt.NDArray[Any]:
    """A column of a unit table: as it is where it holds numbers, else as `parameter`."""
    array = np.asarray(values)
    return array if array.dtype.kind in "biuf" else parameter(array)


def condition_names(
    stimulus: str, parameters: Mapping[str, Sequence[Any] | np.ndarray], blank: npt.ArrayLike
) -> list[str]:
    """Name the condition of each presentation by what varies in it.

    Parameters
    ----------
    stimulus : str
        Name of the stimulus.
    parameters : mapping of str to sequence, each (presentation,)
        What makes two presentations different; NaN and empty text are left out of the name.
    blank : (presentation,) bool
        Presentations of the blank screen, whatever their parameters.
    """
    # by name, since sources list the same parameters in different orders
    columns = {name: np.asarray(values) for name, values in sorted(parameters.items())}
    names = []
    for number, empty in enumerate(np.asarray(blank, dtype=bool).tolist()):
        parts = [f"{name}={_shown(column[number])}" for name, column in columns.items() if _shown(column[number])]
        names.append("/".join([stimulus, BLANK] if empty else [stimulus, *parts]))
    return names


def _shown(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{float(value):.10g}"
    return as_text(value).replace("/", "_")


def in_time_order(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Sort presentations by onset; rows without an onset go last. Says what was out of order."""
    onset = table["onset"].to_numpy(np.float64)
    notes: dict[str, Any] = {}
    late = int(np.count_nonzero(np.diff(onset) < 0))
    if late:
        notes["row_order"] = f"{late} rows of the stimulus tables start before the row above; sorted by onset"
    return table.sort_values("onset", kind="stable", na_position="last").reset_index(drop=True), notes


def repeats(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Number the repeats of each condition in the order of the rows, and summarise the design."""
    counted = table.assign(repeat=table.groupby("condition", sort=False).cumcount().astype(np.int64))
    sizes = counted.groupby("condition", sort=False).size()
    design = {
        str(name): _design(sizes[sizes.index.isin(group["condition"])], int(group["blank"].sum()))
        for name, group in counted.groupby("stimulus")
    }
    return counted, {"design": design}


def _design(sizes: pd.Series, blanks: int) -> str:
    shown = sizes[[not str(name).endswith(f"/{BLANK}") for name in sizes.index]]
    if shown.empty:
        return f"{blanks} blanks"
    low, high = int(shown.min()), int(shown.max())
    times = f"{low}" if low == high else f"{low} to {high}"
    return f"{len(shown)} conditions x {times} repeats" + (f" + {blanks} blanks" if blanks else "")


def choose_stimuli(wanted: Any, available: Sequence[str], where: str) -> list[str]:
    """Stimuli to read: all that are there, or the ones that the option `stimuli` names."""
    if wanted is None or wanted == "all":
        return list(available)
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    missing = [str(name) for name in names if name not in available]
    if missing or not names:
        raise ReaderError(
            f"stimulus {', '.join(missing) or '(none)'} is not in the file",
            where=where,
            expected=f"some of {', '.join(available) or '(the file has no stimulus)'}",
            do="correct the option `stimuli`, or choose a session that shows them",
        )
    return [name for name in available if name in names]
