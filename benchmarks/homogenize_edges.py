"""Connectomes of the size of a whole brain: a table of 50 million rows in each form that is read in bounded memory.

    python -m benchmarks.homogenize_edges [--rows 50000000] [--forms feather parquet csv] [--json FILE]

The rows are made up: 140,000 neurons, 10 million pairs of five rows each (one per neuropil), with the six scores of transmitters of
the FlyWire release. Each form is read in a process of its own, with and without a threshold of 5 synapses, into a store on
disk.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.measure import Stopwatch

NODES, REPEATS, STEP = 140_000, 5, 500_000
SCORES = ("gaba_avg", "ach_avg", "glut_avg", "oct_avg", "ser_avg", "da_avg")
FIRST_ID = 720575940600000000
SCRIPT = """
import re, sys
from pathlib import Path
from allometry import stores
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
path, least = Path(sys.argv[1]), float(sys.argv[2])
options = {"layout": "flywire", "min_weight": least}
dataset = READERS["generic_edges"]({path.name: path}, Source("big", own=True), options)
stores.write(dataset, path.with_name("big.zarr"), overwrite=True)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(dataset.sizes["node"], dataset.sizes["edge"], float(dataset["weight"].values.sum(dtype="f8")), int(peak[1]) / 2**20)
"""


def blocks(rows: int) -> Iterator[dict[str, np.ndarray]]:
    """Rows in blocks, as columns: every pair five times, far apart; three of four have 10 synapses, the others 1."""
    pairs = rows // REPEATS
    for repeat in range(REPEATS):
        for start in range(0, pairs, STEP):
            number = np.arange(start, min(start + STEP, pairs))
            rng = np.random.default_rng((repeat, start))
            yield {
                "pre_pt_root_id": FIRST_ID + number % NODES,
                "post_pt_root_id": FIRST_ID + (number // NODES + number * 7919) % NODES,
                "syn_count": np.where(number % 4 == 0, 1 if repeat == 0 else 0, 2),
                **{name: rng.random(len(number), np.float32) for name in SCORES},
            }


def write(path: Path, rows: int) -> None:
    """The table in the form that the ending of its name says."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.feather
    import pyarrow.parquet

    schema = pa.table(next(blocks(rows))).schema
    writer = {
        ".feather": lambda: pa.ipc.new_file(str(path), schema, options=pa.ipc.IpcWriteOptions(compression="lz4")),
        ".parquet": lambda: pa.parquet.ParquetWriter(path, schema),
        ".csv": lambda: pa.csv.CSVWriter(str(path), schema),
    }[path.suffix]
    with writer() as file:
        for block in blocks(rows):
            file.write_table(pa.table(block, schema))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--forms", nargs="+", default=["feather", "parquet", "csv"])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        for form in arguments.forms:
            path = Path(scratch) / f"edges.{form}"
            write(path, arguments.rows)
            for least in (0.0, 5.0):
                with Stopwatch() as watch:
                    command = [sys.executable, "-c", SCRIPT, str(path), str(least)]
                    done = subprocess.run(command, capture_output=True, text=True, check=True)
                nodes, edges, weight, peak = done.stdout.split()
                results.append(
                    {
                        "form": form,
                        "rows": arguments.rows,
                        "file_gb": path.stat().st_size / 1e9,
                        "min_weight": least,
                        "nodes": int(nodes),
                        "edges": int(edges),
                        "weight": float(weight),
                        "wall_s": watch.wall_s,
                        "cpu_s": watch.cpu_s,
                        "peak_gib": float(peak),
                        "others_share": watch.others_share,
                    }
                )
                print(json.dumps(results[-1]), flush=True)
            path.unlink()
    if arguments.json is not None:
        arguments.json.write_text(json.dumps({"tables": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
