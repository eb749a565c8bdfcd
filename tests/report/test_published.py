"""Counts of stores beside published ones; oracles: stores of known size."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allometry import cli, config, stores
from allometry.homogenize.reader import Source
from allometry.homogenize.readers import READERS
from allometry.report import published
from tests.homogenize.fixtures.worms import write_uzel2022


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    raw = folder / "raw"
    raw.mkdir()
    fixture = write_uzel2022(raw)
    source = Source("worms", "Caenorhabditis elegans", "c", "l", "layout-only", dict.fromkeys(fixture.files, ""))
    tree = READERS["uzel2022_activity"](dict(fixture.files), source, {})
    stores.write(tree, folder / "homogenized/activity/worms.zarr")
    wired = stores.connectome(
        pd.DataFrame(index=["a", "b", "c"]),
        pd.DataFrame({"source": list("aab"), "target": list("bca"), "weight": [2.0, 3.0, 4.0], "synapse": "chemical"}),
        attrs={
            "title": "t",
            "species": "s",
            "citation": "c",
            "licence": "l",
            "source": {},
            "parameters": {},
            "derived": {},
        },
    )
    stores.write(wired, folder / "homogenized/connectome/wires.zarr")
    return folder


def test_counts_are_those_of_the_store(results: Path) -> None:
    tree = stores.open(results / "homogenized/activity/worms.zarr")
    natives = [tree[f"native/{name}"].to_dataset() for name in tree["recording"].values.tolist()]
    counted = published.counts(results / "homogenized/activity/worms.zarr")
    assert counted["recordings"] == len(natives)
    assert counted["units"] == np.mean([native.sizes["roi"] for native in natives])
    assert counted["labelled"] == np.mean([(native["label"].values != "").sum() for native in natives])
    assert published.counts(results / "homogenized/connectome/wires.zarr") == {
        "nodes": 3,
        "chemical_edges": 3,
        "chemical": 9,
    }


def test_verdicts(results: Path) -> None:
    made = published.counts(results / "homogenized/activity/worms.zarr")
    given = {
        "by": "somebody",
        "recordings": int(made["recordings"]) + 1,
        "labelled": math.floor(made["labelled"]),
        "units": math.floor(made["units"]) - 1,
    }
    table = published.table(
        results,
        {
            ("activity", "worms"): given,
            ("activity", "absent"): {"by": "somebody", "recordings": 3},
            ("connectome", "wires"): {"by": "another", "chemical": 9, "electrical": 1},
            ("connectome", "unknown"): None,
        },
    )
    assert table[["store", "quantity", "verdict"]].values.tolist() == [
        ["worms", "recordings", "fewer"],
        ["worms", "labelled", "as published"],
        ["worms", "units", "more"],
        ["absent", "recordings", "not made"],
        ["wires", "chemical", "as published"],
        ["wires", "electrical", "not counted"],
        ["unknown", "nodes", "not made"],
    ]
    said = published.printed(table)
    assert "published by: somebody" in said
    assert "published by: another" in said
    assert "as published: 2" in said


def test_the_command_reads_the_registry(
    root: Path, results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    assert cli.main(["published", str(results), "--configfile", "config/worms.yaml"]) == 0
    said = capsys.readouterr().out
    asked = config.load("config/worms.yaml").homogenize
    assert all(f"{name} " in said for name in [*asked.activity, *asked.connectome])
    assert "lin2023_simeon2024" in said
    assert "577" in said


def test_the_collection_of_worms_is_complete(root: Path) -> None:
    """12 sets and 10 connectomes, and all their published worms: about 900, as the abstract of the publication has it."""
    cfg = config.load(root / "config/worms.yaml")
    registry = config.load_registry(cfg, root)
    sets = {
        name: entry["published"]["recordings"]
        for name, entry in registry.items()
        if name not in ("kato2015", "dag2023") and (entry.get("published") or {}).get("recordings")
    }
    assert len(sets) == 12
    assert sum(sets.values()) == 912
    for name in sets:
        assert {name, f"{name}_simeon2024"} <= set(cfg.homogenize.activity)
        entry = registry[name]["stores"]
        assert entry[f"{name}_simeon2024"]["options"]["preset"] == "simeon2024"
        assert "preset" not in entry[name]["options"]
    assert len(cfg.homogenize.worm_stack) == 10
