"""One screen about a store, for people."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry.stores.attributes import attribute
from allometry.stores.runs import not_finite
from allometry.stores.schema import Data, parts
from allometry.stores.storage import manifest
from allometry.stores.storage.store import open_store

ROWS = 24


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Align columns: the first to the left, the others to the right; at most `ROWS` rows."""
    rows = list(rows)
    shown = [list(header), *map(list, rows[:ROWS])]
    widths = [max(len(row[i]) for row in shown) for i in range(len(header))]
    lines = [
        "  "
        + "  ".join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths)))
        for row in shown
    ]
    more = len(rows) - ROWS
    return [line.rstrip() for line in lines] + ([f"  ... and {more} more"] if more > 0 else [])


def _number(value: float, digits: int = 4) -> str:
    return "-" if value != value else f"{value:.{digits}g}"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _bytes(count: int) -> str:
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}"


def _activity(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    rows, hours, names = [], 0.0, set()
    for i, recording in enumerate(root["recording"].values.tolist()):
        native = groups[f"native/{recording}"]
        labels, trace = native["label"].values, native["trace"]
        rate = float(root["native_rate"].values[i])
        duration = native.sizes["time"] / rate
        hours += duration / 3600
        names |= set(labels.tolist()) - {""}
        rows.append(
            [
                recording,
                str(native.sizes["roi"]),
                str(int((labels != "").sum())),
                str(int(root["recorded"].values[i].sum())),
                f"{duration / 60:.1f}",
                _number(rate),
                _share(not_finite(trace) / trace.size if trace.size else 0.0),
            ]
        )
    header = ["recording", "ROIs", "labelled", "on the axis", "minutes", "rate (Hz)", "missing"]
    recorded = root["recorded"].values
    return [
        f"{len(rows)} recordings, {hours:.2f} hours; {len(names)} unique labels; canonical axis of "
        f"{root.sizes['neuron']} neurons, {int(recorded.any(axis=0).sum())} of them recorded at least once",
        f"common rate {_number(root.attrs['rate_hz'])} Hz, units of the traces: {root['trace'].attrs['units']}",
        *_table(header, rows),
    ]


def _connectome(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    nodes = root.sizes["node"]
    synapse, weight = root["synapse"].values, root["weight"].values
    rows = []
    for kind in np.unique(synapse).tolist():
        of_kind = weight[synapse == kind].astype(np.float64)
        rows.append(
            [
                kind,
                str(len(of_kind)),
                _number(np.nansum(of_kind), 8),
                _number(float(np.nanmedian(of_kind))),
                _number(np.nanmax(of_kind)),
                _share(len(of_kind) / nodes**2),
                attribute(root, "absent_means").get(kind, "-"),
            ]
        )
    header = ["synapse", "edges", "total weight", "median", "largest", "of all pairs", "absent means"]
    lines = [f"{nodes} nodes, {root.sizes['edge']} edges; weight in units of {root['weight'].attrs['units']}"]
    if "type" in root:
        types, counts = np.unique(root["type"].values, return_counts=True)
        named = [f"{count} {name or 'untyped'}" for name, count in zip(types.tolist(), counts)]
        lines.append("node types: " + ", ".join(named[:ROWS]))
    return lines + _table(header, rows)


def _spikes(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    units = root.sizes["unit"]
    observed = float(np.diff(root["observed"].values, axis=1).sum())
    if root.attrs["order"] == "time":
        counts = np.bincount(root["spike_unit"].values, minlength=units)
    else:
        counts = root["row_size"].values
    populations, index = np.unique(root["population"].values, return_inverse=True)
    sizes = np.bincount(index, minlength=len(populations))
    spikes = np.bincount(index, weights=counts, minlength=len(populations))
    silent = np.bincount(index, weights=counts == 0, minlength=len(populations))
    step = f", dt {root.attrs['dt_ms']:g} ms" if "dt_ms" in root.attrs else ""
    rows = [
        [name or "unnamed", str(size), str(int(count)), _number(count / size / observed), _share(quiet / size)]
        for name, size, count, quiet in zip(populations.tolist(), sizes, spikes, silent)
    ]
    return [
        f"{root.sizes['spike']} spikes of {units} units in {observed:g} s observed, "
        f"ordered by {root.attrs['order']}{step}",
        *_table(["population", "units", "spikes", "rate (Hz)", "silent"], rows),
    ]


def _responses(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    response = root["response"].values
    rows = []
    stimulus, condition = root["stimulus"].values, root["condition"].values
    for name in np.unique(stimulus).tolist():
        repeats = np.unique(condition[stimulus == name], return_counts=True)[1]
        count = str(int(repeats.min())) if repeats.min() == repeats.max() else f"{repeats.min()}-{repeats.max()}"
        rows.append([name or "unnamed", str(len(repeats)), str(int(repeats.sum())), count])
    lines = [
        f"{root.sizes['unit']} units, {root.sizes['presentation']} presentations, "
        f"{_share(float(np.isnan(response).mean()) if response.size else 0.0)} missing; "
        f"response in units of {root['response'].attrs['units']}"
    ]
    if "lag" in root.sizes:
        lines.append(f"{root.sizes['lag']} lags from {root['lag'].values[0]:g} to {root['lag'].values[-1]:g} s")
    if "area" in root:
        areas, counts = np.unique(root["area"].values, return_counts=True)
        lines.append("areas: " + ", ".join(f"{name or 'none'} {count}" for name, count in zip(areas.tolist(), counts)))
    return lines + _table(["stimulus", "conditions", "presentations", "repeats"], rows)


def _scores(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    def interval(low: str, high: str, i: int) -> str:
        bounds = [float(root[name].values[i]) for name in (low, high)]
        return "-" if all(bound != bound for bound in bounds) else f"{_number(bounds[0])}..{_number(bounds[1])}"

    rows = [
        [
            *(str(root[key].values[i]) or "-" for key in ("measure", "candidate", "reference", "group")),
            _number(float(root["score"].values[i])),
            interval("ci_low", "ci_high", i),
            interval("ceiling_low", "ceiling_high", i),
            _number(float(root["ceiled"].values[i])),
            _number(float(root["p"].values[i]), 2),
        ]
        for i in range(root.sizes["comparison"])
    ]
    header = ["measure", "candidate", "reference", "group", "score", "CI", "ceiling", "ceiled", "p"]
    curves = [path.removeprefix("curves/") for path in sorted(groups)]
    return [f"{len(rows)} comparisons; curves: {', '.join(curves) or 'none'}", *_table(header, rows)]


def _scaling(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    rows = []
    for i, size in enumerate(root["size"].values.tolist()):
        for j, scheme in enumerate(root["scheme"].values.tolist()):
            verdicts = root["verdict"].values[i, j].ravel().tolist()
            counts = [str(verdicts.count(verdict)) for verdict in ("preserved", "changed", "undetermined")]
            neurons, synapses = int(root["neurons"].values[i, j]), float(root["synapses"].values[i, j])
            rows.append([_number(size), scheme, str(neurons), _number(synapses, 3), *counts])
    header = ["size", "scheme", "neurons", "synapses", "preserved", "changed", "undetermined"]
    sizes = root.sizes
    return [
        f"{sizes['size']} sizes, {sizes['scheme']} schemes, {sizes['seed']} seeds, {sizes['condition']} conditions, "
        f"{sizes['statistic']} statistics of {sizes['population']} populations; reference: size "
        f"{_number(root.attrs['reference'])}, tolerance {_share(root.attrs['tolerance'])}",
        *_table(header, rows),
    ]


def _compute(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    names = ["experiment", "size", "partitions", "threads", "neurons", "synapses", "spikes", "events"]
    rows = [[_cell(root[name].values[i]) for name in names] for i in range(root.sizes["point"])]
    return [
        f"{len(rows)} points of {root.attrs['model']}, {_number(root.attrs['duration_ms'])} ms each",
        *_table(names, rows),
    ]


def _cell(value: object) -> str:
    return _number(float(value), 3) if isinstance(value, np.number) else str(value)


def _stack(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    kinds = [kind for kind in ("chemical", "electrical", "functional") if kind in root]
    rows = []
    for i, annotation in enumerate(root["annotation"].values.tolist()):
        counts = []
        for kind in kinds:
            values = root[kind].values[i]
            present = np.isfinite(values) & (values != 0)
            counts.append(str(int(present.sum())) if np.isfinite(values).any() else "-")
        rows.append([annotation, str(int(root["observed"].values[i].sum())), *counts])
    header = ["annotation", "neurons", *kinds]
    return [f"{len(rows)} connectomes on an axis of {root.sizes['source']} neurons", *_table(header, rows)]


def _clamp(root: xr.Dataset, groups: dict[str, xr.Dataset]) -> list[str]:
    names = {axis: root[axis].values.tolist() for axis in ("cell", "genotype")}
    rest, steady, current = (root[name].values for name in ("v_rest", "v_steady", "i_steady"))
    rows = [
        [cell, genotype, *(f"{values[i, j].min():.4g}..{values[i, j].max():.4g}" for values in (rest, steady, current))]
        for i, cell in enumerate(names["cell"])
        for j, genotype in enumerate(names["genotype"])
    ]
    steps = ", ".join(f"{value:g}" for value in root["amplitude"].values.tolist())
    return [
        f"{root.attrs['protocol']} clamp of {len(names['cell'])} cells, {len(names['genotype'])} genotypes; steps of {steps} "
        f"{root['amplitude'].attrs['units']} for {root.attrs['duration_ms']:g} ms; channels: "
        + ", ".join(root["channel"].values.tolist()),
        *_table(["cell", "genotype", "rest (mV)", "steady (mV)", "current (pA)"], rows),
    ]


_BY_SCHEMA = {
    "Activity": _activity,
    "Connectome": _connectome,
    "Spikes": _spikes,
    "Responses": _responses,
    "Scores": _scores,
    "Scaling": _scaling,
    "Compute": _compute,
    "Stack": _stack,
    "Clamp": _clamp,
}


def summary(obj: Data) -> list[str]:
    """Summarise an object in a few lines, as its kind asks for."""
    root, groups = parts(obj)
    return _BY_SCHEMA[root.attrs["schema"]](root, groups)


def info(path: str | Path) -> str:
    """Describe a store on one screen: what it is, where it comes from, and its numbers.

    Parameters
    ----------
    path : path of a store (`{name}.zarr`)

    Raises
    ------
    StoreError
        There is no such store, or it is damaged.
    """
    path = Path(path)
    obj = open_store(path)
    attrs, files = obj.attrs, manifest.objects(path)
    described = manifest.read_manifest(path)
    facts = {
        "store": f"{path}  ({attrs['schema']}, {_bytes(sum(files.values()))} in {len(files)} files)",
        "species": attrs["species"],
        "citation": attrs["citation"],
        "licence": attrs["licence"],
        "verified": str(attrs.get("verified", "")),
        "source": ", ".join(attribute(obj, "source")),
        "parameters": ", ".join(f"{key}={value}" for key, value in attribute(obj, "parameters").items()),
        "seed": str(attrs.get("seed", "")),
        "content": described["content"]["content_sha256"][:16],
        "written": f"{described['provenance']['times']['finished']} on {described['provenance']['host']}",
    }
    lines = [attrs["title"], *(f"  {key + ':':<12}{_short(value)}" for key, value in facts.items() if value), ""]
    derived = [f"  {key}: {told(value)}" for key, value in attribute(obj, "derived").items()]
    lines += summary(obj)
    if derived:
        lines += ["", "derived (inferred, not in the source):", *map(_short, derived[:ROWS])]
    return "\n".join(lines)


def told(value: Any) -> str:
    """What was inferred, in words: of several recordings what holds of the first, and of how many others there is a note."""
    if not isinstance(value, Mapping) or value.keys() != {"recordings", "first", "all"}:
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    first, *others = value["recordings"]
    return told(value["first"]) + (f" ({first}; and of {len(others)} more)" if others else "")


def _short(line: str, width: int = 200) -> str:
    return line if len(line) <= width else line[: width - 4] + " ..."
