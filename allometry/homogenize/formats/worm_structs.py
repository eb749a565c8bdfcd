"""MATLAB files with one struct whose fields are cells with an entry per worm (Kato, Nichols, Skora, Kaplan, Uzel)."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from allometry.errors import ReaderError
from allometry.homogenize.formats import matlab
from allometry.homogenize.look import LIKELY, Files, Finding, one_store
from allometry.homogenize.traces import labels
from allometry.homogenize.traces.recordings import RawRecording


def read_file(
    path: Path,
    ids: tuple[str, ...],
    traces: tuple[str, ...],
    time: tuple[str, ...],
    metadata: dict[str, Any] | None = None,
) -> list[RawRecording]:
    """Map the worms of one file.

    Parameters
    ----------
    path : Path
        A .mat file, v5 or v7.3.
    ids, traces, time : tuple of str
        Names that the field may have; the first that is there is used.
    metadata : dict, optional
        Scalars about the recordings.

    Returns
    -------
    list of RawRecording
        Named `{file}_{number}` from 1.

    Raises
    ------
    ReaderError
        If the fields are not there, or hold different numbers of worms.
    """
    where = path.name
    _, struct, names = matlab.find_struct(matlab.load(path), [ids, traces, time], str(path))
    id_field, trace_field, time_field = names
    all_traces = struct[trace_field]
    single = not isinstance(all_traces, list)
    fields = {
        name: [struct[name]] if single else _cells(struct[name], where, name)
        for name in (id_field, trace_field, time_field)
    }
    counts = {name: len(items) for name, items in fields.items()}
    if len(set(counts.values())) != 1 or not counts[trace_field]:
        raise ReaderError(
            what=f"The fields hold different numbers of worms: {counts}.",
            where=str(path),
            expected="one entry per worm in each field",
            do="check that the file is complete",
        )
    n_worms = counts[trace_field]
    out = []
    for number in range(n_worms):
        values = fields[trace_field][number]
        if not isinstance(values, np.ndarray) or values.ndim != 2:
            raise ReaderError(
                what=f"{trace_field} of worm {number + 1} is no matrix.",
                where=str(path),
                expected="a numeric matrix (time x neuron) per worm",
                do="check that the file is complete",
            )
        when = fields[time_field][number]
        extra, lost = _others(struct, set(names), number, n_worms, values.shape, single)
        out.append(
            RawRecording(
                name=f"{path.stem}_{number + 1}",
                trace=values,
                time=when if isinstance(when, np.ndarray) and when.size else None,
                labels=[name_of(entry) for entry in _entries(fields[id_field][number])],
                where=where,
                extra=extra,
                metadata={"worm": number + 1, **(metadata or {})},
                notes={
                    "fields": dict(zip(("labels", "traces", "time"), names)),
                    **({"not_kept": lost} if lost else {}),
                },
            )
        )
    return out


def recognise(
    files: Files,
    ids: tuple[str, ...],
    traces: tuple[str, ...],
    time: tuple[str, ...],
    names: tuple[str, ...],
    paper: str,
) -> list[Finding]:
    """Files with the three fields; several sources share them, so that only the file names of `names` make it certain.

    Parameters
    ----------
    files : Files
        Files of a folder.
    ids, traces, time : tuple of str
        As in `read_file`.
    names : tuple of str
        Patterns of file names; `*.mat` as the last takes files of any name, as a guess.
    paper : str
        Whose layout it is.
    """
    known = [path for path in files.named(*names) if files.peek(path).has(ids, traces, time)]
    own = [path for path in known if any(fnmatchcase(path.name, name) for name in names if name != "*.mat")]
    what = f"whole-brain activity of C. elegans in the layout of {paper}"
    worm = "Caenorhabditis elegans"
    found = one_store(what, own, "activity", species=worm)
    others = [path for path in known if path not in own]
    doubt = "several laboratories use these fields: check the title and what is said about strain and condition"
    return found + one_store(what, others, "activity", certainty=LIKELY, doubts=(doubt,), species=worm)


def name_of(entry: Any) -> str:
    """A neuron's entry as a label: a cell of several possible names is ambiguous, "A/B"."""
    if isinstance(entry, dict):
        return ""
    if isinstance(entry, list):
        names = list(dict.fromkeys(name for name in map(name_of, entry) if name))
        return "/".join(names)
    return labels.text(entry)


def _entries(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        return [value]
    return list(np.asarray(value, dtype=object).ravel())


def _cells(value: Any, where: str, name: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise ReaderError(
        what=f"The field {name!r} is no cell array.",
        where=where,
        expected="a cell array with an entry per worm",
        do="check that the file is complete",
    )


def _others(
    struct: dict[str, Any], used: set[str], number: int, n_worms: int, shape: tuple[int, ...], single: bool
) -> tuple[dict[str, tuple[Any, ...]], list[str]]:
    """Further fields on the time axis (stimulus, behavioural states, derivatives) are kept; the others are named."""
    kept: dict[str, tuple[Any, ...]] = {}
    lost: list[str] = []
    for name, value in struct.items():
        if name in used:
            continue
        item = value if single else value[number] if isinstance(value, list) and len(value) == n_worms else None
        if isinstance(item, dict):  # such as States: a vector per behavioural state
            series = {key: np.asarray(part).ravel() for key, part in item.items() if isinstance(part, np.ndarray)}
            fitting = {key: part for key, part in series.items() if part.size == shape[0] and part.dtype.kind in "biuf"}
            kept |= {f"{name}_{key}": (("time",), part.astype(np.float32), {}) for key, part in fitting.items()}
            lost += [f"{name}.{key}" for key in item if key not in fitting]
            continue
        values = np.asarray(item).squeeze() if isinstance(item, np.ndarray) else None
        if values is not None and values.dtype.kind in "biuf" and values.ndim == 1 and values.size == shape[0]:
            kept[name] = (("time",), values.astype(np.float64), {})
        elif values is not None and values.dtype.kind in "biuf" and values.shape == shape:
            kept[name] = (("time", "roi"), values.astype(np.float32), {})
        else:
            lost.append(name)
    return kept, sorted(lost)
