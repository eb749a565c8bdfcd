"""A configuration to start from: it is valid, and no file is written over. `test_dag` plans it."""

from pathlib import Path

import pytest
import yaml

from allometry import cli, config


def test_what_is_written_is_valid_and_says_how_to_run_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.yaml"
    assert cli.main(["new", str(path)]) == 0
    assert f"allometry run {path}" in capsys.readouterr().out
    made = config.load(path)
    assert made.compare.comparisons
    text = path.read_text(encoding="utf-8")
    assert sum(line.lstrip().startswith("#") for line in text.splitlines()) > 20


def test_what_is_commented_out_is_valid_too(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    assert cli.main(["new", str(path)]) == 0
    lines = path.read_text(encoding="utf-8").splitlines()
    keys = ("# datasets:", "# scale:", "#   ")
    whole = "\n".join(
        line.removeprefix("# ") if line.startswith(keys) else line for line in lines if "allometry run" not in line
    )
    (tmp_path / "recordings").mkdir()
    for name in ("worm_1", "worm_2"):
        (tmp_path / "recordings" / f"{name}.csv").write_text("time,AVAL\n0,1\n")
    values = yaml.safe_load(whole)
    assert {"datasets", "scale"} <= set(values)
    made = config.validate(values, "my.yaml", [tmp_path])
    assert "my_worms" in made.datasets


@pytest.mark.parametrize("name", ["my.yaml", "my.txt"])
def test_no_file_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = tmp_path / name
    path.write_text("mine")
    assert cli.main(["new", str(path)]) == 1
    assert str(path) in capsys.readouterr().err
    assert path.read_text() == "mine"
