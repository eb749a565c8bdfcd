"""Fixtures shared by all tests."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.forked import Forks

# As the Makefile and the Snakefile do, before any library is imported: two workers, and what they start, share the cores.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

ROOT = Path(__file__).resolve().parents[1]

# Tests that one worker runs one after the other (pytest-xdist): by the first folder or file that holds them. The longest
# come first, so that no worker ends with one of them alone. The rest goes file by file, since a module's fixtures are
# made once per worker.
GROUPS = {
    # share one finished run
    "workflow": (
        "tests/workflow/test_end_to_end.py",
        "tests/workflow/test_results.py",
        "tests/workflow/keeping/test_reference.py",
        "tests/workflow/test_reruns.py",
        "tests/workflow/test_figures.py",
        "tests/workflow/test_pages.py",
    ),
    # share a Dask cluster; threads that meet every step would wait for each other's cores
    "simulator": ("tests/simulate", "tests/models", "tests/reference", "tests/documentation/test_examples.py"),
    "plans": ("tests/workflow/test_dag.py",),
    # share a process that forks runs
    "faults": ("tests/faults",),
    "browser": ("tests/report/test_page.py", "tests/report/test_cards.py"),
    "slurm": ("tests/slurm",),  # one controller per machine
}
# Files that take more than some ten seconds, the longest first.
LONG = (
    # run workflows of their own
    "tests/workflow/test_repair.py",
    "tests/workflow/keeping/test_archive.py",
    "tests/workflow/test_plugins.py",
    "tests/compare/kinds/activity_manifolds/test_comparison.py",
    "tests/homogenize/worm/test_positions.py",
    "tests/compare/measures/spikes/test_criticality.py",
    "tests/stores/test_roundtrip.py",
    "tests/homogenize/readers/test_connectome_counts.py",
    "tests/compare/kinds/dynamic_connectome/test_comparison.py",
    "tests/compare/kinds/representation_similarity/test_comparison.py",
    "tests/homogenize/inspection/test_every_layout.py",
    "tests/homogenize/readers/test_worm_mutations.py",
    "tests/homogenize/readers/test_connectome_mutations.py",
)

# How long an example takes says more about the machine than about the code.
settings.register_profile("allometry", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("allometry")


@pytest.fixture(scope="session")
def root() -> Path:
    """Root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Runs commands of Python without a new import of the libraries."""
    made = Forks()
    yield made
    made.close()


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    """Client of a Dask cluster in this process: one worker with room for five partitions."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=1, threads_per_worker=5, processes=False, dashboard_address=":0", memory_limit=0
        ) as cluster,
        Client(cluster) as connected,
    ):
        yield connected


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder with genuine data files (`ALLOMETRY_MIRROR`); tests on real files run only where it exists."""
    path = Path(os.environ.get("ALLOMETRY_MIRROR") or ROOT.parent / "shared" / "data")
    if not path.is_dir():
        pytest.skip("no mirror of the real data: set ALLOMETRY_MIRROR")
    return path


def group(nodeid: str) -> str:
    """Group of a test: a name in `GROUPS`, or its file."""
    file = nodeid.split("::", 1)[0]
    return next((name for name, places in GROUPS.items() if file.startswith(places)), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with what takes longest, with one worker or several."""
    first = {name: number for number, name in enumerate((*GROUPS, *LONG))}
    # stable: within a group, and among the groups that are not named, the order of collection stays
    items.sort(key=lambda item: first.get(group(item.nodeid), len(first)))


class Groups(LoadScopeScheduling):
    """Hands out whole groups in the order of collection.

    The groups of `--dist loadgroup` would need tests with another name, which pytest 9.2 does not let pytest-xdist 3.8 give:
    it would ignore them without a word, and run what is shared once per worker.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Use our groups where whole scopes are handed out (pyproject.toml)."""
    return Groups(config, log) if config.getvalue("dist") == "loadscope" else None


# A shell starts background jobs with Ctrl-C ignored, which their children inherit: tests that send it would wait in vain.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
