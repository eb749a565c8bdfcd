"""Figures of a finished run: each is drawn again by its own command, looks well, and has words, numbers and files."""

import argparse
import shlex
from pathlib import Path

import pytest

from allometry.report import plots
from allometry.report.drawing.csv_text import as_csv
from allometry.report.drawing.drawing import REPORT, Description
from allometry.terminal import plotting
from tests.report.looks import problems
from tests.workflow.conftest import Run


@pytest.fixture
def inside(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the run, as working folder: figures name their stores from there."""
    monkeypatch.chdir(finished)
    return finished


def faults(folder: Path) -> list[str]:
    """What is wrong with the figures of a run, a line for each fault."""
    found = []
    images = sorted((folder / "results/report/figures").glob("*.png"))
    assert len(images) > 8
    for image in images:
        described = Description.load(image)
        drawing = plots.drawing(described.stores, described.plot, described.options)
        found += [f"{image.stem}: {problem}" for problem in problems(drawing.figure)]
        # the numbers are those of the figure that the command draws
        if image.with_suffix(".csv").read_text(encoding="utf-8") != as_csv(drawing.figure):
            found.append(f"{image.stem}: other numbers when drawn again")
        if described != drawing.described():
            found.append(f"{image.stem}: other words when drawn again")
        if len(described.alternative) < 60 or described.alternative == described.caption:
            found.append(f"{image.stem}: no words for what is seen: {described.alternative!r}")
        found += [f"{image.stem}: no {end}" for end in REPORT if not image.with_suffix(end).stat().st_size]
    return found


def test_every_figure_looks_well_and_is_drawn_again_by_its_command(inside: Path) -> None:
    assert faults(inside) == []


def test_commands_of_figures_are_those_of_the_command_line(inside: Path) -> None:
    for image in sorted((inside / "results/report/figures").glob("*.json")):
        described = Description.load(image)
        program, command, *words = shlex.split(described.command("out.svg"))
        assert (program, command) == ("allometry", "plot")
        parser = argparse.ArgumentParser()
        plotting.configure(parser)
        arguments = parser.parse_args(words)
        assert tuple(path.as_posix() for path in arguments.store) == described.stores
        assert arguments.plot == described.plot
        assert dict(plots.option(text) for text in arguments.set) == dict(described.options)


@pytest.mark.slow
def test_every_figure_of_the_embedded_tier_looks_well(
    snakemake: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = root if (root / "results/report/manifest.json").is_file() else tmp_path
    if folder is tmp_path:
        done = snakemake("--cores", "all", "--configfile", str(root / "config.yaml"), directory=folder)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-10000:]
    monkeypatch.chdir(folder)
    assert faults(folder) == []
