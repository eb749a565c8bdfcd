"""Our simulator and its peers on one network, interleaved on the same cores.

    ALLOMETRY_NEST_PYTHON=... ALLOMETRY_BRIAN2_PYTHON=... \
        python -m benchmarks.peers microcircuit --scale 0.1 --repeats 3 --json benchmarks/results/microcircuit_0.1.json

The variables name the Python of an environment made from envs/bench-nest.txt and envs/bench-brian2.txt; a peer whose
variable is not set is left out, and the result says so. Every repeat runs each program once, in turn, so that a busy
machine hits all alike; of each program the fastest repeat counts. The CPU time that other processes took is reported
with every run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import measure

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = ("microcircuit", "brunel")
#: Memory (GiB) of Brian2 at scale s of the microcircuit is about 24 s².
BRIAN2_GIB_AT_FULL_SCALE = 24.0


def programs(network: str) -> dict[str, list[str]]:
    """Command of every program that is available, ours first."""
    found = {"allometry": [sys.executable, "-m", f"benchmarks.{network}"]}
    for name, variable in (("nest", "ALLOMETRY_NEST_PYTHON"), ("brian2", "ALLOMETRY_BRIAN2_PYTHON")):
        if os.environ.get(variable):
            found[name] = [os.environ[variable], "-m", f"benchmarks.{name}_{network}"]
    return found


def run_once(command: list[str], options: dict[str, object]) -> dict[str, Any]:
    """Run one program in a process of its own; its result.

    Raises
    ------
    RuntimeError
        If it fails; the message ends with the last lines of its output.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark_") as folder:
        out = Path(folder) / "result.json"
        line = [*command, *(str(x) for pair in options.items() for x in pair), "--json", str(out)]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
        if done.returncode or not out.exists():
            raise RuntimeError(f"{' '.join(line)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
        return json.loads(out.read_text())


def compare(network: str, args: argparse.Namespace) -> dict[str, Any]:
    """Interleaved repeats of all available programs."""
    found = programs(network)
    left_out = {name: "its environment variable is not set" for name in ("nest", "brian2") if name not in found}
    needed = BRIAN2_GIB_AT_FULL_SCALE * args.scale**2
    if network == "microcircuit" and "brian2" in found and needed > 0.6 * float(measure.machine()["memory_gib"]):
        left_out["brian2"] = f"it would need about {needed:.0f} GiB"
        del found["brian2"]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in found}
    for repeat in range(args.repeats):
        for name, command in found.items():
            if name != "allometry" and repeat >= args.peer_repeats:
                continue
            duration_ms = args.duration_ms if name == "allometry" else args.peer_duration_ms or args.duration_ms
            options = {
                "--scale": args.scale,
                "--threads": args.threads,
                "--duration-ms": duration_ms,
                "--seed": 1 + repeat,
            }
            result = run_once(command, options)
            runs[name].append(result)
            said = f"{network} {args.scale:g} {name}: RTF {result['rtf']:.3g}, build {result['build_s']:.3g} s"
            print(f"{said}, others {100 * result['others_share']:.0f} %", flush=True)
    best = {name: min(r["rtf"] for r in some) for name, some in runs.items()}
    return {
        "network": network,
        "scale": args.scale,
        "threads": args.threads,
        "best_rtf": best,
        "times_faster": {name: round(rtf / best["allometry"], 2) for name, rtf in best.items() if name != "allometry"},
        "left_out": left_out,
        "machine": measure.machine(),
        "runs": runs,
    }


def main() -> None:
    """Parse the command line, compare, write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--duration-ms", type=float, default=1000.0)
    parser.add_argument("--peer-duration-ms", type=float, help="simulated time of slow peers (default: the same)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer-repeats", type=int, default=3, help="repeats of the peers, at most --repeats")
    parser.add_argument("--json", type=Path, help="file to write the result to")
    args = parser.parse_args()
    result = compare(args.network, args)
    print(json.dumps({key: result[key] for key in ("best_rtf", "times_faster", "left_out")}, indent=1))
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        partial = args.json.with_suffix(".partial")
        partial.write_text(json.dumps(result, indent=1) + "\n")
        partial.replace(args.json)


if __name__ == "__main__":
    main()
