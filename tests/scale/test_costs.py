"""Costs are read from the manifests of simulations, and machines that differ are not fitted together."""

from pathlib import Path

import pytest

from allometry import models, simulate, stores
from allometry.scale.costs import UNITS, cost_of, cost_table
from allometry.scale.laws import POWER, UNDETERMINED

SIZES = (0.1, 0.2, 0.5, 1.0)
NEURONS = {(size, "halved"): round(1000 * size) for size in SIZES}


def cost(seconds: float, host: str = "one", threads: int = 2) -> dict[str, object]:
    return {**dict.fromkeys(UNITS, seconds), "host": host, "threads": threads}


def test_cost_of_a_job_is_what_its_manifest_says(tmp_path: Path) -> None:
    simulate.run(models.brunel(0.02), 40.0, 1, tmp_path / "a.zarr", execution=simulate.Execution(threads=1))
    known = stores.read_manifest(tmp_path / "a.zarr")["provenance"]
    found = cost_of([tmp_path / "a.zarr"])
    assert found["simulation_s"] == pytest.approx(known["simulation"]["sim_s"] / 0.04)
    assert found["build_s"] == known["simulation"]["build_s"]
    assert found["memory_gib"] == pytest.approx(known["simulation"]["peak_rss_bytes"] / 2**30)
    assert (found["threads"], found["host"]) == (1, known["host"])


def test_costs_have_laws() -> None:
    costs = {key: [cost(2.0 * size * noise) for noise in (0.98, 1.0, 1.02)] for key in NEURONS for size in key[:1]}
    table = cost_table(costs, NEURONS, ["halved"], 1.0)
    law = table["laws"]["halved"]["simulation_s"]
    assert law["name"] in (POWER, UNDETERMINED)
    assert law["exponent"] == pytest.approx(1.0, abs=0.05)
    assert table["values"]["halved"]["memory_gib"]["0.1"] == pytest.approx([0.196, 0.2, 0.204])
    assert table["machines"] == [{"host": "one", "threads": 2}]


@pytest.mark.parametrize("other", [{"host": "two"}, {"threads": 4}])
def test_costs_of_several_machines_are_not_fitted_together(other: dict) -> None:
    costs = {key: [cost(1.0), cost(1.1, **other)] for key in NEURONS}
    laws = cost_table(costs, NEURONS, ["halved"], 1.0)["laws"]["halved"]
    assert {law["reason"] for law in laws.values()} == {"simulated on several machines or numbers of threads"}


def test_unknown_costs_are_left_out() -> None:
    table = cost_table({key: [{}, {}] for key in NEURONS}, NEURONS, ["halved"], 1.0)
    assert table["values"]["halved"]["simulation_s"] == {key: [] for key in ("0.1", "0.2", "0.5", "1")}
    assert table["laws"]["halved"]["simulation_s"]["name"] == UNDETERMINED
