"""`Execution`: what is refused, and how many threads a partition gets."""

from typing import Any

import numpy as np
import pytest

from allometry.errors import SimulationError
from allometry.processes import ONE_THREAD
from allometry.simulate import Execution
from allometry.simulate.distribute.clusters.kinds import connect


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"threads": -1}, "threads is -1"),
        ({"threads": 0}, "threads is 0"),
        ({"threads": True}, "threads is True"),
        ({"partitions": 0}, "partitions is 0"),
        ({"partitions": 1.5}, "partitions is 1.5"),
        ({"partitions": None}, "partitions is None"),
        ({"cores": "all"}, "cores is 'all'"),
        ({"checkpoint": "on"}, "checkpoint is 'on'"),
        ({"checkpoint": 0}, "checkpoint is 0"),
        ({"checkpoint_folder": 5}, "checkpoint_folder is 5"),
        ({"checkpoint": float("nan")}, "checkpoint is nan"),
        ({"checkpoint": None}, "checkpoint is None"),
        ({"memory_gib": float("nan")}, "memory_gib is nan"),
        ({"memory_gib": -2}, "memory_gib is -2"),
        ({"progress": "bar"}, "progress is 'bar'"),
        ({"cluster": "cloud"}, "unknown cluster kind 'cloud'"),
        ({"cluster": {"kind": "cloud"}}, "unknown cluster kind 'cloud'"),
        ({"cluster": 3}, "unknown cluster kind 3"),
    ],
)
def test_what_cannot_be_is_one_message(given: dict[str, Any], match: str) -> None:
    with pytest.raises(SimulationError, match=match) as caught:
        Execution(**given)
    assert caught.value.where in ("simulate.Execution", "cluster")
    assert caught.value.expected


@pytest.mark.parametrize("cluster", [None, "local", {"kind": "local"}, {"processes": False}])
def test_cores_are_shared_among_partitions_of_this_machine(cluster: Any) -> None:
    assert Execution(partitions=3, cores=8, cluster=cluster).threads_each == 2
    assert Execution(partitions=3, cores=2, cluster=cluster).threads_each == 1
    assert Execution(partitions=3, threads=5, cores=8, cluster=cluster).threads_each == 5
    assert Execution(partitions=3, cluster=cluster).threads_each is None


@pytest.mark.parametrize("cluster", ["tcp://10.0.0.1:8786", {"kind": "slurm"}, "allocation"])
def test_workers_elsewhere_have_cores_of_their_own(cluster: Any) -> None:
    assert Execution(partitions=3, cores=8, cluster=cluster).threads_each is None
    assert Execution(partitions=3, threads=2, cluster=cluster).threads_each == 2


def test_numpy_scalars_are_python_numbers() -> None:
    execution = Execution(np.int32(2), np.uint8(1), checkpoint=np.float32(0.1), memory_gib=np.float64(2))
    assert execution == Execution(2, 1, checkpoint=0.1, memory_gib=2.0)
    assert type(execution.partitions) is int


def test_linear_algebra_of_dask_workers_has_one_thread_whatever_the_user_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "2")

    def threads() -> set[int]:
        import numpy  # noqa: F401
        import scipy.linalg  # noqa: F401
        from threadpoolctl import threadpool_info

        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with connect("local", 2, 1) as client:
        assert list(client.run(threads).values()) == [{1}, {1}]
