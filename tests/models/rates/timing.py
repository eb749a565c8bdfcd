"""Runs of the timing network, and what is measured of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from allometry import models, simulate
from allometry.models.rates.low_rank_field import crossing
from allometry.models.rates.timing_fit import LEVEL, Timing
from allometry.network import Condition

COMPARED_MS = 1571.0
"""Time over which latent variables are held against the mean field."""


def run_cues(
    construction: str,
    n: int,
    seed: int,
    folder: Path,
    client: Any,
    cues: Sequence[float],
    duration_ms: float = 4000.0,
    **more: Any,
) -> list[xr.DataTree]:
    """A network under several cues, on one connectivity."""
    parameters = {"construction": construction, "n": n, **more}
    fitted = models.fit("low_rank_timing", parameters, seed)
    assert fitted.converged
    nets = [models.build("low_rank_timing", {**parameters, "cue": cue}, seed=seed, fitted=fitted) for cue in cues]
    conditions = [
        Condition(f"cue{k}", replaced={x.name: x for x in net.inputs if x.name}) for k, net in enumerate(nets)
    ]
    made = simulate.run_batch(
        nets[0],
        conditions,
        duration_ms,
        seed,
        folder / f"{construction}_{n}_{seed}",
        record=simulate.Record(probes=(simulate.Probe("cortex", np.arange(min(n, 300)), 5.0, "x"),)),
        execution=simulate.Execution(threads=1, cluster=client, checkpoint="off", progress=False),
    )
    return list(made.values())  # type: ignore[arg-type]


def intervals_of(stores: Sequence[xr.DataTree]) -> np.ndarray:
    """Produced intervals, ms."""
    return np.array([float(crossing(s["readout_output"].values, LEVEL, 5.0)) for s in stores])


def latent_error(stores: Sequence[xr.DataTree], cues: Sequence[float]) -> float:
    """Root mean square distance of the latent variables from the mean field."""
    timing = Timing(*models.fit("low_rank_timing", {"construction": "matched"}).arrays["timing"].tolist())
    steps = round(COMPARED_MS / 5.0)
    squares = []
    for store, cue in zip(stores, cues):
        u = np.array(timing.u(cue))
        wanted = timing.field.trajectory(np.array([timing.k10, -1.5]), u, 5.0, steps)
        squares.append(((store["readout_kappa"].values[:steps, :2] - wanted) ** 2).sum(axis=1))
    return float(np.sqrt(np.mean(squares)))


def participation(stores: Sequence[xr.DataTree]) -> float:
    """Participation ratio of the states over the time of all intervals, centred."""
    times = intervals_of(stores)
    x = np.concatenate([s["trace"].values[: int(t / 5.0)] for s, t in zip(stores, times)]).astype(float)
    values = np.linalg.svd(x - x.mean(axis=0), compute_uv=False) ** 2
    return float(values.sum() ** 2 / (values**2).sum())
