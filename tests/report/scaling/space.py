"""Stores of small studies of a network in space, with planted correlations, for figures and tables."""

import json
from pathlib import Path

import numpy as np
import xarray as xr

from allometry import stores
from allometry.models import spatial_balanced
from allometry.scale.axes import Axes
from allometry.scale.findings import space
from allometry.scale.statistics.distance import BINS
from tests.stores.samples import ATTRS

MULTIPLES = (2, 3, 4)
SIZES = [(m / 25) ** 2 for m in MULTIPLES]
NEURONS = 80 * np.array(MULTIPLES)[:, None] ** 2
PLANTED = -0.5
"""Exponent of the values that were planted."""


def write(path: Path, regime: str) -> Path:
    """A study of three sizes and three seeds whose correlations are those of theory at the reference, times a power of size."""
    axes = Axes(SIZES, ["balanced"], [1, 2, 3], ["unchanged"], list(BINS), ["E"])
    networks = {(size, "balanced"): spatial_balanced(regime, m) for size, m in zip(SIZES, MULTIPLES)}  # type: ignore[arg-type]
    known = space.theories({"model": "spatial_balanced", "parameters": {"regime": regime}}, networks, {})
    theory = space.theory_table(axes, known)
    assert theory is not None
    of = known[SIZES[-1], "balanced"]
    rng = np.random.default_rng(1)
    rise = (NEURONS[:, 0] / NEURONS[-1, 0]) ** PLANTED
    noise = 1 + 0.01 * rng.standard_normal((len(SIZES), 3))
    at = np.array([of.over_pairs(np.array(edges))[0] for edges in BINS.values()])
    value = (rise[:, None] * noise)[:, None, :, None, None, None] * at[:, None]
    exponents = space.exponent_table(axes, value, NEURONS, len(SIZES) - 1, known)
    assert exponents is not None
    course = (rise[:, None] * noise)[:, None, :, None, None, None] * theory["expected"].values[-1, 0]
    distance = np.broadcast_to(space.BIN, (len(SIZES), 1, 1, space.BIN.size))
    along = ("size", "scheme", "seed", "condition", "population", "bin")
    table = xr.Dataset(
        {"correlation": (along, course), "distance": (("size", "scheme", "population", "bin"), distance)},
        coords={name: theory[name].values for name in ("size", "scheme", "bin")}
        | {"seed": [1, 2, 3], "condition": ["unchanged"], "population": ["E"]},
    )
    mean = value.mean(axis=2)
    deviation = mean / mean[-1:] - 1
    verdict = np.full(mean.shape, "changed", object)
    verdict[-1] = "reference"
    laws = exponents.to_dataframe().reset_index(drop=True)[
        ["scheme_of", "condition_of", "statistic_of", "population_of", "exponent", "exponent_low", "exponent_high"]
    ]
    rows = {key: ("row", column.to_numpy()) for key, column in laws.items()}
    rows |= {
        "law": ("row", np.array(["power law"] * len(laws), object)),
        "reason": ("row", np.array([""] * len(laws), object)),
    }
    rows |= {key: ("row", np.full(len(laws), 9)) for key in ("sizes", "n")}
    tree = stores.scaling(
        {**vars(axes), "size": SIZES, "scheme": axes.schemes, "seed": axes.seeds, "condition": axes.conditions, "statistic": axes.statistics, "population": axes.populations},
        {
            "unit": ["1"] * len(BINS),
            "neurons": NEURONS,
            "synapses": NEURONS * 100.0,
            "calibration": np.full((len(SIZES), 1), "", object),
            "residual": np.full((len(SIZES), 1), np.nan),
            "value": value,
            "mean": mean,
            "ci_low": mean - 1e-3,
            "ci_high": mean + 1e-3,
            "deviation": deviation,
            "deviation_low": deviation - 0.01,
            "deviation_high": deviation + 0.01,
            "verdict": verdict,
        },
        {"correlation_course": table, "correlation_theory": theory, "exponents": exponents, "laws": xr.Dataset(rows)},
        attrs={
            **ATTRS,
            "parameters": {"bin_ms": 250.0},
            "model": "spatial_balanced",
            "reference": SIZES[-1],
            "tolerance": 0.1,
        },
    )  # fmt: skip
    stores.write(tree, path)
    seconds = {f"{size:g}": [size * 10.0] * 3 for size in SIZES}
    costs = {"values": {"balanced": {"simulation_s": seconds}}, "laws": {"balanced": {}}, "machines": []}
    path.with_name(f"{path.stem}.costs.json").write_text(json.dumps(costs), encoding="utf-8")
    return path
