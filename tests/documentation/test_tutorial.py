"""The tutorial, command by command: as jobs of the workflow in the slow tests, and otherwise in this process."""

import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib
import pytest

from allometry import cli, stores
from tests.documentation import pages, stages

INSTALLATION = ("make install", "source .venv/bin/activate")
Run = Callable[[list[str]], str]


def _commands() -> list[str]:
    found = [line for block in pages.blocks(pages.page("tutorial"), "bash") for line in block.text.splitlines()]
    assert tuple(found[:2]) == INSTALLATION
    return found[2:]


def _follow(folder: Path, run: Run) -> dict[str, str]:
    """Do what the page says in a folder; what each command prints."""
    told = pages.files("tutorial")
    addition = told.pop("my.yaml")
    pages.write(folder, told)
    said = {}
    for command in _commands():
        if command.startswith("allometry run") and "compare:" not in (folder / "my.yaml").read_text():
            with (folder / "my.yaml").open("a", encoding="utf-8") as file:
                file.write(addition)
        said[command] = run(shlex.split(command))
    return said


def _holds(folder: Path, said: dict[str, str]) -> None:
    """What the page promises is there."""
    (shown,) = [block.text for block in pages.blocks(pages.page("tutorial"), "text")]
    found = said["allometry inspect lab --write my.yaml"]
    for line in shown.splitlines():
        assert line == "..." or line in found.splitlines(), line
    assert "doubt: the names are those of C. elegans neurons" in found
    assert re.fullmatch(r"\d+\.\d spikes/s per neuron\n", said["python own_network.py"])
    recorded, simulated = map(float, re.findall(r"synapses (-?\d\.\d\d)", said["python own_figure.py"]))
    # neurons with more synapses fluctuate together, in the recordings and in the network
    assert recorded > 0.2
    assert simulated > 0.2
    for name in ("raster.png", "figure.png"):
        assert (folder / "lab" / name).read_bytes().startswith(b"\x89PNG")
    scores = stores.open(folder / "results/compared/my_comparison.zarr").to_dataset().to_dataframe()
    every = scores[(scores["group"] == "all") & (scores["role"] == "result")]
    assert every["score"].item() > 0.2
    assert every["p"].item() < 0.05


@pytest.fixture
def here(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[Path, Run]:
    """A folder, and what runs a command in it without another process."""
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")

    def run(words: list[str]) -> str:
        capsys.readouterr()
        if words[0] == "python":
            runpy.run_path(words[1], run_name="__main__")
        elif words[:2] == ["allometry", "run"]:
            if "--dry-run" not in words:
                stages.run(Path(words[2]), root)
        else:
            assert cli.main(words[1:]) == 0
        return capsys.readouterr().out

    return tmp_path, run


def test_the_tutorial_does_what_it_says(here: tuple[Path, Run]) -> None:
    folder, run = here
    _holds(folder, _follow(folder, run))


@pytest.mark.slow
def test_the_tutorial_as_it_is_typed(root: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root), "MPLBACKEND": "agg"}

    def run(words: list[str]) -> str:
        command = [sys.executable, *(words[1:] if words[0] == "python" else ["-m", "allometry", *words[1:]])]
        if words[:2] == ["allometry", "run"]:  # the page is read in the checkout
            command += ["--snakefile", str(root / "Snakefile")]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1800)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout

    said = _follow(tmp_path, run)
    _holds(tmp_path, said)
    assert "My worms" in (tmp_path / "results/report/index.html").read_text(encoding="utf-8")
