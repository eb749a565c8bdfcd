"""A command that is forked does what it does in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forked import LIBRARIES, Forks

TELLING = """
import atexit, os, sys
import beside

atexit.register(print, "the end")
print(sys.argv[1:], os.getcwd(), os.environ.get("TOLD"), __name__, beside.FOLDER, sys.path[:2], sys.stdin.read())
print("complaint", file=sys.stderr)
sys.modules["allometry"] if "allometry" in sys.modules else print("no package yet")
if "fail" in sys.argv:
    raise ValueError("as asked")
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "telling.py").write_text(TELLING)
    (tmp_path / "beside.py").write_text("from pathlib import Path\nFOLDER = Path(__file__).parent.name\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/beside.py").write_text("FOLDER = 'none of this'\n")
    return tmp_path


@pytest.mark.parametrize("arguments", [("0",), ("3", "a b"), ("0", "fail")])
def test_it_says_and_ends_as_any_process(forks: Forks, folder: Path, arguments: tuple[str, ...]) -> None:
    env = {**os.environ, "TOLD": "yes", "PYTHONPATH": str(folder / "elsewhere")}
    alone = subprocess.run(
        [sys.executable, "-m", "telling", *arguments],
        cwd=folder, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    forked = forks.run("telling", *arguments, cwd=folder, env=env)
    assert (forked.returncode, forked.stdout) == (alone.returncode, alone.stdout)
    assert forked.stderr.splitlines()[-1] == alone.stderr.splitlines()[-1]
    assert "the end" in forked.stdout
    assert "no package yet" in forked.stdout


def test_one_command_leaves_nothing_to_the_next(forks: Forks, folder: Path) -> None:
    first = "import os, sys; os.environ['LEFT'] = 'over'; sys.path.append('left over'); import json; json.left = 1"
    forks.run("telling", "0", cwd=folder, first=first)
    (folder / "asking.py").write_text(
        "import json, os, sys\nprint(os.environ.get('LEFT'), 'left over' in sys.path, hasattr(json, 'left'))\n"
    )
    assert forks.run("asking", cwd=folder).stdout == "None False False\n"


def test_libraries_are_there_already(forks: Forks, folder: Path) -> None:
    (folder / "asking.py").write_text("import sys\nprint(*sys.modules)\n")
    assert set(LIBRARIES) <= set(forks.run("asking", cwd=folder).stdout.split())


def test_what_it_starts_by_its_executable_is_forked_and_is_as_any_process(forks: Forks, folder: Path) -> None:
    """A script, a module, and what becomes Python itself: words, folder, environment, files, status."""
    (folder / "scripts of mine").mkdir()
    (folder / "scripts of mine/script.py").write_text(TELLING)
    (folder / "scripts of mine/beside.py").write_text("FOLDER = 'beside the script'\n")
    (folder / "starting.py").write_text("""
import os, subprocess, sys
starts = (["scripts of mine/script.py", "3", "b"], ["-m", "telling", "0", "fail"], ["-c", "print('plain')"], ["script of none.py"])
for words in starts:
    env = {**os.environ, "TOLD": "by me"}
    done = subprocess.run([sys.executable, *words], input="read", capture_output=True, text=True, env=env)
    print(done.returncode, done.stdout, done.stderr.splitlines()[-1:])
""")
    forked = forks.run("starting", cwd=folder).stdout
    alone = subprocess.run([sys.executable, "-m", "starting"], cwd=folder, capture_output=True, text=True).stdout
    assert [line for line in forked.splitlines() if "script of none" not in line] == [
        line for line in alone.splitlines() if "script of none" not in line
    ]
    assert "3 ['3', 'b']" in forked
    assert "beside the script" in forked
    assert "plain" in forked


def test_jobs_run_side_by_side_and_end_with_who_started_them(forks: Forks, folder: Path) -> None:
    (folder / "job.py").write_text("""
import os, sys, time
open(sys.argv[1], "w").write(str(os.getpid()))
while not os.path.exists(sys.argv[2]):
    time.sleep(0.02)
""")
    (folder / "starting.py").write_text("""
import os, pathlib, signal, subprocess, sys, time
first, second = (subprocess.Popen([sys.executable, "job.py", mine, other]) for mine, other in (("a", "b"), ("b", "a")))
print(first.wait(), second.wait())
killed = subprocess.Popen([sys.executable, "job.py", "c", "never"])
while not pathlib.Path("c").exists() or not pathlib.Path("c").read_text():
    time.sleep(0.02)
killed.kill()
job = pathlib.Path("/proc", pathlib.Path("c").read_text())
while job.exists():
    time.sleep(0.02)
print("ended")
""")
    assert forks.run("starting", cwd=folder).stdout == "0 0\nended\n"
