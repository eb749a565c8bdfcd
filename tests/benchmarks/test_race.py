"""The race's row and what it rests on: nothing of these tests is timed."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import race
from benchmarks.microcircuit_reference import MEASURES, load


@pytest.fixture(autouse=True)
def no_nest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALLOMETRY_NEST_PYTHON", raising=False)


def test_the_protocol_is_the_default_and_short_runs_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    args = race.parsed([])
    assert (len(args.seeds), args.seconds, args.timed_seconds, args.scale) == (10, 900.0, 10.0, 1.0)
    assert args.reference == "exact"
    with pytest.raises(SystemExit):
        race.parsed(["--timed-seconds", "5"])
    assert "the protocol asks for at least 10" in capsys.readouterr().err
    assert race.parsed(["--quick"]).timed_seconds == 2.0
    with pytest.raises(SystemExit):
        race.parsed(["--seconds", "900", "--reference", "stored"])


def test_the_reference_is_nest_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert race.parsed(["--seconds", "10"]).reference == "stored"
    assert race.parsed(["--seconds", "10", "--scale", "0.1"]).reference == "stored"
    assert race.parsed(["--seconds", "10", "--scale", "0.2"]).reference == "exact"
    monkeypatch.setenv("ALLOMETRY_NEST_PYTHON", "python")
    assert race.parsed([]).reference == "nest"
    found, said = race.reference_runs("stored", 1.0, (1, 2), 10.0, 2)
    assert said == "NEST 3.10.0, stored, 3 seeds"
    assert len(found["seed"]) == 3


def test_accuracy_of_the_reference_itself_and_of_something_else() -> None:
    reference = load(race.STORED[1.0])
    same = [{name: reference[name][seed] for name in reference if reference[name].ndim > 1} for seed in range(3)]
    found = race.accuracy(same, reference)
    for measure in MEASURES:
        one = found[measure]
        # a third of the nine pairs are a seed beside itself, at distance 0
        assert one["to the reference"] == pytest.approx(one["between its seeds"] * 2 / 3)
        assert one["limit"] > one["between its seeds"]
    shifted = [{**run, "rate_histogram": np.roll(run["rate_histogram"], 30, axis=-1)} for run in same]  # by 3 Hz
    assert race.accuracy(shifted, reference)["rate"]["to the reference"] > 5 * found["rate"]["limit"]


def test_the_row_has_the_columns_of_the_table() -> None:
    head, rule, row = race.row([0.7, 0.72], 1.0, {"cpu": "AMD EPYC", "cpus": 2}, 2, "1.0").splitlines()
    assert head.count("|") == rule.count("|") == row.count("|") == len(race.COLUMNS) + 1
    assert (
        row == "| this run | 0.710 ± 0.014 | n/a | Allometry 1.0 | 1 | AMD EPYC, 2 threads of 2 CPUs | n/a | Poisson |"
    )
    assert "NOT the benchmark" in race.row([0.1], 0.1, {"cpu": "x", "cpus": 2}, 2, "1.0")


@pytest.mark.slow
def test_a_small_race(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    race.main(["--quick", "--scale", "0.03", "--seconds", "1", "--threads", "1", "--json", str(tmp_path / "race.json")])
    said = capsys.readouterr().out
    assert "reference: our own exact precision, 2 other seeds" in said
    assert said.rstrip().endswith("QUICK: nothing of this is a result")
    found = json.loads((tmp_path / "race.json").read_text())
    assert [one["seed"] for one in found["runs"]] == [1, 2]
    assert all(0 < one["to the reference"] < 0.5 for one in found["ks"].values())
