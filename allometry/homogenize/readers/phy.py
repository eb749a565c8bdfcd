"""A folder of Kilosort or phy: `spike_times.npy` with `spike_clusters.npy`, and the tables of clusters beside them.

Times are samples, and `params.py` says how many there are in a second; it is read as text, never run. Every `cluster_*.tsv` gives
columns (`group`: what was decided by hand, `KSLabel`: what Kilosort thinks). A cluster lies where the template of most of its
spikes is largest. Waveforms and the raw recording are not read.
"""

import ast
import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from allometry.errors import ReaderError
from allometry.homogenize import lines
from allometry.homogenize.formats.flat import folders, npy
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.options import quantity
from allometry.homogenize.reader import Reader, Source
from allometry.homogenize.spikes import trains

OPTIONS = {
    **trains.OPTIONS,
    "sampling_rate_hz": quantity(None, "Samples per second; null: as `params.py` says.", above=0),
    "duration_s": quantity(None, "Length of the recording, s; null: to the last spike.", above=0),
}
USED = frozenset(
    {
        *("spike_times.npy", "spike_clusters.npy", "spike_templates.npy", "params.py"),
        *("channel_positions.npy", "channel_map.npy", "templates.npy"),
    }
)


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read one sorting.

    Parameters
    ----------
    files : dict
        Files of the folder one by one, the folder, or a ZIP archive of it.
    options : dict
        Those of every reader of spike trains, and of `OPTIONS`.

    Returns
    -------
    xarray.Dataset
        Spikes, recorded; units are clusters.

    Raises
    ------
    ReaderError
        A file is missing, or the files do not fit each other.
    """
    with folders.contents(files) as inside:
        found = _found(inside, options)
        kept = {name: options[name] for name in ("sampling_rate_hz", "duration_s") if options[name] is not None}
        return trains.build(found, source, options, files=files, title=source.name, parameters=kept)


def _found(files: dict[str, Path], options: dict[str, Any]) -> trains.Found:
    path = folders.need(files, "times of the spikes, in samples", "spike_times.npy")
    samples = npy.load(path, 1, "iuf")
    which = folders.need(files, "the cluster of each spike", "spike_clusters.npy", "spike_templates.npy")
    clusters = npy.load(which, 1, "iu")
    if len(samples) != len(clusters):
        raise ReaderError(
            f"{path.name} has {len(samples)} spikes, {which.name} {len(clusters)}",
            where=str(path.parent),
            expected="one cluster per spike",
            do="take both from one sorting",
        )
    rate, notes = _rate(files, options)
    time = np.divide(samples, rate)
    del samples  # mapped: a long recording's gigabyte
    ids, load, sizes = trains.by_unit(time, np.asarray(clusters))
    units = pd.DataFrame(index=pd.Index(ids.astype(np.int64)))
    if which.name == "spike_templates.npy":
        notes["clusters"] = "there is no spike_clusters.npy: every template is a unit"
    _tables(files, units, notes)
    _positions(files, units, np.asarray(clusters), notes)
    unread = sorted(name for name in files if name.rsplit("/", 1)[-1] not in USED and not _is_table(name))
    if unread:
        notes["not_read"] = unread if len(unread) <= 100 else [*unread[:99], f"and {len(unread) - 99} more"]
    end = options["duration_s"]
    return trains.Found(units, load, sizes, path.parent.name, end=end, units_of={"x": "um", "y": "um"}, notes=notes)


def _rate(files: dict[str, Path], options: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Samples per second, and where it is from."""
    if options["sampling_rate_hz"] is not None:
        return float(options["sampling_rate_hz"]), {"sampling_rate": "given by the options of the data set"}
    path = folders.need(files, "the sampling rate, or the option `sampling_rate_hz`", "params.py")
    try:
        tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
        values = {
            target.id: ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        rate = float(values["sample_rate"])
    except (SyntaxError, ValueError, KeyError, TypeError, RecursionError, MemoryError) as error:
        raise ReaderError(
            "params.py does not say the sampling rate",
            where=str(path),
            expected="a line such as `sample_rate = 30000.`",
            do="set the option `sampling_rate_hz` of the data set",
        ) from error
    if not np.isfinite(rate) or rate <= 0:
        raise ReaderError(
            f"the sampling rate is {rate}", where=str(path), expected="a positive number of samples per second"
        )
    return rate, {"sampling_rate": f"{rate:g} Hz, of params.py"}


def _is_table(name: str) -> bool:
    last = name.rsplit("/", 1)[-1]
    return last.startswith("cluster_") and last.endswith((".tsv", ".csv"))


def _tables(files: dict[str, Path], units: pd.DataFrame, notes: dict[str, Any]) -> None:
    """Columns of every table of clusters; numbers where all that is written is numbers."""
    for name in sorted(name for name in files if _is_table(name)):
        path = files[name]
        try:
            with path.open(encoding=lines.encoding(path), newline="") as file:
                rows = list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))
            key = next(k for k in ("cluster_id", "id") if rows and k in rows[0])
            by_id = {int(float(row[key])): row for row in rows}
        except StopIteration:
            notes.setdefault("tables_not_read", []).append(name)
            continue
        except (OSError, UnicodeDecodeError, csv.Error, ValueError, TypeError, OverflowError) as error:
            raise ReaderError(
                f"not a readable table of clusters ({type(error).__name__}: {str(error)[:80]})",
                where=str(path),
                expected="a column cluster_id and others, separated by tabs",
                do="save it again from phy",
            ) from error
        unknown = len(set(by_id) - set(units.index))
        if unknown:
            notes.setdefault("clusters_without_spikes", {})[name] = unknown
        for column in [column for column in rows[0] if column and column != key]:
            cells = [str(by_id.get(int(unit), {}).get(column) or "").strip() for unit in units.index]
            if column not in units:
                units[column] = _numbers(cells)


def _numbers(cells: list[str]) -> npt.NDArray[Any]:
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        return np.array(cells, dtype=object)


def _positions(files: dict[str, Path], units: pd.DataFrame, clusters: npt.NDArray[Any], notes: dict[str, Any]) -> None:
    """Position of the channel on which the template of most spikes of a cluster is largest, um."""
    places = {
        name: folders.find(files, f"{name}.npy") for name in ("channel_positions", "templates", "spike_templates")
    }
    if any(path is None for path in places.values()):
        lacking = ", ".join(name for name, path in places.items() if path is None)
        notes["positions"] = f"not known: there is no {lacking}"
        return
    channels = npy.load(places["channel_positions"], 2, "iuf")  # type: ignore[arg-type]
    templates = npy.load(places["templates"], 3, "iuf")  # type: ignore[arg-type]
    template = npy.load(places["spike_templates"], 1, "iu")  # type: ignore[arg-type]
    fits = len(template) == len(clusters) and channels.shape[1] == 2 and templates.shape[2] == len(channels)
    if not fits or not len(template) or int(template.max()) >= len(templates):
        notes["positions"] = (
            f"not known: {templates.shape[2]} channels in the templates, {len(channels)} positions, {len(template)} spikes with a template"
        )
        return
    # one template at a time: the array is large, and mapped
    peak = np.array([int(np.ptp(np.asarray(one, np.float64), axis=0).argmax()) for one in templates])
    pairs, counts = _pairs(units.index.to_numpy(), clusters, template, len(templates))
    order = np.lexsort((-counts, pairs // len(templates)))
    first = order[np.unique(pairs[order] // len(templates), return_index=True)[1]]
    channel = peak[pairs[first] % len(templates)]
    units["x"], units["y"] = channels[channel, 0].astype(np.float64), channels[channel, 1].astype(np.float64)
    units["channel"] = channel.astype(np.int64)
    notes["positions"] = "channel on which the template of most spikes of a cluster is largest"


def _pairs(
    ids: npt.NDArray[Any], clusters: npt.NDArray[Any], template: npt.NDArray[Any], templates: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of a cluster and a template that occur, as number of the cluster * templates + template, and how often."""
    found = []
    for start in range(0, len(clusters), trains.SPIKES_AT_ONCE):
        part = slice(start, start + trains.SPIKES_AT_ONCE)
        pair = np.searchsorted(ids, clusters[part]) * templates + template[part].astype(np.int64)
        found.append(np.unique(pair, return_counts=True))
    pairs, place = np.unique(np.concatenate([one for one, _ in found]), return_inverse=True)
    counts = np.bincount(place, np.concatenate([count for _, count in found]), minlength=len(pairs))
    return pairs.astype(np.int64), counts.astype(np.int64)


def recognise(files: Files) -> list[Finding]:
    """The files of a sorting by their names, or an archive of them."""
    needed = files.named("spike_times.npy"), files.named("spike_clusters.npy", "spike_templates.npy")
    found = []
    if all(needed):
        rest = files.named(
            "spike_clusters.npy",
            "spike_templates.npy",
            "templates.npy",
            "channel_positions.npy",
            "params.py",
            "cluster_*.tsv",
        )
        count = next(iter(files.peek(needed[0][0]).arrays.values())).shape
        facts = (f"{count[0]:,} spikes",) if count else ()
        doubts = () if files.named("params.py") else ("there is no params.py: `sampling_rate_hz` has to be set",)
        found += one_store("sorting of Kilosort or phy", [*needed[0], *rest], "spikes", facts=facts, doubts=doubts)
    for path in files.paths:
        members = {name.rsplit("/", 1)[-1] for name in files.peek(path).members}
        if "spike_times.npy" in members and members & {"spike_clusters.npy", "spike_templates.npy"}:
            found += one_store("archive of a sorting of Kilosort or phy", [path], "spikes")
    return found


READER = Reader("phy", ("spikes",), read, OPTIONS, recognise=recognise, folders=True)
