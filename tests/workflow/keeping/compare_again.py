"""`python -m tests.workflow.keeping.compare_again RESULTS OUT CONFIGURATION`: the compare stage again, on finished results.

It prints JSON: the content of every comparison, the drive of a downscaled microcircuit and a resampled trace, the BLAS
kernels in use, and a sum that depends on them.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg  # noqa: F401
from threadpoolctl import threadpool_info

from allometry import config, models
from allometry.compare.runner import run
from allometry.homogenize.traces import elementary
from allometry.network import DCInput
from allometry.stores.folders.finding import contents
from allometry.workflow.snakefile import comparison_stores


def blas_sum() -> str:
    """Sha256 of a product that BLAS adds up."""
    x = np.random.default_rng(0).normal(size=(97, 501))
    return hashlib.sha256((x @ x.T).tobytes()).hexdigest()


def drive() -> list[str]:
    """The currents, in pA, that compensate for fewer synapses."""
    inputs = models.microcircuit(scale=0.02).inputs
    return [entry.amplitude.hex() for entry in inputs if isinstance(entry, DCInput)]  # type: ignore[union-attr]


def trace() -> str:
    """Sha256 of what resampling is made of: an interpolated trace and the weights of a filter."""
    rng = np.random.default_rng(0)
    axis, values = np.cumsum(rng.integers(50, 150, 500)) / 256, rng.integers(0, 1000, (500, 3)) / 64
    at = np.arange(1, 500) / 3
    weights = elementary.sinc(at) * elementary.i0(np.minimum(at, 6))
    parts = (elementary.cubic_spline(axis, values)(at), weights, elementary.gaussian(41, 5.0))
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def compare_again(results: Path, out: Path, configuration: Path) -> dict[str, Any]:
    """Compute every comparison of a configuration from the stores of a finished run."""
    cfg = config.validate(config.read_yaml(configuration), str(configuration))
    os.chdir(results.parent)
    for name, options in cfg.compare.comparisons.items():
        run(options.model_dump(mode="json"), comparison_stores(cfg, name), out / f"{name}.zarr")
    kernels = sorted({pool["architecture"] for pool in threadpool_info() if pool["user_api"] == "blas"})
    return {"contents": contents(out), "kernels": kernels, "blas_sum": blas_sum(), "drive": drive(), "trace": trace()}


if __name__ == "__main__":
    print(json.dumps(compare_again(*(Path(argument).resolve() for argument in sys.argv[1:]))))
