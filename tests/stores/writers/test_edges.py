"""Edges written in blocks give the store that `write(connectome(...))` gives; wrong blocks leave nothing behind."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allometry import stores
from allometry.errors import StoreError
from allometry.stores.storage import layout

NODES = pd.DataFrame({"class_": ["a", "b", "b"] * 4}, index=[f"n{i}" for i in range(12)])
ATTRS = {"title": "t", "species": "s", "citation": "c", "licence": "l", "source": {}, "parameters": {}, "derived": {}}
COLUMNS = {"weight": (np.float32, "mV"), "delay": (np.float32, "ms")}


def edges() -> dict[str, np.ndarray]:
    source, target = np.divmod(np.flatnonzero(np.random.default_rng(0).random(144) < 0.6), 12)
    weight = np.arange(len(source), dtype=np.float32)
    return {"source": source.astype(np.int32), "target": target.astype(np.int32), "weight": weight, "delay": weight / 4}


@pytest.mark.parametrize("blocks", [1, 7])
def test_bytes_are_those_of_write(tmp_path: Path, blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "STREAM_CHUNK", 5)
    monkeypatch.setattr(layout, "SHARD_CHUNKS", 3)
    table = edges()
    with stores.EdgeWriter(tmp_path / "a.zarr", len(table["source"]), COLUMNS) as writer:
        for index in np.array_split(np.arange(len(table["source"])), blocks):
            writer.append(**{name: values[index] for name, values in table.items()})
        writer.close(NODES, ATTRS)
    frame = pd.DataFrame(table).assign(synapse="chemical")
    frame["source"], frame["target"] = (NODES.index[frame[name]] for name in ("source", "target"))
    whole = stores.connectome(NODES, frame, attrs=ATTRS, weight_units="mV", units={"delay": "ms"})
    stores.write(whole, tmp_path / "b.zarr")
    first, second = (stores.read_manifest(tmp_path / f"{name}.zarr")["content"] for name in "ab")
    assert first == second


@pytest.mark.parametrize("case", ["order", "twice", "negative", "more", "fewer", "column", "node"])
def test_wrong_blocks_leave_nothing(tmp_path: Path, case: str) -> None:
    table = edges()
    count = len(table["source"])
    if case == "order":
        table = {name: values[::-1] for name, values in table.items()}
    if case == "negative":
        table["weight"] = -table["weight"]
    if case == "column":
        del table["delay"]
    announced = count + {"more": -1, "fewer": 1}.get(case, 0)

    def written() -> None:
        with stores.EdgeWriter(tmp_path / "a.zarr", announced, COLUMNS) as writer:
            writer.append(**table)
            if case == "twice":
                writer.append(**table)
            writer.close(NODES.iloc[:5] if case == "node" else NODES, ATTRS)

    with pytest.raises(StoreError):
        written()
    assert not list(tmp_path.iterdir())
