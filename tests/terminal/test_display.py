"""What a run shows: short lines, the time left, the end of the log of a job that failed; nothing that is long."""

import io
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from allometry.terminal import display
from allometry.terminal.display import LogHandler
from allometry.workflow.planning import plan as run_plan
from tests.terminal.plans import BENCHMARK, plan, planned


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> LogHandler:
    made = plan(planned("homogenize/a", 30), planned("simulate/b", 90, after=(0,)))
    monkeypatch.setattr(run_plan, "_latest", [made])
    monkeypatch.setattr(display.time, "monotonic", lambda: 50.0)
    settings = SimpleNamespace(stdout=False, dryrun=False)
    out = LogHandler(settings, None)  # type: ignore[arg-type]
    out.console = display._Console(file=io.StringIO(), width=100, soft_wrap=True)
    out.moves = False
    return out


def _send(
    handler: LogHandler, event: LogEvent | None, message: str | None = None, level: int = logging.INFO, **values: Any
) -> str:
    record = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    record.__dict__.update({"event": event, **values} if event else values)
    before = handler.console.file.tell()
    handler.emit(record)
    return handler.console.file.getvalue()[before:]  # type: ignore[attr-defined]


def _job(handler: LogHandler, number: int, name: str, message: str, log: str = "") -> None:
    values = {"rule_name": "rule", "rule_msg": message, "wildcards": {}, "log": [log] if log else []}
    benchmark = BENCHMARK.format(name)
    assert _send(handler, LogEvent.JOB_INFO, None, jobid=number, benchmark=benchmark, input=["x"] * 999, **values) == ""


def test_a_line_for_each_job_with_the_time_left(handler: LogHandler) -> None:
    assert _send(handler, LogEvent.RUN_INFO, "Job stats:\n" + "x" * 9000, stats={"total": 3, "a": 1}) == ""
    _job(handler, 1, "homogenize/a", "Homogenizing connectome a")
    said = _send(handler, LogEvent.JOB_STARTED, None, jobs=[1])
    assert "homogenize 1, simulate 1" in said
    assert "Homogenizing connectome a (about 30.0 s) ..." in said
    said = _send(handler, LogEvent.JOB_FINISHED, "Finished jobid: 1", job_id=1)
    assert said == "   1 of 3, 2 min left     0.0 s  Homogenizing connectome a\n"


def test_what_snakemake_always_says_is_not_shown_and_the_rest_is_short(handler: LogHandler) -> None:
    for usual in ("Building DAG of jobs...", "Using shell: /bin/bash", "Select jobs to execute...", "host: x"):
        assert _send(handler, None, usual) == ""
    assert _send(handler, None, "detail", logging.DEBUG) == ""
    assert _send(handler, None, "Nothing to be done (all requested files are present and up to date).").startswith(
        "Nothing to"
    )
    said = _send(handler, None, f"Missing input files: {'x' * 7000}", logging.ERROR)
    assert said.startswith("Missing input files")
    assert len(said) <= display.LONGEST + 1
    assert said.endswith("…\n")


def test_a_job_that_fails_shows_the_end_of_its_log_once(handler: LogHandler, tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    log.write_text("\n".join(f"line {number}" for number in range(100)))
    _job(handler, 7, "simulate/b", "Simulating b", str(log))
    said = _send(handler, LogEvent.JOB_ERROR, None, logging.ERROR, jobid=7, rule_name="simulate_point")
    assert "FAILED  Simulating b (rule simulate_point)" in said
    assert "line 99" in said
    assert "line 79\n" not in said
    assert str(log) in said
    assert _send(handler, LogEvent.JOB_ERROR, None, logging.ERROR, jobid=7, rule_name="simulate_point") == ""


def test_a_terminal_shows_what_is_running(handler: LogHandler) -> None:
    _send(handler, LogEvent.RUN_INFO, "", stats={"total": 2})
    _job(handler, 1, "homogenize/a", "Homogenizing connectome a")
    _send(handler, LogEvent.JOB_STARTED, None, jobs=[1])
    with handler.console.capture() as shown:
        handler.console.print(handler._moving())
    assert "Homogenizing connectome a ..." in shown.get()
    assert "0 of 2" in shown.get()
    assert "2 min left" in shown.get()


def test_it_is_a_logger_of_snakemake() -> None:
    from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

    display.register()
    display.register()
    plugin = LoggerPluginRegistry().get_plugin("allometry")
    assert plugin.log_handler is LogHandler  # type: ignore[attr-defined]
