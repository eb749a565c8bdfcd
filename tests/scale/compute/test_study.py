"""A study of compute scaling from what its jobs measured to its store, its figure and its tables; and one that is measured here."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allometry import config, stores
from allometry.config import Config
from allometry.errors import ConfigError
from allometry.report import figures
from allometry.report.scaling.compute import tables
from allometry.scale.compute.measuring import busy_share, passed_s, points
from allometry.scale.compute.study import PARTS, write_compute
from allometry.workflow.checks.compute import check_compute
from allometry.workflow.places.compute import scaled, values
from allometry.workflow.stage_times import measure
from tests.scale.compute.test_cost_model import TRUE, amounts, rounds


def configured(**changed: Any) -> Config:
    study = {"sizes": [0.05, 0.2], "weak_size": 0.02, "held_out": [2, 3], "tasks": 4, **changed}
    known = {"neurons": 4_130_000, "synapses": 24.2e9, "rate_hz": 5.0}
    return config.validate({"scale": {"compute": {"tiny": {"networks": {"large": known}, **study}}}}, "a test")


def measured(study: dict[str, Any], folder: Path, slower: float = 1.0, others: float = 0.0) -> dict[str, Path]:
    """What jobs write on a machine of which the cost model is true, but for partitions, which take `slower` times as long."""
    machine = {"cores": 2, "cpu": "a CPU", "others": others}
    simulations = []
    for point in points(study):
        does = amounts(point.size) if point.size else amounts(1e-4)
        simulations.append(
            {
                **vars(point),
                "amounts": vars(does),
                "sim_s": TRUE.seconds(does, point.partitions, point.threads) * (slower if point.partitions > 1 else 1),
                "recording_s": TRUE.parts(does, point.partitions, point.threads)["recording"],
                "build_s": 0.5,
                "memory_gib": 0.4 * point.partitions,
            }
        )
    stages = [
        {"experiment": stage, "workers": workers, "tasks": 4, "wall_s": 8.0 / workers}
        for stage in ("homogenize", "compare")
        for workers in (1, 2)
    ]
    found = {
        "simulations": {"points": simulations, **machine},
        "exchange": {"points": rounds(), "passed_s": TRUE.passed, **machine},
        "stages": {"points": stages, **machine},
    }
    for part, content in found.items():
        (folder / f"{part}.measured.json").write_text(json.dumps(content))
    return {part: folder / f"{part}.measured.json" for part in PARTS}


def write(folder: Path, **how: float) -> tuple[Path, dict[str, Any]]:
    study, out = values(configured(), "tiny"), folder / "tiny.zarr"
    write_compute(study, "tiny", out, measured=measured(study, folder, **how))
    return out, json.loads((folder / "tiny.costs.json").read_text())


def test_the_model_is_tested_on_what_it_was_not_fitted_on(tmp_path: Path) -> None:
    costs = write(tmp_path, slower=1.3)[1]
    held = [one for one in costs["runs"] if not one["fitted"]]
    assert sorted((one["size"], one["partitions"]) for one in held) == [(0.05, 2), (0.05, 3), (0.2, 2)]
    for one in costs["runs"]:
        assert one["ratio"] == pytest.approx(1.0 if one["fitted"] else 1.3, rel=1e-5)
        assert sum(one["parts"].values()) == pytest.approx(one["predicted"])
    assert costs["band"] == pytest.approx(1.3**1.96, rel=1e-4)
    assert {one["network"] for one in costs["extrapolated"]} == {"microcircuit at 0.2", "large"}


def test_times_are_no_part_of_the_content(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, quick = write(tmp_path / "a")
    second, slow = write(tmp_path / "b", slower=2.0)
    assert stores.read_manifest(first)["content"] == stores.read_manifest(second)["content"]
    assert quick["band"] != slow["band"]
    assert stores.verify(first) == []
    root = stores.open(first, check="full")
    strong = root["experiment"].values == "strong"
    assert (root["spikes"].values[strong] > 0).all()
    assert root["message_bytes"].units == "B"
    kept = set(root["experiment"].values.tolist())
    assert kept == {"silent", "strong", "weak", "exchange", "homogenize", "compare"}


def test_the_report_says_what_is_held_out_and_what_is_extrapolated(tmp_path: Path) -> None:
    out, _ = write(tmp_path, slower=1.3, others=0.4)
    drawing = figures.compute(out)
    assert "off by a factor of 1.30 on average and 1.30 at most" in drawing.caption
    assert "MEASURED UNDER LOAD: others used up to 40% of the machine." in drawing.caption
    titles = [ax.get_title(loc="left") for ax in drawing.figure.axes]
    assert titles[-2:] == ["EXTRAPOLATION: time", "EXTRAPOLATION: memory"]
    runs, elsewhere = tables([str(out)]).values()
    assert set(runs["role"]) == {"fitted", "held out"}
    np.testing.assert_allclose(runs["measured over model"], runs["wall s per biological s"] / runs["by the model"])
    assert set(elsewhere["label"]) == {"extrapolation"}
    assert "UNDER LOAD" not in figures.compute(write(tmp_path)[0]).caption
    assert tables([]) == {}


def test_what_cannot_be_studied_is_refused() -> None:
    for changed, said in (
        ({"model": "cerebellum_like"}, "is a feature model"),
        ({"scheme": "halved"}, "has no scheme 'halved'"),
        ({"sizes": [1.5]}, "has no size 1.5"),
        ({"weak_size": 0.9}, "has no size 1.8"),
        ({"sizes": [0.002], "held_out": [500]}, "has 155 neurons, fewer than 500 workers"),
    ):
        with pytest.raises(ConfigError, match=said) as caught:
            check_compute(configured(**changed))
        assert str(caught.value.where).startswith("scale.compute.tiny")
    check_compute(configured())
    for changed, said in (
        ({"threads": [2, 4]}, "threads needs 1"),
        ({"partitions": [2]}, "partitions needs 1"),
        ({"machine": {"latency_us": [2.0, 1.0, 5.0]}}, "from the lowest to the highest"),
    ):
        with pytest.raises(ConfigError, match=said):
            configured(**changed)
    study = {"model": "microcircuit", "sizes": [0.1], "schemes": ["compensated"], "seeds": [1], "duration_ms": 600.0}
    with pytest.raises(ConfigError, match="cannot be called compute"):
        config.validate({"scale": {"studies": {"compute": study}}}, "a test")


def test_where_it_lies() -> None:
    assert scaled("tiny") == [f"results/scaled/compute/tiny.{end}" for end in ("zarr", "manifest.json", "costs.json")]


def test_a_spike_without_a_synapse_is_not_free() -> None:
    # one look into a table of 800 kB: no less than a cycle, no more than a miss of every cache
    assert 2e-10 < passed_s(100_000, 50_000) < 1e-6
    assert 0 <= busy_share() <= 1


@pytest.mark.slow
def test_a_small_study_is_measured(tmp_path: Path) -> None:
    small = {
        "sizes": [0.01, 0.02], "held_out": [2], "weak_size": 0.01, "exchange_spikes": [0, 100], "tasks": 2, "repeats": 1,
        "duration_ms": 100.0,
    }  # fmt: skip
    study = values(configured(**small), "tiny")
    for part in PARTS:
        measure(part, study, tmp_path / f"{part}.measured.json")
    write_compute(
        study, "tiny", tmp_path / "tiny.zarr", measured={part: tmp_path / f"{part}.measured.json" for part in PARTS}
    )
    root = stores.open(tmp_path / "tiny.zarr", check="full")
    same = (root["experiment"] == "strong").values & (root["size"] == 0.01).values
    assert same.sum() == 3
    # the work is the same however it is cut
    for name in ("neurons", "synapses", "spikes", "events", "rounds"):
        assert len(set(root[name].values[same].tolist())) == 1, name
    costs = json.loads((tmp_path / "tiny.costs.json").read_text())
    assert all(one["rtf"] > 0 and one["memory_gib"] > 0.1 for one in costs["runs"])
    assert figures.compute(tmp_path / "tiny.zarr").caption.startswith("microcircuit on ")
