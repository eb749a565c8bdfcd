"""`continue_from`: two runs, one after the other, hold what one of both durations would; what may have changed in between."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from distributed import Client

from allometry import simulate, stores
from allometry.errors import SimulationError
from allometry.network import Condition, DCInput, FixedIndegree, IafPscDelta, Network, PoissonInput
from tests.simulate.power import Power
from tests.stores import samples

PROBES = (simulate.Probe("I", np.array([39, 0, 7]), 0.7),)


def spikes(store: xr.Dataset, before_steps: int = 0) -> np.ndarray:
    return np.stack([store["spike_step"].values + before_steps, store["spike_unit"].values], axis=1)


@pytest.mark.parametrize("precision", ["fast", "exact"])
def test_two_runs_are_one(client: Client, tmp_path: Path, small: Network, precision: str) -> None:
    """Ends that are no ends of windows, other cuts, and a third run that continues the second."""
    record = simulate.Record(probes=PROBES)
    one, two, three = (simulate.Execution(p, t, cluster=client) for p, t in ((1, 1), (3, 1), (2, 2)))
    whole = simulate.run(small, 430, 1, tmp_path / "whole.zarr", precision=precision, record=record, execution=one)
    parts, before = [], 0
    for number, (duration, execution) in enumerate(((130, two), (170, three), (130, one))):
        earlier = tmp_path / f"{number - 1}.zarr" if number else None
        store = simulate.run(
            small, duration, 1, tmp_path / f"{number}.zarr", precision=precision, record=record, execution=execution,
            continue_from=earlier, keep_state=True,
        )  # fmt: skip
        assert float(store.attrs["duration_ms"]) == duration
        assert store["spike_step"].values.min() >= 1
        assert store["spike_step"].values.max() <= 10 * duration
        parts.append((spikes(store, before), store["step"].values + before, store["voltage"].values))
        before += 10 * duration
    for found, wanted in zip(zip(*parts), (spikes(whole), whole["step"].values, whole["voltage"].values)):
        np.testing.assert_array_equal(np.concatenate(found), wanted)
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".json") == [
        "0.zarr",
        "1.zarr",
        "2.zarr",
        "whole.zarr",
    ]


def test_state_is_in_the_store(client: Client, tmp_path: Path, small: Network) -> None:
    """It does not depend on the cut, is opened by plain xarray, and is there without recorded spikes."""
    record = simulate.Record(spikes=False, counts_ms=50.0)
    contents = []
    for partitions in (1, 3):
        path = tmp_path / f"{partitions}.zarr"
        execution = simulate.Execution(partitions, 1, cluster=client)
        simulate.run(small, 150, 1, path, record=record, keep_state=True, execution=execution)
        contents.append(stores.read_manifest(path)["content"]["content_sha256"])
        assert stores.violations(xr.open_zarr(path)) == []
    assert contents[0] == contents[1]
    execution = simulate.Execution(threads=1, cluster=client)
    whole = simulate.run(small, 250, 1, tmp_path / "whole.zarr", execution=execution)
    rest = simulate.run(small, 100, 1, tmp_path / "rest.zarr", continue_from=tmp_path / "3.zarr", execution=execution)
    np.testing.assert_array_equal(spikes(rest, 1500), spikes(whole)[spikes(whole)[:, 0] > 1500])


def test_changed_inputs(client: Client, tmp_path: Path, small: Network) -> None:
    """A run whose drive changes at 200 ms, from one network with starts and stops, and from two that are run in turn."""
    slow, fast = PoissonInput("E", 15000.0, 88.0), PoissonInput("E", 18000.0, 88.0)
    rest = small.inputs[1:]
    first = dataclasses.replace(small, inputs=(slow, *rest))
    second = dataclasses.replace(small, inputs=(slow, *rest, fast))
    both = dataclasses.replace(
        small, inputs=(dataclasses.replace(slow, stop_ms=200.0), *rest, dataclasses.replace(fast, start_ms=200.0))
    )
    # the number of an input is part of its key, so that the first stays and is switched off
    second = dataclasses.replace(second, inputs=(dataclasses.replace(slow, stop_ms=200.0), *rest, fast))
    execution = simulate.Execution(threads=1, cluster=client)
    simulate.run(first, 200, 1, tmp_path / "a.zarr", keep_state=True, execution=execution)
    found = simulate.run(second, 150, 1, tmp_path / "b.zarr", continue_from=tmp_path / "a.zarr", execution=execution)
    wanted = simulate.run(both, 350, 1, tmp_path / "c.zarr", execution=execution)
    np.testing.assert_array_equal(spikes(found, 2000), spikes(wanted)[spikes(wanted)[:, 0] > 2000])
    other = simulate.run(
        first, 150, 1, tmp_path / "d.zarr", continue_from=tmp_path / "a.zarr", execution=execution,
        condition=Condition("pulse", inputs=(DCInput("I", 200.0),)),
    )  # fmt: skip
    assert not np.array_equal(spikes(other), spikes(found))
    parameters = stores.attribute(other, "parameters")
    assert parameters["continues"]["from_ms"] == 200.0
    assert parameters["condition"]["name"] == "pulse"


def test_a_continued_run_resumes_from_its_checkpoint(
    client: Client, tmp_path: Path, small: Network, power: Power
) -> None:
    execution = simulate.Execution(threads=1, cluster=client)
    wanted = simulate.run(small, 800, 1, tmp_path / "whole.zarr", execution=execution)
    simulate.run(small, 250, 1, tmp_path / "a.zarr", keep_state=True, execution=execution)
    execution = dataclasses.replace(execution, partitions=2, checkpoint=1e-9, checkpoint_folder=tmp_path / "c")
    with power.failure(step=6000):
        simulate.run(small, 550, 1, tmp_path / "b.zarr", continue_from=tmp_path / "a.zarr", execution=execution)
    found = simulate.run(small, 550, 1, tmp_path / "b.zarr", continue_from=tmp_path / "a.zarr", execution=execution)
    assert min(power.steps) in (5000, 6000)
    np.testing.assert_array_equal(spikes(found, 2500), spikes(wanted)[spikes(wanted)[:, 0] > 2500])
    assert not (tmp_path / "c").exists()


def _tau(net: Network) -> Network:
    one, other = net.populations
    return dataclasses.replace(net, populations=(dataclasses.replace(one, neuron=IafPscDelta()), other))


def _weight(net: Network) -> Network:
    first, *rest = net.projections
    return dataclasses.replace(net, projections=(dataclasses.replace(first, weight=90.0), *rest))


def _rule(net: Network) -> Network:
    first, *rest = net.projections
    return dataclasses.replace(net, projections=(dataclasses.replace(first, rule=FixedIndegree(17)), *rest))


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        (lambda net: net, {"seed": 2}, "seed is 2, but 1 in the store"),
        (lambda net: net, {"precision": "exact"}, "precision is 'exact', but 'fast' in the store"),
        (lambda net: dataclasses.replace(net, dt_ms=0.05), {}, "dt_ms is 0.05, but 0.1 in the store"),
        (_tau, {}, r"population E, neuron is IafPscDelta\(.*in the store IafPscExp\("),
        (_weight, {}, r"projection E -> E, weight is Constant\(value=90.0\), in the store Normal\(mean=88.0, sd=8.8\)"),
        (_rule, {}, "projection E -> E, rule, n is 17, in the store 16"),
        (lambda net: dataclasses.replace(net, projections=net.projections[1:]), {}, "3 projections, in the store 4"),
    ],
)
def test_what_is_no_continuation_is_one_message(
    client: Client, tmp_path_factory: pytest.TempPathFactory, small: Network, change, options: dict, match: str
) -> None:
    base = tmp_path_factory.getbasetemp() / "continued.zarr"
    execution = simulate.Execution(threads=1, cluster=client)
    if not base.exists():
        simulate.run(small, 20, 1, base, keep_state=True, execution=execution)
    options = {"seed": 1, **options}
    store = base.with_name("refused.zarr")
    with pytest.raises(SimulationError, match=match) as caught:
        simulate.run(change(small), 20, store=store, continue_from=base, execution=execution, **options)
    assert "continued.zarr" in caught.value.where
    assert not store.exists()


def test_stores_that_cannot_be_continued(client: Client, tmp_path: Path, small: Network) -> None:
    execution = simulate.Execution(threads=1, cluster=client)
    simulate.run(small, 20, 1, tmp_path / "plain.zarr", execution=execution)
    stores.write(samples.spikes(), tmp_path / "other.zarr")
    for name, match in (("plain", "does not hold the state at its end"), ("other", "not written by a simulation")):
        with pytest.raises(SimulationError, match=match):
            simulate.run(
                small, 20, 1, tmp_path / "b.zarr", continue_from=tmp_path / f"{name}.zarr", execution=execution
            )
    assert not (tmp_path / "b.zarr").exists()
