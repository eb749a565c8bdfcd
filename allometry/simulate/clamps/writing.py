"""A clamp of a configuration: every cell as it is and with each knock-out, in one store."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from allometry import stores
from allometry.models.cells import cell_model, changed
from allometry.simulate.clamps.protocol import numbers, recorded
from allometry.simulate.kernels.channels.clamp import Current

_LOG = logging.getLogger("allometry")
WILD_TYPE = "wild_type"


def write_clamp(
    settings: Mapping[str, Any],
    out: str | Path,
    *,
    overwrite: bool = False,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Record cells under clamp, and write one store.

    Parameters
    ----------
    settings : mapping
        `config.clamps.ClampConfig` as plain values.
    out : path
        Clamp store to write.
    overwrite : bool
        Replace a store that is there.
    provenance : mapping, optional
        For the manifest.

    Raises
    ------
    SimulationError
        The model has no such cell, a cell no such channel or parameter.
    """
    stores.require_free(out, overwrite=overwrite)
    model = cell_model(settings["model"])
    genotypes = {WILD_TYPE: [], **settings["knockouts"]}
    cells = [model.cell(name) for name in settings["cells"]]
    channels = list(dict.fromkeys(current for cell in cells for current in cell.conductance_ns))
    times = {
        name: settings[name] for name in ("onset_ms", "duration_ms", "after_ms", "holding_mv", "dt_ms", "sample_ms")
    }
    every = round(settings["sample_ms"] / settings["dt_ms"])
    samples = (
        round((settings["onset_ms"] + settings["duration_ms"] + settings["after_ms"]) / settings["dt_ms"]) // every + 1
    )
    shape = (len(cells), len(genotypes), len(settings["amplitudes"]))
    found: dict[str, np.ndarray] = {
        "voltage": np.empty((*shape, samples), np.float32),
        "current": np.full((*shape[:2], len(channels), shape[2], samples), np.nan, np.float32),
    }
    for i, cell in enumerate(cells):
        for j, removed in enumerate(genotypes.values()):
            variant = changed(cell, removed, settings["parameters"])
            traces = recorded(variant, settings["protocol"], settings["amplitudes"], **times)
            found["voltage"][i, j] = traces.voltage[:, ::every]
            for name in cell.conductance_ns:
                found["current"][i, j, channels.index(name)] = traces.current[Current[name]]
            for name, values in numbers(
                traces, settings["onset_ms"], settings["duration_ms"], settings["dt_ms"]
            ).items():
                found.setdefault(name, np.empty(shape))[i, j] = values
    dataset = stores.clamp(
        {
            "cell": [cell.name for cell in cells],
            "genotype": list(genotypes),
            "channel": channels,
            "amplitude": settings["amplitudes"],
            "time": np.arange(samples) * settings["sample_ms"],
        },
        found,
        attrs={
            "title": f"{model.name} under {settings['protocol']} clamp",
            "species": "Caenorhabditis elegans (model)",
            "citation": model.source,
            "licence": "none",
            "source": {},
            "parameters": {**settings, "published": {cell.name: cell.parameters for cell in cells}},
            "derived": {"model": f"{model.description} It stands for no recorded animal."},
            "protocol": settings["protocol"],
            "onset_ms": float(settings["onset_ms"]),
            "duration_ms": float(settings["duration_ms"]),
            "holding_mv": float(settings["holding_mv"]),
        },
    )
    _LOG.info("%s: %d cells, %d genotypes, %d steps", model.name, *shape)
    stores.write(dataset, out, overwrite=overwrite, provenance=dict(provenance or {}))
