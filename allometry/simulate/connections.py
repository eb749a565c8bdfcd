"""The drawn connections of a network as a Connectome store."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from allometry import files, stores
from allometry.errors import SimulationError, interruptible
from allometry.network import Network
from allometry.network.neuron_model import unit_of
from allometry.network.scalars import plain_arguments
from allometry.simulate.build.plan.network import Plan, compile_network
from allometry.simulate.build.plan.positions import positions
from allometry.simulate.build.synapses.wiring import Drawn, drawn_synapses, with_plastic
from allometry.simulate.check.validate import check_network, check_seed
from allometry.simulate.distribute.description import unit_table

BLOCK = 2**23
"""Synapses held in memory at a time, roughly."""

_SPOOLED = ("source", "target", "weight", "synapses", "delay")


@plain_arguments
def connections(
    net: Network,
    seed: int,
    store: str | Path | None = None,
    precision: str = "fast",
    overwrite: bool = False,
    block: int = BLOCK,
) -> xr.Dataset:
    """Draw the connections that `run` has for a network and seed.

    Several synapses of a pair are one edge: its weight is their sum, `synapses` their number, `delay` their mean delay.

    Parameters
    ----------
    net : Network
        What to draw.
    seed : int
        Seed of the connections, as in `run`.
    store : path, optional
        Connectome store to write; ends in `.zarr`. Without it, the edges are returned in memory. Edges are `chemical`: `weight` is the size of the summed weight,
        `signed_weight` the sum itself, in pA or mV; `sign` of a node is +1 or -1 where all of its outputs have this sign.
    precision : {"fast", "exact"}
        Weights are those of this precision: rounded as `run` rounds them.
    overwrite : bool
        Whether a store that is there may be replaced.
    block : int
        Synapses held in memory at a time, roughly; the store does not depend on it.

    Returns
    -------
    xarray.Dataset
        The opened store, or the same in memory.

    Raises
    ------
    SimulationError
        If the network is impossible, or its populations take weights in different units.
    """
    if store is None:
        with tempfile.TemporaryDirectory(prefix="allometry-connections-") as folder:
            return connections(net, seed, Path(folder) / "connections.zarr", precision, block=block).load()
    store = Path(store)
    stores.require_free(store, overwrite=overwrite)
    check_network(net)
    check_seed(seed, precision, "simulate.connections")
    units = sorted({unit_of(net.population(p.target).neuron) for p in net.projections}) or ["1"]
    if len(units) > 1:
        raise SimulationError(
            f"the network has weights in {' and in '.join(units)}",
            where="simulate.connections",
            expected="one unit for all edges of a store",
            do="write the parts of the network that have one unit",
        )
    plan = with_plastic(compile_network(net, seed, precision))
    with interruptible(lambda: "the connections were interrupted, and nothing was written"), _folder(store) as folder:
        counts, signs, parts = _spool(plan, folder, block)
        columns = {
            "weight": (np.float32, units[0]),
            "signed_weight": (np.float32, units[0]),
            "synapses": (np.int32, "1"),
            "delay": (np.float32, "ms"),
        }
        with stores.EdgeWriter(store, int(counts.sum()), columns, overwrite=overwrite) as writer:
            for edges in _merged(folder, parts, counts, block):
                writer.append(
                    edges["source"], edges["target"], weight=np.abs(edges["weight"]), signed_weight=edges["weight"],
                    synapses=edges["synapses"], delay=edges["delay"],
                )  # fmt: skip
            space = net.space.unit if net.space else "1"
            writer.close(_nodes(plan, signs), _attributes(plan), {"x": space, "y": space, "sign": "1"})
    return stores.open(store)  # type: ignore[return-value]


@contextlib.contextmanager
def _folder(store: Path) -> Iterator[Path]:
    with files.writing(store):
        store.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{store.stem}-edges-", dir=store.parent) as folder:
        yield Path(folder)


def _spool(plan: Plan, folder: Path, block: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Draw part after part and write its edges; return edges per source, the signs of every source, and the parts."""
    expected = sum(s.expected for s in plan.synapses)
    parts = max(1, min(plan.size, round(expected / block + 0.5)))
    counts, signs = np.zeros(plan.size, np.int64), np.zeros((2, plan.size), bool)
    quanta = np.repeat([n.quantum.value for n in plan.neurons], [n.size for n in plan.neurons])
    for part in range(parts):
        drawn = drawn_synapses(plan, part, parts)
        edges = _edges(plan, drawn, quanta)
        counts += np.bincount(edges["source"], minlength=plan.size)
        signs[0, drawn.source[drawn.weight > 0]] = True
        signs[1, drawn.source[drawn.weight < 0]] = True
        with files.writing(folder):
            for name in _SPOOLED:
                np.save(folder / f"{name}-{part}.npy", edges[name])
    return counts, signs, parts


def _edges(plan: Plan, drawn: Drawn, quanta: np.ndarray) -> dict[str, np.ndarray]:
    """Join the synapses of a pair; the sums are of integers, so that their order does not matter."""
    if not len(drawn.source):
        return {
            name: np.empty(0, np.int32 if name in ("source", "target", "synapses") else np.float32) for name in _SPOOLED
        }
    new = np.ones(len(drawn.source), bool)
    new[1:] = (np.diff(drawn.source) != 0) | (np.diff(drawn.target) != 0)
    first = np.flatnonzero(new)
    number = np.diff(np.append(first, len(new)))
    target = drawn.target[first]
    delay = np.add.reduceat(drawn.delay.astype(np.int64), first) / number * plan.dt_ms
    return {
        "source": drawn.source[first],
        "target": target,
        "weight": (np.add.reduceat(drawn.weight, first) * quanta[target]).astype(np.float32),
        "synapses": number.astype(np.int32),
        "delay": delay.astype(np.float32),
    }


def _merged(folder: Path, parts: int, counts: np.ndarray, block: int) -> Iterator[dict[str, np.ndarray]]:
    """Yield the edges of all parts, sorted by (source, target), some sources at a time."""
    spooled = [
        {name: np.load(folder / f"{name}-{part}.npy", mmap_mode="r") for name in _SPOOLED} for part in range(parts)
    ]
    ends, below = np.cumsum(counts), 0
    while below < len(counts):
        before = int(ends[below - 1]) if below else 0
        above = max(below + 1, int(np.searchsorted(ends, before + block, side="right")))
        pieces = []
        for columns in spooled:
            low, high = np.searchsorted(columns["source"], [below, above])
            pieces.append({name: np.asarray(values[low:high]) for name, values in columns.items()})
        edges = {name: np.concatenate([piece[name] for piece in pieces]) for name in _SPOOLED}
        order = np.lexsort((edges["target"], edges["source"]))
        yield {name: values[order] for name, values in edges.items()}
        below = above


def _nodes(plan: Plan, signs: np.ndarray) -> pd.DataFrame:
    nodes = unit_table(plan.network)
    nodes["sign"] = np.where(signs[0] & ~signs[1], 1, np.where(signs[1] & ~signs[0], -1, 0)).astype(np.int8)
    placed = [p.positions is not None for p in plan.network.populations]
    if any(placed):
        missing = [np.full((p.size, 2), np.nan) for p in plan.network.populations]
        xy = np.concatenate(
            [positions(plan.network, i, plan.seed) if placed[i] else missing[i] for i in range(len(placed))]
        )
        nodes["x"], nodes["y"] = xy[:, 0], xy[:, 1]
    return nodes


def _attributes(plan: Plan) -> dict[str, Any]:
    net = plan.network
    return {
        "title": f"connections of {net.title}",
        "species": "none (model)",
        "citation": "none",
        "licence": "none",
        "source": {},
        "seed": plan.seed,
        "parameters": {**net.parameters, "precision": plan.precision, "network": net.to_dict(digest=True)},
        "derived": {"edges": "synapses of a pair joined: weights summed, delays averaged"},
    }
