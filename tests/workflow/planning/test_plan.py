"""Plans from given jobs and benchmark files, and their comparison with what was measured: nothing here is timed."""

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from allometry import cli
from allometry.config import Config
from allometry.errors import AllometryError
from allometry.workflow.planning import plan, plan_text, speed, watched
from allometry.workflow.planning.cost_model import Coefficients, Work
from allometry.workflow.planning.job_work import Jobs

GIB, START = 2**30, 1_800_000_000.0


class Dag:
    """Stands for that of Snakemake."""

    def __init__(self, jobs: list[Any], needed: list[Any], waits: dict[Any, list[Any]]) -> None:
        self.jobs, self._needed, self._waits = jobs, needed, waits

    def needrun_jobs(self, exclude_finished: bool) -> Iterator[Any]:
        assert not exclude_finished  # after a dry run all are
        return iter(self._needed)

    def job_dependencies(self, job: Any) -> list[Any]:
        return self._waits.get(job, [])


class Job:
    """Stands for one of Snakemake's."""

    def __init__(self, rule: str, benchmark: str | None, threads: int = 1) -> None:
        self.rule, self.threads = SimpleNamespace(name=rule), threads
        self.benchmark = benchmark and f"results/benchmarks/{benchmark}.tsv"
        self.wildcards_dict: dict[str, str] = {}
        self.output = [f"results/{benchmark}.out"]
        self.resources = {"mem_mb": 2000, "runtime": 60}


@pytest.fixture
def amounts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, float]:
    """What each rule does, by its name: jobs of ten seconds, on a machine as fast as the reference, if not changed."""
    found: dict[str, float] = {}

    def work(self: Jobs, rule: str, wildcards: dict[str, str], threads: int) -> Work:
        return Work({"test.second": found.get(rule, 10.0)}, {"test.byte": 2e6}, "test")

    known = Coefficients(
        seconds={"test.second": 1.0, "workflow.job": 0.0},
        bytes={"test.byte": 1.0},
        files={"test.byte": 1e-6},
        memory={"test": GIB},
        rates_hz={"other": 5.0},
        raw_bytes={},
        speed_s={"tables": 1.0, "network": 1.0},
    )
    monkeypatch.setattr(Jobs, "work", work)
    monkeypatch.setattr(watched, "coefficients", lambda: known)
    monkeypatch.setattr(speed, "measure", lambda: {"tables": 1.0, "network": 1.0})
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(speed, "others", lambda: 0.0)
    clock = itertools.count(START, 1000.0)
    monkeypatch.setattr(plan.time, "time", lambda: next(clock))
    monkeypatch.chdir(tmp_path)
    return found


def _planned(dag: Dag, cores: int | None = 2, nodes: int | None = None) -> plan.Plan:
    workflow = SimpleNamespace(
        dag=dag, resource_settings=SimpleNamespace(cores=cores, nodes=nodes), onstart=lambda hook: None
    )
    plan.watch(workflow, Config(), {})
    plan.announce()
    return plan.load()


def _three() -> tuple[Dag, list[Job]]:
    fetch, make, draw = Job("retrieve_x", "retrieve/x"), Job("compare_run", "compare/y"), Job("write_page", "report/z")
    everything = Job("all", None)
    waits = {make: [fetch], draw: [everything], everything: [make]}
    return Dag([everything, draw, make, fetch], [draw, make, fetch], waits), [fetch, make, draw]


def _measure(job: Job, seconds: float, memory_mb: float, when: float) -> None:
    path = Path(str(job.benchmark))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t{memory_mb}\n")
    os.utime(path, (when, when))


def test_jobs_wait_for_one_another_also_through_targets(amounts: dict[str, float], capsys: Any) -> None:
    amounts.update({"retrieve_x": 100.0, "compare_run": 300.0, "write_page": 20.0})
    made = _planned(_three()[0])
    assert [(job.stage, job.seconds) for job in made.jobs] == [
        ("compare", 300.0),
        ("report", 20.0),
        ("retrieve", 100.0),
    ]
    assert (made.wall_s, made.peak, made.disk) == (420.0, GIB, 6_000_000)
    assert "Plan: 3 jobs, about 7 minutes, 1.0 GiB peak, 0.006 GB of disk" in capsys.readouterr().err


def test_only_what_would_run_counts_and_all_is_listed(amounts: dict[str, float]) -> None:
    dag, (_, _, draw) = _three()
    made = _planned(Dag(dag.jobs, [draw], dag._waits))
    assert (made.wall_s, len(made.needed), len(made.jobs)) == (10.0, 1, 3)
    table = [line.split() for line in plan_text.text(made).splitlines()]
    assert ["report", "1", "1", "10.0", "s", "1.00", "GiB", "2.0", "MB", "2"] in table
    assert ["compare", "0", "1", "0.0", "s", "0.00", "GiB", "0.0", "MB", "0"] in table
    nothing = _planned(Dag(dag.jobs, [], dag._waits))
    assert str(nothing).startswith("0 jobs, ")


def test_a_slow_machine_takes_longer(amounts: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "measure", lambda: {"tables": 2.5, "network": 1.0})
    assert _planned(_three()[0]).wall_s == 75.0
    # two of its two cores are busy with something else already
    monkeypatch.setattr(speed, "others", lambda: 2.0)
    crowded = _planned(_three()[0])
    assert crowded.wall_s == 150.0
    assert "2.0 times those of a machine of one's own" in plan_text.text(crowded)
    # jobs that are submitted run elsewhere
    assert _planned(_three()[0], cores=None, nodes=50).wall_s == 75.0


def test_an_earlier_run_of_a_job_says_more_than_the_model(amounts: dict[str, float]) -> None:
    dag, (fetch, make, draw) = _three()
    assert _planned(dag).wall_s == 30.0
    for job in (fetch, make, draw):
        _measure(job, 40.0, 512.0, START + 1)
    again = _planned(dag)
    assert (again.wall_s, again.peak, sum(job.earlier for job in again.needed)) == (120.0, GIB // 2, 3)
    # three times as many resamples take three times as long as they took
    amounts["compare_run"] = 30.0
    longer = _planned(dag)
    assert [job.seconds for job in longer.needed] == [120.0, 40.0, 40.0]
    # it did not run: the plan of that run is no measurement
    assert [job.seconds for job in _planned(dag).needed] == [120.0, 40.0, 40.0]


def test_a_damaged_benchmark_file_is_no_measurement(amounts: dict[str, float]) -> None:
    dag, (fetch, *_) = _three()
    _measure(fetch, 40.0, 512.0, START + 1)
    Path(str(fetch.benchmark)).write_text("s\th:m:s\tmax_rss\n")
    assert _planned(dag).wall_s == 30.0
    Path(str(fetch.benchmark)).write_text("s\th:m:s\tmax_rss\n40\t0:00:40\tNA\n")
    made = _planned(dag)
    assert (made.wall_s, made.peak) == (60.0, GIB)


def test_requests_of_a_cluster_and_what_is_too_little(amounts: dict[str, float]) -> None:
    amounts["compare_run"] = 2 * 3600.0
    made = _planned(_three()[0], cores=None, nodes=50)
    assert {job.rule: job.request for job in made.jobs} == {
        "retrieve_x": None,
        "write_page": None,
        "compare_run": {"mem_mb": 2000, "runtime": 60},
    }
    (line,) = [line for line in plan_text.text(made).splitlines() if line.startswith("compare_run")]
    assert line.split()[1:7] == ["1", "1", "2000", "1074", "60", "120.0"]
    assert line.endswith("too little: set-resources, compare_run: runtime")


def test_a_plan_that_fails_does_not_stop_the_run(amounts: dict[str, float], capsys: Any) -> None:
    plan.watch(SimpleNamespace(onstart=lambda hook: None), Config(), {})
    plan.announce()
    assert capsys.readouterr().err.startswith("No plan of this run: AttributeError")


def test_planned_beside_measured(amounts: dict[str, float], tmp_path: Path) -> None:
    amounts.update({"retrieve_x": 100.0, "compare_run": 300.0, "write_page": 20.0})
    dag, (fetch, make, _) = _three()
    _planned(dag)
    _measure(fetch, 50.0, 512.0, START + 60)
    # its output is a folder
    (tmp_path / "results/retrieve/x.out/inner").mkdir(parents=True)
    for name, size in (("a", 3_000_000), ("inner/b", 1_000_000), (".snakemake_timestamp", 77)):
        (tmp_path / "results/retrieve/x.out" / name).write_bytes(bytes(size))
    _measure(make, 600.0, 2048.0, START + 700)
    found = {line.name: line for line in plan_text.outcomes()}
    assert list(found) == ["retrieve", "compare", "report", "together"]
    assert found["retrieve"].seconds == (100.0, 50.0)
    assert found["retrieve"].disk == (2_000_000, 4_000_000)
    assert found["retrieve"].files == (2, 2)
    assert found["compare"].memory == (GIB, 2 * GIB)
    assert (found["report"].jobs, found["report"].ran) == (1, 0)
    assert found["together"].seconds == (420.0, 700.0)
    assert found["together"].memory == (GIB, 2 * GIB)
    said = plan_text.check_text(list(found.values()))
    assert "2 of 3" in said
    assert "1 jobs of the plan have not run" in said
    assert "0.60" in said.splitlines()[4]


def test_what_ran_before_the_plan_is_not_compared(amounts: dict[str, float]) -> None:
    dag, (fetch, *_) = _three()
    _planned(dag)
    _measure(fetch, 50.0, 512.0, START - 60)
    with pytest.raises(AllometryError, match="nothing of the plan has run yet"):
        plan_text.outcomes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no plan to compare with"),
        ("{", "cannot be read"),
        (json.dumps({"jobs": [{}]}), "cannot be read"),
    ],
)
def test_a_plan_that_is_not_there_is_one_message(tmp_path: Path, capsys: Any, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "plan.json").write_text(content)
    assert cli.main(["plan", "--check", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert [line.split(":")[0].strip() for line in said.splitlines()[1:]] == ["where", "expected", "to do"]


def test_a_configuration_that_is_not_there_is_one_message(capsys: Any) -> None:
    assert cli.main(["plan", "--configfile", "none/such.yaml"]) == 1
    assert "the configuration does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "words"), [(3, "1 minute"), (100, "2 minutes"), (5900, "98 minutes"), (9000, "2.5 hours")]
)
def test_times_for_a_person(seconds: float, words: str) -> None:
    assert plan.in_words(seconds) == words


def test_rules_that_run_where_snakemake_does(root: Path) -> None:
    for path in (root / "rules").glob("*.smk"):
        text = path.read_text()
        rules, local = text.count("    params:"), text.count("localrule: True")
        assert local == (rules if path.stem in plan.LOCAL else 0), path
