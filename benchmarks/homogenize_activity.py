"""Homogenize 900 synthetic worms (130 ROIs x 1600 samples: the size of the whole worm collection), and the collection's way.

    python -m benchmarks.homogenize_activity [--worms 900] [--sources 12] [--loop-worms 6] [--json FILE]

The worms are written as one .npz each (generic reader; 90 labelled of 130 ROIs, 0.6 s, jitter), in 12 sources like the
collection. Timed: from the files to complete stores with manifests, (a) by default, (b) with the preset `simeon2024`,
two sources at a time, each in a process of its own with one thread, as `snakemake --cores 2` runs them; imports are not
timed. The memory is the sum of the two largest peak resident sizes (VmHWM, shared pages counted in each), an upper bound of
what the processes use at any one time. (c) is the same preset as loops over worms, neurons and samples with pandas and
sklearn, the way of the collection's own code, in one process, timed on a few worms and scaled up; it writes nothing.
Synthetic data: smoothed noise, no claim about neurons.
"""

import argparse
import json
import multiprocessing
import os
import re
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Stopwatch, machine

#: Imported once, before the clock runs.
PRELOADED = [
    "allometry.homogenize.readers.generic",
    "allometry.homogenize.traces.simeon2024",
    "pandas",
    "sklearn.preprocessing",
]
ROIS, SAMPLES, LABELLED, DT = 130, 1600, 90, 0.6


def generate(folder: Path, worms: int, sources: int) -> dict[str, list[Path]]:
    """Write the files of all sources; a few distinct recordings are repeated, since content does not change the work."""
    import numpy as np
    from scipy.ndimage import gaussian_filter1d

    from allometry.homogenize.worm.neurons import NEURONS

    rng = np.random.default_rng(0)
    pool = [gaussian_filter1d(rng.standard_normal((SAMPLES, ROIS)), 2, axis=0) for _ in range(8)]
    out: dict[str, list[Path]] = {}
    for number in range(worms):
        source = f"source_{number % sources:02d}"
        place = folder / source
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"worm_{number:04d}.npz"
        names = [*rng.choice(NEURONS, LABELLED, replace=False), *[""] * (ROIS - LABELLED)]
        seconds = np.cumsum(DT * (1 + 0.03 * rng.uniform(-1, 1, SAMPLES)))
        np.savez(path, traces=1 + pool[number % len(pool)], time=seconds, labels=np.array(names))
        out.setdefault(source, []).append(path)
    return out


def homogenize(files: dict[str, list[Path]], out: Path, preset: str) -> None:
    """All sources to stores."""
    import allometry.homogenize as stage

    for name, paths in files.items():
        entry = {
            "name": name,
            "reader": "generic",
            "species": "Caenorhabditis elegans",
            "verified": "real",
            "files": [{"name": path.name, "sha256": "0" * 64} for path in paths],
            "stores": {name: {"kind": "activity"}},
        }
        stage.run(entry, name, paths[0].parent, out / f"{name}.zarr", overwrite=True, options={"preset": preset})


def loops(paths: list[Path]) -> None:
    """The preset the way the collection does it: a loop over worms, in it over neurons, in it over samples."""
    import numpy as np
    import pandas as pd
    from sklearn.preprocessing import StandardScaler

    from allometry.homogenize.worm.neurons import NEURONS

    def smooth(trace: np.ndarray) -> np.ndarray:
        result = np.zeros_like(trace)
        for neuron in range(trace.shape[1]):
            for now in range(trace.shape[0]):
                result[now, neuron] = trace[max(now - 7, 0) : now + 1, neuron].mean()
        return result

    for path in paths:
        with np.load(path) as content:
            seconds, trace = content["time"], content["traces"]
            labels = {roi: str(name) for roi, name in enumerate(content["labels"]) if name}
        seconds = seconds - seconds[0]
        residual = np.gradient(trace, seconds, axis=0)
        grid = np.arange(seconds.min(), seconds.max(), 0.333)
        for view in (trace, residual, smooth(trace), smooth(residual)):
            resampled = np.zeros((grid.size, view.shape[1]), dtype=np.float32)
            for neuron in range(view.shape[1]):
                resampled[:, neuron] = np.interp(grid, seconds, view[:, neuron])
            standard = StandardScaler().fit_transform(resampled)
            table = pd.DataFrame(0.0, index=range(grid.size), columns=list(NEURONS))
            for roi, name in labels.items():
                table[name] = standard[:, roi]


def job(task: str, files: dict[str, list[Path]], out: Path) -> float:
    """One task in a process of its own; returns the peak of its memory, GiB."""
    if task == "loops":
        loops([path for paths in files.values() for path in paths])
    else:
        homogenize(files, out, task)
    return peak_gib()


def peak_gib() -> float:
    """Peak resident memory of this process (getrusage would count what its parent had before the exec)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 2**20 if found else float("nan")


def run(task: str, files: dict[str, list[Path]], out: Path, processes: int) -> tuple[Stopwatch, float]:
    """Wall time of a task, one process per source, and the memory of those at work together, GiB."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    jobs = [(task, files, out)] if task == "loops" else [(task, {name: paths}, out) for name, paths in files.items()]
    with context.Pool(processes, maxtasksperchild=1) as pool:
        pool.map(abs, range(processes), chunksize=1)  # the imports are done
        with Stopwatch() as watch:
            peaks = pool.starmap(job, jobs, chunksize=1)
    return watch, sum(sorted(peaks)[-processes:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worms", type=int, default=900)
    parser.add_argument("--sources", type=int, default=12)
    parser.add_argument("--loop-worms", type=int, default=6)
    parser.add_argument("--tasks", nargs="+", default=["default", "simeon2024", "loops"])
    parser.add_argument("--processes", type=int, default=2, help="sources at a time")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        files = generate(folder / "raw", arguments.worms, arguments.sources)
        for task in arguments.tasks:
            few = {name: paths[:1] for name, paths in list(files.items())[: arguments.loop_worms]}
            work, processes = (few, 1) if task == "loops" else (files, arguments.processes)
            watch, peak = run(task, work, folder / task, processes)
            worms, wall = sum(map(len, work.values())), watch.wall_s
            found = {
                "task": task,
                "worms": worms,
                "processes": processes,
                "wall_s": round(wall, 2),
                "s_for_900": round(900 * wall / worms, 1),
                "peak_gib": round(peak, 3),
                "others_share": round(watch.others_share, 4),
            }
            results.append(found)
            print(
                f"{task:12s} {worms:4d} worms  {wall:7.1f} s  {1000 * wall / worms:7.1f} ms/worm  "
                f"900 worms: {found['s_for_900']:7.0f} s  peak {peak:.2f} GiB",
                flush=True,
            )
    if arguments.json:
        said = {"machine": machine(), "finished": time.strftime("%Y-%m-%dT%H:%M:%S"), "tasks": results}
        arguments.json.write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
