"""`allometry verify --repair` builds what is damaged again, and nothing else."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.forked import Forks

from .conftest import Run

CONNECTOMES = """
homogenize:
  connectome: [white1986_whole, white1986_n2u]
compare:
  comparisons:
    agreement:
      kind: connectome_agreement
      structure: [white1986_whole, white1986_n2u]
      nulls: 20
      bootstrap: 100
"""
CONDITIONS = """
homogenize:
  connectome: []
simulate:
  runs:
    conditions:
      kind: network
      model: brunel
      parameters: {scale: 0.02}
      duration_ms: 100
      conditions:
        unchanged: {}
        another_drive: {seed: 2}
compare:
  comparisons:
    rates:
      kind: spike_statistics
      simulated: [conditions]
      statistics: [rate]
      skip_ms: 20
      max_units: 20
      bootstrap: 100
"""


def _made(snakemake: Run, folder: Path, configuration: str) -> Path:
    """A folder in which a small workflow has run, all but its report."""
    (folder / "small.yaml").write_text(configuration)
    done = snakemake("compare", "--cores", "2", "--configfile", str(folder / "small.yaml"), directory=folder)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return folder


@pytest.fixture(scope="module")
def small(snakemake: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with connectomes and their comparison."""
    return _made(snakemake, tmp_path_factory.mktemp("small"), CONNECTOMES)


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    """A copy of it, with the times of all files."""
    return Path(shutil.copytree(small, tmp_path / "copied results", symlinks=True))


Verify = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def verify(forks: Forks) -> Verify:
    """Runs the command in a folder."""
    return partial(forks.run, "allometry", "verify")


def _contents(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): json.loads(file.read_text())["content"]["content_sha256"]
        for file in sorted(folder.rglob("*.manifest.json"))
    }


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_exactly_what_is_damaged_is_built_again(snakemake: Run, verify: Verify, root: Path, copy: Path) -> None:
    results = copy / "results"
    before = _contents(results)
    connectomes = sorted((results / "homogenized/connectome").glob("*.zarr"))
    changed, torn = connectomes
    _flip(next(file for file in sorted(changed.rglob("c/*")) if file.is_file()))
    (torn / "zarr.json").write_text("{")
    raw = results / "raw/white1986/white_1986_n2u.csv"
    _flip(raw)
    compared = results / "compared/agreement.zarr"
    time = compared.stat().st_mtime_ns

    configuration = str(copy / "small.yaml")
    done = verify(str(results), "--repair", "--configfile", configuration, "--cores", "2", cwd=root)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
    removed = {line.removeprefix("removed ") for line in done.stdout.splitlines() if line.startswith("removed ")}
    assert {str(changed), str(torn), str(raw)} <= removed
    assert "no problems" in done.stdout.splitlines()[-1]
    assert _contents(results) == before
    assert "compare_run" not in done.stdout + done.stderr
    assert compared.stat().st_mtime_ns == time
    planned = snakemake("compare", "--dry-run", "--configfile", configuration, directory=copy)
    assert "Nothing to be done" in planned.stdout + planned.stderr, planned.stdout[-3000:]


@pytest.mark.slow
def test_a_store_of_a_job_that_makes_several_is_built_again_without_a_trace(
    snakemake: Run, verify: Verify, root: Path, tmp_path: Path
) -> None:
    """Snakemake makes all stores of such a job again."""
    copy = _made(snakemake, tmp_path, CONDITIONS)
    results = copy / "results"
    before = _contents(results)
    damaged, whole = sorted((results / "simulated/conditions").glob("*.zarr"))
    _flip(next(file for file in sorted(damaged.rglob("c/*")) if file.is_file()))
    times = {path: path.stat().st_mtime_ns for path in (whole, results / "compared/rates.zarr")}
    configuration = str(copy / "small.yaml")
    done = verify(str(results), "--repair", "--configfile", configuration, "--cores", "2", cwd=root)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
    assert f"removed {whole}" not in done.stdout
    assert _contents(results) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times
    planned = snakemake("compare", "--dry-run", "--configfile", configuration, directory=copy)
    assert "Nothing to be done" in planned.stdout + planned.stderr, planned.stdout[-3000:]


def test_what_is_not_ours_is_not_removed(verify: Verify, root: Path, copy: Path) -> None:
    store = next((copy / "results/homogenized/connectome").glob("*.zarr"))
    _flip(next(file for file in sorted(store.rglob("c/*")) if file.is_file()))
    (store / "my notes.txt").write_text("mine")
    done = verify(str(copy / "results"), "--repair", "--configfile", str(copy / "small.yaml"), cwd=root)
    assert done.returncode == 1
    assert "my notes.txt is no part of a store; nothing was removed" in done.stderr
    assert (store / "my notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("results/unheard_of.zarr", "this configuration does not make"),
        ("elsewhere/white1986_whole.zarr", "was not made by one workflow"),
    ],
)
def test_what_the_workflow_does_not_make_is_not_removed(
    verify: Verify, root: Path, copy: Path, place: str, words: str
) -> None:
    source = next((copy / "results/homogenized/connectome").glob("*.zarr"))
    target = copy / place
    shutil.copytree(source, target)
    described = json.loads(source.with_name(source.stem + ".manifest.json").read_text()) | {"store": target.name}
    target.with_name(target.stem + ".manifest.json").write_text(json.dumps(described))
    _flip(next(file for file in sorted(target.rglob("c/*")) if file.is_file()))
    done = verify(str(target), "--repair", "--configfile", str(copy / "small.yaml"), cwd=root)
    assert done.returncode == 1
    assert words in done.stderr
    assert target.is_dir()


def test_without_a_workflow_nothing_is_removed(verify: Verify, copy: Path) -> None:
    store = next((copy / "results/homogenized/connectome").glob("*.zarr"))
    _flip(next(file for file in sorted(store.rglob("c/*")) if file.is_file()))
    done = verify("results", "--repair", cwd=copy)
    assert done.returncode == 1
    assert "there is no workflow here" in done.stderr
    assert os.path.lexists(store)
