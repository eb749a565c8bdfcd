"""McAteer, two-photon imaging of mouse V1: 73 cells, 12 directions of motion, 6 repeats, 5 frames/s.

`DFF.mat` holds dF/F as (cell, 2880): 6 repeats x 12 directions (0:30:330 degrees) x 40 samples, of which 10:20 are before
the stimulus (OFF) and 20:40 during it (ON). `Ave_all.mat` and `TC.mat` hold averages of it; the reader compares them with
its own, and refuses files that disagree.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.errors import ReaderError
from allometry.homogenize.formats import matfiles
from allometry.homogenize.look import Files, Finding, by_name, one_store
from allometry.homogenize.options import flag
from allometry.homogenize.reader import Reader, Source, named_file
from allometry.homogenize.responses import presentations, sweeps

REPEATS, DIRECTIONS, SAMPLES = 6, 12, 40
RATE_HZ = 5.0
OFF, ON = slice(10, 20), slice(20, 40)
TOLERANCE = 1e-9  # dF/F; the averages are those of the same float64 numbers, summed in whatever order
OPTIONS = {
    "lags": flag(False, "All 40 samples of a sweep (-4 to 3.8 s from onset) in place of the mean over the stimulus.")
}


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read the responses.

    Parameters
    ----------
    files : dict
        `DFF.mat`, and optionally `Ave_all.mat` and `TC.mat`.
    options : dict
        Those of `OPTIONS`.

    Returns
    -------
    xarray.Dataset
        Responses: dF/F of (unit, presentation[, lag]), `baseline(unit, presentation)` before the stimulus.

    Raises
    ------
    ReaderError
        The trace has another shape than 6 x 12 x 40 samples, or the shipped averages are not its averages.
    """
    lags = options["lags"]
    path = named_file(files, "DFF.mat", source.name)
    trace = matfiles.matrix(path, "DFF", (None, REPEATS * DIRECTIONS * SAMPLES))
    if not len(trace):
        raise ReaderError("there is no cell", where=path.name, expected="cells x 2880 samples")
    sweep = trace.reshape(len(trace), REPEATS * DIRECTIONS, SAMPLES)
    on, off = sweep[..., ON].mean(axis=-1), sweep[..., OFF].mean(axis=-1)
    derived: dict[str, Any] = {
        "order": "the file does not say it: 6 repeats x 12 directions x 40 samples, OFF 10:20, ON 20:40",
        "onset": "sample 20 of each sweep, counted as if the sweeps followed each other without a pause",
        "rate": f"not in the file: {RATE_HZ:g} frames/s are the publisher's",
        **_agreement(files, on, off),
    }
    absent = int(np.isnan(trace).sum())
    if absent:
        derived["missing_samples"] = absent
    number = np.arange(REPEATS * DIRECTIONS)
    direction = 30.0 * (number % DIRECTIONS)
    table = pd.DataFrame(
        {
            "stimulus": "drifting_gratings",
            "condition": presentations.condition_names("drifting_gratings", {"direction": direction}, number < 0),
            "repeat": number // DIRECTIONS,
            "onset": (number * SAMPLES + ON.start) / RATE_HZ,
            "duration": (ON.stop - ON.start) / RATE_HZ,
            "direction": direction,
        }
    )
    values = sweeps.as_response(sweep if lags else on, path.name)
    derived |= sweeps.missing_note(values)
    used: dict[str, Path] = {name: files[name] for name in ("DFF.mat", "Ave_all.mat", "TC.mat") if name in files}
    dataset = stores.responses(
        values,
        table,
        pd.DataFrame(index=pd.RangeIndex(len(trace))),
        lag_s=(np.arange(SAMPLES) - ON.start) / RATE_HZ if lags else None,
        attrs=source.attrs(
            "Mouse V1, two-photon responses to 12 directions of motion",
            {"lags": lags, "response": "every sample" if lags else "mean over samples 20:40"},
            derived,
            used,
        ),
        column_units={"direction": "degree"},
    )
    dataset["baseline"] = (("unit", "presentation"), sweeps.as_response(off, path.name), {"units": "1"})
    return dataset


def _agreement(
    files: dict[str, Path], on: npt.NDArray[np.float64], off: npt.NDArray[np.float64]
) -> dict[str, dict[str, float]]:
    """Largest difference between our averages and every shipped one."""
    cells = len(on)
    by_repeat = {
        name: mean.reshape(cells, REPEATS, DIRECTIONS).swapaxes(1, 2) for name, mean in (("AveON", on), ("AveOFF", off))
    }
    tuned = by_repeat["AveON"].mean(axis=2)
    ours = {
        "Ave_all.mat": by_repeat,
        "TC.mat": {"ON_mean": tuned, "OFF_mean": by_repeat["AveOFF"].mean(axis=(1, 2))[:, None]},
    }
    differences = {}
    for file, averages in ours.items():
        for key, mean in averages.items() if file in files else ():
            shipped = matfiles.matrix(files[file], key, mean.shape)
            same = (np.abs(shipped - mean) <= TOLERANCE) | (np.isnan(shipped) & np.isnan(mean))
            if not same.all():
                raise ReaderError(
                    f"{np.count_nonzero(~same)} of {same.size} averages {key} are not those of DFF.mat",
                    where=file,
                    expected="means over samples 20:40 (ON) and 10:20 (OFF) of each sweep",
                    do="retrieve both files again: one of them is damaged or of another recording",
                )
            differences[f"{file} {key}"] = float(np.nanmax(np.abs(shipped - mean), initial=0.0))
    return {"largest_difference_from_shipped_averages": differences} if differences else {}


def recognise(files: Files) -> list[Finding]:
    """A MATLAB file with DFF of 2880 samples, and the averages beside it."""
    own = []
    for path in files.holding("DFF"):
        peek = files.peek(path)
        if peek.arrays[peek.find("DFF")].shape[-1:] == (REPEATS * DIRECTIONS * SAMPLES,):
            own.append(path)
    what = "two-photon responses of mouse V1 to 12 directions in the layout of McAteer"
    beside = by_name(files.named("Ave_all.mat", "TC.mat"))
    found = [one_store(what, {"DFF.mat": path} | beside, "responses", species="Mus musculus") for path in own]
    return [finding for findings in found for finding in findings]


READER = Reader("mcateer_v1", ("responses",), read, OPTIONS, recognise=recognise)
