"""The processes of a workflow: Ctrl-C is one sentence and status 130, a path of Python with a space is no obstacle, and killed ones leave no orphans."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

from allometry import files, processes
from allometry.errors import ConfigError
from tests.forked import Forks

SNAKEFILE = """
from allometry import processes

processes.prepare(workflow.is_main_process)

rule all:
    output: "done"
    script: "wait.py"
"""


def test_an_interrupted_workflow_says_one_sentence_and_its_status_is_130(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "wait.py").write_text(
        "import allometry, pathlib, time\npathlib.Path('started').touch()\ntime.sleep(600)\n"
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--nocolor"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as started:
        deadline = time.monotonic() + 600
        while not (tmp_path / "started").exists() and time.monotonic() < deadline and started.poll() is None:
            time.sleep(0.1)
        # as a terminal does: every process of the group
        os.killpg(started.pid, signal.SIGINT)
        said, _ = started.communicate(timeout=300)
    assert started.returncode == 130, said
    assert said.count(processes.SENTENCE) == 1
    assert said.rstrip().endswith(processes.SENTENCE)
    assert "Traceback" not in said
    assert not list((tmp_path / ".snakemake" / "locks").glob("*"))


def test_jobs_start_where_the_path_of_python_has_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/a b/it's/python")
    for name in (*processes.ONE_THREAD, processes.VARIABLE):
        monkeypatch.setenv(name, os.environ.get(name, "1"))
    for _ in range(2):
        processes.prepare(is_main=True)
        printed = subprocess.run(f"printf '%s\n' {sys.executable}", shell=True, capture_output=True, text=True)
        assert printed.stdout == "/a b/it's/python\n"


def test_only_interrupts_of_a_workflow_are_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, *_: shown.append(kind))
    before = sys.excepthook
    monkeypatch.delenv(processes.VARIABLE, raising=False)
    processes.quiet_in_workflow()
    assert sys.excepthook is before
    monkeypatch.setenv(processes.VARIABLE, "1")
    processes.quiet_in_workflow()
    for error in (KeyboardInterrupt(), ValueError()):
        sys.excepthook(type(error), error, None)
    assert shown == [ValueError]


def _run(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "allometry", "run", *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_ctrl_c_while_snakemake_is_imported_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").touch()
    slow = tmp_path / "slow" / "snakemake"
    slow.mkdir(parents=True)
    (slow / "__init__.py").write_text("import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(600)\n")
    path = os.pathsep.join([str(slow.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    with _run(tmp_path, "--cores", "1", PYTHONPATH=path) as started:
        deadline = time.monotonic() + 600
        while not (tmp_path / "started").exists() and time.monotonic() < deadline and started.poll() is None:
            time.sleep(0.1)
        os.killpg(started.pid, signal.SIGINT)
        said, _ = started.communicate(timeout=300)
    assert (started.returncode, said) == (130, f"{processes.SENTENCE}\n")


def test_ctrl_c_while_the_command_is_imported_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(600)\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    with _run(tmp_path, PYTHONPATH=path) as started:
        deadline = time.monotonic() + 600
        while not (tmp_path / "started").exists() and time.monotonic() < deadline and started.poll() is None:
            time.sleep(0.1)
        os.killpg(started.pid, signal.SIGINT)
        said, _ = started.communicate(timeout=300)
    assert (started.returncode, said) == (130, "interrupted\n")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("-n", "--configfile", "mine.yml"), "the configuration does not exist"),
        (("-n", "--configfile=mine.yml", "--cores", "1"), "the configuration does not exist"),
        (("--configfiles", "mine.yaml", "compare", "-n"), "the configuration does not exist"),
        (("-n", "--configfile", "."), "the configuration is a folder"),
    ],
)
def test_a_configuration_that_is_not_there_is_one_message(
    tmp_path: Path, arguments: tuple[str, ...], what: str
) -> None:
    (tmp_path / "mine.yaml").write_text("mirror: null\n")
    with pytest.raises(ConfigError, match=what) as refused:
        _in(tmp_path, arguments)
    assert ("mine.yaml is meant" in refused.value.do) == ("mine.yml" in "".join(arguments))


def _in(folder: Path, arguments: tuple[str, ...]) -> None:
    before = Path.cwd()
    os.chdir(folder)
    try:
        processes.start(arguments)
    finally:
        os.chdir(before)


def test_the_command_runs_snakemake_with_its_options(tmp_path: Path, forks: Forks) -> None:
    (tmp_path / "Snakefile").write_text('rule all:\n    output: "done"\n    shell: "touch done"\n')
    with _run(tmp_path, "--cores", "1", "all", "--nocolor") as started:
        said, _ = started.communicate(timeout=300)
    assert started.returncode == 0, said
    assert (tmp_path / "done").exists()
    done = forks.run("allometry", "run", "--cores", "1", "nothing", "--nocolor", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr


POOLS = "print(*(pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas'))"
ASK = f"import numpy, scipy.linalg; from threadpoolctl import threadpool_info; {POOLS}"
WANTS_TWO = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}


def test_linear_algebra_of_a_job_has_one_thread_whatever_the_user_set(tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(ASK)
    (tmp_path / "Snakefile").write_text(
        "import sys\nfrom allometry import processes\nprocesses.prepare(workflow.is_main_process)\n"
        'rule all:\n    output: "said"\n    shell: f"{sys.executable} ask.py > said"\n'
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | WANTS_TWO, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set((tmp_path / "said").read_text().split()) == {"1"}


def test_linear_algebra_that_is_loaded_already_gets_one_thread() -> None:
    code = f"import numpy, scipy.linalg; from allometry.processes import one_thread; one_thread(); {ASK}"
    said = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | WANTS_TWO, capture_output=True, text=True, check=True
    )
    assert set(said.stdout.split()) == {"1"}
    # the question can have another answer
    said = subprocess.run([sys.executable, "-c", ASK], env=os.environ | WANTS_TWO, capture_output=True, text=True)
    assert set(said.stdout.split()) == {str(min(2, os.cpu_count() or 1))}


def _dead() -> str:
    """Mark of a process that is no more."""
    program = "from allometry import files; print(files.mark())"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """What Snakemake keeps in a working folder that is locked."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "0.input.lock").touch()
    (tmp_path / "allometry").mkdir()
    return tmp_path


def test_the_lock_of_a_killed_workflow_is_taken_away(notes: Path) -> None:
    (notes / "allometry" / _dead()).touch()
    assert processes.take_over(notes)
    assert not list((notes / "locks").iterdir())
    # the folder is this process's now
    (notes / "locks" / "0.input.lock").touch()
    assert not processes.take_over(notes)
    assert list((notes / "locks").iterdir())


@pytest.mark.parametrize("others", [[], ["alive"], ["dead", "alive"], ["elsewhere"], ["dead", "elsewhere"]])
def test_a_lock_stays_unless_all_who_may_hold_it_are_known_to_be_dead(notes: Path, others: list[str]) -> None:
    marks = {"alive": files.mark(), "dead": _dead() if "dead" in others else "", "elsewhere": "0123abcd-1-89abcdef-0"}
    for other in others:
        (notes / "allometry" / marks[other]).touch()
    assert not processes.take_over(notes)
    assert [path.name for path in (notes / "locks").iterdir()] == ["0.input.lock"]


def test_a_job_ends_when_the_snakemake_that_started_it_is_killed(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "wait.py").write_text(
        "import pathlib, time\n"
        "from allometry.errors import script_log\n"
        "with script_log('log'):\n"
        "    pathlib.Path('started').touch()\n"
        "    try:\n"
        "        time.sleep(600)\n"
        "    finally:\n"
        "        pathlib.Path('ended').touch()\n"
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--nocolor"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        deadline = time.monotonic() + 600
        while not (tmp_path / "started").exists() and time.monotonic() < deadline and started.poll() is None:
            time.sleep(0.1)
        assert (tmp_path / "started").exists()
        started.kill()
    while not (tmp_path / "ended").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert list((tmp_path / ".snakemake" / "locks").iterdir())
    said = subprocess.run([*command, "-n"], cwd=tmp_path, capture_output=True, text=True)
    assert "the run before was killed: its lock on this folder is taken away" in said.stderr
    assert not list((tmp_path / ".snakemake" / "locks").iterdir())


def test_the_scheduler_has_one_timer_however_often_it_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobScheduler, "_schedule_reevalutation", JobScheduler._schedule_reevalutation)
    processes.calm_scheduler()
    scheduler = SimpleNamespace(_open_jobs=threading.Semaphore(0))
    before = threading.active_count()
    for _ in range(20):
        JobScheduler._schedule_reevalutation(scheduler, 0.2)
    assert threading.active_count() == before + 1
    assert scheduler._open_jobs.acquire(timeout=30)
    JobScheduler._schedule_reevalutation(scheduler, 0.01)
    assert scheduler._open_jobs.acquire(timeout=30)
    assert not scheduler._open_jobs.acquire(timeout=0.3)
