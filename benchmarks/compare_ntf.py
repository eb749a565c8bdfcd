"""Non-negative factors of a large tensor, in memory (tensorly) and out of core: `python -m benchmarks.compare_ntf --json OUT`."""

import importlib
from pathlib import Path

import numpy as np
import zarr

from benchmarks.compare_case import Case, Sizes, main


def prepare(folder: Path, sizes: Sizes) -> None:
    shape = (sizes["time"], sizes["animals"], sizes["pairs"])
    out = zarr.create_array(folder / "x.zarr", shape=shape, chunks=(10, *shape[1:]), dtype="f4", overwrite=True)
    rng = np.random.default_rng(0)
    modes = [rng.random((n, sizes["rank"])) ** 3 for n in shape]
    for start in range(0, shape[0], 10):
        block = np.einsum("ar,br,cr->abc", modes[0][start : start + 10], modes[1], modes[2], optimize=True)
        out[start : start + 10] = block + 0.05 * rng.random(block.shape)


def out_of_core(folder: Path, sizes: Sizes) -> np.ndarray:
    from allometry.compare.measures.tensors.hals import ntf_blockwise

    stored = zarr.open_array(folder / "x.zarr", mode="r")
    return np.array(ntf_blockwise(stored, sizes["rank"], 0, sizes["sweeps"], 0.0)[2])


def in_memory(folder: Path, sizes: Sizes) -> np.ndarray:
    from allometry.compare.measures.tensors.decomposition import ntf

    x = np.asarray(zarr.open_array(folder / "x.zarr", mode="r")[:])
    return np.array(ntf(x, sizes["rank"], 1, 0, sizes["sweeps"], 0.0).error)


def _import() -> None:
    importlib.import_module("tensorly.decomposition")
    importlib.import_module("allometry.compare.tensor")


CASE = Case(
    name="ntf",
    module="benchmarks.compare_ntf",
    sizes={"time": 300, "animals": 300, "pairs": 2000, "rank": 5, "sweeps": 10},
    quick={"time": 60, "animals": 30, "pairs": 500, "rank": 5, "sweeps": 10},
    prepare=prepare,
    programs={"allometry_out_of_core": out_of_core, "tensorly_in_memory": in_memory},
    warm={"allometry_out_of_core": _import, "tensorly_in_memory": _import},
    comparable=("tensorly_in_memory",),  # relative errors after the same number of sweeps
)

if __name__ == "__main__":
    main(CASE)
