"""Small stores to draw."""

from pathlib import Path

import numpy as np
import pandas as pd

from allometry import stores

ATTRS = {
    "title": "A <store>",
    "species": "Caenorhabditis elegans",
    "citation": "none",
    "licence": "none",
    "source": {},
    "parameters": {},
    "derived": {},
}


def connectome_store(path: Path) -> str:
    nodes = pd.DataFrame({"type": ["inter", "motor", "muscle"]}, index=["AVAL", "VB2", "BWM-DL01"])
    edges = pd.DataFrame(
        {"source": ["AVAL", "VB2"], "target": ["VB2", "BWM-DL01"], "weight": [3.0, 1.0], "synapse": ["chemical"] * 2}
    )
    attrs = {**ATTRS, "absent_means": {"chemical": "zero"}}
    stores.write(stores.connectome(nodes, edges, attrs=attrs), path)
    return str(path)


def spikes_store(path: Path) -> str:
    units = pd.DataFrame({"population": ["E"] * 8 + ["I"] * 2})
    rng = np.random.default_rng(1)
    step, unit = np.divmod(np.sort(rng.choice(10_000, 200, replace=False)), 10)
    ds = stores.spikes_simulated(step + 1, unit, dt_ms=0.1, units=units, duration_ms=100.0, attrs={**ATTRS, "seed": 1})
    stores.write(ds, path)
    return str(path)
