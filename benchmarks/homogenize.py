"""Section `homogenize` of the benchmarks: a collection of 900 worms into stores, beside loops over worms and
neurons, connectomes of 50 million rows, and recordings of 130 million spikes."""

import subprocess
import sys
from pathlib import Path

from benchmarks.peers import ROOT


def run(results: Path, quick: bool) -> None:
    """Write three JSON files."""
    results.mkdir(parents=True, exist_ok=True)
    size = ["--worms", "60", "--sources", "3", "--loop-worms", "1"] if quick else []
    out = results / ("homogenize_quick.json" if quick else "homogenize_900.json")
    command = [sys.executable, "-m", "benchmarks.homogenize_activity", *size, "--json", str(out.resolve())]
    subprocess.run(command, cwd=ROOT, check=True)
    size = ["--rows", "2000000"] if quick else []
    out = results / ("homogenize_edges_quick.json" if quick else "homogenize_edges.json")
    command = [sys.executable, "-m", "benchmarks.homogenize_edges", *size, "--json", str(out.resolve())]
    subprocess.run(command, cwd=ROOT, check=True)
    size = ["--spikes", "2000000"] if quick else []
    out = results / ("homogenize_spikes_quick.json" if quick else "homogenize_spikes.json")
    command = [sys.executable, "-m", "benchmarks.homogenize_spikes", *size, "--json", str(out.resolve())]
    subprocess.run(command, cwd=ROOT, check=True)
