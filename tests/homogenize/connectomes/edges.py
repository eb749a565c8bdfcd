"""One network of made-up numbers, as rows, summed in plain Python, and written as SONATA and GraphML."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import h5py
import networkx as nx
import numpy as np
import pandas as pd
import xarray as xr

from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS

NODES = 9
Edges = dict[tuple[str, str], float]


def rows(seed: int = 3) -> pd.DataFrame:
    """Edges between nodes 0 to 8, some pairs listed more than once, every node in at least one."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"pre": rng.integers(0, NODES, 60), "post": rng.integers(0, NODES, 60)})
    ring = pd.DataFrame({"pre": range(NODES), "post": [*range(1, NODES), 0]})
    table = pd.concat([table, ring], ignore_index=True)
    return table.assign(n=rng.integers(1, 9, len(table)))


def summed(table: pd.DataFrame) -> Edges:
    out: Edges = defaultdict(float)
    for pre, post, n in table.itertuples(index=False):
        out[str(pre), str(post)] += n
    return dict(out)


def matrix(table: pd.DataFrame) -> np.ndarray:
    dense = np.zeros((NODES, NODES))
    for (pre, post), n in summed(table).items():
        dense[int(pre), int(post)] = n
    return dense


def read(*paths: Path, **options: Any) -> xr.Dataset:
    files = {path.name: path for path in paths}
    dataset = READERS["generic_edges"](files, Source("mine", own=True), options)
    assert isinstance(dataset, xr.Dataset)
    return dataset


def edges(dataset: xr.Dataset) -> Edges:
    nodes = dataset["node"].values
    ends = zip(nodes[dataset["source"].values], nodes[dataset["target"].values], dataset["weight"].values)
    return {(str(source), str(target)): float(weight) for source, target, weight in ends}


def write_sonata(path: Path, table: pd.DataFrame, populations: tuple[str, str] = ("cortex", "cortex")) -> None:
    """Edges as the SONATA guide lays them out; the rows alternate between two attribute groups."""
    with h5py.File(path, "w") as file:
        group = file.create_group("edges/pop")
        for end, column, population in zip(("source", "target"), ("pre", "post"), populations):
            group[f"{end}_node_id"] = table[column].to_numpy(np.uint64)
            group[f"{end}_node_id"].attrs["node_population"] = population
        count = len(table)
        group["edge_type_id"] = np.where(np.arange(count) % 3, 100, 101)
        group["edge_group_id"] = np.arange(count) % 2
        group["edge_group_index"] = np.arange(count) // 2
        for number in (0, 1):
            group[f"{number}/syn_weight"] = table["n"].to_numpy(float)[number::2]


def write_graphml(path: Path, table: pd.DataFrame) -> None:
    graph = nx.DiGraph()
    for (pre, post), n in summed(table).items():
        graph.add_edge(pre, post, n=n)
    nx.write_graphml(graph, path)
