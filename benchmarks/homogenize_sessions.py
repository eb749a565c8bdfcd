"""Peak memory and disk of homogenizing one session of the Allen Institute, on synthetic files of the genuine layout and size.

    python -m benchmarks.homogenize_sessions --json benchmarks/results/homogenize_sessions.json

`allometry.workflow.recording_sessions` has the coefficients that follow from these numbers.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    # 628 gratings and two movies: 62 minutes at 30 Hz, as three_session_A
    "two-photon, 120 cells": ("allen_two_photon", {"session": "A", "cells": 120}),
    "two-photon, 240 cells": ("allen_two_photon", {"session": "A", "cells": 240}),
    # every presentation of session 715093703; a third of its spikes, and a tenth
    "Neuropixels, 2779 units, 13 million spikes": ("allen_neuropixels", {"spikes": 4700}),
    "Neuropixels, 2779 units, 44 million spikes": ("allen_neuropixels", {"spikes": 15700}),
}
KINDS = {"allen_two_photon": ("responses", "activity"), "allen_neuropixels": ("responses", "spikes")}
_RUN = r"""
import re, sys, time
from allometry.homogenize import run
raw, out, reader, kind = sys.argv[1:]
source = {"reader": reader, "species": "Mus musculus", "citation": "none", "licence": "none", "options": {},
    "files": [{"name": "session.nwb", "sha256": "learn", "places": []}], "stores": {"session": {"kind": kind, "options": {}}}}
begun = time.perf_counter()
run(source, "session", raw, out)
# not getrusage, whose peak is that of the parent before it became this program
print(time.perf_counter() - begun, 1024 * int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]))
"""


def measure(folder: Path, case: str) -> dict[str, Any]:
    """Write a session, and homogenize it in processes of their own."""
    reader, how = CASES[case]
    raw = folder / "raw"
    raw.mkdir()
    layout = importlib.import_module(f"tests.homogenize.fixtures.{reader}")
    full = {"units": 2779, "good": 884, "counts": layout.FULL, "electrodes": 2304} if "units" in case else {}
    layout.write(raw / "session.nwb", **full, **how)
    found: dict[str, Any] = {"reader": reader, "file_bytes": (raw / "session.nwb").stat().st_size}
    for kind in KINDS[reader]:
        out = folder / f"{kind}.zarr"
        done = subprocess.run(
            [sys.executable, "-c", _RUN, str(raw), str(out), reader, kind], capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        seconds, peak = map(float, done.stdout.split()[-2:])
        disk = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        found[kind] = {"seconds": round(seconds, 1), "peak_bytes": round(peak), "store_bytes": disk}
    return found


def main() -> None:
    """Measure all cases and write one JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--case", choices=sorted(CASES), action="append")
    arguments = parser.parse_args()
    found = {}
    for case in arguments.case or CASES:
        with tempfile.TemporaryDirectory() as folder:
            found[case] = measure(Path(folder), case)
        print(case, json.dumps(found[case]), flush=True)
    arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
