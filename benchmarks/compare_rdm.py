"""Correlation RDM of 10^5 units from a Zarr array, beside scipy and rsatoolbox: `python -m benchmarks.compare_rdm --json OUT`."""

import importlib
from pathlib import Path

import numpy as np
import zarr

from benchmarks.compare_case import Case, Sizes, main


def prepare(folder: Path, sizes: Sizes) -> None:
    shape = (sizes["stimuli"], sizes["units"])
    out = zarr.create_array(folder / "x.zarr", shape=shape, chunks=(shape[0], 5000), dtype="f4", overwrite=True)
    rng = np.random.default_rng(0)
    for start in range(0, shape[1], 5000):
        out[:, start : start + 5000] = rng.normal(3, 1, size=(shape[0], min(5000, shape[1] - start)))


def allometry(folder: Path, sizes: Sizes) -> np.ndarray:
    from allometry.compare.measures.representations.rdm import rdm

    return rdm(zarr.open_array(folder / "x.zarr", mode="r"))


def scipy_pdist(folder: Path, sizes: Sizes) -> np.ndarray:
    from scipy.spatial.distance import pdist

    return pdist(np.asarray(zarr.open_array(folder / "x.zarr", mode="r")[:], dtype=float), "correlation")


def rsatoolbox(folder: Path, sizes: Sizes) -> np.ndarray:
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm

    x = np.asarray(zarr.open_array(folder / "x.zarr", mode="r")[:], dtype=float)
    data = Dataset(x, obs_descriptors={"stimulus": np.arange(len(x))})
    return calc_rdm(data, "correlation", "stimulus").get_vectors()[0]


CASE = Case(
    name="rdm",
    module="benchmarks.compare_rdm",
    sizes={"stimuli": 118, "units": 100_000},
    quick={"stimuli": 118, "units": 10_000},
    prepare=prepare,
    programs={"allometry": allometry, "scipy": scipy_pdist, "rsatoolbox": rsatoolbox},
    warm={
        "allometry": lambda: importlib.import_module("allometry.compare.measures.representations.rdm"),
        "scipy": lambda: importlib.import_module("scipy.spatial.distance"),
        "rsatoolbox": lambda: importlib.import_module("rsatoolbox"),
    },
    comparable=("scipy", "rsatoolbox"),
)

if __name__ == "__main__":
    main(CASE)
