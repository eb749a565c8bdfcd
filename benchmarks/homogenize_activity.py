"""Homogenize 900 synthetic worms (130 ROIs x 1600 samples: the size of the whole worm collection), and the collection's way.

    python benchmarks/homogenize_activity.py [--worms 900] [--sources 12] [--loop-worms 6] [--keep FOLDER] [--json FILE]

The worms are written as HDF5 files in the layout of `flavell2023` (90 labelled of 130 ROIs, 0.6 s, jitter), in 12 sources
like the collection. Timed: from the files to complete stores with manifests, (a) by default, (b) with the preset
`simeon2024`; each in its own process, so that the peak memory is its own. (c) is the same preset as loops over worms,
neurons and samples with pandas and sklearn, the way of the collection's own code, timed on a few worms and scaled up.
Synthetic data: smoothed noise, no claim about neurons.
"""

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path

ROIS, SAMPLES, LABELLED, DT = 130, 1600, 90, 0.6


def generate(folder: Path, worms: int, sources: int) -> dict[str, list[Path]]:
    """Write the files of all sources; a few distinct recordings are repeated, since content does not change the work."""
    import h5py
    import numpy as np
    from scipy.ndimage import gaussian_filter1d

    from allometry.homogenize.worm_neurons import NEURONS

    rng = np.random.default_rng(0)
    pool = [gaussian_filter1d(rng.standard_normal((SAMPLES, ROIS)), 2, axis=0) for _ in range(8)]
    out: dict[str, list[Path]] = {}
    for number in range(worms):
        source = f"source_{number % sources:02d}"
        place = folder / source
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"worm_{number:04d}.h5"
        names = rng.choice(NEURONS, LABELLED, replace=False)
        with h5py.File(path, "w") as file:
            file["timing/timestamp_confocal"] = np.cumsum(DT * (1 + 0.03 * rng.uniform(-1, 1, SAMPLES)))
            file["gcamp/trace_array"] = (1 + pool[number % len(pool)]).T
            for roi, name in enumerate(names):
                file[f"labeled/{roi + 1}/label"] = str(name)
        out.setdefault(source, []).append(path)
    return out


def homogenize(files: dict[str, list[Path]], out: Path, preset: str) -> None:
    """All sources to stores."""
    import allometry.homogenize as stage

    for name, paths in files.items():
        entry = {
            "name": name,
            "reader": "flavell2023",
            "species": "Caenorhabditis elegans",
            "verified": "real",
            "files": [{"name": path.name, "sha256": "0" * 64} for path in paths],
            "stores": {name: {"kind": "activity"}},
        }
        stage.run(entry, name, paths[0].parent, out / f"{name}.zarr", options={"preset": preset})


def loops(paths: list[Path]) -> None:
    """The preset the way the collection does it: a loop over worms, in it over neurons, in it over samples."""
    import h5py
    import numpy as np
    import pandas as pd
    from sklearn.preprocessing import StandardScaler

    from allometry.homogenize.worm_neurons import NEURONS

    def smooth(trace: np.ndarray) -> np.ndarray:
        result = np.zeros_like(trace)
        for neuron in range(trace.shape[1]):
            for now in range(trace.shape[0]):
                result[now, neuron] = trace[max(now - 7, 0) : now + 1, neuron].mean()
        return result

    for path in paths:
        with h5py.File(path) as file:
            seconds = file["timing/timestamp_confocal"][:]
            trace = file["gcamp/trace_array"][:].T
            labels = {int(k) - 1: v["label"][()].decode() for k, v in file["labeled"].items()}
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


def timed(
    task: str, files: dict[str, list[Path]], out: Path, loop_worms: int, queue: "multiprocessing.Queue[dict]"
) -> None:
    """Run one task in this process; report wall time and peak memory."""
    import allometry.homogenize  # noqa: F401  the import is not part of the work

    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    start = time.perf_counter()
    if task == "loops":
        loops([paths[0] for paths in files.values()][:loop_worms])
    else:
        homogenize(files, out, task)
    wall = time.perf_counter() - start
    queue.put(
        {
            "task": task,
            "wall_s": wall,
            "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            "base_gib": base,
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worms", type=int, default=900)
    parser.add_argument("--sources", type=int, default=12)
    parser.add_argument("--loop-worms", type=int, default=6)
    parser.add_argument("--tasks", nargs="+", default=["default", "simeon2024", "loops"])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    context = multiprocessing.get_context("spawn")
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        files = generate(folder / "raw", arguments.worms, arguments.sources)
        for task in arguments.tasks:
            queue = context.Queue()
            process = context.Process(target=timed, args=(task, files, folder / task, arguments.loop_worms, queue))
            process.start()
            found = queue.get()
            process.join()
            worms = arguments.loop_worms if task == "loops" else arguments.worms
            found |= {"worms": worms, "s_per_worm": found["wall_s"] / worms, "s_for_900": 900 * found["wall_s"] / worms}
            results.append(found)
            print(
                f"{task:12s} {worms:4d} worms  {found['wall_s']:7.1f} s  {1000 * found['s_per_worm']:7.1f} ms/worm  "
                f"900 worms: {found['s_for_900']:7.0f} s  peak {found['peak_gib']:.2f} GiB",
                flush=True,
            )
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
