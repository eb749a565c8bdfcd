"""`simulate.run`: the same store for any partitions, threads and restarts; recording; failures."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from distributed import Client

from allometry import models, simulate, stores
from allometry.errors import SimulationError, StoreError
from allometry.network import FixedTotalNumber, IafPscExp, Network, Population, Projection
from allometry.simulate.build.partition import Partition
from allometry.simulate.build.plan.network import compile_network
from allometry.simulate.distribute import attempts, task
from tests.simulate import engine
from tests.stores import samples


def left_behind(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir() if p.suffix != ".zarr" and not p.name.endswith(".manifest.json")]


def test_microcircuit_spikes_do_not_depend_on_the_cut() -> None:
    plan = compile_network(models.microcircuit(scale=0.1), 1, "fast")
    whole = engine.run_plan(plan, [1500])
    assert len(whole) > 1500
    for cut in ((1, 2), (2, 1), (3, 1), (5, 1), (2, 2)):
        np.testing.assert_array_equal(engine.run_plan(plan, [400, 1500], *cut), whole, err_msg=str(cut))


def test_store_does_not_depend_on_partitions_and_threads(client: Client, tmp_path: Path, small: Network) -> None:
    contents = []
    for partitions, threads in ((1, 1), (1, 2), (2, 1), (3, 2), (5, 1)):
        store = tmp_path / f"p{partitions}t{threads}.zarr"
        found = simulate.run(
            small, 250, 1, store, execution=simulate.Execution(partitions=partitions, threads=threads, cluster=client)
        )
        assert found.sizes["spike"] > 300
        contents.append(engine.content(store))
    assert len(set(contents)) == 1
    assert left_behind(tmp_path) == []
    assert not engine.alive()


def test_default_cluster_and_store_layout(tmp_path: Path, small: Network) -> None:
    found = simulate.run(small, 120, 3, tmp_path / "out.zarr", attrs={"citation": "this test"})
    again = engine.spikes(small, 1200, seed=3)
    np.testing.assert_array_equal(found["spike_step"].values, again[:, 0] + 1)
    np.testing.assert_array_equal(found["spike_unit"].values, again[:, 1])
    assert stores.violations(xr.open_zarr(tmp_path / "out.zarr")) == []
    assert stores.verify(tmp_path / "out.zarr") == []
    assert list(found["population"].values[[0, 159, 160]]) == ["E", "E", "I"]
    assert found.attrs["seed"] == 3
    assert found.attrs["citation"] == "this test"
    assert 0 < stores.attribute(found, "derived")["weight_rounding_error"] < 0.05
    measured = json.loads((tmp_path / "out.manifest.json").read_text())["provenance"]["simulation"]
    assert measured["synapses"] == 200 * 20
    assert measured["synaptic_events"] > 0


def test_partitions_in_processes_of_their_own(tmp_path: Path, small: Network) -> None:
    simulate.run(small, 120, 1, tmp_path / "one.zarr", execution=simulate.Execution(threads=1))
    simulate.run(small, 120, 1, tmp_path / "three.zarr", execution=simulate.Execution(partitions=3, threads=1))
    assert engine.content(tmp_path / "one.zarr") == engine.content(tmp_path / "three.zarr")
    assert left_behind(tmp_path) == []


def test_a_terminated_run_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "allometry", "simulate", "microcircuit", "--scale", "0.02", "--out", "out.zarr"]
    process = subprocess.Popen([*command, "--duration-ms", "1000000"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 1200
    while not list(tmp_path.glob(".out-checkpoints/run-*/alive")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    assert process.wait(timeout=300) == 143
    assert list(tmp_path.iterdir()) == []


def test_seed_and_precision_matter(small: Network) -> None:
    runs = [engine.spikes(small, 1000, seed=s, precision=p) for s, p in ((1, "fast"), (2, "fast"), (1, "exact"))]
    assert not np.array_equal(runs[0], runs[1])
    # float32 drifts away from float64, but the statistics stay.
    assert abs(len(runs[0]) / len(runs[2]) - 1) < 0.1


def test_counts_and_voltages(client: Client, tmp_path: Path, small: Network) -> None:
    probes = (simulate.Probe("I", np.array([39, 0, 7]), 0.5), simulate.Probe("E", np.array([100]), 0.5))
    record = simulate.Record(counts_ms=5.0, probes=probes)
    found = simulate.run(
        small, 230, 1, tmp_path / "a.zarr", record=record, execution=simulate.Execution(threads=1, cluster=client)
    )
    simulate.run(
        small,
        230,
        1,
        tmp_path / "b.zarr",
        record=record,
        execution=simulate.Execution(partitions=3, threads=1, cluster=client),
    )
    assert engine.content(tmp_path / "a.zarr") == engine.content(tmp_path / "b.zarr")
    step, unit = found["spike_step"].values, found["spike_unit"].values
    bins = np.histogram2d(step - 1, unit, (np.arange(0, 2301, 50), np.arange(201)))[0]
    np.testing.assert_array_equal(found["count"].values, bins)
    np.testing.assert_array_equal(found["probe"].values, [199, 160, 167, 100])
    np.testing.assert_array_equal(found["step"].values, np.arange(5, 2301, 5))
    v = found["voltage"].values
    assert v.max() < -50.0
    assert v.min() > -90.0
    # At the end of a step in which it spiked, a neuron is at its reset potential.
    for column, neuron in enumerate(found["probe"].values):
        at = np.isin(found["step"].values, step[unit == neuron])
        assert (v[at, column] == -65.0).all()


def test_nothing_but_counts(client: Client, tmp_path: Path, small: Network) -> None:
    record = simulate.Record(spikes=False, counts_ms=10.0)
    found = simulate.run(
        small, 100, 1, tmp_path / "a.zarr", record=record, execution=simulate.Execution(threads=1, cluster=client)
    )
    assert found.sizes["spike"] == 0
    assert found["count"].values.sum() == len(engine.spikes(small, 1000))


def test_what_stands_where_a_run_would_write_stops_it_before_it_begins(
    tmp_path: Path, small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 11.2: a store was replaced unasked, and any folder that ended in .zarr was deleted."""

    def begin(*_: object) -> None:
        raise AssertionError("the run began")

    monkeypatch.setattr("allometry.simulate.conditions.check_network", begin)
    mine = tmp_path / "mine.zarr"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(StoreError, match=r"thesis\.tex is no part of a store, which would be deleted"):
            simulate.run(small, 100, 1, mine, overwrite=overwrite)
    assert (mine / "thesis.tex").read_text() == "years of work"
    store = stores.write(samples.spikes(), tmp_path / "a.zarr")
    with pytest.raises(StoreError, match="the store exists"):
        simulate.run(small, 100, 1, store)
    assert stores.verify(store) == []
    with pytest.raises(AssertionError, match="the run began"):
        simulate.run(small, 100, 1, store, overwrite=True)


def test_a_failing_partition_ends_the_run_with_its_cause(
    client: Client, tmp_path: Path, small: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = Partition.window

    def window(self: Partition, last: int, *rest: object) -> object:
        if self.number == 1 and self.step > 0:
            raise MemoryError("no room")
        return advance(self, last, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Partition, "window", window)
    # far longer than any machine needs: who reports the cause only after it is told apart from a slow machine
    monkeypatch.setattr(attempts, "_GRACE_S", 900.0)
    started = time.monotonic()
    with pytest.raises(SimulationError, match="partition 1 failed: MemoryError: no room"):
        simulate.run(
            small, 500, 1, tmp_path / "a.zarr", execution=simulate.Execution(partitions=3, threads=1, cluster=client)
        )
    assert time.monotonic() - started < 600
    assert list(tmp_path.iterdir()) == []
    deadline = time.monotonic() + 60
    while engine.alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not engine.alive()


def test_more_partitions_than_room(client: Client, tmp_path: Path, small: Network) -> None:
    with pytest.raises(SimulationError, match="6 partitions on 5 Dask worker threads"):
        simulate.run(
            small, 10, 1, tmp_path / "a.zarr", execution=simulate.Execution(partitions=6, threads=1, cluster=client)
        )


def test_a_run_that_does_not_fit_is_refused_before_building(client: Client, tmp_path: Path) -> None:
    huge = Network(
        populations=(Population("A", 1000, IafPscExp()),),
        projections=(Projection("A", "A", FixedTotalNumber(10**14), 1.0, 1.0),),
    )
    with pytest.raises(SimulationError, match="does not fit") as caught:
        simulate.run(
            huge, 10, 1, tmp_path / "a.zarr", precision="exact", execution=simulate.Execution(threads=1, cluster=client)
        )
    assert "% of this network" in caught.value.expected
    with pytest.raises(SimulationError, match="does not fit"):
        simulate.run(
            models.microcircuit(0.5),
            10,
            1,
            tmp_path / "a.zarr",
            execution=simulate.Execution(threads=1, cluster=client, memory_gib=0.4),
        )


def test_a_script_sees_the_estimate_before_the_run(tmp_path: Path) -> None:
    script = (
        "from allometry import models, simulate; simulate.run(models.microcircuit(0.02), 20, 1, 'a.zarr', "
        "execution=simulate.Execution(threads=1))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    first, last = done.stderr.strip().splitlines()[0], done.stderr.strip().splitlines()[-1]
    assert "1,544 neurons, 119,548 synapses; about 0." in first
    assert "spikes; compilation" in last


def test_unknown_cluster(tmp_path: Path, small: Network) -> None:
    with pytest.raises(SimulationError, match="unknown cluster kind 'cloud'"):
        simulate.run(small, 10, 1, tmp_path / "a.zarr", execution=simulate.Execution(cluster="cloud"))


def test_job_travels_between_processes(small: Network) -> None:
    import pickle

    copied = pickle.loads(pickle.dumps(small))
    np.testing.assert_array_equal(engine.spikes(copied, 300), engine.spikes(small, 300))
    assert task.warm(compile_network(small, 1, "fast")) >= 0.0
