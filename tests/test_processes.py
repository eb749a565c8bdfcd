"""The processes of a workflow: Ctrl-C is one sentence and status 130, and a path of Python with a space is no obstacle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from allometry import processes

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
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", processes.VARIABLE):
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
