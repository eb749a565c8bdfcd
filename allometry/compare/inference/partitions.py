"""How much two partitions of the same items agree: normalised mutual information, its interval and its chance level."""

import numpy as np
import numpy.typing as npt
from scipy import stats

from allometry.compare.inference.arrays import FloatArray, IntArray
from allometry.compare.inference.labels import corresponding
from allometry.compare.inference.progress import steps
from allometry.compare.inference.statistics import Interval
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError


@measure(
    name="community_nmi",
    version="1",
    inputs="two partitions of the same neurons",
    invariances="names of communities",
    use="do two partitions of neurons agree?",
    reference="Danon et al. 2005, J. Stat. Mech. P09008",
    scale=SHARE,
)
@corresponding("a", "b")
def nmi(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Normalised mutual information 2 I(a; b) / (H(a) + H(b)) of two labellings of the same items.

    Parameters
    ----------
    a, b : array_like of int, shape (items,)
        Communities; items with a negative label in either are left out.

    Returns
    -------
    float
        1 for equal partitions, about 0 for unrelated ones (more where communities are many and items few); NaN where fewer
        than two items are left or both have one community only.

    References
    ----------
    Danon, Diaz-Guilera, Duch & Arenas 2005, J. Stat. Mech. P09008.
    """
    x, y = np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64)
    if x.shape != y.shape or x.ndim != 1:
        raise ComparisonError(
            f"labels of shapes {x.shape} and {y.shape}", where="a, b", expected="one label per item in both"
        )
    kept = (x >= 0) & (y >= 0)
    x, y = x[kept], y[kept]
    if x.size < 2:
        return float("nan")
    width = int(y.max()) + 1
    joint = np.bincount(x * width + y, minlength=(int(x.max()) + 1) * width).reshape(-1, width) / x.size
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    entropy = _entropy(rows) + _entropy(columns)
    if entropy <= 0:
        return float("nan")
    return float(2 * (entropy - _entropy(joint.ravel())) / entropy)


def _entropy(p: FloatArray) -> float:
    positive = p[p > 0]
    return float(-(positive * np.log(positive)).sum())


def mean_nmi(pairs: list[tuple[IntArray, IntArray]], items: IntArray | None = None) -> float:
    """Mean over pairs of partitions, of all items or of those named; pairs without a defined value are left out."""
    values = [nmi(a, b) if items is None else nmi(a[items], b[items]) for a, b in pairs]
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def jackknife_nmi(pairs: list[tuple[IntArray, IntArray]]) -> Interval:
    """Mean agreement of pairs of partitions of the same items, with a 95 % interval by leaving out one item at a time.

    A bootstrap would draw items twice, and twice the same item agrees with itself.
    """
    items = pairs[0][0].size
    everyone = np.arange(items)
    estimate = mean_nmi(pairs)
    left = np.array([mean_nmi(pairs, np.delete(everyone, i)) for i in steps(everyone, "jackknife of partitions")])
    if not np.isfinite(estimate) or not np.isfinite(left).all():
        return Interval(estimate, np.nan, np.nan, method="jackknife")
    spread = float(stats.t.ppf(0.975, items - 1) * np.sqrt((items - 1) * left.var()))
    return Interval(estimate, max(estimate - spread, 0.0), min(estimate + spread, 1.0), method="jackknife")


def chance_nmi(pairs: list[tuple[IntArray, IntArray]], n: int, seed: int) -> FloatArray:
    """Mean agreement `[n]` after permuting the items of the first partition of every pair, the same way in all."""
    rng = np.random.default_rng(seed)
    items = pairs[0][0].size
    return np.array(
        [
            mean_nmi([(a[order], b) for a, b in pairs])
            for order in (rng.permutation(items) for _ in steps(range(n), "permutations of partitions"))
        ]
    )
