"""The tables that the multi-area model of macaque visual cortex is made from, as its authors publish them.

Layout (INM-6/multi-area-model, folder `multiarea_model/data_multiarea`): `viscortex_processed_data.json` has the tables that the
authors have completed (neurons, thicknesses, FLN, SLN, CoCoMac codes); `raw_data` has tab-separated text with one line of
origin, which begins with a number sign, and one blank line before the table.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allometry.errors import ReaderError
from allometry.homogenize.formats.spreadsheets import read_delimited

Floats = NDArray[np.float64]
Pair = tuple[str, str]

POPULATIONS = ("23E", "23I", "4E", "4I", "5E", "5I", "6E", "6I")
LAYERS = ("1", "23", "4", "5", "6")

PROCESSED, SURFACE = "viscortex_processed_data.json", "cortical_surface.csv"
CONNECTION, NUMBERS, DENDRITES = "Intrinsic_Connectivity.csv", "Numbers_V1.csv", "BinzeggerData.csv"
INTRINSIC, DISTANCE = "Intrinsic_FLN_Data.csv", "Median_Distances_81areas.csv"
NEEDED = (PROCESSED, SURFACE, CONNECTION, NUMBERS, DENDRITES, INTRINSIC, DISTANCE)
#: Full-scale rates (folder `tests` of the repository), which only a model that is scaled down needs.
RATES = "fullscale_rates.json"
_COMPLETED = (
    "FLN_completed",
    "SLN_completed",
    "cocomac_completed",
    "realistic_neuronal_numbers",
    "total_thicknesses",
    "laminar_thicknesses",
)


@dataclass(frozen=True)
class Dendrite:
    """Synapses that the neurons of one kind have in one layer.

    Parameters
    ----------
    cell : str
        Kind of neuron, as the table calls it.
    population, layer : str
        Where its cell bodies are, and its synapses.
    occurrence : float
        Per cent of all neurons.
    synapses : float
        Synapses of a neuron in this layer.
    corticocortical : float
        Per cent of them from other areas.
    """

    cell: str
    population: str
    layer: str
    occurrence: float
    synapses: float
    corticocortical: float


@dataclass(frozen=True, eq=False)
class Tables:
    """What the published tables say.

    Parameters
    ----------
    areas : tuple of str
        Areas, in the order of the table of neurons.
    neurons : float [area, population]
        Neurons of the whole area.
    surface : float [area]
        Surface, mm².
    thickness : float [area]
        Thickness of the cortex, mm.
    layers : float [area, layer]
        Thickness of layers 1, 2/3, 4, 5, 6, mm.
    fln : float [target area, source area]
        Fraction of labelled neurons, not yet normalised; 0 where there is no projection.
    fln_sum : float [target area]
        Sum of the same, with the areas that are not in the model.
    sln : mapping of (target, source) to float
        Supragranular share of every projection.
    patterns : mapping of (target, source) to (codes or None, codes or None)
        CoCoMac's strengths 0 to 3 of layers 1 to 6, −1 unknown: where the sources are, and the synapses. float [6].
    intrinsic_fln : float
        Share of labelled neurons inside the injected area, mean over areas.
    connection : float [target population, source population]
        Connection probability of the microcircuit.
    microcircuit : float [population]
        Its neurons.
    dendrites : tuple of Dendrite
        Binzegger, Douglas & Martin 2004.
    distance : float [area, area]
        Median distance, mm.
    rate_hz : float [area, population]
        Full-scale rates, Hz; NaN without their file.
    """

    areas: tuple[str, ...]
    neurons: Floats
    surface: Floats
    thickness: Floats
    layers: Floats
    fln: Floats
    fln_sum: Floats
    sln: Mapping[Pair, float]
    patterns: Mapping[Pair, tuple[Floats | None, Floats | None]]
    intrinsic_fln: float
    connection: Floats
    microcircuit: Floats
    dendrites: tuple[Dendrite, ...]
    distance: Floats
    rate_hz: Floats


def read(files: Mapping[str, Path], where: str) -> Tables:
    """Read the tables.

    Parameters
    ----------
    files : mapping of str to path
        Files by name: those in `NEEDED`, and `RATES` where it is at hand.
    where : str
        What they belong to, for messages.

    Returns
    -------
    Tables
        Of all areas of the table of neurons.

    Raises
    ------
    ReaderError
        Files are missing, or one is not as its authors publish it.
    """
    missing = [name for name in NEEDED if name not in files]
    if missing:
        raise ReaderError(
            f"the tables of the multi-area model are not complete: {', '.join(missing)} missing",
            where=where,
            expected=", ".join(NEEDED),
            do="take them from github.com/INM-6/multi-area-model, folder multiarea_model/data_multiarea and its raw_data",
        )
    path = files[PROCESSED]
    completed = _json(path)
    if absent := [name for name in _COMPLETED if not isinstance(completed.get(name), dict)]:
        raise ReaderError(f"{', '.join(absent)} missing", where=path.name, expected=", ".join(_COMPLETED))
    areas = tuple(completed["realistic_neuronal_numbers"])
    if "V1" not in areas:
        raise ReaderError("area V1 is missing", where=path.name, expected="V1, which gives the density of synapses")
    with _layout(path):
        sln = {(t, s): float(v) for t, row in completed["SLN_completed"].items() for s, v in row.items()}
        patterns = {
            pair: (_codes(entry["source_pattern"]), _codes(entry["target_pattern"]))
            for pair in sln
            for entry in [completed["cocomac_completed"][pair[0]][pair[1]]]
        }
        fln = _matrix(completed["FLN_completed"], areas, areas, 0.0)
        fln_sum = np.array([sum(map(float, completed["FLN_completed"][area].values())) for area in areas])
        neurons = _matrix(completed["realistic_neuronal_numbers"], areas, POPULATIONS)
        layers = _matrix(completed["laminar_thicknesses"], areas, LAYERS)
        thickness = np.array([float(completed["total_thicknesses"][area]) for area in areas]) / 1000
    for pair in sln:
        if not set(pair) <= set(areas) or not 0 <= sln[pair] <= 1:
            raise ReaderError(
                f"SLN of {pair[0]} from {pair[1]} is {sln[pair]:g}",
                where=path.name,
                expected="areas with neurons, and a share",
            )
    for what, values, low in (("neurons", neurons, 0), ("thickness", thickness, 1e-9), ("FLN", fln, 0)):
        if not (np.isfinite(values) & (values >= low)).all():
            raise ReaderError(f"a value of {what} is negative, 0 or missing", where=path.name, expected="numbers")
    surface = _column(files[SURFACE], areas)
    connection = _square(files[CONNECTION], POPULATIONS)
    if not ((connection >= 0) & (connection < 1)).all():
        raise ReaderError("a connection probability is not in [0, 1)", where=CONNECTION, expected="probabilities")
    return Tables(
        areas,
        neurons,
        surface,
        thickness,
        layers,
        fln,
        fln_sum,
        sln,
        patterns,
        float(_column(files[INTRINSIC], ("mean",))[0]),
        connection,
        _column(files[NUMBERS], POPULATIONS),
        _dendrites(files[DENDRITES]),
        _square(files[DISTANCE], areas),
        _rates(files, areas),
    )


class _layout:
    """Turns what fails inside into a clear error about one file."""

    def __init__(self, path: Path) -> None:
        self.name = path.name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, KeyError | TypeError | ValueError | AttributeError | IndexError):
            raise ReaderError(
                f"the file is not as its authors publish it ({type(error).__name__}: {error})",
                where=self.name,
                expected="the layout of github.com/INM-6/multi-area-model",
                do="take the file from there again",
            ) from error


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ReaderError(f"no JSON ({error})", where=path.name, expected="the file as it is published") from error
    if not isinstance(found, dict):
        raise ReaderError("no JSON object", where=path.name, expected="the file as it is published")
    return found


def _codes(pattern: list[Any] | None) -> Floats | None:
    if pattern is None:
        return None
    codes = np.array([float(code) for code in pattern])
    if codes.shape != (6,):
        raise ValueError(f"{len(codes)} CoCoMac codes, not 6")
    return codes


def _matrix(
    table: Mapping[str, Any], rows: Iterable[str], columns: Iterable[str], default: float | None = None
) -> Floats:
    names = list(columns)
    if default is None:
        return np.array([[float(table[row][name]) for name in names] for row in rows])
    return np.array([[float(table[row].get(name, default)) for name in names] for row in rows])


def _rows(path: Path) -> list[list[Any]]:
    return [row for row in read_delimited(path, "\t", comment="#") if any(row)]


def _column(path: Path, names: tuple[str, ...]) -> Floats:
    """Second column of the rows that begin with these names, positive."""
    with _layout(path):
        table = {str(row[0]): float(row[1]) for row in _rows(path)}
        values = np.array([table[name] for name in names])
        if not (values > 0).all():
            raise ValueError("a value is not positive")
    return values


def _square(path: Path, names: tuple[str, ...]) -> Floats:
    """Rows and columns of a matrix with a header, by name."""
    with _layout(path):
        rows = _rows(path)
        header = list(rows[0])
        index = [header.index(name) for name in names]
        table = {str(row[0]): row for row in rows[1:]}
        values = np.array([[float(table[name][i]) for i in index] for name in names])
        if not np.isfinite(values).all() or (values < 0).any():
            raise ValueError("a value is negative or missing")
    return values


def _dendrites(path: Path) -> tuple[Dendrite, ...]:
    with _layout(path):
        rows = _rows(path)
        count, crossing = rows[0].index("number of synapses per neuron"), rows[0].index("corticocortical")
        occurrence: dict[str, float] = {}
        found = []
        for cell, where, share, *rest in rows[1:]:
            body = re.sub(r"\D", "", re.sub(r"\(.*\)", "", cell or ""))
            if body not in LAYERS or body == "1":
                continue  # thalamic neurons, and those of layer 1, are not in the model
            layer = re.sub(r"\D", "", where or re.sub(r".*\(", "", cell))
            occurrence.setdefault(cell, float(share) if share else 0.0)
            row = [cell, where, share, *rest]
            kind = "I" if "b" in cell else "E"
            values = occurrence[cell], float(row[count]), float(row[crossing])
            found.append(Dendrite(cell, body + kind, layer, *values))
        if {row.population for row in found} != set(POPULATIONS) or {row.layer for row in found} != set(LAYERS):
            raise ValueError("a population or a layer has no dendrites")
    return tuple(found)


def _rates(files: Mapping[str, Path], areas: tuple[str, ...]) -> Floats:
    if RATES not in files:
        return np.full((len(areas), len(POPULATIONS)), np.nan)
    table = _json(files[RATES])
    with _layout(files[RATES]):
        return _matrix(table, areas, POPULATIONS)
