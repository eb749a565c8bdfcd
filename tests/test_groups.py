"""How the tests are shared out among the workers of pytest-xdist."""

from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import conftest


def test_what_is_named_exists(root: Path) -> None:
    """A file that moved would quietly lose its group."""
    for place in (*conftest.LONG, *(place for places in conftest.GROUPS.values() for place in places)):
        assert (root / place).exists(), place


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/workflow/test_end_to_end.py::test_a[x::y.py]", "workflow"),
        ("tests/workflow/test_results.py::test_a", "workflow"),
        ("tests/workflow/test_dag.py::test_a", "plans"),
        ("tests/simulate/test_run.py::test_a", "simulator"),
        ("tests/models/test_theory.py::test_a", "simulator"),
        ("tests/stores/test_schema.py::TestA::test_a", "tests/stores/test_schema.py"),
    ],
)
def test_group_of_a_test(nodeid: str, expected: str) -> None:
    assert conftest.group(nodeid) == expected


def test_the_longest_come_first_and_the_rest_keeps_its_order() -> None:
    names = [
        "tests/compare/test_roc.py::test_b",
        "tests/compare/test_roc.py::test_a",
        f"{conftest.LONG[0]}::test_a",
        "tests/simulate/test_run.py::test_b",
        "tests/config/test_checks.py::test_a",
        "tests/workflow/test_results.py::test_a",
        "tests/models/test_theory.py::test_a",
    ]
    items: list[Any] = [SimpleNamespace(nodeid=name) for name in names]
    conftest.pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [names[k] for k in (5, 3, 6, 2, 0, 1, 4)]


class Worker:
    """Stands for a process of pytest-xdist; keeps the numbers of the tests that it was given."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.workerinput: dict[str, object] = {}
        self.given: deque[int] = deque()
        self.shutting_down = False

    def send_runtest_some(self, numbers: list[int]) -> None:
        self.given.extend(numbers)

    def shutdown(self) -> None:
        self.shutting_down = True


def test_a_group_goes_to_one_worker_and_the_first_groups_go_first() -> None:
    options = SimpleNamespace(
        option=SimpleNamespace(loadscopereorder=False, verbose=0),
        getvalue={"tx": ["2*popen"], "dist": "loadscope"}.get,
        get_verbosity=lambda: 0,
    )
    scheduler = conftest.pytest_xdist_make_scheduler(options, None)  # type: ignore[arg-type]
    assert isinstance(scheduler, conftest.Groups)
    names = [f"tests/workflow/test_{file}.py::test_{k}" for file in ("end_to_end", "results") for k in range(3)]
    names += [f"tests/models/test_theory.py::test_{k}" for k in range(2)] + ["tests/simulate/test_run.py::test_a"]
    names += [f"tests/stores/test_{file}.py::test_a" for file in "abcdefgh"]
    workers = [Worker("gw0"), Worker("gw1")]
    for worker in workers:
        scheduler.add_node(worker)
    for worker in workers:
        scheduler.add_node_collection(worker, names)
    scheduler.schedule()
    assert list(workers[0].given)[:6] == [0, 1, 2, 3, 4, 5]
    assert list(workers[1].given)[:3] == [6, 7, 8]


def test_other_ways_to_share_out_are_left_alone() -> None:
    assert conftest.pytest_xdist_make_scheduler(SimpleNamespace(getvalue=lambda _: "worksteal"), None) is None  # type: ignore[arg-type]
