"""Schmidt et al. 2018: populations of 32 areas of macaque visual cortex, and the synapses between them.

Layout: files of INM-6/multi-area-model, see `allometry.homogenize.macaque.tables`; full-scale rates (`fullscale_rates.json`)
are read where they are at hand. Nodes are the populations of 1 mm² of every area, `V1-23E` to `TH-6I`; the weight of an edge is
the expected number of its synapses. The derivation from the completed tables on is `allometry.homogenize.macaque.synapses`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import stores
from allometry.homogenize.look import Files, Finding, one_store
from allometry.homogenize.macaque import synapses, tables
from allometry.homogenize.macaque.tables import POPULATIONS, Tables
from allometry.homogenize.reader import Reader, Source

#: Delays within an area, ms, of excitatory and inhibitory sources; speed of axons between areas, mm/ms.
DELAY_MS, SPEED_MM_PER_MS = (1.5, 0.75), 3.5


def read(files: dict[str, Path], source: Source, options: dict[str, Any]) -> xr.Dataset:
    """Read the tables and derive the synapses of 1 mm² of every area; no options."""
    found = tables.read(files, f"source {source.name}")
    derived = synapses.derive(found)
    nodes = _nodes(found, derived)
    edges = _edges(found, derived, list(nodes.index))
    used = {name: path for name, path in files.items() if name in (*tables.NEEDED, tables.RATES)}
    return stores.connectome(
        nodes,
        edges,
        attrs=source.attrs(
            "Multi-area model of macaque visual cortex, Schmidt et al. 2018", {}, _record(found, derived, used), used
        ),
        units={"distance": "mm", "delay": "ms", "rate_hz": "Hz"},
    )


def _nodes(found: Tables, derived: synapses.Synapses) -> pd.DataFrame:
    rows = [
        {
            "label": f"{area}-{population}",
            "type": population,
            "area": area,
            "sign": 1.0 if population.endswith("E") else -1.0,
            "neurons": derived.neurons[a, p],
            "external_indegree": derived.external[a],
            "rate_hz": found.rate_hz[a, p],
        }
        for a, area in enumerate(found.areas)
        for p, population in enumerate(POPULATIONS)
        if derived.neurons[a, p] > 0
    ]
    return pd.DataFrame(rows).set_index("label")


def _edges(found: Tables, derived: synapses.Synapses, labels: list[str]) -> pd.DataFrame:
    number = derived.between.copy()
    areas = np.arange(len(found.areas))
    number[areas, :, areas, :] = derived.within
    target, p, source, q = np.nonzero(number > 0)
    same = target == source
    names = np.array([[f"{area}-{population}" for population in POPULATIONS] for area in found.areas])
    local = np.where(np.array([name.endswith("E") for name in POPULATIONS]), *DELAY_MS)
    sln = np.full((len(areas), len(areas)), np.nan)
    for (t, s), value in found.sln.items():
        sln[found.areas.index(t), found.areas.index(s)] = value
    distance = np.where(same, np.nan, found.distance[target, source])
    weight = number[target, p, source, q]
    return pd.DataFrame(
        {
            "source": names[source, q],
            "target": names[target, p],
            "weight": weight,
            "synapse": "chemical",
            "indegree": weight / derived.neurons[target, p],
            "delay": np.where(same, local[q], distance / SPEED_MM_PER_MS),
            "distance": distance,
            "fln": np.where(same, np.nan, derived.fln[target, source]),
            "sln": np.where(same, np.nan, sln[target, source]),
        }
    )


def _record(found: Tables, derived: synapses.Synapses, used: dict[str, Path]) -> dict[str, Any]:
    within, between = float(derived.within.sum()), float(derived.between.sum())
    neurons = float(derived.neurons.sum())
    return {
        "weight": "expected number of synapses between the neurons of 1 mm² of the areas",
        "nodes": "populations of 1 mm² of every area; external_indegree: synapses per neuron from all that is not in the "
        "store (other areas, the rest of the own area, subcortical), before the factors of the model",
        "completed_tables": "neurons, thicknesses, FLN, SLN and CoCoMac codes are those that the authors have completed "
        f"({tables.PROCESSED}): their steps from tracing data and cell counts to these tables are not repeated",
        "synapses": "density constant, from an in-degree of 3950 in V1; within areas the microcircuit of Potjans & Diesmann "
        "2014 with a Gaussian profile, so that the whole area has the intrinsic FLN; between areas by FLN; layers of origin "
        "by SLN or CoCoMac, layers of termination by CoCoMac, else by SLN and thickness; cells by Binzegger et al. 2004; "
        "0.93 of feedback onto excitatory neurons",
        "fln": "normalised so that the inputs of an area sum to 1 - intrinsic - 0.013, areas outside the model included",
        "delay": "ms, mean; within areas 1.5 (excitatory) and 0.75 (inhibitory), between areas distance / 3.5 mm/ms",
        "neurons": neurons,
        "synapses_within": within,
        "synapses_between": between,
        "mean_indegree": (within + between) / neurons,
        "projections": len(found.sln),
        "forward_lateral_back": [
            sum(synapses.direction(sln) == name for sln in found.sln.values()) for name in synapses.TERMINATION
        ],
        "rates": "full scale, ground state, of the authors" if tables.RATES in used else "not given",
    }


def recognise(files: Files) -> list[Finding]:
    """The completed tables by their name; the raw ones may lie in a folder of their own."""
    own = files.named(*tables.NEEDED, tables.RATES)
    lacking = sorted(set(tables.NEEDED) - {path.name for path in own})
    doubts = (f"{', '.join(lacking)} are needed too, from raw_data beside it",) if lacking else ()
    what = "tables of the multi-area model of macaque visual cortex (INM-6/multi-area-model)"
    found = own if files.named(tables.PROCESSED) else []
    return one_store(what, found, "connectome", species="Macaca mulatta", doubts=doubts)


READER = Reader("multi_area", ("connectome",), read, recognise=recognise)
