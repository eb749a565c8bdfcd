"""Section `simulate` of the benchmarks: both networks beside their peers, and partitions beside threads."""

import subprocess
import sys
from pathlib import Path

from benchmarks.peers import ROOT

#: Network, scale, simulated ms of ours and of the peers, repeats of ours and of the peers.
COMPARISONS = (
    ("microcircuit", 0.1, 2000, 1000, 3, 3),
    ("microcircuit", 0.2, 2000, 1000, 3, 2),
    ("microcircuit", 0.5, 1000, 500, 3, 1),
    ("microcircuit", 1.0, 1000, 200, 3, 1),
    ("brunel", 1.0, 1000, 500, 3, 2),
)
QUICK = (("microcircuit", 0.05, 200, 100, 1, 1), ("brunel", 1.0, 100, 100, 1, 1))


def run(results: Path, quick: bool) -> None:
    """Write one JSON file per comparison, and one per way to use two cores at full scale."""
    for network, scale, ours_ms, peer_ms, repeats, peer_repeats in QUICK if quick else COMPARISONS:
        _call(
            "benchmarks.peers",
            network,
            *("--scale", scale, "--duration-ms", ours_ms, "--peer-duration-ms", peer_ms),
            *("--repeats", repeats, "--peer-repeats", peer_repeats),
            *("--json", results / f"{network}_{scale:g}.json"),
        )
    scale, duration_ms = (0.05, 200) if quick else (1.0, 1000)
    _call(
        "benchmarks.breakdown",
        *("--scale", scale, "--duration-ms", duration_ms, "--repeats", 1 if quick else 3),
        *("--json", results / f"breakdown_{scale:g}.json"),
    )
    for partitions, threads in ((1, 2), (2, 1), (1, 1)):
        _call(
            "benchmarks.microcircuit",
            *("--scale", scale, "--duration-ms", duration_ms, "--partitions", partitions, "--threads", threads),
            *("--json", results / f"cut_{scale:g}_p{partitions}_t{threads}.json"),
        )


def _call(module: str, *arguments: object) -> None:
    subprocess.run([sys.executable, "-m", module, *map(str, arguments)], cwd=ROOT, check=True)
