"""A small network, shared by the tests of the simulator, and its power."""

import pytest

from allometry.network import FixedIndegree, IafPscExp, Network, Normal, PoissonInput, Population, Projection
from tests.simulate.power import Power


@pytest.fixture
def small() -> Network:
    """200 neurons that fire at some 20 Hz."""
    return Network(
        populations=(
            Population("E", 160, IafPscExp(), Normal(-58.0, 5.0)),
            Population("I", 40, IafPscExp(), Normal(-58.0, 5.0)),
        ),
        projections=(
            Projection("E", "E", FixedIndegree(16), Normal(88.0, 8.8), Normal(1.5, 0.75)),
            Projection("E", "I", FixedIndegree(16), Normal(88.0, 8.8), Normal(1.5, 0.75)),
            Projection("I", "E", FixedIndegree(4), Normal(-352.0, 35.2), Normal(0.75, 0.375)),
            Projection("I", "I", FixedIndegree(4), Normal(-352.0, 35.2), Normal(0.75, 0.375)),
        ),
        inputs=(PoissonInput("E", 16000.0, 88.0), PoissonInput("I", 16000.0, 88.0)),
        title="small",
    )


@pytest.fixture
def power(small: Network, monkeypatch: pytest.MonkeyPatch) -> Power:
    """What the partitions of `small` run on."""
    return Power(small, monkeypatch)
