"""Trials, stimulus presentations and other intervals of an NWB file as one table of presentations."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from allometry.errors import ReaderError
from allometry.homogenize.formats import stimulus_tables
from allometry.homogenize.formats.neurodata import series as of_series
from allometry.homogenize.formats.neurodata import tables
from allometry.homogenize.formats.neurodata.session import Session
from allometry.homogenize.formats.neurodata.tree import Group, array, last
from allometry.homogenize.formats.nwb_tables import Table
from allometry.homogenize.responses import presentations

INVALID = stimulus_tables.INVALID
TIMES = frozenset({"start_time", "stop_time", "id", "tags", "timeseries", "condition", "stimulus", "repeat"})
TAKEN = frozenset(
    ["unit", "presentation", "response", "lag", "onset", "duration", "repeat", "condition", "stimulus", "blank"]
)


def tables_of(session: Session) -> dict[str, Group]:
    """Tables of intervals by name; those in `/intervals` under their own, others under their path."""
    found = {}
    for item in session.all_of("TimeIntervals"):
        name = item.path.removeprefix("intervals/")
        found[name if "/" not in name else item.path] = item
    return found


def shown_images(session: Session) -> dict[str, Group]:
    """Stimuli that are kept as series in `/stimulus/presentation`: an image, or a number, for each time."""
    out = {}
    for item in session.all_of("TimeSeries"):
        data = array(item, "data")
        if not item.path.startswith("stimulus/presentation/") or data is None:
            continue
        if data.ndim == 1 and data.is_number and array(item, "timestamps") is not None:
            out[last(item.path)] = item
    return out


def choose(session: Session, wanted: Any) -> tuple[list[str], list[str]]:
    """Names of the tables and series to read, and of those that are left out.

    Without a wish: the stimulus presentations, else the stimuli that are series of images, else the trials, else every other
    table but the epochs and the times that are called invalid.

    Raises
    ------
    ReaderError
        The file has none, or not the one that is wished for.
    """
    found = [name for name in tables_of(session) if name != INVALID]
    images = list(shown_images(session))
    if wanted is not None and wanted != "all":
        chosen = presentations.choose_stimuli(wanted, [*found, *images], session.path.name)
    else:
        stimuli = [name for name in found if name.endswith(stimulus_tables.SUFFIX)]
        indexed = [name for name, item in shown_images(session).items() if session.is_a(item, "IndexSeries")]
        trials = [name for name in found if last(name) == "trials"]
        chosen = stimuli or indexed or trials or [name for name in found if last(name) != "epochs"] or found
        if wanted == "all":
            chosen = [*found, *images]
    if not chosen:
        raise ReaderError(
            "there are no intervals",
            where=session.path.name,
            expected="trials, stimulus presentations, or another table of intervals",
            do="make a store of kind spikes or activity of this file",
        )
    return chosen, sorted({*found, *images} - set(chosen))


def read(session: Session, wanted: Any, condition: Sequence[str] | str | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Presentations in the order of time.

    Parameters
    ----------
    session : Session
        Open file.
    wanted : None, str or list of str
        Tables and series; None: see `choose`.
    condition : str or list of str, optional
        Columns that make a condition; None: those whose values come back.

    Returns
    -------
    table : DataFrame
        stimulus, condition, repeat, onset, duration (s), blank, invalid, and the columns of the tables.
    notes : dict
        Design, what makes a condition, what was out of order or not read.
    """
    chosen, left = choose(session, wanted)
    given, images, notes = tables_of(session), shown_images(session), dict[str, Any]()
    parts = []
    for name in chosen:
        if name in given:
            part = _of_table(session, given[name], name, condition, notes)
            session.mark(given[name])
        else:
            part = _of_images(images[name], name)
            session.mark(images[name])
        part, order = presentations.in_time_order(part)
        parts.append(part)
        if order:
            notes.setdefault("row_order", {})[name] = order["row_order"]
    if not sum(map(len, parts)):
        raise ReaderError(
            "the intervals have no rows",
            where=session.path.name,
            expected=f"rows in {', '.join(chosen)}",
            do="name others with the option `intervals`",
        )
    table, _ = presentations.in_time_order(pd.concat([part for part in parts if len(part)], ignore_index=True))
    for name in table.columns.difference(["stimulus", "condition", "onset", "duration", "blank"]):
        if table[name].dtype == object:
            table[name] = presentations.parameter(table[name].to_numpy())
    table, design = presentations.repeats(table)
    table["invalid"] = _invalid(session, table, notes)
    if left:
        notes["intervals_left_out"] = left
    return table, {**notes, **design}


def _of_table(
    session: Session, item: Group, name: str, condition: Sequence[str] | str | None, notes: dict[str, Any]
) -> pd.DataFrame:
    of = tables.table(item)
    start, stop = of.numbers("start_time"), of.numbers("stop_time")
    start[np.isinf(start)] = np.nan
    stop[np.isinf(stop)] = np.nan
    if (stop < start).any():
        row = int(np.flatnonzero(stop < start)[0])
        raise ReaderError(
            f"interval {row} ends at {stop[row]:g} s, and starts at {start[row]:g} s",
            where=of.where,
            expected="an end after the start",
            do="repair the table in the file",
        )
    columns, refused = tables.frame(of, session, frozenset({"start_time", "stop_time", "id"}))
    refused = sorted(set(refused) - {"tags", "timeseries"})
    if refused:
        notes.setdefault("interval_columns_not_read", {})[name] = refused
    stimulus = last(name).removesuffix(stimulus_tables.SUFFIX)
    # sources keep numbers as text in one session and as numbers in the next
    values = {str(key): presentations.parameter(columns[key].to_numpy()) for key in columns}
    defining = _defining(of, stimulus, values, condition)
    notes.setdefault("condition", {})[name] = ", ".join(defining) or "every row is a repeat of one condition"
    present = {key: values[key] for key in defining}
    blank = np.zeros(len(of), bool)
    if present and stimulus in stimulus_tables.DEFINING:
        blank = np.all([absent(column) for column in present.values()], axis=0)
    if "frame" in values and values["frame"].dtype.kind == "f":
        blank |= values["frame"] < 0
    kept = {_free(key): column for key, column in values.items()}
    return pd.DataFrame(
        {
            "stimulus": stimulus,
            "condition": presentations.condition_names(stimulus, present, blank),
            "onset": start,
            "duration": stop - start,
            "blank": blank,
            **kept,
        }
    )


def _free(name: str) -> str:
    key = "".join(sign if sign.isalnum() or sign == "_" else "_" for sign in name) or "column"
    return f"{key}_" if key in TAKEN or key in ("invalid", "running_speed") or key[0].isdigit() else key


def _defining(
    of: Table, stimulus: str, values: dict[str, npt.NDArray[Any]], condition: Sequence[str] | str | None
) -> list[str]:
    """Columns that make a condition: those that are wished for, those of a known stimulus, or those whose values come back."""
    if condition is not None:
        wanted = [condition] if isinstance(condition, str) else [str(name) for name in condition]
        missing = [name for name in wanted if name not in values]
        if missing:
            raise ReaderError(
                f"the intervals have no column {missing[0]!r}",
                where=of.where,
                expected=f"some of {', '.join(values) or '(there are none)'}",
                do="correct the option `condition`",
            )
        return wanted
    known = stimulus_tables.DEFINING.get(stimulus)
    if known is not None:
        return [name for name in known if name in values]
    if stimulus.startswith("natural") and "frame" in values:
        return ["frame"]
    names = []
    for name, column in values.items():
        some = column[~absent(column)].tolist()
        different = len(set(some))
        described = name not in TIMES and not name.endswith(("_time", "_id", "_index", "_block"))
        # values that come back: a number that is new in every row describes the row, not the condition
        if described and 1 < different <= len(of) / 2:
            names.append(name)
    return names


def absent(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where a column has no value."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind in "biu":
        return np.zeros(len(values), bool)
    return np.array([not value for value in values.tolist()], bool)


def _of_images(item: Group, name: str) -> pd.DataFrame:
    """One presentation per time stamp, until the next one; the last one as long as is usual."""
    stamps, values = array(item, "timestamps"), of_series.data_of(item).numbers(ndim=1)
    onset = stamps.numbers(ndim=1) if stamps is not None else np.zeros(0)
    if len(onset) != len(values) or (np.diff(onset) <= 0).any() or not np.isfinite(onset).all():
        raise ReaderError(
            f"{len(values)} values and {len(onset)} time stamps do not fit, or the stamps do not increase",
            where=item.where,
            expected="one time stamp per value, increasing",
            do="leave this stimulus out with the option `intervals`",
        )
    step = np.diff(onset)
    usual = float(np.median(step)) if len(step) else np.nan
    return pd.DataFrame(
        {
            "stimulus": name,
            "condition": presentations.condition_names(name, {"value": values}, np.zeros(len(values), bool)),
            "onset": onset,
            "duration": np.append(step, usual)[: len(onset)],
            "blank": False,
            "value": values,
        }
    )


def _invalid(session: Session, table: pd.DataFrame, notes: dict[str, Any]) -> npt.NDArray[np.bool_]:
    """Presentations that overlap the times that the file calls invalid."""
    marked = np.zeros(len(table), bool)
    item = tables_of(session).get(INVALID)
    if item is None:
        return marked
    of = tables.table(item)
    onset, stop = table["onset"].to_numpy(), (table["onset"] + table["duration"]).to_numpy()
    for start, end in zip(of.numbers("start_time"), of.numbers("stop_time")):
        marked |= (onset < end) & (stop > start)
    session.mark(item)
    notes[INVALID] = f"{len(of)} intervals, {int(marked.sum())} presentations in them: see `invalid`"
    return marked
