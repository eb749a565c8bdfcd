"""Permutation test of RSA, beside permuting and calling scipy: `python -m benchmarks.compare_permutation --json OUT`."""

import importlib
from pathlib import Path

import numpy as np
from scipy.spatial.distance import pdist, squareform

from benchmarks.compare_case import Case, Sizes, main


def prepare(folder: Path, sizes: Sizes) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(sizes["stimuli"], 20))
    np.savez(folder / "rdms.npz", a=pdist(x), b=pdist(x + 2 * rng.normal(size=x.shape)))


def allometry(folder: Path, sizes: Sizes) -> np.ndarray:
    from allometry.compare.measures.representations.mantel import rsa_permutation

    with np.load(folder / "rdms.npz") as data:
        return rsa_permutation(data["a"], data["b"], n=sizes["permutations"], seed=0).null


def scipy_spearman(folder: Path, sizes: Sizes) -> np.ndarray:
    from scipy.stats import spearmanr

    with np.load(folder / "rdms.npz") as data:
        square, b = squareform(data["a"]), data["b"]
    rng = np.random.default_rng(0)
    null = np.empty(sizes["permutations"])
    for k in range(null.size):
        order = rng.permutation(len(square))
        null[k] = spearmanr(squareform(square[np.ix_(order, order)]), b).statistic
    return null


CASE = Case(
    name="permutation",
    module="benchmarks.compare_permutation",
    sizes={"stimuli": 118, "permutations": 10_000},
    quick={"stimuli": 118, "permutations": 500},
    prepare=prepare,
    programs={"allometry": allometry, "scipy": scipy_spearman},
    warm={
        "allometry": lambda: importlib.import_module("allometry.compare.measures.representations.mantel"),
        "scipy": lambda: importlib.import_module("scipy.stats"),
    },
    comparable=("scipy",),
)

if __name__ == "__main__":
    main(CASE)
