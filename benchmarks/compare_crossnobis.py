"""Crossnobis distances from a Zarr array, beside rsatoolbox: `python -m benchmarks.compare_crossnobis --json OUT`."""

import importlib
from pathlib import Path

import numpy as np
import zarr

from benchmarks.compare_case import Case, Sizes, main


def prepare(folder: Path, sizes: Sizes) -> None:
    n, repeats, units = sizes["stimuli"], sizes["repeats"], sizes["units"]
    out = zarr.create_array(
        folder / "x.zarr", shape=(n, repeats, units), chunks=(n, repeats, min(units, 500)), dtype="f4", overwrite=True
    )
    rng = np.random.default_rng(0)
    for start in range(0, units, 500):
        width = min(500, units - start)
        signal = rng.normal(size=(n, 1, width))
        out[:, :, start : start + width] = signal + rng.normal(size=(n, repeats, width))


def allometry(folder: Path, sizes: Sizes) -> np.ndarray:
    import dask.array as da

    from allometry.compare.measures.representations.crossnobis import crossnobis

    return crossnobis(da.from_zarr(folder / "x.zarr"), whiten=False)


def rsatoolbox(folder: Path, sizes: Sizes) -> np.ndarray:
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm

    x = np.asarray(zarr.open_array(folder / "x.zarr", mode="r")[:])
    n, repeats, units = x.shape
    labels = {"stimulus": np.repeat(np.arange(n), repeats), "fold": np.tile(np.arange(repeats), n)}
    data = Dataset(x.reshape(-1, units), obs_descriptors=labels)
    return calc_rdm(data, "crossnobis", "stimulus", cv_descriptor="fold").get_vectors()[0]


CASE = Case(
    name="crossnobis",
    module="benchmarks.compare_crossnobis",
    sizes={"stimuli": 118, "repeats": 50, "units": 20_000},
    quick={"stimuli": 118, "repeats": 10, "units": 1000},
    prepare=prepare,
    programs={"allometry": allometry, "rsatoolbox": rsatoolbox},
    warm={
        "allometry": lambda: [
            importlib.import_module(m) for m in ("dask.array", "allometry.compare.measures.representations.crossnobis")
        ],
        "rsatoolbox": lambda: importlib.import_module("rsatoolbox"),
    },
    comparable=("rsatoolbox",),
)

if __name__ == "__main__":
    main(CASE)
