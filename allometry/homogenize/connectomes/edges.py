"""From the edge rows of a source to the edges of a store: checks, sums of duplicates, electrical symmetry.

Nothing is dropped without a record: every function returns what it did as entries for the store's `derived` attr.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from allometry.errors import ReaderError

KEY = ["synapse", "source", "target"]
SIGNED = frozenset({"functional"})
_LARGEST = float(np.finfo(np.float32).max)
Record = dict[str, Any]


def tidy(edges: pd.DataFrame, where: str) -> tuple[pd.DataFrame, Record]:
    """Check edge rows, sum duplicates, drop zero weights, symmetrise electrical ones.

    Parameters
    ----------
    edges : pandas.DataFrame
        Columns `source`, `target`, `synapse` (str) and `weight` (float); the index names the rows of the file.
        One row is what the file lists, in its own direction.
    where : str
        File name for messages.

    Returns
    -------
    edges : pandas.DataFrame
        Sorted and unique by (synapse, source, target). `weight_forward` and `weight_backward` (listed weight of
        source -> target and of target -> source) are present where electrical rows disagreed.
    record : dict
        Entries for `derived`.
    """
    check_weights(edges, where)
    record: Record = {"listed": listed(edges)}
    zero = edges["weight"] == 0
    if zero.any():
        record["zero_weight_rows_dropped"] = int(zero.sum())
        edges = edges[~zero]
    edges, summed = sum_duplicates(edges)
    record |= summed
    electrical = edges["synapse"] == "electrical"
    if electrical.any():
        both, noted = symmetrise(edges[electrical])
        record |= noted
        edges = pd.concat([edges[~electrical], both], ignore_index=True)
    edges = edges.sort_values(KEY, ignore_index=True)
    if edges.empty:
        raise ReaderError("no edge with a positive weight", where=where, expected="at least one connection")
    return edges, record


def check_weights(edges: pd.DataFrame, where: str) -> None:
    """Raise a `ReaderError` for a NaN or infinite weight, and for a negative one of an anatomical kind."""
    weight = edges["weight"].to_numpy(float)
    for bad, what, expected in (
        (~(np.abs(weight) <= _LARGEST), "weight is not a finite number", "a number that float32 can hold"),
        (
            (weight < 0) & ~edges["synapse"].isin(SIGNED).to_numpy(),
            "negative weight of an anatomical connection",
            "a weight >= 0 (only functional connectomes are signed)",
        ),
    ):
        if bad.any():
            row = edges.iloc[int(np.argmax(bad))]
            raise ReaderError(
                f"{what}: {row['source']} -> {row['target']} ({row['synapse']}): {row['weight']}",
                where=f"{where}, row {row.name}",
                expected=expected,
                do="correct the cell in the file",
            )


def listed(edges: pd.DataFrame) -> Record:
    """Rows and total weight per synapse kind, as the file lists them: the numbers that publications count."""
    groups = edges.groupby("synapse", sort=True)["weight"]
    return {str(kind): {"rows": len(w), "weight": float(w.sum())} for kind, w in groups}


def sum_duplicates(edges: pd.DataFrame) -> tuple[pd.DataFrame, Record]:
    """Sum rows with the same (synapse, source, target); the record says how many rows were merged."""
    duplicated = edges.duplicated(KEY, keep=False)
    if not duplicated.any():
        return edges.reset_index(drop=True), {}
    merged = edges.groupby(KEY, sort=False)["weight"].sum().reset_index()
    first = edges[duplicated].iloc[0]
    return merged, {
        "duplicate_rows_summed": int(len(edges) - len(merged)),
        "duplicate_rows_example": f"{first['source']} -> {first['target']} ({first['synapse']})",
    }


def symmetrise(edges: pd.DataFrame) -> tuple[pd.DataFrame, Record]:
    """Electrical edges in both directions with equal weight: the mean of the two listed, or the one listed.

    Parameters
    ----------
    edges : pandas.DataFrame
        Unique electrical rows (source, target, weight, synapse), listed in one direction or in both.

    Returns
    -------
    edges : pandas.DataFrame
        Both directions of every pair (a cell's junction with itself: one row).
    record : dict
        How many pairs were listed once, twice, and with different weights.
    """
    listed_weight = edges.set_index(["source", "target"])["weight"]
    a = np.minimum(edges["source"].astype(object), edges["target"].astype(object))
    b = np.maximum(edges["source"].astype(object), edges["target"].astype(object))
    pairs = pd.MultiIndex.from_arrays([a, b]).unique()
    forward = listed_weight.reindex(pairs).to_numpy(float)
    backward = listed_weight.reindex(pairs.swaplevel()).to_numpy(float)
    self_loop = pairs.get_level_values(0) == pairs.get_level_values(1)
    twice = ~np.isnan(forward) & ~np.isnan(backward) & ~self_loop
    differ = twice & (forward != backward)
    weight = np.where(twice, (forward + backward) / 2, np.where(np.isnan(forward), backward, forward))
    frame = pd.DataFrame(
        {
            "source": pairs.get_level_values(0),
            "target": pairs.get_level_values(1),
            "weight": weight,
            "weight_forward": np.where(differ, forward, np.nan),
            "weight_backward": np.where(differ, backward, np.nan),
        }
    )
    reverse = frame[~self_loop].rename(
        columns={
            "source": "target",
            "target": "source",
            "weight_forward": "weight_backward",
            "weight_backward": "weight_forward",
        }
    )
    both = pd.concat([frame, reverse], ignore_index=True)
    both["synapse"] = "electrical"
    if not differ.any():
        both = both.drop(columns=["weight_forward", "weight_backward"])
    return both, {
        "electrical": {
            "rule": "both directions, mean of the two listed weights, or the one listed",
            "pairs": len(pairs),
            "pairs_listed_both_ways": int(twice.sum()),
            "pairs_with_different_weights": int(differ.sum()),
            "self_junctions": int(np.sum(self_loop)),
        }
    }


def stored(edges: pd.DataFrame) -> Record:
    """Edges and total weight per synapse kind, as stored (electrical ones count in both directions)."""
    groups = edges.groupby("synapse", sort=True)["weight"]
    return {str(kind): {"edges": len(w), "weight": float(w.sum())} for kind, w in groups}


def from_matrix(
    matrix: np.ndarray, rows: Iterable[str], columns: Iterable[str], synapse: str, where: str
) -> pd.DataFrame:
    """Edge rows of the non-zero cells of a [source, target] matrix; NaN is an error that names the cell."""
    rows, columns = list(rows), list(columns)
    if matrix.shape != (len(rows), len(columns)):
        raise ReaderError(
            f"matrix of shape {matrix.shape} does not fit its {len(rows)} row and {len(columns)} column names",
            where=where,
            expected="one name per row and per column",
        )
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0]
        raise ReaderError(
            f"missing value in the matrix at {rows[i]} -> {columns[j]}", where=where, expected="a number in every cell"
        )
    i, j = np.nonzero(matrix)
    return pd.DataFrame(
        {
            "source": np.asarray(rows, object)[i],
            "target": np.asarray(columns, object)[j],
            "weight": matrix[i, j].astype(float),
            "synapse": synapse,
        }
    )
