"""Kato et al. 2015: whole-brain imaging of immobilised worms.

Two containers. The original `WT_Stim.mat` / `WT_NoStim.mat` (v7.3) hold `IDs` or `NeuronNames`, `traces` or
`deltaFOverF_bc`, `timeVectorSeconds` or `tv`. An npz copy of WT_NoStim holds `raw_full_data_worm_{n}.npz` (time, roi),
`known_neurons.npz` (0-based indices and names per worm) and `bundle_mcm_{n-1}.npz` (behavioural states from sample 15 on);
it has no time: the published length of 1080 s per recording gives the rate, and the store says so.
"""

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize.formats import object_npy, worm_structs
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.traces import activity
from allometry.homogenize.traces.recordings import Pending, RawRecording

PUBLISHED_LENGTH_S = 1080.0
FIRST_STATE_SAMPLE = 15


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.DataTree:
    """Read all worms of the source; see `allometry.homogenize.traces.activity.build` for the options.

    Parameters
    ----------
    files : dict
        .mat files, or the .npz files of the copy.
    source : Source
        Registry entry.
    options : dict
        Options of every activity reader.

    Returns
    -------
    xarray.DataTree
        Activity store.
    """
    found = activity.of_files(
        {name: path for name, path in files.items() if path.suffix == ".mat"},
        options,
        lambda name, path: worm_structs.read_file(
            path,
            ("IDs", "NeuronNames"),
            ("traces", "deltaFOverF_bc"),
            ("timeVectorSeconds", "tv"),
            {"stimulus": "oxygen" if "NoStim" not in name else "none"},
        ),
    )
    numbered = {int(m[1]): path for name, path in files.items() if (m := re.search(r"worm_(\d+)\.npz$", name))}
    if numbered:
        table = files.get("known_neurons.npz")
        if table is None:
            raise ReaderError(
                what="The npz copy has traces but no table of names.",
                where=source.name,
                expected="known_neurons.npz beside raw_full_data_worm_*.npz",
                do="add it to `files` of the registry entry",
            )
        names = known_neurons(table)
        for number, path in sorted(numbered.items()):
            states = files.get(f"bundle_mcm_{number - 1}.npz")
            load = functools.partial(npz_recording, path, number, names, table.name, states)
            found.append(Pending(_npz_name(number), load, path.name))
    if not found:
        raise ReaderError(
            what="No recording among the files.",
            where=f"{source.name}: {', '.join(sorted(files)) or 'no files'}",
            expected="WT_Stim.mat, WT_NoStim.mat, or raw_full_data_worm_*.npz with known_neurons.npz",
            do="correct `files` in the registry entry",
        )
    return activity.build(
        found, source, options, files=files, title="Kato et al. 2015, whole-brain activity of immobilised worms"
    )


def _npz_name(number: int) -> str:
    return f"WT_NoStim_{number}"


def known_neurons(path: Path) -> list[tuple[list[int], list[str]]]:
    """Per worm the 0-based indices and the names of the identified neurons."""
    content = object_npy.load(path)
    try:
        indices, names = content["arr_0"], content["arr_1"]
        table = [
            ([int(i) for i in np.asarray(index).ravel()], [str(n) for n in name]) for index, name in zip(indices, names)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ReaderError(
            what="The table of names does not have the known form.",
            where=str(path),
            expected="arr_0 (indices per worm) and arr_1 (names per worm)",
            do="retrieve the file again",
        ) from error
    for number, (index, name) in enumerate(table, start=1):
        if len(index) != len(name):
            raise ReaderError(
                what=f"Worm {number} has {len(index)} indices and {len(name)} names.",
                where=str(path),
                expected="one name per index",
                do="retrieve the file again",
            )
    return table


def npz_recording(
    path: Path, number: int, names: list[tuple[list[int], list[str]]], table: str, states: Path | None
) -> RawRecording:
    """Map one worm of the npz copy."""
    content = object_npy.load(path)
    trace = content.get("arr_0")
    if not isinstance(trace, np.ndarray) or trace.ndim != 2 or trace.size == 0:
        raise ReaderError(
            what="No matrix of traces.", where=str(path), expected="arr_0 (time, roi)", do="retrieve the file again"
        )
    index, known = names[number - 1] if number <= len(names) else ([], [])
    raw = [""] * trace.shape[1]
    for roi, name in zip(index, known):
        if not 0 <= roi < trace.shape[1]:
            raise ReaderError(
                what=f"{table} names ROI {roi} of worm {number}, which has {trace.shape[1]} ROIs.",
                where=str(path),
                expected=f"indices from 0 to {trace.shape[1] - 1}",
                do="check that the files belong together and that the traces are (time, ROI)",
            )
        raw[roi] = name if not raw[roi] else f"{raw[roi]}/{name}"
    extra: dict[str, tuple[Any, ...]] = {}
    notes: dict[str, Any] = {"labels_from": table}
    if states is None:
        notes["states"] = f"none: bundle_mcm_{number - 1}.npz is not among the files"
    else:
        extra, notes["states"] = _states(states, trace.shape[0])
    return RawRecording(
        name=_npz_name(number),
        trace=trace,
        time=None,
        labels=raw,
        where=path.name,
        duration_s=PUBLISHED_LENGTH_S,
        why="published length of each recording of Kato et al. 2015",
        extra=extra,
        metadata={"worm": number, "stimulus": "none"},
        notes=notes,
    )


def _states(path: Path, n_time: int) -> tuple[dict[str, tuple[Any, ...]], str]:
    content = object_npy.load(path)
    codes, names = content.get("arr_2"), content.get("arr_3")
    if not isinstance(codes, np.ndarray) or not isinstance(names, np.ndarray) or codes.dtype.kind not in "iu":
        return {}, f"{path.name} has no states in the known form; none were kept"
    last = min(n_time - FIRST_STATE_SAMPLE, codes.size)
    if codes.ndim != 1 or last <= 0 or codes.min() < 1 or codes.max() > names.size:
        return {}, f"states of {path.name} do not fit the recording; none were kept"
    state = np.full(n_time, "", dtype=object)
    state[FIRST_STATE_SAMPLE : FIRST_STATE_SAMPLE + last] = names[codes[:last] - 1]  # as in MATLAB, codes count from 1
    return {"state": (("time",), state, {})}, f"{codes.size} states of {path.name} from sample {FIRST_STATE_SAMPLE} on"


def recognise(files: Files) -> list[Finding]:
    """MATLAB files with the fields of the laboratory, or the files of the npz copy by their names."""
    found = worm_structs.recognise(
        files,
        ("IDs", "NeuronNames"),
        ("traces", "deltaFOverF_bc"),
        ("timeVectorSeconds", "tv"),
        ("WT_Stim.mat", "WT_NoStim.mat", "*.mat"),
        "Kato et al. 2015",
    )
    traces = [path for path in files.named("*worm_*.npz") if files.peek(path).has("arr_0")]
    if traces and files.named("known_neurons.npz"):
        own = [*traces, *files.named("known_neurons.npz", "bundle_mcm_*.npz")]
        doubt = "the files have no time: set `native_rate_hz`; without it the registered recordings are 1080 s long"
        what = "whole-brain activity of C. elegans in the npz layout of Kato et al. 2015"
        options = {"duration_s": PUBLISHED_LENGTH_S}
        found += one_store(what, own, "activity", options, doubts=(doubt,), species="Caenorhabditis elegans")
    return found


READER = Reader("kato2015", ("activity",), read, activity.OPTIONS, recognise=recognise)
