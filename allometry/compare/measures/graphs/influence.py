"""What the wiring says of the influence of one node on another, and how well it says it."""

import numpy as np
from numpy.typing import ArrayLike

from allometry.compare.inference.arrays import array
from allometry.compare.inference.labels import corresponding
from allometry.compare.measures.graphs.matrices import Floats
from allometry.compare.measures.graphs.structure import rank_correlation
from allometry.compare.records.measures import SHARE, measure
from allometry.errors import ComparisonError

FEWEST_TARGETS = 10


def chain_strength(signed: ArrayLike, received: ArrayLike, steps: int) -> Floats:
    """Sum over paths of up to `steps` edges of the products of input shares.

    Parameters
    ----------
    signed : array_like [source, target]
        Weights with the sign of the source; self-loops count as any edge.
    received : array_like [target]
        All input of each node, above 0 where it has any.
    steps : int
        Longest path, edges.

    Returns
    -------
    ndarray [source, target]
        A + A^2 + ... + A^steps, A the signed weights over `received`; the absolute row sums of A^T are at most 1.

    Raises
    ------
    ComparisonError
        `steps` below 1, or a matrix that is not square.
    """
    a, total = array(signed, "signed", 2), array(received, "received", 1)
    if a.shape[0] != a.shape[1] or total.shape != a.shape[:1]:
        raise ComparisonError(
            f"shapes {a.shape} and {total.shape}",
            where="signed, received",
            expected="a square matrix and its columns' sums",
        )
    if steps < 1:
        raise ComparisonError(f"steps is {steps}", where="steps", expected="at least 1")
    share = np.divide(a, total, out=np.zeros(a.shape), where=total > 0)
    power, found = share, share.copy()
    for _ in range(steps - 1):
        power = power @ share
        found += power
    return found


@measure(
    name="activation_correlation",
    version="1",
    inputs="influence and predictor [driven, nodes]",
    invariances="monotonic transformation of either, neuron by neuron",
    use="does the wiring tell which neurons a driven neuron reaches?",
    reference="Spearman 1904, Am. J. Psychol. 15:72, row by row: this project",
    ceiling="correlation",
    scale=SHARE,
)
@measure(
    name="activation_correlation_indirect",
    version="1",
    inputs="influence [driven, nodes], NaN where there is an edge, and predictor",
    invariances="monotonic transformation of either, neuron by neuron",
    use="does the wiring tell which neurons a driven neuron reaches beyond its own targets?",
    reference="Spearman 1904, Am. J. Psychol. 15:72, row by row: this project",
    ceiling="correlation",
    scale=SHARE,
)
@corresponding("influence", "predictor", axes=2)
def activation_correlation(influence: ArrayLike, predictor: ArrayLike) -> Floats:
    """Spearman correlation of influence and predictor over the targets of every driven neuron.

    Parameters
    ----------
    influence, predictor : array_like [driven, node]
        In any unit; NaN marks a target that does not count.

    Returns
    -------
    ndarray [driven]
        In [-1, 1]; NaN for fewer than 10 targets, or where either is constant.

    Raises
    ------
    ComparisonError
        Two shapes.
    """
    x, y = array(influence, "influence", 2, finite=False), array(predictor, "predictor", 2, finite=False)
    if x.shape != y.shape:
        raise ComparisonError(
            f"shapes {x.shape} and {y.shape}", where="influence, predictor", expected="two matrices [driven, node]"
        )
    both = np.isfinite(x) & np.isfinite(y)
    return np.array(
        [
            rank_correlation(a[known], b[known]) if known.sum() >= FEWEST_TARGETS else np.nan
            for a, b, known in zip(x, y, both)
        ]
    )
