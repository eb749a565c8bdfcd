"""Run the workflow as a user does: `snakemake` in a process of its own, with results in a folder of the test."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def snakemake(root: Path) -> Run:
    """`snakemake(*arguments, directory=folder, NAME=value)` runs the workflow of this checkout."""

    def run(
        *arguments: str, directory: Path, snakefile: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        snakefile = snakefile or root / "Snakefile"
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
        command += ["--directory", str(directory), "--nocolor", *arguments]
        return subprocess.run(
            # the folder that Python starts in comes first on its path: a copy must run its own package
            command,
            cwd=snakefile.parent,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=3600,
        )

    return run


@pytest.fixture(scope="session")
def finished(snakemake: Run, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which the whole workflow of tests/config.yaml has run once."""
    folder = tmp_path_factory.mktemp("workflow")
    done = snakemake("--cores", "2", "--configfile", str(root / "tests/config.yaml"), directory=folder)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-10000:]
    return folder
