"""numpy scalars wherever a number is taken: the same description, and the same run, as with Python numbers."""

import json
from typing import Any

import numpy as np
import pytest

from allometry import models
from allometry.errors import SimulationError
from allometry.network import (
    ConnectomeLif,
    DCInput,
    ExplicitEdges,
    FixedIndegree,
    FixedTotalNumber,
    IafPscExp,
    Lognormal,
    Network,
    Normal,
    PairwiseBernoulli,
    PoissonInput,
    Population,
    Projection,
    SpikeListInput,
    Uniform,
)
from allometry.network.scalars import as_written, plain
from allometry.network.serialise import to_dict
from allometry.simulate import Probe, Record

i, f, g = np.int64, np.float32, np.float64
PAIRS: list[tuple[Any, Any]] = [
    (Population("a", i(5), IafPscExp()), Population("a", 5, IafPscExp())),
    (Population("a", 5, IafPscExp(), f(-60.3)), Population("a", 5, IafPscExp(), -60.3)),
    (IafPscExp(tau_m=g(10.0), I_e=f(3.3), t_ref=f(2.2)), IafPscExp(tau_m=10.0, I_e=3.3, t_ref=2.2)),
    (ConnectomeLif(t_ref=np.array(2.2)), ConnectomeLif(t_ref=2.2)),
    (FixedIndegree(i(3), np.bool_(False)), FixedIndegree(3, False)),
    (FixedTotalNumber(n=np.uint8(3)), FixedTotalNumber(3)),
    (PairwiseBernoulli(f(0.3)), PairwiseBernoulli(0.3)),
    (
        Projection("a", "a", FixedIndegree(1), f(87.8), np.float16(1.5)),
        Projection("a", "a", FixedIndegree(1), 87.8, 1.5),
    ),
    (Normal(f(1.1), g(0.1)), Normal(1.1, 0.1)),
    (Lognormal(i(1), f(0.1)), Lognormal(1, 0.1)),
    (Uniform(f(0.1), i(2)), Uniform(0.1, 2)),
    (PoissonInput("a", i(8000), f(87.8), start_ms=i(3)), PoissonInput("a", 8000, 87.8, start_ms=3)),
    *[(DCInput("a", value), DCInput("a", value.item())) for value in (f(3), g(3), i(3), np.array(400.0), np.array(4))],
    (SpikeListInput("a", [1], [3.0], f(3)), SpikeListInput("a", [1], [3.0], 3.0)),
    (ExplicitEdges([1], [2], f(3.5), f(0.35)), ExplicitEdges([1], [2], 3.5, 0.35)),
    (Network((), dt_ms=f(0.1)), Network((), dt_ms=0.1)),
    (Record(counts_ms=i(10), spikes=np.bool_(True)), Record(counts_ms=10)),
    (Probe(np.str_("a"), [1], f(0.5)), Probe("a", [1], 0.5)),
    (models.microcircuit(scale=f(0.01), g=i(-4)), models.microcircuit(scale=0.01, g=-4)),
    (models.brunel(f(0.02), g=i(5)), models.brunel(0.02, g=5)),
    (models.build("microcircuit", {"scale": f(0.01)}), models.microcircuit(0.01)),
]


@pytest.mark.parametrize(("given", "meant"), PAIRS)
def test_numpy_scalars_describe_what_python_numbers_do(given: Any, meant: Any) -> None:
    assert json.dumps(to_dict(given)) == json.dumps(to_dict(meant))
    for name, value in vars(given).items():
        assert not isinstance(value, np.generic), name


def test_plain_leaves_everything_else() -> None:
    for value in ("x", None, [1.0], np.zeros(2), np.array([[1.0]])):
        assert plain(value) is value
    assert plain(np.datetime64("2020-01-01")) == np.datetime64("2020-01-01")
    assert type(plain(np.bool_(True))) is bool
    assert np.isnan(plain(f("nan")))
    assert plain(f("inf")) == float("inf")


def test_single_precision_is_read_as_the_shortest_decimal() -> None:
    written = np.array([0.1, 12345.7, 1e-4, 87.8, 3.14159, 0.0, -2.05, 16777216.0])
    np.testing.assert_array_equal(as_written(written.astype(np.float32)), written)
    assert as_written(np.array([np.nan, np.inf], np.float32)).tolist()[1] == np.inf
    assert as_written(np.array([0.1 + 1e-12])).tolist() == [0.1 + 1e-12]
    assert as_written([1, 2]).dtype == np.float64


def test_masked_values_are_refused_and_an_empty_mask_is_none() -> None:
    whole = np.ma.array([1.0, 2.0], mask=[False, False])
    assert type(plain(whole)) is np.ndarray
    assert IafPscExp(I_e=whole).I_e.tolist() == [1.0, 2.0]
    hidden = np.ma.array([1.0, 2.0], mask=[False, True])
    for refused in (
        lambda: IafPscExp(I_e=hidden),
        lambda: DCInput("a", hidden),
        lambda: SpikeListInput("a", [0, 1], hidden, 1.0),
        lambda: ExplicitEdges([0, 1], [1, 0], hidden, 1.0),
    ):
        with pytest.raises(SimulationError, match="1 of 2 values are masked"):
            refused()
