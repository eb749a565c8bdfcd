"""Transmitters of nodes: from their table, or from what the rows of their edges say, with a confidence; and signs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from allometry.homogenize.connectomes.edge_stream import EdgeTable

NAME, CONFIDENCE = "neurotransmitter", "neurotransmitter_confidence"


def add(
    nodes: pd.DataFrame, table: EdgeTable, labels: list[str], options: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Nodes with transmitter, confidence and sign, as far as the files say them.

    Parameters
    ----------
    nodes : DataFrame
        By label; a column `neurotransmitter` comes before what the edges say.
    table : EdgeTable
        With the votes of the edges.
    labels : list of str
        Label of each node of the table.
    options : mapping
        `transmitter_names`, `min_confidence`, `signs`.

    Returns
    -------
    nodes : DataFrame
    record : dict
        Entries for `derived`.
    """
    record: dict[str, Any] = {}
    if table.votes and NAME not in nodes:
        voted, confidence = _of_votes(table)
        by_label = pd.DataFrame({NAME: voted, CONFIDENCE: confidence}, index=pd.Index(labels))
        by_label = by_label[~by_label.index.duplicated()].reindex(nodes.index)
        nodes = nodes.assign(
            **{NAME: by_label[NAME].fillna("").to_numpy(object), CONFIDENCE: by_label[CONFIDENCE].to_numpy()}
        )
        record[NAME] = (
            "that of most outgoing synapses; its share, or the mean of its scores over them, is the confidence"
        )
    if NAME not in nodes:
        return nodes, record
    names = options["transmitter_names"]
    nodes = nodes.assign(**{NAME: [names.get(name, name) for name in nodes[NAME].tolist()]})
    if options["min_confidence"] > 0 and CONFIDENCE in nodes:
        weak = ~(nodes[CONFIDENCE].to_numpy(float) >= options["min_confidence"]) & (nodes[NAME] != "").to_numpy()
        record["transmitters_below_min_confidence"] = int(weak.sum())
        nodes = nodes.assign(**{NAME: np.where(weak, "", nodes[NAME].to_numpy(object))})
    if options["signs"] and "sign" not in nodes:
        signs = {str(name): float(sign) for name, sign in options["signs"].items()}
        nodes = nodes.assign(sign=[signs.get(name, 0.0) for name in nodes[NAME].tolist()])
        record["sign"] = f"of the transmitter: {signs}; 0 of all others and where it is not known"
    return nodes, record


def _of_votes(table: EdgeTable) -> tuple[list[str], np.ndarray]:
    """Transmitter with the most votes of each node (empty where there are none), and its share of them."""
    names = list(table.votes)
    votes = np.column_stack([table.votes[name] for name in names])
    best = votes.argmax(axis=1)
    known = (table.voted > 0) & (votes.max(axis=1) > 0)
    share = np.full(len(best), np.nan)
    share[known] = votes.max(axis=1)[known] / table.voted[known]
    return [names[i] if yes else "" for i, yes in zip(best.tolist(), known.tolist())], share
