"""What the jobs of a study of compute scaling measure: simulations, exchanges, and tasks of homogenize and compare over workers."""

import json
import multiprocessing
import platform
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from allometry.files import atomic
from allometry.scale.compute.measuring import busy_share, measure_exchange, measure_simulations
from allometry.simulate.distribute.clusters.placement import cores

RECORDINGS, ROIS, SAMPLES, DT_S = 4, 130, 1600, 0.6
TRAINS, BINS, FIRING = 2500, 2000, 0.02
#: Imported before the clock runs.
PRELOADED = ["allometry.homogenize.readers.generic", "allometry.compare.measures.populations.pairwise"]


def measure(part: str, study: Mapping[str, Any], out: str | Path) -> None:
    """Measure one part of a study of compute scaling and write what it took.

    Parameters
    ----------
    part : {"simulations", "exchange", "stages"}
        Of `scale.compute.study.PARTS`.
    study : mapping
        As configured.
    out : path
        JSON file to write.
    """
    measures: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "simulations": measure_simulations,
        "exchange": measure_exchange,
        "stages": measure_stages,
    }
    found = {**measures[part](study), "cpu": cpu()}
    with atomic(Path(out)) as stream:
        stream.write((json.dumps(found, indent=1, sort_keys=True) + "\n").encode())


def measure_stages(study: Mapping[str, Any]) -> dict[str, Any]:
    """Share the same tasks among several numbers of workers, in turn; the fastest of `repeats` counts.

    A task of homogenize makes a store of synthetic recordings of the size of a worm's; one of compare takes the correlations of
    all pairs of synthetic spike trains. A worker has one thread.

    Returns
    -------
    dict
        For JSON: `points` with `experiment`, `workers`, `tasks` and `wall_s`; `others`; `cores`.
    """
    wall: dict[tuple[str, int], float] = {}
    others = 0.0
    with tempfile.TemporaryDirectory(prefix="compute_") as folder:
        _recordings(Path(folder))
        for _ in range(study["repeats"]):
            for workers in study["stage_workers"]:
                others = max(others, busy_share())
                for stage, task in (("homogenize", _homogenize), ("compare", _compare)):
                    taken = _shared(task, folder, study["tasks"], workers)
                    wall[stage, workers] = min(taken, wall.get((stage, workers), taken))
    points = [
        {"experiment": stage, "workers": workers, "tasks": study["tasks"], "wall_s": taken}
        for (stage, workers), taken in wall.items()
    ]
    return {"points": points, "others": others, "cores": cores()}


def cpu() -> str:
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "") or platform.machine()


def _shared(task: Callable[[str, int], None], folder: str, tasks: int, workers: int) -> float:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with context.Pool(workers) as pool:
        # everybody is there, and has compiled what the tasks need
        pool.starmap(task, [(folder, tasks + number) for number in range(workers)], chunksize=1)
        started = time.perf_counter()
        pool.starmap(task, [(folder, number) for number in range(tasks)], chunksize=1)
        return time.perf_counter() - started


def _recordings(folder: Path) -> None:
    rng = np.random.default_rng(1)
    for number in range(RECORDINGS):
        seconds = np.cumsum(DT_S * (1 + 0.03 * rng.uniform(-1, 1, SAMPLES)))
        traces = 1 + np.cumsum(rng.standard_normal((SAMPLES, ROIS)), axis=0) / 10
        labels = np.array([f"n{roi}" if roi % 3 else "" for roi in range(ROIS)])
        np.savez(folder / f"recording_{number}.npz", traces=traces, time=seconds, labels=labels)


def _homogenize(folder: str, number: int) -> None:
    from allometry import homogenize

    name = f"task_{number}"
    entry = {
        "name": name,
        "reader": "generic",
        "species": "none",
        "verified": "real",
        "files": [{"name": f"recording_{k}.npz", "sha256": "0" * 64} for k in range(RECORDINGS)],
        "stores": {name: {"kind": "activity"}},
    }
    homogenize.run(entry, name, folder, Path(folder) / f"{name}.zarr", overwrite=True)


def _compare(folder: str, number: int) -> None:
    from allometry.compare.measures.populations.pairwise import pairwise_summary

    rng = np.random.default_rng(number)
    counts = sp.random_array(
        (BINS, TRAINS), density=FIRING, format="csc", rng=rng, data_sampler=lambda size: np.ones(size)
    )
    pairwise_summary(counts, threads=1)
