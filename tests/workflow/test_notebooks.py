"""The notebooks: every cell runs, in a folder outside of the project, with what a run of the workflow left."""

import os
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

from tests.workflow.conftest import Run

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "docs" / "notebooks").glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_text_and_code(path: Path) -> None:
    cells = jupytext.read(path).cells
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    kinds = [cell.cell_type for cell in cells]
    assert kinds.count("code") >= 4
    assert kinds.count("markdown") >= 3
    for cell in cells:
        if cell.cell_type == "code":
            compile(cell.source, path.name, "exec")


def _told(path: Path) -> list[str]:
    """Configurations that the text of a notebook tells to write, and stages that it tells to run."""
    text = "\n".join(cell.source for cell in jupytext.read(path).cells if cell.cell_type == "markdown")
    commands = re.findall(r"`allometry run \w+\.yaml( \w+)?`", text)
    return [*re.findall(r"```yaml\n(.*?)```", text, re.DOTALL), *(stage.strip() for stage in commands)]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_of_a_notebook_runs_outside_of_the_project(
    path: Path, finished: Path, snakemake: Run, tmp_path: Path
) -> None:
    if told := _told(path):
        text, stage = told
        (tmp_path / "told.yaml").write_text(text)
        made = snakemake(stage, "--cores", "2", "--configfile", str(tmp_path / "told.yaml"), directory=finished)
        assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-6000:]
    code = "\n\n".join(cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code")
    # a script that starts processes needs its guard, which a notebook has by itself
    lines = "\n".join(f"    {line}" if line else "" for line in code.splitlines())
    (tmp_path / "notebook.py").write_text(f"if __name__ == '__main__':\n{lines}\n")
    variables = {"ALLOMETRY_RESULTS": str(finished / "results"), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "notebook.py"], cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n") >= 3
