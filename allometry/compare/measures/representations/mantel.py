"""Permutation test of the agreement of two RDMs: the labels of the stimuli of one are shuffled."""

import numpy as np
import numpy.typing as npt
import scipy

from allometry.compare.inference.arrays import FloatArray, blocks, choice, condensed, n_from_pairs, same_length, varies
from allometry.compare.inference.blockwise import BLOCK_BYTES, Estimate, afford, fitting
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import PermutationTest, permutation_p
from allometry.errors import ComparisonError
from allometry.numerics.fixed_order import inner, norm


@corresponding("rdm_a", "rdm_b")
def rsa_permutation(
    rdm_a: npt.ArrayLike,
    rdm_b: npt.ArrayLike,
    method: str = "spearman",
    n: int = 10_000,
    seed: int = 0,
    alternative: str = "greater",
) -> PermutationTest:
    """Permutation (Mantel) test of RSA: rows and columns of one RDM are reordered together.

    Ranks are permuted with the stimuli, so that they are computed once: 10^4 permutations of 118 stimuli take about a
    second.

    Parameters
    ----------
    rdm_a, rdm_b : array_like, shape (pairs,)
        Without NaN: a permutation would move them.
    method : str
        "spearman" or "pearson".
    n : int
        Permutations; p is never below 1 / (n + 1).
    seed : int
    alternative : str
        "greater", "less" or "two-sided".

    Returns
    -------
    PermutationTest

    References
    ----------
    Mantel 1967, Cancer Res. 27:209; Kriegeskorte, Mur & Bandettini 2008, Front. Syst. Neurosci. 2:4.
    """
    choice(method, ("spearman", "pearson"), "method")
    a, b = condensed(rdm_a, "rdm_a"), condensed(rdm_b, "rdm_b")
    same_length(a, b, "rdm_a and rdm_b")
    if n_from_pairs(a.size) < 4 or n < 1:
        raise ComparisonError(
            f"{n_from_pairs(a.size)} stimuli, {n} permutations",
            where="rdm_a, n",
            expected="at least four stimuli, one permutation",
        )
    at_once = max(1, min(64, BLOCK_BYTES // (8 * a.size)))  # 64 of 118 stimuli are 4 MB
    need = Estimate(
        f"permutations of {n_from_pairs(a.size):,} stimuli", 8 * a.size * (10 + 3 * at_once), 8 * n, 4.0 * n * a.size
    )
    afford(need, f"at most {fitting(8 * 13 / 2, 2):,} stimuli")
    x, y = _standard(a, method), _standard(b, method)
    flat = scipy.spatial.distance.squareform(x).ravel()
    size = n_from_pairs(a.size)
    i, j = np.triu_indices(size, 1)
    rng = np.random.default_rng(seed)
    null = np.empty(n)
    for part in steps(blocks(n, at_once), f"permutations of stimuli, {at_once} at a time"):
        order = np.array([rng.permutation(size) for _ in range(part.start, part.stop)])
        null[part] = flat.take(order.take(i, axis=1) * size + order.take(j, axis=1)) @ y
    observed = inner(x, y)
    return PermutationTest(observed, permutation_p(observed, null, alternative), null)


def _standard(d: FloatArray, method: str) -> FloatArray:
    if not varies(d):
        raise ComparisonError("an RDM is constant", where="rdm_a or rdm_b", expected="dissimilarities that vary")
    values = scipy.stats.rankdata(d) if method == "spearman" else d
    centred = values - values.mean()
    return np.asarray(centred / norm(centred))
