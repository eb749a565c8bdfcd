"""Speed of a network of rate units of low rank: ours, and the same steps in numpy.

    python -m benchmarks.rates [--units 10000] [--rank 20] [--steps 100000] [--threads 2] [--json FILE]

Both compute tau dx/dt = -x + m n' tanh(x) by Euler's method in float64; ours also records all latent variables. numpy has one
thread for its elementwise functions, and the threads of its BLAS for products. Compiling is not counted.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from allometry import simulate
from allometry.network import LowRank, Network, Population, Projection, RateUnit
from benchmarks.measure import Stopwatch


def network(units: int, rank: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """The network, and its factors."""
    rng = np.random.default_rng(1)
    m, n = rng.normal(size=(units, rank)), rng.normal(size=(units, rank)) / units
    start = rng.normal(size=units)
    net = Network(
        (Population("A", units, RateUnit(100.0), start),),
        (Projection("A", "A", LowRank(m, n), name="loop"),),
        dt_ms=1.0,
    )
    return net, m, n


def ours(net: Network, steps: int, threads: int, folder: Path) -> dict[str, float]:
    """Seconds of a run that is compiled already."""
    how = simulate.Execution(threads=threads, checkpoint="off", progress=False)
    record = simulate.Record(probes=(simulate.Probe("A", [0], 10.0, "x"),))
    simulate.run(net, 10.0, 1, folder / "warm.zarr", record=record, execution=how)
    with Stopwatch() as watch:
        simulate.run(net, float(steps), 1, folder / "timed.zarr", record=record, execution=how)
    return _said(watch)


def plain(net: Network, m: np.ndarray, n: np.ndarray, steps: int) -> dict[str, float]:
    """Seconds of the same steps in numpy."""
    start: Any = net.populations[0].initial_v
    x = np.array(getattr(start, "values", start), np.float64)
    with Stopwatch() as watch:
        for _ in range(steps):
            x += 0.01 * (m @ (n.T @ np.tanh(x)) - x)
    return _said(watch)


def _said(watch: Stopwatch) -> dict[str, float]:
    return {"wall_s": watch.wall_s, "cpu_s": watch.cpu_s, "others_share": watch.others_share}


def main() -> None:
    """Measure both and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("units", 10_000), ("rank", 20), ("steps", 100_000), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    net, m, n = network(given.units, given.rank)
    with tempfile.TemporaryDirectory() as folder:
        found = {
            "ours": ours(net, given.steps, given.threads, Path(folder)),
            "numpy": plain(net, m, n, max(1, given.steps // 10)),
        }
    for key in ("wall_s", "cpu_s"):
        found["numpy"][key] *= given.steps / max(1, given.steps // 10)
    for name, values in found.items():
        print(
            f"{name:6} wall {values['wall_s']:8.2f} s, CPU {values['cpu_s']:8.2f} s, others took {values['others_share']:.0%}"
        )
    if given.json:
        asked = {key: value for key, value in vars(given).items() if key != "json"}
        given.json.write_text(json.dumps({**asked, **found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
