"""Messages of a run whose cluster fails."""

from typing import Any, cast

import pytest

from allometry.errors import SimulationError
from allometry.simulate.distribute.attempts import Attempts
from allometry.simulate.distribute.clusters.placement import Placement


class Client:
    """Of a scheduler that is killed: like Dask's, it forgets the address when it gives up."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {"address": "tcp://10.0.0.1:8786"}
        self.scheduler = self

    def scheduler_info(self) -> dict[str, Any]:
        return self.known

    def identity(self) -> None:
        self.known = {}

    def sync(self, call: Any, **_: Any) -> None:
        call()
        raise OSError("Timed out trying to connect")


def test_a_scheduler_that_is_gone_is_named() -> None:
    placed = Placement(("tcp://10.0.0.2:1",), 1, in_process=False, crowded=False)
    attempts = Attempts(cast(Any, None), [], cast(Any, None), Client(), 1, placed)
    with pytest.raises(SimulationError, match="the Dask scheduler does not answer: Timed out") as caught:
        attempts._require_workers()
    assert caught.value.where == "tcp://10.0.0.1:8786"
