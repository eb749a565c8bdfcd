"""The fit of the cost model gives back the coefficients that made the data."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from allometry.network import Network
from benchmarks import plan

TRUE = {"a.start": 3.0, "a.unit.x": 0.02, "a.unit.y": 5.0, "b.start": 1.0, "simulate.event": 2e-9}


def _rows(rng: np.random.Generator) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = [{"a.start": 1, "a.unit.x": float(x)} for x in rng.integers(10, 5000, 5)]
    rows += [{"a.start": 1, "a.unit.y": float(x)} for x in rng.integers(1, 9, 5)]
    return rows + [{"b.start": 1, "simulate.event": float(x)} for x in rng.integers(10**8, 10**10, 6)]


def _seconds(row: dict[str, float]) -> float:
    return sum(TRUE[name] * amount for name, amount in row.items())


def test_known_coefficients_are_found_again() -> None:
    rows = _rows(np.random.default_rng(1))
    assert plan.fit(rows, [_seconds(row) for row in rows]) == pytest.approx(TRUE, rel=0.01)


def test_coefficients_are_never_negative_and_nothing_is_invented() -> None:
    # the more of it, the less time: no coefficient can say that
    found = plan.fit([{"a": 1, "b": 1}, {"a": 1, "b": 10}, {"a": 1, "c": 0.0}], [10.0, 5.0, 8.0])
    assert found["b"] == 0
    assert found["a"] > 0
    assert "c" not in found


def test_seconds_memory_and_disk_of_jobs() -> None:
    rows = _rows(np.random.default_rng(2))
    jobs = [
        plan.Job(row, {"w.store": 1, "w.byte": 1e6}, next(iter(row)), _seconds(row), k, 2_000_500, 3)
        for k, row in enumerate(rows)
    ]
    found = plan.fit_all(jobs)
    for name, value in TRUE.items():
        # the start is drawn to what the shortest job says of it
        assert found["seconds"][name] == pytest.approx(value, rel=0.25), name
    assert found["memory"] == {"a.start": 9, "b.start": 15, "other.job": 7.5}
    total = found["bytes"].get("w.store", 0) + 1e6 * found["bytes"].get("w.byte", 0)
    assert total == pytest.approx(2_000_500, rel=0.01)
    assert found["bytes"]["raw.byte"] == 1
    assert found["files"]["raw.file"] == 1


def test_what_the_jobs_hardly_depend_on_is_as_usual() -> None:
    """A thousand events beside a hundred million steps say nothing of what an event takes: no coefficient of 0."""
    seconds = 7.0 + 3e-9 * 1e8
    did = {"simulate.start.network": 1, "simulate.neuron_step.A": 1e8, "simulate.event": 1e3}
    jobs = [plan.Job(did, {"w.store": 1}, "", seconds, 1, 9, 1)]
    found = plan.fit_all(jobs)["seconds"]
    assert found["simulate.event"] == pytest.approx(plan.USUAL_S["simulate.event"], rel=1e-3)
    assert found["simulate.neuron_step.A"] > 0
    assert found["simulate.start.network"] + 1e8 * found["simulate.neuron_step.A"] == pytest.approx(seconds, rel=0.05)


def test_each_kind_begins_with_what_its_own_shortest_job_says() -> None:
    rows = [{f"compare.start.{kind}": 1.0, f"compare.unit.{kind}": n} for kind in "xy" for n in (3.0, 3.0)]
    seconds = [4.0, 4.0, 9.0, 9.0]
    jobs = [plan.Job(row, {"w.store": 1}, "", took, 1, 9, 1) for row, took in zip(rows, seconds)]
    found = plan.fit_all(jobs)["seconds"]
    # units that never vary cannot be told from the start: it takes nearly all
    assert found["compare.start.x"] == pytest.approx(plan.START * 4.0, rel=0.01)
    assert found["compare.start.y"] == pytest.approx(plan.START * 9.0, rel=0.01)
    assert found["compare.unit.y"] == pytest.approx((1 - plan.START) * 9.0 / 3, rel=0.05)


def test_rates_are_those_of_populations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Four spikes of the first neuron of each population, in one second."""

    def run(net: Network, duration_ms: float, seed: int, store: Path) -> xr.Dataset:
        first = [net.offsets[population.name] for population in net.populations]
        return xr.Dataset({"spike_unit": ("spike", np.repeat(first, 4))})

    monkeypatch.setattr(plan.simulate, "run", run)
    monkeypatch.setattr(plan, "MEASURED", {"brunel": {"scale": 0.002}})
    assert plan.rates(tmp_path) == {"brunel.E": 0.2, "brunel.I": 0.8, "other": 5.0}
