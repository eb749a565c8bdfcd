"""Budgets follow the machine's speed, which is given here: nothing of these tests is timed."""

import os
from pathlib import Path

import pytest

from allometry.workflow.planning import speed
from benchmarks import time_budget

# Seconds of the jobs of each stage; 2 cores share those of all stages but `simulate`, and simulations of studies.
JOBS = {
    "retrieve": [10.0],
    "homogenize": [20.0, 20.0],
    "simulate": [30.0, 15.0],
    "scale": [12.0],
    "compare": [60.0],
    "report": [8.0],
}
SPENT = {"retrieve": 5.0, "homogenize": 20.0, "simulate": 45.0, "scale": 6.0, "compare": 30.0, "report": 4.0}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for stage, jobs in JOBS.items():
        for number, seconds in enumerate(jobs):
            path = tmp_path / "benchmarks" / stage / "kind" / f"{number}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t10.5\n")
    return tmp_path


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """How many times the reference's seconds the measurement finds: as slow as the reference until a test says more."""
    found = {"network": 1.0, "tables": 1.0}
    monkeypatch.setattr(speed, "slowness", lambda _: found)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return found


def test_jobs_side_by_side_share_the_cores(results: Path) -> None:
    assert time_budget.spent(results, 2) == SPENT
    assert time_budget.spent(results, 1) == {**SPENT, **{k: sum(v) for k, v in JOBS.items()}}


def test_simulations_of_a_study_have_the_cores_to_themselves(results: Path) -> None:
    path = results / "benchmarks" / "scale" / "kind" / "0.1_s1.simulate.tsv"
    path.write_text("s\th:m:s\tmax_rss\n7.0\t0:00:00\t10.5\n")
    assert time_budget.spent(results, 2)["scale"] == SPENT["scale"] + 7.0


def test_each_stage_is_scaled_by_the_work_that_it_resembles() -> None:
    same = time_budget.scaled({"network": 1.0, "tables": 1.0})
    assert same == {**time_budget.BUDGET_S, "together": time_budget.TOTAL_S}
    slower = time_budget.scaled({"network": 3.0, "tables": 2.0})
    assert slower.pop("simulate") == 3 * time_budget.BUDGET_S["simulate"]
    assert 2 * time_budget.TOTAL_S < slower.pop("together") < 3 * time_budget.TOTAL_S
    assert slower == {k: 2 * v for k, v in time_budget.BUDGET_S.items() if k != "simulate"}


def test_within_budget(results: Path, machine: dict[str, float], capsys: pytest.CaptureFixture) -> None:
    assert time_budget.main([str(results)]) == time_budget.main([str(results), "--strict"]) == 0
    said = capsys.readouterr().out
    assert "1.00 times the reference's seconds for a simulation, 1.00 times for the rest" in said
    assert "simulate      45.0 s of    60 s\n" in said
    assert "together     110.0 s of   260 s\n" in said
    assert "over budget" not in said


@pytest.mark.parametrize(
    ("network", "tables", "over"),
    [
        (0.7, 1.0, ["simulate"]),  # 45 s of 42 s
        (1.0, 0.5, ["compare"]),  # 30 s of 25 s
        (0.2, 0.2, ["homogenize", "simulate", "compare", "together"]),
        (3.0, 3.0, []),
    ],
)
def test_over_budget_is_said_and_fails_only_where_asked(
    results: Path,
    machine: dict[str, float],
    capsys: pytest.CaptureFixture,
    network: float,
    tables: float,
    over: list[str],
) -> None:
    machine.update(network=network, tables=tables)
    assert time_budget.main([str(results)]) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines() if line.endswith("  over budget")] == over
    assert time_budget.main(["--strict", str(results)]) == (1 if over else 0)
    assert capsys.readouterr().out.splitlines()[1:] == said.splitlines()[1:]


def test_without_benchmark_files_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(speed, "slowness", lambda _: pytest.fail("measured"))
    assert time_budget.main([str(tmp_path)]) == 1
    assert "no benchmark files" in capsys.readouterr().err
