"""What the Snakemake workflow catalog reads, and the citation: they stand where they are looked for, and fit the project."""

import tomllib
from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import Run


@pytest.mark.slow
def test_the_workflow_of_the_catalog_is_that_of_the_checkout(snakemake: Run, root: Path, tmp_path: Path) -> None:
    configuration = ("--configfile", str(root / "tests/config.yaml"))
    done = snakemake(
        "--cores", "1", "-n", *configuration, directory=tmp_path, snakefile=root / "workflow" / "Snakefile"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "write_page" in done.stdout + done.stderr


def test_the_catalog_is_told_how_the_workflow_is_run(root: Path) -> None:
    told = yaml.safe_load((root / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))
    assert set(told) == {"usage"}
    assert {"mandatory-flags", "software-stack-deployment", "report"} <= set(told["usage"])
    assert (root / "envs" / "allometry.yaml").is_file()


def test_the_citation_has_the_version_and_the_licence_of_the_package(root: Path) -> None:
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(cited)
    assert (str(cited["version"]), cited["license"]) == (project["version"], project["license"])
