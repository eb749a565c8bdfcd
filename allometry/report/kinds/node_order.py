"""Order of the nodes of a connectome in a matrix: by type, or by hemisphere."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from allometry.report.drawing.names import readable

FIRST = ("sensory", "inter", "interneuron", "motor")
"""Types of neurons in the order of the flow of signals; others follow in the order of the store."""


@dataclass(frozen=True)
class Order:
    """Nodes in the order in which a matrix shows them: their labels, and groups with the share that each takes."""

    index: npt.NDArray[np.int64]
    labels: list[str]
    groups: list[tuple[str, int]]


def node_order(ds: xr.Dataset) -> Order:
    """Nodes sorted by type, or by hemisphere, as far as the store says one."""
    labels = ds["node"].values.astype(object)
    group = next(
        (
            ds[key].values.astype(object)
            for key in ("type", "hemisphere")
            if key in ds and len(set(ds[key].values.tolist())) > 1
        ),
        None,
    )
    if group is None:
        return Order(np.arange(len(labels)), labels.tolist(), [])
    present = list(dict.fromkeys(group.tolist()))
    ranked = sorted(
        present, key=lambda name: (name == "", FIRST.index(name) if name in FIRST else len(FIRST), present.index(name))
    )
    rank = np.array([ranked.index(name) for name in group.tolist()])
    index = np.argsort(rank, kind="stable")
    groups = [(readable(str(name)) or "other", int((rank == place).sum())) for place, name in enumerate(ranked)]
    return Order(index, labels[index].tolist(), groups)


def grouping(order: Order) -> str:
    """The order in words, for a caption; empty where nodes are not sorted."""
    if not order.groups:
        return ""
    return f", ordered by {', '.join(name for name, _ in order.groups[:6])}{' and others' if len(order.groups) > 6 else ''}"
