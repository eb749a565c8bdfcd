"""`allometry simulate` gives the store of the rule; errors are one message."""

import json
from pathlib import Path

import pytest

from allometry import cli
from allometry.simulate import Execution
from allometry.simulate.point import run_point


def test_command_gives_the_rules_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "cli.zarr"
    arguments = ["simulate", "microcircuit", "--scale", "0.02", "-p", "g=-4", "--duration-ms", "120", "--out", str(out)]
    assert cli.main([*arguments, "--threads", "1"]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert cli.main([*arguments, "--seed", "2"]) == 1
    assert "the store exists" in capsys.readouterr().err
    assert cli.main([*arguments, "--threads", "2", "--overwrite"]) == 0
    parameters = {
        "kind": "network",
        "model": "microcircuit",
        "duration_ms": 120.0,
        "precision": "fast",
        "record": {"spikes": True, "counts_bin_ms": None, "voltage": {}},
        "connectome": None,
        "parameters": {"scale": 0.02, "g": -4},
        "seed": 1,
    }
    run_point(parameters, tmp_path / "rule.zarr", execution=Execution(cores=2))
    manifests = [json.loads((tmp_path / f"{name}.manifest.json").read_text())["content"] for name in ("cli", "rule")]
    assert manifests[0] == manifests[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["macrocircuit", "--duration-ms", "10"], "unknown model 'macrocircuit'"),
        (["microcircuit", "--duration-ms", "10", "-p", "scala=1"], "unknown parameters scala"),
        (["microcircuit", "--duration-ms", "10", "-p", "scale"], "'scale' is no parameter"),
        (["microcircuit", "--duration-ms", "-1", "--scale", "0.02"], "duration_ms is -1"),
        (
            ["microcircuit", "--duration-ms", "10", "--scale", "0.02", "--cluster", "moon"],
            "unknown cluster kind 'moon'",
        ),
    ],
)
def test_mistakes_are_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert cli.main(["simulate", *arguments, "--out", str(tmp_path / "out.zarr")]) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["folder", "folder.zarr"])
def test_a_folder_that_is_no_store_is_not_offered_for_replacement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    arguments = ["simulate", "microcircuit", "--scale", "0.02", "--duration-ms", "10", "--out", str(folder)]
    for more in ([], ["--overwrite"]):
        assert cli.main([*arguments, *more]) == 1
        assert "--overwrite" not in capsys.readouterr().err
    assert (folder / "notes.txt").read_text() == "mine"
