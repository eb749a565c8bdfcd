"""Genuine graphs for the tests of `connectome_lif`, read from a mirror without any reader of the project."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np

from allometry.models.graph import Graph

GABA = {
    *(f"DD0{i}" for i in range(1, 7)),
    *(f"VD{i:02d}" for i in range(1, 14)),
    *("RMED", "RMEV", "RMEL", "RMER", "AVL", "DVB", "RIS"),
}


def worm(mirror: Path) -> Graph:
    """Cook et al. 2019, hermaphrodite: chemical edges among the neurons with chemical output."""
    counts: Counter[tuple[str, str]] = Counter()
    with (mirror / "celegans_connectome" / "herm_full_edgelist.csv").open() as file:
        for row in csv.DictReader(file):
            if row["Type"].strip() == "chemical":
                counts[row["Source"].strip(), row["Target"].strip()] += int(row["Weight"])
    names = sorted({source for source, _ in counts})
    number = {name: i for i, name in enumerate(names)}
    edges = sorted((number[s], number[t], n) for (s, t), n in counts.items() if t in number)
    source, target, count = np.array(edges).T
    sign = np.array([-1.0 if name in GABA else 1.0 for name in names])
    return Graph(tuple(names), source, target, count.astype(float), sign)


def mushroom_body(mirror: Path) -> Graph:
    """FlyWire v783, right mushroom body; labels are root ids."""
    with np.load(mirror / "fly_mb_flywire783" / "mb_fafb783.npz", allow_pickle=False) as f:
        source = np.repeat(np.arange(len(f["root_id"])), np.diff(f["indptr"]))
        labels = tuple(str(i) for i in f["root_id"])
        return Graph(labels, source, f["indices"].astype(int), f["syn_count"].astype(float), f["sign"].astype(float))


def projection_neurons(mirror: Path) -> list[str]:
    """Root ids of the first 20 projection neurons in the order of the file."""
    with np.load(mirror / "fly_mb_flywire783" / "mb_fafb783.npz", allow_pickle=False) as f:
        return [str(i) for i in f["root_id"][f["pn_idx"][:20]]]
