"""What a run shows: a line per finished job, what is running, and how long it still takes.

A logger plugin of Snakemake, which `allometry run` registers by itself. Snakemake's own lines name every input and output of a
job and are thousands of signs long; they stay in the file of the whole log. snakemake-logger-plugin-rich knows no costs of jobs,
so that it can show no time left.
"""

import logging
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from allometry.simulate.build.estimate import duration
from allometry.terminal.remaining import Remaining
from allometry.workflow.planning import plan as run_plan

LONGEST = 300  # signs of a line of a message
TAIL = 20  # lines of the log of a job that failed
_LONG_S = 15.0  # planned time of a job from which its start is worth a line where nothing moves on the screen
# What Snakemake says at the start and at the end of every run, and after every job.
_USUAL = (
    "Assuming unrestricted",
    "Building DAG",
    "Complete log",
    "Conda environments",
    "Elapsed time",
    "Finished job",
    "Group jobs",
    "Job stats",
    "Provided ",
    "Removing temporary",
    "Rules claiming",
    "Select jobs",
    "Singularity containers",
    "Touching output",
    "Using shell",
    "Execute ",
    "Config file ",
    "host:",
    "localrule",
)


class _Console(Console):
    def show_cursor(self, show: bool = True) -> bool:
        """Leave the cursor alone: a run that is interrupted would leave the terminal without one."""
        return False


class LogHandler(LogHandlerBase):
    """Shows the events of Snakemake to a person."""

    def __post_init__(self) -> None:
        self.console = _Console(stderr=not self.common_settings.stdout, highlight=False, soft_wrap=True)
        self.moves = self.console.is_terminal and not self.common_settings.dryrun
        self.live: Live | None = None
        self.remaining: Remaining | None = None
        self.messages: dict[int, tuple[str, str, str]] = {}
        self.running: dict[int, float] = {}
        self.done = self.total = 0
        self.failed: set[int] = set()
        self.told = False

    @property
    def writes_to_stream(self) -> bool:
        """It writes to the screen."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """The file of the whole log is Snakemake's own."""
        return False

    @property
    def has_filter(self) -> bool:
        """It decides itself what is shown."""
        return True

    @property
    def has_formatter(self) -> bool:
        """It formats itself."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """Not needed."""
        return False

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record."""
        event = getattr(record, "event", None)
        show = {
            LogEvent.RUN_INFO: self._run,
            LogEvent.JOB_INFO: self._job,
            LogEvent.JOB_STARTED: self._started,
            LogEvent.JOB_FINISHED: self._finished,
            LogEvent.JOB_ERROR: self._failed,
            LogEvent.ERROR: self._message,
            None: self._message,
        }.get(event)
        if show is None:
            return
        try:
            show(record)
        except Exception:  # the run goes on whatever is wrong with what it shows
            self.handleError(record)

    def close(self) -> None:
        """Take away what moves."""
        if self.live is not None:
            self.live.stop()
            self.live = None
        super().close()

    def _run(self, record: logging.LogRecord) -> None:
        self.total = int(getattr(record, "stats", {}).get("total", 0))
        if self.common_settings.dryrun:
            self.console.print(Text(record.getMessage()))

    def _job(self, record: logging.LogRecord) -> None:
        values: Any = record
        message = str(values.rule_msg or f"{values.rule_name} {_wildcards(values.wildcards)}".strip())
        logs = list(map(str, values.log or ()))
        self.messages[values.jobid] = (_short(message, 120), str(values.benchmark or ""), logs[0] if logs else "")
        if self.common_settings.dryrun:
            self.console.print(Text(f"would run: {self.messages[values.jobid][0]}"))

    def _started(self, record: logging.LogRecord) -> None:
        jobs = getattr(record, "jobs", None) or []
        self._begin()
        for job in [jobs] if isinstance(jobs, int) else jobs:
            now = self.running[job] = time.monotonic()
            message, benchmark, _ = self.messages.get(job, ("", "", ""))
            if self.remaining is not None and benchmark:
                self.remaining.started(benchmark, now)
                if not self.moves and self.remaining.planned(benchmark) >= _LONG_S:
                    long = duration(self.remaining.planned(benchmark))
                    self._line(Text(f"  {message} (about {long}) ..."))

    def _finished(self, record: logging.LogRecord) -> None:
        job = int(getattr(record, "job_id", -1))
        now = time.monotonic()
        took = now - self.running.pop(job, now)
        message, benchmark, _ = self.messages.get(job, (f"job {job}", "", ""))
        self.done += 1
        if self.remaining is not None and benchmark:
            self.remaining.finished(benchmark, now)
        if benchmark or self.remaining is None:
            self._line(self._count(Text(f"  {duration(took):>8}  {message}"), now))

    def _failed(self, record: logging.LogRecord) -> None:
        values: Any = record
        job = int(values.jobid)
        self.running.pop(job, None)
        if job in self.failed:
            return
        self.failed.add(job)
        message, _, log = self.messages.get(job, (str(values.rule_name), "", ""))
        self._line(Text(f"FAILED  {message} (rule {values.rule_name})", style="bold red"))
        for line in _tail(log):
            self._line(Text(f"        {_short(line)}"))
        if log:
            self._line(Text(f"        the whole log of the job: {log}"))

    def _message(self, record: logging.LogRecord) -> None:
        said = record.getMessage().strip() if record.msg is not None else ""
        if not said or said == "None" or (record.levelno < logging.WARNING and said.startswith(_USUAL)):
            return
        if record.levelno < logging.INFO:
            return
        style = "red" if record.levelno >= logging.ERROR else "yellow" if record.levelno >= logging.WARNING else ""
        for line in said.splitlines():
            self._line(Text(_short(line), style=style))

    def _begin(self) -> None:
        """Say once what is going to be done, as soon as the plan of the run is there."""
        if self.told:
            return
        self.told = True
        plan = run_plan.latest()
        if plan is not None:
            self.remaining = Remaining(plan, time.monotonic())
            stages = run_plan.by_stage(plan.needed)
            self._line(Text("  " + ", ".join(f"{stage} {len(jobs)}" for stage, jobs in stages.items())))
        if (log := _whole_log()) is not None:
            self._line(Text(f"  the whole log: {log}"))
        if self.moves:
            self.live = Live(
                console=self.console, get_renderable=self._moving, refresh_per_second=2, transient=True, screen=False
            )
            self.live.start()

    def _count(self, line: Text, now: float) -> Text:
        left = f", {duration(self.remaining.seconds(now))} left" if self.remaining is not None else ""
        return Text(f"{self.done:>4} of {self.total}{left if not self.moves else ''}").append_text(line)

    def _line(self, line: Text) -> None:
        if self.live is not None:
            self.live.console.print(line)
        else:
            self.console.print(line)

    def _moving(self) -> Group:
        """The lines at the bottom of a terminal: what is running, how far the run is, and how long it still takes."""
        now = time.monotonic()
        lines: list[Any] = [
            Text(
                f"  {duration(now - since):>8}  {self.messages.get(job, ('',))[0]} ...",
                overflow="ellipsis",
                no_wrap=True,
            )
            for job, since in sorted(self.running.items(), key=lambda item: item[1])[:8]
        ]
        bar = Table.grid(padding=(0, 1))
        left = f"{duration(self.remaining.seconds(now))} left" if self.remaining is not None else ""
        bar.add_row(
            ProgressBar(total=max(1, self.total), completed=self.done, width=30), f"{self.done} of {self.total}", left
        )
        return Group(*lines, bar)


def _wildcards(values: Any) -> str:
    return " ".join(f"{value}" for value in dict(values or {}).values())


def _short(line: str, most: int = LONGEST) -> str:
    return line if len(line) <= most else f"{line[: most - 2]} …"


def _tail(path: str) -> list[str]:
    """The last lines of a log; empty where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:] if path else []
    except OSError:
        return []


def _whole_log() -> str | None:
    """File of the whole log of Snakemake, seen from here."""
    for handler in logging.getLogger("snakemake.logging").handlers:
        if isinstance(handler, logging.FileHandler):
            path = Path(handler.baseFilename)
            return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
    return None


def register() -> None:
    """Make this module known to Snakemake as the logger `allometry`."""
    from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

    LoggerPluginRegistry().register_plugin("snakemake_logger_plugin_allometry", sys.modules[__name__])
