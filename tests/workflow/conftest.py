"""Run the workflow as a user does: `snakemake` in a process of its own, with results in a folder of the test."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forked import Forks

Run = Callable[..., subprocess.CompletedProcess[str]]
# How fast the machine is says nothing about the jobs there are: a glance will do
GLANCE = "from allometry.workflow.planning import speed; speed.ROUNDS, speed.REPEATS = 0, 1"


@pytest.fixture(scope="session")
def snakemake(root: Path, forks: Forks) -> Run:
    """`snakemake(*arguments, directory=folder, NAME=value)` runs the workflow of this checkout; `timed`: if it says times."""

    def run(
        *arguments: str, directory: Path, snakefile: Path | None = None, timed: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        snakefile = snakefile or root / "Snakefile"
        command = ("snakemake", "--snakefile", str(snakefile), "--directory", str(directory), "--nocolor", *arguments)
        # the folder that Python starts in comes first on its path: a copy must run its own package
        env = {**os.environ, **environment}
        return forks.run(*command, cwd=snakefile.parent, env=env, first="" if timed else GLANCE)

    return run


@pytest.fixture(scope="session")
def finished(snakemake: Run, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which the whole workflow of tests/config.yaml has run once."""
    folder = tmp_path_factory.mktemp("workflow")
    done = snakemake("--cores", "2", "--configfile", str(root / "tests/config.yaml"), directory=folder)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-10000:]
    return folder
