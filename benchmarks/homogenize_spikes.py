"""Recordings with as many spikes as a long Neuropixels session has: 130 million, in each form that they come in.

    python -m benchmarks.homogenize_spikes [--spikes 130000000] [--forms nwb phy npz sonata] [--json FILE]

The spikes are made up: 1000 units that fire alike for two and a half hours. In the NWB file every unit has its own part, in the other
forms all spikes are one list in the order of time. Each form is read in a process of its own, into a store on disk.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np

from benchmarks.measure import Stopwatch

UNITS, SECONDS, RATE, STEP = 1000, 9000.0, 30_000.0, 2**22
SCRIPT = """
import re, sys
from pathlib import Path
from allometry import stores
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
reader, out, *names = sys.argv[1:]
files = {Path(name).name: Path(name) for name in names}
dataset = READERS[reader](files, Source("big", own=True), {}, "spikes")
stores.write(dataset, Path(out), overwrite=True)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(dataset.sizes["unit"], dataset.sizes["spike"], float(dataset["spike_time"].values.sum()), int(peak[1]) / 2**20)
"""


def blocks(spikes: int) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Place of the first spike, times (s) and units in the order of time: one unit after the other fires, evenly."""
    for start in range(0, spikes, STEP):
        number = np.arange(start, min(start + STEP, spikes))
        yield start, number * (SECONDS / spikes), number % UNITS


def write_nwb(folder: Path, spikes: int) -> list[Path]:
    """The table of units of an NWB file."""
    path = folder / "units.nwb"
    each = spikes // UNITS
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        group = file.create_group("units")
        group.attrs.update({"neurodata_type": "Units", "namespace": "core", "colnames": ["spike_times"]})
        group["id"] = np.arange(UNITS)
        data = group.create_dataset("spike_times", (each * UNITS,), "f8", chunks=(min(2**17, each * UNITS),))
        for unit in range(UNITS):
            data[unit * each : (unit + 1) * each] = (np.arange(each) * UNITS + unit) * (SECONDS / spikes)
        group["spike_times_index"] = (each * np.arange(1, UNITS + 1)).astype(np.uint64)
        group["spike_times_index"].attrs["target"] = data.ref
    return [path]


def write_phy(folder: Path, spikes: int) -> list[Path]:
    """The arrays of a sorting."""
    created: dict[str, type] = {"spike_times": np.int64, "spike_clusters": np.int32, "spike_templates": np.int32}
    arrays = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, (spikes,))
        for name, dtype in created.items()
    }
    for start, time, unit in blocks(spikes):
        part = slice(start, start + len(time))
        arrays["spike_times"][part] = np.rint(time * RATE)
        arrays["spike_clusters"][part] = arrays["spike_templates"][part] = unit
    for array in arrays.values():
        array.flush()
    one = np.eye(UNITS, dtype=np.float32)  # a template is largest on the channel of its unit's number
    np.save(folder / "templates.npy", np.stack([one, -one], axis=1))
    np.save(folder / "channel_positions.npy", np.column_stack([np.zeros(UNITS), 20.0 * np.arange(UNITS)]))
    (folder / "params.py").write_text(f"sample_rate = {RATE}\n")
    return sorted(folder.iterdir())


def write_npz(folder: Path, spikes: int) -> list[Path]:
    """Two arrays, `unit` and `time`."""
    every = list(blocks(spikes))
    np.savez(
        folder / "spikes.npz",
        unit=np.concatenate([unit.astype(np.int32) for _, _, unit in every]),
        time=np.concatenate([time for _, time, _ in every]),
    )
    return [folder / "spikes.npz"]


def write_sonata(folder: Path, spikes: int) -> list[Path]:
    """A SONATA spike file."""
    with h5py.File(folder / "spikes.h5", "w") as file:
        group = file.create_group("spikes/cortex")
        time = group.create_dataset("timestamps", (spikes,), "f8")
        time.attrs["units"] = "milliseconds"
        node = group.create_dataset("node_ids", (spikes,), "u8")
        for start, some, unit in blocks(spikes):
            time[start : start + len(some)], node[start : start + len(some)] = some * 1000, unit
    return [folder / "spikes.h5"]


FORMS: dict[str, tuple[str, Callable[[Path, int], list[Path]]]] = {
    "nwb": ("nwb", write_nwb),
    "phy": ("phy", write_phy),
    "npz": ("generic_spikes", write_npz),
    "sonata": ("sonata_spikes", write_sonata),
}


def measure(form: str, spikes: int) -> dict[str, object]:
    """Write one form, and read it in a process of its own."""
    reader, write = FORMS[form]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "files")
        folder.mkdir()
        paths = write(folder, spikes)
        size = sum(path.stat().st_size for path in paths)
        with Stopwatch() as watch:
            command = [sys.executable, "-c", SCRIPT, reader, f"{scratch}/big.zarr", *map(str, paths)]
            done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    units, found, total, peak = done.stdout.split()
    return {
        "form": form,
        "spikes": int(found),
        "units": int(units),
        "file_gb": size / 1e9,
        "mean_s": float(total) / int(found),
        "wall_s": watch.wall_s,
        "cpu_s": watch.cpu_s,
        "peak_gib": float(peak),
        "others_share": watch.others_share,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spikes", type=int, default=130_000_000)
    parser.add_argument("--forms", nargs="+", choices=list(FORMS), default=list(FORMS))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results = []
    for form in arguments.forms:
        results.append(measure(form, arguments.spikes))
        print(json.dumps(results[-1]), flush=True)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps({"recordings": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
