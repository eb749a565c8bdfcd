"""An archive holds what a rerun needs: it is built again with the network cut, to the same bits."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from allometry.errors import AllometryError
from allometry.workflow.keeping import archive
from tests.forked import Forks

CONFIGURATION = """
plugins: [my_lab]
datasets:
  mine:
    reader: generic_edges
    species: Mus musculus
    citation: none
    licence: CC0-1.0
    files: [{name: my edges.csv, places: ["file:MINE"]}]
    stores:
      mine: {kind: connectome, options: {file: my edges.csv, source: pre, target: post, weight: n}}
homogenize:
  connectome: [white1986_whole, mine]
compare:
  comparisons: {}
"""

PLUGIN = """
from allometry.models import model
from allometry.network import IafPscDelta, Network, Population

@model(description="Neurons at rest.", source="this test")
def at_rest() -> Network:
    return Network((Population("all", 10, IafPscDelta()),), title="At rest")
"""


# Cuts the network off from the process that runs it and from what that starts, as `unshare --net --map-root-user` does. Jobs are
# processes of their own there: what is forked elsewhere has a network.
CUT = f"""
import ctypes, os, sys
sys.executable = {sys.executable!r}
user, group = os.geteuid(), os.getegid()
if ctypes.CDLL(None).unshare(0x40000000 | (0x10000000 if user else 0)):
    sys.exit("the network is not cut")
if user:
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {{user}} 1"), ("gid_map", f"0 {{group}} 1")):
        with open(f"/proc/self/{{name}}", "w") as file:
            file.write(text)
"""

Run = Callable[..., str]


@pytest.fixture(scope="module")
def run(forks: Forks) -> Run:
    """Runs a module in a checkout."""
    return partial(_run, forks)


@pytest.fixture(scope="module")
def checkout(root: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which a small workflow with data and code of the user's own has run, its data fetched before the rest."""
    folder = tmp_path_factory.mktemp("to archive") / "check out"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(root), str(folder)], check=True)
    # what is not committed yet belongs to the test as well
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout.split("\0"):  # fmt: skip
        if name and (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    mine = folder.parent / "my edges.csv"
    mine.write_text("pre,post,n\na,b,2\nb,c,3\n")
    settings = folder.parent / "settings"
    (settings / "my_lab").mkdir(parents=True)
    (settings / "my_lab/models.py").write_text(PLUGIN)
    (settings / "mine.yaml").write_text(CONFIGURATION.replace("MINE", str(mine)))
    options = ("--cores", "2", "--configfile", str(settings / "mine.yaml"))
    run(folder, "snakemake", "retrieve", *options)
    there = (path.relative_to(folder / "results").as_posix() for path in folder.glob("results/*/*/*"))
    retrieved = sorted(name for name in there if name.endswith((".zarr", "manifest.json")))
    (folder.parent / "retrieved.json").write_text(json.dumps(retrieved))
    run(folder, "snakemake", "homogenize", *options, cut=True)
    return folder


def _cut() -> list[str]:
    """What runs the command that follows without a network."""
    command = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("the network cannot be cut here: unshare --net is not permitted")
    return command


def _run(forks: Forks, folder: Path, *arguments: str, cut: bool = False, status: int = 0) -> str:
    """Run a module in a checkout, cut off from any network if asked."""
    environment = {key: value for key, value in os.environ.items() if key != "ALLOMETRY_MIRROR"}
    environment["PYTHONPATH"] = str(folder)
    if cut:
        _cut()
    done = forks.run(*arguments, cwd=folder, env=environment, first=CUT if cut else "")
    assert done.returncode == status, done.stdout[-3000:] + done.stderr[-5000:]
    return done.stdout + done.stderr


def test_the_network_is_cut(forks: Forks, tmp_path: Path) -> None:
    """What the tests of this file rest on: a connection that succeeds here fails there, and in what is started there."""
    program = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=5)"
    (tmp_path / "connecting.py").write_text(program)
    (tmp_path / "starting.py").write_text(
        "import subprocess, sys; sys.exit(subprocess.run([sys.executable, 'connecting.py', sys.argv[1]]).returncode)"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        command = [sys.executable, "-c", program, port]
        assert subprocess.run(command, capture_output=True).returncode == 0
        cut = [subprocess.run([*_cut(), *command], capture_output=True, text=True)]
        for module in ("connecting", "starting"):
            assert forks.run(module, port, cwd=tmp_path).returncode == 0
            cut.append(forks.run(module, port, cwd=tmp_path, first=CUT))
    for done in cut:
        assert done.returncode == 1
        assert "Network is unreachable" in done.stderr


@pytest.fixture(scope="module")
def archived(checkout: Path, run: Run) -> Path:
    out = checkout.parent / "the archive"
    configuration = str(checkout.parent / "settings/mine.yaml")
    said = run(checkout, "allometry", "archive", str(out), "--configfile", configuration, "--without-packages")
    assert "complete" in said
    return out


def test_results_are_built_again_with_the_network_cut(archived: Path, checkout: Path, run: Run, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(archived, tmp_path / "another place"))
    # neither the files of the user's own nor the checkout are there next year
    mine = checkout.parent / "my edges.csv"
    mine.rename(tmp_path / "gone")
    try:
        assert "files" in run(moved / "checkout", "allometry", "archive", "--check", "..")
        run(moved / "checkout", "snakemake", "homogenize", "--cores", "2", "--configfile", "archived.yaml", cut=True)
        said = run(moved / "checkout", "allometry", "archive", "--against", "..")
    finally:
        (tmp_path / "gone").rename(mine)
    assert "2 stores compared, 2 have the archived content" in said


def test_other_results_are_told_from_those_archived(archived: Path, checkout: Path, tmp_path: Path) -> None:
    results = Path(shutil.copytree(checkout / "results", tmp_path / "results"))
    described = results / "homogenized/connectome/mine.manifest.json"
    content = json.loads(described.read_text())
    content["content"]["content_sha256"] = "0" * 64
    described.write_text(json.dumps(content))
    shutil.rmtree(results / "homogenized/connectome/white1986_whole.zarr")
    (results / "homogenized/connectome/white1986_whole.manifest.json").unlink()
    assert archive.against(archived, results) == (
        2,
        [
            "homogenized/connectome/mine.zarr: content differs from the archived",
            "homogenized/connectome/white1986_whole.zarr: is missing",
        ],
    )


def test_an_incomplete_archive_is_refused(archived: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(archived, tmp_path / "moved"))
    assert archive.check(moved) == archive.check(archived) > 100
    (moved / "rebuild.sh").unlink()
    with (moved / "checkout/Snakefile").open("a") as stream:
        stream.write("#")
    with pytest.raises(AllometryError, match=r"1 files are missing and 1 have changed, such as rebuild.sh"):
        archive.check(moved)
    (moved / archive.LIST).write_text(
        json.dumps(json.loads((moved / archive.LIST).read_text()) | {"archive_version": 9})
    )
    with pytest.raises(AllometryError, match="the archive has version 9"):
        archive.check(moved)
    (moved / archive.LIST).unlink()
    with pytest.raises(AllometryError, match="this is no archive"):
        archive.against(moved)


def _rebuild(archive_folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `rebuild.sh` as next year's machine would: from elsewhere, and with nothing of this environment."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(archive_folder.parent),
        "PYTHON": sys.executable,
        **variables,
    }
    return subprocess.run(
        [*_cut(), str(archive_folder / "rebuild.sh")],
        cwd="/", env=environment, capture_output=True, text=True, timeout=1800,
    )  # fmt: skip


def test_rebuilding_an_unusable_archive_is_one_message_before_anything_is_installed(
    archived: Path, tmp_path: Path
) -> None:
    moved = Path(shutil.copytree(archived, tmp_path / "moved"))
    listed = json.loads((moved / archive.LIST).read_text())
    (moved / "checkout/Snakefile").unlink()
    done = _rebuild(moved)
    assert done.returncode == 1
    what, *more = done.stderr.splitlines()
    assert what == "the archive is incomplete: 1 files are missing and 0 have changed, such as checkout/Snakefile"
    assert [line.split(":")[0].strip() for line in more] == ["where", "expected", "to do"]
    shutil.copy2(archived / "checkout/Snakefile", moved / "checkout/Snakefile")
    for change, words in (
        ({"python": "3.2.1"}, "are for Python 3.2, this is "),
        ({"system": "plan9 vax"}, "are for plan9 vax, this is "),
    ):
        (moved / archive.LIST).write_text(json.dumps({**listed, "packages": True, **change}))
        done = _rebuild(moved)
        assert done.returncode == 1
        assert words in done.stderr.splitlines()[0]
        with pytest.raises(AllometryError, match=words):
            archive.check(moved)
    assert not (moved / "checkout/.venv").exists()


def test_nothing_is_written_over_and_nothing_half(archived: Path, checkout: Path, run: Run) -> None:
    said = run(checkout, "allometry", "archive", str(archived), status=1)
    assert "the folder exists" in said
    raw = checkout / "results/raw/mine/my edges.csv"
    kept = raw.read_bytes()
    raw.write_bytes(kept + b"c,d,1\n")
    try:
        configuration = str(checkout.parent / "settings/mine.yaml")
        out = str(archived.parent / "another")
        assert "a raw file is damaged" in run(
            checkout, "allometry", "archive", out, "--configfile", configuration, status=1
        )
    finally:
        raw.write_bytes(kept)
    assert not [entry for entry in archived.parent.iterdir() if "another" in entry.name]


def test_what_was_retrieved_is_enough_where_no_network_is(checkout: Path) -> None:
    """The stores were made with the network cut, of what was fetched before."""
    manifests = ["raw/mine/manifest.json", "raw/white1986/manifest.json"]
    assert json.loads((checkout.parent / "retrieved.json").read_text()) == manifests
    for name in ("white1986_whole", "mine"):
        assert (checkout / f"results/homogenized/connectome/{name}.zarr").is_dir()


@pytest.mark.slow
def test_an_archive_with_its_packages_rebuilds_itself_with_the_network_cut(
    checkout: Path, run: Run, tmp_path: Path
) -> None:
    configuration = str(checkout.parent / "settings/mine.yaml")
    out = tmp_path / "whole archive"
    run(checkout, "snakemake", "--cores", "2", "--configfile", configuration)
    run(checkout, "allometry", "archive", str(out), "--configfile", configuration)
    done = _rebuild(out, CORES="2")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
    assert "2 stores compared, 2 have the archived content" in done.stdout
