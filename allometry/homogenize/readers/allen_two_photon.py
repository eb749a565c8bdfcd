"""Allen Brain Observatory, two-photon: one NWB 1.0 file per session, into Responses or Activity.

Responses are means over the frames of each sweep, or values at lags around its onset. Several sessions of a container make
one Activity store, on the axis of all their cells; Responses are of one session.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.formats import stimulus_images
from allometry.homogenize.formats.two_photon_session import SIGNALS, Session, read_session
from allometry.homogenize.look import Files, Finding, by_name, plain
from allometry.homogenize.options import choice, listed, quantity, span, text
from allometry.homogenize.reader import Reader, Source, named_file
from allometry.homogenize.responses import presentations, sweeps
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.resample import resample

COLUMN_UNITS = {
    "orientation": "degree",
    "temporal_frequency": "Hz",
    "spatial_frequency": "1/degree",
    "running_speed": "m s-1",
    "pupil_size": "au",
}
OPTIONS = {
    **activity.OPTIONS,
    "file": text(
        None, "Name of the session's file to read, where the source has several; for activity null stands for all."
    ),
    "signal": choice("dff", tuple(SIGNALS), "Signal that is read."),
    "stimuli": listed(None, "Responses: stimuli that are kept; null: all."),
    "images": quantity(
        None,
        "Responses: natural scenes are kept beside them, with so many pixels along the longer side; null: not kept.",
        null=True,
    ),
    "lags": span("Responses: bins of a lag axis, s from onset; null: one value per presentation."),
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset | xr.DataTree:
    """Read sessions.

    Parameters
    ----------
    files : dict
        `{experiment}.nwb`, one or several.
    options : dict
        `kind`: responses (default) or activity. `file`: which session, where there are several (Responses). `signal`:
        dff (default), fluorescence, demixed, neuropil. `stimuli`: names (default all). `lags`: [start, stop, step] in
        s from onset, for a lag axis. `images`: pixels along the longer side of the natural scenes that are kept beside the
        responses (`pixels`; default none). `length_policy`: error (default) or truncate. Activity: `rate_hz`, `up`,
        `max_gap_s`. `experiment` belongs to the recipe.

    Returns
    -------
    xarray.Dataset or xarray.DataTree
        Responses or Activity.

    Raises
    ------
    ReaderError
        Whatever is wrong with file or options.
    """
    if options["kind"] == "activity":
        return _activity(files, source, options)
    path = named_file(files, options["file"], source.name, (".nwb",))
    session = read_session(path, options["signal"], options["length_policy"])
    dataset = responses_of(session, source, options, {next(n for n, p in files.items() if p == path): path})
    if options["images"] is not None:
        most = options["images"]
        if most != int(most) or most < 8:
            raise ReaderError(
                f"option images is {most!r}", where=source.name, expected="a whole number from 8 on, or none"
            )
        pixels = stimulus_images.natural_scenes(path, int(most))
        dataset["pixels"] = (("image", "y", "x"), pixels, {"long_name": "luminance of the natural scenes, 0 to 255"})
        dataset = dataset.assign_coords(image=np.arange(len(pixels)))
    return dataset


def responses_of(session: Session, source: Source, options: dict[str, Any], used: dict[str, Path]) -> xr.Dataset:
    """Responses of one session, with one row per presentation in the order of time."""
    table, notes = _table(session, options["stimuli"])
    edges = sweeps.lag_axis(options["lags"], source.name)
    where = next(iter(used), session.name)
    if edges is None:
        sweeps.check_size(len(session.cells) * len(table))
        response = sweeps.as_response(
            sweeps.window_means(session.trace, table["start_frame"], table["end_frame"]), where
        )
        lag_s = None
    else:
        # every so many frames, so that the lags stay equally spaced
        step = max(1, round((edges[1] - edges[0]) / session.base.dt))
        offsets = np.arange(round(edges[0] / session.base.dt), np.ceil(edges[-1] / session.base.dt - 1e-3), step)
        response, lag_s = sweeps.at_lags(session.trace, table["start_frame"], offsets), offsets * session.base.dt
        notes["lag"] = f"every {step}. frame of {session.base.dt:.6g} s, from the frame in which the sweep starts"
    lost = sweeps.missing_note(response)
    units = session.cells.assign(quality=np.isfinite(session.trace).mean(axis=1))
    notes["quality"] = "fraction of the frames in which the cell has a value"
    return stores.responses(
        response,
        table,
        units,
        lag_s=lag_s,
        attrs={
            **source.attrs(
                f"Allen Brain Observatory two-photon session {session.name}",
                {key: options[key] for key in ("signal", "stimuli", "lags", "length_policy")}
                | ({"images": options["images"]} if options["images"] is not None else {}),
                {**session.notes, **notes, **lost},
                used,
            ),
            "session": session.about,
        },
        response_units="1" if options["signal"] == "dff" else "au",
        column_units=COLUMN_UNITS,
    )


def _table(session: Session, wanted: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Presentation table of the options stimuli."""
    shown = session.shown
    names = presentations.choose_stimuli(wanted, sorted(set(shown["stimulus"])), session.name)
    shown = shown[shown["stimulus"].isin(names)].reset_index(drop=True)
    if shown.empty:
        raise ReaderError(
            "no stimulus was shown",
            where=session.name,
            expected="presentations in stimulus/presentation",
            do="make an Activity store of this session",
        )
    start, stop = (shown[name].to_numpy(np.int64) for name in ("start", "stop"))
    table = pd.DataFrame(
        {
            "stimulus": shown["stimulus"],
            "condition": shown["condition"],
            "onset": _time_at(session, start),
            "duration": _time_at(session, stop) - _time_at(session, start),
            "blank": shown["blank"].astype(bool),
        }
    )
    extra = [name for name in shown if name not in {*table.columns, "start", "stop"}]
    clash = {"repeat", "start_frame", "end_frame", "presentation", "unit", "response", "lag"} & set(map(str, extra))
    table = pd.concat([table, shown[[name for name in extra if name not in clash]]], axis=1)
    table["start_frame"], table["end_frame"] = start, stop
    for name, values in session.behaviour.items():
        table[name] = sweeps.window_means(values[None], start, stop)[0]
    table, order = presentations.in_time_order(table)
    # numbering of rows in the order of the groups is no fact about the file: groups are listed by name
    table, design = presentations.repeats(table)
    return table, design | ({} if len(names) > 1 else order)


def _time_at(session: Session, frame: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Time of the frames, s from the first; the end of the last frame is one interval after its start, NaN beyond."""
    time = np.append(session.base.time, session.base.time[-1] + session.base.dt)
    inside = (frame >= 0) & (frame < len(time))
    return np.where(inside, time[np.clip(frame, 0, len(time) - 1)], np.nan)


def _activity(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    paths = {name: path for name, path in files.items() if options["file"] in (None, name)}
    if not paths:
        raise ReaderError(
            f"file {options['file']!r} is not one of the files", where=source.name, expected=", ".join(sorted(files))
        )
    sessions = [read_session(path, options["signal"], options["length_policy"]) for _, path in sorted(paths.items())]
    neurons = sorted({str(label) for session in sessions for label in session.cells.index})
    recordings = [_recording(session, neurons, options) for session in sessions]
    return stores.activity(
        recordings,
        neurons,
        float(options["rate_hz"]),
        attrs=source.attrs(
            "Allen Brain Observatory, two-photon",
            {key: options[key] for key in ("signal", "rate_hz", "up", "max_gap_s", "length_policy")},
            {session.name: session.notes for session in sessions},
            paths,
        ),
        units="1" if options["signal"] == "dff" else "au",
    )


def _recording(session: Session, neurons: list[str], options: dict[str, Any]) -> stores.Recording:
    labels = [str(label) for label in session.cells.index]
    common = resample(
        session.trace.T, session.base.time, options["rate_hz"], up=options["up"], max_gap_s=options["max_gap_s"]
    )
    place = {name: index for index, name in enumerate(neurons)}
    resampled = np.full((len(common.time), len(neurons)), np.nan, np.float32)
    resampled[:, [place[label] for label in labels]] = common.trace
    stimulus = np.full(session.base.time.size, "", dtype=object)
    condition = stimulus.copy()
    for start, stop, name, what in session.shown[["start", "stop", "stimulus", "condition"]].to_numpy(object).tolist():
        stimulus[max(start, 0) : max(stop, 0)] = name
        condition[max(start, 0) : max(stop, 0)] = what
    extra: dict[str, Any] = {
        "stimulus": ("time", stimulus, {}),
        "condition": ("time", condition, {}),
        **{str(name): ("roi", column.to_numpy(), _units(str(name))) for name, column in session.cells.items()},
        **{name: ("time", values, _units(name)) for name, values in session.behaviour.items()},
    }
    return stores.Recording(
        name=session.name,
        time=session.base.time,
        trace=session.trace.T.astype(np.float32),
        label=labels,
        resampled=resampled,
        rate_hz=session.base.rate_hz,
        metadata=dict(session.about),
        extra=extra,
        resampled_time=common.time,
        attrs={"derived": {**session.notes, "resampling": common.method}},
    )


def _units(name: str) -> dict[str, str]:
    units = {**COLUMN_UNITS, "depth": "m", "neuropil_r": "1", "mask_pixels": "1"}
    return {"units": units[name]} if name in units else {}


def recognise(files: Files) -> list[Finding]:
    """NWB 1 files of the Brain Observatory."""
    own = by_name(
        path for path in files.holding("processing/brain_observatory_pipeline", form="hdf5") if path.suffix == ".nwb"
    )
    if not own:
        return []
    one = len(own) == 1
    stores = {"" if one else plain(name): ("responses", {} if one else {"file": name}) for name in own}
    what = "two-photon sessions of the Allen Brain Observatory (NWB 1)"
    return [Finding(what, own, {**stores, "traces": ("activity", {})}, species="Mus musculus")]


READER = Reader("allen_two_photon", ("responses", "activity"), read, OPTIONS, recognise=recognise)
