"""The Makefile: a Python that does not fit is refused in one sentence, and an environment is made once."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """What the environment is made from, and nothing else."""
    (tmp_path / "envs").mkdir()
    for name in ("Makefile", "pyproject.toml", "envs/requirements.lock", "envs/install.py"):
        shutil.copy2(root / name, tmp_path / name)
    return tmp_path


def _make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, timeout=600)


def test_an_unsupported_python_is_refused_in_one_sentence(copy: Path) -> None:
    fake = copy / "python3.9"
    # runs what make asks with the answers of Python 3.9
    fake.write_text(
        '#!/bin/sh\ncode=$(printf "%s" "$2" | sed "s/sys.version_info;/(3, 9, 18);/")\nexec python3 -c "$code"\n'
    )
    fake.chmod(0o755)
    done = _make(copy, "run", f"PYTHON={fake}")
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert said == [
        f"Allometry needs Python 3.11, 3.12 or 3.13, but {fake} is 3.9: run make PYTHON=python3.12",
    ]
    assert not (copy / ".venv").exists()


def test_the_environment_is_made_once_and_again_when_the_lock_changes(copy: Path) -> None:
    (copy / ".venv").mkdir()
    stamp = copy / ".venv" / ".allometry-installed"
    assert _make(copy, "-q", str(stamp.relative_to(copy))).returncode == 1
    stamp.touch()
    assert _make(copy, "-q", str(stamp.relative_to(copy))).returncode == 0
    assert "install.py" not in _make(copy, "-n", "run").stdout
    lock = copy / "envs" / "requirements.lock"
    later = stamp.stat().st_mtime_ns + 10**9
    os.utime(lock, ns=(later, later))
    assert "envs/install.py" in _make(copy, "-n", "run").stdout


def test_caches_are_in_the_checkout_where_the_home_folder_cannot_be_written(copy: Path) -> None:
    def cache(home: str) -> list[str]:
        environment = {key: value for key, value in os.environ.items() if key != "XDG_CACHE_HOME"} | {"HOME": home}
        done = subprocess.run(["make", "-pn"], cwd=copy, capture_output=True, text=True, env=environment, timeout=60)
        return [line for line in done.stdout.splitlines() if line.startswith("XDG_CACHE_HOME")]

    assert cache("/proc/nonexistent") == [f"XDG_CACHE_HOME := {copy}/.cache"]
    assert cache(str(copy)) == []


@pytest.fixture(scope="module")
def install(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", root / "envs" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_installation_says_how_far_it_is(install: ModuleType, root: Path) -> None:
    lock = (root / "envs" / "requirements.lock").read_text(encoding="utf-8")
    packages = install.names(lock)
    assert len(packages) == len(set(packages)) > 100
    assert {"numpy", "zarr"} <= set(packages)
    count, name = 0, ""
    for line in (
        "Collecting numpy==2.4.6 (from -r envs/requirements.lock (line 7))",
        "  Downloading numpy.whl",
        "Using x",
    ):
        count, found = install.phase(line, count)
        name = found or name
    assert (count, name) == (1, "numpy")
    assert install.state(count, 0, 180, name, 4.2) == "fetched 1 of 180 packages (numpy), 4 s"
    assert install.state(180, 60, 180, "unpacking", 70.0) == "installed 60 of 180 packages (unpacking), 70 s"


def test_an_installation_that_fails_says_why_and_where_the_rest_is(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "LOG", tmp_path / "install.log")
    with pytest.raises(SystemExit, match=r"status 3.*install\.log"):
        install._run(["sh", "-c", "echo Collecting numpy==2; echo no such hash; exit 3"], 2)
    assert "no such hash" in capsys.readouterr().err
    assert "no such hash" in (tmp_path / "install.log").read_text()
