"""What Snakemake plans: every shipped configuration, the configuration it parses, and what an edit reruns."""

import json
from pathlib import Path

import pytest
import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from tests.workflow.conftest import Run

CONFIGURATIONS = ["config.yaml", "config/full.yaml", "tests/config.yaml"]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_dry_run_of_every_shipped_configuration(snakemake: Run, root: Path, tmp_path: Path, name: str) -> None:
    done = snakemake("--cores", "2", "--configfile", str(root / name), "-n", directory=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    planned = done.stdout + done.stderr
    for rule in ("homogenize_store", "simulate_point", "compare_run", "write_page"):
        assert rule in planned


def _parsed(root: Path, arguments: list[Path]) -> dict[str, object]:
    settings = OutputSettings(quiet={Quietness.ALL})
    with SnakemakeApi(settings) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=arguments),
            snakefile=root / "Snakefile",
            workdir=root,
        )
        workflow.dag()
        return dict(workflow._workflow.globals["config"])


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_is_parsed_equals_the_file(root: Path, name: str) -> None:
    """Snakemake merges configuration files deeply; a small one must not inherit the runs of config.yaml."""
    arguments = [] if name == "config.yaml" else [root / name]
    assert json.loads(json.dumps(_parsed(root, arguments))) == yaml.safe_load((root / name).read_text())
