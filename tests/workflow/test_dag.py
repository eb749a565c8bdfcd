"""What Snakemake plans: every shipped configuration, the configuration it parses, and what an edit reruns."""

import json
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from allometry.processes import ONE_THREAD
from allometry.terminal import new
from tests.forked import Forks
from tests.workflow.conftest import Run

CONFIGURATIONS = ["config.yaml", "config/full.yaml", "tests/config.yaml"]


@pytest.fixture(scope="module")
def dry_run(snakemake: Run, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """What a dry run of a configuration says; each is made once."""

    @cache
    def said(name: str, **environment: str) -> str:
        folder = tmp_path_factory.mktemp("dry")
        done = snakemake("--cores", "2", "--configfile", str(root / name), "-n", directory=folder, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return said


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_dry_run_of_every_shipped_configuration(dry_run: Callable[..., str], name: str) -> None:
    said = dry_run(name, ALLOMETRY_MIRROR="")
    for rule in ("homogenize_store", "simulate_point", "compare_run", "write_page"):
        assert rule in said
    for words in ("KeyError", "InputFunctionException", "Traceback"):
        assert words not in said


def test_dry_run_of_what_allometry_new_writes(snakemake: Run, tmp_path: Path) -> None:
    new.write(tmp_path / "my.yaml")
    done = snakemake(
        "--cores", "2", "-n", "--configfile", str(tmp_path / "my.yaml"), directory=tmp_path, ALLOMETRY_MIRROR=""
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, re.MULTILINE))
    assert {name: counts[name] for name in ("homogenize_store", "simulate_point", "compare_run", "write_page")} == {
        "homogenize_store": "3",
        "simulate_point": "2",
        "compare_run": "1",
        "write_page": "1",
    }
    assert not (tmp_path / "results").exists()


def _plan(forks: Forks, root: Path, folder: Path, *options: str) -> tuple[list[list[str]], str]:
    """The words of each line of a plan, and what was said before it."""
    command = ["allometry", "plan", "--snakefile", str(root / "Snakefile"), "--directory", str(folder), *options]
    done = forks.run(*command, "--configfile", str(root / "tests/config.yaml"), cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split() for line in done.stdout.splitlines()], done.stderr


def _seconds(number: str, unit: str) -> float:
    return float(number) * {"s": 1, "min": 60, "h": 3600}[unit]


def test_a_plan_counts_the_jobs_of_the_dry_run_and_agrees_with_the_line_of_the_study(
    dry_run: Callable[..., str], forks: Forks, root: Path, tmp_path: Path
) -> None:
    said = dry_run("tests/config.yaml", ALLOMETRY_MIRROR="")
    table = said.partition("job  ")[2].partition("total")[0]
    counts = {line.split()[0]: int(line.split()[1]) for line in table.splitlines() if line[-1:].isdigit()}
    stages = {
        "retrieve": "retrieve",
        "homogenize": "homogenize",
        "simulate": "simulate",
        "scale": "scale",
        "compare": "compare",
    }
    expected: dict[str, int] = {}
    for rule, count in counts.items():
        if rule != "all":
            stage = stages.get(rule.partition("_")[0], "report")
            expected[stage] = expected.get(stage, 0) + count
    lines, before = _plan(forks, root, tmp_path)
    planned = {words[0]: (int(words[1]), int(words[2])) for words in lines if words and words[0] in expected}
    assert planned == {stage: (count, count) for stage, count in expected.items()}
    assert lines[-1][:2] == [str(sum(expected.values())), "jobs,"]
    # the line of the study, of jobs beside each other, and the sum over the jobs of its stage are one estimate
    (scale,) = (words for words in lines if words and words[0] == "scale")
    (study,) = (line for line in before.splitlines() if line.startswith("Study microcircuit_sizes: "))
    beside = study.partition("all jobs in about ")[2].partition(", at most")[0].split()
    cores = int(lines[-1][lines[-1].index("on") + 1])
    assert _seconds(*beside) == pytest.approx(_seconds(*scale[3:5]) / cores, rel=0.05)
    assert not (tmp_path / "results").exists()


def test_a_plan_for_a_cluster_has_the_requests_of_each_rule(forks: Forks, root: Path, tmp_path: Path) -> None:
    lines, _ = _plan(forks, root, tmp_path, "--profile", str(root / "profiles/slurm"))
    requests = {words[0]: words[1:6] for words in lines if len(words) >= 7 and "_" in words[0]}
    assert requests["compare_run"][:3] == ["6", "1", "2000"]
    assert requests["homogenize_store"][:3] == ["6", "1", "4000"]
    assert requests["simulate_point"][0] == "3"
    assert not [rule for rule in requests if rule.startswith(("retrieve", "draw", "write"))]
    assert lines[-1][-5:] == ["on", "50", "jobs", "at", "once"]


@pytest.mark.slow
def test_dry_run_of_the_studies_says_what_they_need(dry_run: Callable[..., str]) -> None:
    said = dry_run("config/scaling.yaml")
    # five sizes in two schemes, which are one at full size, and four seeds
    assert "Study microcircuit_scaling: 36 jobs to simulate; 36 simulations, all jobs in about " in said
    counts = {
        "scale_simulate_microcircuit_scaling": 36,
        "scale_simulate_v1_density": 96,
        "scale_calibrate": 10,
        "scale_measure": 36 + 96,
        "scale_study": 2,
    }
    for rule, count in counts.items():
        assert re.search(rf"^{rule} +{count}$", said, re.MULTILINE), rule
    assert "write_page" in said


@pytest.mark.slow
def test_dry_run_of_compute_scaling(dry_run: Callable[..., str]) -> None:
    said = dry_run("config/compute.yaml")
    for rule, count in {"scale_compute_measure": 3, "scale_compute": 1, "draw_studies": 1, "write_page": 1}.items():
        assert re.search(rf"^{rule} +{count}$", said, re.MULTILINE), rule


@pytest.mark.slow
def test_dry_run_of_the_models(dry_run: Callable[..., str]) -> None:
    said = dry_run("config/models.yaml")
    # without the tables of its authors, the multi-area model is left out, and the run says so
    assert "simulate.runs.macaque" in said
    # three kinds of clusters and three seeds, each with two conditions; eight codes and six cultures
    for rule, count in {"simulate_batch_clusters": 9, "simulate_point": 14 * 3, "compare_run": 5}.items():
        assert re.search(rf"^{rule} +{count}$", said, re.MULTILINE), rule


def test_a_study_reuses_the_runs_of_its_configuration(dry_run: Callable[..., str]) -> None:
    said = dry_run("config.yaml", ALLOMETRY_MIRROR="")
    assert (
        "Study microcircuit_sizes: 0 jobs to simulate, 6 from runs of the simulate stage; 0 simulations, all jobs"
        in said
    )
    assert "scale_simulate_microcircuit" not in said
    # two sizes of V1 on two connectivities
    assert re.search(r"^scale_simulate_v1_density +4$", said, re.MULTILINE)
    assert re.search(r"^scale_measure +10$", said, re.MULTILINE)


def test_what_only_a_mirror_has_is_left_out_without_one(dry_run: Callable[..., str]) -> None:
    said = dry_run("config/full.yaml", ALLOMETRY_MIRROR="")
    assert "retrieve_lanza2024" not in said
    assert "homogenized/activity/lanza2024" not in said
    # kato2015 has an address but for the optional files of its states.
    for name in ("lanza2024", "kato2015/bundle_mcm_0.npz", "allen_swdb2016", "compare.comparisons.two_photon_rates"):
        assert f"Left out of this run: {name}: " in said
    assert "homogenized/activity/kato2015.zarr" in said
    assert "compared/worm_activity.zarr" in said
    assert "results/raw/kato2015/bundle_mcm_0.npz" not in said
    assert "results/report/index.html" in said


def test_what_only_a_mirror_has_is_made_with_one(dry_run: Callable[..., str], mirror: Path) -> None:
    said = dry_run("config/full.yaml", ALLOMETRY_MIRROR=str(mirror))
    assert "retrieve_lanza2024" in said
    assert "Left out" not in said


def test_the_collection_of_worms_is_planned_as_far_as_its_files_are_here(
    dry_run: Callable[..., str], mirror: Path
) -> None:
    said = dry_run("config/worms.yaml", ALLOMETRY_MIRROR="")
    for store in (
        "activity/dag2023_simeon2024",
        "activity/kato2015",
        "connectome/white1986_jse",
        "connectome/worm_stack",
    ):
        assert f"homogenized/{store}.zarr" in said
    for name in ("lin2023", "lin2023_simeon2024", "nichols2017", "flavell2023_collection"):
        assert f"Left out of this run: {name}: recordings/opensource_neural_data/" in said
        assert f"homogenized/activity/{name}.zarr" not in said
    for words in ("KeyError", "InputFunctionException", "Traceback"):
        assert words not in said


def test_libraries_of_every_job_have_one_thread(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "2")
    _parsed(root, [root / "tests/config.yaml"])
    assert {name: os.environ[name] for name in ONE_THREAD} == ONE_THREAD


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
