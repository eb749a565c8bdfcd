"""Activity: calcium, voltage or BOLD traces, resampled on a canonical axis and native."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from allometry.errors import StoreError
from allometry.stores.attributes import encoded
from allometry.stores.runs import rows_at_once, runs
from allometry.stores.schema import ANY_UNIT, Schema, Variable, column, require, text

# (dimensions, values) or (dimensions, values, attributes), as xarray takes them
Array = tuple[Any, ...] | xr.DataArray


@dataclass
class Recording:
    """One recording: its native view, its resampled trace on the canonical axis, and what else came with it.

    Parameters
    ----------
    name : str
        Unique within the store; the name of its `/native` group.
    time : (time,) float64
        Time of each native sample, s.
    trace : (time, roi) float32
        Every region of interest at the native rate, labelled or not; missing is NaN. An `xarray.Variable` that is read
        when it is asked for is written run by run, and is never in memory as a whole.
    label : (roi,) str
        Canonical name, or "" where it is not identified.
    resampled : (sample, neuron) float32
        The labelled traces at the common rate on the canonical axis; NaN where not recorded. With `slots`: the labelled
        traces alone, (sample, column).
    slots : (column,) int, optional
        The canonical neuron of each column of `resampled`, and of each array of `resampled_extra` over (sample, neuron).
        A worm has names for a third of its 302 neurons: the store's array is then put together piece by piece while
        it is written, and is never in memory as a whole.
    rate_hz : float, optional
        Native rate, Hz; by default the inverse of the median time step.
    label_confidence : (roi,) float32, optional
        Confidence of the label in the source's own scale; by default NaN.
    recorded : (neuron,) bool, optional
        Whether each canonical neuron was recorded; by default whether any resampled value is not NaN.
    metadata : dict
        Scalars (text, number, bool) that become variables over `recording`.
    extra : dict
        Further native arrays (positions, behaviour, stimulus), name -> (dims, values, attrs); dims are `time`, `roi`
        or own ones.
    resampled_extra : dict
        Further arrays at the common rate, name -> (dims, values, attrs); the first dimension is `sample`.
    resampled_time : (sample,) float64, optional
        Time of each resampled sample from recording start, s; by default sample / rate.
    attrs : dict
        Attributes of the native group (what was dropped, derived, or truncated, and why).
    """

    name: str
    time: np.ndarray
    trace: np.ndarray | xr.Variable
    label: Sequence[str]
    resampled: np.ndarray
    rate_hz: float | None = None
    slots: np.ndarray | None = None
    label_confidence: np.ndarray | None = None
    recorded: np.ndarray | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Array] = field(default_factory=dict)
    resampled_extra: dict[str, Array] = field(default_factory=dict)
    resampled_time: np.ndarray | None = None
    attrs: dict[str, Any] = field(default_factory=dict)


def _traces(trace: xr.DataArray, row_size: np.ndarray) -> Iterator[np.ndarray]:
    """The trace of each recording; a few recordings are in memory at a time, not all, and not one, which costs time."""
    stops = np.cumsum(row_size)
    most = rows_at_once(trace)
    first = 0
    while first < len(row_size):
        start = stops[first] - row_size[first]
        last = max(first + 1, int(np.searchsorted(stops, start + most, side="right")))
        yield from np.split(trace[start : stops[last - 1]].values, stops[first : last - 1] - start)
        first = last


def check(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    """List what is wrong with the values of an activity store."""
    found = []
    for axis in ("neuron", "recording"):
        labels = root[axis].values
        if len(np.unique(labels)) < len(labels) or (labels == "").any():
            found.append(f"{axis}: a label is empty or not unique")
    if root["row_size"].attrs.get("sample_dimension") != "sample":
        found.append("row_size: attribute sample_dimension is not 'sample'")
    row_size = root["row_size"].values
    index = np.repeat(np.arange(len(row_size), dtype=np.int32), np.maximum(row_size, 0))
    if (row_size < 0).any() or not np.array_equal(index, root["recording_index"].values):
        return [*found, "row_size: does not agree with recording_index"]
    time = root["time"].values
    backwards = (np.diff(time) <= 0) & (np.diff(index) == 0)
    if not np.isfinite(time).all() or backwards.any():
        found.append("time: does not increase within a recording")
    if root.attrs["rate_hz"] <= 0:
        found.append("attribute rate_hz: is not positive")
    if not (root["native_rate"].values > 0).all():
        found.append("native_rate: a rate is not positive")
    natives = {path.partition("/")[2] for path in groups}
    recordings = set(root["recording"].values.tolist())
    found += [f"/native/{name}: is missing" for name in sorted(recordings - natives)]
    found += [f"/native/{name}: is not among the recordings" for name in sorted(natives - recordings)]
    neurons = set(root["neuron"].values.tolist()) | {""}
    infinite, strays = False, []
    for i, (name, trace) in enumerate(zip(root["recording"].values.tolist(), _traces(root["trace"], row_size))):
        infinite |= bool(np.isinf(trace).any())
        stray = np.isfinite(trace).any(axis=0) & ~root["recorded"].values[i]
        if stray.any():
            neuron = root["neuron"].values[np.flatnonzero(stray)[0]]
            strays.append(f"trace: {neuron} has values in {name}, where it is not recorded")
    found += ["trace: holds infinite values (missing is NaN)"] * infinite + strays
    for path, group in groups.items():
        step = np.diff(group["time"].values)
        if not (step > 0).all():
            found.append(f"/{path}/time: does not increase")
        if any(np.isinf(part).any() for part in runs(group["trace"])):
            found.append(f"/{path}/trace: holds infinite values (missing is NaN)")
        unknown = sorted(set(group["label"].values.tolist()) - neurons)
        if unknown:
            found.append(f"/{path}/label: {unknown[:3]} are not on the canonical axis ({len(unknown)} such labels)")
    return found


SCHEMA = Schema(
    kind="activity",
    doc="Recorded traces: a canonical view at a common rate (CF contiguous ragged array) and every native ROI.",
    variables={
        "neuron": Variable(("neuron",), "text", doc="canonical axis"),
        "recording": Variable(("recording",), "text", doc="name of each recording"),
        "trace": Variable(("sample", "neuron"), "float32", ANY_UNIT, doc="at the common rate; NaN where not recorded"),
        "row_size": Variable(("recording",), "int64", doc="samples of each recording; sample_dimension='sample'"),
        "recording_index": Variable(("sample",), "int32", doc="recording that each sample belongs to, for groupby"),
        "time": Variable(("sample",), "float64", "s", doc="from the start of the recording"),
        "recorded": Variable(("recording", "neuron"), "bool", doc="whether the neuron was recorded"),
        "native_rate": Variable(("recording",), "float64", "Hz", doc="rate before resampling"),
    },
    attrs={"rate_hz": (int, float)},
    groups={
        "native": {
            "time": Variable(("time",), "float64", "s", doc="time of each native sample"),
            "trace": Variable(("time", "roi"), "float32", ANY_UNIT, doc="every ROI, labelled or not"),
            "label": Variable(("roi",), "text", doc="canonical name, empty where not identified"),
            "label_confidence": Variable(("roi",), "float32", doc="in the source's own scale, NaN where not given"),
        }
    },
    check=check,
)


def _bad(what: str, where: str, expected: str) -> StoreError:
    return StoreError(what=what, where=where, expected=expected, do="correct the recording before building the store")


def _parts_of(array: Array) -> tuple[tuple[str, ...], np.ndarray, dict[str, Any]]:
    variable = xr.as_variable(array)
    return tuple(map(str, variable.dims)), column(variable.values), dict(variable.attrs)


def _native(recording: Recording, units: str) -> xr.Dataset:
    time, trace = np.asarray(recording.time, np.float64), recording.trace
    if not isinstance(trace, xr.Variable):
        trace = xr.Variable(("time", "roi"), np.asarray(trace, np.float32))
    where = f"recording {recording.name!r}"
    if trace.shape != (len(time), len(recording.label)):
        raise _bad(f"trace has shape {trace.shape}", where, f"(time, roi) = ({len(time)}, {len(recording.label)})")
    confidence = recording.label_confidence
    confidence = np.full(trace.shape[1], np.nan) if confidence is None else confidence
    group = xr.Dataset(
        {
            "trace": xr.DataArray(trace, attrs={"units": units}),
            "label": ("roi", text(recording.label)),
            "label_confidence": ("roi", np.asarray(confidence, np.float32)),
        },
        coords={"time": ("time", time, {"units": "s"})},
        attrs=encoded(recording.attrs),
    )
    for name, array in recording.extra.items():
        dims, values, attrs = _parts_of(array)
        taken = {"sample", "neuron", "recording"} & set(dims)
        if taken:
            raise _bad(
                f"{name} has dimension {taken.pop()}", where, "native arrays over time, roi or their own dimensions"
            )
        sizes = {dim: (length, group.sizes.get(dim, length)) for dim, length in zip(dims, values.shape)}
        if any(length != present for length, present in sizes.values()):
            raise _bad(f"{name} has shape {values.shape} over {dims}", where, f"the sizes {dict(group.sizes)}")
        group[name] = (dims, values, encoded(attrs))
    return group


def _metadata(recordings: list[Recording]) -> dict[str, tuple[str, np.ndarray]]:
    table = {}
    for name in sorted({name for recording in recordings for name in recording.metadata}):
        values = [recording.metadata.get(name) for recording in recordings]
        if all(isinstance(value, bool | np.bool_) for value in values):
            table[name] = ("recording", np.array(values, bool))
        elif any(isinstance(value, str) for value in values):
            table[name] = ("recording", text(values))
        elif all(isinstance(value, int | np.integer) for value in values):
            table[name] = ("recording", np.array(values, np.int64))
        else:
            table[name] = ("recording", np.array([np.nan if v is None else v for v in values], np.float64))
    return table


def _spread(values: np.ndarray, slots: np.ndarray, size: int) -> np.ndarray:
    """Put columns (sample, column) into their places on the canonical axis (sample, neuron), NaN elsewhere."""
    kind = values.dtype.kind
    full = np.full((len(values), size), "" if kind == "T" else np.nan, values.dtype if kind in "fT" else np.float64)
    full[:, slots] = values
    return full


def _join(blocks: list[np.ndarray], slots: list[np.ndarray | None], size: int) -> Any:
    """Join blocks over recordings; lazily, recording by recording, where one of them has only some columns."""
    if all(some is None for some in slots):
        return np.concatenate(blocks)
    import dask.array as da
    from dask.delayed import delayed

    dtype = np.result_type(*blocks)
    return da.concatenate(
        [
            da.from_delayed(delayed(_spread, pure=False)(block, some, size), (len(block), size), dtype)
            for block, some in zip(blocks, (np.arange(size) if some is None else some for some in slots))
        ]
    )


def _resampled_extra(recordings: list[Recording], row_size: list[int], size: int) -> dict[str, tuple[Any, ...]]:
    """Join each extra array over the recordings; NaN (or empty text) where a recording lacks it."""
    joined: dict[str, tuple[Any, ...]] = {}
    for name in sorted({name for recording in recordings for name in recording.resampled_extra}):
        given = {i: _parts_of(r.resampled_extra[name]) for i, r in enumerate(recordings) if name in r.resampled_extra}
        dims, first, attrs = next(iter(given.values()))
        on_axis = dims == ("sample", "neuron")
        blocks, slots = [], []
        for i, length in enumerate(row_size):
            some = recordings[i].slots if on_axis else None
            tail = (size if some is None else len(some),) if on_axis else first.shape[1:]
            if i in given:
                if given[i][0] != dims or dims[:1] != ("sample",) or given[i][1].shape != (length, *tail):
                    raise _bad(
                        f"{name} has dimensions {given[i][0]} and shape {given[i][1].shape}",
                        f"recording {recordings[i].name!r}",
                        f"dimensions {dims} that start with sample, {length} samples, the same in each recording",
                    )
                blocks.append(given[i][1])
            elif first.dtype.kind == "T":
                blocks.append(text(np.full((length, *tail), "")))
            else:
                # absent columns are NaN anyway: a recording without the array needs none of them
                some, tail = (np.zeros(0, int), (0,)) if on_axis else (some, tail)
                blocks.append(np.full((length, *tail), np.nan, first.dtype if first.dtype.kind == "f" else np.float64))
            slots.append(some)
        values = _join(blocks, slots, size)
        joined[name] = (dims, values.astype(first.dtype) if first.dtype.kind == "f" else values, encoded(attrs))
    return joined


def activity(
    recordings: list[Recording],
    neurons: Sequence[str],
    rate_hz: float,
    *,
    attrs: Mapping[str, Any],
    units: str = "1",
) -> xr.DataTree:
    """Build an Activity store.

    Parameters
    ----------
    recordings : list of Recording
    neurons : sequence of str, (neuron,)
        Canonical axis.
    rate_hz : float
        Common rate of the resampled traces, Hz.
    attrs : mapping
        Root attributes (title, species, citation, licence, source, parameters, derived).
    units : str
        Units of the traces, `1` for dF/F.

    Returns
    -------
    DataTree with the canonical view at the root and `/native/{recording}` groups.

    Raises
    ------
    StoreError
        Shapes that do not agree, labels off the canonical axis, time that runs backwards, and every other violation.
    """
    if not recordings:
        raise _bad("there is no recording", "recordings", "at least one Recording")
    axis = text(list(neurons))
    traces, slots, times, rates, recorded = [], [], [], [], []
    for recording in recordings:
        trace, where = np.asarray(recording.resampled, np.float32), f"recording {recording.name!r}"
        columns = np.arange(len(axis)) if recording.slots is None else np.asarray(recording.slots, np.int64)
        if trace.ndim != 2 or trace.shape[1:] != columns.shape:
            raise _bad(
                f"resampled trace has shape {trace.shape}",
                where,
                f"(sample, neuron) with {columns.size} neurons",
            )
        if len(np.unique(columns)) < len(columns) or not ((columns >= 0) & (columns < len(axis))).all():
            raise _bad("slots do not name one neuron each", where, f"different numbers below {len(axis)}")
        if not recording.name or "/" in recording.name or recording.name.startswith("."):
            raise _bad(f"the name {recording.name!r} cannot name a group", "recordings", "a name without a slash")
        traces.append(trace)
        slots.append(None if recording.slots is None else columns)
        time = recording.resampled_time
        times.append(np.arange(len(trace)) / rate_hz if time is None else np.asarray(time, np.float64))
        native_rate = recording.rate_hz
        rates.append(1 / np.median(np.diff(recording.time)) if native_rate is None else native_rate)
        given = recording.recorded
        if given is None:
            given = np.zeros(len(axis), bool)
            given[columns] = np.isfinite(trace).any(axis=0)
        recorded.append(np.asarray(given, bool))
    row_size = [len(trace) for trace in traces]
    root = xr.Dataset(
        {
            "trace": (("sample", "neuron"), _join(traces, slots, len(axis)), {"units": units}),
            "row_size": ("recording", np.array(row_size, np.int64), {"sample_dimension": "sample"}),
            "recorded": (("recording", "neuron"), np.array(recorded)),
            "native_rate": ("recording", np.array(rates, np.float64), {"units": "Hz"}),
            **_metadata(recordings),
            **_resampled_extra(recordings, row_size, len(axis)),
        },
        coords={
            "neuron": ("neuron", axis),
            "recording": ("recording", text([recording.name for recording in recordings])),
            "recording_index": ("sample", np.repeat(np.arange(len(row_size), dtype=np.int32), row_size)),
            "time": ("sample", np.concatenate(times), {"units": "s"}),
        },
        attrs=SCHEMA.root_attrs(attrs, {"rate_hz": float(rate_hz)}),
    )
    groups = {f"/native/{recording.name}": _native(recording, units) for recording in recordings}
    if len(groups) < len(recordings):
        raise _bad("two recordings have one name", "recordings", "unique names")
    tree = xr.DataTree.from_dict({"/": root, **groups})
    require(tree, SCHEMA)
    return tree
