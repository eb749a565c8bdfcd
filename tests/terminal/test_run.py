"""What stands at the end of a run: the address of the report, and the findings as stored."""

from pathlib import Path

import pytest

from allometry import cli, stores
from allometry.errors import ConfigError
from allometry.terminal import arguments, run
from tests.report.test_findings import scores


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    stores.write(scores(0.3, 0.1), tmp_path / "results" / "compared" / "strong.zarr")
    stores.write(scores(0.02, 0.1), tmp_path / "results" / "compared" / "weak.zarr")
    (tmp_path / "results" / "report").mkdir()
    (tmp_path / "results" / "report" / "index.html").touch()
    return tmp_path


def test_the_end_names_the_report_and_the_findings(finished: Path) -> None:
    address, *found = run.closing(finished)
    assert address == f"Report: {(finished / 'results/report/index.html').as_uri()}"
    assert [line.partition(":")[0] for line in found] == ["  1. strong", "  2. weak"]


def test_without_a_report_there_is_no_end(tmp_path: Path) -> None:
    assert run.closing(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-c1"], True),
        (["my.yaml"], True),
        (["--dry-run"], False),
        (["-n", "homogenize"], False),
        (["--logger", "rich"], False),
        (["--unlock"], False),
    ],
)
def test_findings_are_told_also_when_nothing_was_to_be_done(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], told: bool
) -> None:
    def start(given: list[str], arrange: object) -> int:
        raise SystemExit(0)

    (finished / "Snakefile").touch()
    monkeypatch.chdir(finished)
    monkeypatch.setattr(run.processes, "start", start)
    monkeypatch.delenv(run.QUIET_JOBS, raising=False)
    assert run.run(words) == 0
    assert ("1. strong" in capsys.readouterr().err) == told


def test_a_run_that_fails_tells_no_findings(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(given: list[str], arrange: object) -> int:
        raise SystemExit(1)

    (finished / "Snakefile").touch()
    monkeypatch.chdir(finished)
    monkeypatch.setattr(run.processes, "start", start)
    assert run.run([]) == 1
    assert capsys.readouterr().err == ""


def test_a_folder_without_a_workflow_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(arguments, "CHECKOUT", tmp_path / "site-packages")
    with pytest.raises(ConfigError, match=r"no workflow in this folder[\s\S]*checkout"):
        run.run(["my.yaml"])


def test_a_folder_of_the_user_runs_the_workflow_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["my.yaml", "homogenize", "-n"]
    assert arguments.placed(words) == [*words, "--snakefile", str(root / "Snakefile")]
    assert arguments.arranged(arguments.placed(words))[-2:] == ["--configfile", "my.yaml"]
    own = [*words, "--snakefile", "mine.smk"]
    assert arguments.placed(own) == own
    with pytest.raises(ConfigError, match="no configuration is named"):
        run.run(["homogenize"])
    (tmp_path / "Snakefile").touch()
    assert arguments.placed(["homogenize"]) == ["homogenize"]


def test_the_logger_stands_before_the_configurations() -> None:
    assert run._arguments(["my.yaml", "-c1"], True) == ["-c1", "--logger", "allometry", "--configfile", "my.yaml"]
    assert run._arguments(["-c1"], False) == ["-c1"]


def test_bare_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 0
    assert "doctor" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("allometry 0.")
