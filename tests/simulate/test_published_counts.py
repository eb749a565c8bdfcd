"""The engine on genuine connectomes gives the spike counts of the model's specification (needs the mirror)."""

from pathlib import Path

import numpy as np
import pytest

from allometry import models
from tests.models import graphs
from tests.simulate import engine


def counts(graph: models.Graph, driven: list[str], weight_mv: float) -> np.ndarray:
    net = models.connectome_lif(graph, weight_mv, driven=driven, drive="regular", duration_ms=1000.0)
    found = engine.spikes(net, 10_000, threads=2, precision="exact")
    return np.bincount(found[:, 1], minlength=net.size)


def test_fly_mushroom_body(mirror: Path) -> None:
    graph = graphs.mushroom_body(mirror)
    found = counts(graph, list(graph.labels[:20]), 0.275)
    assert found.sum() == pytest.approx(3709, rel=0.005)
    assert abs((found > 0).sum() - 48) <= 1
    assert {i: int(found[i]) for i in (2721, 1316, 323, 197)} == pytest.approx(
        {2721: 163, 1316: 43, 323: 34, 197: 31}, abs=1
    )


@pytest.mark.parametrize(
    ("weight_mv", "total", "some"), [(0.275, 310, {"AVDL": 10}), (0.55, 752, {"AVAL": 68, "PVCL": 29})]
)
def test_worm(mirror: Path, weight_mv: float, total: int, some: dict[str, int]) -> None:
    graph = graphs.worm(mirror)
    found = counts(graph, ["ASHL", "ASHR"], weight_mv)
    assert found.sum() == pytest.approx(total, rel=0.005)
    by_name = dict(zip(graph.labels, found.tolist()))
    for name, expected in {"ASHL": 150, "ASHR": 150, **some, "RIML": 0, "RIS": 0}.items():
        assert abs(by_name[name] - expected) <= (1 if expected else 0)
