"""What a fresh clone and an edit of the code rerun: what is affected, and nothing else."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.workflow.conftest import Run

Planned = Callable[..., dict[str, int]]
# appended to a module, this runs whenever it is imported
RUNS = "\nassert __name__\n"
REPORT = {"draw_comparisons": 1, "write_cards": 1, "write_page": 1}
DRAWN = {"draw_connectomes": 1, "draw_recordings": 1, "draw_simulations": 1}


@pytest.fixture
def clone(root: Path, tmp_path: Path) -> Path:
    """A fresh clone of the checkout: every file is newer than all results."""
    (tmp_path / "clone").mkdir()
    for name in ("Snakefile", "rules", "scripts", "envs", "config", "allometry", "profiles"):
        source = root / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, tmp_path / "clone" / name)
    for path in (tmp_path / "clone").rglob("*"):
        os.utime(path)
    return tmp_path / "clone"


@pytest.fixture
def planned(snakemake: Run, root: Path, finished: Path, clone: Path) -> Planned:
    """Jobs by rule that the clone would run now."""

    def plan(folder: Path = finished) -> dict[str, int]:
        done = snakemake(
            *("--cores", "2", "--configfile", str(root / "tests/config.yaml"), "-n"),
            directory=folder,
            snakefile=clone / "Snakefile",
            timed=False,
            PYTHONPATH=str(clone),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, re.MULTILINE)
        return {rule: int(jobs) for rule, jobs in found if rule not in ("all", "total")}

    return plan


def test_a_fresh_clone_with_copied_results_has_nothing_to_do(planned: Planned, finished: Path, tmp_path: Path) -> None:
    """Copied without their times: any input may be newer than what was made of it."""
    copy = tmp_path / "copy"
    shutil.copytree(finished / "results", copy / "results")
    shutil.copytree(finished / ".snakemake", copy / ".snakemake")
    paths = sorted(path for path in (copy / "results").rglob("*"))
    for path, age in zip(paths, np.random.default_rng(1).permutation(len(paths)), strict=True):
        os.utime(path, (1.7e9 + age, 1.7e9 + age))
    assert planned(copy) == {}


def test_another_manifest_reruns_what_is_made_of_its_store(planned: Planned, finished: Path) -> None:
    """The times of folders do not count: what Snakemake goes by is the content of the manifest."""
    manifest = finished / "results/homogenized/connectome/hcp_101309.manifest.json"
    before = manifest.read_bytes(), manifest.stat()
    try:
        manifest.write_bytes(before[0].replace(b'"content_sha256": "', b'"content_sha256": "0', 1))
        assert planned() == {"compare_run": 1, "draw_connectomes": 1, **REPORT}
    finally:
        manifest.write_bytes(before[0])
        os.utime(manifest, ns=(before[1].st_atime_ns, before[1].st_mtime_ns))


MEASURE = '''
"""A new measure."""

from allometry.compare.records.measures import measure


@measure(name="brand_new", version="1", inputs="x", invariances="none", use="how new?", reference="this test")
def brand_new(x):
    """As it is."""
    return x
'''
MODEL = '''
"""A new model."""

from allometry.models.catalogue.records import model
from allometry.network import IafPscDelta, Network, Population


@model(description="New.", source="this test")
def brand_new(size: int = 3) -> Network:
    """Build it.

    Parameters
    ----------
    size : int
        Neurons.
    """
    return Network((Population("all", size, IafPscDelta()),), title="New")
'''
READER = '''
"""A new reader."""

from allometry.homogenize.reader import Reader

READER = Reader("brand_new", ("spikes",), lambda files, source, options: None)
'''


def test_what_is_added_and_what_is_only_said_reruns_nothing(planned: Planned, clone: Path) -> None:
    """A measure, a model, a reader, a kind of comparison; comments, docstrings, help texts; touched scripts."""
    package = clone / "allometry"
    (package / "compare/measures/graphs/brand_new.py").write_text(MEASURE)
    index = package / "compare/records/index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "brand_new": "measures.graphs.brand_new"}))
    (package / "compare/kinds/brand_new.py").write_text(
        '"""A new kind."""\n\n\ndef brand_new(inputs):\n    return None\n'
    )
    (package / "models/brand_new.py").write_text(MODEL)
    (package / "homogenize/readers/brand_new.py").write_text(READER)
    for name, old, new in (
        ("compare/measures/graphs/structure.py", "", "\n\ndef brand_new(x):\n    return x\n"),
        ("stores/schema.py", "", "\n# a comment\n"),
        ("simulate/kernels/loop/advance.py", '"""', '"""Edited. '),
        ("models/microcircuit.py", 'description="', 'description="Edited: '),
        ("models/microcircuit.py", "\n    scale : float\n", "\n    scale : float\n        Edited.\n"),
        ("homogenize/traces/activity.py", '"""', '"""Edited. '),
        ("config/compare.py", 'description="', 'description="Edited: '),
    ):
        edit(package / name, old, new)
    edit(clone / "scripts/compare_run.py", '"""', '"""Edited. ')
    edit(package / "config/report.py", "", RUNS)
    assert planned() == {}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, path
    path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")


BATCH = "simulate_batch_microcircuit_conditions"


@pytest.mark.parametrize(
    ("edited", "rerun"),
    [
        # with what is made of it: two of the comparisons, and the stack
        ("allometry/homogenize/readers/white1986.py", {"homogenize_store": 1}),
        pytest.param("allometry/compare/kinds/structure_bold.py", {"compare_run": 1, **REPORT}, marks=pytest.mark.slow),
        ("scripts/compare_run.py", {"compare_run": 6, **REPORT}),
        pytest.param("allometry/report/drawing/style.py", {**DRAWN, **REPORT}, marks=pytest.mark.slow),
    ],
)
def test_an_edit_reruns_what_it_affects_and_nothing_else(
    planned: Planned, clone: Path, edited: str, rerun: dict[str, int]
) -> None:
    with (clone / edited).open("a", encoding="utf-8") as file:
        file.write(RUNS)
    found = planned()
    # what is made of them comes after: Snakemake plans it too
    assert {rule: found.get(rule) for rule in rerun} == rerun
    stages = ("homogenize_store", "homogenize_worm_stack", "simulate_point", "compare_run")
    first = next((stage for stage in stages if stage in rerun), None)
    assert not [stage for stage in stages[: stages.index(first) if first else 4] if stage in found]


def test_an_edit_of_a_model_reruns_its_simulations(planned: Planned, clone: Path) -> None:
    edit(clone / "allometry/models/microcircuit.py", "thalamus_hz: float = 120.0", "thalamus_hz: float = 121.0")
    found = planned()
    assert found["simulate_point"] == 2
    assert found[BATCH] == 1


def test_an_edit_of_the_schema_of_stores_reruns_all_but_the_retrieval(planned: Planned, clone: Path) -> None:
    with (clone / "allometry/stores/schema.py").open("a", encoding="utf-8") as file:
        file.write(RUNS)
    rules = {"homogenize_store", "homogenize_worm_stack", "simulate_point", BATCH, "compare_run", *DRAWN, *REPORT}
    rules |= {"scale_simulate_microcircuit_sizes", "scale_measure", "scale_study", "draw_studies"}
    assert set(planned()) == rules


@pytest.fixture(autouse=True)
def _unchanged(finished: Path) -> Iterator[None]:
    """A dry run leaves the results as they are."""
    before = sorted(path.as_posix() for path in (finished / "results").rglob("*"))
    yield
    assert sorted(path.as_posix() for path in (finished / "results").rglob("*")) == before
