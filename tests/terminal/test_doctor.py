"""The state of the machine: each line can be well and unwell, and says what to do."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from allometry import cli
from allometry.terminal import doctor
from allometry.terminal.doctor import FAIL, OK, WARN


def test_every_line_has_a_state_and_what_is_not_well_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["doctor"])
    *lines, last = capsys.readouterr().out.splitlines()
    states = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert len(states) == len(doctor.CHECKS)
    assert set(states) <= {OK, WARN, FAIL}
    assert sum(line.strip().startswith("to do: ") for line in lines) == len(states) - states.count(OK)
    assert status == int(FAIL in states)
    assert last.startswith(f"{len(states)} checks")


def test_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    assert doctor.python().state == FAIL
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert doctor.python().state == WARN


def test_packages_of_other_versions_are_named(tmp_path: Path) -> None:
    from importlib.metadata import version

    lock = tmp_path / "lock"
    lock.write_text(
        f"numpy=={version('numpy')} \\\n    --hash=sha256:0\nno-such-windows==1 ; sys_platform == 'win32' \\\n"
    )
    assert doctor.packages(lock).state == OK
    lock.write_text("numpy==1.0 \\\nno-such-package==1 \\\n")
    found = doctor.packages(lock)
    assert found.state == WARN
    assert "1 missing: no-such-package" in found.found
    assert "(locked: 1.0)" in found.found
    assert doctor.packages(tmp_path / "none").state == OK


def test_mirror(tmp_path: Path) -> None:
    assert doctor.mirror({}).state == OK
    assert doctor.mirror({"ALLOMETRY_MIRROR": str(tmp_path / "none")}).state == FAIL
    assert doctor.mirror({"ALLOMETRY_MIRROR": str(tmp_path)}).state == WARN
    (tmp_path / "file").touch()
    assert doctor.mirror({"ALLOMETRY_MIRROR": str(tmp_path)}).state == OK


@pytest.mark.parametrize(("free", "state"), [(0.5e9, FAIL), (3e9, WARN), (1e12, OK)])
def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, state: str) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=int(free)))
    assert doctor.disk(tmp_path).state == state


def test_a_folder_that_cannot_be_written_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(dir: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert doctor.disk(tmp_path).state == FAIL


@pytest.mark.parametrize(("gib", "state"), [(1, FAIL), (3, WARN), (16, OK)])
def test_memory(monkeypatch: pytest.MonkeyPatch, gib: int, state: str) -> None:
    monkeypatch.setattr(doctor, "_limit", lambda: None)
    assert doctor.memory(f"MemTotal: 99 kB\nMemAvailable:   {gib * 2**20} kB\n").state == state
    monkeypatch.setattr(doctor, "_limit", lambda: 2**30)
    assert doctor.memory(f"MemAvailable:   {gib * 2**20} kB\n").state == FAIL


def test_memory_of_a_container(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("2000\n")
    assert doctor._limit(tmp_path) == 3000
    (tmp_path / "memory.max").write_text("max\n")
    assert doctor._limit(tmp_path) is None
    assert doctor._limit(tmp_path / "none") is None


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(4)), raising=False)
    assert doctor.threads("max 100000", 0.5).state == OK
    assert doctor.threads("150000 100000", 0.5).state == WARN
    assert "--cores 1" in doctor.threads("150000 100000", 0.5).do
    assert doctor.threads("max 100000", 9.0).state == WARN


def test_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert doctor.slurm().state == OK
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/bin/{name}")
    for status, out, state in ((0, "short* up\nlong down\n", OK), (0, "short* down\n", WARN), (1, "", WARN)):
        done = subprocess.CompletedProcess([], status, out, "no controller\n")
        monkeypatch.setattr(doctor.subprocess, "run", lambda *_, done=done, **__: done)
        assert doctor.slurm().state == state
