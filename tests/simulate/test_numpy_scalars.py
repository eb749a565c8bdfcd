"""Arguments of a run given as numpy scalars."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from distributed import Client

from allometry import simulate
from allometry.network import DCInput, FixedIndegree, IafPscExp, Network, PoissonInput, Population, Projection
from allometry.simulate import Probe, Record


def test_numpy_scalars_run_as_python_numbers_do(client: Client, tmp_path: Path) -> None:
    def content(name: str, number: Any, whole: Any) -> str:
        net = Network(
            (Population("a", whole(20), IafPscExp()),),
            (Projection("a", "a", FixedIndegree(whole(3)), number(87.8), number(1.5)),),
            (PoissonInput("a", number(9000), number(87.8)), DCInput("a", whole(30))),
            dt_ms=number(0.1),
        )
        record = Record(counts_ms=whole(10), probes=(Probe("a", np.array([1]), number(0.5)),))
        simulate.run(net, number(60.1), whole(3), tmp_path / name, record=record, execution=simulate.Execution(partitions=whole(1), threads=whole(1), cluster=client, checkpoint=number(100), checkpoint_folder=tmp_path / "c", memory_gib=number(2)))  # fmt: skip
        manifest = json.loads((tmp_path / name).with_suffix(".manifest.json").read_text())
        return str(manifest["content"]["content_sha256"])

    wanted = content("python.zarr", float, int)
    assert content("single.zarr", np.float32, np.int32) == wanted
    assert content("double.zarr", np.float64, np.uint64) == wanted
