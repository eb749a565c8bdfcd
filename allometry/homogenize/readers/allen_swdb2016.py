"""Export of one Allen Brain Observatory two-photon session (Summer Workshop on the Dynamic Brain 2016).

`observatory_raster.mat` (v7.3) holds events of 242 cells in 115,730 frames of 33.3 ms; `fr.npy` (628, 242) the events in each
drifting-grating sweep. Stimulus and frames of 60 sweeps are known (`printed_dg_labels_60.csv`); for the others
`recovered_dg_frames.csv` has frames that fit `fr.npy`, which need not be the only ones. `0.mat` is a calcium trace with
its event times. `cell_ids.npy` lists 243 ids for 242 cells: they are kept as a list, and no cell is given one.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.formats import spreadsheets
from allometry.homogenize.formats.hdf5 import numeric, open_hdf5
from allometry.homogenize.look import Files, Finding, by_name
from allometry.homogenize.options import choice
from allometry.homogenize.reader import Reader, Source, named_file
from allometry.homogenize.responses import presentations, sweeps

FRAME_S = 0.0333
STIMULUS = "drifting_gratings"
PRINTED = ["trial", "temporal_frequency", "orientation", "blank_sweep", "start", "end"]
RECOVERED = ["trial", "start_frame", "end_frame", "n_exact_candidates"]
OPTIONS = {
    "sweeps": choice(
        "all",
        ("all", "printed"),
        "Sweeps that are kept: all (one whose stimulus is not known is a condition of its own), or those whose stimulus is known.",
    )
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read the responses to drifting gratings, or the events as spikes.

    Parameters
    ----------
    options : dict
        Those of `OPTIONS`.

    Returns
    -------
    xarray.Dataset
        Responses with the number of events per sweep, or Spikes.

    Raises
    ------
    ReaderError
        Counts of the raster that are not those of `fr.npy`, and whatever else is wrong with the files.
    """
    raster = _raster(named_file(files, "observatory_raster.mat", source.name))
    derived: dict[str, Any] = {
        "frame": f"{FRAME_S} s per frame, from 0.mat; the raster has no time",
        "session": "container 511510667, experiment 501574836 are inferred; the files do not name them",
        **_cell_ids(files, len(raster)),
    }
    used = {name: path for name, path in files.items() if name in ("observatory_raster.mat", "cell_ids.npy")}
    if options["kind"] == "spikes":
        return _spikes(raster, source, derived, used)
    used |= {
        name: files[name] for name in ("fr.npy", "printed_dg_labels_60.csv", "recovered_dg_frames.csv") if name in files
    }
    table, notes = _sweep_table(files, source.name)
    response = _checked(raster, table, _array(named_file(files, "fr.npy", source.name)))
    if options["sweeps"] == "printed":
        known = (table["window"] == "printed").to_numpy()
        table, response = table[known].reset_index(drop=True), response[:, known]
    return stores.responses(
        sweeps.as_response(response, "observatory_raster.mat"),
        table,
        pd.DataFrame(index=pd.RangeIndex(len(raster))),
        attrs=source.attrs(
            "Allen Brain Observatory two-photon, events per drifting-grating sweep",
            {"response": "events in the sweep", "sweeps": options["sweeps"]},
            derived | notes,
            used,
        ),
        column_units={"orientation": "degree", "temporal_frequency": "Hz"},
    )


def _raster(path: Path) -> npt.NDArray[np.int8]:
    """Events (cell, frame), 0 or 1."""
    with open_hdf5(path) as file:
        values = numeric(file, "raster", ndim=2)
    if values.size == 0 or not ((values == 0) | (values == 1)).all():
        raise ReaderError(
            f"raster of shape {values.shape} holds other values than 0 and 1",
            where=path.name,
            expected="(cell, frame), 1 where the cell has an event",
            do="retrieve the file again",
        )
    return values.astype(np.int8)


def _array(path: Path) -> npt.NDArray[Any]:
    try:
        values = np.load(path, allow_pickle=False)
    except Exception as error:  # numpy evaluates the header as Python: damage gives whatever that gives
        raise ReaderError(
            f"array cannot be read ({type(error).__name__})",
            where=path.name,
            expected="a .npy file of numbers",
            do="delete the file and retrieve it again",
        ) from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        raise ReaderError("array is not numeric", where=path.name, expected="a .npy file of numbers")
    return values


def _cell_ids(files: dict[str, Path], cells: int) -> dict[str, Any]:
    """Record of the ids: they cannot be assigned to cells, unless their number agrees, which it does not here."""
    if "cell_ids.npy" not in files:
        return {}
    ids = _array(files["cell_ids.npy"]).ravel()
    if not np.isfinite(ids).all():
        raise ReaderError("an id is not finite", where="cell_ids.npy", expected="integers")
    note = f"{len(ids)} ids for {cells} cells" + ("" if len(ids) == cells else ": one id too many or too few")
    return {"cell_ids": {"note": f"{note}; no cell was given an id", "ids": [int(value) for value in ids]}}


def _sweep_table(files: dict[str, Path], where: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Frames and stimulus of every sweep: printed where they were printed, else recovered frames without a stimulus."""
    printed = _csv(named_file(files, "printed_dg_labels_60.csv", where), PRINTED, missing=True).set_index("trial")
    recovered = _csv(named_file(files, "recovered_dg_frames.csv", where), RECOVERED).set_index("trial")
    for table, name in ((printed, "printed_dg_labels_60.csv"), (recovered, "recovered_dg_frames.csv")):
        if table.index.has_duplicates or not np.isfinite(table.index).all():
            raise ReaderError("a trial is listed twice or has no number", where=name, expected="one row per trial")
    trials = recovered.index.union(printed.index)
    if not len(trials) or not np.array_equal(trials, np.arange(len(trials))):
        raise ReaderError(
            "trials are missing", where="recovered_dg_frames.csv", expected="one row for each trial from 0 on"
        )
    known = trials.isin(printed.index)
    stimulus = printed.reindex(trials)
    start = stimulus["start"].where(known, recovered["start_frame"].reindex(trials)).to_numpy()
    end = stimulus["end"].where(known, recovered["end_frame"].reindex(trials)).to_numpy()
    if not (np.isfinite(start) & np.isfinite(end) & (end > start) & (start >= 0)).all():
        raise ReaderError("a sweep has no frames, or ends before it starts", where="frames of the sweeps")
    blank = stimulus["blank_sweep"].to_numpy() == 1
    parameters = {name: stimulus[name].to_numpy(np.float64) for name in ("orientation", "temporal_frequency")}
    names = presentations.condition_names(STIMULUS, parameters, blank)
    table = pd.DataFrame(
        {
            "stimulus": STIMULUS,
            "condition": [
                name if known[i] else f"{STIMULUS}/trial={trial}/unknown"
                for i, (name, trial) in enumerate(zip(names, trials))
            ],
            "onset": start * FRAME_S,
            "duration": (end - start) * FRAME_S,
            "blank": blank,
            **parameters,
            "trial": trials.to_numpy(np.int64),
            "start_frame": start.astype(np.int64),
            "end_frame": end.astype(np.int64),
            "window": np.where(known, "printed", "recovered"),
            "window_candidates": recovered["n_exact_candidates"].reindex(trials).to_numpy(np.float64),
        }
    )
    moved = recovered.reindex(printed.index)
    differ = int(((moved["start_frame"] != printed["start"]) | (moved["end_frame"] != printed["end"])).sum())
    return table, {
        "windows": f"{known.sum()} of {len(trials)} sweeps have printed frames; the others recovered ones, which give the "
        f"same counts but need not be the true ones ({differ} of the printed windows differ from the recovered)",
        "unknown_conditions": int((~known).sum()),
    }


def _csv(path: Path, columns: list[str], missing: bool = False) -> pd.DataFrame:
    table = spreadsheets.table(spreadsheets.read_delimited(path, ","), columns, path.name)
    # pandas writes a missing number as "nan"
    table = table.map(lambda cell: presentations.as_text(cell) or None)
    return pd.DataFrame({name: spreadsheets.numbers(table[name], path.name, allow_missing=missing) for name in columns})


def _checked(raster: npt.NDArray[np.int8], table: pd.DataFrame, rates: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Events of each cell in each sweep; they must be those of `fr.npy`."""
    found = sweeps.window_sums(raster, table["start_frame"], table["end_frame"])
    if rates.shape != found.T.shape:
        raise ReaderError(
            f"array has shape {rates.shape}", where="fr.npy", expected=f"(sweeps, cells) = {found.T.shape}"
        )
    differ = (rates != found.T).any(axis=1)
    if differ.any():
        raise ReaderError(
            f"counts of {differ.sum()} of {len(differ)} sweeps are not those of the raster "
            f"(the first is sweep {np.flatnonzero(differ)[0]})",
            where="fr.npy, observatory_raster.mat",
            expected="events of each cell in the frames [start, end) of each sweep",
            do="retrieve the files again: one of them is damaged",
        )
    return found


def _spikes(raster: npt.NDArray[np.int8], source: Source, derived: dict[str, Any], used: dict[str, Path]) -> xr.Dataset:
    cell, frame = np.nonzero(raster)
    return stores.spikes_recorded(
        frame * FRAME_S,
        np.bincount(cell, minlength=len(raster)),
        units=pd.DataFrame({"population": "two-photon cells"}, index=pd.RangeIndex(len(raster))),
        observed=[[0.0, raster.shape[1] * FRAME_S]],
        attrs=source.attrs(
            "Allen Brain Observatory two-photon, events",
            {"kind": "spikes"},
            derived | {"spike_time": "start of the frame in which the event was detected; events, not recorded spikes"},
            used,
        ),
    )


def recognise(files: Files) -> list[Finding]:
    """The files of the export, by their names."""
    needed = ("observatory_raster.mat", "fr.npy", "printed_dg_labels_60.csv", "recovered_dg_frames.csv")
    own = by_name(files.named(*needed, "cell_ids.npy", "0.mat"))
    if "observatory_raster.mat" not in own:
        return []
    stores: dict[str, tuple[str, dict[str, Any]]] = {"events": ("spikes", {})}
    if set(needed) <= set(own):
        stores = {"": ("responses", {}), **stores}
    what = "events of a two-photon session in the layout of the Summer Workshop on the Dynamic Brain 2016"
    return [Finding(what, own, stores, species="Mus musculus")]


READER = Reader("allen_swdb2016", ("responses", "spikes"), read, OPTIONS, recognise=recognise)
