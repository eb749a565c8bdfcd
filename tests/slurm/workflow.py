"""The workflow with one simulation, submitted by Snakemake with the profile that is shipped."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def command(root: Path, folder: Path, resources: Sequence[str], words: Sequence[str] = ()) -> list[str]:
    """Return the command that submits the simulations of `folder`/config.yaml, whose jobs ask for `resources`."""
    asked = [f"simulate_point:{resource}" for resource in resources]
    return [
        *(sys.executable, "-m", "snakemake", "simulate"),
        *("--snakefile", str(root / "Snakefile")),
        *("--directory", str(folder)),
        *("--configfile", str(folder / "config.yaml")),
        *("--profile", str(root / "profiles/slurm")),
        *("--jobs", "1", "--set-resources", *asked, "--set-threads", "simulate_point=1"),
        *words,
    ]


def snakemake(
    root: Path, folder: Path, config: str, resources: Sequence[str], words: Sequence[str] = (), timeout_s: float = 900
) -> subprocess.CompletedProcess[str]:
    """Write a configuration into a folder and run the workflow there to its end."""
    (folder / "config.yaml").write_text(config)
    return subprocess.run(
        command(root, folder, resources, words), cwd=root, capture_output=True, text=True, timeout=timeout_s
    )
